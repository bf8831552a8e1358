//! `/_sim/…`: the knobs over HTTP, for tests that are not written in Rust. Documented in `README.md`.

use std::sync::Arc;

use http::request::Parts;
use http::{Method, Response};
use jiff::SignedDuration;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::Knobs;
use crate::cluster::Cluster;
use crate::cluster::Image;
use crate::knobs::{Access, AdmissionRule, Eviction, Fault, Hold, HoldKind, Lags, LogSettings};
use crate::objects::json::merge;
use crate::objects::rejection::Rejection;
use crate::script::Script;
use crate::wire::body::{SimBody, json as answer, rejected};
use crate::wire::query::{Query, decode};

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
    directory: Option<std::path::PathBuf>,
    script: Option<Script>,
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
pub(crate) async fn handle(cluster: &Arc<Cluster>, parts: &Parts, body: &[u8]) -> Response<SimBody> {
    let path: Vec<String> = parts.uri.path().split('/').filter(|part| !part.is_empty()).skip(1).map(decode).collect();
    let segments: Vec<&str> = path.iter().map(String::as_str).collect();
    let query = Query::parse(parts.uri.query().unwrap_or_default());
    let knobs = Knobs::new(Arc::clone(cluster));
    let outcome = match segments.as_slice() {
        ["pods" | "jobs", ..] => objects_of_jobs(&knobs, &parts.method, &segments, body),
        ["objects", ..] => objects(&knobs, &parts.method, &segments, body),
        ["watches" | "follows" | "gates" | "clock" | "lags" | "logs", ..] => {
            behaviour(&knobs, &parts.method, &segments, body)
        }
        ["wait", resource] => wait(&knobs, resource, body).await,
        _ => requests(cluster, &knobs, &parts.method, &segments, &query, body),
    };
    match outcome {
        Ok(value) => answer(200, &value),
        // The shape of the API server, so that Kubernetes clients can be used for both.
        Err(Problem::Bad(message)) => rejected(&Rejection::bad_request(message)),
        Err(Problem::Missing) => rejected(&Rejection::of_code(404, Some("no such object"))),
    }
}

fn requests(
    cluster: &Arc<Cluster>,
    knobs: &Knobs,
    method: &Method,
    path: &[&str],
    query: &Query,
    body: &[u8],
) -> Outcome {
    match (method.as_str(), path) {
        ("GET", [] | ["state"]) => Ok(json!({
            "open": cluster.requests.open(), "now": knobs.now().to_string(), "lags": knobs.lags(),
            "requests": cluster.requests.all().len(),
        })),
        ("GET", ["requests"]) => {
            let since = query.number("since").unwrap_or(0);
            let records: Vec<_> = cluster.requests.all().into_iter().filter(|r| r.sequence > since).collect();
            Ok(json!(records))
        }
        ("DELETE", ["requests"]) => {
            cluster.requests.clear();
            Ok(done())
        }
        ("GET", ["faults"]) => Ok(json!(knobs.faults())),
        ("POST", ["faults"]) => {
            let id = knobs.fault(parse::<Fault>(body)?).map_err(|error| Problem::Bad(error.to_string()))?;
            Ok(json!({"id": id}))
        }
        ("DELETE", ["faults"]) => {
            knobs.clear_faults();
            Ok(done())
        }
        ("DELETE", ["faults", id]) => {
            knobs.clear_fault(id.parse().map_err(|_| Problem::Bad(format!("`{id}` is no number")))?);
            Ok(done())
        }
        ("PUT", ["access"]) => {
            knobs.access(parse::<Access>(body)?);
            Ok(done())
        }
        ("PUT", ["tokens"]) => {
            knobs.tokens(parse(body)?);
            Ok(done())
        }
        ("POST", ["admission"]) => {
            knobs.refuse_creates(parse::<AdmissionRule>(body)?);
            Ok(done())
        }
        ("DELETE", ["admission"]) => {
            knobs.clear_refusals();
            Ok(done())
        }
        ("POST", ["holds"]) => {
            knobs.hold_with(parse::<Hold>(body)?);
            Ok(done())
        }
        ("DELETE", ["holds", kind]) => {
            let kind =
                serde_json::from_value::<HoldKind>(json!(kind)).map_err(|error| Problem::Bad(error.to_string()))?;
            knobs.release(kind);
            Ok(done())
        }
        ("POST", ["images"]) => {
            let image: ImageBody = parse(body)?;
            let content = match (image.directory, image.script) {
                (Some(directory), None) => Image::Directory(directory),
                (None, Some(script)) => Image::Script(Arc::new(move |_| script.clone())),
                _ => return Err(Problem::Bad("either `directory` or `script`".to_owned())),
            };
            cluster.bend(|state| state.images.insert(image.name, content));
            Ok(done())
        }
        ("DELETE", ["images"]) => {
            cluster.bend(|state| state.images.remove(query.get("name"))).map(|_| json!({})).ok_or(Problem::Missing)
        }
        ("GET", ["launches"]) => Ok(json!(knobs.launches())),
        _ => unknown(method, path),
    }
}

