//! The host's callbacks. The only user of `ThreadsafeFunction`.

use claude_k8s_cluster::host::{Host, HostError, HostLog, Notice, Stream};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use napi::Status;
use napi::bindgen_prelude::{FnArgs, Promise};
use napi::threadsafe_function::ThreadsafeFunction;

/// `(stream, chunk) => Promise<void>`. Weak: it does not keep Node alive; the pending `wait()` does.
type LogFunction =
    ThreadsafeFunction<FnArgs<(String, String)>, Promise<()>, FnArgs<(String, String)>, Status, false, true, 0>;
/// `(notice: string) => Promise<void>`.
type NoticeFunction = ThreadsafeFunction<String, Promise<()>, String, Status, false, true, 0>;

/// What JavaScript passes to `startRun`. Both functions must return a promise.
#[napi_derive::napi(object, object_to_js = false)]
pub struct BindingCallbacks {
    /// Receives one chunk of output; the next one waits for the promise.
    #[napi(ts_type = "(stream: string, chunk: string) => Promise<void>")]
    pub on_log: LogFunction,
    /// Receives a notice as JSON text.
    #[napi(ts_type = "(notice: string) => Promise<void>")]
    pub on_notice: NoticeFunction,
}

/// The host as the cluster layer sees it.
pub(crate) struct JsHost(BindingCallbacks);

impl JsHost {
    pub(crate) fn new(callbacks: BindingCallbacks) -> Self {
        Self(callbacks)
    }
}

impl HostLog for JsHost {
    fn log(&self, stream: Stream, chunk: String) -> BoxFuture<'_, Result<(), HostError>> {
        // `call_async` would end the process when the function throws (docs/internals/napi.md 2).
        let call = self.0.on_log.call_async_catch((stream.as_str().to_owned(), chunk).into());
        async move { call.await.map_err(failed)?.await.map_err(failed) }.boxed()
    }
}

impl Host for JsHost {
    fn notice(&self, notice: Notice) -> BoxFuture<'_, Result<(), HostError>> {
        async move {
            let text = serde_json::to_string(&notice).map_err(|error| HostError(error.to_string()))?;
            self.0.on_notice.call_async_catch(text).await.map_err(failed)?.await.map_err(failed)
        }
        .boxed()
    }
}

fn failed(error: napi::Error) -> HostError {
    HostError(error.reason.clone())
}
