//! A kubeconfig that is given as content: its data, and nothing that would act on the server (TRU-01).
//!
//! ```text
//!  text ──YAML──▶ allow-list of members, every cluster and user ──▶ the current context's cluster and user
//!                        └──▶ what is refused: the member, and the way out
//! ```
//! What leaves this module was rebuilt from single members: nobody reads the text a second time and sees something else.

use serde_json::{Map, Value};

use super::grammar::DNS_LABEL;
use super::structured::{from_yaml, shown};

/// A larger text is no kubeconfig. Unit: bytes.
const TEXT_MAX: usize = 1 << 20;

/// Cluster and user of the current context, reduced to data.
#[derive(Clone, PartialEq, Eq)]
pub struct InlineKubeconfig {
    /// The key of the configuration it came from.
    pub key: &'static str,
    /// Members of [`CLUSTER`], by their names.
    pub cluster: Map<String, Value>,
    /// Members of [`USER`], by their names. Empty: requests without credentials.
    pub user: Map<String, Value>,
    /// `namespace` of the context.
    pub namespace: Option<String>,
}

impl std::fmt::Debug for InlineKubeconfig {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("InlineKubeconfig").field("key", &self.key).finish_non_exhaustive()
    }
}

impl InlineKubeconfig {
    /// The server's certificate is not checked.
    #[must_use]
    pub fn is_insecure(&self) -> bool {
        self.cluster.get("insecure-skip-tls-verify") == Some(&Value::Bool(true))
    }
}

