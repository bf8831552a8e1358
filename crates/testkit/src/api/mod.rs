//! The API server: one request in, one response out.
//!
//! ```text
//!  request ─▶ route ─▶ record ─▶ fault? ─▶ RBAC ─▶ read / write / watch / log ─▶ fault on the answer? ─▶ response
//! ```
//!
//! The same function serves `kube::Client` in process and HTTP connections of the binary.

mod defaults;
mod discovery;
mod log;
mod read;
mod review;
mod route;
mod tamper;
mod validate;
mod watch;
mod write;

use std::sync::Arc;

use bytes::Bytes;
use http::header::{DATE, HeaderValue};
use http::request::Parts;
use http::{Method, Response};
use route::{Route, Target};
use serde_json::Value;

use crate::cluster::Cluster;
use crate::cluster::requests::{RequestRecord, Ticket, kept_body};
use crate::knobs::{FaultAction, Seen, Wish, denial};
use crate::objects::json::text;
use crate::objects::rejection::Rejection;
use crate::wire::body::{Broken, SimBody, rejected};
use crate::wire::query::Query;

/// Answers one request. An error is a broken connection.
pub(crate) async fn handle(cluster: Arc<Cluster>, parts: Parts, body: Bytes) -> Result<Response<SimBody>, Broken> {
    let route = Route::parse(parts.uri.path());
    let query = Query::parse(parts.uri.query().unwrap_or_default());
    let record = record(&cluster, &parts, &route, &query, &body);
    let fault = cluster.update(|state| {
        state.knobs.answers.faults.strike(&Seen {
            method: &record.method,
            path: &record.path,
            query: &record.query,
            verb: &record.verb,
            resource: &record.resource,
            name: &record.name,
        })
    });
    let ticket = cluster.requests.begin(record);
    let request = Request { parts, route, query, body };
    let result = match fault {
        None => Ok(answer(&cluster, &request)),
        Some((id, action)) => {
            ticket.hit_by(id);
            tampered(&cluster, &request, action).await
        }
    };
    finish(ticket, result)
}

fn finish(ticket: Ticket<'_>, result: Result<Response<SimBody>, Broken>) -> Result<Response<SimBody>, Broken> {
    ticket.answered(result.as_ref().ok().map(|response| response.status().as_u16()));
    result
}

/// A request with everything that was parsed out of it.
pub(crate) struct Request {
    pub(crate) parts: Parts,
    pub(crate) route: Route,
    pub(crate) query: Query,
    pub(crate) body: Bytes,
}

async fn tampered(cluster: &Arc<Cluster>, request: &Request, action: FaultAction) -> Result<Response<SimBody>, Broken> {
    let genuine = if action.is_after_write() {
        if let FaultAction::Delay { ms } = action {
            tokio::time::sleep(std::time::Duration::from_millis(ms)).await;
        }
        Some(answer(cluster, request))
    } else {
        None
    };
    tamper::apply(action, genuine).await
}

fn answer(cluster: &Arc<Cluster>, request: &Request) -> Response<SimBody> {
    let mut response = dispatch(cluster, request).unwrap_or_else(|rejection| rejected(&rejection));
    let date = cluster.clock.now().strftime("%a, %d %b %Y %H:%M:%S GMT").to_string();
    if let Ok(date) = HeaderValue::try_from(date) {
        response.headers_mut().insert(DATE, date);
    }
    response
}

fn dispatch(cluster: &Arc<Cluster>, request: &Request) -> Result<Response<SimBody>, Rejection> {
    let target = match &request.route {
        Route::Discovery => return Ok(discovery::answer(request.parts.uri.path())),
        Route::SelfSubjectAccessReview if request.parts.method == Method::POST => {
            return review::answer(cluster, &request.body);
        }
        Route::Object(target) => target,
        Route::Unknown => return Err(Rejection::of_code(404, None)),
        Route::SelfSubjectAccessReview => return Err(Rejection::of_code(405, None)),
    };
    let verb = target.verb(&request.parts.method, &request.query);
    authorise(cluster, target, verb, &request.query)?;
    match (verb, target.subresource.as_str()) {
        ("get", "log") => log::answer(cluster, target, &request.query),
        ("get", "" | "status") => read::get(cluster, target),
        ("list", "") => read::list(cluster, target, &request.query),
        ("watch", "") => watch::answer(cluster, target, &request.query),
        ("create", "") => write::create(cluster, target, request),
        ("patch", "" | "status") => write::patch(cluster, target, request),
        ("delete", "") => write::delete(cluster, target, request),
        (_, "" | "status" | "log") => Err(Rejection::of_code(405, None)),
        _ => Err(Rejection::of_code(404, None)),
    }
}

fn authorise(cluster: &Cluster, target: &Target, verb: &str, query: &Query) -> Result<(), Rejection> {
    let resource = target.resource_name();
    // A list or watch of one name counts as a request for that name.
    let pinned = query.get("fieldSelector").strip_prefix("metadata.name=").unwrap_or_default();
    let wish = Wish {
        verb,
        group: target.resource.group(),
        resource: &resource,
        namespace: &target.namespace,
        name: if target.name.is_empty() { pinned } else { &target.name },
    };
    cluster.read(|state| if state.knobs.answers.denials.deny(&wish) { Err(denial(&wish)) } else { Ok(()) })
}

fn record(cluster: &Cluster, parts: &Parts, route: &Route, query: &Query, body: &[u8]) -> RequestRecord {
    let (verb, resource, namespace, name) = match route {
        Route::Object(target) => {
            let verb = target.verb(&parts.method, query);
            let name = if verb == "create" { name_in(body) } else { target.name.clone() };
            (verb.to_owned(), target.resource_name(), target.namespace.clone(), name)
        }
        Route::SelfSubjectAccessReview => {
            ("create".to_owned(), "selfsubjectaccessreviews".to_owned(), String::new(), String::new())
        }
        _ => Default::default(),
    };
    RequestRecord {
        sequence: 0,
        method: parts.method.to_string(),
        path: parts.uri.path().to_owned(),
        query: parts.uri.query().unwrap_or_default().to_owned(),
        verb,
        resource,
        namespace,
        name,
        status: None,
        started_ms: u64::try_from(cluster.clock.elapsed().as_millis()).unwrap_or(u64::MAX),
        aborted: false,
        fault: None,
        body: kept_body(body),
    }
}

/// A new object is named by its body, in an audit log too.
fn name_in(body: &[u8]) -> String {
    let object: Value = serde_json::from_slice(body).unwrap_or_default();
    text(&object, "/metadata/name").to_owned()
}
