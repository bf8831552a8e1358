//! Which cluster, as whom; and in words why it could not be connected to.
//!
//! Whoever reads files and opens connections brings a kind of failure here; what the reader of a message learns, and
//! which key of the configuration has to change, is said in this module.

use std::path::{Path, PathBuf};

use crate::api_failure::{ApiFailure, FailureKind};
use crate::config::{InlineKubeconfig, KubeconfigSource};
use crate::files::{CommonPlace, Foreign};
use crate::request::HostProcess;

/// Where the credentials of a connection come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CredentialSource {
    /// Content in `kubeconfig` or `kubeconfigData` of the adapter's configuration.
    Inline(InlineKubeconfig),
    /// `kubeconfig` of the adapter's configuration names a file, which only the operator may have put there (TRU-02).
    File(PathBuf),
    /// The service account of the pod this process runs in.
    InCluster,
    /// The file named by `KUBECONFIG` of the host process.
    HostKubeconfig {
        /// A file, or several between `:` as `kubectl` takes them.
        paths: PathBuf,
        /// Another context than the current one, named by `PAPERCLIP_K8S_CONTEXT`.
        context: Option<String>,
    },
}

impl CredentialSource {
    /// The order that `docs/configuration.md` documents: what is configured, then the pod's own account, then
    /// `KUBECONFIG` outside a cluster.
    ///
    /// # Errors
    /// When there are none.
    pub fn choose(configured: Option<&KubeconfigSource>, host: &HostProcess) -> Result<Self, ConnectError> {
        let named = host.env("KUBECONFIG");
        match configured {
            Some(KubeconfigSource::Inline(inline)) => return Ok(Self::Inline(inline.clone())),
            // What the environment of the process names, the operator has named.
            Some(KubeconfigSource::Path(path)) if named.is_some_and(|named| lists(named, path)) => {
                return Ok(Self::HostKubeconfig { paths: path.clone(), context: None });
            }
            Some(KubeconfigSource::Path(path)) => return Ok(Self::File(path.clone())),
            None => {}
        }
        if let Some(own) = Self::own(host) {
            return Ok(own);
        }
        let paths = named.map(PathBuf::from).ok_or(ConnectError::NotInCluster)?;
        Ok(Self::HostKubeconfig { paths, context: host.env("PAPERCLIP_K8S_CONTEXT").map(str::to_owned) })
    }

    /// The pod's own account, for reading the own pod whatever the Jobs' cluster is (POD-06).
    #[must_use]
    pub fn own(host: &HostProcess) -> Option<Self> {
        host.env("KUBERNETES_SERVICE_HOST").map(|_| Self::InCluster)
    }

    /// The key that configured them.
    #[must_use]
    pub fn key(&self) -> Option<&'static str> {
        match self {
            Self::File(_) => Some("kubeconfig"),
            Self::Inline(inline) => Some(inline.key),
            Self::InCluster | Self::HostKubeconfig { .. } => None,
        }
    }

    /// For messages and the environment test.
    #[must_use]
    pub fn describe(&self) -> String {
        match self {
            Self::File(path) => format!("kubeconfig `{}`", path.display()),
            Self::Inline(_) => "kubeconfig from the configuration".to_owned(),
            Self::InCluster => "service account of the host's pod".to_owned(),
            Self::HostKubeconfig { paths, .. } => format!("kubeconfig `{}` named by KUBECONFIG", paths.display()),
        }
    }
}

/// The path is one of a list between `:`.
fn lists(named: &str, path: &Path) -> bool {
    std::env::split_paths(named).any(|one| one == path)
}

/// Why no connection could be set up. The kinds have different next steps, so they are told apart (CFG-05).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConnectError {
    /// No credentials at all.
    #[error(
        "Not in a cluster and no kubeconfig: set `kubeconfig` (a path on the host) or `kubeconfigData`, or run the host in a pod with a service account"
    )]
    NotInCluster,
    /// In a pod, but its service account token is not mounted.
    #[error(
        "The pod of the host has no service account token ({0}): set `automountServiceAccountToken: true` on it, or configure `kubeconfig`"
    )]
    NoServiceAccountToken(NoToken),
    /// The kubeconfig cannot be used.
    #[error("The {place} cannot be used: {cause}")]
    KubeconfigInvalid {
        /// [`CredentialSource::describe`].
        place: String,
        /// The key of the configuration that has to change.
        key: Option<&'static str>,
        /// Why.
        cause: Unusable,
    },
}

impl ConnectError {
    /// Credentials that were found but cannot be used.
    #[must_use]
    pub fn unusable(source: &CredentialSource, cause: Unusable) -> Self {
        Self::KubeconfigInvalid { place: source.describe(), key: source.key(), cause }
    }

    /// The key of the configuration that has to change, if one of it is to blame.
    #[must_use]
    pub fn key(&self) -> Option<&'static str> {
        match self {
            Self::KubeconfigInvalid { key, .. } => *key,
            Self::NotInCluster | Self::NoServiceAccountToken(_) => None,
        }
    }

    /// `resultJson.k8s.reason`.
    #[must_use]
    pub fn reason(&self) -> &'static str {
        match self {
            Self::NotInCluster => "k8s_not_in_cluster",
            Self::NoServiceAccountToken(_) => "k8s_no_service_account_token",
            Self::KubeconfigInvalid { .. } => "k8s_kubeconfig_invalid",
        }
    }
}

