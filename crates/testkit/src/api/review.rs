//! `SelfSubjectAccessReview`.

use http::Response;
use serde_json::{Value, json};

use crate::cluster::Cluster;
use crate::knobs::Wish;
use crate::objects::json::text;
use crate::objects::rejection::Rejection;
use crate::wire::body::{SimBody, json as json_response};

pub(super) fn answer(cluster: &Cluster, body: &[u8]) -> Result<Response<SimBody>, Rejection> {
    let mut review: Value =
        serde_json::from_slice(body).map_err(|error| Rejection::bad_request(format!("invalid body: {error}")))?;
    let wanted = review["spec"]["resourceAttributes"].clone();
    let plural = text(&wanted, "/resource");
    let resource = match text(&wanted, "/subresource") {
        "" => plural.to_owned(),
        subresource => format!("{plural}/{subresource}"),
    };
    let wish = Wish {
        verb: text(&wanted, "/verb"),
        group: text(&wanted, "/group"),
        resource: &resource,
        namespace: text(&wanted, "/namespace"),
        name: text(&wanted, "/name"),
    };
    let allowed = cluster.read(|state| !state.knobs.answers.denials.deny(&wish));
    review["kind"] = "SelfSubjectAccessReview".into();
    review["apiVersion"] = "authorization.k8s.io/v1".into();
    review["status"] = json!({"allowed": allowed});
    Ok(json_response(201, &review))
}
