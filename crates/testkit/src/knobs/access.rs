//! RBAC, as one user and a list of rules.

use serde::{Deserialize, Serialize};

use crate::objects::rejection::Rejection;

/// One rule of a Role. `*` matches everything.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PolicyRule {
    /// API groups; the core group is the empty text.
    #[serde(default)]
    pub api_groups: Vec<String>,
    /// Resources, subresources as `pods/log`.
    pub resources: Vec<String>,
    /// Verbs.
    pub verbs: Vec<String>,
    /// Restricts the rule to these names; empty means all.
    #[serde(default)]
    pub resource_names: Vec<String>,
    /// Restricts the rule to a namespace; absent means everywhere.
    #[serde(default)]
    pub namespace: Option<String>,
}

impl PolicyRule {
    /// A rule without name and namespace restrictions.
    #[must_use]
    pub fn new(group: &str, resources: &[&str], verbs: &[&str]) -> Self {
        let owned = |list: &[&str]| list.iter().map(|&item| item.to_owned()).collect();
        Self { api_groups: vec![group.to_owned()], resources: owned(resources), verbs: owned(verbs), ..Self::default() }
    }

    fn allows(&self, wish: &Wish<'_>) -> bool {
        let has = |list: &[String], item: &str| list.iter().any(|known| known == "*" || known == item);
        has(&self.api_groups, wish.group)
            && has(&self.resources, wish.resource)
            && has(&self.verbs, wish.verb)
            && (self.resource_names.is_empty() || has(&self.resource_names, wish.name))
            && self.namespace.as_deref().is_none_or(|namespace| namespace == wish.namespace)
    }
}

/// Who asks, and what is allowed.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Access {
    /// The user of every request. Default `system:serviceaccount:paperclip:paperclip`.
    pub user: String,
    /// What it may do; `None` (the default) allows everything.
    pub rules: Option<Vec<PolicyRule>>,
    /// What it may not do, even if a rule allows it. Real RBAC has no denials; this is for "everything but one".
    pub denied: Vec<PolicyRule>,
}

impl Default for Access {
    fn default() -> Self {
        Self { user: "system:serviceaccount:paperclip:paperclip".to_owned(), rules: None, denied: Vec::new() }
    }
}

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

impl Access {
    pub(crate) fn allows(&self, wish: &Wish<'_>) -> bool {
        let granted = self.rules.as_ref().is_none_or(|rules| rules.iter().any(|rule| rule.allows(wish)));
        granted && !self.denied.iter().any(|rule| rule.allows(wish))
    }

    /// The 403 of the RBAC authoriser.
    pub(crate) fn denial(&self, wish: &Wish<'_>) -> Rejection {
        let plural = wish.resource.split('/').next().unwrap_or_default();
        let qualified = if wish.group.is_empty() { plural.to_owned() } else { format!("{plural}.{}", wish.group) };
        let object = if wish.name.is_empty() { qualified } else { format!("{qualified} \"{}\"", wish.name) };
        let scope = if wish.namespace.is_empty() {
            "at the cluster scope".to_owned()
        } else {
            format!("in the namespace \"{}\"", wish.namespace)
        };
        let message = format!(
            "{object} is forbidden: User \"{}\" cannot {} resource \"{}\" in API group \"{}\" {scope}",
            self.user, wish.verb, wish.resource, wish.group
        );
        let mut rejection = Rejection::new(403, "Forbidden", message);
        let mut details = serde_json::json!({"kind": plural});
        for (key, value) in [("name", wish.name), ("group", wish.group)] {
            if !value.is_empty() {
                details[key] = value.into();
            }
        }
        rejection.details = Box::new(details);
        rejection
    }
}
