//! What is known of the end of a log.

/// How the capture ended.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Tail {
    /// The container's own end line was the last one.
    Ended,
    /// No end line was to be expected: the follow ended by itself, and the read behind it showed nothing else.
    Confirmed,
    /// Output may be missing at the end, for this reason.
    Unconfirmed(String),
    /// The capture was stopped before the container ended.
    #[default]
    Stopped,
}

impl Tail {
    /// What the reader of the log hears of it.
    #[must_use]
    pub fn told(&self) -> Option<String> {
        let Self::Unconfirmed(reason) = self else { return None };
        Some(format!("Log tail unconfirmed: {reason}. The last lines of the container may be missing."))
    }

    /// The host stopped taking output, so nobody knows what comes behind it.
    #[must_use]
    pub fn of_a_deaf_host() -> Self {
        Self::Unconfirmed("the host took no more output".to_owned())
    }
}
