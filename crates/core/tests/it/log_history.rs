//! What a container writes, as a test draws it, and the log of a node that it becomes: `testkit::kubelet_log`.

use claude_k8s_testkit::kubelet_log::{LogModel, LogReader, ReadOptions};
use jiff::Timestamp;

/// A record of the log.
#[derive(Debug, Clone)]
pub(crate) struct Written {
    /// Time stamped by the node. Unit: milliseconds since some second.
    pub(crate) at: i64,
    /// Zone in which it is written. Unit: hours east.
    pub(crate) zone: i8,
    /// The tag is `F`: the record ends a line.
    pub(crate) full: bool,
    pub(crate) text: Vec<u8>,
}

/// Everything a container ever wrote.
#[derive(Debug, Clone)]
pub(crate) struct History {
    pub(crate) records: Vec<Written>,
    /// Positions at which a new file begins, ascending.
    pub(crate) rotations: Vec<usize>,
}

const BASE: i64 = 1_767_323_045; // 2026-01-02T03:04:05Z

impl History {
    /// The complete lines that were written, without `\n`.
    pub(crate) fn lines(&self) -> Vec<Vec<u8>> {
        let mut lines = vec![Vec::new()];
        for record in &self.records {
            lines.last_mut().unwrap().extend_from_slice(&record.text);
            if record.full {
                lines.push(Vec::new());
            }
        }
        lines.pop();
        lines
    }

    /// Text behind the last complete line.
    pub(crate) fn unterminated(&self) -> Vec<u8> {
        let open = self.records.iter().rev().take_while(|record| !record.full).count();
        self.records[self.records.len() - open..].iter().flat_map(|record| record.text.clone()).collect()
    }
}

/// A node that has written a part of a history.
pub(crate) struct Node<'a> {
    history: &'a History,
    log: LogModel,
    written: usize,
    /// Rotations of the history that have happened.
    rotated: usize,
}

impl<'a> Node<'a> {
    pub(crate) fn new(history: &'a History) -> Self {
        Self { history, log: LogModel::default(), written: 0, rotated: 0 }
    }

    /// Writes so many more records, as far as there are that many.
    pub(crate) fn write(&mut self, records: usize) {
        self.write_beside(records, |_| {});
    }

    pub(crate) fn write_all(&mut self) {
        self.write(self.history.records.len() - self.written);
    }

    /// The body of a request that is made now and follows while so many more records are written. The reader keeps up:
    /// it sees every file.
    pub(crate) fn follow(&mut self, since: Option<i64>, records: usize) -> Vec<u8> {
        let mut body = Vec::new();
        let mut reader = self.log.open(&ReadOptions { follow: true, ..stamped(since) });
        drain(&mut reader, &self.log, &mut body);
        self.write_beside(records, |log| drain(&mut reader, log, &mut body));
        body
    }

    /// The body of a request that does not follow.
    pub(crate) fn read(&self, since: Option<i64>) -> Vec<u8> {
        self.log.read(&stamped(since))
    }

    /// What was written first stands in a file that nobody can open any more.
    pub(crate) fn has_lost_its_beginning(&self) -> bool {
        self.history.rotations[..self.rotated].iter().any(|start| *start > 0)
    }

    fn write_beside(&mut self, records: usize, mut look: impl FnMut(&LogModel)) {
        let end = self.history.records.len().min(self.written + records);
        loop {
            if self.history.rotations.get(self.rotated).is_some_and(|start| *start <= self.written) {
                self.rotated += 1;
                self.log.rotate();
            } else if self.written < end {
                let Written { at, zone, full, text } = &self.history.records[self.written];
                self.log.set_zone(i32::from(*zone) * 60);
                self.log.write_record(text, *full, time(BASE * 1_000_000_000 + at * 1_000_000));
                self.written += 1;
            } else {
                return;
            }
            look(&self.log);
        }
    }
}

fn drain(reader: &mut LogReader, log: &LogModel, body: &mut Vec<u8>) {
    while let Some(piece) = reader.next(log) {
        body.extend_from_slice(&piece);
    }
}

fn stamped(since: Option<i64>) -> ReadOptions {
    ReadOptions { timestamps: true, since: since.map(time), ..ReadOptions::default() }
}

fn time(nanoseconds: i64) -> Timestamp {
    Timestamp::from_nanosecond(i128::from(nanoseconds)).unwrap()
}
