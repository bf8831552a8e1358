//! How the log of a run's container begins.

/// The line that the run's script prints before anything else.
///
/// A node shows only the newest log file, so nothing else could tell that an older one, with the beginning of the
/// output, was rotated away before anybody read it (`docs/internals/kubernetes.md` 1.6). It is no output of the CLI: nobody is shown it.
pub const FIRST_LINE: &str = "[paperclip] Container started";
