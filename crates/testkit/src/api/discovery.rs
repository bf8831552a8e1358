//! `/version`, `/api`, `/apis` and health.

use http::Response;
use serde_json::{Value, json};

use crate::objects::resource::Resource;
use crate::wire::body::{SimBody, full, json as json_response, response};

/// Answers a discovery path; the router has already checked that it is one.
pub(crate) fn answer(path: &str) -> Response<SimBody> {
    let path = path.trim_end_matches('/');
    if matches!(path, "/healthz" | "/livez" | "/readyz") {
        return response(200, "text/plain", full("ok"));
    }
    let group = |name: &str| {
        let version = json!({"groupVersion": format!("{name}/v1"), "version": "v1"});
        json!({"name": name, "versions": [version], "preferredVersion": version})
    };
    let body = match path {
        "/version" => json!({
            "major": "1", "minor": "35", "gitVersion": "v1.35.4-sim", "gitCommit": "", "gitTreeState": "clean",
            "buildDate": "2026-01-05T10:00:00Z", "goVersion": "", "compiler": "", "platform": "linux/amd64",
        }),
        "/api" => json!({"kind": "APIVersions", "versions": ["v1"], "serverAddressByClientCIDRs": []}),
        "/apis" => json!({
            "kind": "APIGroupList", "apiVersion": "v1", "groups": [group("batch"), group("authorization.k8s.io")],
        }),
        "/apis/batch" | "/apis/authorization.k8s.io" => {
            let mut one = group(path.trim_start_matches("/apis/"));
            one["kind"] = "APIGroup".into();
            one["apiVersion"] = "v1".into();
            one
        }
        "/api/v1" => resources("v1", ""),
        "/apis/batch/v1" => resources("batch/v1", "batch"),
        "/apis/authorization.k8s.io/v1" => json!({
            "kind": "APIResourceList", "apiVersion": "v1", "groupVersion": "authorization.k8s.io/v1",
            "resources": [{
                "name": "selfsubjectaccessreviews", "singularName": "selfsubjectaccessreview", "namespaced": false,
                "kind": "SelfSubjectAccessReview", "verbs": ["create"],
            }],
        }),
        _ => {
            json!({"paths": ["/api", "/api/v1", "/apis", "/apis/batch/v1", "/apis/authorization.k8s.io/v1", "/version"]})
        }
    };
    json_response(200, &body)
}

fn resources(group_version: &str, group: &str) -> Value {
    let mut list: Vec<Value> = Resource::ALL
        .into_iter()
        .filter(|resource| resource.group() == group)
        .map(|resource| {
            json!({
                "name": resource.plural(), "singularName": resource.kind().to_lowercase(),
                "namespaced": resource.namespaced(), "kind": resource.kind(),
                "verbs": ["create", "delete", "get", "list", "patch", "watch"],
            })
        })
        .collect();
    if group.is_empty() {
        list.push(json!({"name": "pods/log", "singularName": "", "namespaced": true, "kind": "Pod", "verbs": ["get"]}));
    }
    json!({"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": group_version, "resources": list})
}
