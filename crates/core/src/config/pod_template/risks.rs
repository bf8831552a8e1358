//! Changes that are allowed although they weaken the pod: each is named once.

use std::collections::BTreeMap;

use serde_json::Value;

use super::lists::{identity, items};
use crate::config::Warning;
use crate::names::CONTAINER;

/// Warnings for the risks that the template has now and had not before.
pub(super) fn added(before: &Value, after: &Value) -> Vec<Warning> {
    let before = risks(before);
    let added = risks(after).into_iter().filter(|(path, _)| !before.contains_key(path));
    added.map(|(key, text)| Warning { key, text: format!("{text}; accepted") }).collect()
}

/// All risks of a template: path and what it means.
fn risks(template: &Value) -> BTreeMap<String, &'static str> {
    let mut risks = BTreeMap::new();
    let spec = &template["spec"];
    for (member, text) in [
        ("hostNetwork", "the pod shares the network of its node"),
        ("hostPID", "the pod sees the processes of its node"),
        ("hostIPC", "the pod shares memory with its node"),
        ("shareProcessNamespace", "containers see each other's processes and their environment"),
    ] {
        if spec[member] == true {
            risks.insert(format!("podTemplate.spec.{member}"), text);
        }
    }
    for volume in items(spec, "volumes").filter(|volume| volume["hostPath"].is_object()) {
        let name = identity("volumes", volume).unwrap_or_default();
        risks.insert(format!("podTemplate.spec.volumes[{name}].hostPath"), "the pod reads files of its node");
    }
    let security = &spec["securityContext"];
    let path = "podTemplate.spec.securityContext";
    explicit(&mut risks, path, security);
    if security["runAsNonRoot"] != true {
        risks.insert(format!("{path}.runAsNonRoot"), "containers may run as root");
    }
    if security["seccompProfile"]["type"].is_null() {
        risks.insert(format!("{path}.seccompProfile"), "system calls are not filtered");
    }
    for list in ["containers", "initContainers"] {
        for container in items(spec, list) {
            let name = identity(list, container).unwrap_or_default();
            let path = format!("podTemplate.spec.{list}[{name}].securityContext");
            explicit(&mut risks, &path, &container["securityContext"]);
            if list == "containers" && name == CONTAINER {
                missing(&mut risks, &path, &container["securityContext"]);
            }
        }
    }
    risks
}

/// Weak settings, of a pod or of any container.
fn explicit(risks: &mut BTreeMap<String, &'static str>, path: &str, security: &Value) {
    let adds_capabilities = security["capabilities"]["add"].as_array().is_some_and(|added| !added.is_empty());
    let weak = [
        ("privileged", security["privileged"] == true, "the container has every right on its node"),
        ("allowPrivilegeEscalation", security["allowPrivilegeEscalation"] == true, "processes may gain rights"),
        ("runAsNonRoot", security["runAsNonRoot"] == false, "containers may run as root"),
        ("runAsUser", security["runAsUser"] == 0, "runs as root, where the CLI refuses to skip permissions"),
        ("capabilities.add", adds_capabilities, "processes have additional rights"),
        ("procMount", security["procMount"] == "Unmasked", "the container sees all of `/proc`"),
        ("seccompProfile", security["seccompProfile"]["type"] == "Unconfined", "system calls are not filtered"),
    ];
    for (member, _, text) in weak.into_iter().filter(|(_, is_weak, _)| *is_weak) {
        risks.insert(format!("{path}.{member}"), text);
    }
}

/// Defaults of the container `claude` that are no longer there.
fn missing(risks: &mut BTreeMap<String, &'static str>, path: &str, security: &Value) {
    if security["allowPrivilegeEscalation"] != false {
        risks.insert(format!("{path}.allowPrivilegeEscalation"), "processes may gain rights");
    }
    let dropped = security["capabilities"]["drop"].as_array();
    if !dropped.is_some_and(|dropped| dropped.iter().any(|capability| capability == "ALL")) {
        risks.insert(format!("{path}.capabilities.drop"), "processes keep rights they do not need");
    }
}
