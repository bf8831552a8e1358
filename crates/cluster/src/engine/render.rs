//! What a run would create, for a reader: the same decisions as a run, and no write.
//!
//! ```text
//!  RunRequest ─▶ resolve (as every run) ─▶ first attempt ─▶ Job, scrubbed
//!                                                       └─▶ Secrets, each value `***` with its size
//! ```

use std::collections::BTreeMap;
use std::time::Duration;

use claude_k8s_core::config::Config;
use claude_k8s_core::failure::{Refusal, not_rendered};
use claude_k8s_core::plan;
use claude_k8s_core::redact::Redactor;
use claude_k8s_core::request::RunRequest;
use k8s_openapi::api::core::v1::Secret;
use serde::Serialize;
use serde_json::{Value, json};

use super::Engine;
use crate::api::Asking;

/// Somebody waits at a terminal: an API server that is away is reported after this long, not after a minute.
const AT_MOST: Duration = Duration::from_secs(10);
/// Stands in place of a value.
const MASK: &str = "***";
/// The API server gives the Job its uid; the Secrets name it as their owner.
const FUTURE_UID: &str = "00000000-0000-0000-0000-000000000000";

/// The objects of a run's first attempt.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Rendered {
    /// Where they would be created.
    pub namespace: String,
    /// The Job, as it is sent. Values that must stay secret are replaced, wherever they stand.
    pub job: Value,
    /// The payload Secrets, in the order of their creation. Empty when the payload is staged on the data volume.
    pub secrets: Vec<MaskedSecret>,
    /// Warnings the run would log.
    pub warnings: Vec<String>,
    /// Degraded modes the run would work in.
    pub degraded: Vec<String>,
}

/// A Secret without its values.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct MaskedSecret {
    /// The object; each value of `data` is `***`.
    pub manifest: Value,
    /// Bytes of each value.
    pub sizes: BTreeMap<String, usize>,
}

impl Engine {
    /// Renders what a run of this request would create. Asks the cluster as a run does, and writes nothing.
    ///
    /// # Errors
    /// The refusal the run would end with; `k8s_api_unreachable` after 10 s without an answer.
    pub async fn render(&self, request: RunRequest) -> Result<Rendered, Refusal> {
        plan::check(&request)?;
        let config = Config::parse(&request.config).map_err(Refusal::from)?;
        let resolved = Box::pin(self.resolve(&request, config, &Asking::in_a_hurry(AT_MOST))).await?;
        let plan = resolved.plan;
        let attempt = plan.first_attempt();
        let job = plan.job(&attempt, resolved.permissions.may_patch_jobs())?;
        let mut rendered = Rendered {
            namespace: plan.namespace().to_owned(),
            job,
            secrets: plan.payload(&attempt, FUTURE_UID).iter().map(masked).collect::<Result<_, _>>()?,
            warnings: plan.warnings().to_vec(),
            degraded: plan.degraded().to_vec(),
        };
        // `podTemplate` and `labels` may repeat a value that is secret elsewhere (PRM-07).
        let redactor = Redactor::new(plan.redactions().to_vec());
        redactor.redact_json(&mut rendered.job);
        rendered.secrets.iter_mut().for_each(|secret| redactor.redact_json(&mut secret.manifest));
        Ok(rendered)
    }
}

fn masked(secret: &Secret) -> Result<MaskedSecret, Refusal> {
    let data = secret.data.iter().flatten();
    let sizes: BTreeMap<_, _> = data.map(|(name, value)| (name.clone(), value.0.len())).collect();
    let mut manifest = value(secret)?;
    manifest["data"] = sizes.keys().map(|name| (name.clone(), json!(MASK))).collect();
    Ok(MaskedSecret { manifest, sizes })
}

fn value(object: &impl Serialize) -> Result<Value, Refusal> {
    serde_json::to_value(object).map_err(|error| not_rendered(&error.to_string()))
}

#[cfg(test)]
mod tests {
    use k8s_openapi::ByteString;
    use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;

    use super::*;

    #[test]
    fn a_secret_is_shown_with_names_and_sizes_and_without_values() {
        let data = [("prompt", "planted-prompt"), ("empty", "")];
        let secret = Secret {
            metadata: ObjectMeta { name: Some("ac-1-run".to_owned()), ..ObjectMeta::default() },
            data: Some(data.map(|(name, value)| (name.to_owned(), ByteString(value.into()))).into()),
            immutable: Some(true),
            ..Secret::default()
        };
        let masked = masked(&secret).unwrap();
        assert_eq!(
            masked.manifest,
            json!({
                "apiVersion": "v1", "kind": "Secret", "immutable": true,
                "metadata": { "name": "ac-1-run" },
                "data": { "prompt": "***", "empty": "***" },
            })
        );
        assert_eq!(masked.sizes, [("empty".to_owned(), 0), ("prompt".to_owned(), 14)].into());
    }
}
