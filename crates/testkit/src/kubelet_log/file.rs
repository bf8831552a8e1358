//! One log file: an append-only list of chunks that readers share without copying.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::{Bytes, BytesMut};

/// Where a record lies in its chunk. Stored as `TIME text` plus `\n` when the record ends a line.
#[derive(Debug, Clone, Copy)]
pub(super) struct Record {
    pub(super) start: usize,
    /// Length of the rendered timestamp with its blank.
    pub(super) prefix: u8,
    /// Tag `P`: the line goes on in the next record.
    pub(super) partial: bool,
    pub(super) nanoseconds: i64,
}

/// The records of one write.
#[derive(Debug, Default)]
pub(super) struct Chunk {
    pub(super) bytes: Bytes,
    pub(super) records: Vec<Record>,
}

impl Chunk {
    pub(super) fn end_of(&self, record: usize) -> usize {
        self.records.get(record + 1).map_or(self.bytes.len(), |next| next.start)
    }
}

/// Collects the records of one write.
#[derive(Debug, Default)]
pub(super) struct ChunkBuilder {
    pub(super) bytes: BytesMut,
    pub(super) records: Vec<Record>,
}

/// A file that may still grow. The lock is leaf data, held for a push or a clone of an `Arc`.
#[derive(Debug, Default)]
pub(super) struct LogFile(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    chunks: Vec<Arc<Chunk>>,
    size: usize,
}

impl LogFile {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn push(&self, chunk: ChunkBuilder) {
        if chunk.records.is_empty() {
            return;
        }
        let mut state = self.state();
        state.size += chunk.bytes.len();
        state.chunks.push(Arc::new(Chunk { bytes: chunk.bytes.freeze(), records: chunk.records }));
    }

    pub(super) fn size(&self) -> usize {
        self.state().size
    }

    pub(super) fn chunk(&self, index: usize) -> Option<Arc<Chunk>> {
        self.state().chunks.get(index).cloned()
    }

    /// Chunk and record at which the last `count` records begin.
    pub(super) fn tail(&self, count: usize) -> (usize, usize) {
        let state = self.state();
        let mut missing = count;
        for (index, chunk) in state.chunks.iter().enumerate().rev() {
            if missing <= chunk.records.len() {
                return (index, chunk.records.len() - missing);
            }
            missing -= chunk.records.len();
        }
        (0, 0)
    }
}
