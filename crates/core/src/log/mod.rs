//! placeholder

/// What the container does, as far as reading its log is concerned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ContainerPhase {
    /// Not started.
    Waiting,
    /// Running.
    Running,
    /// Running, its pod is being deleted.
    Deleting,
    /// Ended.
    Terminated {
        /// Its pod is being deleted or gone.
        pod_deleted: bool,
    },
    /// Gone.
    Gone,
}
