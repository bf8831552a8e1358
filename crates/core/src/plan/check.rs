//! What can be refused without asking a cluster.

use super::prompt;
use crate::failure::{ErrorCode, Refusal};
use crate::names::{is_path_part, label_value};
use crate::request::RunRequest;

/// Checks ids, execution target and prompts. [`super::RunPlan::resolve`] starts with the same check.
///
/// # Errors
/// The first reason why the run cannot be started anywhere.
pub fn check(request: &RunRequest) -> Result<(), Refusal> {
    execution_target(request)?;
    if label_value(&request.agent.id).is_none() {
        let message = format!("The agent id `{}` has no character a Kubernetes label may contain", request.agent.id);
        return Err(Refusal::new(ErrorCode::AgentIdInvalid, message));
    }
    if !is_path_part(&request.agent.id) {
        let id = &request.agent.id;
        let message = format!("The agent id {id:?} cannot be part of a path: it contains `/`, `\\\\`, `..` or NUL");
        return Err(Refusal::new(ErrorCode::AgentIdInvalid, message));
    }
    path_part("company id", &request.agent.company_id)?;
    path_part("instance id", instance_id(request))?;
    prompt::check(&request.prompts)
}

/// `PAPERCLIP_INSTANCE_ID` of the host.
pub(super) fn instance_id(request: &RunRequest) -> &str {
    request.host.env("PAPERCLIP_INSTANCE_ID").unwrap_or("default")
}

/// The host leased a place for the run that this adapter would not use.
fn execution_target(request: &RunRequest) -> Result<(), Refusal> {
    let kind = request.execution_target.as_ref().and_then(|target| target.get("kind")?.as_str());
    let environment = request.context.get("paperclipEnvironment");
    let driver = environment.and_then(|environment| environment.get("driver")?.as_str()).unwrap_or("local");
    if kind == Some("remote") || driver != "local" {
        let message = format!(
            "This agent runs in Kubernetes by itself and cannot use the execution environment `{driver}`; choose the local environment"
        );
        return Err(Refusal::new(ErrorCode::AdapterEngineUnavailable, message));
    }
    Ok(())
}

fn path_part(what: &str, id: &str) -> Result<(), Refusal> {
    if is_path_part(id) {
        return Ok(());
    }
    let message = format!("The {what} {id:?} cannot be part of a path: it is empty or contains `/`, `\\`, `..` or NUL");
    Err(Refusal::new(ErrorCode::CompanyIdInvalid, message))
}
