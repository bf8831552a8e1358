//! The pod around the container: POD-08, POD-09, POD-10 and the Job's own fields.

use claude_k8s_core::failure::ErrorCode;
use k8s_openapi::api::core::v1::VolumeMount;
use serde_json::json;

use crate::plan_scenario::{Launch, Scenario};

fn mount<'a>(launch: &'a Launch, path: &str) -> Option<&'a VolumeMount> {
    launch.claude().volume_mounts.as_ref().unwrap().iter().find(|mount| mount.mount_path == path)
}

#[test]
fn pod_10_one_container_one_image_and_nothing_that_waits_for_input() {
    let launch = Scenario::in_cluster().bundle().config(json!({ "enableRtk": true })).launch();
    let pod = launch.pod();
    assert_eq!((pod.containers.len(), pod.init_containers.as_ref()), (1, None));
    let claude = launch.claude();
    assert_eq!((claude.stdin, claude.tty, claude.stdin_once), (None, None, None));
    assert_eq!((claude.liveness_probe.as_ref(), claude.readiness_probe.as_ref()), (None, None));
}

#[test]
fn pod_09_no_group_ownership_unless_configured_and_then_only_on_mismatch() {
    let security = |scenario: Scenario| scenario.launch().pod().security_context.clone().unwrap();
    let default = security(Scenario::in_cluster());
    assert_eq!((default.fs_group, default.fs_group_change_policy), (None, None));
    let configured = security(Scenario::in_cluster().config(json!({ "fsGroup": 7 })));
    assert_eq!(configured.fs_group, Some(7));
    assert_eq!(configured.fs_group_change_policy.as_deref(), Some("OnRootMismatch"));
}

#[test]
fn pod_09_the_working_directory_exists_or_is_made_by_the_script() {
    let cwd = json!({ "context": { "paperclipWorkspace": { "cwd": "/paperclip/it's here" } } });
    let mut scenario = Scenario::in_cluster().request(cwd);
    let unknown = scenario.launch();
    assert_eq!(unknown.claude().working_dir.as_deref(), Some("/paperclip"));
    assert!(unknown.script().contains(r"cd '/paperclip/it'\''s here'"), "{}", unknown.script());
    scenario.surroundings.existing_directories.insert("/paperclip/it's here".to_owned());
    assert_eq!(scenario.launch().claude().working_dir.as_deref(), Some("/paperclip/it's here"));
}

#[test]
fn the_run_directory_is_workspace_then_configured_then_the_data_mount() {
    let workspace =
        |source: &str, cwd: &str| json!({ "context": { "paperclipWorkspace": { "source": source, "cwd": cwd } } });
    let configured = json!({ "cwd": "/paperclip/configured" });
    let rows = [
        (Scenario::in_cluster(), "/paperclip", 0),
        (Scenario::in_cluster().config(configured.clone()), "/paperclip/configured", 0),
        (
            Scenario::in_cluster().request(workspace("task", "/paperclip/w")).config(configured.clone()),
            "/paperclip/w",
            0,
        ),
        (
            Scenario::in_cluster().request(workspace("agent_home", "/paperclip/w")).config(configured),
            "/paperclip/configured",
            0,
        ),
        (Scenario::in_cluster().request(workspace("agent_home", "/paperclip/w")), "/paperclip/w", 0),
        (Scenario::in_cluster().request(workspace("task", "/srv/w")), "/paperclip", 1),
        (
            Scenario::in_cluster()
                .request(workspace("task", "/paperclip/../etc"))
                .config(json!({ "isolation": "none" })),
            "/paperclip",
            1,
        ),
        (Scenario::in_cluster().config(json!({ "cwd": "/srv" })), "/paperclip", 1),
    ];
    for (scenario, directory, warnings) in rows {
        let spec = scenario.spec();
        assert_eq!(spec.run_directory(), directory);
        assert_eq!(spec.warnings().len(), warnings, "{directory}: {:?}", spec.warnings());
    }
}

