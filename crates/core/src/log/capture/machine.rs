//! When to connect, how long to wait and when to stop: all the patience of a capture.
//!
//! ```text
//!              ┌──────────────── pause ◀──refused, cut, quiet──┐
//!              ▼                                               │
//!  phase ──▶ Follow ──Opened──▶ listening ──Chunk──▶ listening ┤   the end line stands last ──▶ End(Ended)
//!                                                              │
//!                     the container ended, no end line: Read ◀─┘   ──▶ End(Confirmed | Unconfirmed)
//! ```
//!
//! The end of a connection, an error and silence mean nothing by themselves: the container's own end line ends a
//! capture, or its state and then a read that is bounded.

use std::time::Duration;

use super::backoff::Backoff;
use super::intake::{BodyEnd, Shown};
use super::{ContainerPhase, Tail};
use crate::log::align::SMALLEST_FILE;

/// Headers come at once from a healthy server; older ones hold them back until the first byte.
const CONNECT: Duration = Duration::from_secs(30);
/// First limit of a connection's silence; doubles while renewed connections bring nothing new.
const IDLE: Duration = Duration::from_secs(60);
const IDLE_LONGEST: Duration = Duration::from_secs(300);
/// Planned renewal: the kubelet ends a connection after 4 h, and file events can get lost.
const MAX_AGE: Duration = Duration::from_secs(3600);
/// Silence while something is held back.
const QUIET: Duration = Duration::from_secs(3);
/// The kubelet ends a follow about a second after the container. One that is silent for longer is half-open.
const LINGER: Duration = Duration::from_secs(3);
/// A reader of the node that has reached the end of a file once knows of the next one.
const WAITED: Duration = Duration::from_millis(500);
/// Time for the tail after the container's end, waiting for the host not counted. It begins anew with every new line of a
/// pod that stays: a starved node sends slowly, and giving up costs the result.
const DRAIN: Duration = Duration::from_secs(10);
/// Time for one read that brings bytes and no new line yet: a long line, or a long replay, on a slow way.
const DRAIN_READING: Duration = Duration::from_secs(60);
/// The whole time for the tail, however much comes.
const DRAIN_LONGEST: Duration = Duration::from_secs(300);
/// Longest `Retry-After` that is obeyed.
const RETRY_AFTER: Duration = Duration::from_secs(60);
/// A container that waits is asked for at this interval even if no watch event comes.
const WAITING: Duration = Duration::from_secs(30);

/// Why a request brought no body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// The container has no log yet (or, once it has ended, never had one).
    NoLog,
    /// The service account may not read it.
    Forbidden,
    /// The pod is gone, or the node does not know it (yet, or any more).
    NotFound,
    /// Everything else.
    Failed {
        /// The server's `Retry-After`.
        retry_after: Option<Duration>,
    },
}

/// Something that happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// What the watch says about the container. The first event of a capture.
    Phase(ContainerPhase),
    /// The request was answered with a log.
    Opened,
    /// The request was answered with something else: what, and its text.
    Refused(Refusal, String),
    /// Bytes were taken, and this has been shown by now.
    Chunk(Shown),
    /// The body ended, and so has what it showed.
    BodyEnded(BodyEnd, Shown),
    /// [`Action::Quiet`] was carried out; `reconnect` is its answer.
    Quieted {
        /// The lines may find their place on another connection.
        reconnect: bool,
        /// What has been shown by now.
        shown: Shown,
    },
    /// The time that the last action named has come.
    Time,
}

/// What to do. Everything but [`Action::Listen`] and [`Action::Quiet`] closes what is open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// Open a follow.
    Follow {
        /// When to tell the time, if nothing else happens.
        until: Duration,
    },
    /// Open a read without follow.
    Read {
        /// When to tell the time, if nothing else happens.
        until: Duration,
    },
    /// Wait for what is open.
    Listen {
        /// When to tell the time, if nothing else happens.
        until: Duration,
    },
    /// Wait without a connection.
    Rest {
        /// When to tell the time, if nothing else happens.
        until: Duration,
    },
    /// Nothing comes although something is held back: ask the intake, and tell the answer.
    Quiet,
    /// Stop.
    End(Tail),
}

