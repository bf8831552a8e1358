//! Injected faults.

use claude_k8s_testkit::{CutEnd, Fault, FaultAction, RequestMatch, Script};
use futures_util::AsyncReadExt;
use kube::api::{ListParams, PostParams};
use tokio::time::{Instant, timeout};

use crate::setup::*;

fn inject(setup: &Setup, fault: Fault) -> u64 {
    setup.simulator.knobs().fault(fault).unwrap()
}

#[tokio::test(start_paused = true)]
async fn statuses_come_as_ordered_and_as_often_as_ordered() {
    let setup = setup(Script::new());
    let id = inject(&setup, Fault::new(RequestMatch::of("list", "jobs"), FaultAction::status(500)).after(1).times(2));
    let mut codes = Vec::new();
    for _ in 0..4 {
        let answer = setup.jobs.list(&ListParams::default()).await;
        codes.push(answer.map_or_else(|error| status_of(error).code, |_| 200));
    }
    assert_eq!(codes, [200, 500, 500, 200]);
    assert_eq!(setup.simulator.knobs().fault_hits(id), 2);
    assert_eq!(setup.simulator.requests()[1].fault, Some(id));
    assert!(setup.pods.list(&ListParams::default()).await.is_ok(), "other requests are not hit");
}

#[tokio::test(start_paused = true)]
async fn a_write_can_happen_although_the_answer_is_an_error_or_a_broken_connection() {
    let matching = || RequestMatch::of("create", "jobs");
    for action in [FaultAction::timeout_after_write(), FaultAction::Reset { after_write: true }] {
        let setup = setup(Script::new().never_ends());
        inject(&setup, Fault::new(matching(), action).times(1));
        setup.jobs.create(&PostParams::default(), &job().build().unwrap()).await.unwrap_err();
        assert!(setup.jobs.get("run-1").await.is_ok());
        let again = setup.jobs.create(&PostParams::default(), &job().build().unwrap()).await.unwrap_err();
        assert_eq!(status_of(again).reason, "AlreadyExists");
    }
}

#[tokio::test(start_paused = true)]
async fn a_hanging_request_is_recorded_as_aborted_when_the_client_gives_up() {
    let setup = setup(Script::new());
    inject(&setup, Fault::new(RequestMatch::of("list", "pods"), FaultAction::Hang { after_write: false }));
    assert!(timeout(seconds(15), setup.pods.list(&ListParams::default())).await.is_err());
    assert_eq!(setup.simulator.open_streams().in_flight, 0);
    assert!(setup.simulator.requests()[0].aborted);
}

#[tokio::test(start_paused = true)]
async fn a_delay_passes_virtual_time_and_then_the_real_answer_comes() {
    let setup = setup(Script::new());
    inject(&setup, Fault::new(RequestMatch::any(), FaultAction::Delay { ms: 40_000 }));
    let start = Instant::now();
    assert!(setup.jobs.list(&ListParams::default()).await.is_ok());
    assert_eq!(start.elapsed(), seconds(40));
}

#[tokio::test(start_paused = true)]
async fn an_html_page_and_a_kubelet_404_are_no_proof_of_absence() {
    let setup = setup(Script::new());
    inject(&setup, Fault::new(RequestMatch::of("get", "jobs"), FaultAction::Html { code: 404, after_write: false }));
    let status = status_of(setup.jobs.get("run-1").await.unwrap_err());
    assert_eq!((status.code, status.reason.as_str()), (404, "Failed to parse error data"));
    inject(&setup, Fault::new(RequestMatch::of("get", "pods/log"), FaultAction::kubelet_does_not_know_the_pod()));
    let status = status_of(setup.log("p", "").await.unwrap_err());
    assert_eq!((status.code, status.details.unwrap().kind.as_str()), (404, "pods/log"));
}

#[tokio::test(start_paused = true)]
async fn a_log_body_is_cut_cleanly_or_broken_or_stalls() {
    let setup = setup(Script::new().print("0123456789").never_ends());
    let pod = setup.start(job(), "running").await;
    let cut = |end| FaultAction::cut(4, end);

    inject(&setup, Fault::new(RequestMatch::follows(), cut(CutEnd::Clean)).times(1));
    assert_eq!(setup.log(&pod, "&follow=true").await.unwrap(), b"0123");

    inject(&setup, Fault::new(RequestMatch::follows(), cut(CutEnd::Reset)).times(1));
    assert!(setup.log(&pod, "&follow=true").await.is_err());

    inject(&setup, Fault::new(RequestMatch::follows(), cut(CutEnd::Stall)).times(1));
    let mut stream = setup.open_log(&pod, "&follow=true").await.unwrap();
    let mut buffer = [0; 16];
    assert_eq!(stream.read(&mut buffer).await.unwrap(), 4);
    assert!(timeout(seconds(3600), stream.read(&mut buffer)).await.is_err());
}

#[tokio::test(start_paused = true)]
async fn a_matching_path_is_a_regular_expression() {
    let setup = setup(Script::new());
    let path = RequestMatch { path: Some("/jobs/run-[12]$".to_owned()), ..RequestMatch::default() };
    inject(&setup, Fault::new(path, FaultAction::too_many_requests(seconds(7))));
    let status = status_of(setup.jobs.get("run-2").await.unwrap_err());
    assert_eq!((status.code, status.details.unwrap().retry_after_seconds), (429, 7));
    assert_eq!(status_of(setup.jobs.get("run-3").await.unwrap_err()).code, 404);
    let broken = RequestMatch { path: Some("(".to_owned()), ..RequestMatch::default() };
    assert!(setup.simulator.knobs().fault(Fault::new(broken, FaultAction::status(500))).is_err());
}
