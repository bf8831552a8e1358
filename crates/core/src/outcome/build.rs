//! From verdict and evidence to the host's object.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value};

use super::claims::{near, plausible};
use super::ending::{ContainerEnd, Ending, Stop};
use super::evidence::{Billing, Evidence, RunFacts, SessionFacts};
use super::mcp::mcp_warnings;
use super::plain_text::bounded;
use super::result::{ExecutionRecovery, RunResult, SessionFields};
use super::result_json::{CONTINUATION, identity, result_json, storable};
use super::seen::Seen;
use super::table::verdict;
use super::verdict::{Exit, Session};
use crate::failure::{ErrorCode, ErrorFamily, Refusal};
use crate::launch::{NotLaunched, StopOrder};
use crate::transcript::{Transcript, Usage};

/// Decides a run: the decision table over everything that was observed.
#[must_use]
pub fn decide(evidence: &Evidence<'_>) -> RunResult {
    let seen = Seen::new(evidence);
    let verdict = verdict(&seen);
    let failed = verdict.code.is_some();
    let transcript = evidence.transcript;

    let (exit_code, signal) = match verdict.exit {
        Exit::Success => (Some(0), None),
        Exit::AsObserved => seen.exit(),
        Exit::Unknown => (None, None),
    };
    let (session, clear_session) = session(evidence, verdict.session);
    let usage = sum([transcript.usage(), evidence.earlier, adopted_usage(evidence.run)]);
    let mut claims = Vec::new();
    let usage = usage.map(|usage| plausible(usage, transcript.claims_odd_cost(), &mut claims));
    let (provider, biller, billing_type) = billing(evidence.session, transcript);

    let summary = if failed { None } else { summary(transcript) };

    let mut result = RunResult {
        exit_code,
        signal,
        timed_out: verdict.timed_out,
        result_json: result_json(evidence, &verdict, summary.as_deref()),
        error_message: verdict.message,
        error_code: verdict.code,
        error_family: verdict.family,
        retry_not_before: verdict.retry_not_before.map(|time| near(time, evidence.now)),
        error_meta: None,
        execution_recovery: verdict.recovery,
        usage: usage.map(Into::into),
        cost_usd: usage.and_then(|usage| usage.cost_usd),
        session,
        clear_session,
        provider: Some(provider),
        biller: Some(biller),
        billing_type: Some(billing_type),
        model: transcript.model().map(str::to_owned).or_else(|| evidence.session.configured_model.clone()),
        summary,
    };
    claims.iter().chain(&mcp_warnings(transcript, evidence.session)).for_each(|text| result.warn(text));
    result
}

/// The result of a run that was refused before anything of it ran: bootstrap evidence, no session fields.
///
/// When a *fresh attempt* is refused, [`decide`] the first attempt instead (with `fresh_attempt_used`): its evidence
/// says more.
#[must_use]
pub fn refused(refusal: &Refusal, facts: &RunFacts, now: Timestamp) -> RunResult {
    // Neither a defect of the adapter nor a second attempt proves that nothing was started.
    let nothing_ran = refusal.code != ErrorCode::InternalError && facts.attempts < 2;
    let recovery = nothing_ran.then_some(ExecutionRecovery::Bootstrap);
    let retry_not_before = refusal
        .retry_after_seconds
        .and_then(|seconds| now.checked_add(SignedDuration::from_secs(i64::from(seconds))).ok());
    let mut k8s = identity(facts);
    k8s.insert("reason".to_owned(), refusal.reason.into());
    let mut json = Map::new();
    json.insert("k8s".to_owned(), Value::Object(k8s));
    if let Some(recovery) = recovery {
        json.insert("executionRecovery".to_owned(), recovery.to_value());
        // Of a refusal that may pass: after its two retries the host would block the task, though nothing was done.
        if refusal.family == Some(ErrorFamily::TransientUpstream) {
            json.insert(CONTINUATION.0.to_owned(), CONTINUATION.1.into());
        }
    }
    let usage = adopted_usage(facts);
    RunResult {
        error_message: Some(storable(&bounded(&refusal.message))),
        error_code: Some(refusal.code),
        error_family: refusal.family,
        retry_not_before,
        error_meta: refusal.meta.clone(),
        execution_recovery: recovery,
        usage: usage.map(Into::into),
        cost_usd: usage.and_then(|usage| usage.cost_usd),
        result_json: json,
        ..RunResult::default()
    }
}

