//! Listing and deleting: a link is removed, never followed, and what another file system holds stays.

use std::ffi::OsString;
use std::path::Path;
use std::time::{Duration, SystemTime};

use cap_fs_ext::DirExt as _;
use cap_std::fs::{Dir, Metadata, MetadataExt as _};
use claude_k8s_core::files::Trouble;

use super::{FileError, Root, open, trouble};

/// Deeper trees are left alone: each level keeps a directory open.
const DEPTH_MAX: usize = 100;
/// Names held at once.
const BATCH: usize = 1000;

/// Something directly in a directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// Its name.
    pub name: String,
    /// Since it, or what lies directly in it, was changed.
    pub age: Duration,
}

impl Root {
    /// The directories directly in this one whose names are UTF-8, at most `max`; links are none. How old they are at `now`
    /// can only be said by the clock that stamped them.
    ///
    /// # Errors
    /// The directory cannot be read.
    pub fn directories(&self, max: usize, now: SystemTime) -> Result<Vec<Listed>, FileError> {
        let entries = self.dir.entries().map_err(|error| self.error(Path::new(""), trouble(&error)))?;
        let directories = entries.filter_map(|entry| {
            let name = entry.ok()?.file_name().into_string().ok()?;
            let found = self.dir.symlink_metadata(&name).ok().filter(Metadata::is_dir)?;
            let changed = found.modified().ok()?.into_std();
            Some(Listed { name, age: now.duration_since(changed).unwrap_or_default() })
        });
        Ok(directories.take(max).collect())
    }

    /// Removes a file, a link or a directory with everything in it. What is not there is removed.
    ///
    /// # Errors
    /// [`Trouble::Link`] for a link on the way to it, [`Trouble::OtherFileSystem`], [`Trouble::TooDeep`], or what the
    /// operating system says. Part of it may be removed then.
    pub fn remove_tree(&self, path: impl AsRef<Path>) -> Result<(), FileError> {
        let path = path.as_ref();
        let (parent, name) = match self.parent_of(path) {
            Err(FileError { trouble: Trouble::Missing, .. }) => return Ok(()),
            parent => parent?,
        };
        let found = self.dir.dir_metadata().map_err(|error| self.error(path, trouble(&error)))?;
        remove_in(&parent.dir, name, found.dev(), 0).map_err(|trouble| self.error(path, trouble))
    }
}

fn remove_in(dir: &Dir, name: &Path, device: u64, depth: usize) -> Result<(), Trouble> {
    let found = match dir.symlink_metadata(name).map_err(|error| trouble(&error)) {
        Err(Trouble::Missing) => return Ok(()),
        found => found?,
    };
    if found.dev() != device {
        return Err(Trouble::OtherFileSystem);
    }
    if !found.is_dir() {
        return gone(dir.remove_file_or_symlink(name));
    }
    if depth == DEPTH_MAX {
        return Err(Trouble::TooDeep);
    }
    let below = open(dir, name)?;
    if below.dir_metadata().map_err(|error| trouble(&error))?.dev() != device {
        return Err(Trouble::OtherFileSystem);
    }
    loop {
        // Removing while reading may skip names, so it is read again until it is empty.
        let entries = below.entries().map_err(|error| trouble(&error))?.take(BATCH);
        let names: Vec<OsString> = entries.filter_map(|entry| Some(entry.ok()?.file_name())).collect();
        if names.is_empty() {
            break;
        }
        names.iter().try_for_each(|name| remove_in(&below, name.as_ref(), device, depth + 1))?;
    }
    gone(dir.remove_dir(name))
}

/// Whoever removed it first did what was wanted.
fn gone(removed: std::io::Result<()>) -> Result<(), Trouble> {
    match removed.map_err(|error| trouble(&error)) {
        Err(Trouble::Missing) => Ok(()),
        removed => removed,
    }
}
