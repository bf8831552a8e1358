//! Turns method, path and query into what the API server calls request info.

use http::Method;

use crate::objects::resource::Resource;
use crate::wire::query::{Query, decode};

/// A request for a stored resource.
#[derive(Debug, Clone)]
pub(crate) struct Target {
    pub(crate) resource: Resource,
    /// Empty for all namespaces and for cluster-wide kinds.
    pub(crate) namespace: String,
    /// Empty for collections.
    pub(crate) name: String,
    /// `log`, `status` or empty.
    pub(crate) subresource: String,
}

/// Where a request goes.
#[derive(Debug, Clone)]
pub(crate) enum Route {
    Object(Target),
    SelfSubjectAccessReview,
    /// Discovery, version and health; answered from constants.
    Discovery,
    Unknown,
}

impl Route {
    pub(crate) fn parse(path: &str) -> Self {
        let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
        let (group, rest) = match parts.as_slice() {
            []
            | ["version" | "api" | "apis" | "healthz" | "livez" | "readyz"]
            | ["api", "v1"]
            | ["apis", "batch" | "authorization.k8s.io"]
            | ["apis", "batch" | "authorization.k8s.io", "v1"] => return Self::Discovery,
            ["apis", "authorization.k8s.io", "v1", "selfsubjectaccessreviews"] => {
                return Self::SelfSubjectAccessReview;
            }
            ["api", "v1", rest @ ..] => ("", rest),
            ["apis", "batch", "v1", rest @ ..] => ("batch", rest),
            _ => return Self::Unknown,
        };
        let (namespace, plural, name, subresource) = match rest {
            ["namespaces"] => ("", "namespaces", "", ""),
            ["namespaces", name] => ("", "namespaces", *name, ""),
            ["namespaces", namespace, plural] => (*namespace, *plural, "", ""),
            ["namespaces", namespace, plural, name] => (*namespace, *plural, *name, ""),
            ["namespaces", namespace, plural, name, subresource] => (*namespace, *plural, *name, *subresource),
            [plural] => ("", *plural, "", ""),
            _ => return Self::Unknown,
        };
        match Resource::find(group, plural) {
            Some(resource) => Self::Object(Target {
                resource,
                namespace: decode(namespace),
                name: decode(name),
                subresource: subresource.to_owned(),
            }),
            None => Self::Unknown,
        }
    }
}

impl Target {
    /// The verb of RBAC and audit; empty when the method means nothing here.
    pub(crate) fn verb(&self, method: &Method, query: &Query) -> &'static str {
        let named = !self.name.is_empty();
        match *method {
            Method::GET if named => "get",
            Method::GET if query.flag("watch") => "watch",
            Method::GET => "list",
            Method::POST if !named => "create",
            Method::PUT if named => "update",
            Method::PATCH if named => "patch",
            Method::DELETE if named => "delete",
            Method::DELETE => "deletecollection",
            _ => "",
        }
    }

    /// `pods` or `pods/log`.
    pub(crate) fn resource_name(&self) -> String {
        let plural = self.resource.plural();
        if self.subresource.is_empty() { plural.to_owned() } else { format!("{plural}/{}", self.subresource) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_request_is_a_get_of_a_subresource() {
        let Route::Object(target) = Route::parse("/api/v1/namespaces/ns/pods/p%2D1/log") else { panic!("no object") };
        assert_eq!((target.namespace.as_str(), target.name.as_str()), ("ns", "p-1"));
        assert_eq!(target.resource_name(), "pods/log");
        assert_eq!(target.verb(&Method::GET, &Query::default()), "get");
    }

    #[test]
    fn a_list_with_watch_is_a_watch() {
        let Route::Object(target) = Route::parse("/apis/batch/v1/jobs") else { panic!("no object") };
        let query = Query::parse("watch=true&labelSelector=a%3Db%2Cc+in+%28d%29");
        assert_eq!(target.verb(&Method::GET, &query), "watch");
        assert_eq!(query.get("labelSelector"), "a=b,c in (d)");
    }
}
