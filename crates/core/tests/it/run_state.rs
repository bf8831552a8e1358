//! Any sequence of facts, orders and times: what a run may never do.

use std::time::Duration;

use claude_k8s_core::log::EndLine;
use claude_k8s_core::outcome::LogSummary;
use claude_k8s_core::run::{Bounds, Command, DeleteReason, Heard, Input, Phase, Proof, ProofOf, RunState};
use claude_k8s_core::view::{
    ContainerState, Disruption, JobCondition, JobFacts, PodFacts, PodPhase, RunView, Terminated,
};
use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;

fn at(second: i64) -> Timestamp {
    Timestamp::UNIX_EPOCH + SignedDuration::from_secs(second)
}

fn container() -> impl Strategy<Value = (ContainerState, bool)> {
    let waiting = prop_oneof![
        Just("ContainerCreating"),
        Just("ImagePullBackOff"),
        Just("InvalidImageName"),
        Just("CreateContainerConfigError")
    ];
    prop_oneof![
        Just((ContainerState::NotReported, false)),
        waiting.prop_map(|reason| (ContainerState::Waiting { reason: reason.into(), message: String::new() }, false)),
        Just((ContainerState::Running { started_at: None }, true)),
        prop_oneof![Just(0), Just(1), Just(137), Just(143)].prop_map(|exit_code| (
            ContainerState::Terminated(Terminated { exit_code, ..Terminated::default() }),
            true
        )),
    ]
}

fn pod(uid: &'static str) -> BoxedStrategy<PodFacts> {
    let phase = prop_oneof![
        Just(PodPhase::Pending),
        Just(PodPhase::Running),
        Just(PodPhase::Succeeded),
        Just(PodPhase::Failed),
        Just(PodPhase::Unknown)
    ];
    let reason = prop_oneof![Just(None), Just(Some("DeadlineExceeded")), Just(Some("Evicted")), Just(Some("OutOfcpu"))];
    (phase, reason, container(), any::<[bool; 5]>())
        .prop_map(move |(phase, reason, (state, started), flags)| {
            let [node, deleting, disrupted, failure, absent] = flags;
            let mut pod = PodFacts { name: uid.into(), uid: uid.into(), phase, absent, ..PodFacts::default() };
            pod.reason = reason.map(str::to_owned);
            pod.node = node.then(|| "node".to_owned());
            pod.start_time = node.then(|| at(0));
            pod.deletion_timestamp = deleting.then(|| at(30));
            pod.disruption = disrupted.then(|| Disruption { reason: "Drain".into(), message: String::new() });
            pod.other_failures =
                failure.then(|| ("sidecar".to_owned(), "exit code 1".to_owned())).into_iter().collect();
            (pod.claude.state, pod.claude.started) = (state, started);
            pod
        })
        .boxed()
}

fn job() -> BoxedStrategy<JobFacts> {
    let condition = prop_oneof![
        Just(None),
        Just(Some(("FailureTarget", "DeadlineExceeded"))),
        Just(Some(("Failed", "BackoffLimitExceeded"))),
        Just(Some(("Complete", "")))
    ];
    (condition, any::<[bool; 3]>())
        .prop_map(|(condition, [suspended, absent, deleting])| JobFacts {
            name: "job".into(),
            uid: "job".into(),
            suspended,
            absent,
            deletion_timestamp: deleting.then(|| at(1)),
            conditions: condition
                .map(|(kind, reason)| JobCondition { kind: kind.into(), reason: reason.into(), message: String::new() })
                .into_iter()
                .collect(),
            ..JobFacts::default()
        })
        .boxed()
}

fn view() -> BoxedStrategy<RunView> {
    let pods = prop_oneof![
        1 => Just(vec![]),
        6 => pod("one").prop_map(|one| vec![one]),
        1 => (pod("one"), pod("two")).prop_map(|(one, two)| vec![one, two]),
    ];
    (proptest::option::weighted(0.9, job()), pods, proptest::option::weighted(0.2, Just(at(0))))
        .prop_map(|(job, pods, stale_since)| RunView { job, pods, stale_since })
        .boxed()
}

fn heard(until: i64) -> impl Strategy<Value = Heard> {
    let time = move || proptest::option::of((0..until).prop_map(at));
    (time(), time(), any::<bool>()).prop_map(|(last_output, result, is_deaf)| Heard { last_output, result, is_deaf })
}

