//! RBAC, turned round: everything is allowed but what a test denies.

use serde_json::json;

use crate::objects::rejection::Rejection;

/// Who asks, always.
const USER: &str = "system:serviceaccount:paperclip:paperclip";

/// One thing that somebody wants to do.
#[derive(Debug)]
pub(crate) struct Wish<'a> {
    pub(crate) verb: &'a str,
    pub(crate) group: &'a str,
    /// With subresource: `pods/log`.
    pub(crate) resource: &'a str,
    pub(crate) namespace: &'a str,
    pub(crate) name: &'a str,
}

/// What is denied: verb and resource.
#[derive(Debug, Default)]
pub(crate) struct Denials(Vec<(String, String)>);

impl Denials {
    pub(crate) fn add(&mut self, verb: &str, resource: &str) {
        self.0.push((verb.to_owned(), resource.to_owned()));
    }

    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }

    pub(crate) fn deny(&self, wish: &Wish<'_>) -> bool {
        let fits = |denied: &str, wanted: &str| denied == "*" || denied == wanted;
        self.0.iter().any(|(verb, resource)| fits(verb, wish.verb) && fits(resource, wish.resource))
    }
}

/// The 403 of the RBAC authoriser.
pub(crate) fn denial(wish: &Wish<'_>) -> Rejection {
    let plural = wish.resource.split('/').next().unwrap_or_default();
    let qualified = if wish.group.is_empty() { plural.to_owned() } else { format!("{plural}.{}", wish.group) };
    let object = if wish.name.is_empty() { qualified } else { format!("{qualified} \"{}\"", wish.name) };
    let scope = if wish.namespace.is_empty() {
        "at the cluster scope".to_owned()
    } else {
        format!("in the namespace \"{}\"", wish.namespace)
    };
    let message = format!(
        "{object} is forbidden: User \"{USER}\" cannot {} resource \"{}\" in API group \"{}\" {scope}",
        wish.verb, wish.resource, wish.group
    );
    let mut rejection = Rejection::new(403, "Forbidden", message);
    let mut details = json!({"kind": plural});
    for (key, value) in [("name", wish.name), ("group", wish.group)] {
        if !value.is_empty() {
            details[key] = value.into();
        }
    }
    rejection.details = Box::new(details);
    rejection
}
