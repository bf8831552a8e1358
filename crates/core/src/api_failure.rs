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
        Self::new(what, format!("no answer within {} s", limit.as_secs()), FailureKind::Timeout)
    }

    /// Nobody knows whether the call had an effect.
    #[must_use]
    pub fn is_ambiguous(&self) -> bool {
        self.kind.is_passing()
    }
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
}
