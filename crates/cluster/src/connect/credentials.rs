//! Which cluster, as whom: configured kubeconfig, then the pod's own account, then `KUBECONFIG` outside a cluster.

use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use claude_k8s_core::api_failure::{ApiFailure, FailureKind};
use claude_k8s_core::certificate::doubts;
use claude_k8s_core::config::{InlineKubeconfig, KubeconfigSource};
use claude_k8s_core::request::HostProcess;
use kube::Config;
use kube::config::{
    Context, ExecInteractiveMode, KubeConfigOptions, Kubeconfig, KubeconfigError, NamedAuthInfo, NamedCluster,
    NamedContext,
};

use super::CommonGround;
use crate::files::seen;

const ACCOUNT: &str = "/var/run/secrets/kubernetes.io/serviceaccount";

/// Where the credentials of a connection come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Credentials {
    /// Content in `kubeconfig` or `kubeconfigData` of the adapter's configuration.
    Inline(InlineKubeconfig),
    /// `kubeconfig` of the adapter's configuration names a file, which only the operator may have put there (TRU-02).
    File(PathBuf, CommonGround),
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
    NoServiceAccountToken(String),
    /// The kubeconfig cannot be used.
    #[error("The {place} cannot be used: {cause}")]
    KubeconfigInvalid {
        /// [`Credentials::describe`].
        place: String,
        /// The key of the configuration that has to change.
        key: Option<&'static str>,
        /// Why.
        cause: String,
    },
}

