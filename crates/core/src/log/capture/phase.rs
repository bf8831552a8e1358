//! What the shared watch knows about the container whose log is read.

/// The only witness of a log's end: connections end, fail and fall silent without meaning anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ContainerPhase {
    /// Not started.
    #[default]
    Waiting,
    /// Running, as far as anybody knows.
    Running,
    /// The pod is being deleted: the open follow is the only source of the tail (LOG-12).
    Deleting,
    /// The container ended.
    Terminated {
        /// The pod is being deleted as well, so the log disappears within about a second.
        pod_deleted: bool,
        /// Signal 9 ended it, or the process that would have said so: no end line has to come.
        killed: bool,
    },
    /// The pod is gone.
    Gone,
}

impl ContainerPhase {
    /// Nothing more will be written.
    #[must_use]
    pub fn is_ended(self) -> bool {
        matches!(self, Self::Terminated { .. } | Self::Gone)
    }
}
