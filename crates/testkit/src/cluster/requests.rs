//! What was asked: the basis of request budgets in tests.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::Value;

/// Longest request body that is kept, in bytes.
const BODY_LIMIT: usize = 64 * 1024;

/// One request.
#[derive(Debug, Clone)]
pub struct RequestRecord {
    /// Counts from 1.
    pub sequence: u64,
    /// HTTP method.
    pub method: String,
    /// Path without query.
    pub path: String,
    /// Raw query string.
    pub query: String,
    /// Kubernetes verb; empty for discovery.
    pub verb: String,
    /// `jobs`, `pods/log`, …; empty for discovery.
    pub resource: String,
    /// Namespace, if any.
    pub namespace: String,
    /// Object name, if any. Of a create: what its body says.
    pub name: String,
    /// Status of the answer; absent while there is none, and for a reset.
    pub status: Option<u16>,
    /// Start, in milliseconds since the simulator was created.
    pub started_ms: u64,
    /// The client went away before there was an answer.
    pub aborted: bool,
    /// The fault that hit it.
    pub fault: Option<u64>,
    /// Body of a write, if it is JSON of at most 64 KiB.
    pub body: Option<Value>,
}

/// Connections that are open now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OpenStreams {
    /// Requests without an answer yet.
    pub in_flight: usize,
    /// Open watches.
    pub watches: usize,
    /// Open log bodies, following or not.
    pub logs: usize,
}

/// Counts something while it lives.
#[derive(Debug)]
pub(crate) struct Gauge(Arc<AtomicUsize>);

impl Gauge {
    fn raise(counter: &Arc<AtomicUsize>) -> Self {
        counter.fetch_add(1, Ordering::Relaxed);
        Self(Arc::clone(counter))
    }
}

impl Drop for Gauge {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

#[derive(Debug, Default)]
struct Records {
    last: u64,
    list: Vec<RequestRecord>,
}

/// All requests so far. A lock: requests are recorded from many connections, and nothing waits for them.
#[derive(Debug, Default)]
pub(crate) struct RequestLog {
    records: Mutex<Records>,
    in_flight: Arc<AtomicUsize>,
    watches: Arc<AtomicUsize>,
    logs: Arc<AtomicUsize>,
}

impl RequestLog {
    fn lock(&self) -> MutexGuard<'_, Records> {
        self.records.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Records a request; `sequence` is filled in. The ticket marks it aborted unless it is answered.
    pub(crate) fn begin(&self, mut record: RequestRecord) -> Ticket<'_> {
        let mut records = self.lock();
        records.last += 1;
        let sequence = records.last;
        record.sequence = sequence;
        records.list.push(record);
        drop(records);
        Ticket { log: self, sequence, answered: false, _gauge: Gauge::raise(&self.in_flight) }
    }

    pub(crate) fn all(&self) -> Vec<RequestRecord> {
        self.lock().list.clone()
    }

    pub(crate) fn clear(&self) {
        self.lock().list.clear();
    }

    pub(crate) fn open(&self) -> OpenStreams {
        OpenStreams {
            in_flight: self.in_flight.load(Ordering::Relaxed),
            watches: self.watches.load(Ordering::Relaxed),
            logs: self.logs.load(Ordering::Relaxed),
        }
    }

    pub(crate) fn watch_gauge(&self) -> Gauge {
        Gauge::raise(&self.watches)
    }

    pub(crate) fn log_gauge(&self) -> Gauge {
        Gauge::raise(&self.logs)
    }

    fn amend(&self, sequence: u64, change: impl FnOnce(&mut RequestRecord)) {
        let mut records = self.lock();
        if let Ok(index) = records.list.binary_search_by_key(&sequence, |record| record.sequence) {
            change(&mut records.list[index]);
        }
    }
}

/// A request that has not been answered yet.
pub(crate) struct Ticket<'a> {
    log: &'a RequestLog,
    sequence: u64,
    answered: bool,
    _gauge: Gauge,
}

impl Ticket<'_> {
    pub(crate) fn hit_by(&self, fault: u64) {
        self.log.amend(self.sequence, |record| record.fault = Some(fault));
    }

    pub(crate) fn answered(mut self, status: Option<u16>) {
        self.answered = true;
        self.log.amend(self.sequence, |record| record.status = status);
    }
}

impl Drop for Ticket<'_> {
    fn drop(&mut self) {
        if !self.answered {
            self.log.amend(self.sequence, |record| record.aborted = true);
        }
    }
}

/// The body to keep of a request.
pub(crate) fn kept_body(body: &[u8]) -> Option<Value> {
    (!body.is_empty() && body.len() <= BODY_LIMIT).then(|| serde_json::from_slice(body).ok()).flatten()
}
