use super::*;
use crate::guard::group;
use crate::view::{ContainerState, JobCondition, JobFacts, PodFacts, PodOfJob, PodPhase, Terminated};

const MINUTE: i64 = 60;
const NOW: i64 = 100 * MINUTE;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

/// Run `run-1` of task `task-1`, resuming session `s-1`.
fn claimant() -> Claimant {
    Claimant {
        run_id: "run-1".into(),
        run_label: Some("run-1".into()),
        task_id: Some("task-1".into()),
        session_id: Some("s-1".into()),
        scope: ConcurrencyScope::Agent,
        reattach: true,
        may_patch: true,
    }
}

/// A released Job of run `run-2`, same task and session, whose process is gone.
fn orphan(name: &str) -> Neighbour {
    let mut job = JobFacts {
        name: name.into(),
        uid: format!("uid-{name}"),
        generation: 2,
        created_at: Some(at(NOW - MINUTE)),
        ..JobFacts::default()
    };
    for (key, value) in [(key::RUN_ID, "run-2"), (key::TASK_ID, "task-1"), (key::SESSION_ID, "s-1")] {
        job.labels.insert(key.into(), value.into());
        job.annotations.insert(key.into(), value.into());
    }
    job.labels.insert(key::LAYOUT.into(), "3".into());
    Neighbour { job, job_exists: true, pods: vec![running()], supervisor: Supervisor::Gone, settled: false }
}

fn living(one: Neighbour) -> Neighbour {
    Neighbour { supervisor: Supervisor::Living, ..one }
}

fn of_run(one: Neighbour, run: &str) -> Neighbour {
    set(one, key::RUN_ID, Some(run))
}

/// Label and annotation `key`; `None` removes both.
fn set(mut one: Neighbour, key: &str, value: Option<&str>) -> Neighbour {
    for map in [&mut one.job.labels, &mut one.job.annotations] {
        map.remove(key);
        map.extend(value.map(|value| (key.to_owned(), value.to_owned())));
    }
    one
}

fn created(mut one: Neighbour, second: i64) -> Neighbour {
    one.job.created_at = Some(at(second));
    one
}

fn finished(mut one: Neighbour, pods: Vec<PodFacts>) -> Neighbour {
    one.job.conditions = vec![JobCondition { kind: "Failed".into(), reason: "x".into(), message: String::new() }];
    Neighbour { pods, ..one }
}

fn deleting(mut one: Neighbour, pods: Vec<PodFacts>) -> Neighbour {
    one.job.deletion_timestamp = Some(at(NOW));
    Neighbour { pods, ..one }
}

/// Created and not released.
fn unreleased(mut one: Neighbour, age: i64) -> Neighbour {
    one.job.suspended = true;
    one.job.generation = 1;
    created(Neighbour { pods: vec![], ..one }, NOW - age)
}

fn running() -> PodFacts {
    PodFacts { phase: PodPhase::Running, ..PodFacts::default() }
}

fn ended() -> PodFacts {
    PodFacts { phase: PodPhase::Failed, ..PodFacts::default() }
}

/// What is decided, and about which Jobs, in short.
fn verdict(claimant: &Claimant, neighbours: &[Neighbour]) -> String {
    match decide(claimant, neighbours, at(NOW)) {
        Decision::Clear => "clear".into(),
        Decision::RemoveLeftovers(jobs) => {
            format!("remove {}", jobs.iter().map(|one| one.job.name.clone()).collect::<Vec<_>>().join(","))
        }
        Decision::Settling(jobs) => {
            format!("settling {}", jobs.iter().map(|one| one.job.name.clone()).collect::<Vec<_>>().join(","))
        }
        Decision::Adopt(adoption, one) => format!("adopt {adoption:?} {}", one.job.name),
        Decision::Blocked(refusal) => refusal.code.as_str().to_owned(),
    }
}

