//! The call table. `docs/internals/calls.md` is printed from it.

use std::time::Duration;

use ErrorCode::{
    ApiUnreachable, ConcurrencyGuardUnreachable, ConcurrentRunBlocked, JobCreateFailed, JobDeletedExternally,
    PodReattachFailed, PromptSecretCreateFailed,
};

use super::End::{GoOn, Refuse, Warn};
use super::{Call, End, Pace, Reaction, Row};
use crate::api_failure::FailureKind;
use crate::failure::ErrorCode;

const K: Reaction = Reaction::Known;
const A: Reaction = Reaction::Again;
const L: Reaction = Reaction::Later(None);
/// In a minute: a quota frees up when another run ends, and so does an agent.
const M: Reaction = Reaction::Later(Some(60));
const F: Reaction = Reaction::Final;
const W: Reaction = Reaction::Without;
/// Deleted, or another object of the same name.
const D: Reaction = Reaction::FinalAs(JobDeletedExternally);

/// Whoever cannot be proven gone is at work.
const B: Reaction = Reaction::FinalAs(ConcurrentRunBlocked);

const ONCE: Pace = Pace::Once;
const MINUTE: Pace = lasting(60, 1_000, 30_000);
/// Somebody waits for the launch: a moment's failure costs a moment, and a lost answer is found by the next try.
const EAGER: Pace = lasting(60, 500, 10_000);
const STORE: Pace = lasting(60, 1_000, 1_000);
/// The garbage collector removes a Secret whose Job is gone well within this time.
const COLLECT: Pace = STORE;
/// A failure of some seconds is outlasted, whatever the jitter.
const TIDY: Pace = lasting(10, 1_000, 2_000);
/// The watches keep this pace themselves.
const FOLLOW: Pace = Pace::WhileNeeded { first: Duration::from_secs(1), longest: Duration::from_secs(30) };
/// A reader of the log waits for every line; `core::log` keeps this pace itself.
const LISTEN: Pace = Pace::WhileNeeded { first: Duration::from_millis(100), longest: Duration::from_secs(15) };
/// A pod that is to be stopped is stopped as soon as the server takes it.
const INSIST: Pace = Pace::WhileNeeded { first: Duration::from_secs(1), longest: Duration::from_secs(1) };

const fn lasting(seconds: u64, first_ms: u64, longest_ms: u64) -> Pace {
    let (first, longest) = (Duration::from_millis(first_ms), Duration::from_millis(longest_ms));
    Pace::For { lasts: Duration::from_secs(seconds), first, longest }
}

const fn row(
    call: Call,
    what: &'static str,
    pace: Pace,
    reactions: [Reaction; FailureKind::COUNT],
    end: End,
    note: &'static str,
) -> Row {
    Row { call, what, pace, reactions, end, note }
}

