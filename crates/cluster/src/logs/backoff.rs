//! Pauses between log requests: 0.1 s to 30 s, doubling, with jitter.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::time::Duration;

use backon::{BackoffBuilder as _, ExponentialBackoff, ExponentialBuilder};

use super::LogTarget;

/// Jitter adds up to the same again, so the longest pause is 30 s.
const LONGEST: Duration = Duration::from_secs(15);
const SHORTEST: Duration = Duration::from_millis(100);

/// Pauses of one follower. Runs differ by their pod's name, so a thousand of them do not come back together.
#[derive(Debug)]
pub(super) struct Backoff {
    builder: ExponentialBuilder,
    pauses: ExponentialBackoff,
}

impl Backoff {
    pub(super) fn new(target: &LogTarget) -> Self {
        let mut hasher = DefaultHasher::new();
        target.pod.hash(&mut hasher);
        let builder = ExponentialBuilder::default()
            .with_min_delay(SHORTEST)
            .with_max_delay(LONGEST)
            .without_max_times()
            .with_jitter()
            .with_jitter_seed(hasher.finish());
        Self { builder, pauses: builder.build() }
    }

    pub(super) fn next(&mut self) -> Duration {
        self.pauses.next().unwrap_or(2 * LONGEST)
    }

    /// Only a new line is progress: a connection that opens and brings nothing is none.
    pub(super) fn reset(&mut self) {
        self.pauses = self.builder.build();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_thirty_seconds_and_begin_again_after_a_reset() {
        let target = LogTarget { namespace: "n".into(), pod: "p".into(), container: "c".into(), first_line: None };
        let mut backoff = Backoff::new(&target);
        let pauses: Vec<Duration> = (0..200).map(|_| backoff.next()).collect();
        assert!(pauses[0] >= SHORTEST && pauses[0] <= 2 * SHORTEST, "{pauses:?}");
        assert!(pauses.iter().all(|pause| *pause <= Duration::from_secs(30)));
        assert!(pauses[9..].iter().all(|pause| *pause >= LONGEST));
        backoff.reset();
        assert!(backoff.next() <= 2 * SHORTEST);
    }
}
