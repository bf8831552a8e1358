//! Copying from one root to another. Nothing but directories and regular files is copied, and nothing is replaced.

use std::io::{Read as _, Write as _};
use std::path::Path;

use cap_fs_ext::{FollowSymlinks, OpenOptionsFollowExt as _};
use cap_std::fs::{Dir, MetadataExt as _, OpenOptions, OpenOptionsExt as _};
use claude_k8s_core::files::{Kind, Trouble};
use rustix::fs::OFlags;

use super::write::write_in;
use super::{Access, Budget, FileError, Owner, Root, kind, trouble};

const PIECE: usize = 256 * 1024;

/// What a copy did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Copied {
    /// Files that were copied.
    pub files: usize,
    /// Their bytes.
    pub bytes: u64,
    /// Links, devices, FIFOs and sockets: never copied.
    pub skipped: usize,
}

impl Root {
    /// Copies a file, or a directory with everything in it, to `to`, which must not exist; its parent must. Directories
    /// get mode 0700, files 0600 or 0700, both the owner. Nothing in the source is followed. Large files pass through in
    /// pieces: set the budget's `each` accordingly.
    ///
    /// # Errors
    /// [`Trouble::Link`] or [`Trouble::Special`] for the source itself, [`Trouble::Exists`] for the target, and the
    /// budget. What was copied before the error stays.
    pub fn copy_to(
        &self,
        from: impl AsRef<Path>,
        target: &Self,
        to: impl AsRef<Path>,
        budget: &mut Budget,
        owner: Option<Owner>,
    ) -> Result<Copied, FileError> {
        let mut copied = Copied::default();
        let mut pending = vec![(from.as_ref().to_owned(), to.as_ref().to_owned())];
        while let Some((path, to)) = pending.pop() {
            let failed = |trouble| self.error(&path, trouble);
            let (parent, name) = self.parent_of(&path)?;
            budget.check_time().map_err(failed)?;
            let found = parent.dir.symlink_metadata(name).map_err(|error| failed(trouble(&error)))?;
            match kind(&found) {
                Kind::Directory => {
                    budget.take(0).map_err(failed)?;
                    let below = self.dir(&path)?;
                    target.make_dir(&to, Access { mode: 0o700, owner })?;
                    for entry in below.dir.entries().map_err(|error| failed(trouble(&error)))? {
                        let name = entry.map_err(|error| failed(trouble(&error)))?.file_name();
                        pending.push((path.join(&name), to.join(&name)));
                    }
                }
                Kind::File => {
                    let (target_parent, target_name) = target.parent_of(&to)?;
                    let mode = if found.mode() & 0o111 == 0 { 0o600 } else { 0o700 };
                    let mut bytes = 0;
                    write_in(&target_parent.dir, target_name, Access { mode, owner }, |file| {
                        bytes = pour(&parent.dir, name, file, budget)?;
                        Ok(())
                    })
                    .map_err(failed)?;
                    copied.files += 1;
                    copied.bytes += bytes;
                }
                Kind::Link if path == from.as_ref() => return Err(failed(Trouble::Link)),
                Kind::Special(name) if path == from.as_ref() => return Err(failed(Trouble::Special(name))),
                Kind::Link | Kind::Special(_) => copied.skipped += 1,
            }
        }
        Ok(copied)
    }
}

/// The content of a file that was looked at, and is looked at again now that it is open.
fn pour(dir: &Dir, name: &Path, into: &mut cap_std::fs::File, budget: &mut Budget) -> Result<u64, Trouble> {
    let mut options = OpenOptions::new();
    options.read(true).follow(FollowSymlinks::No);
    options.custom_flags((OFlags::NONBLOCK | OFlags::NOCTTY).bits().cast_signed());
    let mut from = dir.open_with(name, &options).map_err(|error| trouble(&error))?;
    let found = from.metadata().map_err(|error| trouble(&error))?;
    if let Kind::Special(name) = kind(&found) {
        return Err(Trouble::Special(name));
    }
    budget.take(0)?;
    let mut piece = vec![0; PIECE];
    let mut bytes = 0;
    loop {
        budget.check_time()?;
        let read = from.read(&mut piece).map_err(|error| trouble(&error))?;
        if read == 0 {
            return Ok(bytes);
        }
        bytes += read as u64;
        if bytes > budget.each {
            return Err(Trouble::TooLarge { max: budget.each });
        }
        budget.bytes = budget.bytes.checked_sub(read as u64).ok_or(Trouble::TooMuch)?;
        into.write_all(&piece[..read]).map_err(|error| trouble(&error))?;
    }
}