/// What keeps a pod's own account from being used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoToken {
    /// Nothing is mounted there.
    #[error("{} is missing", .0.display())]
    Missing(PathBuf),
    /// In the words of the client library.
    #[error("{0}")]
    Said(String),
}

/// What is wrong with a kubeconfig. Nothing of its content is told (PRM-07).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unusable {
    /// Somebody else than the operator may have written the file.
    #[error("{0}; only root and the server's user may be able to change a kubeconfig file")]
    Foreign(Foreign),
    /// It lies where agents and strangers write.
    #[error("it lies in {0}; put it where only the operator can write")]
    Common(CommonPlace),
    /// It is not UTF-8.
    #[error("it is no text")]
    NotText,
    /// Line and column of the mistake, if they are known.
    #[error("it is not YAML or not a kubeconfig{}", .0.map(|(line, column)| format!(", at line {line} column {column}")).unwrap_or_default())]
    Syntax(Option<(u32, u32)>),
    /// An entry of the list named.
    #[error("a member of `{0}` has another type than the library expects")]
    Member(&'static str),
    /// `server` of the cluster.
    #[error("server `{0}` is not an http or https URL")]
    Server(String),
    /// `proxy-url` of the cluster.
    #[error("`proxy-url` is not a URL")]
    Proxy,
    /// The same.
    #[error("`proxy-url` has to begin with `http://`: other kinds of proxies are not supported")]
    ProxyKind,
    /// Reading it should never wait, and did.
    #[error("reading it did not finish")]
    Unfinished,
    /// In the words of the operating system or the client library.
    #[error("{0}")]
    Said(String),
}

impl Unusable {
    /// Of a parser's text, which quotes the lines around the mistake: they may hold a token, so only the place is taken.
    #[must_use]
    pub fn syntax(text: &str) -> Self {
        let at = text.find("line ").and_then(|at| {
            let words: Vec<&str> = text[at..].split([' ', ':', '\n']).take(4).collect();
            match words.as_slice() {
                ["line", line, "column", column] => Some((line.parse().ok()?, column.parse().ok()?)),
                _ => None,
            }
        });
        Self::Syntax(at)
    }
}

/// The certificates of a connection may be why a call failed, so it is worth a look at them (FLD-27).
#[must_use]
pub fn blames_certificates(failure: &ApiFailure) -> bool {
    failure.kind == FailureKind::Network && failure.cause.contains("certificate")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn host(env: &[(&str, &str)]) -> HostProcess {
        let env: BTreeMap<_, _> = env.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        serde_json::from_value(serde_json::json!({ "env": env })).unwrap()
    }

    #[test]
    fn cfg_04_what_is_configured_comes_before_the_own_account_and_that_before_the_environment() {
        let path = KubeconfigSource::Path("/etc/k".into());
        let pod = ("KUBERNETES_SERVICE_HOST", "10.0.0.1");
        let named = ("KUBECONFIG", "/home/k:/etc/k");
        let choose = |configured, env: &[(&str, &str)]| CredentialSource::choose(configured, &host(env));
        assert_eq!(choose(Some(&path), &[pod]), Ok(CredentialSource::File("/etc/k".into())));
        let operators = CredentialSource::HostKubeconfig { paths: "/etc/k".into(), context: None };
        assert_eq!(choose(Some(&path), &[pod, named]), Ok(operators), "the operator named the very file");
        assert_eq!(choose(None, &[pod, named]), Ok(CredentialSource::InCluster));
        let context = ("PAPERCLIP_K8S_CONTEXT", "other");
        let outside =
            CredentialSource::HostKubeconfig { paths: "/home/k:/etc/k".into(), context: Some("other".into()) };
        assert_eq!(choose(None, &[named, context]), Ok(outside));
        assert_eq!(choose(None, &[]), Err(ConnectError::NotInCluster));
    }

    #[test]
    fn cfg_05_each_kind_of_missing_connection_names_what_to_change() {
        let file = CredentialSource::File("/etc/k".into());
        for (error, reason, key, text) in [
            (ConnectError::NotInCluster, "k8s_not_in_cluster", None, "set `kubeconfig`"),
            (
                ConnectError::NoServiceAccountToken(NoToken::Missing("/var/token".into())),
                "k8s_no_service_account_token",
                None,
                "(/var/token is missing): set `automountServiceAccountToken: true`",
            ),
            (
                ConnectError::unusable(&file, Unusable::Common(CommonPlace::Temporary)),
                "k8s_kubeconfig_invalid",
                Some("kubeconfig"),
                "The kubeconfig `/etc/k` cannot be used: it lies in a temporary directory; put it where",
            ),
        ] {
            assert_eq!((error.reason(), error.key()), (reason, key));
            assert!(error.to_string().contains(text), "{error}");
        }
    }

    #[test]
    fn prm_07_of_a_parsers_text_only_the_place_is_told() {
        let place = |text: &str| Unusable::syntax(text).to_string();
        let quoting = "invalid type at line 5 column 3: token: hush\n 5 | token: hush";
        assert_eq!(place(quoting), "it is not YAML or not a kubeconfig, at line 5 column 3");
        for text in ["hush", "line of hush", "line 5 of column hush", "line 5 column hush"] {
            assert_eq!(place(text), "it is not YAML or not a kubeconfig", "{text}");
        }
    }
}
