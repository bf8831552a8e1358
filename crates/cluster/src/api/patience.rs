//! The one loop that repeats calls, as the table of `core::launch` says.

use std::sync::Arc;
use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBackoff, ExponentialBuilder};
use claude_k8s_core::api_failure::ApiFailure;
use claude_k8s_core::launch::{Call, Pace};
use tokio::time::{Instant, sleep};

/// Hears of a failure after which the same call is made again.
pub type Teller = Arc<dyn Fn(&ApiFailure) + Send + Sync>;

/// How somebody waits for answers.
#[derive(Clone)]
pub struct Asking {
    at_most: Duration,
    teller: Option<Teller>,
}

impl Asking {
    /// With all the patience that the call table gives; somebody is told, such as the reader of the log (FLD-03).
    #[must_use]
    pub fn patiently(teller: Teller) -> Self {
        Self { at_most: Duration::MAX, teller: Some(teller) }
    }

    /// Somebody waits who has less time than the table gives.
    #[must_use]
    pub fn in_a_hurry(at_most: Duration) -> Self {
        Self { at_most, teller: None }
    }

    /// The longest time for one call.
    #[must_use]
    pub fn at_most(&self) -> Duration {
        self.at_most
    }

    /// Makes a call with this much of the patience that its row gives.
    ///
    /// # Errors
    /// The last failure.
    pub async fn for_answer<T, F>(&self, call: Call, request: impl FnMut() -> F) -> Result<T, ApiFailure>
    where
        F: Future<Output = Result<T, ApiFailure>>,
    {
        let patience = Patience { teller: self.teller.clone(), ..Patience::of(call).at_most(self.at_most) };
        patience.with(request).await
    }
}

/// What is left of the patience with one call.
pub struct Patience {
    call: Call,
    started: Instant,
    /// `None`: as long as the caller goes on asking.
    lasts: Option<Duration>,
    /// With jitter: runs that failed together do not come back together. `None`: one try.
    pauses: Option<ExponentialBackoff>,
    teller: Option<Teller>,
}

impl Patience {
    /// The clock starts now.
    #[must_use]
    pub fn of(call: Call) -> Self {
        let lasts = if let Pace::For { lasts, .. } = call.pace() { Some(lasts) } else { None };
        let pauses = (call.pace() != Pace::Once).then(|| pauses(call));
        Self { call, started: Instant::now(), lasts, pauses, teller: None }
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
        let pause = self.pauses.as_mut()?.next()?.max(failure.retry_after.unwrap_or_default());
        if let Some(tell) = &self.teller {
            tell(failure);
        }
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

/// The pauses of the call's row, without end.
#[must_use]
pub fn pauses(call: Call) -> ExponentialBackoff {
    let (first, longest) = match call.pace() {
        Pace::Once => (Duration::ZERO, Duration::ZERO),
        Pace::For { first, longest, .. } | Pace::WhileNeeded { first, longest } => (first, longest),
    };
    let policy = ExponentialBuilder::default().with_min_delay(first).with_max_delay(longest);
    policy.with_jitter().without_max_times().build()
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
        for kind in [FailureKind::Network, FailureKind::Server, FailureKind::TooManyRequests] {
            assert_eq!(tries(Call::ListJobs, kind).await.1, Duration::from_secs(60), "FLD-03: {kind:?}");
        }
        assert_eq!(tries(Call::ListJobs, FailureKind::Forbidden).await, (1, Duration::ZERO));
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
