//! One `execute(ctx)`, from the request to the result. Always answers.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use claude_k8s_core::config::Config;
use claude_k8s_core::failure::Refusal;
use claude_k8s_core::outcome::{self, ContainerEnd, Ending, Evidence, RunFacts, RunResult, SessionFacts, Stop};
use claude_k8s_core::plan;
use claude_k8s_core::request::RunRequest;
use claude_k8s_core::transcript::Transcript;
use futures_util::FutureExt;

use super::flow::Flow;
use super::{Engine, panic};
use crate::clock::Clock;
use crate::host::{Host, StopOrder, StopSignal};
use crate::run::Output;

impl Engine {
    /// Runs Claude Code as a Job. Resolves whatever happens, a panic included (HST-01, HST-10).
    pub async fn execute(&self, request: RunRequest, host: Arc<dyn Host>, stop: StopSignal) -> RunResult {
        let clock = Clock::start();
        let output = Output::new(host);
        let running = Box::pin(self.run(request, output.clone(), stop.clone(), clock));
        let run = AssertUnwindSafe(running).catch_unwind().await;
        let mut result = run.unwrap_or_else(|payload| refuse(&output, &panic::refusal(payload.as_ref()), clock));
        if let Some(text) = output.finish(stop.get().is_some()).await {
            result.warn(&text);
        }
        result.scrub(&|text| output.redact(text));
        result
    }

    async fn run(&self, request: RunRequest, output: Output, stop: StopSignal, clock: Clock) -> RunResult {
        let checked = plan::check(&request).and_then(|()| Config::parse(&request.config).map_err(Refusal::from));
        let config = match checked {
            Ok(config) => config,
            Err(refusal) => return refuse(&output, &refusal, clock),
        };
        let prepared = tokio::select! {
            biased;
            order = stop.ordered() => return stopped(order, &RunFacts::default(), clock),
            prepared = self.prepare(request, config, output.clone(), stop.clone(), clock) => prepared,
        };
        match prepared {
            Ok(run) => Flow::new(&run).go().await,
            Err(refusal) => refuse(&output, &refusal, clock),
        }
    }
}

/// The answer of a run that never started; the reader of the log sees the same text.
fn refuse(output: &Output, refusal: &Refusal, clock: Clock) -> RunResult {
    output.warn(&refusal.message);
    outcome::refused(refusal, &RunFacts::default(), clock.now())
}

/// The answer of a run that was stopped before its Job was released.
pub(super) fn stopped(order: StopOrder, facts: &RunFacts, clock: Clock) -> RunResult {
    let stop = match order {
        StopOrder::Cancel => Stop::CancelledBeforeRelease,
        StopOrder::LeaseLost => Stop::LeaseLost,
    };
    outcome::decide(&Evidence {
        run: facts,
        session: &SessionFacts::default(),
        transcript: &Transcript::default(),
        ending: Ending { stop: Some(stop), ..Ending::seen(ContainerEnd::NeverStarted) },
        fresh_attempt_used: false,
        earlier: None,
        now: clock.now(),
    })
}
