//! TRU-08 to TRU-11: what is mounted of the data volume, and what the host makes before that.

use claude_k8s_core::plan::{Entry, Whose};
use serde_json::{Value, json};

use crate::plan_scenario::{AGENT, Launch, SESSION, Scenario};

/// A volume like a real server's: its parts are there.
fn volume() -> Scenario {
    let mut scenario = Scenario::in_cluster();
    let entries = &mut scenario.surroundings.volume.entries;
    for name in ["instances", "adapter-plugins", "plugins"] {
        entries.insert(format!("/paperclip/{name}"), Entry::Directory);
    }
    for name in ["adapter-plugins.json", ".env", "config.json"] {
        entries.insert(format!("/paperclip/{name}"), Entry::File);
    }
    scenario
}

fn level(level: &str) -> Scenario {
    volume().config(json!({ "isolation": level }))
}

fn workspace(cwd: &str) -> Value {
    json!({ "context": { "paperclipWorkspace": { "cwd": cwd, "source": "project" } } })
}

/// `path ← volume:sub-path`, the payload aside.
fn mounts(launch: &Launch) -> Vec<String> {
    let mounts = launch.claude().volume_mounts.as_ref().unwrap().iter();
    let shown = mounts.filter(|mount| !mount.mount_path.starts_with("/opt/paperclip"));
    shown
        .map(|mount| {
            let part = mount.sub_path.as_ref().or(mount.sub_path_expr.as_ref()).map(String::as_str).unwrap_or_default();
            format!("{} ← {}:{part}", mount.mount_path, mount.name)
        })
        .collect()
}

fn of_every_run() -> Vec<String> {
    let below = "instances/default";
    ["companies/acme/agents/AGENT", "projects/acme", "workspaces/AGENT"]
        .map(|path| format!("{below}/{}", path.replace("AGENT", AGENT)))
        .map(|path| format!("/paperclip/{path} ← data:{path}"))
        .to_vec()
}

#[test]
fn tru_08_tru_09_server_is_the_common_home_with_the_servers_parts_covered() {
    let launch = level("server").launch();
    let mut expected = vec!["/paperclip ← data:".to_owned()];
    let covers =
        [".env", ".paperclip", ".paperclip-claude-k8s", "adapter-plugins", "adapter-plugins.json", "config.json"];
    let covers = covers.into_iter().chain(["instances", "plugins"]);
    let mut directories = 0;
    expected.extend(covers.map(|name| {
        if [".env", "adapter-plugins.json", "config.json"].contains(&name) {
            return format!("/paperclip/{name} ← paperclip-empty:empty");
        }
        directories += 1;
        format!("/paperclip/{name} ← paperclip-cover:{directories}")
    }));
    expected.extend(of_every_run());
    assert_eq!(mounts(&launch), expected);
    assert_eq!(mounts(&volume().launch()), expected, "the default");
    let made = launch.spec.preparation().unwrap();
    assert_eq!(made.root, "/paperclip");
    let servers = |path: &str| made.make.iter().any(|make| make.path == path && make.whose == Whose::Servers);
    assert!(servers(".paperclip") && servers(".paperclip-claude-k8s"), "an agent could put its own there: {made:?}");
    assert!(!servers("plugins") && !servers("adapter-plugins"), "what exists stays as it is");
}

#[test]
fn tru_08_agent_is_a_home_of_its_own_and_the_runs_directories() {
    let hints = json!({ "context": { "paperclipWorkspaces": [
        { "cwd": "/paperclip/repos/app" }, { "cwd": format!("/paperclip/instances/default/projects/acme/p") }, { "cwd": "/srv/x" },
    ]}});
    let launch = level("agent").request(workspace("/paperclip/repos/app/worktree")).request(hints).launch();
    let home = format!("instances/default/k8s-homes/acme/{AGENT}");
    let mut expected = vec![format!("/paperclip ← data:{home}"), "/paperclip/instances ← paperclip-cover:1".to_owned()];
    expected.extend(of_every_run());
    expected.push("/paperclip/repos/app ← data:repos/app".to_owned());
    assert_eq!(mounts(&launch), expected);
    assert_eq!(launch.value("PAPERCLIP_WORKSPACE_CWD").as_deref(), Some("/paperclip/repos/app/worktree"));
    let made = launch.spec.preparation().unwrap();
    let made: Vec<(&str, Whose)> = made.make.iter().map(|make| (make.path.as_str(), make.whose)).collect();
    assert_eq!(made[0], (home.as_str(), Whose::PodsAlone));
    for point in ["instances", "repos/app"] {
        let point = format!("{home}/{point}");
        assert!(made.contains(&(point.as_str(), Whose::Pods)), "a mount point in the home is not made by the runtime");
    }
}