/// One capture. Times are counted from its begin, without those in which it waited for the host: a slow host is no reason
/// to give the tail up (LOG-14).
#[derive(Debug)]
pub struct Capture {
    /// The container says its own end, unless it is killed.
    announces_end: bool,
    phase: ContainerPhase,
    step: Step,
    shown: Shown,
    backoff: Backoff,
    /// Current limit of silence.
    idle: Duration,
    ended: Option<Ended>,
}

/// What is going on.
#[derive(Debug, Clone, Copy)]
enum Step {
    Resting { until: Duration },
    Following(Progress),
    Reading(Progress),
}

/// Of one connection.
#[derive(Debug, Clone, Copy)]
enum Progress {
    /// Asked for; given up at this time.
    Asked {
        until: Duration,
    },
    Open(Open),
}

/// A connection that was answered.
#[derive(Debug, Clone, Copy)]
struct Open {
    at: Duration,
    /// When the newest byte came.
    last_byte: Duration,
    /// What had been delivered before. Unit: bytes.
    from: u64,
    /// It was silent for a while and went on.
    has_waited: bool,
}

/// The container has ended.
#[derive(Debug)]
struct Ended {
    /// When that was first seen.
    at: Duration,
    /// When the newest line came, or `at`; or since when there is another read in place of one without an answer.
    line_at: Duration,
    /// A read was given up before it was answered.
    is_repeated: bool,
    /// Why nothing has confirmed the tail yet.
    reason: String,
}

impl Capture {
    /// `name`: what tells it from other captures. `announces_end`: the container says its own end.
    #[must_use]
    pub fn new(name: &str, announces_end: bool) -> Self {
        Self {
            announces_end,
            phase: ContainerPhase::Waiting,
            step: Step::Resting { until: Duration::ZERO },
            shown: Shown::default(),
            backoff: Backoff::new(name),
            idle: IDLE,
            ended: None,
        }
    }

    /// The only transition.
    #[must_use]
    pub fn on(&mut self, event: Event, now: Duration) -> Action {
        match event {
            Event::Phase(phase) => self.on_phase(phase, now),
            Event::Opened => {
                let from = self.shown.bytes;
                let open = Progress::Open(Open { at: now, last_byte: now, from, has_waited: false });
                self.step = if self.is_reading() { Step::Reading(open) } else { Step::Following(open) };
                self.listen(now)
            }
            Event::Refused(refusal, cause) => self.on_refusal(&refusal, &cause, now),
            Event::Chunk(shown) => {
                self.byte(now);
                self.note(shown, now);
                if shown.ended { Action::End(Tail::Ended) } else { self.listen(now) }
            }
            Event::BodyEnded(_, shown) if shown.ended => Action::End(Tail::Ended),
            Event::BodyEnded(end, shown) => {
                self.note(shown, now);
                self.on_body_end(end, now)
            }
            Event::Quieted { reconnect, shown } => {
                self.note(shown, now);
                if reconnect {
                    return self.after_follow(now);
                }
                self.byte(now);
                self.listen(now)
            }
            Event::Time => self.on_time(now),
        }
    }

    fn on_phase(&mut self, phase: ContainerPhase, now: Duration) -> Action {
        self.phase = phase;
        let newly_ended = phase.is_ended() && self.ended.is_none();
        if newly_ended {
            // Time is short now: pauses that grew while the container ran would outlast it.
            self.backoff.reset();
            let reason = "its end was not seen in time".to_owned();
            self.ended = Some(Ended { at: now, line_at: now, is_repeated: false, reason });
        }
        match self.step {
            Step::Following(Progress::Asked { .. }) if newly_ended => self.connect(now),
            // A container that waits has no log: asking for it would only be answered with 400.
            Step::Resting { .. } if phase == ContainerPhase::Waiting && self.ended.is_none() => self.pause(now),
            Step::Resting { .. } if self.ended.is_none() || newly_ended => self.connect(now),
            Step::Resting { until } => Action::Rest { until },
            Step::Following(_) | Step::Reading(_) => self.listen(now),
        }
    }

