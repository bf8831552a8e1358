//! When a result needs nothing from the cluster to be a success.

use crate::transcript::Transcript;

/// The main session ended with a positive result, and nothing is open behind it: no turn, no tool, no background task.
///
/// With exit code 0 behind such a result the decision table says success whatever else may become known: neither a
/// reason of the kubelet nor a deadline can change it. So nobody has to wait for them.
#[must_use]
pub fn is_good(transcript: &Transcript) -> bool {
    let ok = transcript.last_result().is_some_and(|result| result.ok && !result.refused);
    // As strict as after a kill: what is open now may be explained by how the container ended.
    ok && !is_empty_answer(transcript) && !transcript.is_cut(true)
}

/// The main session has its result, whatever it says, and nothing is open behind it: nothing more is to come.
#[must_use]
pub fn is_final(transcript: &Transcript) -> bool {
    transcript.last_result().is_some() && !transcript.is_cut(true) && !transcript.has_unsettled_tools()
}

/// The model answered with nothing at all, and no hook stopped it.
pub(super) fn is_empty_answer(transcript: &Transcript) -> bool {
    let empty = transcript.last_result().is_some_and(|result| {
        result.ok && result.text.trim().is_empty() && result.terminal_reason.as_deref() != Some("hook_stopped")
    });
    empty && transcript.is_silent()
}
