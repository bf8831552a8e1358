//! Renders record times: RFC 3339, nine digits, fixed width, in the zone of the node.

use bytes::BytesMut;
use jiff::Timestamp;

/// Renders timestamps; remembers the last second, because neighbouring records mostly share it.
#[derive(Debug)]
pub(super) struct StampWriter {
    zone_minutes: i32,
    second: i64,
    rendered: String,
}

impl StampWriter {
    pub(super) fn new(zone_minutes: i32) -> Self {
        Self { zone_minutes, second: i64::MIN, rendered: String::new() }
    }

    pub(super) fn set_zone(&mut self, minutes: i32) {
        if minutes != self.zone_minutes {
            *self = Self::new(minutes);
        }
    }

    /// Appends `2026-01-05T10:00:00.000000001Z ` (or with an offset) and returns the number of bytes.
    pub(super) fn write(&mut self, nanoseconds: i64, to: &mut BytesMut) -> u8 {
        let before = to.len();
        let second = nanoseconds.div_euclid(1_000_000_000);
        if second != self.second {
            let local = second + i64::from(self.zone_minutes) * 60;
            let time = Timestamp::from_second(local).unwrap_or_default();
            self.rendered = time.strftime("%Y-%m-%dT%H:%M:%S").to_string();
            self.second = second;
        }
        to.extend_from_slice(self.rendered.as_bytes());
        let mut digits = *b".000000000";
        let mut rest = nanoseconds.rem_euclid(1_000_000_000);
        for digit in digits[1..].iter_mut().rev() {
            *digit += u8::try_from(rest % 10).unwrap_or(0);
            rest /= 10;
        }
        to.extend_from_slice(&digits);
        if self.zone_minutes == 0 {
            to.extend_from_slice(b"Z ");
        } else {
            let sign = if self.zone_minutes < 0 { '-' } else { '+' };
            let (hours, minutes) = (self.zone_minutes.abs() / 60, self.zone_minutes.abs() % 60);
            to.extend_from_slice(format!("{sign}{hours:02}:{minutes:02} ").as_bytes());
        }
        u8::try_from(to.len() - before).unwrap_or(u8::MAX)
    }
}

/// Nanoseconds since the epoch; times outside of 1678 to 2262 are clamped.
pub(super) fn nanoseconds(time: Timestamp) -> i64 {
    i64::try_from(time.as_nanosecond()).unwrap_or(i64::MAX)
}
