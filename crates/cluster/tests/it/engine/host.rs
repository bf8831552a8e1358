//! A Paperclip host that remembers what it was told.

use std::sync::{Arc, Mutex, PoisonError};

use claude_k8s_cluster::host::{Host, HostError, HostLog, Notice, Stream};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;

/// How the host behaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Manner {
    #[default]
    Polite,
    /// Every callback rejects, the launch acknowledgement apart.
    Rejects,
    /// Output is never taken.
    LogHangs,
    /// No notice is ever answered, the launch acknowledgement apart.
    NoticesHang,
    /// Every output call takes 3 s.
    Slow,
    /// The launch is not acknowledged.
    RefusesLaunch,
    /// A defect of the caller's side.
    PanicsOnMeta,
    PanicsOnLog,
}

/// A host and its memory. Clones are the same one.
#[derive(Clone, Default)]
pub(crate) struct TestHost {
    manner: Manner,
    heard: Arc<Mutex<Heard>>,
}

#[derive(Default)]
struct Heard {
    stdout: String,
    stderr: String,
    notices: Vec<Notice>,
}

impl TestHost {
    pub(crate) fn new(manner: Manner) -> Self {
        Self { manner, heard: Arc::default() }
    }

    pub(crate) fn stdout(&self) -> String {
        self.with(|heard| heard.stdout.clone())
    }

    pub(crate) fn stderr(&self) -> String {
        self.with(|heard| heard.stderr.clone())
    }

    pub(crate) fn notices(&self) -> Vec<Notice> {
        self.with(|heard| heard.notices.clone())
    }

    pub(crate) fn dispatches(&self) -> usize {
        self.notices().iter().filter(|notice| matches!(notice, Notice::Dispatch)).count()
    }

    /// Types of the events, in order.
    pub(crate) fn events(&self) -> Vec<String> {
        self.of_events("eventType")
    }

    /// A text member of each event.
    pub(crate) fn of_events(&self, member: &str) -> Vec<String> {
        let text = |notice: &Notice| match notice {
            Notice::Event { event } => event[member].as_str().map(str::to_owned),
            _ => None,
        };
        self.notices().iter().filter_map(text).collect()
    }

    fn with<T>(&self, look: impl FnOnce(&mut Heard) -> T) -> T {
        look(&mut self.heard.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl HostLog for TestHost {
    fn log(&self, stream: Stream, chunk: String) -> BoxFuture<'_, Result<(), HostError>> {
        assert_ne!(self.manner, Manner::PanicsOnLog, "a defect of the host's side");
        self.with(|heard| match stream {
            Stream::Stdout => heard.stdout.push_str(&chunk),
            Stream::Stderr => heard.stderr.push_str(&chunk),
        });
        match self.manner {
            Manner::LogHangs => futures_util::future::pending().boxed(),
            Manner::Rejects => async { Err(HostError("the host rejects".to_owned())) }.boxed(),
            Manner::Slow => async {
                tokio::time::sleep(std::time::Duration::from_secs(3)).await;
                Ok(())
            }
            .boxed(),
            _ => async { Ok(()) }.boxed(),
        }
    }
}

impl Host for TestHost {
    fn notice(&self, notice: Notice) -> BoxFuture<'_, Result<(), HostError>> {
        let is_launch = matches!(notice, Notice::Launched { .. });
        let is_meta = matches!(notice, Notice::Meta { .. });
        self.with(|heard| heard.notices.push(notice));
        assert!(!(is_meta && self.manner == Manner::PanicsOnMeta), "a defect of the host's side");
        let rejected = || async { Err(HostError("the host rejects".to_owned())) }.boxed();
        match self.manner {
            Manner::RefusesLaunch if is_launch => rejected(),
            Manner::Rejects if !is_launch => rejected(),
            Manner::NoticesHang if !is_launch => futures_util::future::pending().boxed(),
            _ => async { Ok(()) }.boxed(),
        }
    }
}
