//! Against the model of the kubelet: what was delivered is what was written, or a gap was reported (LOG-02, LOG-06).

use claude_k8s_core::log::CursorLimits;

use crate::log_history::{History, Written};
use crate::log_reader::{Cut, follow};

const USUAL: CursorLimits = CursorLimits { window_cap: 65_536 };
/// A window shorter than most replays.
const SMALL: CursorLimits = CursorLimits { window_cap: 8 };

/// What can happen to a log, and with it what can be promised.
enum World {
    /// The clock goes on, nothing is rotated, everything is remembered: nothing may be lost, doubled or reported.
    Calm,
    /// More is written than is remembered.
    Burst,
    /// The clock jumps by seconds.
    Jumps,
    /// Files are rotated.
    Rotates,
}

/// Values taken from the input; zeros when it is used up.
struct Dice<'a>(&'a [u8]);

impl Dice<'_> {
    fn next(&mut self) -> usize {
        let Some((&first, rest)) = self.0.split_first() else { return 0 };
        self.0 = rest;
        usize::from(first)
    }
}

pub(crate) fn check(data: &[u8]) {
    let mut dice = Dice(data);
    let world = match dice.next() % 4 {
        0 => World::Calm,
        1 => World::Burst,
        2 => World::Jumps,
        _ => World::Rotates,
    };
    let limits = if matches!(world, World::Burst) { SMALL } else { USUAL };
    let cuts: Vec<Cut> = (0..dice.next() % 8).map(|_| cut(&mut dice)).collect();
    // What three reads in a row show alike is believed, so of three only one is cut.
    let reads = [dice.next(), 255, 255, dice.next(), 255, 255, dice.next()].map(|part| part * 10_000 / 255);
    let log = history(&mut dice, &world);

    let seen = follow(&log, &cuts, &reads, limits);
    let written = log.lines();
    let is_reached = seen.reached;
    assert!(is_reached || matches!(world, World::Jumps), "the end was never reached: {log:?} {cuts:?} {reads:?}");
    match world {
        World::Calm => {
            assert_eq!((&seen.lines, seen.gaps), (&written, 0), "{log:?} {cuts:?} {reads:?}");
            assert_eq!(seen.unterminated, log.unterminated(), "{log:?}");
        }
        World::Burst => assert!(seen.gaps > 0 || seen.lines == written, "{log:?} {cuts:?} {reads:?}"),
        // `sinceTime` hides what a clock far behind has stamped.
        World::Jumps => {
            let doubled = seen.lines.iter().any(|line| count(&seen.lines, line) > count(&written, line));
            assert!(!doubled || seen.gaps > 0 || seen.raw_lines > 0, "{log:?} {cuts:?} {reads:?}");
        }
        // What was rotated away before the first delivery cannot be noticed.
        World::Rotates => {
            assert!(seen.gaps > 0 || seen.lines == written || seen.begins_late, "{log:?} {cuts:?} {reads:?}");
        }
    }
}

fn count(lines: &[Vec<u8>], wanted: &[u8]) -> usize {
    lines.iter().filter(|line| *line == wanted).count()
}

fn cut(dice: &mut Dice<'_>) -> Cut {
    let records = dice.next();
    Cut { before: records % 6, during: records / 6 % 25, arrives: dice.next() * 10_000 / 255, chunk: dice.next() + 1 }
}

/// Two bytes per record: clock and kind, text.
fn history(dice: &mut Dice<'_>, world: &World) -> History {
    let (mut records, mut rotations, mut at) = (Vec::new(), Vec::new(), 100_000_i64);
    while !dice.0.is_empty() {
        let (kind, text) = (dice.next(), dice.next());
        let step = i64::try_from(kind % 32).unwrap_or_default();
        at += match world {
            // Never back to the very same time.
            World::Jumps => (step - 16) * 400 + 1,
            World::Rotates => step * 13 + 1,
            // What is remembered is clipped here, so lines have to differ at least in their times.
            World::Burst => step + 1,
            World::Calm => step,
        };
        if matches!(world, World::Rotates) && kind >= 0xf0 {
            rotations.push(records.len());
        }
        let zone = if kind & 0x20 == 0 { 0 } else { 2 };
        let text = match text % 16 {
            0 => Vec::new(),
            1 => vec![0xff, 0xc3, 0x28, b'\r'],
            2 => "\u{1F980}".as_bytes().to_vec(),
            _ => format!("{text} {}", if matches!(world, World::Calm) { records.len() } else { 0 }).into_bytes(),
        };
        records.push(Written { at, zone, full: kind & 0x40 == 0 || matches!(world, World::Jumps), text });
    }
    if records.is_empty() {
        records.push(Written { at, zone: 0, full: true, text: b"x".to_vec() });
    }
    if let Some(last) = records.last_mut().filter(|last| !last.full && last.text.is_empty()) {
        last.text.push(b'x');
    }
    History { records, rotations }
}
