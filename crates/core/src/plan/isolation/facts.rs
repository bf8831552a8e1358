//! What the host has to look at on the volume, and what it found there.

use std::collections::{BTreeMap, BTreeSet};

use super::home::{PaperclipHome, SERVER_DIRECTORIES, SERVER_FILES};
use super::{LOGIN, STAGING, wanted};
use crate::config::Config;
use crate::own_pod::OwnPod;
use crate::paths::{join, remainder};
use crate::plan::check::instance_id;
use crate::plan::server;
use crate::plan::volumes::DataVolume;
use crate::request::RunRequest;
use crate::target::Placement;

/// What the host has at a path, seen without following a link.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Entry {
    /// A directory, and no link on the way to it.
    Directory,
    /// Anything that is neither a directory nor a link.
    File,
    /// A link, there or on the way.
    Link,
}

/// Paths on the host, all below the root of the volume.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LookAt {
    /// Where the host has the volume.
    pub root: String,
    /// What is there?
    pub entries: BTreeSet<String>,
    /// Directories whose `.git` is read when it is a small file: that of a worktree names its repository.
    pub worktrees: Vec<String>,
}

/// What the host found. A path that is missing here is missing there, or cannot be seen.
#[derive(Debug, Clone, Default)]
pub struct VolumeFacts {
    /// By absolute path.
    pub entries: BTreeMap<String, Entry>,
    /// Content of the `.git` files, by directory. Agents write them.
    pub git_files: BTreeMap<String, String>,
}

/// What to look at; `None` when host and pod share no volume.
#[must_use]
pub fn places_to_look_at(
    request: &RunRequest,
    config: &Config,
    own: Option<&OwnPod>,
    placement: Placement,
) -> Option<LookAt> {
    let data = DataVolume::resolve(config, own, placement, request.host.env("PAPERCLIP_HOME"));
    let root = data.host_path()?;
    let home = home(request, own, &data);
    let worktrees: Vec<String> = wanted::directories(request, config).into_iter().map(|wanted| wanted.path).collect();
    let on_volume = |path: &String| remainder(path, root).is_some_and(|rest| !rest.is_empty());
    let login = join(root, &format!("/{LOGIN}"));
    let entries = server_parts(&home, root).chain([login]).filter(on_volume).collect();
    Some(LookAt { root: root.to_owned(), entries, worktrees: worktrees.into_iter().filter(on_volume).collect() })
}

/// The home of the server; one that does not tell it has it on the volume.
pub(super) fn home(request: &RunRequest, own: Option<&OwnPod>, data: &DataVolume) -> PaperclipHome {
    let (instance, agent) = (instance_id(request), &request.agent);
    let home = server::home(request).or_else(|| data.host_path().map(str::to_owned));
    let home = home.unwrap_or_else(|| OwnPod::DATA_MOUNT_PATH.to_owned());
    let files = server::files(&request.host, own);
    PaperclipHome::new(&home, instance, &agent.company_id, &agent.id).with_named(&files)
}

/// Where the host has the agent's own home, if it sees the volume.
pub(crate) fn agent_home(request: &RunRequest, own: Option<&OwnPod>, data: &DataVolume) -> Option<String> {
    let (root, home) = (data.host_path()?, home(request, own, data));
    let holds_home = remainder(&home.path(), root).is_some();
    Some(if holds_home { home.of_agent() } else { join(root, &home.of_agent_elsewhere()) })
}

/// Every place where the server may have something, on the host.
pub(super) fn server_parts(home: &PaperclipHome, root: &str) -> impl Iterator<Item = String> {
    let here = SERVER_DIRECTORIES.iter().chain(&SERVER_FILES).map(|name| home.below(name));
    // Of a server whose `HOME` is the volume, whatever its `PAPERCLIP_HOME` is.
    let at_root = [".paperclip", STAGING].map(|name| join(root, &format!("/{name}")));
    let others = at_root.into_iter().filter(|path| remainder(&home.path(), path).is_none());
    let all: BTreeSet<String> = here.chain(others).chain(home.named()).collect();
    all.into_iter()
}
