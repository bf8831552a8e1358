//! The node's clock, as stamped on every record of a container log.

use std::fmt;
use std::time::Duration;

const NANOS_PER_SECOND: i64 = 1_000_000_000;

/// An instant of the node's clock. It never meets a clock of the host: comparing both would compare two machines.
///
/// Unit: nanoseconds since 1970, UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LogTime(i64);

impl LogTime {
    /// From nanoseconds since 1970.
    #[must_use]
    pub const fn from_nanoseconds(nanoseconds: i64) -> Self {
        Self(nanoseconds)
    }

    /// Nanoseconds since 1970.
    #[must_use]
    pub const fn as_nanoseconds(self) -> i64 {
        self.0
    }

    /// The begin of the second. `sinceTime` has no finer resolution.
    #[must_use]
    pub const fn floor_second(self) -> Self {
        Self(self.0 - self.0.rem_euclid(NANOS_PER_SECOND))
    }

    /// Of another clock: for a request that names a rough begin.
    #[must_use]
    pub fn of(time: jiff::Timestamp) -> Self {
        Self(i64::try_from(time.as_nanosecond()).unwrap_or(i64::MAX))
    }

    /// For people: a time that is shown, never compared with another clock.
    #[must_use]
    pub fn to_timestamp(self) -> Option<jiff::Timestamp> {
        jiff::Timestamp::from_nanosecond(i128::from(self.0)).ok()
    }

    /// Earlier by `duration`.
    #[must_use]
    pub fn minus(self, duration: Duration) -> Self {
        Self(self.0.saturating_sub(i64::try_from(duration.as_nanos()).unwrap_or(i64::MAX)))
    }

    /// Later by `duration`.
    #[must_use]
    pub fn plus(self, duration: Duration) -> Self {
        Self(self.0.saturating_add(i64::try_from(duration.as_nanos()).unwrap_or(i64::MAX)))
    }

    /// Reads an RFC 3339 time at the start of `text`: any fraction, `Z` or a numeric offset.
    ///
    /// Returns the instant and the length of its text. Zone offsets do occur, so times are never compared as text.
    /// By hand because it runs once per line of output.
    #[must_use]
    pub fn parse_prefix(text: &[u8]) -> Option<(Self, usize)> {
        let fixed: &[u8; 19] = text.first_chunk()?;
        if [fixed[4], fixed[7], fixed[10], fixed[13], fixed[16]] != *b"--T::" {
            return None;
        }
        let year = i64::from(two_digits(fixed, 0)?) * 100 + i64::from(two_digits(fixed, 2)?);
        let (month, day) = (two_digits(fixed, 5)?, two_digits(fixed, 8)?);
        let (hour, minute, second) = (two_digits(fixed, 11)?, two_digits(fixed, 14)?, two_digits(fixed, 17)?);
        // 2262 is where 64 bits of nanoseconds end.
        let valid = (1970..2262).contains(&year)
            && (1..=12).contains(&month)
            && (1..=days_in_month(year, month)).contains(&day)
            && hour < 24
            && minute < 60
            && second <= 60;
        if !valid {
            return None;
        }
        let (fraction, length) = fraction(text, 19)?;
        let (offset_seconds, length) = offset(text, length)?;
        let seconds = days_since_1970(year, month, day) * 86_400
            + i64::from(hour) * 3600
            + i64::from(minute) * 60
            + i64::from(second)
            - offset_seconds;
        Some((Self(seconds * NANOS_PER_SECOND + fraction), length))
    }
}

/// RFC 3339 in UTC, with as many digits as needed: a whole second prints no fraction.
impl fmt::Display for LogTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        jiff::Timestamp::from_nanosecond(i128::from(self.0)).map_err(|_| fmt::Error)?.fmt(f)
    }
}

fn two_digits(text: &[u8; 19], at: usize) -> Option<u8> {
    let (tens, ones) = (text[at].wrapping_sub(b'0'), text[at + 1].wrapping_sub(b'0'));
    (tens < 10 && ones < 10).then(|| tens * 10 + ones)
}

/// The fraction at `at`, in nanoseconds, and the position behind it. Digits beyond the ninth are cut.
fn fraction(text: &[u8], at: usize) -> Option<(i64, usize)> {
    if *text.get(at)? != b'.' {
        return Some((0, at));
    }
    let digits = &text[at + 1..];
    let count = digits.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let used = count.min(9);
    let value = digits[..used].iter().fold(0, |value, digit| value * 10 + i64::from(digit - b'0'));
    let scale = 10_i64.pow(u32::try_from(9 - used).ok()?);
    (count > 0).then_some((value * scale, at + 1 + count))
}

