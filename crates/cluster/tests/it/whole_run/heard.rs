//! A Paperclip host that remembers what it was told, and when.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use claude_k8s_cluster::host::{Host, HostError, HostLog, Notice, Stream};
use futures_util::FutureExt;
use futures_util::future::{BoxFuture, pending, ready};
use serde_json::Value;
use tokio::time::Instant;

/// How the host behaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Manner {
    Polite,
    /// Takes so long over each chunk of output.
    Slow(Duration),
    /// Every callback rejects, the launch acknowledgement apart.
    Rejects,
    /// Output is never taken.
    LogHangs,
    /// No notice is ever answered, the launch acknowledgement apart.
    NoticesHang,
    /// The launch is not acknowledged.
    RefusesLaunch,
    /// A defect of the caller's side.
    PanicsOnMeta,
    PanicsOnLog,
}

/// The memory of a host. Clones are the same one.
#[derive(Clone)]
pub(crate) struct Heard {
    since: Instant,
    manner: Manner,
    told: Arc<Mutex<Told>>,
}

#[derive(Default)]
struct Told {
    chunks: Vec<(Duration, Stream, String)>,
    notices: Vec<Notice>,
}

impl Heard {
    /// Nothing yet.
    pub(crate) fn by(manner: Manner) -> Self {
        Self { since: Instant::now(), manner, told: Arc::default() }
    }

    /// Lines of the adapter on either stream, without prefix, with the time since the call began.
    pub(crate) fn status(&self) -> Vec<(Duration, String)> {
        let mine = |text: &str| text.strip_prefix("[paperclip] ").map(str::to_owned);
        self.with(|told| {
            let lines = told.chunks.iter().flat_map(|(at, _, text)| text.lines().map(move |line| (*at, line)));
            lines.filter_map(|(at, line)| Some((at, mine(line)?))).collect()
        })
    }

    /// The adapter's lines that contain this text.
    pub(crate) fn status_with(&self, part: &str) -> Vec<(Duration, String)> {
        self.status().into_iter().filter(|(_, line)| line.contains(part)).collect()
    }

    /// Lines of the container's stdout.
    pub(crate) fn lines(&self) -> Vec<String> {
        self.text_of(Stream::Stdout)
            .lines()
            .filter(|line| !line.starts_with("[paperclip] "))
            .map(str::to_owned)
            .collect()
    }

    pub(crate) fn stdout(&self) -> String {
        self.text_of(Stream::Stdout)
    }

    pub(crate) fn stderr(&self) -> String {
        self.text_of(Stream::Stderr)
    }

    fn text_of(&self, wanted: Stream) -> String {
        self.with(|told| {
            let chunks = told.chunks.iter().filter(|(_, stream, _)| *stream == wanted);
            chunks.map(|(_, _, text)| text.as_str()).collect()
        })
    }

    pub(crate) fn notices(&self) -> Vec<Notice> {
        self.with(|told| told.notices.clone())
    }

    pub(crate) fn dispatches(&self) -> usize {
        self.notices().iter().filter(|notice| matches!(notice, Notice::Dispatch)).count()
    }

    /// What the events tell, in order.
    pub(crate) fn events(&self) -> Vec<String> {
        self.of_events("/payload/event")
    }

    /// A text of each event, by its JSON pointer.
    pub(crate) fn of_events(&self, pointer: &str) -> Vec<String> {
        let text = |notice: &Notice| match notice {
            Notice::Event { event } => event.pointer(pointer)?.as_str().map(str::to_owned),
            _ => None,
        };
        self.notices().iter().filter_map(text).collect()
    }

    /// Messages of the host's status line.
    pub(crate) fn progress(&self) -> Vec<String> {
        let message = |notice| if let Notice::Progress { message, .. } = notice { Some(message) } else { None };
        self.notices().into_iter().filter_map(message).collect()
    }

    /// What each start of the CLI was described as.
    pub(crate) fn metas(&self) -> Vec<Value> {
        let meta = |notice: Notice| if let Notice::Meta { meta } = notice { Some(meta) } else { None };
        self.notices().into_iter().filter_map(meta).collect()
    }

    fn with<T>(&self, look: impl FnOnce(&mut Told) -> T) -> T {
        look(&mut self.told.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl HostLog for Heard {
    fn log(&self, stream: Stream, chunk: String) -> BoxFuture<'_, Result<(), HostError>> {
        assert_ne!(self.manner, Manner::PanicsOnLog, "a defect of the host's side");
        let at = self.since.elapsed();
        self.with(|told| told.chunks.push((at, stream, chunk)));
        match self.manner {
            Manner::LogHangs => pending().boxed(),
            Manner::Rejects => rejected(),
            Manner::Slow(takes) => async move {
                tokio::time::sleep(takes).await;
                Ok(())
            }
            .boxed(),
            _ => ready(Ok(())).boxed(),
        }
    }
}

impl Host for Heard {
    fn notice(&self, notice: Notice) -> BoxFuture<'_, Result<(), HostError>> {
        let is_launch = matches!(notice, Notice::Launched { .. });
        let is_meta = matches!(notice, Notice::Meta { .. });
        self.with(|told| told.notices.push(notice));
        assert!(!(is_meta && self.manner == Manner::PanicsOnMeta), "a defect of the host's side");
        match self.manner {
            Manner::RefusesLaunch if is_launch => rejected(),
            Manner::Rejects if !is_launch => rejected(),
            Manner::NoticesHang if !is_launch => pending().boxed(),
            _ => ready(Ok(())).boxed(),
        }
    }
}

fn rejected() -> BoxFuture<'static, Result<(), HostError>> {
    ready(Err(HostError("the host rejects".to_owned()))).boxed()
}
