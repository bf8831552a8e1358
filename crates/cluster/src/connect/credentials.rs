//! The credentials that the core chose, read from where they are, into a configuration of the client library.

use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use claude_k8s_core::api_failure::ApiFailure;
use claude_k8s_core::certificate::doubts;
use claude_k8s_core::config::{InlineKubeconfig, KubeconfigSource};
use claude_k8s_core::connect::{ConnectError, CredentialSource, NoToken, Unusable, blames_certificates};
use claude_k8s_core::request::HostProcess;
use kube::Config;
use kube::config::{
    Context, ExecInteractiveMode, KubeConfigOptions, Kubeconfig, KubeconfigError, NamedAuthInfo, NamedCluster,
    NamedContext,
};

use super::CommonGround;
use crate::files::seen;

const ACCOUNT: &str = "/var/run/secrets/kubernetes.io/serviceaccount";

/// The credentials of a connection, before they are read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Credentials {
    /// Where they come from.
    pub source: CredentialSource,
    /// Where a file that the configuration of an agent names must not lie.
    common: CommonGround,
}

impl Credentials {
    /// By the order of the core. `mounts`: where the host's own pod has volumes that pods of agents can mount.
    ///
    /// # Errors
    /// When there are none.
    pub fn choose(
        configured: Option<&KubeconfigSource>,
        host: &HostProcess,
        mounts: &[PathBuf],
    ) -> Result<Self, ConnectError> {
        let source = CredentialSource::choose(configured, host)?;
        // Credentials of the same source are the same ones: only a file has conditions beside it.
        let common = match source {
            CredentialSource::File(_) => CommonGround::of(host, mounts),
            _ => CommonGround::default(),
        };
        Ok(Self { source, common })
    }

    /// The pod's own account, for reading the own pod whatever the Jobs' cluster is (POD-06).
    #[must_use]
    pub fn own(host: &HostProcess) -> Option<Self> {
        CredentialSource::own(host).map(|source| Self { source, common: CommonGround::default() })
    }

    /// Same identity, same connection.
    #[must_use]
    pub fn identity(&self) -> String {
        match &self.source {
            CredentialSource::InCluster => "in-cluster".to_owned(),
            CredentialSource::HostKubeconfig { paths, context } => {
                let files: Vec<String> = std::env::split_paths(paths).map(|path| written(&path)).collect();
                format!("host:{}:{}", files.join(":"), context.as_deref().unwrap_or_default())
            }
            CredentialSource::File(path) => format!("file:{}", written(path)),
            CredentialSource::Inline(inline) => format!("inline:{:x}", fingerprint(inline)),
        }
    }

    /// Reads and checks them. Blocking: exec plugins of a kubeconfig run here.
    ///
    /// # Errors
    /// When they cannot be read or used.
    pub fn load(&self) -> Result<Config, ConnectError> {
        let read = match &self.source {
            CredentialSource::InCluster => return in_cluster_config().map_err(ConnectError::NoServiceAccountToken),
            CredentialSource::HostKubeconfig { paths, context } => from_files(paths, context.as_deref()),
            CredentialSource::File(path) => self.common.read(path).and_then(|text| {
                let read = Kubeconfig::from_yaml(&text).map_err(|error| unreadable(&error))?;
                Ok(beside(path, read))
            }),
            CredentialSource::Inline(inline) => rebuilt(inline),
        };
        read.and_then(checked).map_err(|cause| self.unusable(cause))
    }

    /// They cannot be used.
    pub(crate) fn unusable(&self, cause: Unusable) -> ConnectError {
        ConnectError::unusable(&self.source, cause)
    }

    /// A failed call, with what its certificates may have to do with it (FLD-27).
    #[must_use]
    pub fn explained(&self, mut failure: ApiFailure) -> ApiFailure {
        if blames_certificates(&failure)
            && let Ok(config) = self.load()
        {
            failure.cause = with_doubts(&config, &failure.cause);
        }
        failure
    }

    /// For messages and the environment test.
    #[must_use]
    pub fn describe(&self) -> String {
        self.source.describe()
    }
}

