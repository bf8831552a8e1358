//! [`Config::parse`]: every key once, with its default.

use serde_json::{Map, Value};

use super::problem::Rejection;
use super::reader::Reader;
use super::types::Config;
use super::{arguments, claude, env, inherit, keys, placement, resources, run_control, tolerations, workspace};

impl Config {
    /// Reads the whole configuration.
    ///
    /// # Errors
    /// Every refused value, in the order of the documentation. Never empty.
    pub fn parse(config: &Map<String, Value>) -> Result<Self, Vec<Rejection>> {
        let impossible = not_numbers(config);
        if !impossible.is_empty() {
            return Err(impossible);
        }
        let mut reader = Reader::new(config);
        let parsed = read(&mut reader);
        if reader.rejections.is_empty() {
            Ok(Self { warnings: reader.warnings, ..parsed })
        } else {
            Err(reader.rejections)
        }
    }
}

/// What JavaScript calls a number and JSON cannot hold, such as `NaN`: the caller says so instead of `null`.
fn not_numbers(config: &Map<String, Value>) -> Vec<Rejection> {
    let mut found = Vec::new();
    for (key, value) in config {
        collect(key, value, &mut found);
    }
    found
}

fn collect(path: &str, value: &Value, found: &mut Vec<Rejection>) {
    match value {
        Value::Object(members) => match members.get("notANumber").and_then(Value::as_str) {
            Some(text @ ("NaN" | "Infinity" | "-Infinity")) if members.len() == 1 => {
                found.push(Rejection {
                    key: path.to_owned(),
                    reason: format!("`{text}` is not a number; set a number"),
                });
            }
            _ => members.iter().for_each(|(name, value)| collect(&format!("{path}.{name}"), value, found)),
        },
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(index, value)| collect(&format!("{path}[{index}]"), value, found));
        }
        _ => {}
    }
}

/// All keys in the order of the documentation. Worth nothing when the reader holds a rejection.
pub(super) fn read(reader: &mut Reader<'_>) -> Config {
    let mut config = Config {
        model: claude::model(reader),
        effort: claude::effort(reader),
        max_turns_per_run: reader
            .whole(&keys::MAX_TURNS_PER_RUN)
            .and_then(|turns| u32::try_from(turns).ok())
            .unwrap_or_default(),
        skip_permissions: reader.flag(&keys::DANGEROUSLY_SKIP_PERMISSIONS),
        extra_args: arguments::read(reader),
        prompt_template: reader.text("promptTemplate"),
        bootstrap_prompt_template: reader.text("bootstrapPromptTemplate"),
        resume_last_session: reader.flag(&keys::RESUME_LAST_SESSION),
        mcp_servers: claude::mcp_servers(reader),
        strict_mcp_config: reader.flag(&keys::STRICT_MCP_CONFIG),
        instructions_file_path: reader.absolute_path("instructionsFilePath"),
        instructions_root_path: reader.text("instructionsRootPath"),
        instructions_entry_file: reader.text("instructionsEntryFile"),
        instructions_external: claude::instructions_external(reader),
        cwd: reader.absolute_path("cwd"),
        env: env::read(reader),
        inherit_env: inherit::env(reader),
        inherit_volumes: inherit::volumes(reader),
        kubeconfig: placement::kubeconfig(reader),
        namespace: reader.name(&keys::NAMESPACE),
        service_account_name: reader.name(&keys::SERVICE_ACCOUNT_NAME),
        image: placement::image(reader),
        image_pull_policy: reader.choice(&keys::IMAGE_PULL_POLICY),
        labels: placement::labels(reader),
        node_selector: placement::node_selector(reader),
        tolerations: tolerations::read(reader),
        priority_class_name: reader.name(&keys::PRIORITY_CLASS_NAME),
        runtime_class_name: reader.name(&keys::RUNTIME_CLASS_NAME),
        queue_name: reader.name(&keys::QUEUE_NAME),
        pod_template: placement::pod_template(reader),
        resources: resources::read(reader),
        workspace_volume_claim: reader.name(&keys::WORKSPACE_VOLUME_CLAIM),
        workspace_sub_path: workspace::sub_path(reader),
        workspace_mount_path: workspace::mount_path(reader),
        isolation: reader.choice(&keys::ISOLATION),
        fs_group: reader.whole(&keys::FS_GROUP),
        run_as_user: reader.whole(&keys::RUN_AS_USER),
        run_as_group: reader.whole(&keys::RUN_AS_GROUP),
        cache_size_limit: reader.size(&keys::CACHE_SIZE_LIMIT),
        timeout: run_control::bound(reader, &keys::TIMEOUT_SEC),
        grace: run_control::seconds(reader, &keys::GRACE_SEC),
        exit_grace: run_control::bound(reader, &keys::EXIT_GRACE_SEC),
        silence_timeout: run_control::bound(reader, &keys::SILENCE_TIMEOUT_SEC),
        ttl_seconds_after_finished: run_control::ttl(reader),
        retain_jobs: reader.flag(&keys::RETAIN_JOBS),
        reattach_orphaned_jobs: reader.flag(&keys::REATTACH_ORPHANED_JOBS),
        concurrency_scope: reader.choice(&keys::CONCURRENCY_SCOPE),
        guard_wait: run_control::seconds(reader, &keys::GUARD_WAIT_SEC),
        queue_timeout: run_control::bound(reader, &keys::QUEUE_TIMEOUT_SEC),
        schedule_timeout: run_control::bound(reader, &keys::SCHEDULE_TIMEOUT_SEC),
        startup_timeout: run_control::bound(reader, &keys::STARTUP_TIMEOUT_SEC),
        enable_rtk: reader.flag(&keys::ENABLE_RTK),
        rtk_max_output_bytes: reader
            .whole(&keys::RTK_MAX_OUTPUT_BYTES)
            .and_then(|limit| u32::try_from(limit).ok())
            .unwrap_or_default(),
        billing_type: reader.choice(&keys::BILLING_TYPE),
        secret_ref: reader.name(&keys::SECRET_REF).unwrap_or_default(),
        debug: reader.flag(&keys::DEBUG),
        warnings: Vec::new(),
    };
    if config.retain_jobs && !reader.is_set(keys::TTL_SECONDS_AFTER_FINISHED.name) {
        config.ttl_seconds_after_finished = None;
    }
    claude::check_skills(reader);
    arguments::check_combinations(reader, &config);
    env::check_total_size(reader, &config);
    config
}
