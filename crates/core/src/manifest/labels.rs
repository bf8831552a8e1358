//! Labels and annotations. What a later process adopts by is written here and read nowhere else.

use std::collections::BTreeMap;

use crate::attempt::Attempt;
use crate::config::grammar::is_reserved_label;
use crate::names::{ADAPTER_TYPE, COMPONENT, MANAGER, key, label_value};
use crate::plan::Parts;
use crate::target::PayloadMode;

/// Version of the manifest layout: 3 says its own end, 2, of version 0.2.0, did not. A Job of v0.1.54 has none and is never adopted.
const LAYOUT: &str = "3";

/// Labels of the Job, of its pod and of its Secrets.
pub(super) fn labels(parts: &Parts, attempt: &Attempt) -> BTreeMap<String, String> {
    let identity = &parts.identity;
    let fixed = [
        (key::MANAGED_BY, Some(MANAGER.to_owned())),
        (key::COMPONENT, Some(COMPONENT.to_owned())),
        (key::ADAPTER_TYPE, Some(ADAPTER_TYPE.to_owned())),
        (key::AGENT_ID, Some(identity.agent_label.clone())),
        (key::RUN_ID, label_value(&identity.run_id)),
        (key::COMPANY_ID, label_value(&identity.company_id)),
        (key::TASK_ID, identity.task_id.as_deref().and_then(label_value)),
        (key::SESSION_ID, attempt.resume.as_deref().and_then(label_value)),
        (key::ATTEMPT, Some(attempt.number.to_string())),
        (key::LAYOUT, Some(LAYOUT.to_owned())),
    ];
    let user = parts.config.labels.iter().filter(|(key, _)| !is_reserved_label(key));
    let user = user.map(|(key, value)| (key.clone(), value.clone()));
    user.chain(fixed.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value?)))).collect()
}

/// Annotations of the Job: the ids as they are, and what proves whose Job it is.
pub(super) fn job_annotations(parts: &Parts, attempt: &Attempt) -> BTreeMap<String, String> {
    let identity = &parts.identity;
    let payload = match parts.payload_mode {
        PayloadMode::Secret => "secret",
        PayloadMode::Volume => "volume",
    };
    let rows = [
        (key::ADAPTER_TYPE, Some(ADAPTER_TYPE)),
        (key::AGENT_NAME, Some(identity.agent_name.as_str())),
        (key::AGENT_ID, Some(identity.agent_id.as_str())),
        (key::RUN_ID, Some(identity.run_id.as_str())),
        (key::TASK_ID, identity.task_id.as_deref()),
        (key::SESSION_ID, attempt.resume.as_deref()),
        (key::ADAPTER_VERSION, Some(identity.adapter_version.as_str())),
        (key::PAYLOAD, Some(payload)),
        (key::SUPERVISOR, Some(identity.supervisor.as_str())),
        (key::PROMPT_DIGEST, Some(attempt.prompt_digest.as_str())),
    ];
    rows.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value?.to_owned()))).collect()
}

/// Annotations of the pod: autoscalers must not take a node away under hours of work.
pub(super) fn pod_annotations() -> BTreeMap<String, String> {
    [("cluster-autoscaler.kubernetes.io/safe-to-evict", "false"), ("karpenter.sh/do-not-disrupt", "true")]
        .map(|(key, value)| (key.to_owned(), value.to_owned()))
        .into()
}
