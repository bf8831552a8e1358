//! The two output streams of the host.

/// Which of the host's two output streams a text belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Stream {
    /// The container's stdout and the adapter's progress.
    Stdout,
    /// The container's stderr and the adapter's warnings.
    Stderr,
}

impl Stream {
    /// The host's name of the stream.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Stdout => "stdout",
            Self::Stderr => "stderr",
        }
    }
}
