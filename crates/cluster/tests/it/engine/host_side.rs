//! What the host sees, and what it may do without harm.

use claude_k8s_cluster::host::{Notice, StopOrder};
use serde_json::{Value, json};
use tokio::time::Instant;

use super::host::Manner;
use super::scene::{Scene, TOKEN, code, seconds};

#[tokio::test(start_paused = true)]
async fn a_run_is_told_in_order_and_exactly_once() {
    let scene = Scene::new();
    scene.run().await;
    let order: Vec<&str> = scene
        .host
        .notices()
        .iter()
        .map(|notice| match notice {
            Notice::Meta { .. } => "meta",
            Notice::Event { .. } => "event",
            Notice::Progress { phase, .. } => phase,
            Notice::Dispatch => "dispatch",
            Notice::Launched { .. } => "launched",
        })
        .collect();
    assert_eq!(order, ["dispatch", "launched", "meta", "event", "event", "finalize", "event"]);
    assert_eq!(scene.host.events(), ["k8s.job.created", "k8s.pod.started", "k8s.job.finished"]);
}

#[tokio::test(start_paused = true)]
async fn hst_02_a_host_that_rejects_everything_changes_nothing() {
    let scene = Scene::new().manner(Manner::Rejects);
    let result = scene.run().await;
    assert_eq!((code(&result), result.exit_code), ("", Some(0)));
    assert_eq!(scene.host.stderr().matches("calls of `onLog` failed").count(), 1, "{}", scene.host.stderr());
    let warnings = result.result_json["k8s"]["warnings"].to_string();
    assert!(warnings.contains("calls of `onLog` failed"), "a rejected report is told in the result: {warnings}");
}

#[tokio::test(start_paused = true)]
async fn hst_05_a_host_that_never_answers_is_bounded_and_the_result_says_so() {
    for manner in [Manner::LogHangs, Manner::NoticesHang] {
        let scene = Scene::new().manner(manner);
        let started = Instant::now();
        let result = scene.run().await;
        assert_eq!(code(&result), "", "{manner:?}");
        assert!(started.elapsed() <= seconds(35), "{manner:?}: {:?}", started.elapsed());
        let warnings = result.result_json["k8s"]["warnings"].to_string();
        assert_eq!(warnings.contains("did not take"), manner == Manner::LogHangs, "{warnings}");
    }
}

#[tokio::test(start_paused = true)]
async fn hst_05_a_cancel_acts_while_the_host_takes_no_output() {
    let scene = Scene::new().manner(Manner::LogHangs);
    scene.runs_for(None);
    let (result, took) = scene.stopped_when(StopOrder::Cancel, |server| server.asked("log")).await;
    assert_eq!(code(&result), "cancelled");
    assert!(took <= seconds(25), "{took:?}");
}

#[tokio::test(start_paused = true)]
async fn hst_05_a_slow_host_that_keeps_taking_output_gets_all_of_it() {
    let scene = Scene::new().manner(Manner::Slow);
    let line = json!({ "type": "assistant", "text": "x".repeat(50_000) }).to_string();
    let text = (line + "\n").repeat(30) + &super::scene::success();
    scene.log(&text);
    let result = scene.run().await;
    assert_eq!(code(&result), "");
    assert!(scene.host.stdout().ends_with("\"total_cost_usd\":0.25}\n"), "the end is missing");
}

#[tokio::test(start_paused = true)]
async fn hst_10_a_panic_becomes_a_result_and_the_job_is_left_alone() {
    claude_k8s_cluster::keep_panic_text();
    let scene = Scene::new().manner(Manner::PanicsOnMeta);
    let result = scene.run().await;
    let _ = std::panic::take_hook();
    assert_eq!(code(&result), "internal_error");
    assert!(result.error_message.as_deref().unwrap().contains("a defect of the host's side"), "{result:?}");
    assert!(!scene.server.asked("delete"));
    assert_eq!(result.result_json.get("executionRecovery"), None, "nothing is claimed");
}

#[tokio::test(start_paused = true)]
async fn hst_10_a_panic_of_the_delivery_ends_neither_run_nor_process() {
    let scene = Scene::new().manner(Manner::PanicsOnLog);
    let result = scene.run().await;
    assert_eq!((code(&result), result.exit_code), ("", Some(0)));
}

#[tokio::test(start_paused = true)]
async fn debug_lines_name_states_requests_and_reconnects_and_come_only_when_asked_for() {
    let scene = Scene::new();
    scene.run().await;
    assert!(!scene.host.stderr().contains("debug:"));
    let scene = Scene::new().with("debug", json!(true));
    scene.run().await;
    let text = scene.host.stderr();
    for expected in ["state: running -> draining", "Creating Job", "Deleting Job", "0 reconnects, complete: true"] {
        assert!(text.contains(expected), "{expected} is missing: {text}");
    }
    assert!(text.lines().filter(|line| line.contains("debug:")).all(|line| line.starts_with("[paperclip] debug: +")));
}

#[tokio::test(start_paused = true)]
async fn prm_07_known_secrets_are_removed_from_output_notices_and_result() {
    let scene = Scene::new();
    let text = super::scene::success().replace("\"done\"", &json!(format!("done with {TOKEN}")).to_string());
    scene.log(&text.replace("hello", TOKEN));
    let result = scene.run().await;
    let everything = format!(
        "{} {} {} {:?}",
        serde_json::to_value(&result).unwrap_or(Value::Null),
        scene.host.stdout(),
        scene.host.stderr(),
        scene.host.notices()
    );
    assert!(everything.contains("done with ***REDACTED***"), "{everything}");
    assert!(!everything.contains(TOKEN), "{everything}");
}
