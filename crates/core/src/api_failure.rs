//! A call to the API server that failed, as the code that saw the answer judged it.
//!
//! `crates/cluster` reads an answer into an [`ApiFailure`]; what it means for a run stands in the table of
//! [`crate::launch`].

use std::time::Duration;

/// What kind of failure it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FailureKind {
    /// 401: the credential is refused.
    Unauthorized,
    /// 403 for want of a permission.
    Forbidden,
    /// 403 because a quota is used up.
    OverQuota,
    /// 403, 422 or another refusal of the object itself: admission, Pod Security, validation.
    Rejected,
    /// Status `NotFound` for the very kind that was asked for.
    NotFound,
    /// Any other 404, such as a proxy's page or a missing namespace: no proof about the object (END-07).
    AbsenceUnproven,
    /// 409: the object exists already.
    AlreadyExists,
    /// 409: a precondition failed, or somebody else changed the object.
    Conflict,
    /// 410: what the call refers to is too old.
    Expired,
    /// 429, with or without `Retry-After`.
    TooManyRequests,
    /// 5xx, or a status that no rule knows.
    Server,
    /// An answer that says success in a form nobody can read, such as a proxy's page.
    Unreadable,
    /// No connection, or it broke: whether the call had an effect is unknown.
    Network,
    /// No answer within the limit: whether the call had an effect is unknown.
    Timeout,
}

impl FailureKind {
    /// How many there are.
    pub const COUNT: usize = 14;

    /// Every kind, in the order of the columns of the call table.
    pub const ALL: [Self; Self::COUNT] = [
        Self::Unauthorized,
        Self::Forbidden,
        Self::OverQuota,
        Self::Rejected,
        Self::NotFound,
        Self::AbsenceUnproven,
        Self::AlreadyExists,
        Self::Conflict,
        Self::Expired,
        Self::TooManyRequests,
        Self::Server,
        Self::Unreadable,
        Self::Network,
        Self::Timeout,
    ];

    /// Where it stands in [`Self::ALL`].
    #[must_use]
    pub(crate) fn column(self) -> usize {
        self as usize
    }

    /// The same call may work a moment later: nothing was judged.
    #[must_use]
    pub fn is_passing(self) -> bool {
        matches!(
            self,
            Self::AbsenceUnproven
                | Self::Expired
                | Self::TooManyRequests
                | Self::Server
                | Self::Unreadable
                | Self::Network
                | Self::Timeout
        )
    }
}

/// What a request was made for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// To change something: the object that was sent may be what was refused.
    Act,
    /// To learn something.
    Ask,
}

/// An answer that says failure, as far as its kind depends on it.
#[derive(Debug, Clone, Copy)]
pub struct Answer<'a> {
    /// HTTP status.
    pub code: u16,
    /// `reason` of the `Status`.
    pub reason: &'a str,
    /// The resource it speaks about, such as `jobs`.
    pub about: &'a str,
    /// Its text.
    pub message: &'a str,
}

impl Answer<'_> {
    /// The kind of failure. `resource` is the plural that was asked for, such as `jobs`.
    ///
    /// A proxy's HTML 404 and `namespaces "x" not found` are no proof about the object (END-07).
    #[must_use]
    pub fn kind(self, purpose: Purpose, resource: &str) -> FailureKind {
        match (self.code, self.reason) {
            (401, _) => FailureKind::Unauthorized,
            // Nothing about an object can be refused where none is sent: such a 403 is the authorisation's.
            (403, _) if purpose == Purpose::Ask => FailureKind::Forbidden,
            (403, "Forbidden") if self.message.contains("exceeded quota") => FailureKind::OverQuota,
            (403, "Forbidden") if self.is_admission() => FailureKind::Rejected,
            (403, _) => FailureKind::Forbidden,
            (404, "NotFound") if self.about == resource => FailureKind::NotFound,
            (404, _) => FailureKind::AbsenceUnproven,
            (409, "AlreadyExists") => FailureKind::AlreadyExists,
            (409, _) => FailureKind::Conflict,
            (410, _) => FailureKind::Expired,
            (429, _) => FailureKind::TooManyRequests,
            (400 | 405 | 406 | 413 | 415 | 422, _) => FailureKind::Rejected,
            _ => FailureKind::Server,
        }
    }

    /// Authorisation says "User … cannot …"; quota and Pod Security use 403 for the object itself.
    fn is_admission(self) -> bool {
        !self.message.split_once("User \"").is_some_and(|(_, rest)| rest.contains("\" cannot "))
    }
}

