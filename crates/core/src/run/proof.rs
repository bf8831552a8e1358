//! "Gone" is a claim of the watch until two reads by name say so (END-07).

use jiff::Timestamp;

use super::constants::PROOF_INTERVAL;
use super::state::{Command, Phase, Proof, ProofOf, RunState, after};
use crate::outcome::Deletion;

impl RunState {
    pub(super) fn ask_for_proof(&mut self, now: Timestamp, commands: &mut Vec<Command>) {
        let ended = matches!(self.phase, Phase::Draining | Phase::Decided(_));
        // Our own deletion explains itself; anybody else's is a finding.
        let own_deletion = self.delete_ordered && self.deletion_accepted;
        let pod_claimed = self.view.pod().is_some_and(|pod| pod.absent) && !self.pod_gone;
        let job_claimed = self.view.job.as_ref().is_some_and(|job| job.absent) && self.job_gone.is_none();
        if ended || own_deletion || !self.in_sync() || !(pod_claimed || job_claimed) {
            self.next_proof = None;
            return;
        }
        if self.next_proof.is_some_and(|at| now < at) {
            return;
        }
        self.next_proof = Some(after(now, PROOF_INTERVAL));
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
            ProofOf::Pod => self.pod_gone = true,
            ProofOf::Job => _ = self.job_gone.get_or_insert(now),
        }
        if !self.delete_ordered {
            let elapsed = self.running_since.map(|since| now.duration_since(since).as_secs());
            self.deletion.get_or_insert_with(|| Deletion {
                detected_via: detected_via.to_owned(),
                job_conditions: vec![],
                elapsed_since_running: elapsed,
            });
        }
    }
}