#[test]
fn grd_04_the_pods_of_an_ending_job_decide_whether_it_is_waited_for() {
    let gone = |pods| Neighbour { job_exists: false, ..living(Neighbour { pods, ..orphan("a") }) };
    let container_ended = {
        let mut pod = running();
        pod.claude.state = ContainerState::Terminated(Terminated::default());
        pod
    };
    for (neighbour, expected) in [
        (deleting(living(orphan("a")), vec![running()]), "settling a"),
        (deleting(living(orphan("a")), vec![ended(), running()]), "settling a"),
        (deleting(living(orphan("a")), vec![ended()]), "clear"),
        (deleting(living(orphan("a")), vec![container_ended]), "clear"),
        (deleting(living(orphan("a")), vec![]), "clear"),
        (finished(living(orphan("a")), vec![running()]), "settling a"),
        (finished(living(orphan("a")), vec![ended()]), "clear"),
        (gone(vec![running()]), "settling a"),
        (gone(vec![ended()]), "clear"),
        (living(orphan("a")), "k8s_concurrent_run_blocked"),
    ] {
        assert_eq!(verdict(&claimant(), std::slice::from_ref(&neighbour)), expected, "{neighbour:?}");
    }
    assert_eq!(verdict(&claimant(), &[]), "clear");
}

#[test]
fn grd_04_a_job_whose_result_was_just_returned_is_waited_for_and_never_in_the_way_again() {
    let delivered = |one| set(one, key::DELIVERED, Some("true"));
    let settled = |one| Neighbour { settled: true, ..one };
    let own = || of_run(orphan("own"), "run-1");
    let pods = |one, pods| Neighbour { pods, ..one };
    for (neighbour, expected) in [
        // Kept by policy: the annotation says it to every process.
        (delivered(living(orphan("a"))), "settling a"),
        (delivered(orphan("a")), "settling a"),
        (delivered(pods(orphan("a"), vec![ended()])), "clear"),
        // Followed by the very run that asks, with or without a mark that could be written.
        (settled(orphan("a")), "settling a"),
        (settled(living(orphan("a"))), "settling a"),
        (settled(pods(orphan("a"), vec![ended()])), "clear"),
        (settled(finished(orphan("a"), vec![ended()])), "clear"),
        (settled(own()), "settling own"),
        (settled(pods(own(), vec![ended()])), "clear"),
    ] {
        assert_eq!(verdict(&claimant(), std::slice::from_ref(&neighbour)), expected, "{neighbour:?}");
    }
}

#[test]
fn grd_05_only_a_compatible_orphan_of_the_same_task_is_adopted() {
    let no_reattach = Claimant { reattach: false, ..claimant() };
    let no_label = Claimant { run_label: None, ..claimant() };
    let no_task = Claimant { task_id: None, ..claimant() };
    let fresh = Claimant { session_id: None, ..claimant() };
    let no_patch = Claimant { may_patch: false, ..claimant() };
    let blocked = "k8s_concurrent_run_blocked";
    for (who, neighbour, expected) in [
        (claimant(), orphan("a"), "adopt Orphan a"),
        (claimant(), set(orphan("a"), key::SESSION_ID, None), "adopt Orphan a"),
        (fresh, orphan("a"), "adopt Orphan a"),
        (claimant(), living(orphan("a")), blocked),
        (claimant(), Neighbour { supervisor: Supervisor::Here, ..orphan("a") }, blocked),
        (no_reattach, orphan("a"), blocked),
        (no_label, orphan("a"), blocked),
        // Nobody would see that it is adopted, so another process could adopt it, too.
        (no_patch, orphan("a"), blocked),
        (claimant(), set(orphan("a"), key::TASK_ID, Some("task-2")), blocked),
        (claimant(), set(orphan("a"), key::LAYOUT, Some("2")), "adopt Orphan a"),
        (claimant(), set(orphan("a"), key::LAYOUT, None), blocked),
        (claimant(), set(orphan("a"), key::SESSION_ID, Some("s-2")), "k8s_orphan_session_mismatch"),
        (claimant(), set(orphan("a"), key::TASK_ID, None), "k8s_orphan_task_unknown"),
        (no_task, orphan("a"), "k8s_orphan_task_unknown"),
    ] {
        assert_eq!(verdict(&who, std::slice::from_ref(&neighbour)), expected, "{who:?}\n{neighbour:?}");
    }
}

