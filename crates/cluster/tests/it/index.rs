//! The namespace index against a scripted API server, in paused time.

use std::time::Duration;

use claude_k8s_cluster::api::Namespace;
use claude_k8s_cluster::index::{Mode, NamespaceIndex};
use claude_k8s_core::view::{JobFacts, RunView};
use serde_json::{Value, json};
use tokio::sync::watch::Receiver;
use tokio::time::{Instant, timeout};

use crate::scripted::{ScriptedApi, items, list, pair, status, watch};

fn start() -> (NamespaceIndex, ScriptedApi) {
    let (client, api) = pair();
    (NamespaceIndex::start(Namespace::new(client, "ns")), api)
}

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn subscribe(index: &NamespaceIndex, run: &str) -> Receiver<RunView> {
    let known = JobFacts { name: run.into(), uid: run.into(), ..JobFacts::default() };
    index.subscribe(known).unwrap_or_else(|| unreachable!("the index is running"))
}

fn job(run: &str) -> Value {
    json!({ "apiVersion": "batch/v1", "kind": "Job",
        "metadata": { "name": run, "uid": run, "namespace": "ns", "resourceVersion": "11" } })
}

fn pod(run: &str, state: &Value) -> Value {
    let owner = json!({ "apiVersion": "batch/v1", "kind": "Job", "name": run, "uid": run });
    let container =
        json!({ "name": "claude", "image": "i", "imageID": "", "ready": true, "restartCount": 0, "state": state });
    json!({ "apiVersion": "v1", "kind": "Pod",
        "metadata": { "name": format!("{run}-pod"), "uid": format!("{run}-pod"), "resourceVersion": "12", "ownerReferences": [owner] },
        "status": { "phase": "Running", "containerStatuses": [container] } })
}

fn running(run: &str) -> Value {
    pod(run, &json!({ "running": {} }))
}

fn exited(run: &str, exit_code: i32) -> Value {
    pod(run, &json!({ "terminated": { "exitCode": exit_code } }))
}

/// Waits for a fact; it has to come within `limit`.
async fn sees(reader: &mut Receiver<RunView>, limit: u64, fact: impl Fn(&RunView) -> bool) {
    let seen = timeout(seconds(limit), reader.wait_for(|view| fact(view))).await.map(|view| view.is_ok());
    assert_eq!(seen, Ok(true), "within {limit} s: {:?}", reader.borrow());
}

fn in_sync(view: &RunView) -> bool {
    view.stale_since.is_none()
}

fn lost(view: &RunView) -> bool {
    view.stale_since.is_some()
}

fn is_running(view: &RunView) -> bool {
    view.pod().is_some_and(|pod| pod.claude.started && pod.terminated().is_none())
}

fn exit_code(view: &RunView) -> Option<i32> {
    view.pod()?.terminated().map(|end| end.exit_code)
}

#[tokio::test(start_paused = true)]
async fn env_04_one_watch_of_each_kind_serves_every_run() {
    let (index, mut api) = start();
    let mut readers = ["a", "b", "c"].map(|run| subscribe(&index, run));
    let (_jobs, pods) = api.serves(&[job("a"), job("b")], &[running("a"), running("b")]).await;
    for reader in &mut readers[..2] {
        sees(reader, 1, |view| in_sync(view) && is_running(view)).await;
    }
    pods.sends("ADDED", &running("c"));
    pods.sends("MODIFIED", &exited("a", 3));
    sees(&mut readers[2], 1, is_running).await;
    sees(&mut readers[0], 1, |view| exit_code(view) == Some(3)).await;
    assert_eq!(exit_code(&readers[1].borrow()), None);
    // No more requests than these four in the life of a watch.
    api.stays_quiet(seconds(59)).await;
    assert_eq!(index.mode(), Mode::Watching);
    api.finished();
}

#[tokio::test(start_paused = true)]
async fn a_watch_that_ends_is_continued_where_it_was_and_is_no_loss_of_contact() {
    let (index, mut api) = start();
    let reader = subscribe(&index, "a");
    let (_jobs, pods) = api.serves(&[job("a")], &[]).await;
    pods.sends("ADDED", &running("a"));
    pods.sends("BOOKMARK", &json!({ "apiVersion": "v1", "kind": "Pod", "metadata": { "resourceVersion": "99" } }));
    drop(pods);
    let again = api.expect(watch("pods")).await;
    assert!(again.query.contains("resourceVersion=99"), "{}", again.query);
    assert!(again.query.contains("labelSelector=app.kubernetes.io%2Fmanaged-by%3Dpaperclip"), "{}", again.query);
    let _pods = again.streams();
    assert!(in_sync(&reader.borrow()) && is_running(&reader.borrow()));
    api.finished();
}

