//! Files of the host: how much is read of them, what can be wrong with one, and who can have put it there.
//!
//! The effects are in the file module of the cluster crate; here are the limits, the words and the judgement.

use std::path::PathBuf;
use std::time::Duration;

/// Most bytes of one file that is read for a run (TRU-04).
pub const FILE_MAX: u64 = 4 * 1024 * 1024;

/// Most bytes that all skills of a run may hold together.
pub const SKILLS_BYTES: u64 = 64 * 1024 * 1024;

/// Most files of all skills.
pub const SKILLS_FILES: usize = 10_000;

/// Most bytes next to the instructions: their directory only travels in Secrets, which hold this much.
pub const ROOT_BYTES: u64 = 4 * 1024 * 1024;

/// Most files next to the instructions.
pub const ROOT_FILES: usize = 1000;

/// All the time that reading the files of a run may take (TRU-04).
pub const READ_TIME: Duration = Duration::from_secs(5);

/// Why a file or directory of the host was not touched. Never anything of its content.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Trouble {
    /// Nothing is there.
    #[error("there is no such file or directory")]
    Missing,
    /// Something is there already.
    #[error("something else is there already")]
    Exists,
    /// On the way to it, or in its place.
    #[error("a link is in its place or on the way to it, and no link is followed where agents may write")]
    Link,
    /// A link whose target lies elsewhere, is absolute or does not exist.
    #[error("it is a link that leads outside of its directory or nowhere")]
    Outside,
    /// A device, FIFO or socket.
    #[error("it is a {0}, and only regular files are read")]
    Special(&'static str),
    /// A directory where a file was meant.
    #[error("it is a directory and no file")]
    IsDirectory,
    /// A file where a directory was meant.
    #[error("it is no directory")]
    NotADirectory,
    /// One file is too large.
    #[error("it is larger than {max} bytes")]
    TooLarge {
        /// The limit.
        max: u64,
    },
    /// A directory holds too much.
    #[error("it is too large")]
    TooMuch,
    /// Directories in directories.
    #[error("its directories are nested too deeply")]
    TooDeep,
    /// A slow or dead file system.
    #[error("the time for it is over ({} s)", .0.as_secs())]
    TooSlow(Duration),
    /// Something is mounted there.
    #[error("another file system is mounted there")]
    OtherFileSystem,
    /// A directory that only the server should be able to use.
    #[error("it must belong to the server's user {uid} with mode 0700; it belongs to {found} with mode {mode:04o}")]
    NotPrivate {
        /// The server's.
        uid: u32,
        /// The owner.
        found: u32,
        /// Permission bits.
        mode: u32,
    },
    /// No path that anybody could write down.
    #[error("its name is not UTF-8")]
    NotUtf8,
    /// Not the content that was expected.
    #[error("its content is not the expected one")]
    OtherContent,
    /// Whatever else the operating system says.
    #[error("{text}")]
    Other {
        /// Its words.
        text: String,
        /// The permission is missing.
        denied: bool,
    },
}

impl Trouble {
    /// The server's user may not do it.
    #[must_use]
    pub fn is_denied(&self) -> bool {
        matches!(self, Self::Other { denied: true, .. } | Self::NotPrivate { .. })
    }
}

/// Something in a directory that is read as a whole was left out. `path`: already fit for a terminal.
#[must_use]
pub fn skipped(path: &str, why: &Trouble) -> String {
    format!("`{path}` is skipped: {why}")
}

/// So many more than are named.
#[must_use]
pub fn more_skipped(more: usize) -> String {
    format!("{more} more are skipped")
}

/// One directory, link or file on the way to a path, the path's own end included.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// Where it is, links before it resolved.
    pub path: PathBuf,
    /// What it is.
    pub kind: Kind,
    /// Its owner.
    pub uid: u32,
    /// Permission bits, the sticky bit included.
    pub mode: u32,
    /// A directory of a read-only file system in memory: so a Secret is mounted, whatever its mode says.
    pub is_sealed: bool,
}

