//! CFG-08: paths that exist in the pod stay, others go; temporary data is the pod's own.

use serde_json::json;

use crate::plan_scenario::Scenario;

#[test]
fn cfg_08_a_path_inside_a_volume_the_job_does_not_mount_is_dropped_with_a_warning() {
    let own = json!([
        { "name": "FOREIGN_CACHE", "value": "/cache/agents" },
        { "name": "CLAUDE_CONFIG_DIR", "value": "/paperclip/.claude" },
        { "name": "CA_FILE", "value": "/etc/certs/ca.pem" },
        { "name": "IMAGE_PATH", "value": "/usr/share/x" },
    ]);
    let scenario = Scenario::in_cluster()
        .everything()
        .own_env(&own)
        .own_volume(json!({ "name": "cache", "emptyDir": {} }), &json!([{ "name": "cache", "mountPath": "/cache" }]))
        .own_volume(
            json!({ "name": "certs", "secret": { "secretName": "certs" } }),
            &json!([{ "name": "certs", "mountPath": "/etc/certs" }]),
        );
    let launch = scenario.launch();
    assert_eq!(launch.env_entry("FOREIGN_CACHE"), None);
    assert_eq!(launch.value("CLAUDE_CONFIG_DIR").as_deref(), Some("/paperclip/.claude"));
    assert_eq!(launch.value("CA_FILE").as_deref(), Some("/etc/certs/ca.pem"));
    assert_eq!(launch.value("IMAGE_PATH").as_deref(), Some("/usr/share/x"));
    assert_eq!(launch.spec.warnings().len(), 1);
    assert!(launch.spec.warnings()[0].contains("`FOREIGN_CACHE`"));

    let moved = scenario.config(json!({ "workspaceMountPath": "/work" })).launch();
    assert_eq!(moved.env_entry("CLAUDE_CONFIG_DIR"), None, "the volume is there, but at another place");
    assert_eq!(moved.value("HOME").as_deref(), Some("/work"));
}

#[test]
fn prm_12_temp_and_caches_are_the_pods_own_unless_a_mounted_path_was_chosen() {
    let scratch = "/opt/paperclip/scratch";
    let launch = Scenario::in_cluster()
        .config(json!({ "env": { "TMPDIR": "/tmp", "TMP": "/paperclip/tmp", "GOCACHE": "/paperclip/go", "PIP_CACHE_DIR": "/x" } }))
        .launch();
    assert_eq!(launch.value("TMPDIR"), Some(format!("{scratch}/tmp")), "/tmp is no volume");
    assert_eq!(launch.value("TMP").as_deref(), Some("/paperclip/tmp"));
    assert_eq!(launch.value("GOCACHE").as_deref(), Some("/paperclip/go"));
    assert_eq!(launch.value("PIP_CACHE_DIR"), Some(format!("{scratch}/cache/pip")));
    assert_eq!(launch.value("npm_config_cache"), Some(format!("{scratch}/cache/npm")));
    assert_eq!(launch.value("PAPERCLIP_RUN_SCRATCH_DIR"), Some(format!("{scratch}/tmp")));
}

#[test]
fn fld_25_temporary_files_of_the_cli_lie_on_the_scratch_volume() {
    // Without the variable they lie in `/tmp/claude-<uid>`, whatever `TMPDIR` says.
    const NAME: &str = "CLAUDE_CODE_TMPDIR";
    let on_scratch = Some("/opt/paperclip/scratch/tmp".to_owned());
    let named = |value: &str| Scenario::in_cluster().config(json!({ "env": { NAME: value } })).launch().value(NAME);
    for scenario in
        [Scenario::in_cluster(), Scenario::in_cluster().own_env(&json!([{ "name": NAME, "value": "/tmp" }]))]
    {
        assert_eq!(scenario.launch().value(NAME), on_scratch);
    }
    assert_eq!(named("/tmp"), on_scratch, "the root of the container is no volume");
    assert_eq!(named("/paperclip/tmp").as_deref(), Some("/paperclip/tmp"), "a mounted path that was chosen");
}

#[test]
fn a_temporary_directory_that_the_host_made_is_not_the_users_choice() {
    let env = json!({ "env": { "TMPDIR": "/paperclip/scratch/run", "TEMP": "/paperclip/scratch/run" } });
    let applied = json!({ "dir": "/paperclip/scratch/run", "tempKeysApplied": ["TMPDIR"] });
    let launch =
        Scenario::in_cluster().config(env).request(json!({ "context": { "paperclipScratch": applied } })).launch();
    for name in ["TMPDIR", "TEMP", "TMP"] {
        assert_eq!(launch.value(name).as_deref(), Some("/opt/paperclip/scratch/tmp"), "{name}");
    }
}

#[test]
fn a_volume_of_the_pod_template_is_a_mounted_path() {
    let template = json!({ "spec": {
        "volumes": [{ "name": "cache", "emptyDir": {} }],
        "containers": [{ "name": "claude", "volumeMounts": [{ "name": "cache", "mountPath": "/cache" }] }],
    }});
    let launch =
        Scenario::in_cluster().config(json!({ "podTemplate": template, "env": { "GOCACHE": "/cache/go" } })).launch();
    assert_eq!(launch.value("GOCACHE").as_deref(), Some("/cache/go"));
    assert!(launch.claude().volume_mounts.as_ref().unwrap().iter().any(|mount| mount.mount_path == "/cache"));
}

#[test]
fn workspace_paths_are_translated_or_left_out() {
    let context = json!({ "context": {
        "paperclipWorkspace": { "cwd": "/paperclip/w", "worktreePath": "/srv/tree", "agentHome": "/home/a", "branchName": "b" },
        "paperclipWorkspaces": [{ "cwd": "/paperclip/x", "id": 1 }, { "cwd": "/srv/y", "id": 2 }],
    }});
    let launch = Scenario::in_cluster().request(context).config(json!({ "workspaceMountPath": "/work" })).launch();
    assert_eq!(launch.value("PAPERCLIP_WORKSPACE_CWD").as_deref(), Some("/work/w"));
    assert_eq!(launch.value("PAPERCLIP_WORKSPACE_BRANCH").as_deref(), Some("b"));
    assert_eq!(launch.env_entry("PAPERCLIP_WORKSPACE_WORKTREE_PATH"), None);
    assert_eq!(launch.env_entry("AGENT_HOME"), None);
    let workspaces = launch.value("PAPERCLIP_WORKSPACES_JSON").unwrap();
    assert_eq!(workspaces, r#"[{"cwd":"/work/x","id":1},{"id":2}]"#);
}

#[test]
fn an_external_instructions_root_is_the_agents_home() {
    let config = json!({ "instructionsBundleMode": "external", "instructionsRootPath": "/paperclip/ext" });
    let context = json!({ "context": { "paperclipWorkspace": { "agentHome": "/paperclip/agents/a" } } });
    let launch = Scenario::in_cluster().config(config).request(context).launch();
    assert_eq!(launch.value("AGENT_HOME").as_deref(), Some("/paperclip/ext"));
}