#[test]
fn pod_08_every_inherited_volume_is_mounted_once_read_only_and_optional() {
    let scenario = Scenario::in_cluster()
        .everything()
        .own_volume(
            json!({ "name": "certs", "secret": { "secretName": "certs", "defaultMode": 256, "items": [{ "key": "a", "path": "b" }] } }),
            &json!([
                { "name": "certs", "mountPath": "/etc/certs" },
                { "name": "certs", "mountPath": "/etc/more/ca.pem", "subPath": "ca.pem" },
            ]),
        )
        .own_volume(
            json!({ "name": "mixed", "projected": { "sources": [
                { "serviceAccountToken": { "path": "token" } }, { "configMap": { "name": "settings" } },
            ] } }),
            &json!([{ "name": "mixed", "mountPath": "/etc/mixed" }]),
        );
    let launch = scenario.config(json!({ "isolation": "none" })).launch();
    let volumes = launch.pod().volumes.as_ref().unwrap();
    let names: Vec<&str> = volumes.iter().map(|volume| volume.name.as_str()).collect();
    assert_eq!(names, ["data", "paperclip-run", "paperclip-scratch", "inh-0", "inh-1"]);
    let secret = volumes[3].secret.as_ref().unwrap();
    assert_eq!(
        (secret.optional, secret.default_mode, secret.items.as_ref().unwrap().len()),
        (Some(true), Some(256), 1)
    );
    let sources = volumes[4].projected.as_ref().unwrap().sources.as_ref().unwrap();
    assert_eq!(sources.len(), 1, "a token of the host is not passed on");
    assert_eq!(sources[0].config_map.as_ref().unwrap().optional, Some(true));
    for (path, volume, sub_path) in
        [("/etc/certs", "inh-0", None), ("/etc/more/ca.pem", "inh-0", Some("ca.pem")), ("/etc/mixed", "inh-1", None)]
    {
        let mount = mount(&launch, path).unwrap();
        assert_eq!((mount.name.as_str(), mount.sub_path.as_deref(), mount.read_only), (volume, sub_path, Some(true)));
    }
}

#[test]
fn volumes_that_belong_to_the_host_alone_are_never_inherited() {
    let rows = [
        (json!({ "emptyDir": {} }), "/cache"),
        (json!({ "hostPath": { "path": "/var" } }), "/node"),
        (json!({ "csi": { "driver": "d" } }), "/csi"),
        (json!({ "persistentVolumeClaim": { "claimName": "other" } }), "/other"),
        (json!({ "projected": { "sources": [{ "serviceAccountToken": { "path": "t" } }] } }), "/tokens"),
        (json!({ "configMap": { "name": "root-ca" } }), "/var/run/secrets/kubernetes.io/serviceaccount"),
        (json!({ "secret": { "secretName": "master" } }), "/etc/master"),
        (json!({ "configMap": { "name": "config" } }), "/etc/paperclip"),
        (json!({ "secret": { "secretName": "x" } }), "/opt/paperclip/run"),
    ];
    for (source, path) in rows {
        let mut volume = source.clone();
        volume["name"] = json!("v");
        let scenario = Scenario::in_cluster()
            .everything()
            .own_env(&json!([{ "name": "PAPERCLIP_SECRETS_MASTER_KEY_FILE", "value": "/etc/master/key" }]))
            .host_env("PAPERCLIP_CONFIG", "/etc/paperclip/config.json")
            .own_volume(volume, &json!([{ "name": "v", "mountPath": path }]));
        let launch = scenario.launch();
        let inherited = launch.pod().volumes.iter().flatten().filter(|volume| volume.name.starts_with("inh-"));
        assert_eq!(inherited.count(), 0, "{source}");
    }
}

#[test]
fn the_data_volume_is_the_hosts_own_part_of_the_claim() {
    let at = "/spec/containers/0/volumeMounts/0";
    let sub_path = Scenario::in_cluster().own_at(&format!("{at}/subPath"), json!("tenant")).large_bundle();
    let launch = sub_path.launch();
    assert_eq!(mount(&launch, "/paperclip").unwrap().sub_path.as_deref(), Some("tenant"));

    let narrowed = Scenario::in_cluster()
        .own_at(&format!("{at}/subPath"), json!("tenant"))
        .config(json!({ "workspaceSubPath": "tenant/agents" }));
    let refusal = narrowed.clone().large_bundle().refusal();
    assert_eq!(refusal.code, ErrorCode::BundleUnavailable, "another part of the claim is not shared");
    let narrowed = narrowed.launch();
    assert_eq!(mount(&narrowed, "/paperclip").unwrap().sub_path.as_deref(), Some("tenant/agents"));

    let by_pod = Scenario::in_cluster()
        .own_env(&json!([{ "name": "POD", "valueFrom": { "fieldRef": { "fieldPath": "metadata.name" } } }]))
        .own_at(&format!("{at}/subPathExpr"), json!("$(POD)"));
    assert!(by_pod.clone().large_bundle().resolve().is_err(), "each pod has a directory of its own");
    let by_pod = by_pod.launch();
    assert_eq!(mount(&by_pod, "/paperclip").unwrap().sub_path_expr.as_deref(), Some("$(POD)"));

    let by_value = Scenario::in_cluster()
        .own_env(&json!([{ "name": "TENANT", "value": "t" }]))
        .own_at(&format!("{at}/subPathExpr"), json!("$(TENANT)"))
        .large_bundle();
    assert!(by_value.resolve().is_ok());
}

