//! The run directory: where the CLI works, as the pod sees it.

use crate::config::Config;
use crate::plan::environment::context_text;
use crate::plan::volumes::{DataVolume, MountedPaths};
use crate::request::RunRequest;

/// Host directories whose existence decides the container's `workingDir`; see [`super::Surroundings`].
#[must_use]
pub fn directories_to_check(request: &RunRequest, config: &Config) -> Vec<String> {
    wanted(request, config).into_iter().map(|wanted| wanted.path).collect()
}

/// The run directory and what the host calls it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct RunDirectory {
    /// Inside the pod.
    pub(super) path: String,
    /// On the host, when both see it.
    pub(super) host_path: Option<String>,
}

pub(super) struct Wanted {
    pub(super) path: String,
    /// From the configuration: may also be meant as a path of the pod.
    pub(super) configured: bool,
}

pub(super) fn wanted(request: &RunRequest, config: &Config) -> Option<Wanted> {
    let workspace = request.context.get("paperclipWorkspace").and_then(|workspace| workspace.as_object());
    let source = workspace.and_then(|workspace| context_text(workspace, &["source"]));
    let is_fallback = source.as_deref() == Some("agent_home") && config.cwd.is_some();
    let cwd = workspace.and_then(|workspace| context_text(workspace, &["cwd"])).filter(|_| !is_fallback);
    let configured = config.cwd.clone().map(|path| Wanted { path, configured: true });
    cwd.map(|path| Wanted { path, configured: false }).or(configured)
}

/// Workspace, else `cwd`, else the data mount path; the last one too for what the pod cannot see.
pub(super) fn run_directory(
    request: &RunRequest,
    config: &Config,
    data: &DataVolume,
    mounted: &MountedPaths,
    warnings: &mut Vec<String>,
) -> RunDirectory {
    let home = || RunDirectory { path: data.mount_path.clone(), host_path: data.host_path().map(str::to_owned) };
    let Some(Wanted { path, configured }) = wanted(request, config) else { return home() };
    if let Some(pod_path) = data.to_pod_path(&path) {
        return RunDirectory { path: pod_path, host_path: Some(path) };
    }
    if configured && mounted.contains(&path) {
        return RunDirectory { path, host_path: None };
    }
    warnings.push(format!("the pod cannot see the working directory `{path}`; the run works in `{}`", data.mount_path));
    home()
}
