//! How long and how often a call is repeated.

use std::time::Duration;

/// The pauses between two tries of a call. A pause that the server asked for is kept, as long as it fits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pace {
    /// One try.
    Once,
    /// Until a time is over, at which the last try begins.
    For {
        /// Counted from the first try.
        lasts: Duration,
        /// First pause, doubling.
        first: Duration,
        /// Longest pause.
        longest: Duration,
    },
    /// As long as the step that needs the answer goes on.
    WhileNeeded {
        /// First pause, doubling.
        first: Duration,
        /// Longest pause.
        longest: Duration,
    },
}

impl std::fmt::Display for Pace {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let pauses = |f: &mut std::fmt::Formatter<'_>, first: Duration, longest: Duration| {
            let (first, longest) = (first.as_secs_f64(), longest.as_secs_f64());
            if first < longest {
                write!(f, ", pauses of {first} to {longest} s")
            } else {
                write!(f, ", every {first} s")
            }
        };
        match *self {
            Self::Once => f.write_str("once"),
            Self::For { lasts, first, longest } => {
                write!(f, "for {} s", lasts.as_secs())?;
                pauses(f, first, longest)
            }
            Self::WhileNeeded { first, longest } => {
                f.write_str("as long as it is needed")?;
                pauses(f, first, longest)
            }
        }
    }
}
