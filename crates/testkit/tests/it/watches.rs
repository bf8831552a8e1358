//! `watch` (docs/internals/kubernetes.md 3.1), also through the watcher of kube-runtime.

use crate::builders::pod;
use claude_k8s_testkit::Script;
use futures_util::{StreamExt, TryStreamExt};
use k8s_openapi::api::core::v1::Pod;
use kube::api::{DeleteParams, ListParams, WatchEvent, WatchParams};
use kube::runtime::{WatchStreamExt, watcher};
use serde_json::json;

use crate::setup::*;

async fn next(
    stream: &mut (impl futures_util::Stream<Item = kube::Result<WatchEvent<Pod>>> + Unpin),
) -> WatchEvent<Pod> {
    stream.next().await.expect("the watch ended").expect("the watch failed")
}

fn seed(setup: &Setup, name: &str, label: &str) {
    setup.simulator.knobs().seed(pod(name).namespace(NAMESPACE).label("kind", label).running().value());
}

#[tokio::test(start_paused = true)]
async fn a_watch_delivers_what_happened_after_the_list() {
    let setup = setup(Script::new());
    seed(&setup, "a", "x");
    let version = setup.pods.list(&ListParams::default()).await.unwrap().metadata.resource_version.unwrap();
    seed(&setup, "b", "x");
    let mut stream = setup.pods.watch(&WatchParams::default(), &version).await.unwrap().boxed();
    assert!(matches!(next(&mut stream).await, WatchEvent::Added(pod) if pod.metadata.name.as_deref() == Some("b")));
    assert!(setup.simulator.knobs().patch("pods", NAMESPACE, "a", &json!({"status": {"phase": "Failed"}})));
    assert!(matches!(next(&mut stream).await, WatchEvent::Modified(_)));
    setup.pods.delete("a", &DeleteParams::default()).await.unwrap();
    let WatchEvent::Deleted(last) = next(&mut stream).await else { panic!("no deletion") };
    assert_eq!(last.status.unwrap().phase.as_deref(), Some("Failed"), "DELETED carries the last state");
}

#[tokio::test(start_paused = true)]
async fn leaving_the_selector_looks_like_a_deletion() {
    let setup = setup(Script::new());
    seed(&setup, "a", "x");
    let params = WatchParams::default().labels("kind=x");
    let mut stream = setup.pods.watch(&params, "0").await.unwrap().boxed();
    assert!(matches!(next(&mut stream).await, WatchEvent::Added(_)));
    let relabel = |value: &str| json!({"metadata": {"labels": {"kind": value}}});
    assert!(setup.simulator.knobs().patch("pods", NAMESPACE, "a", &relabel("y")));
    assert!(matches!(next(&mut stream).await, WatchEvent::Deleted(_)));
    assert!(setup.pods.get("a").await.is_ok(), "END-07: the event proves nothing");
    assert!(setup.simulator.knobs().patch("pods", NAMESPACE, "a", &relabel("x")));
    assert!(matches!(next(&mut stream).await, WatchEvent::Added(_)));
}

#[tokio::test(start_paused = true)]
async fn bookmarks_come_and_the_watch_ends_cleanly_after_its_timeout() {
    let setup = setup(Script::new());
    let start = tokio::time::Instant::now();
    let stream = setup.pods.watch(&WatchParams::default().timeout(150), "0").await.unwrap();
    let events: Vec<_> = stream.try_collect().await.unwrap();
    assert_eq!(start.elapsed(), seconds(150));
    assert_eq!(events.len(), 3, "two in time, one at the end");
    assert!(events.iter().all(|event| matches!(event, WatchEvent::Bookmark(_))));
}

#[tokio::test(start_paused = true)]
async fn an_expired_watch_answers_200_with_an_error_event_of_410() {
    let setup = setup(Script::new());
    let version = setup.pods.list(&ListParams::default()).await.unwrap().metadata.resource_version.unwrap();
    let mut open = setup.pods.watch(&WatchParams::default(), &version).await.unwrap().boxed();
    setup.simulator.knobs().expire_watches();
    assert!(matches!(next(&mut open).await, WatchEvent::Error(error) if error.code == 410));
    assert!(open.next().await.is_none());
    let mut late = setup.pods.watch(&WatchParams::default(), &version).await.unwrap().boxed();
    assert!(matches!(next(&mut late).await, WatchEvent::Error(error) if error.code == 410));
}

#[tokio::test(start_paused = true)]
async fn the_watcher_of_kube_lists_again_after_410_and_reports_absence() {
    let setup = setup(Script::new());
    seed(&setup, "a", "x");
    seed(&setup, "b", "x");
    let mut events = watcher(setup.pods.clone(), watcher::Config::default()).default_backoff().boxed();
    let mut listed = Vec::new();
    for round in 0..2 {
        listed.clear();
        loop {
            match events.next().await.unwrap() {
                Ok(watcher::Event::InitApply(pod)) => listed.push(pod.metadata.name.unwrap()),
                Ok(watcher::Event::InitDone) => break,
                _ => {}
            }
        }
        if round == 0 {
            assert_eq!(listed, ["a", "b"]);
            setup.simulator.knobs().freeze_watches(true);
            setup.pods.delete("a", &DeleteParams::default()).await.unwrap();
            setup.simulator.knobs().expire_watches();
            setup.simulator.knobs().freeze_watches(false);
        }
    }
    assert_eq!(listed, ["b"]);
    assert_eq!(setup.simulator.open_streams().watches, 0);
}

#[tokio::test(start_paused = true)]
async fn a_frozen_watch_is_silent_and_catches_up_when_thawed() {
    let setup = setup(Script::new());
    let mut stream = setup.pods.watch(&WatchParams::default().timeout(290), "0").await.unwrap().boxed();
    setup.simulator.knobs().freeze_watches(true);
    seed(&setup, "a", "x");
    assert!(tokio::time::timeout(seconds(200), stream.next()).await.is_err());
    setup.simulator.knobs().freeze_watches(false);
    assert!(matches!(next(&mut stream).await, WatchEvent::Added(_)));
    setup.simulator.knobs().end_watches();
    assert!(stream.next().await.is_none());
}
