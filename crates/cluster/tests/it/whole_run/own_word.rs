//! The container says its own end: what a run settles on at once, and what the next one waits for.

use std::time::Duration;

use claude_k8s_core::log::end_line;
use claude_k8s_testkit::{Hold, HoldKind, Launch, Script};
use tokio::time::{Instant, sleep};

use super::claude::{Ends, SESSION, begins, result, says};
use super::requests::slow;
use super::world::{NAMESPACE, World, assert_success, code, container, seconds};

/// How long the kubelet takes to tell the end of a container.
const KUBELET: Duration = Duration::from_millis(900);
/// What the next run may lose by it.
const NEXT_RUN: Duration = Duration::from_millis(1500);

/// The end of the script of a container. It says its end, and for the cluster it runs on for a while.
fn says_its_end(script: Script, exit_code: i32, posted_after: Duration) -> Script {
    let said = script.print("").print(end_line(&exit_code.to_string()));
    // The process is over by then, so a signal finds nobody.
    said.wait(posted_after).exit(exit_code).ignores_term()
}

fn succeeds() -> Script {
    says_its_end(begins().wait(seconds(10)).print(result("done")), 0, KUBELET)
}

fn running_pods(world: &World) -> usize {
    let pods = world.knobs().objects("pods", NAMESPACE);
    pods.iter().filter(|pod| container(pod)["running"].is_object()).count()
}

/// Never two containers of the agent at once (GRD-03, GRD-04).
async fn never_two_at_once(world: &World) {
    loop {
        assert!(running_pods(world) <= 1);
        sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test(start_paused = true)]
async fn end_10_a_success_settles_on_the_end_line_while_the_kubelet_still_says_running() {
    for retain in [false, true] {
        let world = World::new(succeeds());
        let call = world.call().with("retainJobs", retain);
        let outcome = call.run().await;
        assert_success(&outcome, &call.heard);
        assert_eq!(running_pods(&world), 1, "the kubelet has not told the end");
        let k8s = &outcome.result_json["k8s"];
        assert_eq!(
            (&k8s["exitCode"], k8s["startedAt"].is_string(), k8s["finishedAt"].is_string()),
            (&0.into(), true, true)
        );
        assert_eq!(world.remains().await.is_empty(), !retain);
    }
}

#[tokio::test(start_paused = true)]
async fn grd_04_a_run_that_follows_at_once_waits_for_the_old_pod_and_is_neither_refused_nor_slow() {
    for (retain, same_process) in [(false, true), (true, true), (false, false), (true, false)] {
        let world = World::new(succeeds());
        let process = world.process();
        let other = if same_process { process.clone() } else { world.process() };
        let alone = {
            let started = Instant::now();
            let call = process.call("run-1").with("retainJobs", retain);
            assert_success(&call.run().await, &call.heard);
            started.elapsed()
        };
        assert_eq!(running_pods(&world), 1);
        let started = Instant::now();
        let next = other.call("run-2").with("retainJobs", retain);
        let outcome = tokio::select! {
            outcome = next.run() => outcome,
            () = never_two_at_once(&world) => unreachable!(),
        };
        assert_success(&outcome, &next.heard);
        let lost = started.elapsed().saturating_sub(alone);
        assert!(lost > Duration::from_millis(500) && lost < NEXT_RUN, "{retain} {same_process}: {lost:?}");
        assert_eq!(world.knobs().launches().len(), 2, "{retain} {same_process}");
        assert!(next.heard.status_with("waiting for the pods").is_empty(), "{:#?}", next.heard.status());
    }
}

#[tokio::test(start_paused = true)]
async fn grd_06_a_run_that_follows_at_once_is_not_refused_for_a_slow_clean_up_nor_for_a_list_from_before_it() {
    let clean_up = Duration::from_millis(300);
    for (retain, list) in [(false, 1), (true, 1), (false, 600), (true, 600)] {
        let world = World::new(succeeds());
        let process = world.process();
        world.goes_wrong("delete", 0, slow(clean_up));
        let first = process.call("run-1").with("retainJobs", retain);
        let released = async {
            world.running().await;
            if retain {
                world.goes_wrong("patch jobs", 1, slow(clean_up));
            }
        };
        let (result, ()) = tokio::join!(first.run(), released);
        assert_success(&result, &first.heard);
        let started = Instant::now();
        world.goes_wrong("list pods", 1, slow(Duration::from_millis(list)));
        let next = process.call("run-2").with("retainJobs", retain).of_task("another");
        let outcome = tokio::select! {
            outcome = next.run() => outcome,
            () = never_two_at_once(&world) => unreachable!(),
        };
        assert_success(&outcome, &next.heard);
        assert!(started.elapsed() < seconds(10) + NEXT_RUN, "{retain} {list}: {:?}", started.elapsed());
        assert_eq!(world.knobs().launches().len(), 2, "{retain} {list}");
    }
}

#[tokio::test(start_paused = true)]
async fn end_01_a_failure_waits_for_what_the_cluster_says_about_it() {
    let world = World::new(says_its_end(begins(), 3, KUBELET));
    let call = world.call();
    let outcome = call.run().await;
    assert_eq!((code(&outcome), outcome.exit_code), ("claude_truncated", Some(3)));
    assert_eq!(outcome.result_json["k8s"]["reason"], "Error", "the kubelet's word");
    assert!(world.remains().await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn end_11_a_kubelet_that_never_tells_the_end_is_not_waited_for_for_ever() {
    let world = World::new(says_its_end(begins(), 3, seconds(3600)));
    let call = world.call();
    let started = Instant::now();
    let outcome = call.run().await;
    assert!(started.elapsed() < seconds(45), "{:?}", started.elapsed());
    assert_eq!((code(&outcome), outcome.exit_code), ("claude_truncated", Some(3)));
    let message = outcome.error_message.unwrap();
    assert!(message.contains("by its own word"), "{message}");
    assert!(world.remains().await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn grd_05_after_an_orphan_that_said_its_end_the_own_prompt_waits_for_its_pod() {
    let world = World::choosing(|launch: &Launch| {
        let resumes = launch.args.iter().chain(&launch.command).any(|argument| argument.contains(SESSION));
        if resumes {
            begins().ends()
        } else {
            says_its_end(begins().wait(seconds(60)).print(says("first")).print(result("done")), 0, KUBELET)
        }
    });
    world.process().call("run-1").killed_after(async { drop(world.running().await) }).await;
    let call = world.process().call("run-2");
    let outcome = tokio::select! {
        outcome = call.run() => outcome,
        () = never_two_at_once(&world) => unreachable!(),
    };
    assert_success(&outcome, &call.heard);
    assert_eq!(outcome.result_json["k8s"]["adoptedRun"]["outcome"], "success");
    assert_eq!(world.knobs().launches().len(), 2);
    assert!(world.remains().await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn end_15_a_kept_job_is_marked_before_its_condition_comes_and_never_adopted() {
    let world = World::new(succeeds());
    world.knobs().hold_with(Hold { kind: HoldKind::JobConditions, name: None, message: None });
    let process = world.process();
    for run in ["run-1", "run-2"] {
        let call = process.call(run).with("retainJobs", true);
        assert_success(&call.run().await, &call.heard);
        assert!(call.heard.status_with("Reattached").is_empty(), "{run}");
    }
    assert_eq!(world.knobs().launches().len(), 2);
}
