//! Layer 5: what the agent is told about its run, task and workspace.

use serde_json::{Map, Value};

use super::layers::Sources;
use super::{EnvValue, Environment};
use crate::config::env::MAX_ENTRY_BYTES;
use crate::paths::RUN_MOUNT;
use crate::target::SECRET_MAX;

/// The first of these context members that is a non-blank text, trimmed.
pub(crate) fn context_text(context: &Map<String, Value>, keys: &[&str]) -> Option<String> {
    let texts = keys.iter().filter_map(|key| context.get(*key)?.as_str());
    texts.map(str::trim).find(|text| !text.is_empty()).map(str::to_owned)
}

/// The task of the run.
pub(crate) fn task_id(context: &Map<String, Value>) -> Option<String> {
    context_text(context, &["taskId", "issueId"])
}

/// Sets the variables whose source is present.
pub(super) fn apply(environment: &mut Environment, from: &Sources<'_>, warnings: &mut Vec<String>) {
    let request = from.request;
    let context = &request.context;
    let text = |keys: &[&str]| context_text(context, keys);
    let json = |key: &str| non_empty_array(context, key).map(|list| Value::from(list.clone()).to_string());

    let rows: [(&str, Option<String>); 13] = [
        ("PAPERCLIP_AGENT_ID", Some(request.agent.id.clone())),
        ("PAPERCLIP_COMPANY_ID", Some(request.agent.company_id.clone())),
        ("PAPERCLIP_RUN_ID", Some(request.run_id.clone())),
        ("PAPERCLIP_TASK_ID", task_id(context)),
        ("PAPERCLIP_ISSUE_WORK_MODE", member_text(context, "paperclipIssue", "workMode")),
        ("PAPERCLIP_WAKE_REASON", text(&["wakeReason"])),
        ("PAPERCLIP_WAKE_COMMENT_ID", text(&["wakeCommentId", "commentId"])),
        ("PAPERCLIP_APPROVAL_ID", text(&["approvalId"])),
        ("PAPERCLIP_APPROVAL_STATUS", text(&["approvalStatus"])),
        ("PAPERCLIP_LINKED_ISSUE_IDS", linked_issues(context)),
        ("PAPERCLIP_RUNTIME_SERVICE_INTENTS_JSON", json("paperclipRuntimeServiceIntents")),
        ("PAPERCLIP_RUNTIME_SERVICES_JSON", json("paperclipRuntimeServices")),
        ("PAPERCLIP_RUNTIME_PRIMARY_URL", text(&["paperclipRuntimePrimaryUrl"])),
    ];
    for (name, value) in rows.into_iter().chain(workspace(from)) {
        if let Some(value) = value {
            set_or_write(environment, name, EnvValue::Literal(value), warnings);
        }
    }
    if let Some(token) = &request.auth_token {
        environment.set("PAPERCLIP_API_KEY", EnvValue::Secret(token.clone()));
    }
    if let Some(payload) = &request.wake_payload_json {
        set_or_write(environment, "PAPERCLIP_WAKE_PAYLOAD_JSON", EnvValue::Secret(payload.clone()), warnings);
    }
}

/// `context.paperclipWorkspace`: its paths as the pod sees them, or not at all.
fn workspace(from: &Sources<'_>) -> [(&'static str, Option<String>); 10] {
    let context = &from.request.context;
    let member = |name| member_text(context, "paperclipWorkspace", name);
    let path = |name| member(name).and_then(|path| from.data.to_pod_path(&path));
    [
        ("PAPERCLIP_WORKSPACE_CWD", Some(from.run_directory.to_owned())),
        ("PAPERCLIP_WORKSPACE_SOURCE", member("source")),
        ("PAPERCLIP_WORKSPACE_STRATEGY", member("strategy")),
        ("PAPERCLIP_WORKSPACE_ID", member("workspaceId")),
        ("PAPERCLIP_WORKSPACE_REPO_URL", member("repoUrl")),
        ("PAPERCLIP_WORKSPACE_REPO_REF", member("repoRef")),
        ("PAPERCLIP_WORKSPACE_BRANCH", member("branchName")),
        ("PAPERCLIP_WORKSPACE_WORKTREE_PATH", path("worktreePath")),
        ("AGENT_HOME", external_home(from).or_else(|| path("agentHome"))),
        ("PAPERCLIP_WORKSPACES_JSON", workspaces(from)),
    ]
}

/// An external instructions bundle is the agent's home when the pod can see it.
fn external_home(from: &Sources<'_>) -> Option<String> {
    let root = from.config.instructions_root_path.as_deref().filter(|_| from.config.instructions_external)?;
    from.data.to_pod_path(root)
}

/// Hints for further workspaces; a `cwd` the pod cannot see is left out.
fn workspaces(from: &Sources<'_>) -> Option<String> {
    let mut list = non_empty_array(&from.request.context, "paperclipWorkspaces")?.clone();
    for workspace in list.iter_mut().filter_map(Value::as_object_mut) {
        match workspace.get("cwd").and_then(Value::as_str).and_then(|path| from.data.to_pod_path(path)) {
            Some(path) => workspace.insert("cwd".to_owned(), path.into()),
            None => workspace.remove("cwd"),
        };
    }
    Some(Value::from(list).to_string())
}

/// PRM-03: what the kernel would refuse becomes a file; the agent finds its path under `<NAME>_FILE`.
fn set_or_write(environment: &mut Environment, name: &str, value: EnvValue, warnings: &mut Vec<String>) {
    let (EnvValue::Literal(text) | EnvValue::Secret(text)) = &value else { return environment.set(name, value) };
    if name.len() + 1 + text.len() <= MAX_ENTRY_BYTES {
        return environment.set(name, value);
    }
    environment.remove(name);
    if text.len() > SECRET_MAX {
        warnings.push(format!("`{name}` is left out: it has {} bytes, and a Secret holds {SECRET_MAX}", text.len()));
        return;
    }
    let file = format!("{RUN_MOUNT}/files/{name}");
    warnings.push(format!(
        "`{name}` has {} bytes, more than an environment entry can hold; `{name}_FILE` names the file `{file}`",
        text.len()
    ));
    environment.literal(&format!("{name}_FILE"), file);
    environment.files.push((name.to_owned(), text.clone()));
}

fn member_text(context: &Map<String, Value>, object: &str, member: &str) -> Option<String> {
    context_text(context.get(object)?.as_object()?, &[member])
}

fn non_empty_array<'a>(context: &'a Map<String, Value>, key: &str) -> Option<&'a Vec<Value>> {
    context.get(key)?.as_array().filter(|list| !list.is_empty())
}

fn linked_issues(context: &Map<String, Value>) -> Option<String> {
    let ids = context.get("issueIds")?.as_array()?.iter().filter_map(Value::as_str).map(str::trim);
    let ids: Vec<&str> = ids.filter(|id| !id.is_empty()).collect();
    (!ids.is_empty()).then(|| ids.join(","))
}
