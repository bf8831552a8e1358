//! The process that called: where output goes and who may order a stop.

use claude_k8s_core::operate::RunRow;
use futures_util::future::BoxFuture;
use serde_json::Value;
use tokio::sync::watch;
use tokio_util::task::TaskTracker;

pub use crate::logs::{HostError, HostLog};
pub use claude_k8s_core::launch::StopOrder;
pub use claude_k8s_core::log::Stream;

/// What a run tells its host besides output. Serialised for JavaScript as `{ kind, … }`.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
#[serde(tag = "kind", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum Notice {
    /// `ctx.onMeta`: once per launched attempt and once per adoption.
    Meta {
        /// The payload, secrets already replaced.
        meta: Value,
    },
    /// `ctx.onEvent`.
    Event {
        /// `{ eventType, stream, level, message, payload }`; `payload.event` says what happened.
        event: Value,
    },
    /// `ctx.onRuntimeProgress`.
    Progress {
        /// `adapter_startup` or `finalize`.
        phase: &'static str,
        /// What is waited for, or what the agent does.
        message: String,
        /// Of an agent that works: its tool, its last words, and when it was heard.
        #[serde(flatten)]
        live: Option<LiveMembers>,
    },
    /// The runs of a namespace, for who watches them.
    Rows {
        /// Newest first.
        rows: Vec<RunRow>,
    },
    /// `ctx.onDispatch`: exactly once, immediately before a Job is released.
    Dispatch,
    /// The launch acknowledgement of some hosts. A rejection withdraws the launch.
    Launched {
        /// Job name.
        job_name: String,
        /// Job uid.
        job_uid: String,
        /// Namespace.
        namespace: String,
        /// Run id.
        run_id: String,
    },
}

/// Members of [`Notice::Progress`] that only a working agent has, under the host's names.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub struct LiveMembers {
    /// The tool that is under way.
    pub current_tool_name: Option<String>,
    /// What the model said last, at most 200 characters.
    pub last_assistant_snippet: Option<String>,
    /// ISO 8601.
    pub last_event_at: String,
}

/// The host's side of a run: output by [`HostLog`], everything else here.
pub trait Host: HostLog + 'static {
    /// Hands over a notice.
    fn notice(&self, notice: Notice) -> BoxFuture<'_, Result<(), HostError>>;
}

/// What goes on behind the result of a run: a clean-up that the API server has not answered yet, for at most 10 s. It
/// calls the host no more. Clones are handles to the same work.
#[derive(Debug, Clone, Default)]
pub struct Behind(TaskTracker);

impl Behind {
    pub(crate) fn spawn(&self, work: impl Future<Output = ()> + Send + 'static) {
        drop(self.0.spawn(work));
    }

    /// Resolves when nothing goes on any more. Asked after the result.
    pub async fn is_over(&self) {
        self.0.close();
        self.0.wait().await;
    }
}

/// Gives the order; cloning gives another handle to the same run.
#[derive(Debug, Clone)]
pub struct StopSwitch(watch::Sender<Option<StopOrder>>);

impl StopSwitch {
    /// A switch and the signal that it controls.
    #[must_use]
    pub fn new() -> (Self, StopSignal) {
        let (sender, receiver) = watch::channel(None);
        (Self(sender), StopSignal(receiver))
    }

    /// Orders a stop. The first order counts; further ones change nothing.
    pub fn order(&self, order: StopOrder) {
        self.0.send_if_modified(|current| {
            let first = current.is_none();
            current.get_or_insert(order);
            first
        });
    }
}

/// Tells a run that it was ordered to stop. Every wait of a run listens to it.
#[derive(Debug, Clone)]
pub struct StopSignal(watch::Receiver<Option<StopOrder>>);

impl StopSignal {
    /// The order, if one was given.
    #[must_use]
    pub fn get(&self) -> Option<StopOrder> {
        *self.0.borrow()
    }

    /// Resolves when an order was given. Cancel-safe; pending for ever when the switch is gone.
    pub async fn ordered(&self) -> StopOrder {
        let mut receiver = self.0.clone();
        match receiver.wait_for(Option::is_some).await.map(|order| *order) {
            Ok(Some(order)) => order,
            Ok(None) | Err(_) => std::future::pending().await,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn can_02_the_first_order_counts_and_every_waiter_hears_it_whenever_it_listens() {
        let (switch, signal) = StopSwitch::new();
        assert_eq!(signal.get(), None);
        let (early, other) = (signal.clone(), switch.clone());
        let (heard, ()) = tokio::join!(early.ordered(), async move {
            other.order(StopOrder::Cancel);
            other.order(StopOrder::LeaseLost);
        });
        assert_eq!(heard, StopOrder::Cancel);
        drop(switch);
        assert_eq!((signal.ordered().await, signal.get()), (StopOrder::Cancel, Some(StopOrder::Cancel)));
    }

    #[tokio::test]
    async fn a_switch_that_is_dropped_orders_nothing() {
        let (switch, signal) = StopSwitch::new();
        drop(switch);
        assert_eq!(futures_util::FutureExt::now_or_never(signal.ordered()), None);
    }
}
