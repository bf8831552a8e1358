//! `/_sim/…`: the knobs over HTTP, for tests that are not written in Rust. Documented in `README.md`.

use std::sync::Arc;

use http::request::Parts;
use http::{Method, Response};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::Knobs;
use crate::cluster::Cluster;
use crate::cluster::Image;
use crate::knobs::{AdmissionRule, CreateWarning, Eviction, Hold, HoldKind, Lags, LogSettings, Mutation};
use crate::objects::json::merge;
use crate::objects::rejection::Rejection;
use crate::wire::body::{SimBody, json as answer, rejected};
use crate::wire::query::decode;

/// What a call gives back, or the text of a 400 or 404.
type Outcome = Result<Value, Problem>;

enum Problem {
    /// The body or the path is wrong.
    Bad(String),
    /// The object is not there.
    Missing,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct ImageBody {
    name: String,
    directory: std::path::PathBuf,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
struct DeletePodBody {
    grace_seconds: Option<i64>,
    disruption: Option<String>,
}

/// Whether the path belongs to the control API.
pub(crate) fn claims(path: &str) -> bool {
    path.trim_start_matches('/').split('/').next() == Some("_sim")
}

/// Answers one call.
pub(crate) fn handle(cluster: &Arc<Cluster>, parts: &Parts, body: &[u8]) -> Response<SimBody> {
    let path: Vec<String> = parts.uri.path().split('/').filter(|part| !part.is_empty()).skip(1).map(decode).collect();
    let segments: Vec<&str> = path.iter().map(String::as_str).collect();
    match call(&Knobs::new(Arc::clone(cluster)), &parts.method, &segments, body) {
        Ok(value) => answer(200, &value),
        // The shape of the API server, so that Kubernetes clients can be used for both.
        Err(Problem::Bad(message)) => rejected(&Rejection::bad_request(message)),
        Err(Problem::Missing) => rejected(&Rejection::of_code(404, Some("no such object"))),
    }
}

fn call(knobs: &Knobs, method: &Method, path: &[&str], body: &[u8]) -> Outcome {
    match (method.as_str(), path) {
        ("POST", ["images"]) => {
            let ImageBody { name, directory } = parse(body)?;
            knobs.add_image(&name, Image::Directory(directory));
        }
        ("POST", ["admission"]) => knobs.refuse_creates(parse::<AdmissionRule>(body)?),
        ("DELETE", ["admission"]) => knobs.clear_refusals(),
        ("POST", ["mutations"]) => knobs.mutate(parse::<Mutation>(body)?),
        ("DELETE", ["mutations"]) => knobs.clear_mutations(),
        ("POST", ["warnings"]) => knobs.warn_creates(parse::<CreateWarning>(body)?),
        ("POST", ["holds"]) => knobs.hold_with(parse::<Hold>(body)?),
        ("DELETE", ["holds", kind]) => knobs.release(typed::<HoldKind>(json!(kind))?),
        ("POST", ["gates", name]) => knobs.open_gate(name),
        ("PUT", ["logs"]) => knobs.log_settings(parse::<LogSettings>(body)?),
        ("PATCH", ["lags"]) => {
            let mut lags = json!(knobs.lags());
            merge(&mut lags, &parse(body)?);
            knobs.set_lags(typed::<Lags>(lags)?);
        }
        ("POST", ["pods", namespace, pod, what]) => return happen(knobs, namespace, pod, what, body),
        _ => {
            let path = path.join("/");
            return Err(Problem::Bad(format!("`{method} /_sim/{path}` is unknown; see crates/testkit/README.md")));
        }
    }
    Ok(json!({}))
}

/// Something happens to a pod from outside.
fn happen(knobs: &Knobs, namespace: &str, pod: &str, what: &str, body: &[u8]) -> Outcome {
    let found = match what {
        "evict" => knobs.evict(namespace, pod, parse_or_default::<Eviction>(body)?),
        "oom" => knobs.out_of_memory(namespace, pod),
        "delete" => {
            let wanted: DeletePodBody = parse_or_default(body)?;
            knobs.delete_pod(namespace, pod, wanted.grace_seconds, wanted.disruption.as_deref())
        }
        other => return Err(Problem::Bad(format!("nothing called `{other}` can happen to a pod"))),
    };
    if found { Ok(json!({})) } else { Err(Problem::Missing) }
}

fn parse_or_default<T: DeserializeOwned + Default>(body: &[u8]) -> Result<T, Problem> {
    if body.is_empty() { Ok(T::default()) } else { parse(body) }
}

fn typed<T: DeserializeOwned>(value: Value) -> Result<T, Problem> {
    serde_json::from_value(value).map_err(|error| Problem::Bad(error.to_string()))
}

fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, Problem> {
    serde_json::from_slice(body).map_err(|error| Problem::Bad(error.to_string()))
}