/// What a member may be.
#[derive(Debug, Clone, Copy)]
enum Member {
    Text,
    Flag,
    Texts,
    /// Lists of texts by name.
    TextsByName,
    /// Left out: notes of other programs.
    Ignored,
    /// Runs a program of the server.
    Program,
    /// Names a file of the server; the member that takes its content, if there is one.
    File(Option<&'static str>),
}

/// Members of a cluster. Whatever is not here is refused.
const CLUSTER: &[(&str, Member)] = &[
    ("server", Member::Text),
    ("certificate-authority-data", Member::Text),
    ("insecure-skip-tls-verify", Member::Flag),
    ("proxy-url", Member::Text),
    ("tls-server-name", Member::Text),
    ("disable-compression", Member::Flag),
    ("extensions", Member::Ignored),
    ("certificate-authority", Member::File(Some("certificate-authority-data"))),
];

/// Members of a user. Whatever is not here is refused.
const USER: &[(&str, Member)] = &[
    ("token", Member::Text),
    ("client-certificate-data", Member::Text),
    ("client-key-data", Member::Text),
    ("username", Member::Text),
    ("password", Member::Text),
    ("as", Member::Text),
    ("as-uid", Member::Text),
    ("as-groups", Member::Texts),
    ("as-user-extra", Member::TextsByName),
    ("extensions", Member::Ignored),
    ("exec", Member::Program),
    ("auth-provider", Member::Program),
    ("tokenFile", Member::File(Some("token"))),
    ("client-certificate", Member::File(Some("client-certificate-data"))),
    ("client-key", Member::File(Some("client-key-data"))),
];

const WAY_OUT: &str = "put the kubeconfig into a file that only the operator can write, and its path into `kubeconfig`";

/// Reads content. The reasons name members and never quote a value.
pub(super) fn parse(key: &'static str, text: &str) -> Result<InlineKubeconfig, Vec<String>> {
    if text.len() > TEXT_MAX {
        return Err(vec![format!("has {} bytes; a kubeconfig has at most {TEXT_MAX}", text.len())]);
    }
    let document = from_yaml(text).map_err(|reason| vec![reason])?;
    let Value::Object(document) = document else {
        return Err(vec!["is not the content of a kubeconfig".to_owned()]);
    };
    let mut reasons = Vec::new();
    let clusters = entries(&document, "clusters", "cluster", CLUSTER, &mut reasons);
    let users = entries(&document, "users", "user", USER, &mut reasons);
    if !reasons.is_empty() {
        return Err(reasons);
    }
    current(&document, key, &clusters, &users).map_err(|reason| vec![reason])
}

type Named = (String, Map<String, Value>);

/// The entries of a list: their names and their checked members. All of them, whatever the context says.
fn entries(
    document: &Map<String, Value>,
    list: &str,
    member: &str,
    table: &[(&str, Member)],
    reasons: &mut Vec<String>,
) -> Vec<Named> {
    let items = match document.get(list) {
        None | Some(Value::Null) => return Vec::new(),
        Some(Value::Array(items)) => items,
        Some(other) => {
            reasons.push(format!("`{list}` has to be a list, not {}", kind(other)));
            return Vec::new();
        }
    };
    let mut entries = Vec::with_capacity(items.len());
    for (index, item) in items.iter().enumerate() {
        let path = format!("{list}[{index}]");
        let Some(name) = item.get("name").and_then(Value::as_str) else {
            reasons.push(format!("`{path}.name` has to be a text"));
            continue;
        };
        match item.get(member) {
            None | Some(Value::Null) => entries.push((name.to_owned(), Map::new())),
            Some(Value::Object(members)) => {
                entries.push((name.to_owned(), checked(members, &format!("{path}.{member}"), table, reasons)));
            }
            Some(other) => reasons.push(format!("`{path}.{member}` has to be an object, not {}", kind(other))),
        }
    }
    entries
}

fn checked(
    members: &Map<String, Value>,
    path: &str,
    table: &[(&str, Member)],
    reasons: &mut Vec<String>,
) -> Map<String, Value> {
    let mut kept = Map::new();
    for (name, value) in members.iter().filter(|(_, value)| !value.is_null()) {
        let Some((known, kind)) = table.iter().find(|(known, _)| known == name) else {
            reasons.push(format!("{} is not known; {WAY_OUT}", unknown(path, name)));
            continue;
        };
        match kind.refusal(value) {
            None if matches!(kind, Member::Ignored) => {}
            None => drop(kept.insert((*known).to_owned(), value.clone())),
            Some(reason) => reasons.push(format!("`{path}.{known}` {reason}")),
        }
    }
    kept
}

impl Member {
    fn refusal(self, value: &Value) -> Option<String> {
        let is_texts = |value: &Value| value.as_array().is_some_and(|items| items.iter().all(Value::is_string));
        let (fits, expected) = match self {
            Self::Text => (value.is_string(), "a text: put it in quotes"),
            Self::Flag => (value.is_boolean(), "`true` or `false`"),
            Self::Texts => (is_texts(value), "a list of texts"),
            Self::TextsByName => {
                (value.as_object().is_some_and(|map| map.values().all(is_texts)), "an object of lists of texts")
            }
            Self::Ignored => (true, ""),
            Self::Program => return Some(format!("would run a program on the Paperclip server; {WAY_OUT}")),
            Self::File(None) => return Some(format!("names a file of the Paperclip server; {WAY_OUT}")),
            Self::File(Some(data)) => {
                return Some(format!(
                    "names a file of the Paperclip server; give its content in `{data}`, or {WAY_OUT}"
                ));
            }
        };
        (!fits).then(|| format!("has to be {expected}"))
    }
}

/// A member that nobody knows. Its name is told when it can only be a name: a slip of the indentation makes names of values.
fn unknown(path: &str, name: &str) -> String {
    let is_name = name.len() <= 32 && name.bytes().all(|byte| byte.is_ascii_alphabetic() || byte == b'-');
    if is_name { format!("`{path}.{name}`") } else { format!("a member of `{path}`") }
}

/// Cluster and user of the current context.
fn current(
    document: &Map<String, Value>,
    key: &'static str,
    clusters: &[Named],
    users: &[Named],
) -> Result<InlineKubeconfig, String> {
    let named = |list: &[Named], name: &str| list.iter().find(|(known, _)| known == name).map(|(_, one)| one.clone());
    let text = |value: Option<&Value>| value.and_then(Value::as_str).filter(|text| !text.is_empty()).map(str::to_owned);
    let name = text(document.get("current-context")).ok_or("`current-context` is missing")?;
    let contexts = document.get("contexts").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let context = contexts.iter().find(|one| one.get("name").and_then(Value::as_str) == Some(&name));
    let context = context.and_then(|one| one.get("context")).ok_or("`contexts` has no entry of `current-context`")?;
    let cluster = text(context.get("cluster")).ok_or("the current context names no `cluster`")?;
    let cluster = named(clusters, &cluster).ok_or("`clusters` has no entry of the current context")?;
    match cluster.get("server").and_then(Value::as_str) {
        Some(server) if server.starts_with("https://") || server.starts_with("http://") => {}
        Some(_) => return Err("`server` is not an http or https URL".to_owned()),
        None => return Err("the cluster of the current context has no `server`".to_owned()),
    }
    let user = match text(context.get("user")) {
        Some(user) => named(users, &user).ok_or("`users` has no entry of the current context")?,
        None => Map::new(),
    };
    for (one, other) in [("client-certificate-data", "client-key-data"), ("client-key-data", "client-certificate-data")]
    {
        if user.contains_key(one) && !user.contains_key(other) {
            return Err(format!("the user of the current context has `{one}` without `{other}`"));
        }
    }
    let namespace = text(context.get("namespace"));
    if namespace.as_ref().is_some_and(|name| !DNS_LABEL.accepts(name)) {
        return Err(format!("`namespace` of the current context is not {} ({})", DNS_LABEL.name, DNS_LABEL.rule));
    }
    Ok(InlineKubeconfig { key, cluster, user, namespace })
}

/// A kind of value, without the value.
fn kind(value: &Value) -> String {
    match value {
        Value::Array(_) | Value::Object(_) => shown(value),
        Value::String(_) => "a text".to_owned(),
        Value::Number(_) => "a number".to_owned(),
        Value::Bool(_) | Value::Null => "a word".to_owned(),
    }
}
