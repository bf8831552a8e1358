//! Reading: regular files only, bounded in bytes, number and time. Links are followed as far as they stay beneath.

use std::collections::HashSet;
use std::io::Read as _;
use std::path::Path;
use std::time::{Duration, Instant};

use cap_std::fs::{Dir, Metadata, MetadataExt as _, OpenOptions, OpenOptionsExt as _};
use claude_k8s_core::files::{FILE_MAX, Kind, Trouble, more_skipped, skipped};
use rustix::fs::OFlags;

use super::{FileError, Root, identity, kind, shown, trouble};

/// Directories, links and everything else in a directory count as well: for each file that may be read, so many.
const ENTRIES_PER_FILE: usize = 4;
/// Skipped entries that are named one by one.
const NAMED_MAX: usize = 20;
const PIECE: usize = 64 * 1024;

/// What may still be read, and until when.
#[derive(Debug, Clone)]
pub struct Budget {
    /// Most bytes of one file.
    pub each: u64,
    /// Bytes of all files.
    pub bytes: u64,
    /// Number of files.
    pub files: usize,
    time: Duration,
    until: Instant,
}

impl Budget {
    /// So many bytes in so many files, each of at most [`FILE_MAX`] bytes, and so much time from now on.
    #[must_use]
    pub fn new(bytes: u64, files: usize, time: Duration) -> Self {
        Self { each: FILE_MAX, bytes, files, time, until: Instant::now() + time }
    }

    /// One file of at most `max` bytes.
    #[must_use]
    pub fn one(max: u64, time: Duration) -> Self {
        Self { each: max, ..Self::new(max, 1, time) }
    }

    /// The same end, for other amounts.
    #[must_use]
    pub fn with(&self, bytes: u64, files: usize) -> Self {
        Self { bytes, files, ..self.clone() }
    }

    pub(super) fn check_time(&self) -> Result<(), Trouble> {
        if Instant::now() < self.until { Ok(()) } else { Err(Trouble::TooSlow(self.time)) }
    }

    pub(super) fn take(&mut self, bytes: u64) -> Result<(), Trouble> {
        self.files = self.files.checked_sub(1).ok_or(Trouble::TooMuch)?;
        self.bytes = self.bytes.checked_sub(bytes).ok_or(Trouble::TooMuch)?;
        Ok(())
    }
}

/// One file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileRead {
    /// Relative to the root, with `/`.
    pub path: String,
    /// Content.
    pub bytes: Vec<u8>,
    /// Somebody may execute it.
    pub executable: bool,
}

/// The regular files of a directory, sorted by path, and what was left out, with the reason.
#[derive(Debug, Default)]
pub struct Walk {
    /// What was read.
    pub files: Vec<FileRead>,
    /// What was not.
    pub skipped: Vec<String>,
    /// Links that were followed.
    pub links: usize,
}

impl Root {
    /// Reads a regular file. Links are followed if they lead to a place beneath this root.
    ///
    /// # Errors
    /// [`Trouble::Outside`] for a link that leads out, [`Trouble::Special`] before anything but a file is opened,
    /// [`Trouble::TooLarge`], [`Trouble::TooSlow`], or what the operating system says.
    pub fn read(&self, path: impl AsRef<Path>, budget: &mut Budget) -> Result<Vec<u8>, FileError> {
        let path = path.as_ref();
        read_in(&self.dir, path, budget).map(|read| read.bytes).map_err(|trouble| self.error(path, trouble))
    }

