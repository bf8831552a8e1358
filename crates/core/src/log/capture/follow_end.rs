//! What the clean end of a follow says about the tail.

use super::ContainerPhase;

/// Judges the ends of one capture's follows, one after the other.
///
/// A clean end proves nothing: connections are cut cleanly, too (`docs/internals/kubernetes.md` 1.5). While a pod is being
/// deleted it may be all there is, because a busy node ends the follow and removes the log before it posts that the
/// container has ended. It then counts, unless a follow of this capture has ended so in a living container.
#[derive(Debug, Default)]
pub struct FollowEnds {
    /// Lines delivered when the newest follow ended cleanly in a pod that was being deleted.
    lines: Option<u64>,
    /// Follows ended cleanly although the container ran on.
    doubted: bool,
}

impl FollowEnds {
    /// A follow has ended in this phase, cleanly behind the delivered tail or not, after so many lines of the capture.
    /// Returns whether it has shown the tail, should the container have ended by now.
    pub fn ended(&mut self, phase: ContainerPhase, clean: bool, lines: u64) -> bool {
        self.doubted |= self.lines.take().is_some_and(|before| before != lines);
        match phase {
            _ if !clean => false,
            ContainerPhase::Terminated { .. } | ContainerPhase::Gone => true,
            ContainerPhase::Deleting => {
                self.lines = Some(lines);
                !self.doubted
            }
            ContainerPhase::Waiting | ContainerPhase::Running => {
                self.doubted = true;
                false
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TERMINATED: ContainerPhase = ContainerPhase::Terminated { pod_deleted: true };

    #[test]
    fn log_12_a_clean_end_counts_in_a_pod_that_is_being_deleted_unless_another_was_a_cut() {
        use ContainerPhase::{Deleting, Gone, Running};
        for ends in [
            vec![(TERMINATED, true, 3, true)],
            vec![(Gone, true, 3, true)],
            vec![(TERMINATED, false, 3, false)],
            vec![(Deleting, true, 3, true), (Deleting, true, 3, true)],
            vec![(Deleting, true, 3, true), (Deleting, true, 4, false), (Deleting, true, 4, false)],
            vec![(Deleting, true, 3, true), (Deleting, false, 3, false), (Deleting, true, 3, true)],
            vec![(Deleting, true, 3, true), (Deleting, false, 4, false), (Deleting, true, 4, false)],
            vec![(Running, true, 3, false), (Deleting, true, 3, false), (Gone, true, 3, true)],
            vec![(Running, false, 3, false), (Deleting, true, 3, true)],
        ] {
            let mut follows = FollowEnds::default();
            for &(phase, clean, lines, expected) in &ends {
                assert_eq!(follows.ended(phase, clean, lines), expected, "{ends:?}");
            }
        }
    }
}
