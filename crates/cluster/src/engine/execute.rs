//! One `execute(ctx)`, from the request to the result. Always answers.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use claude_k8s_core::config::Config;
use claude_k8s_core::failure::Refusal;
use claude_k8s_core::outcome::{self, RunFacts, RunResult};
use claude_k8s_core::plan;
use claude_k8s_core::request::RunRequest;
use futures_util::FutureExt;

use super::flow::Flow;
use super::{Engine, panic};
use crate::clock::Clock;
use crate::host::{Behind, Host, StopSignal};
use crate::run::{Output, RunContext};

impl Engine {
    /// Runs Claude Code as a Job. Resolves whatever happens, a panic included (HST-01, HST-10). `behind` has what is not
    /// over then.
    pub async fn execute(
        &self,
        request: RunRequest,
        host: Arc<dyn Host>,
        stop: StopSignal,
        behind: Behind,
    ) -> RunResult {
        let clock = Clock::start();
        let output = Output::new(host);
        let running = Box::pin(self.run(request, output.clone(), stop.clone(), behind, clock));
        let run = AssertUnwindSafe(running).catch_unwind().await;
        let mut result = run.unwrap_or_else(|payload| refuse(&output, &panic::refusal(payload.as_ref()), clock));
        if let Some(text) = output.finish(stop.get().is_some()).await {
            result.warn(&text);
        }
        result.scrub(&|text| output.redact(text));
        result
    }

    async fn run(
        &self,
        request: RunRequest,
        output: Output,
        stop: StopSignal,
        behind: Behind,
        clock: Clock,
    ) -> RunResult {
        let checked = plan::check(&request).and_then(|()| Config::parse(&request.config).map_err(Refusal::from));
        let config = match checked {
            Ok(config) => config,
            Err(refusal) => return refuse(&output, &refusal, clock),
        };
        let prepared = tokio::select! {
            biased;
            order = stop.ordered() => return outcome::not_launched(&order.into(), &RunFacts::default(), clock.now()),
            prepared = self.prepare(request, config, output.clone(), stop.clone(), clock) => prepared,
        };
        match prepared {
            Ok(run) => Flow::new(RunContext { behind, ..run }).go().await,
            Err(refusal) => refuse(&output, &refusal, clock),
        }
    }
}

/// The answer of a run that never started; the reader of the log sees the same text.
fn refuse(output: &Output, refusal: &Refusal, clock: Clock) -> RunResult {
    let refusal = refusal.redacted(&output.redactor());
    output.warn(&refusal.message);
    outcome::refused(&refusal, &RunFacts::default(), clock.now())
}
