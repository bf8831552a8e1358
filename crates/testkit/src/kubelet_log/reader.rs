//! The reading side: what one log request sees.

use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use jiff::Timestamp;

use super::file::{Chunk, LogFile};
use super::model::LogModel;
use super::stamp::nanoseconds;

/// Longest piece handed out at once, in bytes: keeps back-pressure fine-grained for long lines.
const PIECE: usize = 256 * 1024;

/// The query parameters of a log request.
#[derive(Debug, Clone, Default)]
pub struct ReadOptions {
    /// `follow`: continue with the newest file after a rotation.
    pub follow: bool,
    /// `timestamps`.
    pub timestamps: bool,
    /// `sinceTime`; the API server has already cut the fraction.
    pub since: Option<Timestamp>,
    /// `tailLines`: counts records, not lines.
    pub tail_records: Option<usize>,
    /// `limitBytes`: cuts anywhere.
    pub limit_bytes: Option<usize>,
}

/// The position of one request.
#[derive(Debug)]
pub struct LogReader {
    file: Arc<LogFile>,
    chunk: usize,
    record: usize,
    /// The previous record that was looked at ended a line. Skipped records count too (kubernetes.md 1.3, case 2).
    line_start: bool,
    since: Option<i64>,
    timestamps: bool,
    follow: bool,
    /// Rotations that were noticed. A reader looks out for them from the first time on that it is through with its file.
    noticed: Option<u64>,
    remaining: Option<usize>,
    queued: Bytes,
}

impl LogReader {
    pub(super) fn new(file: Arc<LogFile>, options: &ReadOptions) -> Self {
        let (chunk, record) = options.tail_records.map_or((0, 0), |count| file.tail(count));
        Self {
            file,
            chunk,
            record,
            line_start: true,
            since: options.since.map(nanoseconds),
            timestamps: options.timestamps,
            follow: options.follow,
            noticed: None,
            remaining: options.limit_bytes,
            queued: Bytes::new(),
        }
    }

    /// The next piece of the body, or `None` when everything written so far was read.
    pub fn next(&mut self, log: &LogModel) -> Option<Bytes> {
        loop {
            if self.remaining == Some(0) {
                return None;
            }
            if !self.queued.is_empty() {
                let piece = self.queued.split_to(self.queued.len().min(PIECE));
                return Some(self.limited(piece));
            }
            match self.file.chunk(self.chunk) {
                Some(chunk) if self.record < chunk.records.len() => self.queued = self.run(&chunk),
                Some(_) => {
                    self.chunk += 1;
                    self.record = 0;
                }
                // Each rotation that it notices makes it open the newest file, whichever that is by then: one is
                // skipped, or read again (kubernetes.md 1.6).
                None if self.follow && self.noticed.is_some_and(|noticed| noticed < log.rotations()) => {
                    self.noticed = self.noticed.map(|noticed| noticed + 1);
                    self.file = Arc::clone(log.current());
                    (self.chunk, self.record) = (0, 0);
                }
                None if self.follow && self.noticed.is_none() => self.noticed = Some(log.rotations()),
                None => return None,
            }
        }
    }

    /// `limitBytes` was reached: nothing more will come.
    #[must_use]
    pub fn is_exhausted(&self) -> bool {
        self.remaining == Some(0)
    }

    fn limited(&mut self, mut piece: Bytes) -> Bytes {
        if let Some(remaining) = &mut self.remaining {
            piece.truncate(*remaining);
            *remaining -= piece.len();
        }
        piece
    }

    /// The longest stretch of the chunk that can be sent without touching its bytes; empty when all records are too old.
    fn run(&mut self, chunk: &Chunk) -> Bytes {
        let mut copied = BytesMut::new();
        let mut start = None;
        while let Some(record) = chunk.records.get(self.record) {
            let wanted = self.since.is_none_or(|since| record.nanoseconds >= since);
            let with_stamp = self.timestamps && self.line_start;
            let begin = if with_stamp { record.start } else { record.start + usize::from(record.prefix) };
            if start.is_some() && (!wanted || begin != record.start) {
                break;
            }
            let end = chunk.end_of(self.record);
            self.record += 1;
            self.line_start = !record.partial;
            if !wanted {
                continue;
            }
            if self.timestamps {
                start.get_or_insert(begin);
            } else {
                copied.extend_from_slice(&chunk.bytes[begin..end]);
            }
        }
        match start {
            Some(begin) => chunk.bytes.slice(begin..chunk.end_of(self.record - 1)),
            None => copied.freeze(),
        }
    }
}