#[test]
fn none_is_the_whole_volume() {
    assert_eq!(mounts(&level("none").launch()), ["/paperclip ← data:"]);
}

#[test]
fn tru_09_a_path_that_is_the_servers_is_refused_with_its_key_whatever_names_it() {
    let secrets = "/paperclip/instances/default/secrets";
    let other = "/paperclip/instances/default/workspaces/another-agent";
    for isolation in ["agent", "server"] {
        let level = || level(isolation);
        let rows = [
            ("cwd", level().config(json!({ "cwd": secrets }))),
            ("cwd", level().config(json!({ "cwd": "/paperclip/./instances//default/db/" }))),
            ("cwd", level().config(json!({ "cwd": "/paperclip/work/../instances/default/secrets" }))),
            ("cwd", level().config(json!({ "cwd": "/paperclip/adapter-plugins" }))),
            ("cwd", level().config(json!({ "cwd": other }))),
            ("paperclipWorkspace.cwd", level().request(workspace("/paperclip/instances"))),
            ("paperclipWorkspace.cwd", level().request(workspace("/paperclip/instances/default/projects/rival/p"))),
            ("paperclipWorkspace.cwd", level().request(workspace("/paperclip/instances/second/workspaces/x"))),
            ("workspaceSubPath", level().config(json!({ "workspaceSubPath": "instances/default/secrets" }))),
            ("workspaceSubPath", level().config(json!({ "workspaceSubPath": "instances//default" }))),
            (
                "workspaceSubPath",
                level().config(json!({ "workspaceSubPath": "./instances/default/k8s-homes/acme/bob" })),
            ),
        ];
        for (key, scenario) in rows {
            let refusal = scenario.refusal();
            assert_eq!(refusal.meta, Some(json!({ "keys": [key] })), "{isolation}: {}", refusal.message);
            assert!(refusal.message.contains("isolation"), "the way out: {}", refusal.message);
        }
    }
    let launch = level("none").config(json!({ "cwd": secrets })).launch();
    assert_eq!(launch.spec.run_directory(), secrets, "the operator asked for it");
}

#[test]
fn tru_09_a_workspace_hint_or_home_of_the_servers_is_not_mounted_and_told() {
    let context = json!({ "context": {
        "paperclipWorkspace": { "cwd": "/paperclip/work", "agentHome": "/paperclip/instances/default/workspaces/bob" },
        "paperclipWorkspaces": [{ "cwd": "/paperclip/instances/default/secrets" }],
    }});
    for isolation in ["agent", "server"] {
        let launch = level(isolation).request(context.clone()).launch();
        let shown = mounts(&launch).join("\n");
        assert!(!shown.contains("secrets") && !shown.contains("bob"), "{shown}");
        assert_eq!(launch.env_entry("AGENT_HOME"), None);
        assert_eq!(launch.value("PAPERCLIP_WORKSPACES_JSON").as_deref(), Some("[{}]"));
        let warnings = launch.spec.warnings().join("\n");
        assert!(warnings.contains("paperclipWorkspace.agentHome"), "{warnings}");
        assert!(warnings.contains("paperclipWorkspaces[0].cwd"), "{warnings}");
    }
}

#[test]
fn tru_09_a_link_in_the_place_of_a_part_of_the_servers_is_refused() {
    let mut scenario = level("server");
    scenario.surroundings.volume.entries.insert("/paperclip/.env".to_owned(), Entry::Link);
    let refusal = scenario.refusal();
    assert!(refusal.message.contains("isolation: `/paperclip/.env` is a link"), "{}", refusal.message);
    scenario.config(json!({ "isolation": "agent" })).spec();
}