#[test]
fn grd_06_a_finished_orphan_yields_its_result_once() {
    let done = || finished(orphan("a"), vec![ended()]);
    for (neighbour, expected) in [
        (done(), "adopt Orphan a"),
        (finished(orphan("a"), vec![]), "adopt Orphan a"),
        (set(done(), key::DELIVERED, Some("true")), "clear"),
        (living(done()), "clear"),
        (set(done(), key::SESSION_ID, Some("s-2")), "clear"),
        (deleting(done(), vec![ended()]), "clear"),
        (deleting(orphan("a"), vec![ended()]), "clear"),
    ] {
        assert_eq!(verdict(&claimant(), std::slice::from_ref(&neighbour)), expected, "{neighbour:?}");
    }
    let newer = created(finished(orphan("b"), vec![]), NOW - 5);
    assert_eq!(verdict(&claimant(), &[done(), newer]), "adopt Orphan b");
}

#[test]
fn grd_05_the_own_job_is_adopted_whatever_its_state_unless_it_is_followed_here() {
    let own = || of_run(orphan("own"), "run-1");
    let no_reattach = Claimant { reattach: false, ..claimant() };
    let no_task = Claimant { task_id: None, ..claimant() };
    let other_annotation = {
        let mut one = living(own());
        one.job.annotations.insert(key::RUN_ID.into(), "run/1".into());
        one
    };
    let here = || Neighbour { supervisor: Supervisor::Here, ..own() };
    let blocked = "k8s_concurrent_run_blocked";
    for (who, neighbour, expected) in [
        (claimant(), own(), "adopt Own own"),
        (claimant(), living(own()), "adopt Own own"),
        (claimant(), finished(own(), vec![]), "adopt Own own"),
        (claimant(), unreleased(own(), 20 * MINUTE), "adopt Own own"),
        (claimant(), here(), blocked),
        (no_task, set(here(), key::TASK_ID, None), blocked),
        (no_reattach, own(), blocked),
        // The label is the same, the raw id is not: two runs whose ids look alike when sanitised.
        (claimant(), other_annotation, blocked),
        // Only its pod is left: nothing to follow.
        (claimant(), Neighbour { job_exists: false, ..own() }, "settling own"),
        (claimant(), Neighbour { job_exists: false, pods: vec![ended()], ..own() }, "clear"),
    ] {
        assert_eq!(verdict(&who, std::slice::from_ref(&neighbour)), expected, "{who:?}\n{neighbour:?}");
    }
}

#[test]
fn with_scope_task_only_runs_of_the_same_task_compete() {
    let task = Claimant { scope: ConcurrencyScope::Task, ..claimant() };
    let no_task = Claimant { task_id: None, ..task.clone() };
    let other = || living(set(orphan("a"), key::TASK_ID, Some("task-2")));
    let none = || living(set(orphan("a"), key::TASK_ID, None));
    for (who, neighbour, expected) in [
        (&task, other(), "clear"),
        (&task, none(), "clear"),
        (&task, living(orphan("a")), "k8s_concurrent_run_blocked"),
        (&no_task, none(), "k8s_orphan_task_unknown"),
        (&no_task, other(), "clear"),
    ] {
        assert_eq!(verdict(who, std::slice::from_ref(&neighbour)), expected, "{neighbour:?}");
    }
}

