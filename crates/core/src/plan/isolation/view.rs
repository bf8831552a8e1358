//! The mounts of the data volume, and which paths of the host the pod has because of them.

use super::facts::{Entry, VolumeFacts, home, server_parts};
use super::home::{INSTANCES, PaperclipHome, Place};
use super::preparation::{Make, Whose};
use super::wanted::{self, Wanted};
use super::{LOGIN, STAGING};
use crate::config::{Config, Isolation};
use crate::failure::Refusal;
use crate::own_pod::OwnPod;
use crate::paths::{join, remainder};
use crate::plan::refusal;
use crate::plan::volumes::DataVolume;
use crate::request::RunRequest;

/// Where the server would read what an agent puts in the place of something missing: directories it loads code from,
/// and those of staged payloads.
const MADE_DIRECTORIES: [&str; 4] = [INSTANCES, "adapter-plugins", ".paperclip", STAGING];
/// The list of the code that the server loads.
const MADE_FILE: &str = "adapter-plugins.json";

/// One mount of the container.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Mount {
    /// In the pod.
    pub(crate) path: String,
    pub(crate) source: Source,
}

/// What is mounted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Source {
    /// A directory of the data volume: the path below its usual part, empty or with a leading `/`.
    Volume(String),
    /// An empty directory of the pod.
    EmptyDirectory,
    /// An empty file.
    EmptyFile,
}

/// What the pod sees of the data volume.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct View {
    pub(crate) level: Isolation,
    /// In their order; the first one is `HOME`.
    pub(crate) mounts: Vec<Mount>,
    pub(super) make: Vec<Make>,
    home: PaperclipHome,
    /// Directories of the host that the pod has at the same place of the volume.
    seen: Vec<String>,
    /// Home of the agent, on the host.
    agent_home: Option<String>,
    /// What is there of the server, on the host.
    pub(super) server: Vec<String>,
    /// The common home holds a login.
    pub(super) has_login: bool,
}

/// Decides what the pod sees, and tells the volume.
///
/// # Errors
/// A path that is the server's, or a part of the server that cannot be covered.
pub(crate) fn isolate(
    request: &RunRequest,
    config: &Config,
    own: Option<&OwnPod>,
    facts: &VolumeFacts,
    data: DataVolume,
    warnings: &mut Vec<String>,
) -> Result<DataVolume, Refusal> {
    if data.claim.is_none() {
        return Ok(data);
    }
    let home = home(request, own, &data);
    if config.isolation != Isolation::None {
        check_volume(config, &home, own, &data)?;
    }
    let mut plan = Planning {
        view: View {
            level: config.isolation,
            mounts: vec![Mount { path: data.mount_path.clone(), source: Source::Volume(String::new()) }],
            make: Vec::new(),
            seen: Vec::new(),
            agent_home: None,
            server: Vec::new(),
            has_login: false,
            home,
        },
        data: &data,
        facts,
    };
    match data.host_path().map(str::to_owned) {
        Some(root) => plan.shared(request, config, &root, warnings)?,
        None if config.isolation == Isolation::Agent => {
            plan.view.mounts[0].source = Source::Volume(plan.view.home.of_agent_elsewhere());
        }
        None => {}
    }
    let view = plan.view;
    Ok(data.with_view(view))
}

/// A part of the host's volume that the configuration names as the volume: it must not be the server's, nor hold it.
fn check_volume(config: &Config, home: &PaperclipHome, own: Option<&OwnPod>, data: &DataVolume) -> Result<(), Refusal> {
    let key = if config.workspace_sub_path.is_some() { "workspaceSubPath" } else { "workspaceVolumeClaim" };
    let (Some(own), Some(claim)) = (own, data.claim.as_deref()) else { return Ok(()) };
    let sub_path = data.sub_path.as_deref().unwrap_or_default();
    let mounts = own.mounts.iter().filter(|mount| own.claim(mount) == Some(claim) && mount.sub_path_expr.is_none());
    for mount in mounts {
        let part = mount.sub_path.as_deref().unwrap_or_default();
        let (volume, asked) = (format!("/{}", part.trim_matches('/')), format!("/{}", sub_path.trim_matches('/')));
        // Where the host has what is asked for; what lies above its own mount holds all of that.
        let on_host = match remainder(&asked, &volume) {
            Some(rest) => join(&mount.mount_path, rest),
            None if remainder(&volume, &asked).is_some() => mount.mount_path.clone(),
            None => continue,
        };
        let is_usual = data.host_path().is_some_and(|root| remainder(&on_host, root) == Some(""));
        match home.place(&on_host) {
            Place::Server(what) => {
                return Err(refusal::reject(key, format!("{}; {LEAVE_OUT}", is_servers(&on_host, &what))));
            }
            Place::Above if !is_usual => {
                let reason = format!("this part of claim `{claim}` holds the whole home of the server; {LEAVE_OUT}");
                return Err(refusal::reject(key, reason));
            }
            _ => {}
        }
    }
    Ok(())
}

