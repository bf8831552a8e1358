//! Jobs and pods reduced to the facts a run decides on, folded so that a terminal fact is never lost.
//!
//! The index of `crates/cluster` folds every object it sees into a [`RunView`] and publishes the newest one;
//! a reader never has to reconstruct history. What is terminal sticks to its uid: an older read cannot revoke it.

mod job;
mod kept;
mod listed;
mod owner;
mod pod;

pub use job::{JobCondition, JobFacts};
pub use listed::{Listed, Listing, PodOfJob};
pub use owner::{Owner, owner};
pub use pod::{ContainerFacts, ContainerState, Disruption, PodFacts, PodPhase, Terminated};

/// The newest known facts about one Job and every pod it ever had.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct RunView {
    /// The Job, once seen.
    pub job: Option<JobFacts>,
    /// Its pods in the order they were first seen. More than one means the prompt could run twice.
    pub pods: Vec<PodFacts>,
    /// When the index lost contact with the API server; `None` while it is in sync.
    pub stale_since: Option<jiff::Timestamp>,
}

impl RunView {
    /// The pod that runs the container: the first one seen.
    #[must_use]
    pub fn pod(&self) -> Option<&PodFacts> {
        self.pods.first()
    }
}

#[cfg(test)]
mod tests;