/// The result of a run without a Job to follow.
#[must_use]
pub fn not_launched(reason: &NotLaunched, facts: &RunFacts, now: Timestamp) -> RunResult {
    let stop = match reason {
        NotLaunched::Refused(refusal) => return refused(refusal, facts, now),
        NotLaunched::Stopped(StopOrder::Cancel) => Stop::CancelledBeforeRelease,
        NotLaunched::Stopped(StopOrder::LeaseLost) => Stop::LeaseLost,
    };
    decide(&Evidence {
        run: facts,
        session: &SessionFacts::default(),
        transcript: &Transcript::default(),
        ending: Ending { stop: Some(stop), ..Ending::seen(ContainerEnd::NeverStarted) },
        fresh_attempt_used: false,
        earlier: None,
        now,
    })
}

fn sum<const N: usize>(parts: [Option<Usage>; N]) -> Option<Usage> {
    parts.into_iter().flatten().reduce(std::ops::Add::add)
}

/// What the adopted run of another id spent: nobody else will book it.
fn adopted_usage(run: &RunFacts) -> Option<Usage> {
    let result = &run.adopted_run.as_ref()?.result;
    let usage = result.get("usage")?;
    let count = |name: &str| usage.get(name).and_then(Value::as_u64).unwrap_or_default();
    Some(Usage {
        input_tokens: count("inputTokens"),
        cached_input_tokens: count("cachedInputTokens"),
        output_tokens: count("outputTokens"),
        cost_usd: result.get("costUsd").and_then(Value::as_f64),
    })
}

fn session(evidence: &Evidence<'_>, action: Session) -> (SessionFields, bool) {
    let id = evidence.transcript.session_id();
    // The fresh attempt was to replace a dead session; without a new one the dead one must go.
    let replaced = evidence.run.attempts >= 2 && id.is_none() && action != Session::Spare;
    let clear = action == Session::Clear || replaced;
    let fields = match id {
        _ if matches!(action, Session::Untouched | Session::Spare) => SessionFields::Unchanged,
        _ if !evidence.session.persistent => SessionFields::none(),
        Some(id) if !clear => SessionFields::Stored {
            session_id: id.to_owned(),
            session_display_id: id.to_owned(),
            session_params: session_params(id, evidence.session),
        },
        _ => SessionFields::Unchanged,
    };
    (fields, clear)
}

fn session_params(id: &str, facts: &SessionFacts) -> Map<String, Value> {
    let stored = &facts.stored;
    let members = [
        ("cwd", &stored.cwd),
        ("workspaceId", &stored.workspace_id),
        ("repoUrl", &stored.repo_url),
        ("repoRef", &stored.repo_ref),
        ("promptBundleKey", &stored.prompt_bundle_key),
        ("mcpServerIdentity", &stored.mcp_server_identity),
    ];
    let present = members.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value.clone()?.into())));
    std::iter::once(("sessionId".to_owned(), id.into())).chain(present).collect()
}

/// Provider, biller and billing type. What is not known counts as billed per token: cost is never hidden.
fn billing(session: &SessionFacts, transcript: &Transcript) -> (&'static str, &'static str, &'static str) {
    let Billing { bedrock, vertex, foundry, gateway, api_key, oauth_token, configured } = session.billing;
    let elsewhere = [(bedrock, "aws_bedrock"), (vertex, "google_vertex"), (foundry, "azure_foundry")];
    if let Some((_, biller)) = elsewhere.into_iter().find(|(on, _)| *on) {
        return ("anthropic", biller, configured.unwrap_or("metered_api"));
    }
    let source = transcript.api_key_source();
    let has_key = gateway || api_key || source.is_some_and(|source| source != "none");
    // `none` also stands for the login that an earlier run stored in a persistent `HOME` (docs/internals/claude.md 2).
    let stored_login = source == Some("none") && session.persistent;
    let subscription = !has_key && (oauth_token || stored_login);
    ("anthropic", "anthropic", configured.unwrap_or(if subscription { "subscription" } else { "api" }))
}

fn summary(transcript: &Transcript) -> Option<String> {
    let text = transcript.last_result().map(|result| result.text.trim()).filter(|text| !text.is_empty());
    text.map(str::to_owned).or_else(|| transcript.main_texts()).map(|text| storable(&text))
}