//   401 403 quota rejected | 404 404? exists conflict | 410 429 5xx unreadable network timeout
#[rustfmt::skip]
pub(super) static ROWS: [Row; 35] = [
    row(Call::Reach, "first access review", MINUTE,
        [F, W, W, W,  W, A, W, W,  A, A, A, A, A, A], Refuse(ApiUnreachable, None), "a missing permission shows where it is used"),
    row(Call::Review, "further access reviews", EAGER,
        [W, W, W, W,  W, A, W, W,  A, A, A, A, A, A], GoOn, "what is not known counts as granted; a 403 tells later"),
    row(Call::OwnPod, "get the host's own pod", EAGER,
        [A, W, A, A,  W, A, A, A,  A, A, A, A, A, A], Refuse(ApiUnreachable, None), "there is none of that name; the next name is tried"),
    row(Call::FindOwnPod, "list pods to find the host's own by its address", EAGER,
        [A, W, A, A,  A, A, A, A,  A, A, A, A, A, A], Refuse(ApiUnreachable, None), "there is none; a server that evidently runs in a pod warns, because nothing is inherited"),
    row(Call::ClaimInCommon, "get a claim that the server's pod uses and the Job mounts", EAGER,
        [W, W, W, W,  W, A, W, W,  A, A, A, A, A, A], GoOn, "a warning: whether a second node can mount it is not known"),
    row(Call::ListJobs, "list the agent's Jobs", EAGER,
        [L, F, L, L,  L, A, L, L,  A, A, A, A, A, A], Refuse(ConcurrencyGuardUnreachable, None), ""),
    row(Call::ListPods, "list the agent's pods", EAGER,
        [L, F, L, L,  L, A, L, L,  A, A, A, A, A, A], Refuse(ConcurrencyGuardUnreachable, None), ""),
    row(Call::ListHostPods, "list the host's pods", EAGER,
        [B, B, B, B,  B, A, B, B,  A, A, A, A, A, A], Refuse(ConcurrentRunBlocked, Some(60)), "the process that followed the Job counts as living, so its run is in the way"),
    row(Call::RemoveLeftover, "delete a Job that never started", EAGER,
        [B, B, B, B,  K, A, B, K,  A, A, A, A, A, A], Refuse(ConcurrentRunBlocked, Some(60)), "it is gone, as the lists after the creation have to confirm"),
    row(Call::CreateJob, "create the Job", EAGER,
        [F, F, M, F,  F, A, A, F,  A, A, A, A, A, A], Refuse(JobCreateFailed, None), ""),
    row(Call::ReadBack, "get the Job after a lost answer", ONCE,
        [W, W, W, W,  W, W, W, W,  W, W, W, W, W, W], GoOn, "the call whose answer was lost is made again"),
    row(Call::CreateSecret, "create a Secret", STORE,
        [F, F, F, F,  F, A, A, F,  A, A, A, A, A, A], Refuse(PromptSecretCreateFailed, None), ""),
    row(Call::ReplaceSecret, "create a Secret in place of a leftover", COLLECT,
        [F, F, F, F,  F, A, A, F,  A, A, A, A, A, A], Refuse(PromptSecretCreateFailed, None), ""),
    row(Call::Release, "patch the Job: release", EAGER,
        [F, W, F, F,  D, A, F, D,  A, A, A, A, A, A], Refuse(JobCreateFailed, None), "the Job is created again, unsuspended; a queue needs the patch (`k8s_rbac_insufficient`)"),
    row(Call::Adopt, "patch the Job: adopt", MINUTE,
        [M, W, M, M,  K, A, M, K,  A, A, A, A, A, A], Refuse(PodReattachFailed, Some(60)), "the Jobs are listed again; without the permission none is adopted"),
    row(Call::Withdraw, "delete the Job of a failed launch", TIDY,
        [F, F, F, F,  K, A, F, K,  A, A, A, A, A, A], Warn, "it is gone"),
    row(Call::FindUncertain, "get the Job of a failed launch", TIDY,
        [F, F, F, F,  K, A, F, F,  A, A, A, A, A, A], Warn, "it was never created"),
    row(Call::FindStaged, "get the Job of a staged payload", ONCE,
        [W, W, W, W,  K, W, W, W,  W, W, W, W, W, W], GoOn, "the payload of a Job that is gone is removed, any other stays"),
    row(Call::WatchJobs, "watch Jobs", FOLLOW,
        [A, W, A, A,  A, A, A, A,  A, A, A, A, A, A], GoOn, "one list every 2 s"),
    row(Call::WatchPods, "watch pods", FOLLOW,
        [A, W, A, A,  A, A, A, A,  A, A, A, A, A, A], GoOn, "one list every 2 s"),
    row(Call::Log, "the container's log", LISTEN,
        [A, A, A, A,  A, A, A, A,  A, A, A, A, A, A], GoOn, "what could not be read is reported as a gap"),
    row(Call::Events, "list events", ONCE,
        [W, W, W, W,  W, W, W, W,  W, W, W, W, W, W], GoOn, "a start is explained without them"),
    row(Call::ProveJob, "get the Job, to prove that it is gone", ONCE,
        [W, W, W, W,  K, W, W, W,  W, W, W, W, W, W], GoOn, "gone if it is told twice; everything else proves nothing"),
    row(Call::ProvePod, "get the pod, to prove that it is gone", ONCE,
        [W, W, W, W,  K, W, W, W,  W, W, W, W, W, W], GoOn, "gone if it is told twice; everything else proves nothing"),
    row(Call::Look, "get Job and pod before a verdict about what was not seen", TIDY,
        [A, W, W, W,  K, A, W, W,  A, A, A, A, A, A], GoOn, "absent, as far as a watch could say it; without an answer the verdict is that of what was seen"),
    row(Call::StopJob, "delete the Job to stop it", INSIST,
        [A, W, A, A,  K, A, A, K,  A, A, A, A, A, A], GoOn, "it is gone; without the permission it is suspended instead"),
    row(Call::Suspend, "patch the Job: suspend", TIDY,
        [F, F, F, F,  K, A, F, K,  A, A, A, A, A, A], Warn, "it is gone"),
    row(Call::EndPod, "patch the pod of a Job that stays: its deadline, which ends it", TIDY,
        [F, W, F, F,  K, A, F, K,  A, A, A, A, A, A], GoOn, "it is gone; otherwise the deadline of the Job ends it, and its log goes"),
    row(Call::EndJob, "patch a Job that stays: its deadline, which ends its pod", TIDY,
        [F, F, F, F,  K, A, F, K,  A, A, A, A, A, A], Warn, "it is gone; a pod that has to end is ended by deleting the Job"),
    row(Call::CleanUpJob, "delete the Job after the verdict", TIDY,
        [F, W, F, F,  K, A, F, K,  A, A, A, A, A, A], Warn, "it is gone; without the permission it is marked and goes by its TTL"),
    row(Call::MarkDelivered, "patch a Job that stays: its result was returned", TIDY,
        [F, F, F, F,  K, A, F, K,  A, A, A, A, A, A], Warn, "there is nothing to mark"),
    row(Call::FindSecrets, "get an adopted Job, for its Secrets", TIDY,
        [F, F, F, F,  F, A, F, F,  A, A, A, A, A, A], Warn, ""),
    row(Call::DeleteSecret, "delete a Secret", TIDY,
        [F, F, F, F,  K, A, F, K,  A, A, A, A, A, A], Warn, "it is gone"),
    row(Call::Claim, "get the data claim (environment test)", ONCE,
        [W, W, W, W,  K, W, W, W,  W, W, W, W, W, W], GoOn, "a missing claim is an error of the test; everything else a warning"),
    row(Call::Check, "any other question of the environment test or of an operator", ONCE,
        [W, W, W, W,  W, W, W, W,  W, W, W, W, W, W], GoOn, "what was not answered is told"),
];
