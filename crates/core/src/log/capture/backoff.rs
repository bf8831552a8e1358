//! Pauses between log requests: 0.1 s to 30 s, doubling, with jitter.

use std::hash::{BuildHasher as _, Hasher as _};
use std::time::Duration;

const SHORTEST: Duration = Duration::from_millis(100);
/// Jitter adds up to the same again, so the longest pause is 30 s.
const LONGEST: Duration = Duration::from_secs(15);

/// Pauses of one capture. Captures differ by their seed, so a thousand of them do not come back together.
#[derive(Debug)]
pub(super) struct Backoff {
    seed: u64,
    /// Pauses so far, of which those since the last reset count.
    drawn: u64,
    next: Duration,
}

impl Backoff {
    /// `name`: what tells the capture from others, such as the name of its pod.
    pub(super) fn new(name: &str) -> Self {
        Self { seed: hash(0, name.as_bytes()), drawn: 0, next: SHORTEST }
    }

    pub(super) fn next(&mut self) -> Duration {
        self.drawn += 1;
        let base = self.next;
        self.next = (base * 2).min(LONGEST);
        // 10 bits are fine enough to spread pauses.
        let jitter = u32::try_from(hash(self.seed, &self.drawn.to_le_bytes()) % 1_024).unwrap_or_default();
        base + base * jitter / 1_024
    }

    /// Only a new line is progress: a connection that opens and brings nothing is none.
    pub(super) fn reset(&mut self) {
        self.next = SHORTEST;
    }
}

fn hash(seed: u64, text: &[u8]) -> u64 {
    let mut hasher = foldhash::quality::FixedState::with_seed(seed).build_hasher();
    hasher.write(text);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_thirty_seconds_and_begin_again_after_a_reset() {
        let mut backoff = Backoff::new("p");
        let pauses: Vec<Duration> = (0..200).map(|_| backoff.next()).collect();
        assert!(pauses[0] >= SHORTEST && pauses[0] <= 2 * SHORTEST, "{pauses:?}");
        assert!(pauses.iter().all(|pause| *pause <= Duration::from_secs(30)));
        assert!(pauses[9..].iter().all(|pause| *pause >= LONGEST));
        backoff.reset();
        assert!(backoff.next() <= 2 * SHORTEST);
        assert_ne!(Backoff::new("p").next(), Backoff::new("q").next());
    }
}