#[test]
fn a_host_without_a_claim_gets_a_pod_that_starts_anyway() {
    let mut scenario = Scenario::in_cluster();
    scenario.own.as_mut().unwrap()["spec"]["volumes"] = json!([]);
    scenario.own.as_mut().unwrap()["spec"]["containers"][0]["volumeMounts"] = json!([]);
    let launch = scenario.launch();
    assert!(launch.pod().volumes.as_ref().unwrap()[0].empty_dir.is_some());
    assert_eq!(mount(&launch, "/paperclip").unwrap().name, "data");
    assert!(!launch.spec.session_facts(&launch.attempt).persistent);
}

#[test]
fn deadlines_and_lifetime_follow_the_configuration() {
    let spec = |config: serde_json::Value| Scenario::in_cluster().config(config).launch().job.spec.unwrap();
    let rows = [
        (json!({}), (None, None, Some(300))),
        (json!({ "timeoutSec": 600 }), (Some(600), Some(600 + 60 + 300 + 600 + 60), Some(300))),
        (
            json!({ "timeoutSec": 600, "graceSec": 0, "scheduleTimeoutSec": 0, "startupTimeoutSec": 0 }),
            (Some(600), Some(600 + 3600 + 3600 + 60), Some(300)),
        ),
        (json!({ "retainJobs": true }), (None, None, None)),
        (json!({ "retainJobs": true, "ttlSecondsAfterFinished": 900 }), (None, None, Some(900))),
    ];
    for (config, expected) in rows {
        let job = spec(config.clone());
        let pod = job.template.spec.unwrap().active_deadline_seconds;
        assert_eq!((pod, job.active_deadline_seconds, job.ttl_seconds_after_finished), expected, "{config}");
    }
}

#[test]
fn members_of_pod_template_that_are_newer_than_the_api_types_are_sent() {
    let newer = json!({ "spec": { "hostnameOverride": "agent", "containers": [{ "name": "claude", "newer": [1] }] } });
    let launch = Scenario::in_cluster().config(json!({ "podTemplate": newer, "timeoutSec": 9 })).launch();
    let pod = &launch.sent["spec"]["template"]["spec"];
    assert_eq!((&pod["hostnameOverride"], &pod["containers"][0]["newer"]), (&json!("agent"), &json!([1])));
    assert_eq!(pod["activeDeadlineSeconds"], 9);
    assert!(launch.spec.warnings().iter().any(|text| text.contains("podTemplate.spec.hostnameOverride")));
}

#[test]
fn without_the_right_to_patch_the_job_is_created_running() {
    let launch = Scenario::in_cluster().launch();
    let running = launch.spec.job(&launch.attempt, false).unwrap();
    assert_eq!([&launch.sent["spec"]["suspend"], &running["spec"]["suspend"]], [true, false]);
    let run = launch.pod().volumes.iter().flatten().find(|volume| volume.name == "paperclip-run").unwrap();
    let sources = run.projected.as_ref().unwrap().sources.as_ref().unwrap();
    assert!(sources.iter().all(|source| source.secret.as_ref().unwrap().optional.is_none()), "the container waits");
}

#[test]
fn cfg_09_user_labels_cannot_replace_the_identity_of_a_run() {
    let labels =
        json!({ "labels": { "team": "core", "paperclip.io/agent-id": "evil", "app.kubernetes.io/name": "x" } });
    let launch = Scenario::in_cluster().config(labels).launch();
    let labels = launch.job.metadata.labels.as_ref().unwrap();
    assert_eq!(labels["team"], "core");
    assert_eq!(labels["paperclip.io/agent-id"], crate::plan_scenario::AGENT);
    assert!(!labels.contains_key("app.kubernetes.io/name"));
    let template = launch.job.spec.as_ref().unwrap().template.metadata.as_ref().unwrap();
    assert_eq!(template.labels.as_ref(), Some(labels));
    assert_eq!(
        launch.spec.guard_selector(),
        format!("paperclip.io/agent-id={},paperclip.io/adapter-type=claude_k8s", labels["paperclip.io/agent-id"])
    );
}
