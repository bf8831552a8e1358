//! What is remembered of a delivered line.

use std::hash::{BuildHasher as _, Hasher as _};

use super::LogTime;

/// Identity of a line: time, length and a 64-bit hash of its text. 24 bytes, so a window of them is cheap.
///
/// The hash is `foldhash` with fixed seeds: equal in one process, never stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Record {
    /// Time stamped by the node.
    pub at: LogTime,
    /// Hash of the text.
    pub hash: u64,
    /// Length of the text in bytes; longer than 4 GiB counts as 4 GiB.
    pub length: u32,
}

impl Record {
    /// The identity of a line with this text (without `\n`).
    #[must_use]
    pub fn new(at: LogTime, body: &[u8]) -> Self {
        Self { at, hash: hash(body), length: u32::try_from(body.len()).unwrap_or(u32::MAX) }
    }
}

/// 64 bits of a text.
pub(in crate::log) fn hash(text: &[u8]) -> u64 {
    let mut hasher = foldhash::quality::FixedState::default().build_hasher();
    hasher.write(text);
    hasher.finish()
}
