//! Containers as local processes, in real time with short lags.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use crate::builders::{claim, secret};
use claude_k8s_testkit::{Lags, Simulator};
use serde_json::{Value, json};

use crate::setup::*;

const SCRIPT: &str = r#"
if [ -w /dev/termination-log ]; then exec 2>>/dev/termination-log; fi
set -eu
mkdir -p "$TMPDIR" /paperclip/work
cd /paperclip/work
exec claude "$@" < /opt/paperclip/run/prompt/000
"#;

fn program(directory: &Path, body: &str) {
    let path = directory.join("claude");
    std::fs::write(&path, format!("#!/bin/sh\n{body}")).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
}

/// A Job in the shape of the adapter's, and a simulator that runs it.
fn start(directory: &Path, body: &str) -> (Setup, crate::builders::ObjectBuilder) {
    program(directory, body);
    let simulator = Simulator::with_lags(Lags::default().divided_by(20)).process_image(IMAGE, directory);
    let setup = from(simulator);
    let knobs = setup.simulator.knobs();
    knobs.seed(claim("data").namespace(NAMESPACE).value());
    knobs.seed(secret("prompt", &[("p0", "the prompt")]).namespace(NAMESPACE).value());
    let job = job()
        .container("command", json!(["sh", "-c", SCRIPT, "paperclip-run"]))
        .container("args", json!(["--print", "a b", "$$(X)"]))
        .container("workingDir", "/paperclip")
        .container(
            "env",
            json!([
            {"name": "HOME", "value": "/paperclip"}, {"name": "TMPDIR", "value": "/opt/paperclip/scratch/tmp"}]),
        )
        .container(
            "volumeMounts",
            json!([
            {"name": "data", "mountPath": "/paperclip"},
            {"name": "run", "mountPath": "/opt/paperclip/run", "readOnly": true},
            {"name": "scratch", "mountPath": "/opt/paperclip/scratch"}]),
        )
        .pod_spec(
            "volumes",
            json!([
            {"name": "data", "persistentVolumeClaim": {"claimName": "data"}},
            {"name": "run", "projected": {"defaultMode": 0o444, "sources": [
                {"secret": {"name": "prompt", "items": [{"key": "p0", "path": "prompt/000"}]}}]}},
            {"name": "scratch", "emptyDir": {}}]),
        );
    (setup, job)
}

fn terminated(setup: &Setup, pod: &str) -> Value {
    let pod = setup.simulator.knobs().object("pods", NAMESPACE, pod).unwrap();
    pod["status"]["containerStatuses"][0]["state"]["terminated"].clone()
}

#[tokio::test]
async fn a_process_gets_prompt_arguments_volumes_and_termination_log() {
    let directory = tempfile::tempdir().unwrap();
    let body = r#"cat; printf '|%s' "$@"; echo; pwd; echo "$TMPDIR" "$HOSTNAME"; ls "$HOME"; echo oops >&2; exit 3"#;
    let (setup, job) = start(directory.path(), body);
    let pod = setup.start(job, "terminated").await;
    let log = String::from_utf8(setup.log(&pod, "").await.unwrap()).unwrap();
    let lines: Vec<_> = log.lines().collect();
    assert_eq!(lines[0], "the prompt|--print|a b|$(X)");
    assert!(lines[1].ends_with("/claims/agents/data/work"), "{log}");
    assert!(lines[2].ends_with(&format!("/volumes/scratch/tmp {pod}")), "{log}");
    assert_eq!(lines[3], "work");
    let end = terminated(&setup, &pod);
    assert_eq!((&end["exitCode"], &end["reason"], &end["message"]), (&json!(3), &json!("Error"), &json!("oops\n")));
    setup.job_with("Failed").await;
}

#[tokio::test]
async fn sigterm_reaches_the_process_and_a_deaf_one_is_killed_after_its_grace() {
    for (body, code) in [("trap 'exit 143' TERM; sleep 60 & wait", 143), ("trap '' TERM; sleep 60", 137)] {
        let directory = tempfile::tempdir().unwrap();
        let (setup, job) = start(directory.path(), body);
        let pod = setup.start(job.pod_spec("terminationGracePeriodSeconds", 1), "running").await;
        assert!(setup.simulator.knobs().delete_pod(NAMESPACE, &pod, None, None));
        let gone = setup.simulator.knobs();
        let last =
            gone.wait_for("pods", |pod| pod.pointer("/status/containerStatuses/0/state/terminated").is_some()).await;
        assert_eq!(last["status"]["containerStatuses"][0]["state"]["terminated"]["exitCode"], code, "{body}");
    }
}

#[tokio::test]
async fn a_missing_program_is_a_start_error_without_log() {
    let directory = tempfile::tempdir().unwrap();
    let (setup, job) = start(directory.path(), "true");
    let pod = setup.start(job.container("command", json!(["no-such-program"])), "terminated").await;
    let end = terminated(&setup, &pod);
    assert_eq!((&end["exitCode"], &end["reason"]), (&json!(128), &json!("StartError")));
    assert!(end["message"].as_str().unwrap().contains("executable file not found in $PATH"));
}

#[tokio::test]
async fn only_the_last_4096_bytes_of_the_termination_log_are_kept() {
    let directory = tempfile::tempdir().unwrap();
    let (setup, job) = start(directory.path(), "head -c 5000 /dev/zero | tr '\\0' x >&2; echo END >&2; exit 1");
    let pod = setup.start(job, "terminated").await;
    let message = terminated(&setup, &pod)["message"].as_str().unwrap().to_owned();
    assert_eq!(message.len(), 4096);
    assert!(message.ends_with("END\n"));
}

#[tokio::test]
async fn dropping_the_simulator_kills_everything_it_started() {
    let directory = tempfile::tempdir().unwrap();
    let pid_file = directory.path().join("pid");
    let body = format!("sleep 300 & echo $! > {}; wait", pid_file.display());
    let (setup, job) = start(directory.path(), &body);
    let pod = setup.start(job, "running").await;
    assert!(!pod.is_empty());
    while std::fs::read_to_string(&pid_file).unwrap_or_default().trim().is_empty() {
        tokio::time::sleep(milliseconds(10)).await;
    }
    let pid: i32 = std::fs::read_to_string(&pid_file).unwrap().trim().parse().unwrap();
    setup.simulator.shutdown().await;
    let status = format!("/proc/{pid}/stat");
    // The grandchild belongs to init now; a zombie counts as dead.
    let alive = || std::fs::read_to_string(&status).is_ok_and(|stat| !stat.contains(") Z "));
    while alive() {
        tokio::time::sleep(milliseconds(10)).await;
    }
}
