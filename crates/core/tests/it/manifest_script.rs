//! The script in front of Claude Code, run by a real shell with a stand-in for the CLI.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::process::Command;

use claude_k8s_core::plan::HomeSettings;
use serde_json::{Value, json};

use crate::plan_scenario::{Launch, Scenario, typed};
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
fn tru_25_every_name_that_decides_where_a_credential_goes_is_pinned_and_the_absent_ones_are_empty() {
    const DECIDE: &[&str] = &[
        "ANTHROPIC_BEDROCK_BASE_URL",
        "ANTHROPIC_VERTEX_BASE_URL",
        "ANTHROPIC_FOUNDRY_BASE_URL",
        "ANTHROPIC_AWS_BASE_URL",
        "ANTHROPIC_CUSTOM_HEADERS",
        "ANTHROPIC_UNIX_SOCKET",
        "CLAUDE_CODE_USE_BEDROCK",
        "CLAUDE_CODE_USE_VERTEX",
        "CLAUDE_CODE_USE_FOUNDRY",
        "AWS_ENDPOINT_URL_BEDROCK_RUNTIME",
        "HTTP_PROXY",
        "http_proxy",
        "https_proxy",
        "ALL_PROXY",
        "all_proxy",
        "NO_PROXY",
        "no_proxy",
        "NODE_EXTRA_CA_CERTS",
        "NODE_TLS_REJECT_UNAUTHORIZED",
        "NODE_OPTIONS",
    ];
    let env = json!({ "env": { "HTTPS_PROXY": "http://proxy:1" } });
    let launch = Scenario::in_cluster().config(env).launch();
    let pinned = launch.json_file("settings.json")["env"].clone();
    assert_eq!(pinned["HTTPS_PROXY"], "http://proxy:1");
    assert_eq!(pinned["PAPERCLIP_API_URL"], "http://paperclip.paperclip.svc:3100");
    assert_eq!(pinned["ANTHROPIC_BASE_URL"], "https://api.anthropic.com");
    for name in DECIDE {
        assert_eq!(pinned[name], "", "{name}");
    }
    // An empty one makes OpenSSL trust nobody: the script puts the certificates of the image there.
    assert_eq!(pinned["SSL_CERT_FILE"], "/opt/paperclip/scratch/certificates");
    let own = Scenario::in_cluster().config(json!({ "env": { "SSL_CERT_FILE": "/own.pem" } })).launch();
    assert_eq!(own.json_file("settings.json")["env"]["SSL_CERT_FILE"], "/own.pem");
    assert!(!own.script().contains("certificates"));

    let bedrock = Scenario::in_cluster().config(json!({ "env": { "CLAUDE_CODE_USE_BEDROCK": "1" } })).launch();
    assert_eq!(bedrock.json_file("settings.json")["env"]["ANTHROPIC_BASE_URL"], "");
    let gateway =
        Scenario::in_cluster().own_env(&json!([{ "name": "ANTHROPIC_BASE_URL", "value": "http://gw" }])).launch();
    assert_eq!(gateway.json_file("settings.json")["env"]["ANTHROPIC_BASE_URL"], "http://gw");
}

#[test]
fn tru_25_files_of_aws_are_pinned_to_those_of_the_home_where_tools_look_for_them() {
    let pinned =
        |config: Value| Scenario::in_cluster().config(config).launch().json_file("settings.json")["env"].clone();
    let usual = pinned(json!({ "workspaceMountPath": "/work/" }));
    let home = usual_home(&usual, "AWS_CONFIG_FILE", "/.aws/config");
    assert_eq!(usual_home(&usual, "AWS_SHARED_CREDENTIALS_FILE", "/.aws/credentials"), home);
    assert_eq!(home, "/work");
    let own = pinned(json!({ "env": { "AWS_CONFIG_FILE": "/etc/aws" } }));
    assert_eq!(own["AWS_CONFIG_FILE"], "/etc/aws");
}

fn usual_home(pinned: &Value, name: &str, file: &str) -> String {
    pinned[name].as_str().and_then(|path| path.strip_suffix(file)).unwrap_or_default().to_owned()
}

