//! A Paperclip host that remembers what it was told, and when.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use claude_k8s_cluster::host::{Host, HostError, HostLog, Notice, Stream};
use futures_util::FutureExt;
use futures_util::future::{BoxFuture, ready};
use tokio::time::Instant;

/// The memory of a host. Clones are the same one.
#[derive(Clone)]
pub(crate) struct Heard {
    since: Instant,
    /// How long it takes over each chunk of output.
    takes: Duration,
    told: Arc<Mutex<Told>>,
}

#[derive(Default)]
struct Told {
    chunks: Vec<(Duration, Stream, String)>,
    notices: Vec<Notice>,
}

impl Heard {
    pub(crate) fn nothing() -> Self {
        Self { since: Instant::now(), takes: Duration::ZERO, told: Arc::default() }
    }

    /// From now on it takes so long over each chunk of output.
    pub(crate) fn slow(self, takes: Duration) -> Self {
        Self { takes, ..self }
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
        let stdout: String = self.with(|told| {
            let of_stdout = told.chunks.iter().filter(|(_, stream, _)| *stream == Stream::Stdout);
            of_stdout.map(|(_, _, text)| text.as_str()).collect()
        });
        stdout.lines().filter(|line| !line.starts_with("[paperclip] ")).map(str::to_owned).collect()
    }

    pub(crate) fn dispatches(&self) -> usize {
        self.with(|told| told.notices.iter().filter(|notice| matches!(notice, Notice::Dispatch)).count())
    }

    /// Types of the events, in order.
    pub(crate) fn events(&self) -> Vec<String> {
        let kind = |notice: &Notice| match notice {
            Notice::Event { event } => event["eventType"].as_str().map(str::to_owned),
            _ => None,
        };
        self.with(|told| told.notices.iter().filter_map(kind).collect())
    }

    fn with<T>(&self, look: impl FnOnce(&mut Told) -> T) -> T {
        look(&mut self.told.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl HostLog for Heard {
    fn log(&self, stream: Stream, chunk: String) -> BoxFuture<'_, Result<(), HostError>> {
        let at = self.since.elapsed();
        self.with(|told| told.chunks.push((at, stream, chunk)));
        let takes = self.takes;
        async move {
            tokio::time::sleep(takes).await;
            Ok(())
        }
        .boxed()
    }
}

impl Host for Heard {
    fn notice(&self, notice: Notice) -> BoxFuture<'_, Result<(), HostError>> {
        self.with(|told| told.notices.push(notice));
        ready(Ok(())).boxed()
    }
}
