//! The script in front of Claude Code, run by a real shell with a stand-in for the CLI.

use std::fs;
use std::process::Command;

use serde_json::{Value, json};

use crate::plan_scenario::{Scenario, typed};
use crate::script_pod::{Pod, stdout};

#[test]
fn log_15_the_cli_is_executed_without_a_pipe_and_writes_to_no_file() {
    for scenario in [Scenario::in_cluster(), Scenario::in_cluster().bundle().config(json!({ "enableRtk": true }))] {
        let launch = scenario.launch();
        let script = launch.script();
        assert!(script.contains("\nexec claude \"$@\" <"), "{script}");
        assert!(!script.contains('|') && !script.contains("tee"), "{script}");
    }
}

#[test]
fn prm_01_the_cli_gets_the_prompt_byte_by_byte_in_its_directory_and_keeps_its_exit_code() {
    let prompt = "a\\c %s $(HOME) `x` 'q' \"d\" $$ \n\n";
    let scenario = Scenario::in_cluster().request(json!({
        "prompts": { "fresh": { "text": prompt } },
        "context": { "paperclipWorkspace": { "cwd": "/paperclip/it's $HOME" } },
    }));
    let launch = scenario.launch();
    let pod = Pod::new(&launch);
    let output = pod.run(&["bash"]);
    assert_eq!(output.status.code(), Some(7));
    let text = stdout(&output);
    assert!(text.contains(&format!("stdin:{prompt}\n[paperclip]")), "{text}");
    assert!(text.contains("/paperclip/it's $HOME\n"), "{text}");
    assert!(text.starts_with("args:--print --output-format stream-json"), "{text}");
    assert_eq!(output.stderr, b"", "nothing between the lines of the CLI");
    assert!(pod.path("opt/paperclip/scratch/tmp").is_dir());
}

#[test]
fn where_the_file_for_it_cannot_be_written_stderr_stays_in_the_container_log() {
    let launch = Scenario::in_cluster().launch();
    let pod = Pod::new(&launch);
    fs::create_dir_all(pod.path("opt/paperclip/scratch/stderr")).unwrap();
    let output = pod.run(&["zsh"]);
    assert_eq!(String::from_utf8_lossy(&output.stderr), "noise\n");
    assert!(stdout(&output).starts_with("args:"), "{}", stdout(&output));
}

#[test]
fn an_image_without_shell_or_node_says_so_and_runs() {
    let launch = Scenario::in_cluster().config(json!({ "enableRtk": true })).launch();
    let output = Pod::new(&launch).run(&[]);
    let text = stdout(&output);
    assert!(text.starts_with("[paperclip] Warning: the image has neither bash nor zsh"), "{text}");
    assert!(text.contains("\n[paperclip] Output filtering disabled: the image has no `node`\nargs:"), "{text}");
    assert!(stdout(&Pod::new(&launch).run(&["bash", "node"])).starts_with("args:"));
}

#[test]
fn a_prompt_in_parts_is_read_as_one_file() {
    let text = "0123456789".repeat(100_000);
    let launch = Scenario::in_cluster().request(json!({ "prompts": { "fresh": { "text": text } } })).launch();
    let output = Pod::new(&launch).run(&["bash"]);
    assert!(stdout(&output).contains(&format!("stdin:{text}\n[paperclip]")));
}

#[test]
fn the_pinned_environment_names_where_credentials_go() {
    let env = json!({ "env": { "HTTPS_PROXY": "http://proxy:1" } });
    let launch = Scenario::in_cluster().config(env).launch();
    let expected = json!({ "env": {
        "HTTPS_PROXY": "http://proxy:1",
        "PAPERCLIP_API_URL": "http://paperclip.paperclip.svc:3100",
        "ANTHROPIC_BASE_URL": "https://api.anthropic.com",
    }});
    assert_eq!(launch.json_file("settings.json"), expected);

    let bedrock = Scenario::in_cluster().config(json!({ "env": { "CLAUDE_CODE_USE_BEDROCK": "1" } })).launch();
    assert_eq!(bedrock.json_file("settings.json")["env"].get("ANTHROPIC_BASE_URL"), None);
    let gateway =
        Scenario::in_cluster().own_env(&json!([{ "name": "ANTHROPIC_BASE_URL", "value": "http://gw" }])).launch();
    assert_eq!(gateway.json_file("settings.json")["env"]["ANTHROPIC_BASE_URL"], "http://gw");
}

