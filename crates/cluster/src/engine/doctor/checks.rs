//! What is asked of API server, namespace and Secret. The findings are worded in the core.

use claude_k8s_core::config::Config;
use claude_k8s_core::doctor::{Check, findings};
use claude_k8s_core::launch::Call;
use claude_k8s_core::permissions::Access;

use crate::api::{Namespace, patiently};
use crate::connect::Credentials;

/// Without an answer nothing else can be asked.
pub(super) async fn api(
    namespace: &Namespace,
    config: &Config,
    credentials: &Credentials,
    checks: &mut Vec<Check>,
) -> bool {
    match patiently(Call::Check, || namespace.server_version()).await {
        Ok((version, major, minor)) => {
            let version = (version.as_str(), major, minor);
            checks.extend(findings::answering(version, &namespace.name, config, &credentials.describe()));
            true
        }
        Err(failure) => {
            checks.push(findings::not_answering(&credentials.explained(failure), &credentials.describe()));
            false
        }
    }
}

pub(super) async fn namespace(namespace: &Namespace, own: Option<&str>) -> Check {
    let name = &namespace.name;
    if own == Some(name) {
        return findings::own_namespace(name);
    }
    // ENV-06: the documented Role does not grant it, so it is asked for before it is tried.
    let may = patiently(Call::Check, || namespace.may_named(Access::GET_NAMESPACE, Some(name))).await;
    if matches!(may, Ok(false)) {
        return findings::namespace_not_readable(name);
    }
    findings::namespace(name, &patiently(Call::Check, || namespace.exists()).await)
}

/// `may_read`: as far as is known, the Secret may be read.
pub(super) async fn secret(namespace: &Namespace, config: &Config, may_read: bool) -> Check {
    let name = &config.secret_ref;
    let found = if may_read { Some(patiently(Call::Check, || namespace.secret_exists(name)).await) } else { None };
    findings::secret(name, &namespace.name, found.as_ref())
}
