//! `create`, `patch` and `delete`.

use std::sync::Arc;

use http::Response;
use serde_json::{Value, json};

use super::route::Target;
use super::{Request, defaults, validate};
use crate::cluster::lifecycle::{self, Propagation};
use crate::cluster::{Cluster, arrival};
use crate::objects::json::{integer, merge, remove, set, text};
use crate::objects::rejection::Rejection;
use crate::objects::resource::Resource;
use crate::objects::store::Key;
use crate::wire::body::{SimBody, json as json_response};

pub(super) fn create(
    cluster: &Arc<Cluster>,
    target: &Target,
    request: &Request,
) -> Result<Response<SimBody>, Rejection> {
    let mut object = parse(&request.body)?;
    let namespace = text(&object, "/metadata/namespace");
    if !namespace.is_empty() && namespace != target.namespace {
        let message = "the namespace of the provided object does not match the namespace sent on the request";
        return Err(Rejection::bad_request(message));
    }
    let dry_run = request.query.get("dryRun") == "All";
    let unknown = validate::take_unknown_fields(target.resource, &mut object);
    let unknown: Vec<String> = unknown.iter().map(|path| format!("unknown field \"{path}\"")).collect();
    if request.query.get("fieldValidation") == "Strict" && !unknown.is_empty() {
        let (kind, version) = (target.resource.kind(), target.resource.api_version());
        let version = version.rsplit('/').next().unwrap_or_default();
        let fields = unknown.join(", ");
        let text =
            format!("{kind} in version \"{version}\" cannot be handled as a {kind}: strict decoding error: {fields}");
        return Err(Rejection::bad_request(text));
    }
    let (created, warnings) = cluster.update(|state| {
        let key = Key::new(Resource::Namespaces, "", &target.namespace);
        if target.resource.namespaced() && state.store.get(&key).is_none() {
            return Err(Rejection::not_found(Resource::Namespaces, &target.namespace));
        }
        let now = cluster.clock.now();
        arrival::prepare(state, now, target.resource, &target.namespace, &mut object)?;
        state.knobs.answers.mutate(target.resource.plural(), &mut object, false);
        defaults::apply(target.resource, &mut object);
        validate::check(target.resource, &object)?;
        arrival::admit(state, target.resource, &object)?;
        let warnings: Vec<String> = state.knobs.answers.warnings(target.resource.plural()).map(str::to_owned).collect();
        let created = if dry_run { Arc::new(object) } else { arrival::enter(cluster, state, target.resource, object) };
        Ok((created, warnings))
    })?;
    let mut answer = json_response(201, &created);
    for text in unknown.iter().chain(&warnings) {
        let header = format!("299 - \"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""));
        if let Ok(value) = http::HeaderValue::from_str(&header) {
            answer.headers_mut().append(http::header::WARNING, value);
        }
    }
    Ok(answer)
}

pub(super) fn patch(
    cluster: &Arc<Cluster>,
    target: &Target,
    request: &Request,
) -> Result<Response<SimBody>, Rejection> {
    let content_type = request.parts.headers.get(http::header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    if content_type.is_none_or(|kind| !kind.starts_with("application/merge-patch+json")) {
        let message = "the body of the request was in an unknown format - accepted media types include: application/merge-patch+json";
        return Err(Rejection::new(415, "UnsupportedMediaType", message));
    }
    let patch = parse(&request.body)?;
    let key = Key::new(target.resource, &target.namespace, &target.name);
    let patched = cluster.update(|state| {
        let old = state.store.get(&key).cloned().ok_or_else(|| Rejection::not_found(target.resource, &target.name))?;
        precondition(target, &old, text(&patch, "/metadata/uid"), "")?;
        let version = text(&patch, "/metadata/resourceVersion");
        if !version.is_empty() && version != text(&old, "/metadata/resourceVersion") {
            let why = "the object has been modified; please apply your changes to the latest version and try again";
            return Err(Rejection::conflict(target.resource, &target.name, why));
        }
        let mut new = Value::clone(&old);
        merge(&mut new, &patch);
        state.knobs.answers.mutate(target.resource.plural(), &mut new, true);
        // `status` is written through its subresource only, and then nothing else is.
        if target.subresource == "status" {
            let status = new["status"].take();
            new = Value::clone(&old);
            new["status"] = status;
        } else if matches!(target.resource, Resource::Jobs | Resource::Pods) {
            new["status"] = old["status"].clone();
        }
        for field in ["name", "namespace", "uid", "creationTimestamp", "deletionTimestamp", "generation"] {
            match old["metadata"].get(field) {
                Some(value) => set(&mut new, &["metadata", field], value.clone()),
                None => remove(&mut new, &["metadata", field]),
            }
        }
        validate::check_update(target.resource, &old, &new)?;
        if target.resource == Resource::Jobs && new["spec"] != old["spec"] {
            set(&mut new, &["metadata", "generation"], integer(&old, "/metadata/generation").unwrap_or(1) + 1);
        }
        Ok(if request.query.get("dryRun") == "All" { Arc::new(new) } else { state.store.put(&key, new) })
    })?;
    Ok(json_response(200, &patched))
}

pub(super) fn delete(
    cluster: &Arc<Cluster>,
    target: &Target,
    request: &Request,
) -> Result<Response<SimBody>, Rejection> {
    let options = if request.body.is_empty() { Value::Null } else { parse(&request.body)? };
    let option = |name: &str| match text(&options, &format!("/{name}")) {
        "" => request.query.get(name).to_owned(),
        given => given.to_owned(),
    };
    let propagation = match option("propagationPolicy").as_str() {
        "Foreground" => Propagation::Foreground,
        "Orphan" => Propagation::Orphan,
        // The default of batch/v1: the pods run on, without an owner (kubernetes.md 4.3).
        "" if target.resource == Resource::Jobs => Propagation::Orphan,
        "" | "Background" => Propagation::Background,
        other => {
            let message = format!("DeleteOptions is invalid: propagationPolicy: Unsupported value: \"{other}\"");
            return Err(Rejection::new(422, "Invalid", message));
        }
    };
    let query_grace = request.query.number("gracePeriodSeconds").and_then(|grace| i64::try_from(grace).ok());
    let grace = integer(&options, "/gracePeriodSeconds").or(query_grace);
    let key = Key::new(target.resource, &target.namespace, &target.name);
    let (last, gone) = cluster.update(|state| {
        let not_found = || Rejection::not_found(target.resource, &target.name);
        let current = state.store.get(&key).cloned().ok_or_else(not_found)?;
        let version = text(&options, "/preconditions/resourceVersion");
        precondition(target, &current, text(&options, "/preconditions/uid"), version)?;
        if request.query.get("dryRun") == "All" || !option("dryRun").is_empty() {
            return Ok((current, false));
        }
        let last = lifecycle::delete(state, cluster.clock.now(), &key, propagation, grace).ok_or_else(not_found)?;
        Ok((last, state.store.get(&key).is_none()))
    })?;
    if gone && target.resource != Resource::Pods {
        let mut details =
            json!({"name": target.name, "kind": target.resource.plural(), "uid": text(&last, "/metadata/uid")});
        if !target.resource.group().is_empty() {
            details["group"] = target.resource.group().into();
        }
        let status =
            json!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "details": details});
        return Ok(json_response(200, &status));
    }
    Ok(json_response(200, &last))
}

fn precondition(target: &Target, current: &Value, uid: &str, version: &str) -> Result<(), Rejection> {
    for (what, wanted, pointer) in
        [("UID", uid, "/metadata/uid"), ("ResourceVersion", version, "/metadata/resourceVersion")]
    {
        let actual = text(current, pointer);
        if !wanted.is_empty() && wanted != actual {
            let why = format!("Precondition failed: {what} in precondition: {wanted}, {what} in object meta: {actual}");
            return Err(Rejection::conflict(target.resource, &target.name, &why));
        }
    }
    Ok(())
}

fn parse(body: &[u8]) -> Result<Value, Rejection> {
    let object: Value = serde_json::from_slice(body).map_err(|error| {
        Rejection::bad_request(format!("the object provided is unrecognized (must be of type object): {error}"))
    })?;
    if object.is_object() { Ok(object) } else { Err(Rejection::bad_request("the body must be a JSON object")) }
}
