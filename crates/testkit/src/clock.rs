//! Wall clocks that follow tokio's clock, so paused time moves them too.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio::time::Instant;

/// The clock of the control plane, and the node's clock, which a test may step.
#[derive(Debug)]
pub(crate) struct Clock {
    base: Timestamp,
    start: Instant,
    node_offset_ms: AtomicI64,
}

impl Clock {
    pub(crate) fn starting_at(base: Timestamp) -> Self {
        Self { base, start: Instant::now(), node_offset_ms: AtomicI64::new(0) }
    }

    /// Time since the simulator was created.
    pub(crate) fn elapsed(&self) -> Duration {
        self.start.elapsed()
    }

    /// The control plane's wall clock.
    pub(crate) fn now(&self) -> Timestamp {
        self.at(SignedDuration::try_from(self.elapsed()).unwrap_or(SignedDuration::MAX))
    }

    pub(crate) fn node_offset(&self) -> SignedDuration {
        SignedDuration::from_millis(self.node_offset_ms.load(Ordering::Relaxed))
    }

    pub(crate) fn step_node(&self, by: SignedDuration) {
        let by = i64::try_from(by.as_millis()).unwrap_or(0);
        self.node_offset_ms.fetch_add(by, Ordering::Relaxed);
    }

    fn at(&self, elapsed: SignedDuration) -> Timestamp {
        self.base.checked_add(elapsed).unwrap_or(Timestamp::MAX)
    }
}

/// `metadata.creationTimestamp` and its kin: whole seconds.
pub(crate) fn seconds(time: Timestamp) -> String {
    time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// `Duration` as a number of milliseconds.
pub(crate) mod milliseconds {
    use std::time::Duration;

    use serde::{Deserialize, Deserializer, Serializer};

    pub(crate) fn serialize<S: Serializer>(duration: &Duration, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_u64(u64::try_from(duration.as_millis()).unwrap_or(u64::MAX))
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Duration, D::Error> {
        u64::deserialize(from).map(Duration::from_millis)
    }
}