    /// One read that was never answered does not cost the result of a pod that stays: there is time for another (FLD-02).
    fn forgive(&mut self, now: Duration) {
        let was_ignored = matches!(self.step, Step::Reading(Progress::Asked { until }) if now >= until);
        let again = was_ignored && !self.is_deleted();
        if let Some(ended) = self.ended.as_mut().filter(|ended| again && !ended.is_repeated) {
            (ended.is_repeated, ended.line_at) = (true, now);
        }
    }

    /// The next connection, or the end if there is no use in one.
    fn connect(&mut self, now: Duration) -> Action {
        self.forgive(now);
        if let Some(ended) = &self.ended {
            if self.phase == ContainerPhase::Gone {
                return Self::unconfirmed("the pod is gone");
            }
            let until = self.deadline(ended);
            if now >= until {
                let reason = ended.reason.clone();
                return Self::unconfirmed(&reason);
            }
            self.step = Step::Reading(Progress::Asked { until });
            return Action::Read { until };
        }
        let until = now + CONNECT;
        self.step = Step::Following(Progress::Asked { until });
        Action::Follow { until }
    }

    fn on_refusal(&mut self, refusal: &Refusal, cause: &str, now: Duration) -> Action {
        let Some(ended) = &mut self.ended else {
            let wanted = match refusal {
                Refusal::Failed { retry_after } => retry_after.unwrap_or_default().min(RETRY_AFTER),
                _ => Duration::ZERO,
            };
            return self.pause_at_least(wanted, now);
        };
        // A kubelet that was just restarted does not know the pod yet (kubernetes.md 1.4).
        cause.clone_into(&mut ended.reason);
        match refusal {
            Refusal::NoLog => Self::unconfirmed(cause),
            Refusal::NotFound | Refusal::Forbidden if self.is_deleted() => Self::unconfirmed(cause),
            Refusal::NotFound | Refusal::Forbidden | Refusal::Failed { .. } => self.pause(now),
        }
    }

    fn on_body_end(&mut self, end: BodyEnd, now: Duration) -> Action {
        if !self.is_reading() {
            return self.after_follow(now);
        }
        let waits_for_end = self.announces_end && !self.is_killed() && self.shown.begun;
        let reason = match end {
            BodyEnd::Removed => return Self::unconfirmed("the node removed the log"),
            BodyEnd::Reached { .. } if waits_for_end => "the line with which its log ends did not come",
            BodyEnd::Reached { agrees: true } => return Action::End(Tail::Confirmed),
            BodyEnd::Reached { agrees: false } => {
                return Self::unconfirmed("the container did not say its end, and its log was read once");
            }
            BodyEnd::Cut => "the last delivered line was not found in what the node sent",
        };
        if let Some(ended) = &mut self.ended {
            reason.clone_into(&mut ended.reason);
        }
        self.pause(now)
    }

    /// A follow is over. The next connection comes at once if the container ended, because its log can be removed.
    fn after_follow(&mut self, now: Duration) -> Action {
        if self.ended.is_some() { self.connect(now) } else { self.pause(now) }
    }

    fn on_time(&mut self, now: Duration) -> Action {
        match self.step {
            Step::Resting { until } if now < until => Action::Rest { until },
            Step::Resting { .. } => self.connect(now),
            // An old server with a silent container is no failure (kubernetes.md 1.1).
            Step::Following(Progress::Asked { until }) if now >= until => self.pause(now),
            Step::Reading(_) | Step::Following(Progress::Asked { .. }) => self.listen(now),
            Step::Following(Progress::Open(_)) => match self.alarm() {
                (at, _) if now < at => self.listen(now),
                (_, Alarm::Quiet) => Action::Quiet,
                (_, Alarm::Over) => self.connect(now),
                (_, Alarm::Renew) => {
                    self.idle = (self.idle * 2).min(IDLE_LONGEST);
                    self.connect(now)
                }
            },
        }
    }

