//! The layers in their order. A later layer replaces an earlier name (CFG-06).

use super::names::{self, HostTemp};
use super::{ApiUrl, EnvValue, Environment, inherit, run_variables};
use crate::config::Config;
use crate::config::env::is_reserved;
use crate::own_pod::OwnPod;
use crate::paths::{CACHE_DIRECTORY, TMP_DIRECTORY};
use crate::plan::volumes::{DataVolume, MountedPaths};
use crate::request::RunRequest;
use crate::target::Placement;

/// Everything an environment is made of.
pub(crate) struct Sources<'a> {
    pub(crate) request: &'a RunRequest,
    pub(crate) config: &'a Config,
    pub(crate) own: Option<&'a OwnPod>,
    pub(crate) placement: Placement,
    pub(crate) data: &'a DataVolume,
    pub(crate) mounted: &'a MountedPaths,
    /// Inside the pod.
    pub(crate) run_directory: &'a str,
}

impl Sources<'_> {
    /// `envFrom` as a whole, for `inheritEnv: "*"`. It names Secrets and `ConfigMap`s of one namespace.
    pub(crate) fn forwards_env_from(&self) -> bool {
        self.config.inherit_env.all
            && self.placement == Placement::SameNamespace
            && self.own.is_some_and(|own| !own.env_from.is_empty())
    }
}

/// Builds the environment, lowest layer first.
pub(crate) fn build(from: &Sources<'_>, warnings: &mut Vec<String>) -> (Environment, ApiUrl) {
    let mut environment = Environment::default();
    inherit::inherit(&mut environment, from, warnings);
    defaults(&mut environment);
    run_variables::apply(&mut environment, from, warnings);
    let api_url = ApiUrl::choose(from, warnings);
    match &api_url {
        ApiUrl::Known(url) => environment.literal("PAPERCLIP_API_URL", url.clone()),
        ApiUrl::Configured(url) => environment.set("PAPERCLIP_API_URL", EnvValue::Secret(url.clone())),
        ApiUrl::Reference(source) => environment.set("PAPERCLIP_API_URL", EnvValue::Reference(source.clone())),
        ApiUrl::PerhapsInherited | ApiUrl::Absent => {}
    }
    configured(&mut environment, from, warnings);
    forced(&mut environment, from);
    (environment, api_url)
}

/// Layer 4.
fn defaults(environment: &mut Environment) {
    environment.literal("NODE_ENV", "development");
    // One init, one result: a background task would print a second one (docs/internals/claude.md 15).
    environment.literal("CLAUDE_CODE_DISABLE_BACKGROUND_TASKS", "1");
}

/// Layer 6. Every configured value travels in the Secret: which of them are credentials, only the operator knows.
fn configured(environment: &mut Environment, from: &Sources<'_>, warnings: &mut Vec<String>) {
    let applied = HostTemp::read(&from.request.context);
    for (name, value) in &from.config.env {
        // The URL has its own rules; host-only names go without a word, the host adds them to every run.
        if name == "PAPERCLIP_API_URL" || is_reserved(name) || names::is_host_only(name, value, &applied) {
            continue;
        }
        if names::BROKER_NAMES.contains(&name.as_str()) {
            warnings.push(format!("`{name}` is not passed on: the host's GitHub broker cannot be reached from a pod"));
        } else {
            environment.set(name, EnvValue::Secret(value.clone()));
        }
    }
}

/// Layer 7: state on the data volume, everything temporary on the pod's own volume (CFG-08, PRM-12).
fn forced(environment: &mut Environment, from: &Sources<'_>) {
    environment.literal("HOME", from.data.mount_path.clone());
    for name in names::SCRATCH_NAMES {
        environment.literal(name, TMP_DIRECTORY);
    }
    let applied = HostTemp::read(&from.request.context);
    let chosen = |name: &str| {
        let entry = from.config.env.iter().rev().find(|(known, _)| known == name);
        entry.is_some_and(|(_, value)| !names::is_host_only(name, value, &applied) && from.mounted.contains(value))
    };
    for name in names::TEMP_NAMES.iter().filter(|name| !chosen(name)) {
        environment.literal(name, TMP_DIRECTORY);
    }
    for (name, directory) in names::CACHE_NAMES.iter().filter(|(name, _)| !chosen(name)) {
        environment.literal(name, format!("{CACHE_DIRECTORY}{directory}"));
    }
}
