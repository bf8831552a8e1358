//! One notion of "now" for a run.

use jiff::{SignedDuration, Timestamp};
use tokio::time::Instant;

/// Wall clock read once, advanced by the monotonic clock: a step of the system time cannot move a deadline.
///
/// It runs on tokio's clock, so a test with paused time controls it.
#[derive(Debug, Clone, Copy)]
pub struct Clock {
    wall: Timestamp,
    base: Instant,
}

impl Clock {
    /// Reads the system time.
    #[must_use]
    pub fn start() -> Self {
        Self { wall: Timestamp::now(), base: Instant::now() }
    }

    /// Now.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        let elapsed = SignedDuration::try_from(self.base.elapsed()).unwrap_or(SignedDuration::MAX);
        self.wall.checked_add(elapsed).unwrap_or(Timestamp::MAX)
    }

    /// The instant of a timestamp, now for anything in the past.
    #[must_use]
    pub fn instant_of(&self, time: Timestamp) -> Instant {
        let ahead = std::time::Duration::try_from(time.duration_since(self.wall)).unwrap_or_default();
        self.base + ahead
    }
}
