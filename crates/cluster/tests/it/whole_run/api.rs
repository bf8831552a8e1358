//! An API server that errs, forgets or is away decides nothing: the real state does.

use std::time::Duration;

use claude_k8s_testkit::{Fault, FaultAction, HoldKind, RequestMatch, Script};
use tokio::time::{Instant, sleep};

use super::claude::{Ends, begins, init, result, says};
use super::world::{NAMESPACE, World, assert_success, code, container, minutes, seconds};

#[tokio::test(start_paused = true)]
async fn end_02_one_500_on_a_status_read_is_no_end() {
    for (verb, resource) in [("list", "jobs"), ("list", "pods"), ("watch", "jobs"), ("watch", "pods")] {
        let world = World::new(begins().wait(minutes(5)).ends());
        let call = world.call();
        let failing = async {
            world.running().await;
            sleep(seconds(60)).await;
            let fault = Fault::new(RequestMatch::of(verb, resource), FaultAction::status(500)).times(1);
            let fault = world.knobs().fault(fault).unwrap();
            // Resuming is refused, so everything is read anew.
            world.knobs().expire_watches();
            sleep(seconds(200)).await;
            assert_eq!(world.knobs().fault_hits(fault), 1, "{verb} {resource}");
            assert_eq!(world.deletes(), 0, "{verb} {resource}");
        };
        let outcome = call.run_while(failing).await;
        assert_success(&outcome, &call.heard);
        assert_eq!(call.heard.lines(), [init(), says("hello"), result("done")]);
    }
}

#[tokio::test(start_paused = true)]
async fn end_07_a_410_with_a_deletion_in_between_is_noticed_with_proof() {
    for (whole_job, expected) in [(true, "k8s_job_deleted_externally"), (false, "claude_truncated")] {
        let world = World::new(begins().never_ends());
        let call = world.call();
        let started = Instant::now();
        let deleting = async {
            let pod = world.running().await;
            sleep(seconds(60)).await;
            world.knobs().freeze_watches(true);
            let job = world.job();
            if whole_job {
                assert!(world.knobs().delete_job(NAMESPACE, &job));
            } else {
                assert!(world.knobs().delete_pod(NAMESPACE, &pod, Some(0), None));
            }
            sleep(seconds(10)).await;
            world.knobs().expire_watches();
            world.knobs().freeze_watches(false);
        };
        let outcome = call.run_while(deleting).await;
        assert_eq!(code(&outcome), expected, "{:?}", outcome.error_message);
        assert!(started.elapsed() <= seconds(180), "{:?}", started.elapsed());
        assert_eq!(call.heard.lines(), [init(), says("hello")]);
    }
}

#[tokio::test(start_paused = true)]
async fn end_01_a_410_every_20_s_changes_nothing() {
    let world = World::new(begins().wait(minutes(20)).ends());
    let call = world.call();
    let expiring = async {
        world.running().await;
        for _ in 0..55 {
            sleep(seconds(20)).await;
            world.knobs().expire_watches();
        }
    };
    assert_success(&call.run_while(expiring).await, &call.heard);
    assert_eq!(call.heard.lines(), [init(), says("hello"), result("done")]);
}

#[tokio::test(start_paused = true)]
async fn end_10_the_end_of_the_container_settles_the_run_although_the_job_condition_never_comes() {
    for exit in [0, 3] {
        let end = if exit == 0 { begins().wait(minutes(3)).ends() } else { begins().wait(minutes(3)).exit(exit) };
        let world = World::new(end);
        world.knobs().hold(HoldKind::JobConditions);
        let call = world.call();
        let ending = async {
            world.knobs().wait_for("pods", |pod| container(pod)["terminated"].is_object()).await;
            Instant::now()
        };
        let ((outcome, at), ended) = tokio::join!(async { (call.run().await, Instant::now()) }, ending);
        assert!(at - ended <= Duration::from_millis(1_500), "{:?}", at - ended);
        assert_eq!(outcome.result_json["k8s"]["exitCode"], exit);
        assert_eq!(code(&outcome), if exit == 0 { "" } else { "claude_truncated" }, "{:?}", outcome.error_message);
    }
}

#[tokio::test(start_paused = true)]
async fn end_02_a_minute_without_an_api_server_is_survived() {
    for action in [FaultAction::Reset { after_write: false }, FaultAction::Html { code: 502, after_write: false }] {
        let world = World::new(begins().wait(seconds(90)).print(says("later")).wait(minutes(5)).ends());
        let call = world.call();
        let outage = async {
            world.running().await;
            sleep(seconds(60)).await;
            world.fault_everywhere(action.clone());
            world.knobs().end_watches();
            world.knobs().close_follows(true);
            sleep(seconds(60)).await;
            world.knobs().clear_faults();
        };
        assert_success(&call.run_while(outage).await, &call.heard);
        assert_eq!(call.heard.lines(), [init(), says("hello"), says("later"), result("done")], "{action:?}");
        assert!(world.remains().await.is_empty());
    }
}

#[tokio::test(start_paused = true)]
async fn end_02_after_an_hour_of_500s_the_real_state_decides() {
    let ends: [(Script, &str); 3] = [
        (begins().wait(minutes(100)).ends(), ""),
        (begins().wait(minutes(30)).ends(), ""),
        (begins().wait(minutes(30)).exit(3), "claude_truncated"),
    ];
    for (script, expected) in ends {
        let world = World::new(script);
        // The Job has to be there still when the API server is.
        let call = world.call().with("ttlSecondsAfterFinished", 7_200);
        let outage = async {
            world.running().await;
            sleep(seconds(60)).await;
            world.fault_everywhere(FaultAction::status(500));
            world.knobs().end_watches();
            world.knobs().close_follows(true);
            sleep(minutes(60)).await;
            assert_eq!(world.deletes(), 0, "no DELETE before the recovery");
            world.knobs().clear_faults();
        };
        let outcome = call.run_while(outage).await;
        assert_eq!(code(&outcome), expected, "{:?}", outcome.error_message);
        assert!(!call.heard.status_with("API server not reachable").is_empty());
        assert_eq!(call.heard.lines().len(), if expected.is_empty() { 3 } else { 2 });
        assert!(world.remains().await.is_empty());
    }
}
