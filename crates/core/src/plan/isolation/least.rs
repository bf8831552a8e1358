//! The least isolation that the operator of the server allows, whatever an agent's configuration says (TRU-09).

use serde_json::Value;

use crate::config::{Config, Isolation, Rejection};
use crate::failure::Refusal;
use crate::names::CONTAINER;
use crate::plan::refusal;
use crate::request::{HostProcess, RunRequest};

/// Variable of the server.
pub(crate) const VARIABLE: &str = "PAPERCLIP_K8S_MIN_ISOLATION";

/// The configured level is at least the operator's.
///
/// # Errors
/// `configuration_incomplete` with the key, the rule and the way out; also when the variable is no level: a slip of the
/// operator opens nothing.
pub(crate) fn check_level(request: &RunRequest, config: &Config) -> Result<Option<Isolation>, Refusal> {
    let Some(word) = asked(&request.host) else { return Ok(None) };
    let Some(least) = Isolation::from_word(word) else {
        let reason = format!(
            "the server's variable `{VARIABLE}` has to be `agent`, `server` or `none`; no run starts before its operator mends it"
        );
        return Err(refusal::reject("isolation", reason));
    };
    if config.isolation.strength() >= least.strength() {
        return Ok(Some(least));
    }
    let (level, least) = (config.isolation.as_str(), least.as_str());
    let unset = if config.isolation == Isolation::default() { " (which is also what an unset key means)" } else { "" };
    let reason = format!(
        "`{level}`{unset} shows a pod more of the data volume than the operator of this server allows: the variable `{VARIABLE}` asks for at least `{least}`; set `isolation` to `{least}`"
    );
    Err(refusal::reject("isolation", reason))
}

fn asked(host: &HostProcess) -> Option<&str> {
    host.env(VARIABLE).map(str::trim).filter(|word| !word.is_empty())
}

/// Mounts of the server's claim that a pod has beside what its isolation gives: `podTemplate` can name the claim once
/// more, or give the data volume to another container. `container: path` of each.
#[must_use]
pub fn mounted_beside(spec: &Value, host_claim: &str) -> Vec<String> {
    let list = |of: &Value, name: &str| of[name].as_array().cloned().unwrap_or_default();
    let volumes = list(spec, "volumes").into_iter().filter(|volume| holds(volume, host_claim));
    let claims: Vec<String> = volumes.filter_map(|volume| volume["name"].as_str().map(str::to_owned)).collect();
    let containers = ["containers", "initContainers"].into_iter().flat_map(|name| list(spec, name));
    let mounts = containers.flat_map(|container| {
        let name = container["name"].as_str().unwrap_or_default().to_owned();
        list(&container, "volumeMounts").into_iter().map(move |mount| (name.clone(), mount))
    });
    let beside = mounts.filter(|(container, mount)| {
        let volume = mount["name"].as_str().unwrap_or_default();
        claims.iter().any(|claim| claim == volume) && !(volume == "data" && container == CONTAINER)
    });
    beside.map(|(container, mount)| format!("{container}: {}", mount["mountPath"].as_str().unwrap_or("?"))).collect()
}

/// The claim itself, or a new one that a driver fills with its content.
fn holds(volume: &Value, host_claim: &str) -> bool {
    let claim = &volume["persistentVolumeClaim"]["claimName"];
    let template = &volume["ephemeral"]["volumeClaimTemplate"]["spec"];
    let copies = ["dataSource", "dataSourceRef"].map(|source| &template[source]["name"]);
    std::iter::once(claim).chain(copies).any(|name| name == host_claim)
}

/// Where the operator asks for a level, nothing beside it either.
pub(crate) fn beside(least: Option<Isolation>, spec: &Value, host_claim: Option<&str>) -> Option<Rejection> {
    let least = least.filter(|least| *least != Isolation::None)?;
    let beside = mounted_beside(spec, host_claim?);
    let reason = format!(
        "mounts the server's claim beside what `isolation` gives ({}), and the server's variable `{VARIABLE}` asks for `{}`; mount another claim",
        beside.join(", "),
        least.as_str()
    );
    (!beside.is_empty()).then(|| Rejection { key: "podTemplate".to_owned(), reason })
}
