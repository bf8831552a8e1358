//! The CLI's stream-json, read line by line into the facts a verdict needs. Memory does not grow with the log.

/// Accumulated facts about a run's output.
#[derive(Debug, Default)]
pub struct Transcript {}
