use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::core::v1::Pod;
use serde_json::{Value, json};

use super::*;
use crate::log::{END_LINE_BEGIN, FIRST_LINE};

fn job(generation: i64, suspend: bool) -> JobFacts {
    let object = json!({ "metadata": { "name": "j", "uid": "j", "generation": generation }, "spec": { "suspend": suspend, "template": {} } });
    JobFacts::read(&serde_json::from_value::<Job>(object).unwrap())
}

fn pod(phase: &str, id: &str, state: &Value) -> PodFacts {
    let container = json!({ "name": "claude", "containerID": id, "image": "", "imageID": "", "ready": true, "restartCount": 0, "state": state });
    let object = json!({ "metadata": { "name": "p", "uid": "p" }, "status": { "phase": phase, "containerStatuses": [container] } });
    PodFacts::read(&serde_json::from_value::<Pod>(object).unwrap())
}

#[test]
fn end_14_a_read_that_was_overtaken_does_not_suspend_a_released_job() {
    assert!(!job(2, false).fold(job(1, true)).suspended);
    assert!(job(2, false).fold(job(3, true)).suspended);
    assert!(!job(1, true).fold(job(2, false)).suspended);
    assert_eq!(job(2, false).fold(job(1, true)).generation, 2);
}

#[test]
fn end_12_the_first_end_of_the_container_stays_with_its_id() {
    let end = |code: i32| json!({ "terminated": { "exitCode": code } });
    let folded = pod("Running", "a", &end(3)).fold(pod("Failed", "b", &end(137))).fold(pod(
        "Running",
        "c",
        &json!({ "running": {} }),
    ));
    assert_eq!((folded.terminated().unwrap().exit_code, folded.claude.id.as_deref()), (3, Some("a")));
    assert_eq!(folded.phase, PodPhase::Failed);
}

#[test]
fn fld_19_another_instance_of_the_container_is_noticed_and_stays_known() {
    let running = json!({ "running": {} });
    let again =
        |first: &str, second: &str| pod("Running", first, &running).fold(pod("Running", second, &running)).claude.again;
    assert_eq!(again("a", "a"), None);
    assert_eq!(again("", "a"), None, "the id came with the start");
    assert_eq!(again("a", ""), None);
    assert_eq!(again("a", "b").as_deref(), Some("container `claude` was started again (b after a)"));
    let back = pod("Running", "a", &running).fold(pod("Running", "b", &running)).fold(pod("Running", "a", &running));
    assert!(back.claude.again.is_some());
    let waiting = json!({ "waiting": { "reason": "ContainerCreating" } });
    let prepared_twice = pod("Pending", "a", &waiting).fold(pod("Running", "b", &running));
    assert_eq!(prepared_twice.claude.again, None, "the first one never ran");
    let mut restarted = json!({ "name": "claude", "image": "", "imageID": "", "ready": true, "state": running });
    restarted["restartCount"] = 2.into();
    let object = json!({ "metadata": { "name": "p", "uid": "p" }, "status": { "containerStatuses": [restarted] } });
    let read = PodFacts::read(&serde_json::from_value::<Pod>(object).unwrap());
    assert_eq!(read.claude.again.as_deref(), Some("container `claude` was started again (restart 2)"));
}

#[test]
fn fld_19_a_container_that_the_kubelet_could_not_find_was_not_started_again() {
    let lost = json!({ "terminated": {
        "exitCode": 137, "finishedAt": null, "startedAt": null, "reason": "ContainerStatusUnknown",
        "message": "The container could not be located when the pod was terminated",
    } });
    let again = |restarts: i32, state: &Value, last: &Value| {
        let container = json!({
            "name": "claude", "image": "", "imageID": "", "ready": false,
            "restartCount": restarts, "state": state, "lastState": last,
        });
        let object = json!({ "metadata": { "name": "p", "uid": "p" }, "status": { "containerStatuses": [container] } });
        PodFacts::read(&serde_json::from_value::<Pod>(object).unwrap()).claude.again
    };
    let (none, waiting, running) = (json!({}), json!({ "waiting": {} }), json!({ "running": {} }));
    assert_eq!(again(1, &lost, &none), None, "as a busy node posts it for a pod that it evicts");
    assert_eq!(again(1, &waiting, &lost), None);
    assert!(again(1, &running, &lost).is_some(), "another one runs");
    assert!(again(2, &lost, &none).is_some(), "lost after it was started again");
    assert!(again(1, &json!({ "terminated": { "exitCode": 0, "reason": "Completed" } }), &none).is_some());
}