fn input() -> BoxedStrategy<Input> {
    let of = prop_oneof![Just(ProofOf::Job), Just(ProofOf::Pod)];
    let proof = prop_oneof![Just(Proof::Gone), Just(Proof::OtherUid), Just(Proof::Present), Just(Proof::Unknown)];
    prop_oneof![
        8 => view().prop_map(Input::View),
        4 => heard(2000).prop_map(Input::Tick),
        1 => Just(Input::Events(vec!["FailedMount: x".into()])),
        1 => Just(Input::Deleted),
        3 => Just(Input::Looked),
        2 => (of, proof).prop_map(|(of, proof)| Input::Proven(of, proof)),
        2 => Just(Input::LogEnded(LogSummary::default())),
        1 => (prop_oneof![Just(0), Just(1), Just(143)], any::<[bool; 2]>()).prop_map(|(exit_code, [complete, good_result])| {
            Input::LogEnded(LogSummary { complete, good_result, end: Some(EndLine { exit_code }), ..LogSummary::default() })
        }),
        1 => Just(Input::Cancel),
        1 => Just(Input::LeaseLost),
    ]
    .boxed()
}

fn bounds() -> BoxedStrategy<Bounds> {
    let bound = || proptest::option::of((1..400u64).prop_map(Duration::from_secs));
    ([bound(), bound(), bound(), bound(), bound(), bound()], any::<[bool; 2]>())
        .prop_map(|([queue, schedule, startup, limit, exit_grace, silence], [queued, adopted])| Bounds {
            queue,
            schedule,
            startup,
            limit,
            exit_grace,
            silence,
            queued,
            adopted,
            in_use: None,
        })
        .boxed()
}

/// END-09: why a deletion may be commanded, seen from outside.
fn is_allowed(reason: DeleteReason, input: &Input, bounds: &Bounds, view: &RunView) -> bool {
    let in_sync = view.stale_since.is_none();
    match reason {
        DeleteReason::Cancelled => matches!(input, Input::Cancel),
        DeleteReason::PastDeadline => bounds.limit.is_some() && in_sync,
        DeleteReason::AfterResult => in_sync && (bounds.exit_grace.is_some() || bounds.silence.is_some()),
        DeleteReason::Silent => in_sync && bounds.silence.is_some(),
        DeleteReason::CannotStart => view.pod().is_none_or(|pod| !pod.claude.started),
        DeleteReason::Replaced => view.pods.len() > 1 || view.job.as_ref().is_some_and(|job| job.suspended),
    }
}

