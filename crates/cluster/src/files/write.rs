//! Creating: nothing that exists is written into or followed.

use std::hash::{BuildHasher as _, Hasher as _, RandomState};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use cap_fs_ext::DirExt as _;
use cap_std::fs::{Dir, MetadataExt as _, OpenOptions, OpenOptionsExt as _};
use claude_k8s_core::files::Trouble;
use rustix::fs::{Gid, Mode, Timespec, Timestamps, UTIME_NOW, Uid, futimens};

use super::{FileError, Root, Shared, enter, open, own_uid, parts, trouble};

/// Whom a new file is given. Only root may give files to others; for anybody else it has to be the server's own user.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Owner {
    /// The user; `None` leaves it.
    pub uid: Option<u32>,
    /// The group; `None` leaves it.
    pub gid: Option<u32>,
}

/// Mode and owner of something new, whatever the umask says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Access {
    /// Permission bits.
    pub mode: u32,
    /// Set last; `None`: the server's user.
    pub owner: Option<Owner>,
}

impl Access {
    /// The server's own, with this mode.
    #[must_use]
    pub const fn mode(mode: u32) -> Self {
        Self { mode, owner: None }
    }
}

impl Root {
    /// Creates one directory; its parent exists. Until it is complete nobody else can look into it.
    ///
    /// # Errors
    /// [`Trouble::Exists`] for whatever has the name, a link included.
    pub fn make_dir(&self, path: impl AsRef<Path>, access: Access) -> Result<Self, FileError> {
        let path = path.as_ref();
        let (parent, name) = self.parent_of(path)?;
        let made = make_in(&parent.dir, name, access).map_err(|trouble| self.error(path, trouble))?;
        Ok(Self { dir: made, path: self.path.join(path) })
    }

    /// Opens the directory with no link on the way, after creating what is missing of it.
    ///
    /// # Errors
    /// As [`Root::dir`] and [`Root::make_dir`].
    pub fn dir_or_make(&self, path: impl AsRef<Path>, access: Access) -> Result<Self, FileError> {
        let path = path.as_ref();
        let mut at = PathBuf::new();
        let mut root = self.dir("")?;
        for name in parts(path).map_err(|trouble| self.error(path, trouble))? {
            at.push(name);
            let next = match enter(&root.dir, name.as_ref()) {
                Err(Trouble::Missing) => match make_in(&root.dir, name.as_ref(), access) {
                    // Somebody else was faster: what is there now is looked at like anything else.
                    Err(Trouble::Exists) => enter(&root.dir, name.as_ref()),
                    made => made,
                },
                entered => entered,
            };
            root = Self { dir: next.map_err(|trouble| self.error(&at, trouble))?, path: self.path.join(&at) };
        }
        root.dir("")
    }

    /// Opens a directory by its absolute path as [`Root::open`] does, after creating what is missing of it.
    ///
    /// # Errors
    /// As [`Root::open`] and [`Root::make_dir`].
    pub fn open_or_make(path: &Path, shared: &Shared, access: Access) -> Result<Self, FileError> {
        let mut missing = Vec::new();
        let mut at = path;
        let root = loop {
            match Self::open(at, shared) {
                Err(FileError { trouble: Trouble::Missing, .. }) if at.parent().is_some() => {
                    missing.push(at.file_name().unwrap_or_default());
                    at = at.parent().unwrap_or(at);
                }
                opened => break opened?,
            }
        };
        root.dir_or_make(missing.into_iter().rev().collect::<PathBuf>(), access)
    }

    /// Makes this directory private if it is the server's, whatever its mode was; what lies in it stays suspect.
    ///
    /// # Errors
    /// [`Trouble::NotPrivate`] for somebody else's.
    pub fn make_private(&self) -> Result<(), FileError> {
        let here = Path::new("");
        let found = self.dir.dir_metadata().map_err(|error| self.error(here, trouble(&error)))?;
        if found.uid() == own_uid() && found.mode() & 0o7777 != 0o700 {
            rustix::fs::fchmod(&self.dir, mode(0o700)).map_err(|error| self.error(here, trouble(&error.into())))?;
        }
        self.check_private()
    }

    /// The time by the clock of the volume, which may be another machine's: the directory is stamped with it (FLD-07).
    ///
    /// # Errors
    /// The directory is somebody else's.
    pub fn time(&self) -> Result<SystemTime, FileError> {
        let now = Timespec { tv_sec: 0, tv_nsec: UTIME_NOW };
        let stamped = futimens(&self.dir, &Timestamps { last_access: now, last_modification: now });
        let found = stamped.map_err(std::io::Error::from).and_then(|()| self.dir.dir_metadata()?.modified());
        found.map(cap_std::time::SystemTime::into_std).map_err(|error| self.error(Path::new(""), trouble(&error)))
    }

