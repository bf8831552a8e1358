//! What a test may bend, as data: `control` writes it, the rooms read it and act.
//!
//! | file | bends | read by |
//! |---|---|---|
//! | `answers.rs` (`fault.rs`, `access.rs`) | answers of the API server: errors, denials, refused creates, silent streams | `api` |
//! | `node.rs` | one pod on its node (eviction, end, lost node), the logs of all | `kubelet`, `api` |
//! | `hold.rs` | parts that stop doing their work | `job_controller`, `kubelet` |
//! | `lags.rs` | how long the parts take | all |
//!
//! Clocks that are off stand in `crate::clock`. A controller of its own (a queue, say) is a room of its own, with its file here.

mod access;
mod answers;
mod fault;
mod fault_table;
mod hold;
mod lags;
mod node;

pub(crate) use access::{Denials, Wish, denial};
pub(crate) use answers::AnswerKnobs;
pub use answers::{AdmissionRule, CreateWarning, Mutation};
pub use fault::{CutEnd, Fault, FaultAction, RequestMatch};
pub(crate) use fault_table::FaultTable;
pub(crate) use fault_table::Seen;
pub(crate) use hold::names_of;
pub use hold::{Hold, HoldKind};
pub use lags::Lags;
pub use node::{Eviction, LogSettings};
pub(crate) use node::{NodeKnobs, PodKnobs};

/// All knobs.
#[derive(Debug, Default)]
pub(crate) struct KnobState {
    pub(crate) answers: AnswerKnobs,
    pub(crate) node: NodeKnobs,
    pub(crate) holds: Vec<Hold>,
    pub(crate) lags: Lags,
}

impl KnobState {
    /// The hold of this kind that applies to one of the names.
    pub(crate) fn hold(&self, kind: HoldKind, names: &[&str]) -> Option<&Hold> {
        self.holds.iter().find(|hold| hold.kind == kind && hold.applies_to(names))
    }
}
