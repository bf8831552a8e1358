//! Claims that the server's pod and a Job mount at the same time: where the Job has to run because of them (FLD-21).

use k8s_openapi::api::core::v1::{Affinity, NodeAffinity, NodeSelector, NodeSelectorRequirement, NodeSelectorTerm};
use serde_json::Value;

use super::refusal::reject;
use super::volumes::DataVolume;
use crate::config::Config;
use crate::failure::Refusal;
use crate::own_pod::OwnPod;
use crate::request::RunRequest;
use crate::target::Placement;

const ONE_POD: &str = "ReadWriteOncePod";
const MANY_NODES: [&str; 2] = ["ReadWriteMany", "ReadOnlyMany"];

/// What reading a claim brought.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClaimFacts {
    /// Its name.
    pub name: String,
    /// `spec.accessModes`, or why they are not known.
    pub modes: Result<Vec<String>, String>,
}

/// Claims that one node alone can mount, and the node on which the server's pod uses them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClaimsInUse {
    /// Their names.
    pub claims: Vec<String>,
    /// Name of the node.
    pub node: String,
}

/// Claims of the server's pod that a Job of this configuration mounts as well. Empty in another namespace: what has the
/// same name there is another claim.
#[must_use]
pub fn claims_in_common(
    request: &RunRequest,
    config: &Config,
    own: Option<&OwnPod>,
    placement: Placement,
) -> Vec<String> {
    let Some(own) = own.filter(|_| placement == Placement::SameNamespace) else { return Vec::new() };
    let data = DataVolume::resolve(config, Some(own), placement, request.host.env("PAPERCLIP_HOME"));
    let mut mounted: Vec<String> = data.claim.into_iter().chain(template_claims(config)).collect();
    let is_own = |claim: &String| {
        let mut claims = own.volumes.iter().filter_map(|volume| volume.persistent_volume_claim.as_ref());
        claims.any(|own| own.claim_name == *claim)
    };
    mounted.retain(is_own);
    mounted.sort();
    mounted.dedup();
    mounted
}

/// The claims that bind a Job to the server's node. Warns of what is not known.
///
/// # Errors
/// A claim that no second pod can mount.
pub(super) fn in_use(
    config: &Config,
    own: Option<&OwnPod>,
    facts: &[ClaimFacts],
    warnings: &mut Vec<String>,
) -> Result<Option<ClaimsInUse>, Refusal> {
    let mut claims = Vec::new();
    for ClaimFacts { name, modes } in facts {
        match modes {
            Err(why) => warnings.push(format!(
                "whether a second node can mount claim `{name}`, which the server's pod uses, is not known ({why}); grant `get` on `persistentvolumeclaims`, or keep pods on the server's node with `nodeSelector`"
            )),
            Ok(modes) if modes.iter().any(|mode| MANY_NODES.contains(&mode.as_str())) => {}
            Ok(modes) if modes.iter().any(|mode| mode == ONE_POD) => {
                let key = if template_claims(config).any(|claim| claim == *name) { "podTemplate" } else { "workspaceVolumeClaim" };
                let reason = format!(
                    "claim `{name}` is {ONE_POD} and the server's pod uses it, so no other pod can mount it; make it ReadWriteMany (or ReadWriteOnce, then Jobs run on the server's node), or name another claim"
                );
                return Err(reject(key, reason));
            }
            Ok(_) => claims.push(name.clone()),
        }
    }
    let node = own.and_then(|own| own.node.clone()).filter(|_| !claims.is_empty());
    Ok(node.map(|node| ClaimsInUse { claims, node }))
}

impl ClaimsInUse {
    /// What the reader of the log is told when it decides where the Job runs.
    pub(super) fn told(&self) -> String {
        let (claims, verb) = (self.names(), if self.claims.len() == 1 { "is" } else { "are" });
        format!(
            "{claims} {verb} ReadWriteOnce and in use by the server's pod: the Job runs on its node `{}`",
            self.node
        )
    }

    /// ``Claim `a` `` or ``Claims `a`, `b` ``.
    pub(crate) fn names(&self) -> String {
        let kind = if self.claims.len() == 1 { "Claim" } else { "Claims" };
        format!("{kind} `{}`", self.claims.join("`, `"))
    }

    /// Nowhere else. By the node's name, because its labels are somebody else's.
    pub(crate) fn affinity(&self) -> Affinity {
        let name = NodeSelectorRequirement {
            key: "metadata.name".to_owned(),
            operator: "In".to_owned(),
            values: Some(vec![self.node.clone()]),
        };
        let term = NodeSelectorTerm { match_fields: Some(vec![name]), ..NodeSelectorTerm::default() };
        let required = Some(NodeSelector { node_selector_terms: vec![term] });
        let node_affinity =
            NodeAffinity { required_during_scheduling_ignored_during_execution: required, ..NodeAffinity::default() };
        Affinity { node_affinity: Some(node_affinity), ..Affinity::default() }
    }
}

/// The configuration itself says where its pods run. What is inherited from the server's pod does not: that pod is only
/// one of those it fits.
pub(super) fn is_placed(config: &Config) -> bool {
    let selects = config.node_selector.as_ref().is_some_and(|labels| !labels.is_empty());
    let says = |pointer: &str| {
        let spec = config.pod_template.as_ref().and_then(|template| template.get("spec"));
        spec.and_then(|spec| spec.pointer(pointer)).is_some_and(|value| !value.is_null())
    };
    selects || says("/nodeSelector") || says("/nodeName") || says("/affinity/nodeAffinity")
}

fn template_claims(config: &Config) -> impl Iterator<Item = String> {
    let spec = config.pod_template.as_ref().and_then(|template| template.get("spec"));
    let volumes = spec.and_then(|spec| spec.get("volumes")).and_then(Value::as_array);
    let claim = |volume: &Value| Some(volume.pointer("/persistentVolumeClaim/claimName")?.as_str()?.to_owned());
    volumes.into_iter().flatten().filter_map(claim)
}
