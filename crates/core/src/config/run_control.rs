//! Bounds and clean-up of a run.

use std::time::Duration;

use super::parse::MOST;
use super::reader::Reader;

/// Shortest life of a finished Job: the last read of its log and state must still find it.
const LEAST_TTL_SECONDS: i32 = 60;

/// Life of a finished Job that is not retained.
pub(super) const DEFAULT_TTL_SECONDS: i32 = 300;

/// A number of seconds.
pub(super) fn seconds(reader: &mut Reader<'_>, key: &'static str, most: i64, default: u64) -> Duration {
    let configured = reader.integer(key, 0..=most).and_then(|seconds| u64::try_from(seconds).ok());
    Duration::from_secs(configured.unwrap_or(default))
}

/// A number of seconds of which 0 means "no bound".
pub(super) fn bound(reader: &mut Reader<'_>, key: &'static str, most: i64, default: u64) -> Option<Duration> {
    Some(seconds(reader, key, most, default)).filter(|bound| !bound.is_zero())
}

/// `ttlSecondsAfterFinished`, when it is set.
pub(super) fn ttl(reader: &mut Reader<'_>) -> Option<i32> {
    let key = "ttlSecondsAfterFinished";
    let ttl = reader.integer(key, 0..=MOST).and_then(|ttl| i32::try_from(ttl).ok())?;
    if ttl < LEAST_TTL_SECONDS {
        reader.warn(key, format!("raised from {ttl} to {LEAST_TTL_SECONDS}: the Job must outlive the last read"));
    }
    Some(ttl.max(LEAST_TTL_SECONDS))
}

/// `rtkMaxOutputBytes`.
pub(super) fn output_limit(reader: &mut Reader<'_>) -> u32 {
    let limit = reader.integer("rtkMaxOutputBytes", 1024..=10_485_760).and_then(|limit| u32::try_from(limit).ok());
    limit.unwrap_or(50_000)
}
