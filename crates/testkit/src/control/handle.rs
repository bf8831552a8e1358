//! The Rust side of the knobs. Everything here is immediate: it returns when the change is in force.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use crate::cluster::{Cluster, Image, Launch};
use crate::knobs::{AdmissionRule, CreateWarning, Fault, FaultAction, Hold, HoldKind, Lags, LogSettings, Mutation};

/// Bends the simulated cluster. Cheap to clone.
#[derive(Clone)]
pub struct Knobs {
    pub(super) cluster: Arc<Cluster>,
}

impl Knobs {
    pub(crate) fn new(cluster: Arc<Cluster>) -> Self {
        Self { cluster }
    }

    /// Arms a fault; returns its number.
    ///
    /// # Errors
    /// `path` or `query` is no regular expression.
    pub fn fault(&self, fault: Fault) -> Result<u64, regex::Error> {
        self.cluster.bend(|state| state.knobs.answers.faults.add(fault))
    }

    /// How many requests the fault has hit.
    #[must_use]
    pub fn fault_hits(&self, id: u64) -> u32 {
        self.cluster.read(|state| state.knobs.answers.faults.hits(id))
    }

    /// Disarms one fault.
    pub fn clear_fault(&self, id: u64) {
        self.cluster.bend(|state| state.knobs.answers.faults.remove(Some(id)));
    }

    /// Asks about every request what happens to it, by verb and resource, until the faults are cleared.
    pub fn choose_faults(&self, choose: impl FnMut(&str, &str) -> Option<FaultAction> + Send + 'static) {
        self.cluster.bend(|state| state.knobs.answers.faults.choose_by(Box::new(choose)));
    }

    /// Disarms all faults.
    pub fn clear_faults(&self) {
        self.cluster.bend(|state| state.knobs.answers.faults.remove(None));
    }

    /// Denies one verb for one resource (`jobs`, `pods/log`, …); everything else stays as it is.
    pub fn deny(&self, verb: &str, resource: &str) {
        self.cluster.bend(|state| state.knobs.answers.denials.add(verb, resource));
    }

    /// Allows everything again.
    pub fn allow_all(&self) {
        self.cluster.bend(|state| state.knobs.answers.denials.clear());
    }

    /// Refuses creates of a kind: quota, Pod Security, webhook.
    pub fn refuse_creates(&self, rule: AdmissionRule) {
        self.cluster.bend(|state| state.knobs.answers.admission.push(rule));
    }

    /// Lifts all refusals.
    pub fn clear_refusals(&self) {
        self.cluster.bend(|state| state.knobs.answers.admission.clear());
    }

    /// Admission changes objects of a kind: a mutating policy or webhook.
    pub fn mutate(&self, mutation: Mutation) {
        self.cluster.bend(|state| state.knobs.answers.mutations.push(mutation));
    }

    /// Admission changes nothing again.
    pub fn clear_mutations(&self) {
        self.cluster.bend(|state| state.knobs.answers.mutations.clear());
    }

    /// Creates of a kind are answered with a warning.
    pub fn warn_creates(&self, warning: CreateWarning) {
        self.cluster.bend(|state| state.knobs.answers.warnings.push(warning));
    }

    /// Every open watch, and every resume from a known version, gets a 410 as `ERROR` event.
    pub fn expire_watches(&self) {
        self.cluster.bend(|state| state.store.compact());
    }

    /// Every open watch ends cleanly.
    pub fn end_watches(&self) {
        self.cluster.bend(|state| state.knobs.answers.watches.ended += 1);
    }

    /// While frozen, watches stay open and deliver nothing, like half-open connections.
    pub fn freeze_watches(&self, frozen: bool) {
        self.cluster.bend(|state| state.knobs.answers.watches.frozen = frozen);
    }

    /// The watches of one kind, such as `pods`, are open and silent until told otherwise; those of other kinds go on.
    pub fn silence_watches(&self, resource: Option<&str>) {
        self.cluster.bend(|state| state.knobs.answers.watches.silent = resource.map(str::to_owned));
    }

    /// Every open log follow ends now: cleanly, or with a broken connection.
    pub fn close_follows(&self, reset: bool) {
        self.cluster.bend(|state| {
            state.knobs.answers.follows.closed += 1;
            state.knobs.answers.follows.reset = reset;
        });
    }

    /// Holds a part of the cluster back until [`Knobs::release`].
    pub fn hold(&self, kind: HoldKind) {
        self.hold_with(Hold { kind, name: None, message: None });
    }

    /// Holds with a name or a message.
    pub fn hold_with(&self, hold: Hold) {
        self.cluster.bend(|state| state.knobs.holds.push(hold));
    }

    /// Releases all holds of this kind.
    pub fn release(&self, kind: HoldKind) {
        self.cluster.bend(|state| state.knobs.holds.retain(|hold| hold.kind != kind));
    }

    pub(crate) fn add_image(&self, name: &str, image: Image) {
        self.cluster.bend(|state| state.images.insert(name.to_owned(), image));
    }

    /// Opens a gate on which scripts wait.
    pub fn open_gate(&self, name: &str) {
        self.cluster.bend(|state| state.knobs.node.open_gates.insert(name.to_owned()));
    }

    /// The delays of the cluster.
    #[must_use]
    pub fn lags(&self) -> Lags {
        self.cluster.lags()
    }

    /// Changes the delays of the cluster.
    pub fn set_lags(&self, lags: Lags) {
        self.cluster.bend(|state| state.knobs.lags = lags);
    }

    /// How logs of containers that start from now on are written.
    pub fn log_settings(&self, settings: LogSettings) {
        self.cluster.bend(|state| state.knobs.node.logs = settings);
    }

    /// Steps the node's clock (record times), forward or back.
    pub fn step_node_clock(&self, by: SignedDuration) {
        self.cluster.clock.step_node(by);
    }

    /// The API server's wall clock.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.cluster.clock.now()
    }

    /// What the last containers (at most 256) were started with, oldest first.
    #[must_use]
    pub fn launches(&self) -> Vec<Launch> {
        self.cluster.read(|state| state.launches.clone())
    }
}
