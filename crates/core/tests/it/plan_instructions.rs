//! Where the instructions of an agent may lie on the host.

use claude_k8s_core::failure::ErrorCode;
use serde_json::json;

use crate::plan_scenario::{AGENT, Scenario};

fn instructions(path: &str) -> Scenario {
    Scenario::in_cluster().config(json!({ "instructionsFilePath": path }))
}

#[test]
fn tru_05_instructions_of_this_agent_are_read_beneath_the_home() {
    for path in [
        "/paperclip/work/AGENTS.md".to_owned(),
        format!("/paperclip/instances/default/companies/acme/agents/{AGENT}/instructions/AGENTS.md"),
        format!("/paperclip/instances/default/workspaces/{AGENT}/AGENTS.md"),
        "/paperclip/instances/default/projects/acme/site/AGENTS.md".to_owned(),
    ] {
        assert!(instructions(&path).resolve().is_ok(), "{path}");
    }
}

#[test]
fn tru_05_files_of_the_server_of_other_agents_and_of_the_machine_are_refused_with_rule_key_and_way_out() {
    let rows = [
        ("/proc/self/environ", "neither beneath `PAPERCLIP_HOME` (`/paperclip`) nor"),
        ("/dev/zero", "neither beneath"),
        ("/var/run/secrets/kubernetes.io/serviceaccount/token", "neither beneath"),
        ("/paperclip-backup/AGENTS.md", "neither beneath"),
        ("/paperclip", "neither beneath"),
        ("/paperclip/instances/default/secrets/master.key", "lies in `instances/default/secrets`"),
        ("/paperclip/instances/default/companies/acme/agents/another/instructions/AGENTS.md", "another agent's"),
        ("/paperclip/instances/default/.env", "lies in `instances/default/.env`"),
        ("/paperclip/config.json", "lies in `config.json`"),
        ("/paperclip/work/../instances/default/secrets/master.key", "without `..`"),
    ];
    for (path, reason) in rows {
        let refusal = instructions(path).refusal();
        assert_eq!((refusal.code, refusal.reason), (ErrorCode::ConfigurationIncomplete, Some("k8s_config_invalid")));
        assert!(refusal.message.contains("instructionsFilePath: "), "{}", refusal.message);
        assert!(refusal.message.contains(reason), "{path}: {}", refusal.message);
        let names_way_out = refusal.message.contains("`PAPERCLIP_K8S_INSTRUCTIONS_DIRS`");
        assert!(names_way_out || path.contains(".."), "{}", refusal.message);
    }
}

#[test]
fn tru_05_the_operator_may_name_further_directories() {
    let named =
        |path: &str| instructions(path).host_env("PAPERCLIP_K8S_INSTRUCTIONS_DIRS", "/etc/agents:relative: /srv/x/");
    assert!(named("/etc/agents/ada/AGENTS.md").resolve().is_ok());
    assert!(named("/srv/x/AGENTS.md").resolve().is_ok());
    for path in ["/etc/agents-2/AGENTS.md", "/etc/agents/../shadow", "/relative/AGENTS.md"] {
        assert!(named(path).resolve().is_err(), "{path}");
    }
    // A tenant's own environment is not the server's.
    let own = json!({ "env": { "PAPERCLIP_K8S_INSTRUCTIONS_DIRS": "/" } });
    assert!(instructions("/etc/shadow").config(own).resolve().is_err());
}

#[test]
fn tru_05_the_directory_beside_them_follows_the_same_rule() {
    let root = json!({ "instructionsRootPath": "/paperclip/instances/default/secrets" });
    let refusal = instructions("/paperclip/work/AGENTS.md").config(root).refusal();
    assert!(refusal.message.contains("instructionsRootPath: "), "{}", refusal.message);
    let file = "/data/home/instances/default/secrets/master.key";
    let refusal = instructions("/paperclip/keys/k").host_env("PAPERCLIP_SECRETS_MASTER_KEY_FILE", "/paperclip/keys/k");
    assert!(refusal.resolve().is_err());
    assert!(instructions(file).host_env("PAPERCLIP_HOME", "/data/home").resolve().is_err());
}
