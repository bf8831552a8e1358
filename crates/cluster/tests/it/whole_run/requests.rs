//! The requests of a run as tests write them, for example `create jobs/NAME`: what was asked, and what goes wrong with it.

use std::time::Duration;

use claude_k8s_testkit::{Fault, FaultAction, RequestMatch, RequestRecord};
use tokio::time::sleep;

use super::world::World;

/// Permission reviews, which [`World::requests`] leaves out.
pub(crate) const REVIEW: &str = "create selfsubjectaccessreviews";

impl World {
    /// Requests so far, oldest first. `ac-agent-1-run-1-0ec508-run` is written `run-1-run`.
    pub(crate) fn requests(&self) -> Vec<String> {
        let all = self.simulator.requests();
        all.iter().map(written).filter(|text| !text.starts_with(REVIEW)).collect()
    }

    /// Requests that change something.
    pub(crate) fn writes(&self) -> Vec<String> {
        let writes = ["create", "patch", "delete"];
        self.requests().into_iter().filter(|text| writes.iter().any(|verb| text.starts_with(verb))).collect()
    }

    /// How many requests began with this text.
    pub(crate) fn count(&self, what: &str) -> usize {
        self.simulator.requests().iter().filter(|request| written(request).starts_with(what)).count()
    }

    /// Waits until a request begins with this text.
    pub(crate) async fn asked(&self, what: &str) {
        self.asked_times(what, 1).await;
    }

    /// Waits until so many requests began with this text.
    pub(crate) async fn asked_times(&self, what: &str, times: usize) {
        while self.count(what) < times {
            sleep(Duration::from_millis(1)).await;
        }
    }

    /// The next `times` requests like this go wrong; `times` is 0 for all of them. A name is written out.
    pub(crate) fn goes_wrong(&self, what: &str, times: u32, action: FaultAction) {
        let fault = Fault::new(like(what), action);
        self.fault(if times == 0 { fault } else { fault.times(times) });
    }
}

fn written(request: &RequestRecord) -> String {
    match (request.verb.as_str(), request.resource.as_str(), request.name.as_str()) {
        // Their names are random.
        (verb, "pods/log", _) => format!("{verb} pods/log"),
        ("", _, _) => format!("{} {}", request.method, request.path),
        (verb, resource, "") => format!("{verb} {resource}"),
        (verb, resource, name) => format!("{verb} {resource}/{}", short(name)),
    }
}

/// Without the parts of a Job's name that say nothing.
pub(crate) fn short(name: &str) -> String {
    let Some(of_run) = name.strip_prefix("ac-agent-1-") else { return name.to_owned() };
    let hash = of_run.match_indices('-').nth(1).map_or(of_run.len(), |(at, _)| at);
    format!("{}{}", &of_run[..hash], of_run.get(hash + 7..).unwrap_or_default())
}

pub(crate) fn like(what: &str) -> RequestMatch {
    let Some((verb, object)) = what.split_once(' ') else {
        return RequestMatch { verb: Some(what.to_owned()), ..RequestMatch::default() };
    };
    match object.split_once('/') {
        Some((resource, name)) if name != "log" => RequestMatch::of(verb, resource).named(name),
        _ => RequestMatch::of(verb, object),
    }
}

/// Refused with this code, without effect.
pub(crate) fn fails(code: u16) -> FaultAction {
    FaultAction::status(code)
}

/// Done, but answered with this code.
pub(crate) fn done_but(code: u16) -> FaultAction {
    let (message, reason, details_kind, retry_after_seconds) = (None, None, None, None);
    FaultAction::Status { code, message, reason, details_kind, retry_after_seconds, after_write: true }
}

/// The permission is gone.
pub(crate) fn forbidden(verb: &str, resource: &str) -> FaultAction {
    let message = Some(format!("User \"u\" cannot {verb} resource \"{resource}\""));
    let (reason, details_kind, retry_after_seconds) = (None, None, None);
    FaultAction::Status { code: 403, message, reason, details_kind, retry_after_seconds, after_write: false }
}

/// A Status `NotFound` for the very kind that was asked for.
pub(crate) fn missing(resource: &str) -> FaultAction {
    let details_kind = resource.split('/').next().map(str::to_owned);
    let (message, reason, retry_after_seconds) = (None, None, None);
    FaultAction::Status { code: 404, message, reason, details_kind, retry_after_seconds, after_write: false }
}

/// Changed by somebody else; of a create: the name is taken.
pub(crate) fn conflict(verb: &str, _resource: &str) -> FaultAction {
    let reason = Some(if verb == "create" { "AlreadyExists" } else { "Conflict" }.to_owned());
    let (message, details_kind, retry_after_seconds) = (None, None, None);
    FaultAction::Status { code: 409, message, reason, details_kind, retry_after_seconds, after_write: false }
}

/// No answer, no effect.
pub(crate) fn hangs() -> FaultAction {
    FaultAction::Hang { after_write: false }
}

/// Done and answered after this time.
pub(crate) fn slow(time: Duration) -> FaultAction {
    FaultAction::Delay { ms: u64::try_from(time.as_millis()).unwrap_or(u64::MAX) }
}