fn in_cluster_config() -> Result<Config, NoToken> {
    let token = Path::new(ACCOUNT).join("token");
    if seen(&token).is_none() {
        return Err(NoToken::Missing(token));
    }
    Config::incluster().map_err(|error| NoToken::Said(error.to_string()))
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
fn from_files(paths: &Path, context: Option<&str>) -> Result<Kubeconfig, Unusable> {
    let mut merged: Option<Kubeconfig> = None;
    for path in std::env::split_paths(paths) {
        let one = Kubeconfig::read_from(path).map_err(|error| unreadable(&error))?;
        merged = Some(match merged {
            None => one,
            Some(first) => first.merge(one).map_err(|error| unreadable(&error))?,
        });
    }
    let mut kubeconfig = merged.unwrap_or_default();
    if let Some(context) = context {
        kubeconfig.current_context = Some(context.to_owned());
    }
    Ok(kubeconfig)
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
fn rebuilt(inline: &InlineKubeconfig) -> Result<Kubeconfig, Unusable> {
    let cluster = serde_json::from_value(inline.cluster.clone().into()).map_err(|_| Unusable::Member("clusters"))?;
    let user = serde_json::from_value(inline.user.clone().into()).map_err(|_| Unusable::Member("users"))?;
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

fn checked(mut kubeconfig: Kubeconfig) -> Result<Config, Unusable> {
    // A credential plugin must never ask the host's terminal.
    for user in &mut kubeconfig.auth_infos {
        if let Some(exec) = user.auth_info.as_mut().and_then(|user| user.exec.as_mut()) {
            exec.interactive_mode = Some(ExecInteractiveMode::Never);
        }
    }
    let proxy = proxy(&kubeconfig)?;
    let options = KubeConfigOptions::default();
    let future = Config::from_custom_kubeconfig(kubeconfig, &options);
    // The function is async by signature only: it reads files and environment, and never waits.
    let mut config = futures_util::FutureExt::now_or_never(future)
        .ok_or(Unusable::Unfinished)?
        .map_err(|error| Unusable::Said(with_source(&error)))?;
    // The library would also take `HTTPS_PROXY` of the host, and match `NO_PROXY` against the proxy.
    config.proxy_url = proxy;
    match config.cluster_url.scheme_str() {
        Some("http" | "https") => Ok(config),
        _ => Err(Unusable::Server(config.cluster_url.to_string())),
    }
}

/// `proxy-url` of the current context's cluster.
fn proxy(kubeconfig: &Kubeconfig) -> Result<Option<http::Uri>, Unusable> {
    let name = kubeconfig.current_context.as_deref();
    let context = kubeconfig.contexts.iter().find(|one| Some(one.name.as_str()) == name);
    let cluster = context.and_then(|one| one.context.as_ref()).map(|context| context.cluster.as_str());
    let cluster = kubeconfig.clusters.iter().find(|one| Some(one.name.as_str()) == cluster);
    let url = cluster.and_then(|one| one.cluster.as_ref()?.proxy_url.as_deref()).filter(|url| !url.is_empty());
    let Some(url) = url else { return Ok(None) };
    let parsed: http::Uri = url.parse().map_err(|_| Unusable::Proxy)?;
    match parsed.scheme_str() {
        Some("http") => Ok(Some(parsed)),
        _ => Err(Unusable::ProxyKind),
    }
}

fn unreadable(error: &KubeconfigError) -> Unusable {
    match error {
        KubeconfigError::Parse(error) => Unusable::syntax(&error.to_string()),
        error => Unusable::Said(with_source(error)),
    }
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
    use claude_k8s_core::api_failure::FailureKind;

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

    fn named_by_the_host(paths: &Path) -> Credentials {
        let host: HostProcess = serde_json::from_value(serde_json::json!({ "env": { "KUBECONFIG": paths } })).unwrap();
        Credentials::choose(None, &host, &[]).unwrap()
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
            problem(&named_by_the_host(file.path()))
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
        let missing = named_by_the_host(Path::new("/none/config"));
        assert!(problem(&missing).contains("`/none/config`"), "{}", problem(&missing));
    }
}