#[test]
fn grd_12_only_what_never_ran_and_is_old_or_of_nobody_is_a_leftover() {
    let old = 15 * MINUTE + 1;
    let queued = set(unreleased(orphan("a"), old), key::QUEUE_NAME, Some("q"));
    let mut suspended_by_somebody = unreleased(living(orphan("a")), old);
    suspended_by_somebody.job.generation = 3;
    let with_pod = Neighbour { pods: vec![ended()], ..unreleased(living(orphan("a")), old) };
    let foreign = set(unreleased(living(orphan("a")), old), key::LAYOUT, None);
    let blocked = "k8s_concurrent_run_blocked";
    for (neighbour, expected) in [
        (unreleased(living(orphan("a")), old), "remove a"),
        (unreleased(orphan("a"), old), "remove a"),
        (unreleased(orphan("a"), 1), "remove a"),
        (unreleased(living(orphan("a")), 15 * MINUTE), blocked),
        (living(queued), blocked),
        (suspended_by_somebody, blocked),
        (with_pod, blocked),
        (foreign, blocked),
    ] {
        assert_eq!(verdict(&claimant(), std::slice::from_ref(&neighbour)), expected, "{neighbour:?}");
    }
    let both = [unreleased(living(orphan("a")), old), living(orphan("b"))];
    assert_eq!(verdict(&claimant(), &both), blocked, "nothing is removed for a run that cannot start");
}

#[test]
fn of_several_live_jobs_the_newest_decides_the_code_and_all_are_named() {
    let unknown = created(living(set(orphan("old"), key::TASK_ID, None)), 10);
    let mismatch = created(living(set(orphan("new"), key::SESSION_ID, Some("s-2"))), 20);
    for order in [[unknown.clone(), mismatch.clone()], [mismatch, unknown]] {
        let Decision::Blocked(refusal) = decide(&claimant(), &order, at(NOW)) else { panic!("not blocked") };
        assert_eq!(refusal.code, ErrorCode::OrphanSessionMismatch);
        assert_eq!(
            refusal.message,
            "Another run of this agent is active: Job `new`, `old` (run run-2, same task, session s-2); \
             set guardWaitSec to wait or concurrencyScope=task to run side by side"
        );
        assert_eq!(refusal.retry_after_seconds, Some(60));
        let withdrawn = may_release(&claimant(), "uid-own", &order, at(NOW)).unwrap_err();
        assert_eq!(withdrawn, refusal, "the list's order does not matter");
    }
    let two_orphans = [orphan("a"), created(orphan("b"), NOW)];
    assert_eq!(verdict(&claimant(), &two_orphans), "k8s_concurrent_run_blocked");
}

#[test]
fn grd_03_a_release_needs_the_own_job_alone_in_the_list() {
    let own = || unreleased(living(of_run(orphan("own"), "run-1")), 2);
    let rival = |age| unreleased(living(orphan("rival")), age);
    let queued = set(rival(1), key::QUEUE_NAME, Some("q"));
    let other_task = set(living(orphan("rival")), key::TASK_ID, Some("task-2"));
    let scoped = Claimant { scope: ConcurrencyScope::Task, ..claimant() };
    let release = |who: &Claimant, list: &[Neighbour]| match may_release(who, "uid-own", list, at(NOW)) {
        Ok(true) => "release",
        Ok(false) => "look again",
        Err(_) => "withdraw",
    };
    for (who, list, expected) in [
        (claimant(), vec![own()], "release"),
        (claimant(), vec![], "look again"),
        (claimant(), vec![own(), rival(1)], "look again"),
        (claimant(), vec![own(), rival(3)], "withdraw"),
        (claimant(), vec![own(), rival(2)], "look again"),
        (claimant(), vec![own(), queued], "withdraw"),
        (claimant(), vec![own(), living(orphan("rival"))], "withdraw"),
        (claimant(), vec![own(), deleting(rival(1), vec![])], "release"),
        (claimant(), vec![own(), deleting(living(orphan("rival")), vec![running()])], "withdraw"),
        // By this host's clock it is a leftover; by the server's it may be a launch under way.
        (claimant(), vec![own(), rival(20 * MINUTE)], "withdraw"),
        (claimant(), vec![own(), other_task.clone()], "withdraw"),
        (scoped, vec![own(), other_task], "release"),
    ] {
        assert_eq!(release(&who, &list), expected, "{list:?}");
    }
}

