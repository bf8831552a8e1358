//! From a path that the operator or the host's configuration names to an open directory or file.

use std::collections::VecDeque;
use std::ffi::OsString;
use std::path::{Component, Path, PathBuf};
use std::time::SystemTime;

use cap_std::ambient_authority;
use cap_std::fs::{Dir, Metadata, MetadataExt as _};
use claude_k8s_core::files::{Kind, READ_TIME, Step, Trouble};

use super::{Budget, FileError, Root, enter, identity, kind, open, trouble};

/// As many links as Linux follows.
const LINKS_MAX: usize = 40;

/// Directories that pods mount too, so that agents may have written whatever lies in them: known by what they are, not
/// by name, so that another mount of the same volume and a link to it count as well.
#[derive(Debug, Clone, Default)]
pub struct Shared(Vec<(u64, u64)>);

impl Shared {
    /// The directories of these that exist.
    pub fn of<P: AsRef<Path>>(paths: impl IntoIterator<Item = P>) -> Self {
        let open = |path: P| Dir::open_ambient_dir(path, ambient_authority()).ok()?.dir_metadata().ok();
        Self(paths.into_iter().filter_map(open).map(|found| identity(&found)).collect())
    }

    fn is(&self, found: &Metadata) -> bool {
        self.0.contains(&identity(found))
    }
}

/// What a path leads to, and everything on the way. It is open: what is read later is what was looked at.
#[derive(Debug)]
pub struct Found {
    /// Every directory and link on the way, from `/` on, and the end of the path.
    pub steps: Vec<Step>,
    /// The end of the path lies in a directory of [`Shared`], or is one.
    pub is_shared: bool,
    /// The directory that holds the end of the path, or is it.
    dir: Dir,
    /// The end of the path, if it is no directory.
    file: Option<OsString>,
    path: PathBuf,
}

/// A directory that was entered, by its name for messages.
struct Entered {
    dir: Dir,
    path: PathBuf,
    is_shared: bool,
}

/// Follows an absolute path from `/` on, link by link. Within `shared` there must be no link.
///
/// Nothing but directories is opened.
///
/// # Errors
/// [`Trouble::Link`] for a link within `shared`, else what the operating system says.
pub fn find(path: &Path, shared: &Shared) -> Result<Found, FileError> {
    let failed = |at: &Path, trouble| FileError { path: at.to_owned(), trouble };
    if !path.is_absolute() {
        return Err(failed(path, Trouble::Missing));
    }
    let slash = Path::new("/");
    let open = Dir::open_ambient_dir(slash, ambient_authority());
    let open = open.and_then(|dir| dir.dir_metadata().map(|found| (dir, found)));
    let (dir, found) = open.map_err(|error| failed(slash, trouble(&error)))?;
    let mut steps = vec![step(slash, &found)];
    let mut way = vec![Entered { dir, path: slash.to_owned(), is_shared: shared.is(&found) }];
    let mut rest: VecDeque<OsString> = names(path).collect();
    let mut links = 0;
    while let Some(name) = rest.pop_front() {
        if name == ".." {
            way.truncate((way.len() - 1).max(1));
            continue;
        }
        let Some(here) = way.last() else { break };
        let at = here.path.join(&name);
        let found = here.dir.symlink_metadata(&name).map_err(|error| failed(&at, trouble(&error)))?;
        match kind(&found) {
            Kind::Link => {
                links += 1;
                if here.is_shared || links > LINKS_MAX {
                    return Err(failed(&at, Trouble::Link));
                }
                let target = here.dir.read_link_contents(&name).map_err(|error| failed(&at, trouble(&error)))?;
                steps.push(step(&at, &found));
                if target.is_absolute() {
                    way.truncate(1);
                }
                names(&target).rev().for_each(|name| rest.push_front(name));
            }
            Kind::Directory => {
                let dir = enter(&here.dir, name.as_ref()).map_err(|trouble| failed(&at, trouble))?;
                // Of what was opened, not of what had the name a moment before.
                let found = dir.dir_metadata().map_err(|error| failed(&at, trouble(&error)))?;
                steps.push(Step { is_sealed: is_sealed(&dir), ..step(&at, &found) });
                let is_shared = here.is_shared || shared.is(&found);
                way.push(Entered { dir, path: at, is_shared });
            }
            Kind::File | Kind::Special(_) if rest.is_empty() => {
                steps.push(step(&at, &found));
                let Some(Entered { dir, is_shared, .. }) = way.pop() else { break };
                return Ok(Found { steps, is_shared, dir, file: Some(name), path: path.to_owned() });
            }
            Kind::File | Kind::Special(_) => return Err(failed(&at, Trouble::NotADirectory)),
        }
    }
    let Some(Entered { dir, is_shared, .. }) = way.pop() else { return Err(failed(path, Trouble::Missing)) };
    Ok(Found { steps, is_shared, dir, file: None, path: path.to_owned() })
}