#[test]
fn tru_09_files_that_the_environment_names_are_the_servers_wherever_they_lie() {
    let mut scenario = level("server").host_env("PAPERCLIP_SECRETS_MASTER_KEY_FILE", "/paperclip/keys/master.key");
    scenario.surroundings.volume.entries.insert("/paperclip/keys/master.key".to_owned(), Entry::File);
    let shown = mounts(&scenario.launch());
    assert!(shown.contains(&"/paperclip/keys/master.key ← paperclip-empty:empty".to_owned()), "{shown:?}");
    let refusal = scenario.config(json!({ "cwd": "/paperclip/keys", "isolation": "agent" })).refusal();
    assert!(refusal.message.contains("cwd"), "{}", refusal.message);
}

#[test]
fn tru_09_the_way_to_a_home_below_the_root_cannot_be_renamed() {
    let shown = mounts(&level("server").host_env("PAPERCLIP_HOME", "/paperclip/srv/home").launch());
    for pinned in ["/paperclip/srv ← data:srv", "/paperclip/srv/home ← data:srv/home"] {
        assert!(shown.contains(&pinned.to_owned()), "{shown:?}");
    }
    assert!(
        shown.iter().any(|mount| mount.starts_with("/paperclip/srv/home/instances ← paperclip-cover")),
        "{shown:?}"
    );
    assert!(shown.iter().any(|mount| mount.starts_with("/paperclip/.paperclip ← paperclip-cover")), "{shown:?}");
}

#[test]
fn tru_08_mounts_lie_below_the_part_of_the_claim_that_the_host_has() {
    let scenario = level("agent").own_at("/spec/containers/0/volumeMounts/0/subPath", json!("tenants/a"));
    let shown = mounts(&scenario.launch());
    assert!(
        shown.contains(
            &"/paperclip/instances/default/projects/acme ← data:tenants/a/instances/default/projects/acme".to_owned()
        ),
        "{shown:?}"
    );
    let refusal = scenario.config(json!({ "workspaceSubPath": "tenants" })).refusal();
    assert!(refusal.message.contains("workspaceSubPath: this part of claim"), "{}", refusal.message);
}

#[test]
fn tru_09_a_bundle_on_the_volume_is_mounted_alone_and_read_only() {
    let launch = level("agent").bundle().launch();
    let mounts = launch.claude().volume_mounts.as_ref().unwrap();
    let bundle = mounts.iter().find(|mount| mount.mount_path.contains("claude-prompt-cache"));
    if let Some(bundle) = bundle {
        assert_eq!(bundle.read_only, Some(true));
        assert!(bundle.sub_path.as_ref().unwrap().starts_with("instances/default/companies/acme/claude-prompt-cache/"));
    }
}

#[test]
fn tru_11_on_a_volume_that_the_host_does_not_see_the_agents_home_is_a_directory_of_its_own() {
    let claim = json!({ "workspaceVolumeClaim": "agents", "isolation": "agent" });
    let launch = Scenario::out_of_cluster().config(claim).launch();
    assert_eq!(mounts(&launch), [format!("/paperclip ← data:k8s-homes/acme/{AGENT}")]);
    assert_eq!(launch.spec.preparation(), None, "the host cannot make it");
    let report = launch.spec.isolation_report().unwrap();
    assert_eq!(report.server, None);
    let server = json!({ "workspaceVolumeClaim": "agents", "isolation": "server" });
    assert_eq!(mounts(&Scenario::out_of_cluster().config(server).launch()), ["/paperclip ← data:"]);
    assert_eq!(
        mounts(&Scenario::out_of_cluster().config(json!({ "isolation": "agent" })).launch()),
        ["/paperclip ← data:"]
    );
}

#[test]
fn tru_10_a_resumed_session_comes_along_into_the_agents_home() {
    let scenario = level("agent").with_session().request(workspace("/paperclip/repos/it's"));
    let copy = scenario.launch().spec.preparation().unwrap().session.unwrap();
    assert_eq!((copy.from.as_str(), copy.id.as_str()), ("", SESSION));
    assert_eq!(copy.directory, ".claude/projects/-paperclip-repos-it-s");
    assert_eq!(copy.to, format!("instances/default/k8s-homes/acme/{AGENT}"));
    let server = scenario.config(json!({ "isolation": "server" })).launch();
    assert_eq!(server.spec.preparation().unwrap().session, None);
}

