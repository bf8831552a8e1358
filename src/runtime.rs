//! The one tokio runtime of the process and the text of a panic.

use std::sync::OnceLock;

use claude_k8s_cluster::Engine;
use napi::bindgen_prelude::create_custom_tokio_runtime;

/// Two workers serve a thousand runs: they wait, frame and parse, and never block.
const WORKERS: usize = 2;

/// State that must be unique per process: connections, indexes, launch locks. Both entries and a reloaded one share it.
pub(crate) fn engine() -> &'static Engine {
    static ENGINE: OnceLock<Engine> = OnceLock::new();
    ENGINE.get_or_init(Engine::default)
}

#[napi_derive::module_init]
fn init() {
    let built = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(WORKERS)
        .thread_name("claude-k8s")
        .enable_all()
        .build();
    // Without it napi builds its default runtime with one worker per core, which works as well.
    if let Ok(runtime) = built {
        create_custom_tokio_runtime(runtime);
    }
    claude_k8s_cluster::keep_panic_text();
}
