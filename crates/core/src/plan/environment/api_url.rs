//! `PAPERCLIP_API_URL`: the first source a pod can use (CFG-07).
//!
//! A loopback address never reaches a pod: it would call itself.

use k8s_openapi::api::core::v1::EnvVarSource;

use super::layers::Sources;
use crate::config::env::is_reachable_url;
use crate::plan::http_url::usable;
use crate::target::Placement;

const NAME: &str = "PAPERCLIP_API_URL";

/// Where the pod gets the URL of the host from.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum ApiUrl {
    /// `config.env`, rule 1: travels with the other configured values.
    Configured(String),
    /// Rules 2, 3, 5 and 6.
    Known(String),
    /// Rule 4: the `valueFrom` of the own container.
    Reference(Box<EnvVarSource>),
    /// Rule 7, with an inherited `envFrom` that may supply it.
    PerhapsInherited,
    /// Rule 7.
    Absent,
}

impl ApiUrl {
    /// The seven rules, in their order.
    pub(super) fn choose(from: &Sources<'_>, warnings: &mut Vec<String>) -> Self {
        let host = |name| from.request.host.env(name).and_then(usable).map(str::to_owned);
        if let Some(url) = configured(from) {
            Self::Configured(url)
        } else if let Some(url) = own_literal(from) {
            Self::Known(url)
        } else if let Some(url) = host(NAME) {
            Self::Known(url)
        } else if let Some(reference) = own_reference(from) {
            Self::Reference(reference)
        } else if let Some(url) = host("PAPERCLIP_RUNTIME_API_URL").or_else(|| host("PAPERCLIP_PUBLIC_URL")) {
            Self::Known(url)
        } else if let Some(url) = candidate(from).or_else(|| own_address(from)) {
            warnings.push(format!(
                "the pod calls the host at `{url}`, which ends with the host's current address; set `PAPERCLIP_API_URL` on the host to a stable URL"
            ));
            Self::Known(url)
        } else if from.forwards_env_from() {
            Self::PerhapsInherited
        } else {
            warnings.push(
                "no URL of the host is known that a pod can reach, so the agent cannot call Paperclip; set `PAPERCLIP_API_URL` on the host"
                    .to_owned(),
            );
            Self::Absent
        }
    }

    /// The URL, when the adapter knows it.
    pub(crate) fn known(&self) -> Option<&str> {
        match self {
            Self::Configured(url) | Self::Known(url) => Some(url),
            Self::Reference(_) | Self::PerhapsInherited | Self::Absent => None,
        }
    }
}

fn configured(from: &Sources<'_>) -> Option<String> {
    let (_, value) = from.config.env.iter().rev().find(|(name, _)| name == NAME)?;
    usable(value).map(str::to_owned)
}

fn own_literal(from: &Sources<'_>) -> Option<String> {
    let own = from.own.filter(|_| from.placement != Placement::Elsewhere)?;
    usable(own.literal(NAME)?).map(str::to_owned)
}

fn own_reference(from: &Sources<'_>) -> Option<Box<EnvVarSource>> {
    let source = from.own?.env(NAME)?.value_from.clone()?;
    super::inherit::is_available(&source, from.placement).then(|| Box::new(source))
}

fn candidate(from: &Sources<'_>) -> Option<String> {
    let list = from.request.host.env("PAPERCLIP_RUNTIME_API_CANDIDATES_JSON")?;
    let list: Vec<String> = serde_json::from_str(list).ok()?;
    list.iter().find_map(|url| usable(url)).map(str::to_owned)
}

/// The own pod's address, when the server listens beyond loopback. Pod addresses mean nothing in another cluster.
fn own_address(from: &Sources<'_>) -> Option<String> {
    let own = from.own.filter(|_| from.placement != Placement::Elsewhere)?;
    let host = &from.request.host;
    let listens = host.env("PAPERCLIP_LISTEN_HOST")?;
    let listens = listens.trim_matches(['[', ']']);
    let everywhere = matches!(listens, "0.0.0.0" | "::");
    let bracketed = if listens.contains(':') { format!("[{listens}]") } else { listens.to_owned() };
    if !everywhere && !is_reachable_url(&format!("http://{bracketed}")) {
        return None;
    }
    let port: u16 = host.env("PAPERCLIP_LISTEN_PORT").or_else(|| host.env("PORT"))?.parse().ok()?;
    let address: std::net::IpAddr = own.pod_ip.as_deref()?.parse().ok()?;
    Some(format!("http://{}", std::net::SocketAddr::new(address, port)))
}