/// A failed call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiFailure {
    /// What was tried, for example ``Creating Job `x` in namespace `y` ``.
    pub what: String,
    /// `HTTP <code> <Status message>`, or what happened to the connection.
    pub cause: String,
    /// What kind.
    pub kind: FailureKind,
    /// The server asked for this pause.
    pub retry_after: Option<Duration>,
}

impl ApiFailure {
    /// A failure without an answer of the server.
    #[must_use]
    pub fn new(what: impl Into<String>, cause: impl Into<String>, kind: FailureKind) -> Self {
        Self { what: what.into(), cause: cause.into(), kind, retry_after: None }
    }

    /// The call got no answer in time.
    #[must_use]
    pub fn timed_out(what: impl Into<String>, limit: Duration) -> Self {
        Self::new(what, no_answer_within(limit), FailureKind::Timeout)
    }

    /// Nobody knows whether the call had an effect.
    #[must_use]
    pub fn is_ambiguous(&self) -> bool {
        self.kind.is_passing()
    }
}

/// The cause of a call that was given up.
#[must_use]
pub fn no_answer_within(limit: Duration) -> String {
    format!("no answer within {} s", limit.as_secs())
}

impl std::fmt::Display for ApiFailure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} failed: {}", self.what, self.cause)
    }
}

impl std::error::Error for ApiFailure {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_stands_in_its_own_column() {
        for (column, kind) in FailureKind::ALL.into_iter().enumerate() {
            assert_eq!(kind.column(), column, "{kind:?}");
        }
    }

    fn answer<'a>(code: u16, reason: &'a str, about: &'a str, message: &'a str) -> Answer<'a> {
        Answer { code, reason, about, message }
    }

    #[test]
    fn fld_01_each_kind_of_answer_is_told_apart() {
        let denied = "jobs.batch is forbidden: User \"u\" cannot create resource \"jobs\" in API group \"batch\"";
        for (answer, expected) in [
            (answer(401, "Unauthorized", "", "m"), FailureKind::Unauthorized),
            (answer(403, "Forbidden", "jobs", denied), FailureKind::Forbidden),
            (answer(403, "Forbidden", "pods", "pods \"x\" is forbidden: exceeded quota: q"), FailureKind::OverQuota),
            (
                answer(403, "Forbidden", "jobs", "admission webhook \"w\" denied: it cannot run as root"),
                FailureKind::Rejected,
            ),
            (answer(403, "", "", "a proxy's"), FailureKind::Forbidden),
            (answer(409, "AlreadyExists", "jobs", "m"), FailureKind::AlreadyExists),
            (answer(409, "Conflict", "jobs", "m"), FailureKind::Conflict),
            (answer(410, "Expired", "", "m"), FailureKind::Expired),
            (answer(422, "Invalid", "jobs", "m"), FailureKind::Rejected),
            (answer(429, "TooManyRequests", "", "m"), FailureKind::TooManyRequests),
            (answer(500, "InternalError", "", "m"), FailureKind::Server),
            (answer(502, "Failed to parse error data", "", "<html>"), FailureKind::Server),
            (answer(503, "ServiceUnavailable", "", "m"), FailureKind::Server),
            (answer(504, "Timeout", "", "m"), FailureKind::Server),
        ] {
            assert_eq!(answer.kind(Purpose::Act, "jobs"), expected, "{answer:?}");
        }
        let quota = answer(403, "Forbidden", "pods", "exceeded quota: q");
        assert_eq!(quota.kind(Purpose::Ask, "pods"), FailureKind::Forbidden, "nothing was sent that a quota counts");
    }

    #[test]
    fn end_07_only_a_status_for_the_very_kind_proves_absence() {
        for (answer, expected) in [
            (answer(404, "NotFound", "jobs", "jobs \"x\" not found"), FailureKind::NotFound),
            (answer(404, "NotFound", "namespaces", "namespaces \"n\" not found"), FailureKind::AbsenceUnproven),
            (answer(404, "Failed to parse error data", "", "<html>"), FailureKind::AbsenceUnproven),
            (answer(404, "NotFound", "", "404 page not found"), FailureKind::AbsenceUnproven),
        ] {
            assert_eq!(answer.kind(Purpose::Act, "jobs"), expected, "{answer:?}");
        }
    }
}
