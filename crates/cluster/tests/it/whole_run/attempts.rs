//! A session that cannot be resumed costs one more attempt in the same run.

use claude_k8s_cluster::host::StopOrder;

use super::claude::{COST, INPUT_TOKENS, SESSION, full_context, init, starts, unknown_session, works};
use super::requests::fails;
use super::world::{World, assert_success, code, seconds};

const OLD_SESSION: &str = "99999999-2222-4333-8444-555555555555";

#[tokio::test(start_paused = true)]
async fn ses_03_an_unknown_session_costs_one_fresh_attempt_and_both_are_booked() {
    let world = World::choosing(|launch| {
        if launch.args.iter().any(|argument| argument.contains(OLD_SESSION)) {
            starts().print(init()).print(unknown_session(OLD_SESSION)).exit(1)
        } else {
            works(seconds(30))
        }
    });
    let call = world.call().resuming(OLD_SESSION);
    let outcome = call.run().await;
    assert_success(&outcome, &call.heard);
    assert_eq!(outcome.result_json["k8s"]["attempts"], 2);
    assert_eq!(outcome.cost_usd, Some(2.0 * COST), "{:#?} {:#?}", call.heard.status(), call.heard.lines());
    assert_eq!(outcome.usage.as_ref().map(|fields| fields.usage.input_tokens), Some(2 * INPUT_TOKENS));
    assert_eq!((call.heard.dispatches(), world.knobs().launches().len()), (1, 2));
    assert!(world.remains().await.is_empty());
}

/// Every attempt fails with a full context; the second one only if told so.
fn full(also_the_second: bool) -> World {
    World::choosing(move |launch| {
        if launch.job.ends_with("-r2") && !also_the_second {
            works(seconds(1))
        } else {
            starts().print(init()).print(full_context()).wait(seconds(1)).exit(1)
        }
    })
}

#[tokio::test(start_paused = true)]
async fn ses_03_a_full_session_costs_one_fresh_attempt_in_the_same_run() {
    let world = full(false);
    let call = world.call().resuming(SESSION);
    let result = call.run().await;
    assert_success(&result, &call.heard);
    assert_eq!(result.result_json["k8s"]["attempts"], 2);
    assert_eq!(result.cost_usd, Some(2.0 * COST), "both attempts are booked");
    assert_eq!(call.heard.dispatches(), 1, "HST-08");
    assert_eq!(call.heard.status_with("starting a fresh one").len(), 1);
    assert!(world.remains().await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn ses_03_a_second_attempt_that_fails_the_same_way_is_the_last() {
    let world = full(true);
    let result = world.call().resuming(SESSION).run().await;
    assert_eq!(code(&result), "claude_prompt_too_long");
    assert_eq!((result.cost_usd, result.clear_session), (Some(2.0 * COST), true));
    assert_eq!(world.count("create jobs"), 2);
}

#[tokio::test(start_paused = true)]
async fn ses_03_a_fresh_attempt_that_is_refused_leaves_the_first_ones_evidence() {
    let world = full(true);
    world.goes_wrong("create jobs/ac-agent-1-run-1-0ec508-r2", 1, fails(422));
    let call = world.call().resuming(SESSION);
    let result = call.run().await;
    assert_eq!(code(&result), "claude_prompt_too_long", "{:?}", result.error_message);
    assert_eq!((result.cost_usd, result.exit_code), (Some(COST), Some(1)));
    assert!(call.heard.stderr().contains("HTTP 422"));
}

#[tokio::test(start_paused = true)]
async fn a_cancel_between_two_attempts_keeps_what_the_first_one_spent() {
    let world = full(true);
    world.goes_wrong("create secrets/ac-agent-1-run-1-0ec508-r2-run", 0, fails(503));
    let call = world.call().resuming(SESSION);
    let (result, _) = call.stopped_after(StopOrder::Cancel, world.asked("create secrets/run-1-r2")).await;
    assert_eq!((code(&result), result.cost_usd), ("cancelled", Some(COST)));
    assert!(world.remains().await.is_empty());
}
