//! One watch that is started again after every error, and what it says about contact.
//!
//! ```text
//!  listing ──list complete──▶ in sync ──error──▶ lost ──12 s without another error, or 1 s after an event──▶ in sync
//!     ▲                                           │ the resume point is too old
//!     └───────────────────────────────────────────┘
//! ```

use std::pin::Pin;
use std::time::Duration;

use backon::ExponentialBackoff;
use claude_k8s_core::api_failure::{FailureKind, Purpose};
use claude_k8s_core::launch::Call;
use claude_k8s_core::view::{Listed, Listing};
use futures_util::{Stream, StreamExt};
use kube::core::Status;
use kube::runtime::watcher::{Error, Event};
use tokio::time::{Instant, Sleep, sleep, sleep_until};

use crate::api::{answer, pauses};

/// A watch that was started again reports nothing until an object changes: no error for this long means contact.
pub(super) const SETTLED: Duration = Duration::from_secs(12);
/// What was missed comes in one burst after the first event.
const CAUGHT_UP: Duration = Duration::from_secs(1);

pub(super) type Events<K> = Pin<Box<dyn Stream<Item = Result<Event<K>, Error>> + Send>>;

/// What a watch brought.
pub(super) enum Change<F> {
    /// A complete list.
    Listed(Vec<F>),
    /// A new or changed object.
    Applied(F),
    /// An object in its last state.
    Deleted(F),
    /// Contact is back.
    Settled,
    /// Contact is lost; it is being restored.
    Lost,
    /// The Role lacks the verb `watch`.
    Denied,
}

/// A watch of one kind.
pub(super) struct Resumed<F: Listed> {
    call: Call,
    start: Box<dyn Fn() -> Events<F::Object> + Send + Sync>,
    events: Events<F::Object>,
    pause: Option<Pin<Box<Sleep>>>,
    delays: ExponentialBackoff,
    /// When the last error counts as overcome.
    settled_at: Option<Instant>,
    /// A list is being taken; nothing but its end means contact.
    listing: bool,
    listed: Listing<F>,
}

impl<F: Listed> Resumed<F> {
    pub(super) fn new(call: Call, start: impl Fn() -> Events<F::Object> + Send + Sync + 'static) -> Self {
        Self {
            call,
            events: start(),
            start: Box::new(start),
            pause: None,
            delays: pauses(call),
            settled_at: None,
            listing: true,
            listed: Listing::default(),
        }
    }

    /// What was reported is current.
    pub(super) fn is_in_sync(&self) -> bool {
        !self.listing && self.settled_at.is_none()
    }

    /// Cancel-safe: what was read is returned or kept, what was not stays in the stream.
    pub(super) async fn next(&mut self) -> Change<F> {
        loop {
            if let Some(pause) = &mut self.pause {
                pause.await;
                self.pause = None;
            }
            let settled_at = self.settled_at.filter(|_| !self.listing);
            let event = tokio::select! {
                biased; // an error that waits outweighs the time without one
                event = self.events.next() => event,
                () = reached(settled_at) => {
                    self.is_back();
                    return Change::Settled;
                }
            };
            match event {
                Some(Ok(Event::Init)) => {
                    self.listing = true;
                    self.listed = Listing::default();
                }
                Some(Ok(Event::InitApply(object))) => {
                    if let Err(too_much) = self.listed.push(F::of(&object), F::weight) {
                        self.listed = Listing::default();
                        self.fails(&Error::InitialListFailed(kube::Error::Service(too_much.into())));
                        // The stream would go on with the next page.
                        self.events = (self.start)();
                        return Change::Lost;
                    }
                }
                Some(Ok(Event::InitDone)) => {
                    self.listing = false;
                    self.is_back();
                    return Change::Listed(std::mem::take(&mut self.listed).into_kept());
                }
                Some(Ok(Event::Apply(object))) => {
                    self.hears();
                    if let Some(facts) = F::of(&object) {
                        return Change::Applied(facts);
                    }
                }
                Some(Ok(Event::Delete(object))) => {
                    self.hears();
                    if let Some(facts) = F::of(&object) {
                        return Change::Deleted(facts);
                    }
                }
                Some(Err(error)) if self.is_denied(&error) => return Change::Denied,
                Some(Err(error)) => {
                    self.fails(&error);
                    return Change::Lost;
                }
                // The watcher never ends; should it, waiting is the only harmless answer.
                None => std::future::pending().await,
            }
        }
    }

    /// The table goes on without a watch: after a successful list, a refusal of it means that the Role lacks the verb
    /// (`docs/internals/kubernetes.md` 5.4).
    fn is_denied(&self, error: &Error) -> bool {
        watch_status(error).is_some_and(|status| self.call.goes_without(judged(status)))
    }

    fn is_back(&mut self) {
        self.settled_at = None;
        self.delays = pauses(self.call);
    }

    fn hears(&mut self) {
        let caught_up = Instant::now() + CAUGHT_UP;
        self.settled_at = self.settled_at.map(|at| at.min(caught_up));
    }

    fn fails(&mut self, error: &Error) {
        if is_too_old(error) {
            self.listing = true;
            self.events = (self.start)();
        }
        let delay = self.delays.next().unwrap_or(SETTLED);
        self.pause = Some(Box::pin(sleep(delay)));
        self.settled_at = Some(Instant::now() + delay + SETTLED);
    }
}

/// Pending for ever without a time.
async fn reached(at: Option<Instant>) {
    match at {
        Some(at) => sleep_until(at).await,
        None => std::future::pending().await,
    }
}

/// The library lists again after a 410 event, but repeats a refused start with the same version for ever.
fn is_too_old(error: &Error) -> bool {
    watch_status(error).is_some_and(|status| judged(status) == FailureKind::Expired)
}

/// A watch only asks, and about no single object.
fn judged(status: &Status) -> FailureKind {
    answer(status).kind(Purpose::Ask, "")
}

/// With what the API server refused or ended a watch.
fn watch_status(error: &Error) -> Option<&Status> {
    match error {
        Error::WatchStartFailed(kube::Error::Api(status)) | Error::WatchError(status) => Some(status),
        _ => None,
    }
}