#[test]
fn pods_join_their_job_by_uid_and_a_pod_without_a_job_still_counts() {
    let job = orphan("a").job;
    let owner = |uid: &str| JobFacts { uid: uid.into(), name: uid.into(), ..JobFacts::default() };
    let joined =
        group(vec![job.clone()], ["uid-a", "uid-z"].map(|uid| PodOfJob { job: owner(uid), pod: running() }).to_vec());
    let summary: Vec<_> = joined.iter().map(|one| (one.job.name.as_str(), one.job_exists, one.pods.len())).collect();
    assert_eq!(summary, [("a", true, 1), ("uid-z", false, 1)]);
    assert_eq!(verdict(&claimant(), &joined[1..]), "settling uid-z");
}

// ---- simultaneous launches ----

/// One launch as the guard sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Step {
    /// Not created yet.
    Idle,
    /// Created; lists next.
    Created,
    /// Was allowed to release; the release itself comes later than the list.
    Allowed,
    Released,
    /// Gives way; its Job is still there until the deletion arrives.
    Withdrawing,
    Withdrawn,
}

/// The Jobs that the API server has: creation order decides the second, the participant's number the uid.
fn cluster(steps: &[Step], seconds: &[i64]) -> Vec<Neighbour> {
    let job = |number: usize| {
        let mut one = living(orphan(&number.to_string()));
        one.job.suspended = steps[number] != Step::Released;
        one.pods = vec![];
        created(one, seconds[number])
    };
    let exists = |number: &usize| !matches!(steps[*number], Step::Idle | Step::Withdrawn);
    (0..steps.len()).filter(exists).map(job).collect()
}

/// Walks every interleaving of `seconds.len()` launches; each action is one request to the API server.
fn explore(steps: &mut Vec<Step>, seconds: &mut Vec<i64>, clock: i64, same_second: bool, seen: &mut Seen) {
    if !seen.0.insert((steps.clone(), seconds.clone())) {
        return;
    }
    let released = steps.iter().filter(|step| **step == Step::Released).count();
    assert!(released <= 1, "two released: {steps:?} created at {seconds:?}");
    let mut waiting = true;
    for number in 0..steps.len() {
        let (before, second) = (steps[number], seconds[number]);
        let next = match before {
            Step::Idle => {
                seconds[number] = clock;
                Step::Created
            }
            Step::Created => {
                let list = cluster(steps, seconds);
                match may_release(&claimant(), &format!("uid-{number}"), &list, at(NOW)) {
                    Ok(true) => Step::Allowed,
                    Ok(false) => Step::Created,
                    Err(_) => Step::Withdrawing,
                }
            }
            Step::Allowed => Step::Released,
            Step::Withdrawing => Step::Withdrawn,
            Step::Released | Step::Withdrawn => continue,
        };
        if next != before {
            waiting = false;
            steps[number] = next;
            let later = clock + i64::from(!same_second && before == Step::Idle);
            explore(steps, seconds, later, same_second, seen);
            (steps[number], seconds[number]) = (before, second);
        }
    }
    // Nobody can move any more: then exactly one won. Nobody waits for ever, and never do all withdraw.
    assert!(!waiting || released == 1, "no winner: {steps:?} created at {seconds:?}");
}

#[derive(Default)]
struct Seen(std::collections::HashSet<(Vec<Step>, Vec<i64>)>);

#[test]
fn grd_03_of_simultaneous_launches_exactly_one_is_released_in_every_interleaving() {
    for participants in 1..=5 {
        for same_second in [true, false] {
            let mut seen = Seen::default();
            explore(&mut vec![Step::Idle; participants], &mut vec![0; participants], 1, same_second, &mut seen);
            assert!(seen.0.len() > participants);
        }
    }
}
