//! Where a run is, with everything that is only known or needed there.

use jiff::Timestamp;

use super::draining::Draining;
use super::queue::Queued;
use super::running::Running;
use super::start::{StartUp, Starting};
use super::stop::{Order, Stopping};
use crate::outcome::Ending;

/// Where the run is.
#[derive(Debug, Clone, PartialEq)]
pub enum Phase {
    /// Released, and suspended: a queue has not admitted it, or something else holds it back.
    Queued(Queued),
    /// No node yet.
    Scheduling(StartUp),
    /// A node, but the container does not run yet.
    Starting(Starting),
    /// The container runs, as far as anybody knows.
    Running(Running),
    /// The container ended, by its own word or because its pod is terminal or gone, but the kubelet posted no state.
    AwaitingState {
        /// Since when.
        since: Timestamp,
    },
    /// Deletion was asked for; waiting for the pods' end.
    Stopping(Stopping),
    /// The container ended; the log's tail is being read.
    Draining(Draining),
    /// Nothing more to do.
    Decided(Box<Ending>),
}

impl Phase {
    /// For people.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Queued(_) => "queued",
            Self::Scheduling(_) => "scheduling",
            Self::Starting(_) => "starting",
            Self::Running(_) => "running",
            Self::AwaitingState { .. } => "awaiting the container's state",
            Self::Stopping(_) => "stopping",
            Self::Draining(_) => "draining",
            Self::Decided(_) => "decided",
        }
    }

    /// Our own order to delete the Job, once it was given.
    pub(super) fn order(&self) -> Option<Order> {
        match self {
            Self::Stopping(stopping) => Some(stopping.order),
            Self::Draining(draining) => draining.order,
            _ => None,
        }
    }

    pub(super) fn order_mut(&mut self) -> Option<&mut Order> {
        match self {
            Self::Stopping(stopping) => Some(&mut stopping.order),
            Self::Draining(draining) => draining.order.as_mut(),
            _ => None,
        }
    }
}
