//! What the API server fills in.

use serde_json::{Value, json};

use crate::objects::json::{array, items, object, set, set_default, text};
use crate::objects::resource::Resource;

/// Completes a prepared object: it has its name, uid and first status.
pub(super) fn apply(resource: Resource, new: &mut Value) {
    match resource {
        Resource::Jobs => job(new),
        Resource::Pods => pod_spec(new, &["spec"]),
        Resource::Secrets => {
            set_default(new, &["type"], "Opaque");
            string_data(new);
        }
        Resource::Namespaces => set_default(new, &["status", "phase"], "Active"),
        Resource::PersistentVolumeClaims => set_default(new, &["status", "phase"], "Bound"),
        Resource::ConfigMaps | Resource::Events => {}
    }
}

/// `stringData` is write-only: it ends up in `data`.
fn string_data(secret: &mut Value) {
    use base64::Engine;
    let Some(Value::Object(plain)) = object(secret, &[]).shift_remove("stringData") else { return };
    for (key, value) in plain {
        let encoded = base64::engine::general_purpose::STANDARD.encode(value.as_str().unwrap_or_default());
        set(secret, &["data", &key], encoded);
    }
}

fn job(job: &mut Value) {
    let uid = text(job, "/metadata/uid").to_owned();
    let name = text(job, "/metadata/name").to_owned();
    for (field, value) in [
        ("completions", json!(1)),
        ("parallelism", json!(1)),
        ("backoffLimit", json!(6)),
        ("completionMode", json!("NonIndexed")),
        ("suspend", json!(false)),
        ("manualSelector", json!(false)),
        ("podReplacementPolicy", json!("TerminatingOrFailed")),
    ] {
        set_default(job, &["spec", field], value);
    }
    set(job, &["metadata", "generation"], 1);
    set(job, &["spec", "selector", "matchLabels"], json!({"batch.kubernetes.io/controller-uid": uid}));
    for prefix in ["", "batch.kubernetes.io/"] {
        let labels = object(job, &["spec", "template", "metadata", "labels"]);
        labels.insert(format!("{prefix}controller-uid"), uid.clone().into());
        labels.insert(format!("{prefix}job-name"), name.clone().into());
    }
    if job.pointer("/metadata/labels").is_none_or(Value::is_null) {
        let labels = job["spec"]["template"]["metadata"]["labels"].clone();
        set(job, &["metadata", "labels"], labels);
    }
    pod_spec(job, &["spec", "template", "spec"]);
}

fn pod_spec(holder: &mut Value, path: &[&str]) {
    let spec = object(holder, path);
    for (field, value) in [
        ("restartPolicy", json!("Always")),
        ("terminationGracePeriodSeconds", json!(30)),
        ("dnsPolicy", json!("ClusterFirst")),
        ("schedulerName", json!("default-scheduler")),
        ("securityContext", json!({})),
    ] {
        spec.entry(field).or_insert(value);
    }
    for list in ["containers", "initContainers"] {
        let path: Vec<&str> = path.iter().copied().chain([list]).collect();
        if holder.pointer(&format!("/{}", path.join("/"))).is_none() {
            continue;
        }
        for container in array(holder, &path) {
            let image = text(container, "/image");
            let latest = image.ends_with(":latest") || !image.rsplit('/').next().unwrap_or(image).contains(':');
            set_default(container, &["imagePullPolicy"], if latest { "Always" } else { "IfNotPresent" });
            set_default(container, &["terminationMessagePath"], "/dev/termination-log");
            set_default(container, &["terminationMessagePolicy"], "File");
            set_default(container, &["resources"], json!({}));
        }
    }
    let path: Vec<&str> = path.iter().copied().chain(["volumes"]).collect();
    if items(holder, &format!("/{}", path.join("/"))).is_empty() {
        return;
    }
    for volume in array(holder, &path) {
        for kind in ["secret", "configMap", "projected"] {
            if volume.get(kind).is_some_and(Value::is_object) {
                set_default(volume, &[kind, "defaultMode"], 0o644);
            }
        }
    }
}
