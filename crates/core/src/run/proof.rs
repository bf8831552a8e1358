//! "Gone" is a claim of the watch until two reads by name say so (END-07).

use jiff::Timestamp;

use super::command::Command;
use super::constants::PROOF_INTERVAL;
use super::input::{Proof, ProofOf};
use super::phase::Phase;
use super::state::{RunState, after};
use crate::outcome::Deletion;

/// What was proven, and when the server is asked next.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Proofs {
    /// Set while the watch claims something that is not proven.
    pub(super) next: Option<Timestamp>,
    /// When the Job was proven gone.
    pub(super) job_gone: Option<Timestamp>,
    /// The first pod was proven gone.
    pub(super) pod_gone: bool,
}

impl RunState {
    pub(super) fn ask_for_proof(&mut self, now: Timestamp, commands: &mut Vec<Command>) {
        let ended = matches!(self.phase, Phase::Draining(_) | Phase::Decided(_));
        // Our own deletion explains itself; anybody else's is a finding.
        let own_deletion = self.phase.order().is_some_and(|order| order.accepted);
        let pod_claimed = self.view.pod().is_some_and(|pod| pod.absent) && !self.proofs.pod_gone;
        let job_claimed = self.view.job.as_ref().is_some_and(|job| job.absent) && self.proofs.job_gone.is_none();
        if ended || own_deletion || !self.in_sync() || !(pod_claimed || job_claimed) {
            self.proofs.next = None;
            return;
        }
        if self.proofs.next.is_some_and(|at| now < at) {
            return;
        }
        self.proofs.next = Some(after(now, PROOF_INTERVAL));
        if pod_claimed {
            commands.push(Command::Prove(ProofOf::Pod));
        }
        if job_claimed {
            commands.push(Command::Prove(ProofOf::Job));
        }
    }

    pub(super) fn note_proof(&mut self, of: ProofOf, proof: Proof, now: Timestamp) {
        let detected_via = match (of, proof) {
            (_, Proof::Present | Proof::Unknown) => return,
            (_, Proof::OtherUid) => "other_uid",
            (ProofOf::Job, Proof::Gone) => "job_404",
            (ProofOf::Pod, Proof::Gone) => "pod_404",
        };
        match of {
            ProofOf::Pod => self.proofs.pod_gone = true,
            ProofOf::Job => _ = self.proofs.job_gone.get_or_insert(now),
        }
        if self.phase.order().is_none() {
            let elapsed = self.sights.running.map(|since| now.duration_since(since).as_secs());
            self.findings.deletion.get_or_insert_with(|| Deletion {
                detected_via: detected_via.to_owned(),
                job_conditions: vec![],
                elapsed_since_running: elapsed,
            });
        }
    }
}
