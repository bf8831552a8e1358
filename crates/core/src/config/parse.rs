//! [`Config::parse`]: every key once, with its default.

use serde_json::{Map, Value};

use super::grammar::{DNS_LABEL, DNS_SUBDOMAIN};
use super::problem::Rejection;
use super::reader::Reader;
use super::types::{ConcurrencyScope, Config, ImagePullPolicy};
use super::{arguments, claude, env, identity, placement, resources, run_control, tolerations, workspace};

/// Largest id, turn count and TTL that Kubernetes and the CLI can hold.
pub(super) const MOST: i64 = i32::MAX as i64;

impl Config {
    /// Reads the whole configuration.
    ///
    /// # Errors
    /// Every refused value, in the order of the documentation. Never empty.
    pub fn parse(config: &Map<String, Value>) -> Result<Self, Vec<Rejection>> {
        let mut reader = Reader::new(config);
        let parsed = read(&mut reader);
        if reader.rejections.is_empty() {
            Ok(Self { warnings: reader.warnings, ..parsed })
        } else {
            Err(reader.rejections)
        }
    }
}

/// All keys in the order of the documentation. Worth nothing when the reader holds a rejection.
pub(super) fn read(reader: &mut Reader<'_>) -> Config {
    let mut config = Config {
        model: claude::model(reader),
        effort: claude::effort(reader),
        max_turns_per_run: claude::max_turns(reader),
        skip_permissions: reader.boolean("dangerouslySkipPermissions").unwrap_or(true),
        extra_args: arguments::read(reader),
        prompt_template: reader.text("promptTemplate"),
        bootstrap_prompt_template: reader.text("bootstrapPromptTemplate"),
        resume_last_session: reader.boolean("resumeLastSession").unwrap_or(true),
        mcp_servers: claude::mcp_servers(reader),
        strict_mcp_config: reader.boolean("strictMcpConfig").unwrap_or(false),
        instructions_file_path: reader.absolute_path("instructionsFilePath"),
        instructions_root_path: reader.text("instructionsRootPath"),
        instructions_entry_file: reader.text("instructionsEntryFile"),
        instructions_external: claude::instructions_external(reader),
        cwd: reader.absolute_path("cwd"),
        env: env::read(reader),
        kubeconfig: placement::kubeconfig(reader),
        namespace: reader.name("namespace", &DNS_LABEL),
        service_account_name: reader.name("serviceAccountName", &DNS_SUBDOMAIN),
        image: placement::image(reader),
        image_pull_policy: reader.choice("imagePullPolicy", &ImagePullPolicy::WORDS).unwrap_or_default(),
        labels: placement::labels(reader),
        node_selector: placement::node_selector(reader),
        tolerations: tolerations::read(reader),
        priority_class_name: reader.name("priorityClassName", &DNS_SUBDOMAIN),
        runtime_class_name: reader.name("runtimeClassName", &DNS_SUBDOMAIN),
        queue_name: reader.name("queueName", &DNS_LABEL),
        pod_template: placement::pod_template(reader),
        resources: resources::read(reader),
        workspace_volume_claim: reader.name("workspaceVolumeClaim", &DNS_SUBDOMAIN),
        workspace_sub_path: workspace::sub_path(reader),
        workspace_mount_path: workspace::mount_path(reader),
        fs_group: identity::group_of_volumes(reader),
        run_as_user: identity::unprivileged_id(reader, "runAsUser"),
        run_as_group: identity::unprivileged_id(reader, "runAsGroup"),
        cache_size_limit: reader.quantity("cacheSizeLimit").map_or("20Gi".to_owned(), |size| size.as_str().to_owned()),
        timeout: run_control::bound(reader, "timeoutSec", 31_536_000, 0),
        grace: run_control::seconds(reader, "graceSec", 3600, 60),
        ttl_seconds_after_finished: run_control::ttl(reader),
        retain_jobs: reader.boolean("retainJobs").unwrap_or(false),
        reattach_orphaned_jobs: reader.boolean("reattachOrphanedJobs").unwrap_or(true),
        concurrency_scope: reader.choice("concurrencyScope", &ConcurrencyScope::WORDS).unwrap_or_default(),
        guard_wait: run_control::seconds(reader, "guardWaitSec", 86_400, 0),
        schedule_timeout: run_control::bound(reader, "scheduleTimeoutSec", 86_400, 300),
        startup_timeout: run_control::bound(reader, "startupTimeoutSec", 86_400, 600),
        enable_rtk: reader.boolean("enableRtk").unwrap_or(false),
        rtk_max_output_bytes: run_control::output_limit(reader),
        secret_ref: reader.name("secretRef", &DNS_SUBDOMAIN).unwrap_or_else(|| "paperclip-secrets".to_owned()),
        debug: reader.boolean("debug").unwrap_or(false),
        warnings: Vec::new(),
    };
    if config.ttl_seconds_after_finished.is_none() && !config.retain_jobs {
        config.ttl_seconds_after_finished = Some(run_control::DEFAULT_TTL_SECONDS);
    }
    claude::check_skills(reader);
    arguments::check_combinations(reader, &config);
    env::check_total_size(reader, &config);
    config
}