impl ConnectError {
    /// Credentials that were read but cannot be used.
    pub(crate) fn invalid(credentials: &Credentials, cause: &dyn std::fmt::Display) -> Self {
        Self::KubeconfigInvalid { place: credentials.describe(), key: credentials.key(), cause: cause.to_string() }
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

impl Credentials {
    /// The order that `docs/configuration.md` documents.
    ///
    /// `mounts`: where the host's own pod has volumes that pods of agents can mount.
    ///
    /// # Errors
    /// When there are none.
    pub fn choose(
        configured: Option<&KubeconfigSource>,
        host: &HostProcess,
        mounts: &[PathBuf],
    ) -> Result<Self, ConnectError> {
        let named = host.env("KUBECONFIG").unwrap_or_default();
        match configured {
            Some(KubeconfigSource::Inline(inline)) => return Ok(Self::Inline(inline.clone())),
            // What the environment of the process names, the operator has named.
            Some(KubeconfigSource::Path(path)) if std::env::split_paths(named).any(|one| one == *path) => {
                return Ok(Self::HostKubeconfig { paths: path.clone(), context: None });
            }
            Some(KubeconfigSource::Path(path)) => return Ok(Self::File(path.clone(), CommonGround::of(host, mounts))),
            None => {}
        }
        if in_cluster(host) {
            return Ok(Self::InCluster);
        }
        let paths = host.env("KUBECONFIG").map(PathBuf::from).ok_or(ConnectError::NotInCluster)?;
        Ok(Self::HostKubeconfig { paths, context: host.env("PAPERCLIP_K8S_CONTEXT").map(str::to_owned) })
    }

    /// The pod's own account, for reading the own pod whatever the Jobs' cluster is (POD-06).
    #[must_use]
    pub fn own(host: &HostProcess) -> Option<Self> {
        in_cluster(host).then_some(Self::InCluster)
    }

    /// Same identity, same connection.
    #[must_use]
    pub fn identity(&self) -> String {
        match self {
            Self::InCluster => "in-cluster".to_owned(),
            Self::HostKubeconfig { paths, context } => {
                let files: Vec<String> = std::env::split_paths(paths).map(|path| written(&path)).collect();
                format!("host:{}:{}", files.join(":"), context.as_deref().unwrap_or_default())
            }
            Self::File(path, _) => format!("file:{}", written(path)),
            Self::Inline(inline) => format!("inline:{:x}", fingerprint(inline)),
        }
    }

    /// Reads and checks them. Blocking: exec plugins of a kubeconfig run here.
    ///
    /// # Errors
    /// When they cannot be read or used.
    pub fn load(&self) -> Result<Config, ConnectError> {
        match self {
            Self::InCluster => in_cluster_config(),
            Self::HostKubeconfig { paths, context } => from_files(paths, context.as_deref(), self),
            Self::File(path, common) => {
                let text = common.read(path).map_err(|reason| ConnectError::invalid(self, &reason))?;
                let read = Kubeconfig::from_yaml(&text);
                let read = read.map_err(|error| ConnectError::invalid(self, &unreadable(&error)))?;
                checked(beside(path, read), self)
            }
            Self::Inline(inline) => {
                checked(rebuilt(inline).map_err(|error| ConnectError::invalid(self, &error))?, self)
            }
        }
    }

    /// The key that configured them.
    #[must_use]
    pub fn key(&self) -> Option<&'static str> {
        match self {
            Self::File(..) => Some("kubeconfig"),
            Self::Inline(inline) => Some(inline.key),
            Self::InCluster | Self::HostKubeconfig { .. } => None,
        }
    }

    /// A failed call, with what its certificates may have to do with it (FLD-27).
    #[must_use]
    pub fn explained(&self, mut failure: ApiFailure) -> ApiFailure {
        if failure.kind == FailureKind::Network
            && failure.cause.contains("certificate")
            && let Ok(config) = self.load()
        {
            failure.cause = with_doubts(&config, &failure.cause);
        }
        failure
    }

    /// For messages and the environment test.
    #[must_use]
    pub fn describe(&self) -> String {
        match self {
            Self::File(path, _) => format!("kubeconfig `{}`", path.display()),
            Self::Inline(_) => "kubeconfig from the configuration".to_owned(),
            Self::InCluster => "service account of the host's pod".to_owned(),
            Self::HostKubeconfig { paths, .. } => format!("kubeconfig `{}` named by KUBECONFIG", paths.display()),
        }
    }
}

fn in_cluster(host: &HostProcess) -> bool {
    host.env("KUBERNETES_SERVICE_HOST").is_some()
}

fn in_cluster_config() -> Result<Config, ConnectError> {
    if seen(&Path::new(ACCOUNT).join("token")).is_none() {
        return Err(ConnectError::NoServiceAccountToken(format!("{ACCOUNT}/token is missing")));
    }
    Config::incluster().map_err(|error| ConnectError::NoServiceAccountToken(error.to_string()))
}

/// References to files are relative to the kubeconfig's own directory.
fn beside(path: &Path, mut kubeconfig: Kubeconfig) -> Kubeconfig {
    let directory = path.parent().unwrap_or(Path::new("/"));
    let absolute = |reference: &mut Option<String>| {
        if let Some(reference) = reference {
            *reference = directory.join(&*reference).to_string_lossy().into_owned();
        }
    };
    for cluster in kubeconfig.clusters.iter_mut().filter_map(|named| named.cluster.as_mut()) {
        absolute(&mut cluster.certificate_authority);
    }
    for user in kubeconfig.auth_infos.iter_mut().filter_map(|named| named.auth_info.as_mut()) {
        absolute(&mut user.client_certificate);
        absolute(&mut user.client_key);
        absolute(&mut user.token_file);
        let command = user.exec.as_mut().map(|exec| &mut exec.command);
        // A bare name is looked for in `PATH`.
        if let Some(command) = command.filter(|command| command.as_ref().is_some_and(|name| name.contains('/'))) {
            absolute(command);
        }
    }
    kubeconfig
}

/// As `kubectl`: the first file that has a name wins.
fn from_files(paths: &Path, context: Option<&str>, credentials: &Credentials) -> Result<Config, ConnectError> {
    let invalid = |error: &KubeconfigError| ConnectError::invalid(credentials, &unreadable(error));
    let mut merged: Option<Kubeconfig> = None;
    for path in std::env::split_paths(paths) {
        let one = Kubeconfig::read_from(path).map_err(|error| invalid(&error))?;
        merged = Some(match merged {
            None => one,
            Some(first) => first.merge(one).map_err(|error| invalid(&error))?,
        });
    }
    let mut kubeconfig = merged.unwrap_or_default();
    if let Some(context) = context {
        kubeconfig.current_context = Some(context.to_owned());
    }
    checked(kubeconfig, credentials)
}

/// A file and when it was written: another content is another identity, because credentials may have been replaced.
fn written(path: &Path) -> String {
    let changed = seen(path).and_then(|(_, changed)| changed);
    format!("{}:{changed:?}", path.display())
}

/// The reason for which certificates were refused, and what they say of themselves.
pub(super) fn with_doubts(config: &Config, reason: &str) -> String {
    let client = config.auth_info.client_certificate_data.as_deref().and_then(first_certificate);
    let doubts = doubts(config.root_cert.as_deref().unwrap_or_default(), client.as_deref());
    std::iter::once(reason.to_owned()).chain(doubts).collect::<Vec<_>>().join("; ")
}

/// The first certificate of PEM in base64.
fn first_certificate(data: &str) -> Option<Vec<u8>> {
    let text = String::from_utf8(STANDARD.decode(data.trim()).ok()?).ok()?;
    let (_, rest) = text.split_once("-----BEGIN CERTIFICATE-----")?;
    let (body, _) = rest.split_once("-----END CERTIFICATE-----")?;
    STANDARD.decode(body.split_whitespace().collect::<String>()).ok()
}

/// One cluster, one user and one context, of checked data: the library never sees the text (TRU-01).
fn rebuilt(inline: &InlineKubeconfig) -> Result<Kubeconfig, String> {
    let entry = |list: &str| format!("a member of `{list}` has another type than the library expects");
    let cluster = serde_json::from_value(inline.cluster.clone().into()).map_err(|_| entry("clusters"))?;
    let user = serde_json::from_value(inline.user.clone().into()).map_err(|_| entry("users"))?;
    let name = "configured".to_owned();
    let context = Context {
        cluster: name.clone(),
        user: Some(name.clone()),
        namespace: inline.namespace.clone(),
        ..Context::default()
    };
    Ok(Kubeconfig {
        clusters: vec![NamedCluster { name: name.clone(), cluster: Some(cluster), ..NamedCluster::default() }],
        auth_infos: vec![NamedAuthInfo { name: name.clone(), auth_info: Some(user), ..NamedAuthInfo::default() }],
        contexts: vec![NamedContext { name: name.clone(), context: Some(context), ..NamedContext::default() }],
        current_context: Some(name),
        ..Kubeconfig::default()
    })
}

fn checked(mut kubeconfig: Kubeconfig, credentials: &Credentials) -> Result<Config, ConnectError> {
    // A credential plugin must never ask the host's terminal.
    for user in &mut kubeconfig.auth_infos {
        if let Some(exec) = user.auth_info.as_mut().and_then(|user| user.exec.as_mut()) {
            exec.interactive_mode = Some(ExecInteractiveMode::Never);
        }
    }
    let invalid = |cause: String| ConnectError::invalid(credentials, &cause);
    let proxy = proxy(&kubeconfig).map_err(invalid)?;
    let options = KubeConfigOptions::default();
    let future = Config::from_custom_kubeconfig(kubeconfig, &options);
    // The function is async by signature only: it reads files and environment, and never waits.
    let mut config = futures_util::FutureExt::now_or_never(future)
        .ok_or_else(|| invalid("reading it did not finish".to_owned()))?
        .map_err(|error| invalid(with_source(&error)))?;
    // The library would also take `HTTPS_PROXY` of the host, and match `NO_PROXY` against the proxy.
    config.proxy_url = proxy;
    match config.cluster_url.scheme_str() {
        Some("http" | "https") => Ok(config),
        _ => Err(invalid(format!("server `{}` is not an http or https URL", config.cluster_url))),
    }
}

/// `proxy-url` of the current context's cluster.
fn proxy(kubeconfig: &Kubeconfig) -> Result<Option<http::Uri>, String> {
    let name = kubeconfig.current_context.as_deref();
    let context = kubeconfig.contexts.iter().find(|one| Some(one.name.as_str()) == name);
    let cluster = context.and_then(|one| one.context.as_ref()).map(|context| context.cluster.as_str());
    let cluster = kubeconfig.clusters.iter().find(|one| Some(one.name.as_str()) == cluster);
    let url = cluster.and_then(|one| one.cluster.as_ref()?.proxy_url.as_deref()).filter(|url| !url.is_empty());
    let Some(url) = url else { return Ok(None) };
    let parsed: http::Uri = url.parse().map_err(|_| "`proxy-url` is not a URL".to_owned())?;
    match parsed.scheme_str() {
        Some("http") => Ok(Some(parsed)),
        _ => Err("`proxy-url` has to begin with `http://`: other kinds of proxies are not supported".to_owned()),
    }
}

/// The parser's text quotes the lines around the mistake, and they may hold a token (PRM-07): only the place is told.
fn unreadable(error: &KubeconfigError) -> String {
    let KubeconfigError::Parse(error) = error else { return with_source(error) };
    let text = error.to_string();
    let place = text.find("line ").and_then(|at| {
        let words: Vec<&str> = text[at..].split([' ', ':', '\n']).take(4).collect();
        matches!(words.as_slice(), ["line", line, "column", column] if line.parse::<u32>().is_ok() && column.parse::<u32>().is_ok())
            .then(|| words.join(" "))
    });
    format!("it is not YAML or not a kubeconfig{}", place.map(|place| format!(", at {place}")).unwrap_or_default())
}

fn with_source(error: &dyn std::error::Error) -> String {
    match error.source() {
        Some(source) if !error.to_string().contains(&source.to_string()) => format!("{error}: {source}"),
        _ => error.to_string(),
    }
}

fn fingerprint(inline: &InlineKubeconfig) -> u64 {
    use std::hash::{DefaultHasher, Hash, Hasher};
    let mut hasher = DefaultHasher::new();
    let data = (&inline.cluster, &inline.user);
    (serde_json::to_string(&data).unwrap_or_default(), &inline.namespace).hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::connect::Connection;

    const VERSION_1: &str = "MIIBEzCBuwIUfUc2sGUD39TIZIqKGXlMc+FXVi8wCgYIKoZIzj0EAwIwDDEKMAgGA1UEAwwBdTAgFw0yNjExMjgyMDI1MzFaGA8yMTI2MTEwNDIwMjUzMVowDDEKMAgGA1UEAwwBdTBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABF8tNeNrFKVOSJ6J1BPj1S/+NvzGh73P7sJ1FdWm3lFlTGSaYq8Fhz0KIOFBIRnFutK9itPiWNAZpebl3kun8EcwCgYIKoZIzj0EAwIDRwAwRAIgCy97eQZCFHItKJxzr45zKtAgXL1Jysyymw8kZq3uVCICIDW5shs1u1eXqgry+2nbK6JrQS6kiXj3Y8a5rtDrkP/1";
    const LEAF: &str = "MIIBSzCB8aADAgECAhQOW20GNhIYxA0c/QUnPMRuKoC1NDAKBggqhkjOPQQDAjAMMQowCAYDVQQDDAF1MCAXDTI2MTEyODIwMjUzMVoYDzIxMjYxMTA0MjAyNTMxWjAMMQowCAYDVQQDDAF1MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEXy0142sUpU5InonUE+PVL/42/MaHvc/uwnUV1abeUWVMZJpirwWHPQog4UEhGcW60r2K0+JY0Bml5uXeS6fwR6MvMC0wDAYDVR0TAQH/BAIwADAdBgNVHQ4EFgQU1Bp/B/07pOc5vVAtaFuQgiV+lOUwCgYIKoZIzj0EAwIDSQAwRgIhALuKSNGLbI0z/4Li3K4kdE5Nj9U7UcQX8kiPKTIVpzo0AiEA+vhPnwC9ZqQDMJ5zkg6kFvWUil57xBHQ2YqzlE1PMqY=";
    /// Of nothing but this test.
    const KEY: &str = "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgQRP0va6aDHYjVZi1qYtHku6ENMQwNNjXiEhsD2gQXbahRANCAARfLTXjaxSlTkieidQT49Uv/jb8xoe9z+7CdRXVpt5RZUxkmmKvBYc9CiDhQSEZxbrSvYrT4ljQGaXm5d5Lp/BH";

    fn text(cluster: &str) -> String {
        format!(
            "apiVersion: v1\nkind: Config\ncurrent-context: c\nclusters: [{{name: k, cluster: {{{cluster}}}}}]\n\
             users: [{{name: u, user: {{token: secret-token-0123}}}}]\n\
             contexts: [{{name: c, context: {{cluster: k, user: u, namespace: team}}}}]\n"
        )
    }

    fn configured(text: &str) -> Credentials {
        let config = serde_json::json!({ "kubeconfigData": text });
        let config = claude_k8s_core::config::Config::parse(config.as_object().unwrap()).unwrap();
        Credentials::choose(config.kubeconfig.as_ref(), &HostProcess::default(), &[]).unwrap()
    }

    fn kubeconfig(cluster: &str) -> Credentials {
        configured(&text(cluster))
    }

    fn problem(credentials: &Credentials) -> String {
        Connection::open(credentials).map_or_else(|error| error.to_string(), |_| "none".to_owned())
    }

    #[test]
    fn a_kubeconfig_gives_server_namespace_and_its_own_proxy() {
        let config = kubeconfig("server: 'https://k8s:6443'").load().unwrap();
        assert_eq!((config.default_namespace.as_str(), config.proxy_url), ("team", None));
        let config = kubeconfig("server: 'https://k8s:6443', proxy-url: 'http://proxy:3128'").load().unwrap();
        assert_eq!(config.proxy_url.unwrap(), "http://proxy:3128");
    }

    #[test]
    fn tru_01_a_kubeconfig_without_credentials_has_none() {
        let text = text("server: 'https://k8s:6443'").replace("token: secret-token-0123", "");
        let config = configured(&text).load().unwrap();
        assert_eq!(serde_json::to_value(&config.auth_info).unwrap()["tokenFile"], serde_json::Value::Null);
        assert!(config.auth_info.token.is_none() && config.root_cert_file.is_none());
    }

    #[tokio::test]
    async fn fld_27_certificates_that_are_refused_are_named_with_what_is_wrong_with_them() {
        let pem =
            |kind: &str, body: &str| STANDARD.encode(format!("-----BEGIN {kind}-----\n{body}\n-----END {kind}-----\n"));
        let leaf = pem("CERTIFICATE", LEAF);
        let user = format!(
            "client-certificate-data: {}, client-key-data: {}",
            pem("CERTIFICATE", VERSION_1),
            pem("PRIVATE KEY", KEY)
        );
        let cluster = format!("server: 'https://k8s:6443', certificate-authority-data: {leaf}");
        let text = problem(&configured(&text(&cluster).replace("token: secret-token-0123", &user)));
        assert!(text.contains("`client-certificate-data` is an X.509 version 1 certificate"), "{text}");

        let cause = "invalid peer certificate: UnknownIssuer";
        let failure = kubeconfig(&cluster).explained(ApiFailure::new("Asking", cause, FailureKind::Network));
        assert!(failure.cause.contains("`certificate-authority-data` holds a certificate that is no"), "{failure}");
        let failure = kubeconfig(&cluster).explained(ApiFailure::new("Asking", "refused", FailureKind::Network));
        assert_eq!(failure.cause, "refused", "nothing about certificates");
    }

    #[tokio::test]
    async fn cfg_05_what_is_wrong_with_a_kubeconfig_is_said_without_its_secrets() {
        let key = text("server: 'https://k8s:6443'")
            .replace("token: secret-token-0123", "client-key-data: secret-token-0123, client-certificate-data: YQ==");
        for (credentials, expected) in [
            (kubeconfig("server: 'https://k8s', proxy-url: 'socks5://u:secret-token-0123@p:1'"), "`proxy-url`"),
            (kubeconfig("server: 'https://k8s', proxy-url: 'http://['"), "`proxy-url` is not a URL"),
            (configured(&key), "cannot be used"),
        ] {
            let text = problem(&credentials);
            assert!(text.contains(expected), "{text}");
            assert!(!text.contains("secret-token-0123"), "{text}");
            assert_eq!(Connection::open(&credentials).map(drop).unwrap_err().key(), Some("kubeconfigData"), "FLD-31");
        }
        let file = tempfile::NamedTempFile::new().unwrap();
        let host = |text: &str| {
            std::fs::write(file.path(), text).unwrap();
            problem(&Credentials::HostKubeconfig { paths: file.path().to_owned(), context: None })
        };
        let good = text("server: 'https://k8s:6443'");
        for (text, expected) in [
            (text("server: 'ftp://k8s'"), "not an http or https URL"),
            (text("server: 'https://k8s', certificate-authority: /none/ca.crt"), "/none/ca.crt"),
            (good.replace("current-context: c", "current-context: other"), "cannot be used"),
            (
                good.replace("token: secret-token-0123", "token: [secret-token-0123]"),
                "not a kubeconfig, at line 5 column",
            ),
            (good.replace("token: secret-token-0123}", "token: secret-token-0123"), "cannot be used"),
        ] {
            let text = host(&text);
            assert!(text.contains(expected), "{text}");
            assert!(!text.contains("secret-token-0123"), "{text}");
        }
        let missing = Credentials::HostKubeconfig { paths: "/none/config".into(), context: None };
        assert!(problem(&missing).contains("`/none/config`"), "{}", problem(&missing));
    }
}
