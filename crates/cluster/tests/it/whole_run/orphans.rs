//! A host process that dies leaves Jobs; the next one picks them up, and nothing outlives a Job.

use claude_k8s_testkit::Launch;
use tokio::time::sleep;

use super::claude::{COST, Ends, INPUT_TOKENS, SESSION, begins, result, says};
use super::world::{NAMESPACE, World, assert_success, minutes, name, seconds};

fn resumes(launch: &Launch) -> bool {
    launch.args.iter().chain(&launch.command).any(|argument| argument.contains(SESSION))
}

#[tokio::test(start_paused = true)]
async fn grd_05_the_next_run_follows_the_orphan_to_its_end_and_then_resumes_with_its_own_prompt() {
    let world = World::choosing(|launch| {
        if resumes(launch) {
            begins().print(says("second")).ends()
        } else {
            begins().wait(minutes(5)).print(says("first")).ends()
        }
    });
    let killed = world.process().call("run-1");
    killed
        .killed_after(async {
            world.running().await;
            sleep(minutes(1)).await;
        })
        .await;
    assert_eq!((killed.heard.lines().len(), world.deletes()), (2, 0), "GRD-12");
    let call = world.process().call("run-2");
    let outcome = call.run().await;
    assert_success(&outcome, &call.heard);
    let done = result("done");
    let (first, second) = ([says("first"), done.clone()], [says("second"), done]);
    let lines = call.heard.lines();
    assert_eq!((&lines[2..4], &lines[6..]), (&first[..], &second[..]), "{lines:#?}");
    assert_eq!(world.knobs().launches().iter().map(resumes).collect::<Vec<_>>(), [false, true]);
    assert_eq!(call.heard.status_with("Reattached to Job").len(), 1);
    assert_eq!(outcome.result_json["k8s"]["adoptedRun"]["runId"], "run-1");
    assert_eq!(outcome.cost_usd, Some(2.0 * COST));
    assert_eq!(outcome.usage.as_ref().map(|fields| fields.usage.input_tokens), Some(2 * INPUT_TOKENS));
    assert!(world.remains().await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn grd_06_an_orphan_that_finished_unobserved_yields_its_result_once() {
    let world = World::choosing(|launch| {
        if resumes(launch) {
            begins().print(says("second")).ends()
        } else {
            begins().wait(seconds(20)).print(says("first")).ends()
        }
    });
    world.process().call("run-1").killed_after(async { drop(world.running().await) }).await;
    world.knobs().wait_for("jobs", |job| job["status"]["succeeded"] == 1).await;
    sleep(seconds(5)).await;
    let (second, third) = (world.process().call("run-2").with("retainJobs", true), world.process().call("run-3"));
    let outcome = second.run().await;
    assert_success(&outcome, &second.heard);
    assert_eq!(second.heard.lines().iter().filter(|line| **line == says("first")).count(), 1);
    assert_eq!(outcome.cost_usd, Some(2.0 * COST));
    // The condition of the kept Job comes two seconds after its container's end.
    sleep(seconds(5)).await;
    let outcome = third.run().await;
    assert_success(&outcome, &third.heard);
    assert!(third.heard.status_with("Reattached").is_empty());
    assert!(!third.heard.lines().contains(&says("first")) || world.knobs().launches().len() == 3);
    assert_eq!(outcome.cost_usd, Some(COST));
}

#[tokio::test(start_paused = true)]
async fn prm_05_a_process_that_dies_at_any_step_of_a_launch_leaves_nothing_beyond_its_job() {
    let mut left_a_job = 0;
    for step in 0..20 {
        let world = World::new(begins().never_ends());
        let killed = world.process().call("run-1");
        // Between two requests of the launch, each in turn.
        world.fault(claude_k8s_testkit::Fault::new(
            claude_k8s_testkit::RequestMatch::any(),
            claude_k8s_testkit::FaultAction::Delay { ms: 10 },
        ));
        killed.killed_after(sleep(seconds(0) + std::time::Duration::from_millis(step * 7))).await;
        sleep(seconds(1)).await;
        for job in world.knobs().objects("jobs", NAMESPACE) {
            left_a_job += 1;
            assert!(world.knobs().delete_job(NAMESPACE, &name(&job)));
        }
        assert_eq!(world.remains().await, Vec::<String>::new(), "step {step}");
    }
    assert!(left_a_job >= 8, "{left_a_job}");
}