#[test]
fn values_that_only_the_pod_knows_are_pinned_by_the_script() {
    let scenario = Scenario::in_cluster()
        .everything()
        .own_at("/spec/containers/0/envFrom", json!([{ "secretRef": { "name": "host-env" } }]))
        .config(json!({ "enableRtk": true, "env": { "NO_PROXY": "local" } }));
    let launch = scenario.launch();
    assert!(launch.attempt.args.join(" ").contains("--settings /opt/paperclip/scratch/settings.json"));
    let settings = |pod: &Pod<'_>| -> Value {
        serde_json::from_slice(&fs::read(pod.path("opt/paperclip/scratch/settings.json")).unwrap()).unwrap()
    };

    let gateway =
        Pod::new(&launch).env("ANTHROPIC_BASE_URL", "https://gw.example/v1?a=b").env("HTTP_PROXY", "say \"hi\"");
    let output = gateway.run(&["bash", "node"]);
    let written = settings(&gateway);
    assert_eq!(written["env"]["ANTHROPIC_BASE_URL"], "https://gw.example/v1?a=b");
    assert_eq!(written["env"]["NO_PROXY"], "local");
    assert_eq!(written["env"].get("HTTP_PROXY"), None, "needs escapes");
    assert!(stdout(&output).contains("Warning: a project's settings may override HTTP_PROXY"), "{}", stdout(&output));
    assert_eq!(written["hooks"]["PostToolUse"][0]["matcher"], "*");

    let public = Pod::new(&launch);
    public.run(&["bash", "node"]);
    assert_eq!(settings(&public)["env"]["ANTHROPIC_BASE_URL"], "https://api.anthropic.com");

    let bedrock = Pod::new(&launch).env("CLAUDE_CODE_USE_BEDROCK", "1");
    bedrock.run(&["bash", "node"]);
    assert_eq!(settings(&bedrock)["env"].get("ANTHROPIC_BASE_URL"), None);
    assert_eq!(settings(&bedrock)["env"]["CLAUDE_CODE_USE_BEDROCK"], "1");
}

#[test]
fn the_output_hook_is_guarded_against_an_image_without_node() {
    let launch = Scenario::in_cluster().config(json!({ "enableRtk": true, "rtkMaxOutputBytes": 4096 })).launch();
    let hook = &launch.json_file("settings.json")["hooks"]["PostToolUse"][0]["hooks"][0]["command"];
    assert_eq!(hook, "if command -v node >/dev/null 2>&1; then node /opt/paperclip/run/rtk.cjs 4096; fi");
    assert!(launch.files().contains_key("rtk.cjs"));
    let off = Scenario::in_cluster().launch();
    assert!(off.json_file("settings.json").get("hooks").is_none() && !off.files().contains_key("rtk.cjs"));
}

#[test]
fn staged_values_reach_the_cli_through_files_with_their_last_newlines() {
    let scenario =
        Scenario::in_cluster().staged().config(json!({ "env": { "MINE": "two\nlines\n\n", "with.dot": "x" } }));
    let spec = scenario.spec();
    let attempt = spec.first_attempt();
    let (directory, files) = spec.staging(&attempt).unwrap();
    assert_eq!(directory.directory(), format!("/paperclip/.paperclip-claude-k8s/runs/{}", attempt.job_name));
    assert_eq!(spec.payload(&attempt, "uid"), []);
    assert_eq!(spec.run_as_user(), 1000);
    assert!(spec.warnings().iter().any(|text| text.contains("`with.dot`")), "{:?}", spec.warnings());
    let paths: Vec<&str> = files.iter().map(|file| file.path.as_str()).collect();
    assert_eq!(paths, ["prompt/000", "settings.json", "env/PAPERCLIP_API_KEY", "env/MINE", "env/with.dot"]);

    let job = typed(&spec.job(&attempt, true).unwrap());
    let container = job.spec.unwrap().template.spec.unwrap().containers.remove(0);
    assert!(!container.env.unwrap().iter().any(|entry| entry.value_from.is_some()));
    // The kubelet turns `$$(` back into `$(`.
    let script = container.command.unwrap()[2].replace("$$(", "$(");
    let root = tempfile::tempdir().unwrap();
    for file in &files {
        let path = root.path().join(&file.path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, &file.bytes).unwrap();
    }
    let exports: String = script.split_inclusive('\n').filter(|line| line.contains("MINE")).collect();
    let exports = exports.replace("/opt/paperclip/run", &root.path().display().to_string());
    let shown = Command::new("/bin/sh").args(["-euc", &format!("{exports}printf '<%s>' \"$MINE\"")]).output().unwrap();
    assert_eq!(String::from_utf8_lossy(&shown.stdout), "<two\nlines\n\n>");
}
