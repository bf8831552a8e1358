//! The host's disk: everything that is read, written or deleted on it for a run goes through here.
//!
//! ```text
//!  path of the operator ──find──▶ Found ──open_dir──▶ Root ──┬─ read, walk     bounded in bytes, files and time
//!   (links: the operator's;          │                       ├─ dir, make_dir  no link on the way
//!    none where pods write)          └─read                  ├─ write_new      exclusive, complete or absent
//!                                                            ├─ copy_to        into another root
//!                                                            └─ remove_tree    no link, no other file system
//! ```
//!
//! A [`Root`] is a directory that was opened once. Whatever is renamed or replaced afterwards, everything is resolved
//! beneath the directory that was opened: there is no moment between a check and its use. A root is the narrowest
//! directory that is meant, never the whole volume.
//!
//! Two kinds of links: outside of the directories that pods mount too ([`Shared`]) the operator laid them, and they
//! are followed; inside, an agent may have. There no link is followed on the way *to* a root, and beneath a root only
//! one whose target lies beneath it as well.
//!
//! Everything blocks; [`blocking`] takes it off the runtime and bounds it in time.

mod copy;
mod find;
mod read;
mod remove;
#[cfg(test)]
mod tests;
mod write;

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use cap_std::fs::{Dir, FileType, FileTypeExt as _, Metadata, MetadataExt as _};
use claude_k8s_core::files::{Kind, Trouble};
use rustix::fs::{Mode, OFlags};

pub use copy::Copied;
pub use find::{Found, Shared, find, seen, system_text};
pub use read::{Budget, FileRead, Walk};
pub use remove::Listed;
pub use write::{Access, Owner};

/// What went wrong with which path.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{}`: {trouble}", shown(path))]
pub struct FileError {
    /// The path, as the host would name it.
    pub path: PathBuf,
    /// The reason.
    pub trouble: Trouble,
}

/// An open directory, and the only way to what lies beneath it.
#[derive(Debug)]
pub struct Root {
    dir: Dir,
    /// For messages; never used to open anything.
    path: PathBuf,
}

impl Root {
    /// The directory as it was named; for messages.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The directory beneath this one, with no link on the way.
    ///
    /// # Errors
    /// [`Trouble::Link`] for a link in any part of the path, [`Trouble::Missing`], [`Trouble::NotADirectory`].
    pub fn dir(&self, path: impl AsRef<Path>) -> Result<Self, FileError> {
        let mut dir = None;
        let mut at = self.path.clone();
        for part in parts(path.as_ref()).map_err(|trouble| self.error(path.as_ref(), trouble))? {
            at.push(part);
            let next = enter(dir.as_ref().unwrap_or(&self.dir), part.as_ref());
            dir = Some(next.map_err(|trouble| FileError { path: at.clone(), trouble })?);
        }
        match open(dir.as_ref().unwrap_or(&self.dir), Path::new(".")) {
            Ok(dir) => Ok(Self { dir, path: at }),
            Err(trouble) => Err(FileError { path: at, trouble }),
        }
    }

    /// Something has this name in the directory, a link that leads nowhere included.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        self.dir.symlink_metadata(name).is_ok()
    }

    /// Size of the regular file of this name in the directory; no link is followed.
    #[must_use]
    pub fn file_bytes(&self, name: &str) -> Option<u64> {
        self.dir.symlink_metadata(name).ok().filter(Metadata::is_file).map(|found| found.len())
    }

    fn error(&self, path: &Path, trouble: Trouble) -> FileError {
        let path = if path.as_os_str().is_empty() { self.path.clone() } else { self.path.join(path) };
        FileError { path, trouble }
    }

    /// The directory of a path and the path's last part.
    fn parent_of<'a>(&self, path: &'a Path) -> Result<(Self, &'a Path), FileError> {
        let name = path.file_name().ok_or_else(|| self.error(path, Trouble::NotADirectory))?;
        Ok((self.dir(path.parent().unwrap_or(Path::new("")))?, Path::new(name)))
    }
}

/// The server's own user.
#[must_use]
pub fn own_uid() -> u32 {
    rustix::process::geteuid().as_raw()
}

