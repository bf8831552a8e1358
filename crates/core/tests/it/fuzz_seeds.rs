//! The seeds of the fuzz targets, and variations of them, hold what the targets check. `npm run fuzz` looks for more.

#[path = "../../../../fuzz/checks/config.rs"]
mod config;
#[path = "../../../../fuzz/checks/cursor.rs"]
mod cursor;
#[path = "../../../../fuzz/checks/framer.rs"]
mod framer;
#[path = "../../../../fuzz/checks/notices.rs"]
mod notices;
#[path = "../../../../fuzz/checks/transcript.rs"]
mod transcript;

use std::path::Path;

/// Every seed whole, cut at some places, and with one byte changed at some places.
fn replay(target: &str, check: fn(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/seeds").join(target);
    let mut seeds = 0;
    for entry in std::fs::read_dir(&folder).unwrap() {
        let seed = std::fs::read(entry.unwrap().path()).unwrap();
        seeds += 1;
        check(&seed);
        for at in (0..seed.len()).step_by(seed.len() / 40 + 1) {
            check(&seed[..at]);
            let mut changed = seed.clone();
            changed[at] = changed[at].wrapping_mul(167).wrapping_add(13);
            check(&changed);
        }
    }
    assert!(seeds >= 4, "{seeds} seeds in {}", folder.display());
}

#[test]
fn log_07_the_seeds_of_the_framer_come_out_in_whole_lines() {
    replay("framer", framer::check);
}

#[test]
fn log_02_the_seeds_of_the_cursor_are_delivered_once_or_reported() {
    replay("cursor", cursor::check);
}

#[test]
fn res_04_the_seeds_of_the_transcript_stop_no_reader() {
    replay("transcript", transcript::check);
}

#[test]
fn cfg_02_the_seeds_of_the_configuration_are_taken_or_refused_by_name() {
    replay("config", config::check);
}

#[test]
fn log_09_the_seeds_of_the_notices_are_no_output() {
    replay("notices", notices::check);
}