#[test]
fn pod_04_a_container_that_was_never_located_has_not_run() {
    let made_up = json!({ "terminated": { "exitCode": 137, "reason": "ContainerStatusUnknown" } });
    let waiting = pod("Pending", "", &json!({ "waiting": { "reason": "ImagePullBackOff" } }));
    let deleted = waiting.fold(pod("Failed", "", &made_up));
    assert!(!deleted.claude.started && deleted.terminated().is_some());
    let ran = pod("Running", "a", &json!({ "running": {} })).fold(pod("Failed", "a", &made_up));
    assert!(ran.claude.started, "a container that was seen running has run");
}

#[test]
fn end_13_only_complete_and_failed_mean_finished() {
    for (kind, finished, reason) in [
        ("Complete", true, None),
        ("Failed", true, Some("r")),
        ("FailureTarget", false, Some("r")),
        ("SuccessCriteriaMet", false, None),
        ("Suspended", false, None),
    ] {
        let condition = |status: &str| json!([{ "type": kind, "status": status, "reason": "r" }]);
        let read = |status: &str| {
            let object =
                json!({ "metadata": { "name": "j", "uid": "j" }, "status": { "conditions": condition(status) } });
            JobFacts::read(&serde_json::from_value::<Job>(object).unwrap())
        };
        assert_eq!((read("True").is_finished(), read("True").failure_reason()), (finished, reason), "{kind}");
        assert_eq!((read("False").is_finished(), read("False").failure_reason()), (false, None), "{kind}");
    }
}

#[test]
fn the_run_is_judged_by_the_container_claude_and_others_only_explain_a_failed_start() {
    let container = |name: &str, state: &Value| json!({ "name": name, "image": "", "imageID": "", "ready": false, "restartCount": 0, "state": state });
    let init = [
        container("done", &json!({ "terminated": { "exitCode": 0 } })),
        container("broken", &json!({ "terminated": { "exitCode": 2, "reason": "Error" } })),
        container("next", &json!({ "waiting": { "reason": "PodInitializing" } })),
    ];
    let others = [
        container("proxy", &json!({ "waiting": { "reason": "ErrImagePull", "message": "not found" } })),
        container("claude", &json!({ "waiting": { "reason": "PodInitializing" } })),
    ];
    let object = json!({ "metadata": { "name": "p", "uid": "p" }, "status": { "initContainerStatuses": init, "containerStatuses": others } });
    let facts = PodFacts::read(&serde_json::from_value::<Pod>(object).unwrap());
    assert_eq!(
        facts.other_failures,
        [("broken".into(), "exit code 2, reason Error".into()), ("proxy".into(), "ErrImagePull: not found".into())]
    );
    assert!(!facts.claude.started && !facts.is_over());
}

#[test]
fn log_06_a_pod_announces_the_start_and_the_end_of_its_log_if_its_command_prints_them() {
    for (container, command, announces) in [
        ("claude", format!("echo '{FIRST_LINE}'\nexec claude"), (true, false)),
        ("claude", format!("echo '{FIRST_LINE}'\nclaude\necho \"{END_LINE_BEGIN}$?)\""), (true, true)),
        ("claude", "exec claude".to_owned(), (false, false)),
        ("other", format!("echo '{FIRST_LINE}{END_LINE_BEGIN}'"), (false, false)),
    ] {
        let container = json!({ "name": container, "command": ["sh", "-c", command] });
        let object = json!({ "metadata": { "name": "p", "uid": "p" }, "spec": { "containers": [container] } });
        let facts = PodFacts::read(&serde_json::from_value::<Pod>(object).unwrap());
        assert_eq!((facts.announces_start, facts.announces_end), announces);
    }
}
