//! The API server's clock, as its answers tell it.
//!
//! Times of objects are the server's. How old an object is can only be said by the clock that stamped it: ours may be an
//! hour off (FLD-07).

use std::sync::{Arc, Mutex, PoisonError};

use http::{HeaderMap, header};
use jiff::fmt::rfc2822::DateTimeParser;
use jiff::{SignedDuration, Timestamp};
use tokio::time::Instant;

/// The newest `Date` of an answer, and when it came.
#[derive(Debug, Clone, Default)]
pub struct ServerClock(Arc<Mutex<Option<(Timestamp, Instant)>>>);

impl ServerClock {
    /// Takes over the time of an answer, if it has one.
    pub(crate) fn hear(&self, headers: &HeaderMap) {
        let text = headers.get(header::DATE).and_then(|value| value.to_str().ok());
        if let Some(time) = text.and_then(|text| DateTimeParser::new().parse_timestamp(text).ok()) {
            *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some((time, Instant::now()));
        }
    }

    /// The server's time now. `None`: it never told.
    pub(crate) fn now(&self) -> Option<Timestamp> {
        let (time, at) = (*self.0.lock().unwrap_or_else(PoisonError::into_inner))?;
        time.checked_add(SignedDuration::try_from(at.elapsed()).ok()?).ok()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use http::HeaderValue;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn fld_07_the_servers_clock_goes_on_from_its_newest_answer() {
        let clock = ServerClock::default();
        clock.hear(&HeaderMap::new());
        assert_eq!(clock.now(), None);
        let mut headers = HeaderMap::new();
        headers.insert(header::DATE, HeaderValue::from_static("Thu, 01 Jan 2026 00:00:00 GMT"));
        clock.hear(&headers);
        tokio::time::advance(Duration::from_secs(90)).await;
        headers.insert(header::DATE, HeaderValue::from_static("yesterday"));
        clock.hear(&headers);
        assert_eq!(clock.now().map(|time| time.to_string()).as_deref(), Some("2026-01-01T00:01:30Z"));
    }
}