#[test]
fn tru_25_values_that_only_the_pod_knows_are_pinned_by_the_script() {
    let scenario = Scenario::in_cluster()
        .everything()
        .own_at("/spec/containers/0/envFrom", json!([{ "secretRef": { "name": "host-env" } }]))
        .config(json!({ "enableRtk": true, "env": { "NO_PROXY": "local" } }));
    let launch = scenario.launch();
    assert!(launch.attempt.args.join(" ").contains("--settings /opt/paperclip/scratch/settings.json"));

    let gateway =
        Pod::new(&launch).env("ANTHROPIC_BASE_URL", "https://gw.example/v1?a=b").env("HTTP_PROXY", "say \"hi\"");
    let output = gateway.run(&["bash", "node"]);
    let written = joined(&gateway);
    assert_eq!(written["env"]["ANTHROPIC_BASE_URL"], "https://gw.example/v1?a=b");
    assert_eq!((&written["env"]["NO_PROXY"], &written["env"]["NODE_OPTIONS"]), (&"local".into(), &"".into()));
    assert_eq!(written["env"].get("HTTP_PROXY"), None, "needs escapes");
    assert!(stdout(&output).contains("Warning: a project's settings may override HTTP_PROXY"), "{}", stdout(&output));
    assert_eq!(written["hooks"]["PostToolUse"][0]["matcher"], "*");

    let public = Pod::new(&launch);
    public.run(&["bash", "node"]);
    assert_eq!(joined(&public)["env"]["ANTHROPIC_BASE_URL"], "https://api.anthropic.com");

    let bedrock = Pod::new(&launch).env("CLAUDE_CODE_USE_BEDROCK", "1");
    bedrock.run(&["bash", "node"]);
    assert_eq!(joined(&bedrock)["env"]["ANTHROPIC_BASE_URL"], "");
    assert_eq!(joined(&bedrock)["env"]["CLAUDE_CODE_USE_BEDROCK"], "1");
}

/// The settings file that the script put together.
fn joined(pod: &Pod<'_>) -> Value {
    serde_json::from_slice(&fs::read(pod.path("opt/paperclip/scratch/settings.json")).unwrap()).unwrap()
}

#[test]
fn tru_26_a_gateway_of_the_home_is_honoured_and_its_token_never_sent_elsewhere() {
    let file = br#"{"env":{"ANTHROPIC_BASE_URL":"https://gw.home","HTTPS_PROXY":"http://p:1","PATH":"/evil","API_TIMEOUT_MS":5}}"#;
    let seen = |home: HomeSettings| {
        let mut scenario = Scenario::in_cluster();
        scenario.surroundings.home = home;
        scenario
    };
    let home = seen(HomeSettings::read(file)).launch().json_file("settings.json")["env"].clone();
    assert_eq!((&home["ANTHROPIC_BASE_URL"], &home["HTTPS_PROXY"]), (&"https://gw.home".into(), &"http://p:1".into()));
    assert_eq!((home.get("PATH"), home.get("API_TIMEOUT_MS")), (None, None), "only what decides where requests go");

    let own = seen(HomeSettings::read(file)).config(json!({ "env": { "ANTHROPIC_BASE_URL": "https://mine" } }));
    assert_eq!(own.launch().json_file("settings.json")["env"]["ANTHROPIC_BASE_URL"], "https://mine");
    for nothing in [HomeSettings::none(), HomeSettings::read(b"{broken"), HomeSettings::read(b"[]")] {
        let pinned = seen(nothing).launch().json_file("settings.json")["env"].clone();
        assert_eq!(pinned["ANTHROPIC_BASE_URL"], "https://api.anthropic.com");
    }

    let unseen = seen(HomeSettings::Unseen).config(json!({ "env": {} }));
    assert_eq!(unseen.launch().json_file("settings.json")["env"].get("ANTHROPIC_BASE_URL"), None);
    assert!(unseen.spec().warnings().iter().any(|text| text.contains("`ANTHROPIC_BASE_URL` is left")));
    let credential = seen(HomeSettings::Unseen).config(json!({ "env": { "ANTHROPIC_API_KEY": "k" } })).launch();
    assert_eq!(credential.json_file("settings.json")["env"]["ANTHROPIC_BASE_URL"], "https://api.anthropic.com");
}

#[test]
fn tru_26_only_the_pod_knows_whether_the_run_brings_a_credential() {
    let mut scenario = Scenario::in_cluster()
        .own_at("/spec/containers/0/envFrom", json!([{ "secretRef": { "name": "host-env" } }]))
        .everything();
    scenario.surroundings.home = HomeSettings::Unseen;
    let launch = scenario.launch();
    let without = Pod::new(&launch);
    let output = without.run(&["bash"]);
    assert!(stdout(&output).contains("the run brings no model credential"), "{output:?}\n{}", launch.script());
    assert_eq!(joined(&without)["env"].get("ANTHROPIC_BASE_URL"), None);
    let with = Pod::new(&launch).env("CLAUDE_CODE_OAUTH_TOKEN", "t");
    with.run(&["bash"]);
    assert_eq!(joined(&with)["env"]["ANTHROPIC_BASE_URL"], "https://api.anthropic.com");
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

/// The shells of usual images, as far as this machine has them.
fn shells() -> Vec<&'static [&'static str]> {
    let all: [&[&str]; 4] = [&["/bin/sh"], &["/bin/dash"], &["/bin/bash", "--posix"], &["/bin/busybox", "sh"]];
    let starts = |shell: &&&[&str]| Command::new(shell[0]).args(&shell[1..]).args(["-c", "true"]).output().is_ok();
    all.iter().filter(starts).copied().collect()
}

