//! The writing side: splits output into records and rotates files.

use std::sync::Arc;

use bytes::Bytes;
use jiff::Timestamp;

use super::file::{ChunkBuilder, LogFile, Record};
use super::reader::{LogReader, ReadOptions};
use super::stamp::{StampWriter, nanoseconds};

/// The output stream of a container.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stream {
    /// Standard output.
    Stdout,
    /// Standard error.
    Stderr,
}

/// How the runtime writes.
#[derive(Debug, Clone)]
pub struct LogOptions {
    /// Longest text of one record, in bytes; longer lines become several. Default 16 KiB.
    pub record_limit: usize,
    /// Offset of the node's time zone in minutes. Default 0, rendered as `Z`.
    pub zone_minutes: i32,
}

impl Default for LogOptions {
    fn default() -> Self {
        Self { record_limit: 16 * 1024, zone_minutes: 0 }
    }
}

/// The log of one container.
#[derive(Debug)]
pub struct LogModel {
    options: LogOptions,
    stamps: StampWriter,
    /// Text of a line that has not ended, per stream. The runtime holds it back until it ends or fills a record.
    pending: [Vec<u8>; 2],
    current: Arc<LogFile>,
    /// How often a file was renamed.
    rotations: u64,
    closed: bool,
}

impl Default for LogModel {
    fn default() -> Self {
        Self::new(LogOptions::default())
    }
}

impl LogModel {
    /// An empty log of a running container.
    #[must_use]
    pub fn new(options: LogOptions) -> Self {
        let stamps = StampWriter::new(options.zone_minutes);
        Self {
            options,
            stamps,
            pending: [Vec::new(), Vec::new()],
            current: Arc::default(),
            rotations: 0,
            closed: false,
        }
    }

    /// The container writes `bytes`; `clock` is asked once per record, in the order in which they are written.
    pub fn write(&mut self, stream: Stream, bytes: &[u8], mut clock: impl FnMut() -> Timestamp) {
        let mut chunk = ChunkBuilder::default();
        chunk.bytes.reserve(bytes.len() + bytes.len() / 4 + 64);
        let mut pending = std::mem::take(&mut self.pending[stream as usize]);
        let mut rest = bytes;
        while let Some(newline) = memchr::memchr(b'\n', rest) {
            if pending.is_empty() {
                self.end_line(&mut chunk, &rest[..newline], &mut clock);
            } else {
                pending.extend_from_slice(&rest[..newline]);
                self.end_line(&mut chunk, &pending, &mut clock);
                pending.clear();
            }
            rest = &rest[newline + 1..];
        }
        pending.extend_from_slice(rest);
        let mut written = 0;
        while pending.len() - written > self.options.record_limit {
            let end = written + self.options.record_limit;
            self.record(&mut chunk, &pending[written..end], true, &mut clock);
            written = end;
        }
        pending.drain(..written);
        self.pending[stream as usize] = pending;
        self.current.push(chunk);
    }

    /// One record of any length, as it is: a test need not write 16 KiB to have a line of several records.
    pub fn write_record(&mut self, text: &[u8], ends_line: bool, at: Timestamp) {
        let mut chunk = ChunkBuilder::default();
        self.record(&mut chunk, text, !ends_line, &mut || at);
        self.current.push(chunk);
    }

    /// The node's time zone changes, as by daylight saving. Unit: minutes east.
    pub fn set_zone(&mut self, minutes: i32) {
        self.stamps.set_zone(minutes);
    }

    /// The container ended: unterminated text is written as a partial record, follows may end.
    pub fn close(&mut self, mut clock: impl FnMut() -> Timestamp) {
        let mut chunk = ChunkBuilder::default();
        for pending in std::mem::take(&mut self.pending) {
            if !pending.is_empty() {
                self.record(&mut chunk, &pending, true, &mut clock);
            }
        }
        self.current.push(chunk);
        self.closed = true;
    }

    /// The kubelet renames the file; the runtime opens an empty one. The old file is readable only where it is open already.
    pub fn rotate(&mut self) {
        self.current = Arc::default();
        self.rotations += 1;
    }

    /// The container ended.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.closed
    }

    /// Size of the current file in bytes (without the stream and tag columns of the real format).
    #[must_use]
    pub fn current_size(&self) -> usize {
        self.current.size()
    }

    /// Starts a request. The reader stays valid across rotations; hand it back to [`LogReader::next`] with this log.
    #[must_use]
    pub fn open(&self, options: &ReadOptions) -> LogReader {
        LogReader::new(Arc::clone(&self.current), options)
    }

    /// The whole body of a request that does not follow.
    #[must_use]
    pub fn read(&self, options: &ReadOptions) -> Vec<u8> {
        let mut reader = self.open(&ReadOptions { follow: false, ..options.clone() });
        let mut body = Vec::new();
        while let Some(piece) = reader.next(self) {
            body.extend_from_slice(&piece);
        }
        body
    }

    pub(super) fn rotations(&self) -> u64 {
        self.rotations
    }

    pub(super) fn current(&self) -> &Arc<LogFile> {
        &self.current
    }

    fn end_line(&mut self, chunk: &mut ChunkBuilder, line: &[u8], clock: &mut impl FnMut() -> Timestamp) {
        let mut text = line.strip_suffix(b"\r").unwrap_or(line);
        while text.len() > self.options.record_limit {
            let (head, tail) = text.split_at(self.options.record_limit);
            self.record(chunk, head, true, clock);
            text = tail;
        }
        self.record(chunk, text, false, clock);
    }

    fn record(&mut self, chunk: &mut ChunkBuilder, text: &[u8], partial: bool, clock: &mut impl FnMut() -> Timestamp) {
        let nanoseconds = nanoseconds(clock());
        let start = chunk.bytes.len();
        let prefix = self.stamps.write(nanoseconds, &mut chunk.bytes);
        chunk.bytes.extend_from_slice(text);
        if !partial {
            chunk.bytes.extend_from_slice(b"\n");
        }
        chunk.records.push(Record { start, prefix, partial, nanoseconds });
    }

    /// The last `count` records, at most `limit` bytes: the kubelet's `FallbackToLogsOnError`.
    #[must_use]
    pub fn tail(&self, count: usize, limit: usize) -> Bytes {
        let options = ReadOptions { tail_records: Some(count), ..ReadOptions::default() };
        let body = self.read(&options);
        Bytes::copy_from_slice(&body[body.len().saturating_sub(limit)..])
    }
}