fn behaviour(knobs: &Knobs, method: &Method, path: &[&str], body: &[u8]) -> Outcome {
    match (method.as_str(), path) {
        ("POST", ["watches", "expire"]) => knobs.expire_watches(),
        ("POST", ["watches", "end"]) => knobs.end_watches(),
        ("POST", ["watches", "freeze"]) => knobs.freeze_watches(true),
        ("POST", ["watches", "thaw"]) => knobs.freeze_watches(false),
        ("POST", ["follows", "close"]) => knobs.close_follows(false),
        ("POST", ["follows", "reset"]) => knobs.close_follows(true),
        ("POST", ["gates", name]) => knobs.open_gate(name),
        ("POST", ["clock", "step"]) => {
            let step: Value = parse(body)?;
            let ms = step["ms"].as_i64().ok_or_else(|| Problem::Bad("`ms` is missing".to_owned()))?;
            knobs.step_node_clock(SignedDuration::from_millis(ms));
        }
        ("PATCH", ["lags"]) => {
            let mut lags = json!(knobs.lags());
            merge(&mut lags, &parse(body)?);
            knobs.set_lags(serde_json::from_value::<Lags>(lags).map_err(|error| Problem::Bad(error.to_string()))?);
            return Ok(json!(knobs.lags()));
        }
        ("PUT", ["logs"]) => knobs.log_settings(parse::<LogSettings>(body)?),
        _ => return unknown(method, path),
    }
    Ok(done())
}

fn objects_of_jobs(knobs: &Knobs, method: &Method, path: &[&str], body: &[u8]) -> Outcome {
    let found = match (method.as_str(), path) {
        ("POST", ["pods", namespace, pod, "evict"]) => {
            let eviction = if body.is_empty() { Eviction::default() } else { parse(body)? };
            knobs.evict(namespace, pod, eviction)
        }
        ("POST", ["pods", namespace, pod, "oom"]) => knobs.out_of_memory(namespace, pod),
        ("POST", ["pods", namespace, pod, "node-lost"]) => knobs.node_lost(namespace, pod, true),
        ("POST", ["pods", namespace, pod, "node-back"]) => knobs.node_lost(namespace, pod, false),
        ("POST", ["pods", namespace, pod, "delete"]) => {
            let wanted: DeletePodBody = if body.is_empty() { DeletePodBody::default() } else { parse(body)? };
            knobs.delete_pod(namespace, pod, wanted.grace_seconds, wanted.disruption.as_deref())
        }
        ("POST", ["pods", namespace, pod, "rotate-log"]) => knobs.rotate_log(namespace, pod),
        ("POST", ["pods", namespace, pod, "write"]) => knobs.write_log(namespace, pod, body),
        ("POST", ["pods", namespace, pod, "remove-log"]) => knobs.remove_log(namespace, pod),
        ("POST", ["jobs", namespace, job, "delete"]) => knobs.delete_job(namespace, job),
        ("POST", ["jobs", namespace, job, "suspend"]) => knobs.suspend_job(namespace, job, true),
        ("POST", ["jobs", namespace, job, "resume"]) => knobs.suspend_job(namespace, job, false),
        _ => return unknown(method, path),
    };
    if found { Ok(done()) } else { Err(Problem::Missing) }
}

fn objects(knobs: &Knobs, method: &Method, path: &[&str], body: &[u8]) -> Outcome {
    match (method.as_str(), path) {
        ("POST", ["objects"]) => match parse(body)? {
            Value::Array(list) => {
                let all = list.into_iter().all(|object| knobs.seed(object));
                if all { Ok(done()) } else { Err(Problem::Bad("an object has an unknown kind".to_owned())) }
            }
            object if knobs.seed(object.clone()) => Ok(done()),
            _ => Err(Problem::Bad("unknown kind".to_owned())),
        },
        ("GET", ["objects", resource]) => Ok(json!(knobs.objects(resource, ""))),
        ("GET", ["objects", resource, namespace]) => Ok(json!(knobs.objects(resource, namespace))),
        ("GET", ["objects", resource, namespace, name]) => {
            knobs.object(resource, namespace, name).ok_or(Problem::Missing)
        }
        ("PATCH", ["objects", resource, namespace, name]) => {
            let patched = knobs.patch(resource, namespace, name, &parse(body)?);
            if patched { Ok(done()) } else { Err(Problem::Missing) }
        }
        ("DELETE", ["objects", resource, namespace, name]) => {
            if knobs.remove(resource, namespace, name) {
                Ok(done())
            } else {
                Err(Problem::Missing)
            }
        }
        _ => unknown(method, path),
    }
}

/// Answers as soon as an object of this kind contains what the body says: `{"/status/phase": "Running"}`, by JSON pointer;
/// `null` asks for absence. The client bounds the wait.
async fn wait(knobs: &Knobs, resource: &str, body: &[u8]) -> Outcome {
    let wanted: serde_json::Map<String, Value> = parse(body)?;
    let found = knobs.wait_for(resource, |object| {
        wanted.iter().all(|(pointer, value)| object.pointer(pointer).unwrap_or(&Value::Null) == value)
    });
    Ok(found.await)
}

fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, Problem> {
    serde_json::from_slice(body).map_err(|error| Problem::Bad(error.to_string()))
}

/// What a call answers that has nothing to say.
fn done() -> Value {
    json!({})
}

fn unknown(method: &Method, path: &[&str]) -> Outcome {
    Err(Problem::Bad(format!("`{method} /_sim/{}` is unknown; see crates/testkit/README.md", path.join("/"))))
}
