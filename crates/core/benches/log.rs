//! What a byte of log costs before JavaScript sees it: framing, cursor, redaction. `cargo bench -p claude-k8s-core`.
#![expect(clippy::print_stdout, reason = "the table is the result")]
#![expect(clippy::disallowed_methods, reason = "a bench measures time; the core itself has no clock")]

use std::hint::black_box;
use std::time::{Duration, Instant};

use bytes::Bytes;
use claude_k8s_core::log::{Connection, Line, LineFramer, LogCursor, LogEvent};
use claude_k8s_core::redact::Redactor;

/// Size of the log; `cargo test --benches` only tries whether all this runs. Unit: bytes.
const LOG: usize = 110 << 20;
const TRIAL: usize = 1 << 20;
/// What a network read brings. Unit: bytes.
const CHUNK: usize = 16 << 10;
/// What one call of the host takes. Unit: bytes.
const BATCH: usize = 60 << 10;

fn main() {
    let size = if std::env::args().any(|argument| argument == "--bench") { LOG } else { TRIAL };
    println!("{:<48} {:>9} {:>9} {:>9}", format!("{} MiB log, best of 5", size >> 20), "MB/s", "s/GB", "ns/line");
    for (name, length) in [("lines of 1.1 kB", 1_100), ("lines of 100 B", 100), ("lines of 200 kB", 200_000)] {
        let (log, lines) = log(size, length);
        row(&format!("framing + cursor, {name}"), &log, lines, || follow(&log, |_| {}));
        for (kind, secrets) in [("none", 0), ("8 values", 8)] {
            let redactor = Redactor::new((0..secrets).map(|n| format!("secret-value-number-{n}")));
            row(&format!("+ text + redaction ({kind}), {name}"), &log, lines, || {
                let mut batch = String::with_capacity(2 * BATCH);
                let mut stream = redactor.stream();
                follow(&log, |text| {
                    batch.push_str(std::str::from_utf8(text).unwrap_or_default());
                    if batch.len() >= BATCH {
                        let mut out = String::with_capacity(batch.len());
                        stream.push(&batch, &mut out);
                        black_box(out);
                        batch.clear();
                    }
                });
            });
        }
    }
}

fn log(size: usize, length: usize) -> (Bytes, usize) {
    let mut log = Vec::with_capacity(size + length + 64);
    let mut lines = 0;
    while log.len() < size {
        let (second, nanosecond) = (lines / 1_000 % 60, lines % 1_000 * 1_000_000);
        log.extend_from_slice(format!("2026-01-02T03:04:{second:02}.{nanosecond:09}Z ").as_bytes());
        log.extend(b"{\"type\":\"assistant\",\"message\":{\"content\":[]}}".iter().cycle().take(length));
        log.push(b'\n');
        lines += 1;
    }
    (Bytes::from(log), lines)
}

fn follow(log: &Bytes, mut line: impl FnMut(&[u8])) {
    let (mut framer, mut cursor, mut events) = (LineFramer::default(), LogCursor::default(), Vec::new());
    cursor.connect(Connection::Follow);
    for start in (0..log.len()).step_by(CHUNK) {
        framer.push(log.slice(start..(start + CHUNK).min(log.len())));
        while let Some(raw) = framer.next_line() {
            cursor.line(Line::parse(raw), &mut events);
        }
        for event in events.drain(..) {
            if let LogEvent::Line(text) = event {
                line(&text);
            }
        }
    }
    black_box(cursor.counters());
}

fn row(name: &str, log: &Bytes, lines: usize, work: impl Fn()) {
    let time = |_| {
        let start = Instant::now();
        work();
        start.elapsed()
    };
    let best = (0..5).map(time).min().unwrap_or(Duration::MAX).as_secs_f64();
    #[expect(clippy::cast_precision_loss, reason = "a figure for people")]
    let (bytes, lines) = (log.len() as f64, lines as f64);
    println!("{name:<48} {:>9.0} {:>9.3} {:>9.0}", bytes / best / 1e6, best / bytes * 1e9, best / lines * 1e9);
}
