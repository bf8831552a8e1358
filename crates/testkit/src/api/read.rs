//! `get` and `list`.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::Response;
use serde_json::{Value, json};

use super::route::Target;
use crate::cluster::Cluster;
use crate::objects::rejection::Rejection;
use crate::objects::selector::Selector;
use crate::objects::store::Key;
use crate::wire::body::{SimBody, json as json_response};
use crate::wire::query::Query;

pub(super) fn get(cluster: &Cluster, target: &Target) -> Result<Response<SimBody>, Rejection> {
    let key = Key::new(target.resource, &target.namespace, &target.name);
    let found = cluster.read(|state| state.store.get(&key).cloned());
    match found {
        Some(object) => Ok(json_response(200, &object)),
        None => Err(Rejection::not_found(target.resource, &target.name)),
    }
}

pub(super) fn selector(target: &Target, query: &Query) -> Result<Selector, Rejection> {
    Selector::parse(target.resource, query.get("labelSelector"), query.get("fieldSelector"))
        .map_err(Rejection::bad_request)
}

pub(super) fn list(cluster: &Cluster, target: &Target, query: &Query) -> Result<Response<SimBody>, Rejection> {
    let selector = selector(target, query)?;
    let limit = query.number("limit").filter(|limit| *limit > 0).and_then(|limit| usize::try_from(limit).ok());
    let limit = limit.unwrap_or(usize::MAX);
    let start = match query.get("continue") {
        "" => None,
        token => Some(decode_token(token).ok_or_else(|| Rejection::bad_request("continue key is not valid"))?),
    };
    cluster.read(|state| {
        let revision = start.as_ref().map_or(state.store.revision(), |start| start.revision);
        if revision < state.store.compacted() {
            let message = "The provided continue parameter is too old to display a consistent list result.";
            return Err(Rejection::of_code(410, Some(message)));
        }
        let mut matching = state
            .store
            .list(target.resource, &target.namespace)
            .filter(|(key, _)| {
                start.as_ref().is_none_or(|start| (&*key.namespace, &*key.name) > (&*start.namespace, &*start.name))
            })
            .filter(|(_, object)| selector.matches(object));
        let mut page: Vec<Value> = Vec::new();
        let mut last = None;
        for (key, object) in matching.by_ref().take(limit) {
            page.push(Value::clone(object));
            last = Some(key);
        }
        let remaining = matching.count();
        let mut metadata = json!({"resourceVersion": revision.to_string()});
        if let (true, Some(last)) = (remaining > 0, last) {
            metadata["continue"] = encode_token(revision, last).into();
            metadata["remainingItemCount"] = remaining.into();
        }
        let kind = format!("{}List", target.resource.kind());
        let version = target.resource.api_version();
        Ok(json_response(200, &json!({"kind": kind, "apiVersion": version, "metadata": metadata, "items": page})))
    })
}

/// Where the next page starts.
struct Token {
    revision: u64,
    namespace: String,
    name: String,
}

fn encode_token(revision: u64, key: &Key) -> String {
    URL_SAFE_NO_PAD.encode(format!("{revision}/{}/{}", key.namespace, key.name))
}

fn decode_token(token: &str) -> Option<Token> {
    let text = String::from_utf8(URL_SAFE_NO_PAD.decode(token).ok()?).ok()?;
    let mut parts = text.splitn(3, '/');
    let revision = parts.next()?.parse().ok()?;
    Some(Token { revision, namespace: parts.next()?.to_owned(), name: parts.next()?.to_owned() })
}
