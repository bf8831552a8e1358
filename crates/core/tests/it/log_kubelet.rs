//! A model of how the kubelet writes and reads a container log (`docs/internals/kubernetes.md` 1.1 to 1.3).

/// A record of the log file.
#[derive(Debug, Clone)]
pub(crate) struct LogRecord {
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
pub(crate) struct Kubelet {
    pub(crate) records: Vec<LogRecord>,
    /// Positions at which a new file begins, ascending.
    pub(crate) rotations: Vec<usize>,
}

const BASE: i64 = 1_767_323_045; // 2026-01-02T03:04:05Z

impl Kubelet {
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

    /// First record of the file that is current when `written` records exist.
    pub(crate) fn current_file(&self, written: usize) -> usize {
        self.rotations.iter().copied().filter(|start| *start <= written).max().unwrap_or(0)
    }

    /// Body of a request made when `opened` records exist that follows until `written` do.
    pub(crate) fn body(&self, since: Option<i64>, opened: usize, written: usize) -> Vec<u8> {
        Self::print(since, &self.records[self.current_file(opened)..written])
    }

    fn print(since: Option<i64>, records: &[LogRecord]) -> Vec<u8> {
        let mut body = Vec::new();
        let mut line_begins = true;
        for record in records {
            // Per record, and the prefix state is updated by skipped records as well.
            if since.is_none_or(|since| nanoseconds(record.at) >= since) {
                if line_begins {
                    body.extend_from_slice(stamp(record).as_bytes());
                }
                body.extend_from_slice(&record.text);
                if record.full {
                    body.push(b'\n');
                }
            }
            line_begins = record.full;
        }
        body
    }
}

fn nanoseconds(at: i64) -> i64 {
    BASE * 1_000_000_000 + at * 1_000_000
}

/// Fixed width: nine digits, the record's own zone.
fn stamp(record: &LogRecord) -> String {
    let local = nanoseconds(record.at) + i64::from(record.zone) * 3_600_000_000_000;
    let time = jiff::Timestamp::from_nanosecond(i128::from(local)).unwrap();
    let text = format!("{time:.9}");
    match record.zone {
        0 => format!("{text} "),
        zone => format!("{}{zone:+03}:00 ", text.trim_end_matches('Z')),
    }
}