proptest! {
    #[test]
    fn end_09_a_job_is_deleted_for_an_allowed_reason_and_once(
        bounds in bounds(),
        first in view(),
        inputs in proptest::collection::vec((input(), 0..300i64), 0..40),
    ) {
        let mut now = 0;
        let (mut state, commands) = RunState::released(bounds.clone(), first.clone(), at(now));
        let mut deletions = 0;
        let mut step = |input: &Input, state: &RunState, commands: &[Command]| {
            for command in commands {
                if let Command::Delete(reason) = command {
                    deletions += 1;
                    assert!(is_allowed(*reason, input, &bounds, state.view()), "{reason:?} after {input:?}");
                }
            }
            assert!(deletions <= 1, "deleted twice");
        };
        step(&Input::View(first), &state, &commands);
        for (input, pause) in inputs {
            now += pause;
            let (next, commands) = state.on(input.clone(), at(now));
            step(&input, &next, &commands);
            state = next;
        }
    }

    #[test]
    fn what_is_decided_stays_decided(
        bounds in bounds(),
        first in view(),
        inputs in proptest::collection::vec((input(), 0..300i64), 0..40),
    ) {
        let mut now = 0;
        let mut state = RunState::released(bounds, first, at(now)).0;
        for (input, pause) in inputs {
            now += pause;
            let before = state.clone();
            let (next, commands) = state.on(input, at(now));
            if before.ending().is_some() {
                prop_assert_eq!(&next, &before);
                prop_assert_eq!(commands, vec![]);
                prop_assert_eq!(next.next_wake(), None);
            }
            state = next;
        }
    }

    /// A driver that ticks whenever it is told to makes progress: no busy loop.
    #[test]
    fn a_tick_settles_everything_that_is_due(
        bounds in bounds(),
        first in view(),
        inputs in proptest::collection::vec((input(), 0..300i64), 0..40),
    ) {
        let mut now = 0;
        let mut state = RunState::released(bounds, first, at(now)).0;
        for (input, pause) in inputs {
            now += pause;
            state = state.on(input, at(now)).0;
            state = state.on(Input::Tick(Heard::default()), at(now)).0;
            prop_assert!(state.next_wake().is_none_or(|wake| wake > at(now)), "{:?}", state);
        }
    }

    /// END-01, END-02, END-03: none of these is a fact about the container.
    #[test]
    fn end_03_nothing_but_facts_ends_a_run_without_a_limit(
        inputs in proptest::collection::vec((no_fact(), 0..86_400i64), 0..60),
    ) {
        let bounds = Bounds {
            queue: Some(Duration::from_secs(60)),
            schedule: Some(Duration::from_secs(60)),
            startup: Some(Duration::from_secs(60)),
            limit: None,
            exit_grace: None,
            silence: None,
            queued: false,
            adopted: false,
            in_use: None,
        };
        let mut state = RunState::released(bounds, live(None), at(0)).0;
        let mut now = 0;
        for (input, pause) in inputs {
            now += pause;
            let (next, commands) = state.on(input, at(now));
            prop_assert!(matches!(next.phase(), Phase::Running(_)), "{:?}", next.phase());
            prop_assert!(!commands.iter().any(|command| matches!(command, Command::Delete(_))));
            state = next;
        }
    }

    /// END-12: whatever was read in between, a terminated container stays terminated.
    #[test]
    fn end_12_terminal_facts_stick(reads in proptest::collection::vec((job(), pod("one")), 1..10)) {
        let mut known: Option<(JobFacts, PodFacts)> = None;
        for (job, pod) in reads {
            let next = match known.clone() {
                None => (job, pod),
                Some((known_job, known_pod)) => (known_job.fold(job), known_pod.fold(pod)),
            };
            if let Some((job, pod)) = known {
                prop_assert!(!job.is_finished() || next.0.is_finished());
                prop_assert!(job.deletion_timestamp.is_none() || job.deletion_timestamp == next.0.deletion_timestamp);
                prop_assert!(pod.terminated().is_none() || pod.terminated() == next.1.terminated());
                prop_assert!(!pod.phase.is_terminal() || next.1.phase.is_terminal());
                prop_assert!(!pod.claude.started || next.1.claude.started);
                prop_assert!(pod.deletion_timestamp.is_none() || pod.deletion_timestamp == next.1.deletion_timestamp);
                prop_assert!(pod.disruption.is_none() || next.1.disruption.is_some());
            }
            known = Some(next);
        }
    }
}

fn live(stale_since: Option<Timestamp>) -> RunView {
    let mut pod = PodFacts { name: "one".into(), uid: "one".into(), node: Some("node".into()), ..PodFacts::default() };
    pod.phase = PodPhase::Running;
    pod.claude.state = ContainerState::Running { started_at: None };
    pod.claude.started = true;
    let job = JobFacts { name: "job".into(), uid: "job".into(), ..JobFacts::default() };
    RunView { job: Some(job), pods: vec![pod], stale_since }
}

fn no_fact() -> BoxedStrategy<Input> {
    let of = || prop_oneof![Just(ProofOf::Job), Just(ProofOf::Pod)];
    let absent = RunView {
        pods: vec![PodFacts { absent: true, ..live(None).pods.remove(0) }],
        job: live(None).job.map(|job| JobFacts { absent: true, ..job }),
        stale_since: None,
    };
    prop_oneof![
        Just(Input::View(live(Some(at(0))))),
        Just(Input::View(live(None))),
        Just(Input::View(absent)),
        heard(100_000).prop_map(Input::Tick),
        Just(Input::Events(vec!["BackOff: x".into()])),
        of().prop_map(|of| Input::Proven(of, Proof::Present)),
        of().prop_map(|of| Input::Proven(of, Proof::Unknown)),
        Just(Input::LogEnded(LogSummary::default())),
    ]
    .boxed()
}
