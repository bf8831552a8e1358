//! Which servers know what is sent: PLT-02.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::plan_scenario::Scenario;

/// The oldest Kubernetes that the suites were tried on is 1.30.
const OLDEST_TRIED: u32 = 30;

/// Members of a Job that are newer than Kubernetes 1.19, by the first version whose servers keep them without a feature
/// gate. An older one leaves them out without a word.
const NEWER: [(&str, u32); 4] = [
    // Suspended, the Job is seen before its pod: 1.22 has it on.
    ("spec.suspend", 22),
    ("spec.ttlSecondsAfterFinished", 21),
    ("spec.podReplacementPolicy", 29),
    ("spec.template.spec.securityContext.fsGroupChangePolicy", 20),
];

/// Members that 1.19 has, by the object that holds them.
const KNOWN: [(&str, &str); 17] = [
    ("", "apiVersion kind metadata spec"),
    ("metadata", "annotations labels name namespace"),
    ("spec", "activeDeadlineSeconds backoffLimit completions parallelism template"),
    ("spec.template", "metadata spec"),
    ("spec.template.metadata", "annotations labels"),
    (
        "spec.template.spec",
        "activeDeadlineSeconds automountServiceAccountToken containers enableServiceLinks nodeSelector priorityClassName \
         restartPolicy runtimeClassName securityContext serviceAccountName terminationGracePeriodSeconds tolerations volumes",
    ),
    (
        "spec.template.spec.containers",
        "args command env image imagePullPolicy name resources securityContext terminationMessagePath \
         terminationMessagePolicy volumeMounts workingDir",
    ),
    (
        "spec.template.spec.containers.env",
        "name value valueFrom valueFrom.secretKeyRef valueFrom.secretKeyRef.key valueFrom.secretKeyRef.name",
    ),
    ("spec.template.spec.containers.resources", "limits requests"),
    (
        "spec.template.spec.containers.securityContext",
        "allowPrivilegeEscalation capabilities capabilities.drop readOnlyRootFilesystem runAsNonRoot",
    ),
    ("spec.template.spec.containers.volumeMounts", "mountPath name readOnly subPath"),
    (
        "spec.template.spec.securityContext",
        "fsGroup runAsGroup runAsNonRoot runAsUser seccompProfile seccompProfile.type",
    ),
    ("spec.template.spec.tolerations", "key operator"),
    (
        "spec.template.spec.volumes",
        "downwardAPI emptyDir emptyDir.sizeLimit name persistentVolumeClaim persistentVolumeClaim.claimName projected",
    ),
    ("spec.template.spec.volumes.downwardAPI", "items items.path items.fieldRef items.fieldRef.fieldPath"),
    (
        "spec.template.spec.volumes.projected",
        "defaultMode sources sources.secret sources.secret.items sources.secret.name",
    ),
    ("spec.template.spec.volumes.projected.sources.secret.items", "key mode path"),
];

/// Maps whose keys are names of somebody else.
const FREE: [&str; 5] = ["annotations", "labels", "limits", "nodeSelector", "requests"];

fn members(value: &Value, path: &str, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(entries) => {
            for (name, value) in entries {
                let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                if !FREE.contains(&name.as_str()) {
                    members(value, &path, found);
                }
                found.insert(path);
            }
        }
        Value::Array(items) => items.iter().for_each(|item| members(item, path, found)),
        _ => {}
    }
}

fn sent() -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for scenario in scenarios() {
        members(&scenario.launch().sent, "", &mut found);
    }
    found
}

fn scenarios() -> [Scenario; 4] {
    let everything = json!({
        "env": { "MINE": "v" }, "serviceAccountName": "agent", "imagePullPolicy": "Always", "labels": { "team": "core" },
        "nodeSelector": { "pool": "big" }, "tolerations": [{ "key": "big", "operator": "Exists" }], "priorityClassName": "high",
        "runtimeClassName": "gvisor", "queueName": "agents", "resources.limits.cpu": "8", "workspaceVolumeClaim": "projects",
        "workspaceSubPath": "a/b", "fsGroup": 2000, "timeoutSec": 600, "ttlSecondsAfterFinished": 900, "enableRtk": true,
    });
    [
        Scenario::in_cluster(),
        Scenario::out_of_cluster(),
        Scenario::in_cluster().own_at("/spec/containers/0/volumeMounts/0/subPath", json!("tenant")).staged(),
        Scenario::in_cluster().bundle().everything().config(everything),
    ]
}

#[test]
fn plt_02_every_member_of_a_job_has_a_row_that_says_since_when_servers_know_it() {
    let known = KNOWN.iter().flat_map(|(object, names)| {
        names.split_whitespace().map(move |name| format!("{object}.{name}").trim_start_matches('.').to_owned())
    });
    let listed: BTreeSet<String> = known.chain(NEWER.map(|(path, _)| path.to_owned())).collect();
    let sent = sent();
    let difference: Vec<_> = sent.symmetric_difference(&listed).collect();
    assert!(difference.is_empty(), "sent without a row, or a row without a member: {difference:#?}");
}

#[test]
fn plt_02_the_oldest_server_that_was_tried_knows_every_member() {
    let newer: Vec<_> = NEWER.iter().filter(|(_, since)| *since > OLDEST_TRIED).collect();
    assert!(newer.is_empty(), "{newer:?}");
}
