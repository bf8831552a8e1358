//! The kinds of answers that are none, and what each is for the call table.

use claude_k8s_core::api_failure::FailureKind;
use claude_k8s_testkit::FaultAction;

use crate::whole_run::requests::{conflict, done_but, fails, forbidden, hangs, missing, slow};
use crate::whole_run::world::seconds;

pub(super) struct Kind {
    pub(super) name: &'static str,
    /// By verb and resource.
    pub(super) action: fn(&str, &str) -> FaultAction,
    is: FailureKind,
}

/// An answer that comes so late is no failure of a call that waits longer.
const LATE: &str = "slow 11 s";

impl Kind {
    /// As the table knows it. `None`: an answer like any other.
    pub(super) fn is(&self, verb: &str, resource: &str) -> Option<FailureKind> {
        match (self.is, verb) {
            // A server has it of a create that the name is taken.
            (FailureKind::Conflict, "create") => Some(FailureKind::AlreadyExists),
            (FailureKind::Timeout, "list" | "watch") if self.name == LATE => None,
            (FailureKind::Timeout, _) if self.name == LATE && resource == "pods/log" => None,
            (is, _) => Some(is),
        }
    }
}

const fn kind(name: &'static str, is: FailureKind, action: fn(&str, &str) -> FaultAction) -> Kind {
    Kind { name, action, is }
}

pub(super) const KINDS: [Kind; 17] = [
    kind("500", FailureKind::Server, |_, _| fails(500)),
    kind("502", FailureKind::Server, |_, _| FaultAction::Html { code: 502, after_write: false }),
    kind("503", FailureKind::Server, |_, _| fails(503)),
    kind("504 done", FailureKind::Server, |_, _| done_but(504)),
    kind("429", FailureKind::TooManyRequests, |_, _| fails(429)),
    kind("429 in 3 s", FailureKind::TooManyRequests, |_, _| FaultAction::too_many_requests(seconds(3))),
    kind("401", FailureKind::Unauthorized, |_, _| fails(401)),
    kind("403", FailureKind::Forbidden, forbidden),
    kind("404", FailureKind::NotFound, |_, resource| missing(resource)),
    kind("404 page", FailureKind::AbsenceUnproven, |_, _| FaultAction::Html { code: 404, after_write: false }),
    kind("409", FailureKind::Conflict, conflict),
    kind("410", FailureKind::Expired, |_, _| fails(410)),
    kind("200 page", FailureKind::Unreadable, |_, _| FaultAction::Html { code: 200, after_write: false }),
    kind("reset", FailureKind::Network, |_, _| FaultAction::Reset { after_write: false }),
    kind("reset done", FailureKind::Network, |_, _| FaultAction::Reset { after_write: true }),
    kind("no answer", FailureKind::Timeout, |_, _| hangs()),
    kind(LATE, FailureKind::Timeout, |_, _| slow(seconds(11))),
];