const LEAVE_OUT: &str = "leave the key out, name another directory, or set `isolation` to `none`";

fn is_servers(path: &str, what: &str) -> String {
    format!("`{path}` belongs to the server (`{what}`), and with this `isolation` no pod gets any of that")
}

struct Planning<'a> {
    view: View,
    data: &'a DataVolume,
    facts: &'a VolumeFacts,
}

impl Planning<'_> {
    fn shared(
        &mut self,
        request: &RunRequest,
        config: &Config,
        root: &str,
        warnings: &mut Vec<String>,
    ) -> Result<(), Refusal> {
        let parts: Vec<String> = server_parts(&self.view.home, root).filter(|path| on(root, path)).collect();
        self.view.server = parts.iter().filter(|path| self.facts.entries.contains_key(*path)).cloned().collect();
        self.view.has_login = self.facts.entries.contains_key(&join(root, &format!("/{LOGIN}")));
        let holds_home = remainder(&self.view.home.path(), root).is_some();
        match config.isolation {
            Isolation::None => return Ok(()),
            Isolation::Server if holds_home => self.cover(root, &parts)?,
            Isolation::Server => {}
            Isolation::Agent => self.own_home(root, holds_home),
        }
        let mut directories = if holds_home { self.view.home.of_every_run() } else { Vec::new() };
        for wanted in wanted::directories(request, config) {
            directories.extend(self.wanted(&wanted, root, warnings)?);
        }
        self.mount_outermost(directories, root);
        let named: Vec<String> = self.view.home.named().collect();
        for part in named.iter().filter(|part| self.facts.entries.get(*part) == Some(&Entry::File)) {
            if self.view.seen.iter().any(|seen| remainder(part, seen).is_some()) {
                self.push(part, Source::EmptyFile);
            }
        }
        self.repositories(request, config, warnings);
        Ok(())
    }

    /// `server`: an empty directory or file over each part. `instances` as a whole: it holds other instances too, and a
    /// mount point cannot be renamed, so that nobody puts something else in its place.
    fn cover(&mut self, root: &str, parts: &[String]) -> Result<(), Refusal> {
        // The same for the way to the home, where that is not the root of the volume.
        let below = remainder(&self.view.home.path(), root).unwrap_or_default().to_owned();
        for (end, _) in below.match_indices('/').skip(1).chain([(below.len(), "")]).filter(|(end, _)| *end > 0) {
            self.push(&join(root, &below[..end]), Source::Volume(below[..end].to_owned()));
        }
        for part in parts {
            if self.is_covered(part) {
                continue;
            }
            let name = part.rsplit('/').next().unwrap_or_default();
            let relative = remainder(part, root).unwrap_or_default().trim_start_matches('/').to_owned();
            match self.facts.entries.get(part) {
                Some(Entry::Directory) => self.push(part, Source::EmptyDirectory),
                Some(Entry::File) => self.push(part, Source::EmptyFile),
                Some(Entry::Link) => {
                    let reason = format!(
                        "`{part}` is a link, which cannot be covered; put the directory or file itself there, or set `agent`"
                    );
                    return Err(refusal::reject("isolation", reason));
                }
                None if MADE_DIRECTORIES.contains(&name) => {
                    self.view.make.push(Make { path: relative, whose: Whose::Servers });
                    self.push(part, Source::EmptyDirectory);
                }
                None if name == MADE_FILE => {
                    self.view.make.push(Make { path: relative, whose: Whose::ServersList });
                    self.push(part, Source::EmptyFile);
                }
                None => {}
            }
        }
        Ok(())
    }

    /// `agent`: another directory of the volume is `HOME`. Mount points in it are made by the host.
    fn own_home(&mut self, root: &str, holds_home: bool) {
        let home = &self.view.home;
        let agent_home = if holds_home { home.of_agent() } else { join(root, &home.of_agent_elsewhere()) };
        let instances = home.below(INSTANCES);
        self.make(&agent_home, root, Whose::PodsAlone);
        self.view.mounts[0].source = volume(&agent_home, root);
        self.view.agent_home = Some(agent_home);
        if holds_home {
            self.mount_point(&instances, root);
            self.push(&instances, Source::EmptyDirectory);
        }
    }

    /// A directory to mount, if it is one.
    fn wanted(&self, wanted: &Wanted, root: &str, warnings: &mut Vec<String>) -> Result<Option<String>, Refusal> {
        let Wanted { path, key, is_run_directory } = wanted;
        let why = match self.view.home.place(path) {
            Place::Server(what) => is_servers(path, &what),
            Place::Unclear if path.starts_with('/') => format!("`{path}` contains `..`"),
            Place::Own => return Ok(self.data.on_volume(path).map(|_| path.clone())),
            Place::Common | Place::Elsewhere if self.view.level == Isolation::Agent => {
                return Ok(self.data.on_volume(path).filter(|_| on(root, path)).map(|_| path.clone()));
            }
            _ => return Ok(None),
        };
        if *is_run_directory {
            return Err(refusal::reject(key, format!("{why}; name another directory, or set `isolation` to `none`")));
        }
        warnings.push(format!("{key}: {why}; it is not mounted"));
        Ok(None)
    }

    /// What lies below another directory is there with it: a link in it would be followed by the kubelet.
    fn mount_outermost(&mut self, mut directories: Vec<String>, root: &str) {
        let in_agent_home = |path: &String| {
            let home = self.view.home.of_agent();
            remainder(path, &home).is_some()
        };
        directories.retain(|path| !in_agent_home(path));
        directories.sort();
        for directory in directories {
            if self.view.seen.iter().any(|seen| remainder(&directory, seen).is_some()) {
                continue;
            }
            self.make(&directory, root, Whose::Pods);
            if self.view.level == Isolation::Agent {
                self.mount_point(&directory, root);
            }
            let source = volume(&directory, root);
            self.push(&directory, source);
            self.view.seen.push(directory.trim_end_matches('/').to_owned());
        }
    }

    /// A worktree works only where its repository is. Its `.git` file is the agent's: it is not followed.
    fn repositories(&self, request: &RunRequest, config: &Config, warnings: &mut Vec<String>) {
        for wanted in wanted::directories(request, config) {
            let file = self.facts.git_files.get(&wanted.path);
            let Some(repository) = file.and_then(|text| wanted::repository(text)) else { continue };
            if self.data.on_volume(repository).is_some() && self.view.to_pod_path(self.data, repository).is_none() {
                warnings.push(format!(
                    "`{}` is a worktree of a repository that the pod does not see: `git` fails there; keep the repository below a directory of the run, such as the company's projects",
                    wanted.path
                ));
            }
        }
    }

    /// A place in the agent's home for something that is mounted over it, unless an empty directory gives one.
    fn mount_point(&mut self, path: &str, root: &str) {
        let instances = self.view.home.below(INSTANCES);
        let Some(home) = self.view.agent_home.clone() else { return };
        if path == instances || remainder(path, &instances).is_none() {
            let rest = remainder(path, root).unwrap_or_default();
            self.make(&join(&home, rest), root, Whose::Pods);
        }
    }

    fn make(&mut self, path: &str, root: &str, whose: Whose) {
        let path = remainder(path, root).unwrap_or_default().trim_matches('/').to_owned();
        self.view.make.push(Make { path, whose });
    }

    /// Once for each path.
    fn push(&mut self, host_path: &str, source: Source) {
        let path = self.data.on_volume(host_path);
        if let Some(path) = path.filter(|path| self.view.mounts.iter().all(|mount| mount.path != *path)) {
            self.view.mounts.push(Mount { path, source });
        }
    }

    fn is_covered(&self, host_path: &str) -> bool {
        let covers = self.view.mounts.iter().filter(|mount| mount.source == Source::EmptyDirectory);
        let path = self.data.on_volume(host_path).unwrap_or_default();
        covers.into_iter().any(|cover| remainder(&path, &cover.path).is_some())
    }
}