#[tokio::test(start_paused = true)]
async fn a_resume_point_that_is_too_old_leads_to_a_new_list_where_a_deletion_is_an_absence() {
    let (index, mut api) = start();
    let mut reader = subscribe(&index, "a");
    let (_jobs, pods) = api.serves(&[job("a")], &[running("a")]).await;
    sees(&mut reader, 1, |view| in_sync(view) && is_running(view)).await;
    pods.sends("ERROR", &status(410));
    let relist = api.expect(list("pods")).await;
    assert!(lost(&reader.borrow()), "what happened meanwhile is not known yet");
    relist.replies(&items(&[]));
    sees(&mut reader, 1, |view| in_sync(view) && view.pods[0].absent).await;
    let _pods = api.expect(watch("pods")).await.streams();
    api.finished();
}

#[tokio::test(start_paused = true)]
async fn a_resume_point_that_is_refused_with_http_410_leads_to_a_new_list_too() {
    let (index, mut api) = start();
    let mut reader = subscribe(&index, "a");
    let (_jobs, pods) = api.serves(&[job("a")], &[running("a")]).await;
    drop(pods);
    api.expect(watch("pods")).await.fails(410);
    api.expect(list("pods")).await.replies(&items(&[exited("a", 0)]));
    sees(&mut reader, 1, |view| in_sync(view) && exit_code(view) == Some(0)).await;
    let _pods = api.expect(watch("pods")).await.streams();
    api.finished();
}

#[tokio::test(start_paused = true)]
async fn end_02_a_server_that_fails_is_asked_more_and_more_rarely_and_contact_counts_as_lost_all_the_time() {
    let (index, mut api) = start();
    let mut reader = subscribe(&index, "a");
    let mut last = Instant::now();
    api.expect(list("pods")).await.replies(&items(&[]));
    let mut watches = vec![api.expect(watch("pods")).await.streams()];
    api.expect(list("jobs")).await.fails(500);
    for pause in [1, 2, 4, 8, 16, 30, 30] {
        let call = api.expect(list("jobs")).await;
        let waited = last.elapsed();
        assert!(waited >= seconds(pause) && waited <= seconds(2 * pause + 1), "{waited:?} instead of {pause} s");
        assert!(lost(&reader.borrow()), "a list that is only being tried is no contact");
        last = Instant::now();
        if pause % 2 == 0 {
            call.fails(503);
        } else {
            call.breaks();
        }
        // The healthy watch ends once a minute by itself.
        while let Ok(call) = timeout(Duration::ZERO, api.expect(watch("pods"))).await {
            watches.push(call.streams());
        }
    }
    let call = api.expect(list("jobs")).await;
    call.replies(&items(&[job("a")]));
    sees(&mut reader, 1, in_sync).await;
    drop(index);
}

#[tokio::test(start_paused = true)]
async fn a_watch_is_started_again_after_500s_and_quiet_means_contact() {
    let (index, mut api) = start();
    let mut reader = subscribe(&index, "a");
    let (_jobs, pods) = api.serves(&[job("a")], &[running("a")]).await;
    sees(&mut reader, 1, in_sync).await;
    pods.breaks();
    sees(&mut reader, 1, lost).await;
    for _ in 0..3 {
        api.expect(watch("pods")).await.fails(500);
        assert!(lost(&reader.borrow()));
    }
    let again = api.expect(watch("pods")).await;
    assert!(again.query.contains("resourceVersion=10"), "nothing is skipped: {}", again.query);
    let _pods = again.streams();
    sees(&mut reader, 13, in_sync).await;
    api.finished();
}

#[tokio::test(start_paused = true)]
async fn contact_is_back_a_second_after_the_first_event_when_the_backlog_is_in() {
    let (index, mut api) = start();
    let mut reader = subscribe(&index, "a");
    let (_jobs, pods) = api.serves(&[job("a")], &[running("a")]).await;
    sees(&mut reader, 1, in_sync).await;
    pods.breaks();
    sees(&mut reader, 1, lost).await;
    let pods = api.expect(watch("pods")).await.streams();
    pods.sends("MODIFIED", &running("b"));
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert!(lost(&reader.borrow()), "other runs' events come first");
    pods.sends("MODIFIED", &exited("a", 3));
    sees(&mut reader, 1, |view| in_sync(view) && exit_code(view) == Some(3)).await;
    api.finished();
}