/// What something in a file system is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A directory.
    Directory,
    /// A symbolic link.
    Link,
    /// A regular file.
    File,
    /// Anything else.
    Special(&'static str),
}

/// Why a file may come from somebody else than the operator.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Foreign {
    /// The end of the path.
    #[error("`{}` is no regular file", .0.display())]
    NotAFile(PathBuf),
    /// The file or a directory above it.
    #[error("`{}` belongs to user {uid}, neither root nor the server's user", path.display())]
    Owner {
        /// What.
        path: PathBuf,
        /// Whose.
        uid: u32,
    },
    /// The file or a directory above it.
    #[error("`{}` is writable for others than its owner (mode {mode:04o})", path.display())]
    Writable {
        /// What.
        path: PathBuf,
        /// Permission bits.
        mode: u32,
    },
}

/// Where agents and strangers put files, so that nobody can say whose a file there is (TRU-02).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
pub enum CommonPlace {
    /// The server's directory: agents work in it.
    #[error("`PAPERCLIP_HOME`, where agents work")]
    Home,
    /// A volume that the pods of agents can mount.
    #[error("a volume that pods of agents can mount")]
    Volume,
    /// `/tmp` and its like.
    #[error("a temporary directory")]
    Temporary,
}

/// Nobody but root and the server's user `uid` can have put the file there: it is a regular file, and neither it nor
/// any directory on the way to it is writable for somebody else (TRU-02).
///
/// # Errors
/// The first step that somebody else may change.
pub fn put_by_operator(steps: &[Step], uid: u32) -> Result<(), Foreign> {
    if let Some(end) = steps.last().filter(|end| end.kind != Kind::File) {
        return Err(Foreign::NotAFile(end.path.clone()));
    }
    for step in steps {
        if step.uid != 0 && step.uid != uid {
            return Err(Foreign::Owner { path: step.path.clone(), uid: step.uid });
        }
        // The mode of a link means nothing: who may replace it is decided by the directory it lies in.
        if step.kind != Kind::Link && !step.is_sealed && step.mode & 0o022 != 0 {
            return Err(Foreign::Writable { path: step.path.clone(), mode: step.mode });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(path: &str, kind: Kind, uid: u32, mode: u32) -> Step {
        Step { path: path.into(), kind, uid, mode, is_sealed: false }
    }

    #[test]
    fn tru_02_a_file_is_the_operators_when_only_root_and_the_server_may_change_it_or_replace_it() {
        let root = || step("/", Kind::Directory, 0, 0o755);
        let file = |uid, mode| step("/etc/k", Kind::File, uid, mode);
        let check = |steps: &[Step]| put_by_operator(steps, 1000).map_err(|foreign| foreign.to_string());
        assert_eq!(check(&[root(), file(0, 0o644)]), Ok(()));
        assert_eq!(check(&[root(), step("/l", Kind::Link, 0, 0o777), file(1000, 0o600)]), Ok(()));
        let secret = Step { is_sealed: true, ..step("/etc/secret", Kind::Directory, 0, 0o1777) };
        assert_eq!(check(&[root(), secret, file(0, 0o644)]), Ok(()), "a mounted Secret");
        let refused = [
            (vec![root(), file(1001, 0o600)], "`/etc/k` belongs to user 1001, neither root nor the server's user"),
            (vec![root(), file(0, 0o664)], "`/etc/k` is writable for others than its owner (mode 0664)"),
            (
                vec![root(), step("/tmp", Kind::Directory, 0, 0o1777), file(0, 0o600)],
                "`/tmp` is writable for others than its owner (mode 1777)",
            ),
            (vec![root(), step("/dev/zero", Kind::Special("device"), 0, 0o600)], "`/dev/zero` is no regular file"),
        ];
        for (steps, reason) in refused {
            assert_eq!(check(&steps), Err(reason.to_owned()));
        }
    }
}