/// What lies at a path of the host, as a part of the volume.
fn volume(path: &str, root: &str) -> Source {
    Source::Volume(remainder(path, root).unwrap_or_default().to_owned())
}

impl View {
    /// Home of the agent, on the host.
    pub(super) fn agent_home(&self) -> Option<&str> {
        self.agent_home.as_deref()
    }

    /// A path of the host, known to lie on the volume, as the pod sees it.
    pub(crate) fn to_pod_path(&self, data: &DataVolume, host_path: &str) -> Option<String> {
        let plain = data.on_volume(host_path)?;
        if let Some(rest) = self.agent_home.as_deref().and_then(|home| remainder(host_path, home)) {
            return Some(join(&data.mount_path, rest));
        }
        let is_seen = self.seen.iter().any(|seen| remainder(host_path, seen).is_some());
        let is_root = data.host_path().is_some_and(|root| remainder(host_path, root) == Some(""));
        let shown = match (self.level, self.home.place(host_path)) {
            (Isolation::None, _) => true,
            (_, Place::Server(_) | Place::Unclear) => false,
            (Isolation::Agent, _) | (_, Place::Own) => is_seen || is_root,
            (Isolation::Server, _) => true,
        };
        shown.then_some(plain)
    }
}

/// Below the root, and not the root itself.
fn on(root: &str, path: &str) -> bool {
    remainder(path, root).is_some_and(|rest| !rest.is_empty())
}
