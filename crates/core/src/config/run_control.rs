//! Bounds and clean-up of a run.

use std::time::Duration;

use super::keys::{Key, TTL_SECONDS_AFTER_FINISHED, Whole};
use super::reader::Reader;

/// Shortest life of a finished Job: the last read of its log and state must still find it.
const LEAST_TTL_SECONDS: i32 = 60;

/// A number of seconds.
pub(super) fn seconds(reader: &mut Reader<'_>, key: &'static Key<Whole>) -> Duration {
    Duration::from_secs(reader.whole(key).and_then(|seconds| u64::try_from(seconds).ok()).unwrap_or_default())
}

/// A number of seconds of which 0 means "no bound".
pub(super) fn bound(reader: &mut Reader<'_>, key: &'static Key<Whole>) -> Option<Duration> {
    Some(seconds(reader, key)).filter(|bound| !bound.is_zero())
}

/// `ttlSecondsAfterFinished`, or its default.
pub(super) fn ttl(reader: &mut Reader<'_>) -> Option<i32> {
    let key = &TTL_SECONDS_AFTER_FINISHED;
    let ttl = reader.whole(key).and_then(|ttl| i32::try_from(ttl).ok())?;
    if ttl < LEAST_TTL_SECONDS {
        reader.warn(key.name, format!("raised from {ttl} to {LEAST_TTL_SECONDS}: the Job must outlive the last read"));
    }
    Some(ttl.max(LEAST_TTL_SECONDS))
}
