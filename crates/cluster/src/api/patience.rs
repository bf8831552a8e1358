//! The one loop that repeats calls, as the table of `core::launch` says.

use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBackoff, ExponentialBuilder};
use claude_k8s_core::api_failure::ApiFailure;
use claude_k8s_core::launch::{Call, Pace};
use tokio::time::{Instant, sleep};

/// What is left of the patience with one call.
#[derive(Debug)]
pub struct Patience {
    call: Call,
    started: Instant,
    /// `None`: as long as the caller goes on asking.
    lasts: Option<Duration>,
    pauses: Pauses,
}

#[derive(Debug)]
enum Pauses {
    /// So many more tries, at once.
    AtOnce(u32),
    /// With jitter: runs that failed together do not come back together.
    Growing(ExponentialBackoff),
}

impl Patience {
    /// The clock starts now.
    #[must_use]
    pub fn of(call: Call) -> Self {
        let (lasts, pauses) = match call.pace() {
            Pace::Once => (None, Pauses::AtOnce(0)),
            Pace::OnceMore => (None, Pauses::AtOnce(1)),
            Pace::For { lasts, first, longest } => (Some(lasts), growing(first, longest)),
            Pace::WhileNeeded { first, longest } => (None, growing(first, longest)),
        };
        Self { call, started: Instant::now(), lasts, pauses }
    }

    /// Somebody waits who has less time than the table gives.
    #[must_use]
    pub fn at_most(self, limit: Duration) -> Self {
        Self { lasts: Some(self.lasts.map_or(limit, |lasts| lasts.min(limit))), ..self }
    }

    /// How long to wait before the same call again. `None`: it is not worth it, or the time is over.
    ///
    /// The last try begins when the time is over.
    pub fn pause(&mut self, failure: &ApiFailure) -> Option<Duration> {
        if !self.call.repeats(failure.kind) {
            return None;
        }
        let left = self.lasts.map(|lasts| lasts.saturating_sub(self.started.elapsed()));
        if left.is_some_and(|left| left.is_zero()) {
            return None;
        }
        let pause = match &mut self.pauses {
            Pauses::AtOnce(0) => return None,
            Pauses::AtOnce(more) => {
                *more -= 1;
                Duration::ZERO
            }
            Pauses::Growing(pauses) => pauses.next()?.max(failure.retry_after.unwrap_or_default()),
        };
        Some(left.map_or(pause, |left| pause.min(left)))
    }

    /// Makes the call until it succeeds or the patience is over. Cancel-safe where the call is.
    ///
    /// # Errors
    /// The last failure.
    pub async fn with<T, F>(mut self, mut call: impl FnMut() -> F) -> Result<T, ApiFailure>
    where
        F: Future<Output = Result<T, ApiFailure>>,
    {
        loop {
            let failure = match call().await {
                Ok(answer) => return Ok(answer),
                Err(failure) => failure,
            };
            match self.pause(&failure) {
                Some(pause) => sleep(pause).await,
                None => return Err(failure),
            }
        }
    }
}

fn growing(first: Duration, longest: Duration) -> Pauses {
    let policy = ExponentialBuilder::default().with_min_delay(first).with_max_delay(longest);
    Pauses::Growing(policy.with_jitter().without_max_times().build())
}

/// Makes a call with the patience that its row gives.
///
/// # Errors
/// The last failure.
pub async fn patiently<T, F>(call: Call, request: impl FnMut() -> F) -> Result<T, ApiFailure>
where
    F: Future<Output = Result<T, ApiFailure>>,
{
    Patience::of(call).with(request).await
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use claude_k8s_core::api_failure::FailureKind;
    use tokio::time::advance;

    use super::*;

    fn failure(kind: FailureKind) -> ApiFailure {
        ApiFailure::new("Calling", "text", kind)
    }

    async fn tries(call: Call, kind: FailureKind) -> (u32, Duration) {
        let (count, started) = (Cell::new(0), Instant::now());
        let answer: Result<(), _> = patiently(call, || {
            count.set(count.get() + 1);
            async move { Err(failure(kind)) }
        })
        .await;
        assert_eq!(answer, Err(failure(kind)));
        (count.get(), started.elapsed())
    }

    #[tokio::test(start_paused = true)]
    async fn fld_01_a_call_is_repeated_as_its_row_says_and_the_last_try_begins_when_the_time_is_over() {
        let (count, took) = tries(Call::CreateJob, FailureKind::Server).await;
        assert!(count > 6, "{count}");
        assert_eq!(took, Duration::from_secs(60));
        assert_eq!(tries(Call::CreateJob, FailureKind::Rejected).await, (1, Duration::ZERO));
        assert_eq!(tries(Call::ListJobs, FailureKind::Network).await, (2, Duration::ZERO));
        assert_eq!(tries(Call::ListJobs, FailureKind::Server).await, (1, Duration::ZERO));
    }

    #[tokio::test(start_paused = true)]
    async fn a_pause_that_the_server_asks_for_is_kept_as_long_as_it_fits() {
        let slow = ApiFailure { retry_after: Some(Duration::from_secs(40)), ..failure(FailureKind::TooManyRequests) };
        let mut patience = Patience::of(Call::Reach);
        assert_eq!(patience.pause(&slow), Some(Duration::from_secs(40)));
        advance(Duration::from_secs(40)).await;
        assert_eq!(patience.pause(&slow), Some(Duration::from_secs(20)));
        advance(Duration::from_secs(20)).await;
        assert_eq!(patience.pause(&slow), None);
    }

    #[tokio::test(start_paused = true)]
    async fn somebody_who_waits_may_have_less_patience() {
        let mut patience = Patience::of(Call::Reach).at_most(Duration::from_secs(10));
        advance(Duration::from_secs(10)).await;
        assert_eq!(patience.pause(&failure(FailureKind::Timeout)), None);
        let mut patience = Patience::of(Call::StopJob);
        advance(Duration::from_secs(3_600)).await;
        assert!(patience.pause(&failure(FailureKind::Timeout)).is_some());
    }
}