#[test]
fn fld_23_a_home_or_run_directory_that_cannot_be_written_ends_the_run_before_the_cli() {
    let launch = Scenario::in_cluster().launch();
    for shell in shells() {
        let pod = Pod::new(&launch);
        // A file in place of a directory cannot be written into, whoever runs the test.
        pod.write("home", b"");
        let home = pod.path("home").display().to_string();
        let mut command = pod.command(shell, "echo the CLI ran\n", &["wc", "tail", "ls", "id", "rm"]);
        let output = command.env("HOME", &home).output().unwrap();
        let text = stdout(&output);
        assert_eq!(output.status.code(), Some(1), "{shell:?}: {text}");
        assert!(text.contains(&format!("Directory {home} cannot be written (")), "{shell:?}: {text}");
        for named in ["Mode and owner: -rw", "The container runs as ", "`runAsUser`", "`runAsGroup`", "`fsGroup`"] {
            assert!(text.contains(named), "{shell:?}: {named} is missing: {text}");
        }
        assert!(!text.contains("the CLI ran"), "{text}");

        let pod = Pod::new(&launch);
        pod.write("paperclip", b"");
        let text = stdout(&pod.command(shell, "echo the CLI ran\n", &["wc", "tail", "ls", "id"]).output().unwrap());
        assert!(text.contains(" cannot be written (") && !text.contains("the CLI ran"), "{shell:?}: {text}");
    }
}

#[test]
fn fld_24_a_full_volume_is_named_as_such() {
    if !Path::new("/dev/full").exists() {
        return;
    }
    let launch = Scenario::in_cluster().launch();
    for shell in shells() {
        let pod = Pod::new(&launch);
        fs::create_dir_all(pod.path("home")).unwrap();
        // Every write to it fails with ENOSPC.
        symlink("/dev/full", pod.path(&probe(&launch))).unwrap();
        let mut command = pod.command(shell, "echo the CLI ran\n", &["wc", "tail", "rm"]);
        let output = command.env("HOME", pod.path("home")).output().unwrap();
        let text = stdout(&output);
        assert!(text.contains(" is full") && text.contains("free space on it"), "{shell:?}: {text}");
        assert!(output.status.code() == Some(1) && !text.contains("the CLI ran"), "{shell:?}: {text}");
    }
}

/// The file that a pod of this launch writes into its home for a moment.
fn probe(launch: &Launch) -> String {
    format!("home/.paperclip-probe-{}", launch.attempt.job_name)
}

#[test]
fn pods_that_share_a_home_do_not_disturb_each_other() {
    let launch = Scenario::in_cluster().launch();
    for shell in shells() {
        let pod = Pod::new(&launch);
        // Of another pod that was killed here, and of another user.
        pod.write("home/.paperclip-probe", b"");
        pod.write("home/.paperclip-probe-other", b"");
        let mut command = pod.command(shell, "echo the CLI ran\n", &[]);
        // What busybox says when somebody else was faster.
        pod.write("bin/rm", b"#!/bin/sh\necho \"rm: can't remove '$2': No such file or directory\" >&2\nexit 1\n");
        fs::set_permissions(pod.path("bin/rm"), fs::Permissions::from_mode(0o755)).unwrap();
        let output = command.env("HOME", pod.path("home")).output().unwrap();
        let text = stdout(&output);
        assert!(output.status.success() && text.contains("the CLI ran"), "{shell:?}: {text}");
    }
}

#[test]
fn tru_06_a_link_that_an_agent_planted_in_a_shared_home_is_not_written_through() {
    let launch = Scenario::in_cluster().launch();
    for shell in shells() {
        for planted in ["home/.paperclip-probe", &probe(&launch)] {
            let pod = Pod::new(&launch);
            pod.write("home/of-another-agent", b"notes");
            symlink("of-another-agent", pod.path(planted)).unwrap();
            let mut command = pod.command(shell, "echo the CLI ran\n", &["rm"]);
            command.env("HOME", pod.path("home")).output().unwrap();
            assert_eq!(fs::read(pod.path("home/of-another-agent")).unwrap(), b"notes", "{shell:?}: {planted}");
        }
    }
}

#[test]
fn a_home_that_can_be_written_is_left_as_it_was() {
    let launch = Scenario::in_cluster().launch();
    let pod = Pod::new(&launch);
    fs::create_dir_all(pod.path("home")).unwrap();
    let mut command = pod.command(&["/bin/sh"], "echo the CLI ran\n", &["rm"]);
    let output = command.env("HOME", pod.path("home")).output().unwrap();
    assert!(stdout(&output).contains("the CLI ran"));
    assert_eq!(fs::read_dir(pod.path("home")).unwrap().count(), 0);
}