    /// Reads all regular files beneath. A directory is taken whole or not at all, apart from what can never be taken:
    /// links that lead out, devices, files that are too large. Those are named.
    ///
    /// # Errors
    /// [`Trouble::TooMuch`] and [`Trouble::TooSlow`] for the budget; something may not be read.
    pub fn walk(&self, budget: &mut Budget) -> Result<Walk, FileError> {
        let mut left = budget.clone();
        let mut entries_left = left.files.saturating_mul(ENTRIES_PER_FILE);
        let mut walk = Walk::default();
        let mut left_out = Vec::new();
        let own = self.dir.dir_metadata().map_err(|error| self.error(Path::new(""), trouble(&error)))?;
        let mut seen = HashSet::from([identity(&own)]);
        let mut pending = vec![String::new()];
        while let Some(prefix) = pending.pop() {
            let directory = if prefix.is_empty() { Path::new(".") } else { Path::new(&prefix) };
            let failed = |error: &std::io::Error| self.error(Path::new(&prefix), trouble(error));
            for entry in self.dir.read_dir(directory).map_err(|error| failed(&error))? {
                let entry = entry.map_err(|error| failed(&error))?;
                walk.links += usize::from(entry.file_type().is_ok_and(|found| found.is_symlink()));
                let name = entry.file_name();
                let at = Path::new(&prefix).join(&name);
                left.check_time().map_err(|trouble| self.error(&at, trouble))?;
                entries_left = entries_left.checked_sub(1).ok_or_else(|| self.error(&at, Trouble::TooMuch))?;
                let mut skip = |why: &Trouble| left_out.push(skipped(&shown(&self.path.join(&at)), why));
                let Some(relative) = at.to_str() else {
                    skip(&Trouble::NotUtf8);
                    continue;
                };
                // Through the root, so that a link is resolved beneath it.
                match self.dir.metadata(&at) {
                    // A link to a directory that was already entered would never end.
                    Ok(found) if found.is_dir() => {
                        if seen.insert(identity(&found)) {
                            pending.push(relative.to_owned());
                        }
                    }
                    Ok(_) => match read_in(&self.dir, &at, &mut left) {
                        Ok(read) => walk.files.push(read),
                        Err(why @ (Trouble::Special(_) | Trouble::TooLarge { .. } | Trouble::Outside)) => {
                            skip(&why);
                        }
                        Err(trouble) => return Err(self.error(&at, trouble)),
                    },
                    Err(error) => match trouble(&error) {
                        Trouble::Outside | Trouble::Missing | Trouble::Link => skip(&Trouble::Outside),
                        trouble => return Err(self.error(&at, trouble)),
                    },
                }
            }
        }
        *budget = left;
        walk.files.sort_by(|a, b| a.path.cmp(&b.path));
        left_out.sort();
        let more = left_out.len().saturating_sub(NAMED_MAX);
        walk.skipped = left_out.into_iter().take(NAMED_MAX).collect();
        if more > 0 {
            walk.skipped.push(more_skipped(more));
        }
        Ok(walk)
    }
}

/// Looked at before it is opened, since opening a device or a FIFO may already do something; and again afterwards,
/// since something else may have taken its place. A FIFO opened in between does not block.
pub(super) fn read_in(dir: &Dir, path: &Path, budget: &mut Budget) -> Result<FileRead, Trouble> {
    budget.check_time()?;
    regular(&dir.metadata(path).map_err(|error| trouble(&error))?, budget)?;
    let mut options = OpenOptions::new();
    options.read(true).custom_flags((OFlags::NONBLOCK | OFlags::NOCTTY).bits().cast_signed());
    let mut file = dir.open_with(path, &options).map_err(|error| trouble(&error))?;
    let found = file.metadata().map_err(|error| trouble(&error))?;
    regular(&found, budget)?;
    budget.take(found.len())?;
    let mut bytes = Vec::with_capacity(usize::try_from(found.len()).unwrap_or(0));
    loop {
        budget.check_time()?;
        let read = (&mut file).take(PIECE as u64).read_to_end(&mut bytes).map_err(|error| trouble(&error))?;
        // A file of `/proc` has no length, and one that is being written has another one in a moment.
        if bytes.len() as u64 > budget.each {
            return Err(Trouble::TooLarge { max: budget.each });
        }
        if read == 0 {
            break;
        }
    }
    let more = (bytes.len() as u64).saturating_sub(found.len());
    budget.bytes = budget.bytes.checked_sub(more).ok_or(Trouble::TooMuch)?;
    let path = path.to_string_lossy().into_owned();
    Ok(FileRead { path, bytes, executable: found.mode() & 0o111 != 0 })
}

fn regular(found: &Metadata, budget: &Budget) -> Result<(), Trouble> {
    match kind(found) {
        Kind::File if found.len() > budget.each => Err(Trouble::TooLarge { max: budget.each }),
        Kind::File => Ok(()),
        Kind::Directory => Err(Trouble::IsDirectory),
        Kind::Link => Err(Trouble::Link),
        Kind::Special(name) => Err(Trouble::Special(name)),
    }
}