    /// Nobody but the server's user (and root) can have written here, or can look in: owner and mode of the open
    /// directory itself.
    ///
    /// # Errors
    /// [`Trouble::NotPrivate`].
    pub fn check_private(&self) -> Result<(), FileError> {
        let here = Path::new("");
        let found = self.dir.dir_metadata().map_err(|error| self.error(here, trouble(&error)))?;
        let (uid, mode) = (own_uid(), found.mode() & 0o7777);
        if found.uid() == uid && mode == 0o700 {
            return Ok(());
        }
        Err(self.error(here, Trouble::NotPrivate { uid, found: found.uid(), mode }))
    }

    /// Writes a file that does not exist: to a random name beside it, then renamed. Its directory exists.
    ///
    /// # Errors
    /// [`Trouble::Exists`] for whatever has the name, a link included; nothing is left behind.
    pub fn write_new(&self, path: impl AsRef<Path>, bytes: &[u8], access: Access) -> Result<(), FileError> {
        let path = path.as_ref();
        let (parent, name) = self.parent_of(path)?;
        let filled = |file: &mut cap_std::fs::File| file.write_all(bytes).map_err(|error| trouble(&error));
        write_in(&parent.dir, name, access, filled).map_err(|trouble| self.error(path, trouble))
    }

    /// Renames a directory beneath this root, both names directly in it, to one that does not exist.
    ///
    /// # Errors
    /// [`Trouble::Exists`] for whatever has the name but an empty directory.
    pub fn rename_dir(&self, from: &str, to: &str) -> Result<(), FileError> {
        let failed = |trouble| self.error(Path::new(to), trouble);
        for name in [from, to] {
            if parts(Path::new(name)).map_err(failed)?.len() != 1 {
                return Err(failed(Trouble::Outside));
            }
        }
        match rustix::fs::renameat(&self.dir, from, &self.dir, to) {
            Ok(()) => Ok(()),
            Err(_) if self.dir.symlink_metadata(to).is_ok() => Err(failed(Trouble::Exists)),
            Err(error) => Err(failed(trouble(&error.into()))),
        }
    }

    /// A name in this directory that nobody can guess, for something that is renamed once it is complete.
    #[must_use]
    pub fn random_name() -> String {
        // The keys of this hasher come from the operating system.
        format!(".tmp-{:016x}", RandomState::new().build_hasher().finish())
    }
}

/// Writes to a random name and renames when complete.
pub(super) fn write_in(
    dir: &Dir,
    name: &Path,
    access: Access,
    content: impl FnOnce(&mut cap_std::fs::File) -> Result<(), Trouble>,
) -> Result<(), Trouble> {
    if dir.symlink_metadata(name).is_ok() {
        return Err(Trouble::Exists);
    }
    let temporary = Root::random_name();
    let mut options = OpenOptions::new();
    options.write(true).create_new(true).mode(0o600);
    let mut file = dir.open_with(&temporary, &options).map_err(|error| trouble(&error))?;
    let written = content(&mut file).and_then(|()| {
        rustix::fs::fchmod(&file, mode(access.mode)).map_err(|error| trouble(&error.into()))?;
        access.owner.map_or(Ok(()), |owner| give(&file, owner))?;
        rustix::fs::renameat(dir, temporary.as_str(), dir, name).map_err(|error| trouble(&error.into()))
    });
    if written.is_err() {
        let _the_cause_is_what_matters = dir.remove_file_or_symlink(&temporary);
    }
    written
}

pub(super) fn make_in(dir: &Dir, name: &Path, access: Access) -> Result<Dir, Trouble> {
    rustix::fs::mkdirat(dir, name, mode(0o700)).map_err(|error| trouble(&error.into()))?;
    let made = open(dir, name)?;
    rustix::fs::fchmod(&made, mode(access.mode)).map_err(|error| trouble(&error.into()))?;
    access.owner.map_or(Ok(()), |owner| give(&made, owner))?;
    Ok(made)
}

fn give(opened: &impl std::os::fd::AsFd, owner: Owner) -> Result<(), Trouble> {
    let (uid, gid) = (owner.uid.map(Uid::from_raw), owner.gid.map(Gid::from_raw));
    // Through the descriptor, where no name can lead elsewhere.
    rustix::fs::fchown(opened, uid, gid).map_err(|error| trouble(&error.into()))
}

fn mode(bits: u32) -> Mode {
    Mode::from_raw_mode(bits as rustix::fs::RawMode)
}
