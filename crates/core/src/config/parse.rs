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
    let claude = claude::read(reader);
    let env = env::read(reader);
    arguments::check(reader, &claude.extra_args, claude.instructions_file_path.is_some(), claude.enable_rtk);
    env::check_total_size(reader, &env, &claude.extra_args.args);
    let retain_jobs = reader.boolean("retainJobs").unwrap_or(false);
    Config {
        model: claude.model,
        effort: claude.effort,
        max_turns_per_run: claude.max_turns_per_run,
        skip_permissions: claude.skip_permissions,
        extra_args: claude.extra_args.args,
        prompt_template: claude.prompt_template,
        bootstrap_prompt_template: claude.bootstrap_prompt_template,
        resume_last_session: claude.resume_last_session,
        mcp_servers: claude.mcp_servers,
        strict_mcp_config: claude.strict_mcp_config,
        instructions_file_path: claude.instructions_file_path,
        instructions_root_path: claude.instructions_root_path,
        instructions_entry_file: claude.instructions_entry_file,
        instructions_external: claude.instructions_external,
        cwd: claude.cwd,
        env,
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
        ttl_seconds_after_finished: run_control::ttl(reader, retain_jobs),
        retain_jobs,
        reattach_orphaned_jobs: reader.boolean("reattachOrphanedJobs").unwrap_or(true),
        concurrency_scope: reader.choice("concurrencyScope", &ConcurrencyScope::WORDS).unwrap_or_default(),
        guard_wait: run_control::seconds(reader, "guardWaitSec", 86_400, 0),
        schedule_timeout: run_control::bound(reader, "scheduleTimeoutSec", 86_400, 300),
        startup_timeout: run_control::bound(reader, "startupTimeoutSec", 86_400, 600),
        enable_rtk: claude.enable_rtk,
        rtk_max_output_bytes: run_control::output_limit(reader),
        secret_ref: reader.name("secretRef", &DNS_SUBDOMAIN).unwrap_or_else(|| "paperclip-secrets".to_owned()),
        debug: reader.boolean("debug").unwrap_or(false),
        warnings: Vec::new(),
    }
}