    /// Waits for what is open, if its time is not over.
    fn listen(&mut self, now: Duration) -> Action {
        let until = match self.step {
            Step::Resting { until } => return Action::Rest { until },
            Step::Following(Progress::Asked { until }) => until,
            Step::Following(Progress::Open(_)) => match self.alarm() {
                (at, Alarm::Over) if now >= at => return self.connect(now),
                (at, _) => at,
            },
            Step::Reading(_) => match &self.ended {
                Some(ended) => self.deadline(ended),
                None => now,
            },
        };
        if self.is_reading() && now >= until { self.connect(now) } else { Action::Listen { until } }
    }

    /// The next moment at which silence, or age, means something for an open follow.
    fn alarm(&self) -> (Duration, Alarm) {
        let Step::Following(Progress::Open(open)) = self.step else { return (Duration::ZERO, Alarm::Over) };
        let Open { at, last_byte, .. } = open;
        if let Some(ended) = &self.ended {
            return ((last_byte.max(ended.at) + LINGER).min(self.deadline(ended)), Alarm::Over);
        }
        if self.shown.holds {
            return (last_byte + QUIET, Alarm::Quiet);
        }
        let idle = last_byte + self.idle;
        // A planned renewal can wait while the open follow is the only source of the tail (LOG-12).
        let deleting = self.phase == ContainerPhase::Deleting;
        if self.may_be_stuck(open) && !deleting {
            return (last_byte + QUIET, Alarm::Over);
        }
        (if deleting { idle } else { idle.min(at + MAX_AGE) }, Alarm::Renew)
    }

    /// Of a rotation before it is through with a file for the first time, a reader of the node learns by the next one
    /// only, when the file between is gone (kubernetes.md 1.6). So after a burst, silence may mean that.
    fn may_be_stuck(&self, open: Open) -> bool {
        !open.has_waited && self.shown.bytes - open.from >= SMALLEST_FILE
    }

    /// When the search for the tail has to stop.
    fn deadline(&self, ended: &Ended) -> Duration {
        // Somebody waits for the answer to a stop (CAN-03), and the log goes with the pod.
        if self.is_deleted() {
            return ended.at + DRAIN;
        }
        let line_at = ended.line_at.max(ended.at);
        let read_at = match self.step {
            Step::Reading(Progress::Open(open)) => open.last_byte,
            _ => line_at,
        };
        let until = (line_at + DRAIN).max((read_at + DRAIN).min(line_at + DRAIN_READING));
        until.min(ended.at + DRAIN_LONGEST)
    }

    /// Only a new line is progress; a connection that opens and repeats is none.
    fn note(&mut self, shown: Shown, now: Duration) {
        if shown.lines > self.shown.lines {
            self.backoff.reset();
            self.idle = IDLE;
            if let Some(ended) = &mut self.ended {
                ended.line_at = now;
            }
        }
        self.shown = shown;
    }

    fn byte(&mut self, now: Duration) {
        if let Step::Following(Progress::Open(open)) | Step::Reading(Progress::Open(open)) = &mut self.step {
            open.has_waited |= now.saturating_sub(open.last_byte) >= WAITED;
            open.last_byte = now;
        }
    }

    fn pause(&mut self, now: Duration) -> Action {
        self.pause_at_least(Duration::ZERO, now)
    }

    fn pause_at_least(&mut self, wanted: Duration, now: Duration) -> Action {
        self.step = Step::Resting { until: now };
        let until = match &self.ended {
            None if self.phase == ContainerPhase::Waiting => now + WAITING,
            None => now + self.backoff.next().max(wanted),
            Some(ended) => (now + self.backoff.next()).min(self.deadline(ended)),
        };
        self.step = Step::Resting { until };
        Action::Rest { until }
    }

    fn unconfirmed(reason: &str) -> Action {
        Action::End(Tail::Unconfirmed(reason.to_owned()))
    }

    fn is_reading(&self) -> bool {
        matches!(self.step, Step::Reading(_))
    }

    fn is_deleted(&self) -> bool {
        matches!(self.phase, ContainerPhase::Terminated { pod_deleted: true, .. } | ContainerPhase::Gone)
    }

    fn is_killed(&self) -> bool {
        matches!(self.phase, ContainerPhase::Terminated { killed: true, .. })
    }
}

/// What the time of an open follow is waited for.
enum Alarm {
    Renew,
    Quiet,
    Over,
}

#[cfg(test)]
mod tests;
