//! How much of an object is kept: the server is whichever a kubeconfig names, and facts outlive its answers (TRU-03).

use std::collections::BTreeMap;

use super::{ContainerState, JobFacts, Listed as _, PodFacts, RunView};
use crate::names::key;

/// One text. The longest that is shown, a container's last words, has half of it. Unit: bytes.
const TEXT_MAX: usize = 8 << 10;
/// Entries of one list.
pub(super) const ENTRIES_MAX: usize = 16;
/// What a fact takes beside its texts. Unit: bytes.
pub(super) const SELF: usize = 512;

/// Labels and annotations that anybody asks for.
const KEYS: [&str; 17] = [
    key::AGENT_ID,
    key::RUN_ID,
    key::TASK_ID,
    key::SESSION_ID,
    key::LAYOUT,
    key::SUPERVISOR,
    key::PROMPT_DIGEST,
    key::DELIVERED,
    key::QUEUE_NAME,
    key::MANAGED_BY,
    key::COMPONENT,
    key::ADAPTER_TYPE,
    key::COMPANY_ID,
    key::ATTEMPT,
    key::AGENT_NAME,
    key::ADAPTER_VERSION,
    key::PAYLOAD,
];

/// A text, or its beginning.
pub(super) fn text(from: Option<&str>) -> String {
    let from = from.unwrap_or_default();
    let end = (0..=TEXT_MAX.min(from.len())).rev().find(|end| from.is_char_boundary(*end));
    from[..end.unwrap_or(0)].to_owned()
}

/// The same for a text that may be absent.
pub(super) fn maybe(from: Option<&str>) -> Option<String> {
    from.map(|from| text(Some(from)))
}

/// Of labels or annotations what is asked for.
pub(super) fn known(from: Option<&BTreeMap<String, String>>) -> BTreeMap<String, String> {
    let entry = |name: &str| Some((name.to_owned(), text(Some(from?.get(name)?))));
    KEYS.into_iter().filter_map(entry).collect()
}

impl RunView {
    /// Roughly what it takes in memory. Unit: bytes.
    #[must_use]
    pub fn weight(&self) -> usize {
        self.job.as_ref().map_or(0, JobFacts::weight) + self.pods.iter().map(PodFacts::weight).sum::<usize>()
    }
}

impl PodFacts {
    pub(super) fn weight(&self) -> usize {
        let size = |text: &Option<String>| text.as_ref().map_or(0, String::len);
        let pair = |(one, other): &(String, String)| one.len() + other.len();
        let state = match &self.claude.state {
            ContainerState::NotReported | ContainerState::Running { .. } => 0,
            ContainerState::Waiting { reason, message } => reason.len() + message.len(),
            ContainerState::Terminated(end) => size(&end.reason) + size(&end.message),
        };
        let texts = [&self.node, &self.reason, &self.message, &self.claude.id, &self.claude.again].map(size);
        let said = self.unscheduled.as_ref().map_or(0, pair)
            + self.disruption.as_ref().map_or(0, |one| one.reason.len() + one.message.len())
            + self.other_failures.iter().map(pair).sum::<usize>();
        SELF + self.name.len() + self.uid.len() + texts.iter().sum::<usize>() + state + said
    }
}
