//! `pods/log` (docs/internals/kubernetes.md 1).

use claude_k8s_testkit::{HoldKind, LogSettings, Script};
use futures_util::AsyncReadExt;
use jiff::SignedDuration;
use kube::api::DeleteParams;

use crate::setup::*;

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[tokio::test(start_paused = true)]
async fn the_answers_before_a_container_runs() {
    let setup = setup(Script::new().print("x").exit(0));
    let status = status_of(setup.log("nobody", "").await.unwrap_err());
    assert_eq!((status.code, status.message.as_str()), (404, "pods \"nobody\" not found"));
    assert_eq!(status.details.unwrap().kind, "pods");

    setup.simulator.knobs().hold(HoldKind::Scheduling);
    setup.create(job()).await;
    let pod = setup.simulator.knobs().wait_for("pods", |_| true).await["metadata"]["name"].as_str().unwrap().to_owned();
    assert_eq!(setup.log(&pod, "&follow=true").await.unwrap(), b"", "204: no node yet");

    setup.simulator.knobs().hold(HoldKind::ContainerStart);
    setup.simulator.knobs().release(HoldKind::Scheduling);
    setup.pod_in("waiting").await;
    let status = status_of(setup.log(&pod, "&follow=true").await.unwrap_err());
    assert_eq!(status.code, 400);
    assert_eq!(status.message, format!("container \"claude\" in pod \"{pod}\" is waiting to start: ContainerCreating"));

    setup.simulator.knobs().release(HoldKind::ContainerStart);
    setup.pod_in("terminated").await;
    assert_eq!(setup.log(&pod, "").await.unwrap(), b"x\n");
    let status = status_of(setup.log(&pod, "&previous=true").await.unwrap_err());
    assert_eq!(status.message, format!("previous terminated container \"claude\" in pod \"{pod}\" not found"));
}

#[tokio::test(start_paused = true)]
async fn a_follow_delivers_lines_as_they_come_and_ends_with_the_container() {
    let setup = setup(Script::new().wait(seconds(1)).print("one").wait(seconds(600)).stderr("two").exit(0));
    let pod = setup.start(job(), "running").await;
    let start = tokio::time::Instant::now();
    let mut stream = setup.open_log(&pod, "&follow=true&timestamps=true").await.unwrap();
    let mut buffer = [0; 256];
    let count = stream.read(&mut buffer).await.unwrap();
    assert_eq!(&text(&buffer[31..count]), "one\n");
    assert!(start.elapsed() <= seconds(1));
    let mut rest = Vec::new();
    stream.read_to_end(&mut rest).await.unwrap();
    assert_eq!(&text(&rest)[31..], "two\n");
    assert_eq!(start.elapsed().as_secs(), 601, "600.5 s, and the time until the kubelet notices the end");
}

#[tokio::test(start_paused = true)]
async fn since_time_is_cut_to_whole_seconds_and_inclusive() {
    let script = (0..4).fold(Script::new(), |script, n| script.print(n.to_string()).wait(milliseconds(400)));
    let setup = setup(script.never_ends());
    let pod = setup.start(job(), "running").await;
    tokio::time::sleep(seconds(5)).await;
    let all = text(&setup.log(&pod, "&timestamps=true").await.unwrap());
    // The container starts 150 ms after the pod: lines at .150, .550, .950 and 1.350.
    assert_eq!(all.lines().next_back().unwrap(), "2026-01-05T10:00:01.350000000Z 3");
    assert_eq!(setup.log(&pod, "&sinceTime=2026-01-05T10:00:01.999Z").await.unwrap(), b"3\n");
    assert_eq!(setup.log(&pod, "&sinceTime=2026-01-05T10:00:00.999Z").await.unwrap(), b"0\n1\n2\n3\n");
    assert_eq!(setup.log(&pod, "&tailLines=2").await.unwrap(), b"2\n3\n");
    assert_eq!(setup.log(&pod, "&limitBytes=3").await.unwrap(), b"0\n1");
}

