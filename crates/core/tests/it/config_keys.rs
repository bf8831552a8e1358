//! CFG-04: every documented key acts.

use std::collections::BTreeSet;
use std::time::Duration;

use claude_k8s_core::config::{ConcurrencyScope, Config, ImagePullPolicy, Isolation, KubeconfigSource, rows};
use serde_json::{Value, json};

/// A key, a value, and what must hold when it is set.
type Case = (&'static str, Value, fn(&Config) -> bool);

fn is(value: Option<&String>, expected: &str) -> bool {
    value.is_some_and(|value| value == expected)
}

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

#[rustfmt::skip]
fn cases() -> Vec<Case> {
    vec![
        ("model", json!("opus"), |c| is(c.model.as_ref(), "opus")),
        ("effort", json!("high"), |c| is(c.effort.as_ref(), "high") && c.warnings.is_empty()),
        ("effort", json!("huge"), |c| is(c.effort.as_ref(), "huge") && c.warnings[0].key == "effort"),
        ("maxTurnsPerRun", json!(7), |c| c.max_turns_per_run == 7),
        ("dangerouslySkipPermissions", json!(false), |c| !c.skip_permissions),
        ("extraArgs", json!(["--x"]), |c| c.extra_args == ["--x"]),
        ("extraArgs", json!("--settings /x"), |c| c.extra_args == ["--settings", "/x"] && c.warnings[0].key == "extraArgs"),
        ("args", json!(["--x"]), |c| c.extra_args == ["--x"]),
        ("promptTemplate", json!("Do {{it}}"), |c| is(c.prompt_template.as_ref(), "Do {{it}}")),
        ("bootstrapPromptTemplate", json!("Start\r\nhere"), |c| is(c.bootstrap_prompt_template.as_ref(), "Start\nhere")),
        ("instructionsFilePath", json!("/a/AGENTS.md"), |c| is(c.instructions_file_path.as_ref(), "/a/AGENTS.md")),
        ("instructionsRootPath", json!("/a"), |c| is(c.instructions_root_path.as_ref(), "/a")),
        ("instructionsEntryFile", json!("AGENTS.md"), |c| is(c.instructions_entry_file.as_ref(), "AGENTS.md")),
        ("instructionsBundleMode", json!("external"), |c| c.instructions_external && c.warnings.is_empty()),
        ("instructionsBundleMode", json!("other"), |c| !c.instructions_external && c.warnings.len() == 1),
        ("cwd", json!("/work"), |c| is(c.cwd.as_ref(), "/work")),
        ("resumeLastSession", json!(false), |c| !c.resume_last_session),
        ("mcpServers", json!({ "a": { "command": "x" } }), |c| c.mcp_servers["a"]["command"] == "x"),
        ("strictMcpConfig", json!(true), |c| c.strict_mcp_config),
        ("paperclipRuntimeSkills", json!([{ "source": "/s" }, { "key": "k" }]), |c| c.warnings.len() == 1 && c.warnings[0].key == "paperclipRuntimeSkills[1]"),
        ("paperclipSkillSync", json!("all"), |c| c.warnings[0].key == "paperclipSkillSync"),
        ("env", json!({ "B": "1", "A": "2" }), |c| c.env == [("B".into(), "1".into()), ("A".into(), "2".into())]),
        ("inheritEnv", json!(["NPM_TOKEN", "MYCO_*"]), |c| c.inherit_env.has("MYCO_X") && !c.inherit_env.has("NPM_")),
        ("inheritVolumes", json!("certs, more"), |c| c.inherit_volumes.names == ["certs", "more"]),
        ("kubeconfig", json!("/k"), |c| c.kubeconfig == Some(KubeconfigSource::Path("/k".into()))),
        ("kubeconfigData", json!(INLINE), |c| matches!(&c.kubeconfig, Some(KubeconfigSource::Inline(_)))),
        ("namespace", json!("n"), |c| is(c.namespace.as_ref(), "n")),
        ("serviceAccountName", json!("s.a"), |c| is(c.service_account_name.as_ref(), "s.a")),
        ("image", json!("r/i:1"), |c| is(c.image.as_ref(), "r/i:1")),
        ("imagePullPolicy", json!("Never"), |c| c.image_pull_policy == ImagePullPolicy::Never),
        ("labels", json!("a=b"), |c| c.labels["a"] == "b"),
        ("nodeSelector", json!("a=b"), |c| c.node_selector.as_ref().unwrap()["a"] == "b"),
        ("tolerations", json!("[]"), |c| c.tolerations.as_ref().unwrap().is_empty()),
        ("priorityClassName", json!("p"), |c| is(c.priority_class_name.as_ref(), "p")),
        ("runtimeClassName", json!("r"), |c| is(c.runtime_class_name.as_ref(), "r")),
        ("queueName", json!("q"), |c| is(c.queue_name.as_ref(), "q")),
        ("podTemplate", json!("spec: {hostNetwork: true}"), |c| c.pod_template.as_ref().unwrap()["spec"]["hostNetwork"] == true),
        ("resources.requests.cpu", json!("1"), |c| c.resources.requests["cpu"] == "1"),
        ("resources.requests.memory", json!("1Gi"), |c| c.resources.requests["memory"] == "1Gi"),
        ("resources.limits.cpu", json!(2), |c| c.resources.limits["cpu"] == "2"),
        ("resources.limits.memory", json!("3Gi"), |c| c.resources.limits["memory"] == "3Gi"),
        ("resources", json!({ "limits": { "x.io/gpu": 1 } }), |c| c.resources.limits["x.io/gpu"] == "1"),
        ("workspaceVolumeClaim", json!("v"), |c| is(c.workspace_volume_claim.as_ref(), "v")),
        ("workspaceSubPath", json!("a/b"), |c| is(c.workspace_sub_path.as_ref(), "a/b")),
        ("workspaceMountPath", json!("/data/"), |c| is(c.workspace_mount_path.as_ref(), "/data")),
        ("isolation", json!("agent"), |c| c.isolation == Isolation::Agent),
        ("fsGroup", json!(0), |c| c.fs_group == Some(0)),
        ("runAsUser", json!(1), |c| c.run_as_user == Some(1)),
        ("runAsGroup", json!(2), |c| c.run_as_group == Some(2)),
        ("cacheSizeLimit", json!("1Gi"), |c| c.cache_size_limit == "1Gi"),
        ("timeoutSec", json!(9), |c| c.timeout == Some(seconds(9))),
        ("graceSec", json!(0), |c| c.grace == seconds(0)),
        ("ttlSecondsAfterFinished", json!(61), |c| c.ttl_seconds_after_finished == Some(61)),
        ("exitGraceSec", json!(7), |c| c.exit_grace == Some(seconds(7))),
        ("silenceTimeoutSec", json!(7), |c| c.silence_timeout == Some(seconds(7))),
        ("queueTimeoutSec", json!(7), |c| c.queue_timeout == Some(seconds(7))),
        ("retainJobs", json!(true), |c| c.retain_jobs),
        ("reattachOrphanedJobs", json!(false), |c| !c.reattach_orphaned_jobs),
        ("concurrencyScope", json!("task"), |c| c.concurrency_scope == ConcurrencyScope::Task),
        ("guardWaitSec", json!(5), |c| c.guard_wait == seconds(5)),
        ("scheduleTimeoutSec", json!(5), |c| c.schedule_timeout == Some(seconds(5))),
        ("startupTimeoutSec", json!(5), |c| c.startup_timeout == Some(seconds(5))),
        ("enableRtk", json!(true), |c| c.enable_rtk),
        ("rtkMaxOutputBytes", json!(1024), |c| c.rtk_max_output_bytes == 1024),
        ("billingType", json!("credits"), |c| c.billing_type.as_str() == Some("credits")),
        ("secretRef", json!("s"), |c| c.secret_ref == "s"),
        ("debug", json!(true), |c| c.debug),
    ]
}

/// The smallest kubeconfig.
const INLINE: &str = "{current-context: c, contexts: [{name: c, context: {cluster: k}}], clusters: [{name: k, cluster: {server: 'http://k'}}]}";

#[test]
fn cfg_04_every_key_acts() {
    for (key, value, holds) in cases() {
        let config = json!({ key: value });
        let parsed = Config::parse(config.as_object().unwrap()).unwrap_or_else(|error| panic!("`{key}`: {error:?}"));
        assert!(holds(&parsed), "`{key}` does not act: {parsed:?}");
    }
}

#[test]
fn cfg_04_the_tested_keys_are_the_documented_ones_and_each_stands_there_once() {
    let tested: BTreeSet<&str> = cases().iter().map(|(key, ..)| *key).collect();
    let documented: BTreeSet<&str> = rows().map(claude_k8s_core::config::Row::name).collect();
    assert_eq!(tested, documented);
    assert_eq!(documented.len(), rows().count(), "a key is documented twice");
}
