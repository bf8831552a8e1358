//! A launch that led to nothing.

use crate::failure::Refusal;

/// An order to stop a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StopOrder {
    /// An operator cancelled.
    Cancel,
    /// The host lost ownership of the run; the Job stays.
    LeaseLost,
}

/// Why there is nothing to follow. The cluster is as it was before.
#[derive(Debug, Clone, PartialEq)]
pub enum NotLaunched {
    /// With a code and a message.
    Refused(Refusal),
    /// A stop was ordered before the release.
    Stopped(StopOrder),
}

impl From<Refusal> for NotLaunched {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl From<StopOrder> for NotLaunched {
    fn from(order: StopOrder) -> Self {
        Self::Stopped(order)
    }
}