#[tokio::test(start_paused = true)]
async fn a_deleted_pod_is_readable_in_its_grace_period_and_the_follow_gets_the_last_words() {
    let last_words = Script::new().print("stopping").wait(seconds(2)).print("stopped").exit(143);
    let setup = setup(Script::new().print("working").never_ends().on_term(last_words));
    let pod = setup.start(job(), "running").await;
    let mut stream = setup.open_log(&pod, "&follow=true").await.unwrap();
    setup.pods.delete(&pod, &DeleteParams::default()).await.unwrap();
    tokio::time::sleep(seconds(1)).await;
    assert_eq!(text(&setup.log(&pod, "").await.unwrap()), "working\nstopping\n");
    let mut all = Vec::new();
    stream.read_to_end(&mut all).await.unwrap();
    assert_eq!(text(&all), "working\nstopping\nstopped\n");
    assert_eq!(status_of(setup.log(&pod, "").await.unwrap_err()).code, 404, "a read after the follow comes too late");
}

#[tokio::test(start_paused = true)]
async fn the_kubelet_rotates_at_its_ten_second_look_and_only_the_new_file_is_readable() {
    let script = Script::new().lines(20, "{n} aaaaaaaaaaaaaaaaaaaaaaaaaaaaa").wait(seconds(9)).print("same file");
    let setup = setup(script.wait(seconds(2)).print("next file").never_ends());
    setup.simulator.knobs().log_settings(LogSettings { max_size: 512 });
    let pod = setup.start(job(), "running").await;
    let mut stream = setup.open_log(&pod, "&follow=true").await.unwrap();
    let (mut all, mut piece) = (Vec::new(), [0; 1024]);
    while !all.ends_with(b"same file\n") {
        let length = stream.read(&mut piece).await.unwrap();
        all.extend_from_slice(&piece[..length]);
    }
    assert!(text(&setup.log(&pod, "").await.unwrap()).ends_with("same file\n"));
    tokio::time::sleep(seconds(10)).await;
    assert_eq!(text(&setup.log(&pod, "").await.unwrap()), "next file\n");
    assert!(setup.simulator.knobs().delete_pod(NAMESPACE, &pod, None, None));
    stream.read_to_end(&mut all).await.unwrap();
    assert!(text(&all).ends_with("same file\nnext file\n"), "a follow that keeps up crosses the rotation");
    assert_eq!(text(&all).lines().count(), 22);
}

#[tokio::test(start_paused = true)]
async fn a_stepped_node_clock_shows_in_the_record_times() {
    let setup = setup(Script::new().print("a").gate("stepped").print("b").never_ends());
    let pod = setup.start(job(), "running").await;
    setup.simulator.knobs().step_node_clock(SignedDuration::from_secs(-3600));
    setup.simulator.knobs().open_gate("stepped");
    tokio::time::sleep(milliseconds(1)).await;
    let all = text(&setup.log(&pod, "&timestamps=true").await.unwrap());
    let lines: Vec<_> = all.lines().collect();
    assert!(lines[0].starts_with("2026-01-05T10:00"), "{all}");
    assert!(lines[1].starts_with("2026-01-05T09:00"), "{all}");
}

#[tokio::test(start_paused = true)]
async fn follows_end_on_demand_and_an_abandoned_follow_is_noticed() {
    let setup = setup(Script::new().print("x").never_ends());
    let pod = setup.start(job(), "running").await;
    for (reset, ends_cleanly) in [(false, true), (true, false)] {
        let mut stream = setup.open_log(&pod, "&follow=true").await.unwrap();
        let mut first = [0; 2];
        stream.read_exact(&mut first).await.unwrap();
        assert_eq!(setup.simulator.open_streams().logs, 1);
        setup.simulator.knobs().close_follows(reset);
        assert_eq!(stream.read(&mut first).await.is_ok(), ends_cleanly);
        drop(stream);
    }
    let stream = setup.open_log(&pod, "&follow=true").await.unwrap();
    drop(stream);
    assert_eq!(setup.simulator.open_streams().logs, 0);
}

#[tokio::test(start_paused = true)]
async fn a_large_log_arrives_completely() {
    let setup = setup(Script::new().lines(200_000, "{n} aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa").exit(0));
    let pod = setup.start(job(), "terminated").await;
    let body = setup.log(&pod, "&timestamps=true").await.unwrap();
    assert_eq!(memchr::memchr_iter(b'\n', &body).count(), 200_000);
    assert!(body.ends_with(b" 199999 aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\n"));
}