/// The zone at `at`, in seconds east of UTC, and the position behind it.
fn offset(text: &[u8], at: usize) -> Option<(i64, usize)> {
    let sign = match *text.get(at)? {
        b'Z' => return Some((0, at + 1)),
        b'+' => 1,
        b'-' => -1,
        _ => return None,
    };
    let &[h1, h2, b':', m1, m2] = text.get(at + 1..at + 6)? else { return None };
    let digits = [h1, h2, m1, m2].map(|digit| digit.wrapping_sub(b'0'));
    if digits.iter().any(|digit| *digit > 9) {
        return None;
    }
    let [h1, h2, m1, m2] = digits.map(i64::from);
    let (hours, minutes) = (h1 * 10 + h2, m1 * 10 + m2);
    (hours < 24 && minutes < 60).then_some((sign * (hours * 3600 + minutes * 60), at + 6))
}

fn days_in_month(year: i64, month: u8) -> u8 {
    match month {
        2 if is_leap(year) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

fn is_leap(year: i64) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

/// Days from 1970-01-01. Years start in March here, so that the leap day is the last day of a year.
fn days_since_1970(year: i64, month: u8, day: u8) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let month_from_march = (i64::from(month) + 9) % 12;
    let day_of_year = (153 * month_from_march + 2) / 5 + i64::from(day) - 1;
    year * 365 + year / 4 - year / 100 + year / 400 + day_of_year - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_accepted_form_is_the_instant_that_jiff_reads() {
        for text in [
            "2026-01-02T03:04:05.123456789Z",
            "2026-01-02T03:04:05.123456789+02:00",
            "2026-01-02T03:04:05.123456789-11:30",
            "1970-01-01T00:00:00Z",
            "2024-02-29T23:59:59.5Z",
            "2000-03-01T00:00:00.000000001Z",
            "2261-12-31T23:59:59.999999999Z",
            "2026-12-31T23:59:59.1234+00:00",
        ] {
            let expected: jiff::Timestamp = text.parse().unwrap();
            let line = format!("{text} rest");
            let (time, length) = LogTime::parse_prefix(line.as_bytes()).unwrap();
            assert_eq!(i128::from(time.as_nanoseconds()), expected.as_nanosecond(), "{text}");
            assert_eq!(length, text.len());
        }
    }

    #[test]
    fn every_day_of_four_centuries_is_counted_as_jiff_counts() {
        let mut expected = jiff::Timestamp::UNIX_EPOCH;
        while expected.as_second() < 9_000_000_000 {
            let (time, _) = LogTime::parse_prefix(expected.to_string().as_bytes()).unwrap();
            assert_eq!(time.to_string(), expected.to_string());
            expected += jiff::SignedDuration::from_hours(24);
        }
    }

    #[test]
    fn what_only_looks_like_a_time_is_none() {
        for text in [
            "",
            "2026-01-02T03:04:05",
            "2026-01-02T03:04:05.Z",
            "2026-01-02 03:04:05Z",
            "2026-13-02T03:04:05Z",
            "2026-02-29T03:04:05Z",
            "2026-01-02T24:04:05Z",
            "2026-01-02T03:60:05Z",
            "2026-01-02T03:04:05+25:00",
            "2026-01-02T03:04:05+02",
            "2026-01-02T03:04:05x",
            "9999-01-02T03:04:05Z",
            "zz26-01-02T03:04:05Z",
            "{\"type\":\"system\",\"subtype\":\"init\"}",
        ] {
            assert_eq!(LogTime::parse_prefix(text.as_bytes()), None, "{text}");
        }
    }

    #[test]
    fn a_whole_second_prints_without_a_fraction() {
        let (time, _) = LogTime::parse_prefix(b"2026-01-02T03:04:00.700000000Z").unwrap();
        assert_eq!(time.floor_second().minus(Duration::from_secs(2)).to_string(), "2026-01-02T03:03:58Z");
    }

    #[test]
    fn a_leap_second_is_the_next_second() {
        let (leap, _) = LogTime::parse_prefix(b"2016-12-31T23:59:60Z").unwrap();
        assert_eq!(leap.to_string(), "2017-01-01T00:00:00Z");
    }
}