#[test]
fn tru_08_a_worktree_whose_repository_the_pod_does_not_see_is_told() {
    let tree = format!("/paperclip/instances/default/workspaces/{AGENT}/tree");
    let with = |repository: &str| {
        let mut scenario = level("agent").request(workspace(&tree));
        let text = format!("gitdir: {repository}/.git/worktrees/tree\n");
        scenario.surroundings.volume.git_files.insert(tree.clone(), text);
        scenario.launch()
    };
    let seen = with("/paperclip/instances/default/projects/acme/p/repo");
    assert_eq!(seen.spec.warnings(), [""; 0], "the projects of the company are there");
    for repository in ["/paperclip/repos/app", "/paperclip/instances/default/projects/rival/p"] {
        let launch = with(repository);
        assert!(launch.spec.warnings()[0].contains("worktree"), "{:?}", launch.spec.warnings());
        assert!(!mounts(&launch).join("\n").contains("rival"), "what an agent writes brings nothing in");
    }
}

const LEAST: &str = "PAPERCLIP_K8S_MIN_ISOLATION";

#[test]
fn tru_09_nobody_who_edits_an_agent_can_go_below_what_the_operator_asks_for() {
    let asked = |least: &str, config: Value| volume().host_env(LEAST, least).config(config);
    let refused = |least: &str, config: Value| asked(least, config).refusal();
    for (least, config, words) in [
        ("agent", json!({ "isolation": "none" }), "isolation: `none` shows a pod more"),
        ("agent", json!({ "isolation": "server" }), "set `isolation` to `agent`"),
        ("agent", json!({}), "also what an unset key means"),
        ("server", json!({ "isolation": "none" }), "at least `server`"),
        (" agent ", json!({ "isolation": "server" }), LEAST),
        // The agent's own environment is not the server's.
        ("agent", json!({ "isolation": "none", "env": { LEAST: "none" } }), LEAST),
    ] {
        let refusal = refused(least, config);
        assert_eq!(refusal.reason, Some("k8s_config_invalid"));
        assert!(refusal.message.contains(words), "{least}: {}", refusal.message);
    }
    for (least, config) in [
        ("agent", json!({ "isolation": "agent" })),
        ("server", json!({})),
        ("server", json!({ "isolation": "agent" })),
        ("none", json!({ "isolation": "none" })),
        ("", json!({ "isolation": "none" })),
    ] {
        assert!(asked(least, config).resolve().is_ok(), "{least}");
    }
    // A slip opens nothing.
    for slip in ["Agent", "agents", "true", "agent,server"] {
        let refusal = refused(slip, json!({ "isolation": "agent" }));
        assert!(refusal.message.contains("has to be `agent`, `server` or `none`"), "{slip}: {}", refusal.message);
    }
}

#[test]
fn tru_09_where_the_operator_asks_for_isolation_pod_template_brings_the_servers_claim_back_in_no_way() {
    let mount = json!([{ "name": "again", "mountPath": "/again" }]);
    let volume_of = |volume: Value| json!({ "spec": { "volumes": [volume], "containers": [{ "name": "claude", "volumeMounts": mount }] } });
    let clone = |source: &str| json!({ "name": "again", "ephemeral": { "volumeClaimTemplate": { "spec": { source: { "kind": "PersistentVolumeClaim", "name": "paperclip-data" }, "accessModes": ["ReadWriteOnce"], "resources": { "requests": { "storage": "1Gi" } } } } } });
    let sidecar =
        json!([{ "name": "helper", "image": "x", "volumeMounts": [{ "name": "data", "mountPath": "/all" }] }]);
    let job = |least: &str, template: &Value| {
        let scenario = volume().host_env(LEAST, least).config(json!({ "isolation": "agent", "podTemplate": template }));
        scenario.resolve()
    };
    for template in [
        volume_of(json!({ "name": "again", "persistentVolumeClaim": { "claimName": "paperclip-data" } })),
        volume_of(clone("dataSource")),
        volume_of(clone("dataSourceRef")),
        json!({ "spec": { "containers": sidecar } }),
        json!({ "spec": { "initContainers": sidecar } }),
    ] {
        let refusal = job("server", &template).map(drop).unwrap_err();
        assert!(refusal.message.contains("podTemplate: mounts the server's claim beside"), "{}", refusal.message);
        assert!(refusal.message.contains(LEAST));
        assert!(job("none", &template).is_ok(), "{template}");
    }
    let other = volume_of(json!({ "name": "again", "persistentVolumeClaim": { "claimName": "tools" } }));
    assert!(job("agent", &other).is_ok());
}
