//! A volume that is attached to another node, so that the pod cannot start where it is (FLD-21).

use jiff::Timestamp;

use super::causes::Cause;
use super::command::Command;
use super::constants::ATTACHED_ELSEWHERE;
use super::phase::Phase;
use super::state::{RunState, after};
use crate::outcome::StartCause;

const FAILED: &str = "FailedAttachVolume: ";

/// The newest word about attaching is that another node has the volume. It is said once, however long that lasts.
fn attached_elsewhere(causes: &[Cause]) -> Option<&str> {
    let about = |cause: &&Cause| cause.text.starts_with(FAILED) || cause.text.starts_with("SuccessfulAttachVolume");
    let newest = causes.iter().rfind(about)?;
    newest.text.strip_prefix(FAILED).filter(|words| words.starts_with("Multi-Attach error"))
}

impl RunState {
    /// The server's pod does not leave its node. Another pod may be about to: a volume takes a while to be detached.
    pub(super) fn end_when_attached_elsewhere(&mut self, now: Timestamp, commands: &mut Vec<Command>) {
        let node = self.view.pods.first().and_then(|pod| pod.node.clone()).unwrap_or_default();
        let Phase::Starting(starting) = &mut self.phase else { return };
        let Some(words) = attached_elsewhere(&starting.step.causes).map(str::to_owned) else {
            starting.attached_elsewhere = None;
            return;
        };
        let until = after(*starting.attached_elsewhere.get_or_insert(now), ATTACHED_ELSEWHERE);
        let in_use = self.bounds.in_use.clone().filter(|in_use| in_use.node != node);
        if in_use.is_some() || now >= until {
            self.fail_start(StartCause::AttachedElsewhere { words, node, in_use }, now, commands);
        } else {
            starting.step.look_again_by(until);
        }
    }
}
