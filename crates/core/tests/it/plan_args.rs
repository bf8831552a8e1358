//! The CLI arguments.

use serde_json::json;

use crate::plan_scenario::{SESSION, Scenario};

#[test]
fn prm_08_instructions_are_passed_on_fresh_and_on_resumed_runs() {
    for scenario in [Scenario::out_of_cluster().bundle(), Scenario::out_of_cluster().bundle().with_session()] {
        let claim = scenario.config(json!({ "workspaceVolumeClaim": "c" }));
        let args = claim.spec().first_attempt().args;
        let file = args.iter().position(|arg| arg == "--append-system-prompt-file").unwrap();
        assert_eq!(args[file + 1], "/opt/paperclip/run/bundle/agent-instructions.md");
        assert_eq!(args.last().unwrap(), "/opt/paperclip/run/bundle");
    }
}

#[test]
fn prm_10_stdin_is_not_announced() {
    assert!(!Scenario::in_cluster().spec().first_attempt().args.contains(&"-".to_owned()));
}

#[test]
fn all_arguments_stand_in_their_documented_order() {
    let config = json!({
        "workspaceVolumeClaim": "c", "model": "opus", "effort": "high", "maxTurnsPerRun": 3, "strictMcpConfig": true,
        "mcpServers": { "files": { "command": "mcp-files" } }, "extraArgs": ["--max-budget-usd", "5"],
    });
    let args = Scenario::out_of_cluster().bundle().config(config).with_session().request(json!({
        "session": { "mcpServerIdentity": r#"[{"name":"files","connectionId":""}]"# }
    }));
    let expected = format!(
        "--print --output-format stream-json --verbose --resume {SESSION} --dangerously-skip-permissions --model opus \
         --effort high --max-turns 3 --append-system-prompt-file /opt/paperclip/run/bundle/agent-instructions.md \
         --mcp-config /opt/paperclip/run/mcp.json --strict-mcp-config --settings /opt/paperclip/run/settings.json \
         --add-dir /opt/paperclip/run/bundle --max-budget-usd 5"
    );
    assert_eq!(args.spec().first_attempt().args.join(" "), expected);
}

#[test]
fn the_shortest_command_line_has_only_what_is_always_there() {
    let args = Scenario::in_cluster().config(json!({ "dangerouslySkipPermissions": false, "strictMcpConfig": true }));
    let expected = "--print --output-format stream-json --verbose --settings /opt/paperclip/run/settings.json";
    assert_eq!(args.spec().first_attempt().args.join(" "), expected);
}

#[test]
fn a_model_that_bedrock_does_not_know_is_left_out_with_a_warning() {
    let rows = [
        ("opus", false),
        ("claude-opus-4-1", false),
        ("us.anthropic.claude-opus-4-1-v1:0", true),
        ("anthropic.claude-opus-4-1-v1:0", true),
        ("arn:aws:bedrock:eu-west-1:1:inference-profile/x", true),
    ];
    for (model, passed) in rows {
        let config = json!({ "model": model, "env": { "CLAUDE_CODE_USE_BEDROCK": "1" } });
        let spec = Scenario::in_cluster().config(config).spec();
        assert_eq!(spec.first_attempt().args.contains(&model.to_owned()), passed, "{model}");
        assert_eq!(spec.warnings().is_empty(), passed, "{model}");
        assert!(spec.session_facts(&spec.first_attempt()).billing.bedrock);
    }
}