impl Found {
    /// The directory, if it is one.
    ///
    /// # Errors
    /// [`Trouble::NotADirectory`], or the directory may not be listed.
    pub fn open_dir(self) -> Result<Root, FileError> {
        let failed = |trouble| FileError { path: self.path.clone(), trouble };
        if self.file.is_some() {
            return Err(failed(Trouble::NotADirectory));
        }
        let dir = open(&self.dir, Path::new(".")).map_err(failed)?;
        Ok(Root { dir, path: self.path })
    }

    /// The content of the regular file.
    ///
    /// # Errors
    /// Everything but a regular file within the budget.
    pub fn read(&self, budget: &mut Budget) -> Result<Vec<u8>, FileError> {
        let failed = |trouble| FileError { path: self.path.clone(), trouble };
        let Some(name) = &self.file else { return Err(failed(Trouble::IsDirectory)) };
        // A link that took the file's place since then does not lead out of its directory.
        super::read::read_in(&self.dir, name.as_ref(), budget).map(|read| read.bytes).map_err(failed)
    }
}

/// A file of the system, such as one of `/proc`: text of at most 1 MiB.
#[must_use]
pub fn system_text(path: &Path) -> Option<String> {
    let bytes = find(path, &Shared::default()).ok()?.read(&mut Budget::one(1 << 20, READ_TIME)).ok()?;
    String::from_utf8(bytes).ok()
}

/// What a path leads to, and when that was changed.
#[must_use]
pub fn seen(path: &Path) -> Option<(Kind, Option<SystemTime>)> {
    let found = find(&std::path::absolute(path).ok()?, &Shared::default()).ok()?;
    let at = found.file.as_ref().map_or_else(|| found.dir.dir_metadata(), |name| found.dir.symlink_metadata(name));
    let at = at.ok()?;
    Some((kind(&at), at.modified().ok().map(cap_std::time::SystemTime::into_std)))
}

impl Root {
    /// Opens a directory by its absolute path: links are followed outside of `shared`, and none within.
    ///
    /// # Errors
    /// As [`find`], and [`Trouble::NotADirectory`].
    pub fn open(path: &Path, shared: &Shared) -> Result<Self, FileError> {
        find(path, shared)?.open_dir()
    }
}

fn step(path: &Path, found: &Metadata) -> Step {
    Step { path: path.to_owned(), kind: kind(found), uid: found.uid(), mode: found.mode() & 0o7777, is_sealed: false }
}

/// A read-only file system in memory.
#[cfg(target_os = "linux")]
fn is_sealed(dir: &Dir) -> bool {
    const TMPFS: u64 = 0x0102_1994;
    let in_memory = rustix::fs::fstatfs(dir).is_ok_and(|found| u64::try_from(found.f_type).ok() == Some(TMPFS));
    let read_only = rustix::fs::StatVfsMountFlags::RDONLY;
    in_memory && rustix::fs::fstatvfs(dir).is_ok_and(|found| found.f_flag.contains(read_only))
}

#[cfg(not(target_os = "linux"))]
fn is_sealed(_: &Dir) -> bool {
    false
}

/// Names and `..`; neither the root nor `.`.
fn names(path: &Path) -> impl DoubleEndedIterator<Item = OsString> {
    let owned: Vec<OsString> = path
        .components()
        .filter(|part| matches!(part, Component::Normal(_) | Component::ParentDir))
        .map(|part| part.as_os_str().to_owned())
        .collect();
    owned.into_iter()
}
