//! "Deleted" is a claim that needs proof: two reads by name, a second apart (END-07).

use std::time::Duration;

use claude_k8s_core::api_failure::ApiFailure;
use claude_k8s_core::launch::Call;
use claude_k8s_core::run::{Proof, ProofOf};
use claude_k8s_core::view::{Listed, PodOfJob, RunView};

use crate::api::{Namespace, patiently};
use crate::index::NamespaceIndex;

/// Between the two reads.
const APART: Duration = Duration::from_secs(1);

/// Reads the Job and its pod once more and tells the index (FLD-06). A pod that was never seen is looked for in a list.
///
/// What is absent twice is still only a claim, as that of a watch: it is proven afterwards if the verdict needs it.
pub(crate) async fn look(namespace: &Namespace, selector: &str, index: &NamespaceIndex, view: &RunView) {
    let Some(job) = &view.job else { return };
    let pods = async {
        let Some(pod) = view.pod() else {
            let listed = patiently(Call::Look, || namespace.list_job_pods(selector)).await;
            return index.note_pods(&job.uid, listed.unwrap_or_default());
        };
        match read_twice(|| namespace.get_pod(&pod.name)).await {
            Ok(found) if found.metadata.uid.as_ref() == Some(&pod.uid) => {
                index.note_pods(&job.uid, PodOfJob::of(&found).into_iter().collect());
            }
            Err(failure) if !Call::Look.knows_by(failure.kind) => {}
            _ => index.note_absent_pod(&job.uid, &pod.uid),
        }
    };
    let job = async {
        match read_twice(|| namespace.get_job(&job.name)).await {
            Ok(found) if found.metadata.uid.as_ref() == Some(&job.uid) => index.note_job(&found),
            Err(failure) if !Call::Look.knows_by(failure.kind) => {}
            _ => index.note_absent_job(&job.uid),
        }
    };
    tokio::join!(job, pods);
}

/// Reads once; again where it is absent, because one answer alone does not say so. A proof that follows waits in between.
async fn read_twice<T, F>(request: impl Fn() -> F) -> Result<T, ApiFailure>
where
    F: Future<Output = Result<T, ApiFailure>>,
{
    let first = patiently(Call::Look, &request).await;
    if !first.as_ref().is_err_and(|failure| Call::Look.knows_by(failure.kind)) {
        return first;
    }
    patiently(Call::Look, &request).await
}

/// Asks the API server, not the watch.
pub(crate) async fn prove(namespace: &Namespace, of: ProofOf, view: &RunView) -> Proof {
    let first = ask(namespace, of, view).await;
    if matches!(first, Proof::Gone | Proof::OtherUid) {
        tokio::time::sleep(APART).await;
        return ask(namespace, of, view).await;
    }
    first
}

async fn ask(namespace: &Namespace, of: ProofOf, view: &RunView) -> Proof {
    let (call, found, uid) = match (of, &view.job, view.pod()) {
        (ProofOf::Job, Some(job), _) => {
            let found = patiently(Call::ProveJob, || namespace.get_job(&job.name)).await;
            (Call::ProveJob, found.map(|one| one.metadata.uid), &job.uid)
        }
        (ProofOf::Pod, _, Some(pod)) => {
            let found = patiently(Call::ProvePod, || namespace.get_pod(&pod.name)).await;
            (Call::ProvePod, found.map(|one| one.metadata.uid), &pod.uid)
        }
        _ => return Proof::Unknown,
    };
    match found {
        Ok(Some(found)) if found == *uid => Proof::Present,
        Ok(_) => Proof::OtherUid,
        Err(failure) if call.knows_by(failure.kind) => Proof::Gone,
        Err(_) => Proof::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use claude_k8s_core::view::{JobFacts, PodFacts};
    use http::{Request, Response};
    use kube::Client;
    use kube::client::Body;
    use serde_json::{Value, json};

    use super::*;

    /// A namespace that answers each request with the next of `answers`, and the paths that were asked.
    fn namespace(answers: Vec<(u16, String)>) -> (Namespace, Arc<Mutex<Vec<String>>>) {
        let asked = Arc::new(Mutex::new(vec![]));
        let (paths, answers) = (Arc::clone(&asked), Arc::new(Mutex::new(answers.into_iter())));
        let service = tower::service_fn(move |request: Request<Body>| {
            paths.lock().unwrap().push(request.uri().path().to_owned());
            let (code, body) = answers.lock().unwrap().next().expect("a request too many");
            let answer = Response::builder().status(code).body(Body::from(body.into_bytes())).unwrap();
            async move { Ok::<_, std::convert::Infallible>(answer) }
        });
        (Namespace::new(Client::new(service, "ns"), "ns"), asked)
    }

    fn view() -> RunView {
        let job = JobFacts { name: "j".into(), uid: "job-uid".into(), ..JobFacts::default() };
        let pod = PodFacts { name: "p".into(), uid: "pod-uid".into(), ..PodFacts::default() };
        RunView { job: Some(job), pods: vec![pod], stale_since: None }
    }

    fn status(code: u16, reason: &str, kind: &str) -> (u16, String) {
        let status = json!({ "kind": "Status", "apiVersion": "v1", "status": "Failure", "code": code, "reason": reason,
            "message": "m", "details": { "kind": kind } });
        (code, status.to_string())
    }

    fn object(uid: &str) -> (u16, String) {
        let object: Value = json!({ "metadata": { "name": "j", "uid": uid } });
        (200, object.to_string())
    }

    #[tokio::test(start_paused = true)]
    async fn end_07_gone_takes_two_answers_a_second_apart() {
        let gone = || status(404, "NotFound", "jobs");
        let html = || (404, "<html>not found</html>".to_owned());
        let namespace_gone = || status(404, "NotFound", "namespaces");
        for (answers, proof, time) in [
            (vec![gone(), gone()], Proof::Gone, 1),
            (vec![object("other"), object("other")], Proof::OtherUid, 1),
            (vec![gone(), object("other")], Proof::OtherUid, 1),
            (vec![gone(), object("job-uid")], Proof::Present, 1),
            (vec![object("other"), object("job-uid")], Proof::Present, 1),
            (vec![gone(), status(500, "InternalError", "")], Proof::Unknown, 1),
            (vec![gone(), html()], Proof::Unknown, 1),
            (vec![object("job-uid")], Proof::Present, 0),
            (vec![html()], Proof::Unknown, 0),
            (vec![namespace_gone()], Proof::Unknown, 0),
            (vec![status(403, "Forbidden", "jobs")], Proof::Unknown, 0),
        ] {
            let expected_requests = answers.len();
            let (namespace, asked) = namespace(answers);
            let before = tokio::time::Instant::now();
            assert_eq!(prove(&namespace, ProofOf::Job, &view()).await, proof);
            assert_eq!(before.elapsed(), Duration::from_secs(time));
            let asked = asked.lock().unwrap().clone();
            assert_eq!(asked, vec!["/apis/batch/v1/namespaces/ns/jobs/j"; expected_requests]);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_pod_is_asked_for_as_a_pod_and_an_unknown_one_not_at_all() {
        let (namespace, asked) = namespace(vec![status(404, "NotFound", "pods"), status(404, "NotFound", "pods")]);
        assert_eq!(prove(&namespace, ProofOf::Pod, &view()).await, Proof::Gone);
        assert_eq!(*asked.lock().unwrap(), ["/api/v1/namespaces/ns/pods/p"; 2]);
        assert_eq!(prove(&namespace, ProofOf::Pod, &RunView::default()).await, Proof::Unknown);
    }
}