#[tokio::test(start_paused = true)]
async fn without_the_permission_to_watch_one_list_of_each_kind_per_two_seconds_serves_every_run() {
    let (index, mut api) = start();
    let mut readers = ["a", "b"].map(|run| subscribe(&index, run));
    api.lists(&[job("a"), job("b")], &[running("a")]).await;
    api.expect(watch("jobs")).await.fails(403);
    for round in 0..3 {
        let before = Instant::now();
        api.lists(&[job("a"), job("b")], &[running("a"), running("b")]).await;
        sees(&mut readers[1], 1, |view| in_sync(view) && is_running(view)).await;
        assert_eq!(before.elapsed(), seconds(if round == 0 { 0 } else { 2 }));
        assert_eq!(index.mode(), Mode::Polling);
    }
    // A failed list is a loss of contact and decides nothing.
    api.expect(list("jobs")).await.fails(500);
    api.expect(list("pods")).await.replies(&items(&[]));
    sees(&mut readers[0], 1, |view| lost(view) && is_running(view)).await;
    api.lists(&[job("a"), job("b")], &[exited("a", 3), running("b")]).await;
    sees(&mut readers[0], 1, |view| in_sync(view) && exit_code(view) == Some(3)).await;
    assert!(readers[1].borrow().pods.iter().all(|pod| !pod.absent));

    // After ten minutes the watch is tried again, and believed when it is not refused.
    let started = Instant::now();
    loop {
        api.lists(&[job("a"), job("b")], &[exited("a", 3), running("b")]).await;
        if started.elapsed() > seconds(602) {
            break;
        }
        if let Ok(jobs) = timeout(Duration::from_millis(1), api.expect(watch("jobs"))).await {
            let _streams = (jobs.streams(), api.expect(watch("pods")).await.streams());
            assert!(started.elapsed() > seconds(580));
            assert_eq!(index.mode(), Mode::Polling, "a list that works says nothing about the watch");
            api.stays_quiet(seconds(13)).await;
            assert_eq!(index.mode(), Mode::Watching);
            return api.finished();
        }
    }
    unreachable!("the watch was not tried again");
}

#[tokio::test(start_paused = true)]
async fn polling_rests_while_nobody_reads_and_answers_the_next_reader_soon() {
    let (index, mut api) = start();
    let reader = subscribe(&index, "a");
    api.lists(&[job("a")], &[]).await;
    api.expect(watch("pods")).await.fails(403);
    api.lists(&[job("a")], &[]).await;
    drop(reader);
    api.stays_quiet(seconds(30)).await;
    let mut reader = subscribe(&index, "a");
    let asked = Instant::now();
    api.lists(&[job("a")], &[running("a")]).await;
    sees(&mut reader, 1, is_running).await;
    assert!(asked.elapsed() <= seconds(2));
    drop(reader);
    api.stays_quiet(seconds(70)).await;
    assert!(!index.is_running());
    assert!(index.subscribe(JobFacts::default()).is_none());
}

#[tokio::test(start_paused = true)]
async fn an_index_without_a_reader_stops_and_says_so_to_the_next_one() {
    let (index, mut api) = start();
    let reader = subscribe(&index, "a");
    let (jobs, pods) = api.serves(&[job("a")], &[running("a")]).await;
    let mut watches = vec![jobs, pods];
    // Somebody reads: watches are renewed every minute, for as long as it takes.
    for _ in 0..10 {
        for kind in ["jobs", "pods"] {
            watches.push(api.expect(watch(kind)).await.streams());
        }
    }
    assert!(index.is_running());
    drop(reader);
    tokio::time::sleep(seconds(121)).await;
    for watch in watches {
        watch.closed().await;
    }
    assert!(!index.is_running());
    assert!(index.subscribe(JobFacts::default()).is_none());
}

#[tokio::test(start_paused = true)]
async fn nothing_is_current_before_the_first_lists() {
    let (index, mut api) = start();
    let mut reader = subscribe(&index, "a");
    tokio::time::sleep(seconds(30)).await;
    assert!(lost(&reader.borrow()));
    api.expect(list("pods")).await.replies(&items(&[]));
    let _pods = api.expect(watch("pods")).await.streams();
    tokio::time::sleep(seconds(30)).await;
    assert!(lost(&reader.borrow()), "only one of the two kinds is known");
    api.expect(list("jobs")).await.replies(&items(&[job("a")]));
    let _jobs = api.expect(watch("jobs")).await.streams();
    sees(&mut reader, 1, in_sync).await;
    api.finished();
}
