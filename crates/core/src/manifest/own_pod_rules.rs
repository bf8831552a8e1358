//! What a Job must not share with the server's own pod: its account, a label by which traffic is sent to it (TRU-18), and
//! its claim where the operator asks for isolation (TRU-09).

use serde_json::Value;

use crate::config::Rejection;
use crate::own_pod::OwnPod;
use crate::plan::{Parts, beside};
use crate::target::Placement;

/// Accounts and the Services that select pods are of one namespace.
pub(super) fn violations(parts: &Parts, template: &Value) -> Vec<Rejection> {
    let own = parts.own.as_ref().filter(|_| parts.placement == Placement::SameNamespace);
    let Some(own) = own else { return Vec::new() };
    let spec = &template["spec"];
    let claim = beside(parts.least_isolation, spec, parts.host_claim());
    labels(parts, own).into_iter().chain(account(parts, own, spec)).chain(claim).collect()
}

fn labels(parts: &Parts, own: &OwnPod) -> Vec<Rejection> {
    let template = parts.config.pod_template.as_ref();
    let template = template.and_then(|template| template.get("metadata")?.get("labels")?.as_object());
    let mut rejections = Vec::new();
    for (key, value) in &own.labels {
        let mut refuse = |path: String| {
            let reason = "repeats a label of the server's own pod: a Service would send the server's traffic to the agent; choose another value".to_owned();
            rejections.push(Rejection { key: path, reason });
        };
        if parts.config.labels.get(key) == Some(value) {
            refuse(format!("labels.{key}"));
        }
        if template.and_then(|labels| labels.get(key)?.as_str()) == Some(value) {
            refuse(format!("podTemplate.metadata.labels[{key}]"));
        }
    }
    rejections
}

fn account(parts: &Parts, own: &OwnPod, spec: &Value) -> Option<Rejection> {
    let of_the_server = own.service_account.as_deref()?;
    // The second is the first's older name; the server fills in both.
    let members = ["serviceAccountName", "serviceAccount"];
    let named = members.iter().find_map(|member| Some((*member, spec.get(*member)?.as_str()?)));
    let named = named.filter(|(_, account)| !account.is_empty());
    let (_, account) = named.unwrap_or(("", "default"));
    let aliased = members.iter().any(|member| spec.get(*member).and_then(Value::as_str) == Some(of_the_server));
    if account != of_the_server && !aliased {
        return None;
    }
    let key = if parts.config.service_account_name.as_deref() == Some(of_the_server) {
        "serviceAccountName".to_owned()
    } else if named.is_some() {
        "podTemplate.spec.serviceAccountName".to_owned()
    } else if has_token(spec) {
        "podTemplate.spec.automountServiceAccountToken".to_owned()
    } else {
        return None; // the account of every pod without one, and no token of it
    };
    let reason = format!(
        "`{of_the_server}` is the account of the Paperclip server, and an agent would have its rights; make an account for agents"
    );
    Some(Rejection { key, reason })
}

/// The pod gets a token of its account: by itself, or in a volume.
fn has_token(spec: &Value) -> bool {
    let volumes = spec["volumes"].as_array().into_iter().flatten();
    let mut sources = volumes.filter_map(|volume| volume["projected"]["sources"].as_array()).flatten();
    spec["automountServiceAccountToken"] != false || sources.any(|source| source["serviceAccountToken"].is_object())
}
