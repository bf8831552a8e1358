//! A host process that dies leaves Jobs; the next one picks them up, and nothing outlives a Job.

use claude_k8s_testkit::{Fault, FaultAction, Launch, RequestMatch};
use serde_json::json;
use tokio::time::sleep;

use super::claude::{COST, Ends, INPUT_TOKENS, SESSION, begins, result, says};
use super::world::{NAMESPACE, World, assert_success, code, minutes, name, seconds};

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
    let k8s = &outcome.result_json["k8s"];
    assert_eq!(k8s["job"], "ac-agent-1-run-2-0c0052");
    let adopted = ["runId", "outcome", "costUsd"].map(|member| k8s["adoptedRun"][member].clone());
    assert_eq!(adopted, [json!("run-1"), json!("success"), json!(COST)]);
    let prompts: Vec<_> = call.heard.metas().iter().map(|meta| meta["prompt"].clone()).collect();
    assert_eq!(prompts, ["", "more of run-2"], "the own prompt, in the session the orphan ended with");
    assert_eq!(call.heard.dispatches(), 1);
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
    assert!(world.knobs().objects("secrets", NAMESPACE).is_empty(), "payloads go also with retained Jobs");
}

/// The requests of a launch take different times in every round, so those of two processes interleave differently.
fn stagger(world: &World, round: u64) {
    for (verb, resource, ms) in [("list", "jobs", 7), ("list", "pods", 3), ("patch", "jobs", 11)] {
        let action = FaultAction::Delay { ms: 1 + round * ms % 13 };
        let skip = u32::try_from(round % 3).unwrap();
        world.fault(Fault::new(RequestMatch::of(verb, resource), action).after(skip).times(2));
    }
}

#[tokio::test(start_paused = true)]
async fn grd_05_of_two_processes_that_find_an_orphan_at_once_one_adopts_it() {
    let mut contested = 0;
    for round in 0_u64..40 {
        let world = World::choosing(|launch| {
            if resumes(launch) { begins().ends() } else { begins().wait(seconds(60)).print(says("first")).ends() }
        });
        world.process().call("run-1").killed_after(async { drop(world.running().await) }).await;
        stagger(&world, round);
        let [one, two] = world.living_processes();
        let calls = [one.call("run-2"), two.call("run-3")];
        let late = async {
            sleep(std::time::Duration::from_millis(round % 10)).await;
            calls[1].run().await
        };
        let (first, second) = tokio::join!(calls[0].run(), late);
        let mut codes = [code(&first), code(&second)];
        codes.sort_unstable();
        assert_eq!(codes, ["", "k8s_concurrent_run_blocked"], "round {round}: {first:?} {second:?}");
        let heard: usize = calls.iter().map(|call| call.heard.status_with("Reattached to Job").len()).sum();
        assert_eq!(heard, 1, "round {round}");
        assert_eq!(world.knobs().launches().len(), 2, "the orphan and the adopter's own, round {round}");
        let lost = calls.iter().any(|call| !call.heard.status_with("about to be adopted").is_empty());
        contested += usize::from(lost);
        assert!(world.remains().await.is_empty(), "round {round}");
    }
    assert!(contested >= 5, "rounds in which both tried to adopt: {contested}");
}

#[tokio::test(start_paused = true)]
async fn grd_06_of_two_processes_that_find_a_finished_orphan_at_once_one_delivers_it() {
    for round in 0_u64..40 {
        let world = World::choosing(|launch| {
            if launch.job.contains("run-1") {
                begins().wait(seconds(5)).print(says("first")).ends()
            } else {
                begins().ends()
            }
        });
        world.process().call("run-1").killed_after(async { drop(world.running().await) }).await;
        world.knobs().wait_for("jobs", |job| job["status"]["succeeded"] == 1).await;
        sleep(seconds(5)).await;
        stagger(&world, round);
        let [one, two] = world.living_processes();
        let calls = [one.call("run-2"), two.call("run-3")];
        let (first, second) = tokio::join!(calls[0].run(), calls[1].run());
        let delivered: usize =
            calls.iter().map(|call| call.heard.lines().iter().filter(|line| **line == says("first")).count()).sum();
        assert_eq!(delivered, 1, "round {round}: {first:?} {second:?}");
        assert!(world.remains().await.is_empty(), "round {round}");
    }
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
