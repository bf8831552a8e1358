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

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn the_clock_follows_monotonic_time_and_finds_back() {
        let clock = Clock::start();
        let before = clock.now();
        tokio::time::advance(Duration::from_secs(90)).await;
        assert_eq!(clock.now().duration_since(before), SignedDuration::from_secs(90));
        let in_a_minute = clock.now().checked_add(SignedDuration::from_secs(60)).unwrap();
        assert_eq!(clock.instant_of(in_a_minute), Instant::now() + Duration::from_secs(60));
        assert!(clock.instant_of(Timestamp::UNIX_EPOCH) <= Instant::now());
        assert!(clock.instant_of(Timestamp::MAX) > Instant::now() + Duration::from_secs(86_400 * 365));
    }
}