/// Runs `work` off the runtime and waits for at most `limit`. A file system that hangs keeps its thread, not the run.
///
/// # Errors
/// What `work` says, or [`Trouble::TooSlow`] for `path`.
pub async fn blocking<T: Send + 'static>(
    path: &Path,
    limit: Duration,
    work: impl FnOnce() -> Result<T, FileError> + Send + 'static,
) -> Result<T, FileError> {
    match tokio::time::timeout(limit, tokio::task::spawn_blocking(work)).await {
        Ok(Ok(done)) => done,
        Ok(Err(ended)) if ended.is_panic() => std::panic::resume_unwind(ended.into_panic()),
        Ok(Err(_)) | Err(_) => Err(FileError { path: path.to_owned(), trouble: Trouble::TooSlow(limit) }),
    }
}

/// A directory for passing through: not even the right to list it is needed.
#[cfg(target_os = "linux")]
const PASSING: OFlags = OFlags::PATH;
#[cfg(not(target_os = "linux"))]
const PASSING: OFlags = OFlags::empty();

/// Enters a directory that is no link, to pass through it.
fn enter(dir: &Dir, name: &Path) -> Result<Dir, Trouble> {
    open_dir(dir, name, PASSING)
}

/// Opens a directory that is no link, to list or change it; or to pass through where it may not be listed.
fn open(dir: &Dir, name: &Path) -> Result<Dir, Trouble> {
    open_dir(dir, name, OFlags::RDONLY)
        .or_else(|trouble| if trouble.is_denied() { enter(dir, name) } else { Err(trouble) })
}

fn open_dir(dir: &Dir, name: &Path, how: OFlags) -> Result<Dir, Trouble> {
    let flags = OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC | how;
    match rustix::fs::openat(dir, name, flags, Mode::empty()) {
        Ok(opened) => Ok(Dir::from_std_file(opened.into())),
        // Which of the two it is, systems tell differently.
        Err(error) => match dir.symlink_metadata(name) {
            Ok(found) if found.is_symlink() => Err(Trouble::Link),
            Ok(found) if !found.is_dir() => Err(Trouble::NotADirectory),
            _ => Err(trouble(&error.into())),
        },
    }
}

/// The parts of a relative path that only goes down.
fn parts(path: &Path) -> Result<Vec<&std::ffi::OsStr>, Trouble> {
    let down = path.components().filter(|part| *part != std::path::Component::CurDir);
    down.map(|part| match part {
        std::path::Component::Normal(name) => Ok(name),
        _ => Err(Trouble::Outside),
    })
    .collect()
}

fn kind(found: &Metadata) -> Kind {
    let file_type: FileType = found.file_type();
    let special = [
        (file_type.is_fifo(), "FIFO"),
        (file_type.is_socket(), "socket"),
        (file_type.is_char_device() || file_type.is_block_device(), "device"),
    ];
    match special.into_iter().find(|(is, _)| *is) {
        _ if file_type.is_dir() => Kind::Directory,
        _ if file_type.is_symlink() => Kind::Link,
        _ if file_type.is_file() => Kind::File,
        Some((_, name)) => Kind::Special(name),
        None => Kind::Special("special file"),
    }
}

/// Device and number: two names of one directory have the same.
fn identity(found: &Metadata) -> (u64, u64) {
    (found.dev(), found.ino())
}

fn trouble(error: &io::Error) -> Trouble {
    match error.kind() {
        io::ErrorKind::NotFound => Trouble::Missing,
        io::ErrorKind::AlreadyExists => Trouble::Exists,
        io::ErrorKind::NotADirectory => Trouble::NotADirectory,
        io::ErrorKind::IsADirectory => Trouble::IsDirectory,
        _ if error.raw_os_error() == Some(rustix::io::Errno::LOOP.raw_os_error()) => Trouble::Link,
        // So says the library when a path leads out of its root; the operating system would give a number.
        io::ErrorKind::PermissionDenied if error.raw_os_error().is_none() => Trouble::Outside,
        kind => Trouble::Other { text: error.to_string(), denied: kind == io::ErrorKind::PermissionDenied },
    }
}

/// A path for a message: an agent chose the name, and a terminal may read it.
fn shown(path: &Path) -> String {
    path.to_string_lossy().escape_debug().to_string()
}
