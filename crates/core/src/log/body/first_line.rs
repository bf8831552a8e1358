//! How the log of a run's container begins.

/// The line that the run's script prints before anything else.
///
/// A node shows only the newest log file, so nothing else could tell that an older one, with the beginning of the
/// output, was rotated away before anybody read it (`docs/internals/kubernetes.md` 1.6). It is no output of the CLI: nobody is shown it.
pub const FIRST_LINE: &str = "[paperclip] Container started";

/// The line stands behind [`FIRST_LINE`]: it is one of the script's own or an event of the CLI. A runtime that cannot
/// execute the image's `sh` writes to the log as well, and nothing stands before that.
pub(in crate::log) fn shows_a_start(line: &[u8]) -> bool {
    [b"[paperclip] ".as_slice(), b"{\"type\":\""].iter().any(|begin| line.starts_with(begin))
}
