//! Failures of log requests, told once: a capture that fails is never silent (LOG-06).

use std::time::Duration;

use super::Refusal;
use crate::log::Connection;

/// A failure that lasts shorter is nobody's concern.
const WORTH_TELLING: Duration = Duration::from_secs(30);

/// The cause where a proxy answered with a page of its own.
pub const PAGE_INSTEAD: &str = "a page instead of a log";

/// The current outage of a log, if there is one.
#[derive(Debug, Default)]
pub struct Outage {
    since: Option<Duration>,
    told: bool,
    forbidden: bool,
}

impl Outage {
    /// A request failed at `now`. What the reader of the log hears of it, if anything.
    pub fn failed(
        &mut self,
        asked: Connection,
        refusal: &Refusal,
        cause: &str,
        namespace: &str,
        now: Duration,
    ) -> Option<String> {
        // A follow that comes too early is no failure.
        if *refusal == Refusal::NoLog && asked == Connection::Follow {
            return None;
        }
        let lasts = now.saturating_sub(*self.since.get_or_insert(now));
        let is_forbidden = *refusal == Refusal::Forbidden;
        let is_new = if is_forbidden {
            !std::mem::replace(&mut self.forbidden, true)
        } else {
            !self.told && lasts >= WORTH_TELLING
        };
        self.told |= is_new;
        is_new.then(|| {
            if is_forbidden {
                return format!(
                    "The container log cannot be read: the service account may not `get` `pods/log` in namespace \
                     `{namespace}`. Grant it; until then the run continues without output. ({cause})"
                );
            }
            let seconds = lasts.as_secs();
            format!("The container log could not be read for {seconds}s; trying on while the pod runs. ({cause})")
        })
    }

    /// A request was answered with a log. What the reader hears of it.
    pub fn over(&mut self) -> Option<&'static str> {
        let told = std::mem::take(self).told;
        told.then_some("The container log can be read again.")
    }

    /// The newest request was refused for want of the permission.
    #[must_use]
    pub fn is_forbidden(&self) -> bool {
        self.forbidden
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(outage: &mut Outage, refusal: &Refusal, seconds: u64) -> Option<String> {
        outage.failed(Connection::Follow, refusal, "HTTP 500", "agents", Duration::from_secs(seconds))
    }

    #[test]
    fn log_06_an_outage_is_told_once_when_it_lasts_and_again_when_it_is_over() {
        let failed = Refusal::Failed { retry_after: None };
        let mut outage = Outage::default();
        assert_eq!((at(&mut outage, &failed, 5), at(&mut outage, &failed, 34)), (None, None));
        assert!(at(&mut outage, &failed, 35).unwrap().contains("for 30s"));
        assert_eq!(at(&mut outage, &failed, 90), None, "once");
        assert!(outage.over().is_some());
        assert_eq!(outage.over(), None);
        assert_eq!(at(&mut outage, &failed, 100), None, "another outage begins");
    }

    #[test]
    fn log_06_a_missing_permission_is_told_at_once_with_what_to_grant() {
        let mut outage = Outage::default();
        assert!(at(&mut outage, &Refusal::Forbidden, 0).unwrap().contains("`get` `pods/log` in namespace `agents`"));
        assert_eq!((at(&mut outage, &Refusal::Forbidden, 60), outage.is_forbidden()), (None, true));
        outage.over();
        assert!(!outage.is_forbidden());
    }

    #[test]
    fn a_follow_that_comes_before_the_container_is_no_failure_and_a_read_is_one() {
        let mut outage = Outage::default();
        assert_eq!((at(&mut outage, &Refusal::NoLog, 0), at(&mut outage, &Refusal::NoLog, 60)), (None, None));
        let read = |outage: &mut Outage, seconds| {
            outage.failed(Connection::Final, &Refusal::NoLog, "HTTP 204", "agents", Duration::from_secs(seconds))
        };
        assert_eq!(read(&mut outage, 60), None);
        assert!(read(&mut outage, 90).is_some());
    }
}
