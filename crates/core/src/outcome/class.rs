//! What a failed result means (docs/internals/claude.md 8). Structured members decide; texts only where those are
//! silent, because wording changes with every release (RES-10).

use crate::transcript::{LastResult, start_of};

/// The class of a failure that Claude Code reported, in the order in which classes are tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Class {
    /// The session does not exist, or its id is none.
    Session,
    /// The API refuses something that the conversation contains, and will again.
    Content,
    /// The API refused an image or document, and Claude Code leaves it out from now on.
    MediaRemoved,
    /// The API refuses the request, for whatever reason.
    BadRequest,
    /// Not logged in, wrong key, no permission.
    Auth,
    /// A usage limit with a reset time.
    Quota,
    /// No credit.
    Billing,
    /// The model does not exist for this credential.
    Model,
    /// Overload, rate limit, server or network failure.
    Transient,
    /// The context is full.
    Context,
    /// `--max-turns`.
    TurnLimit,
    /// `--max-budget-usd`.
    Budget,
    /// Claude Code itself did not start.
    Start,
    /// Something about the installation, which Claude Code names in its text.
    Setup,
    /// The model answered with nothing.
    EmptyAnswer,
    /// Anything else.
    Other,
}

/// Classifies a result that is not ok.
///
/// `quota_rejected`: the last rate limit event is a rejection with a reset time.
pub(super) fn class(result: &LastResult, quota_rejected: bool) -> Class {
    if result.errors.iter().any(|text| says_session_unusable(text)) {
        return Class::Session;
    }
    structured(result, quota_rejected).or_else(|| by_text(result)).unwrap_or_else(|| rest(result))
}

/// What is left when neither a member nor a text names a cause.
fn rest(result: &LastResult) -> Class {
    match result.api_error_status {
        Some(400 | 413) => Class::BadRequest,
        _ => Class::Other,
    }
}

/// Kinds of `api_error`. What is missing here is judged by status and text.
const API_ERRORS: &[(&[&str], Class)] = &[
    (&["tool_history_mismatch"], Class::Content),
    (&["media_removed"], Class::MediaRemoved),
    (&["autocompact_thrashing"], Class::Context),
    (&["usage_limit_reached"], Class::Quota),
    (&["connection_failed", "stream_idle_timeout", "computer_slept", "no_response"], Class::Transient),
    (
        &[
            "provider_credentials",
            "gateway_signin_required",
            "gateway_session_expired",
            "api_key_auth_disabled",
            "org_disabled_credential",
            "invalid_credential_header",
            "stored_login_refused",
            "oauth_refresh_store_refused",
            "named_profile_unusable",
        ],
        Class::Auth,
    ),
    (&["model_requires_usage_credits", "long_context_credits_required"], Class::Billing),
    (
        &[
            "tls_untrusted_ca",
            "tls_cert_signature_failure",
            "gateway_content_type",
            "network_edge_blocked",
            "claude_code_version_too_old",
            "effort_requires_thinking",
            "advisor_incompatible",
            "model_substitution_disabled",
            "no_allowed_fallback",
            "consent_unanswered",
            "unattended_start_limit",
            "unattended_start_unconfirmed",
        ],
        Class::Setup,
    ),
    (&["max_output_tokens"], Class::Other),
];

fn structured(result: &LastResult, quota_rejected: bool) -> Option<Class> {
    let status = result.api_error_status;
    let made_by_cli = result.assistant_error.as_deref();
    let api_error = result.api_error.as_deref();
    let reason = result.terminal_reason.as_deref();
    let subtype = result.subtype.as_deref();
    // A rejection seen earlier says nothing about a failure that has another cause.
    let may_be_quota = matches!(status, None | Some(429)) && !subtype.is_some_and(|it| it.starts_with("error_max"));

    let named = API_ERRORS.iter().find(|(names, _)| api_error.is_some_and(|name| names.contains(&name)));
    let login = ["authentication_failed", "oauth_org_not_allowed", "account_on_hold", "verification_required"];
    let rows = [
        (reason == Some("image_error"), Class::Content),
        (named.is_some(), named.map_or(Class::Other, |(_, class)| *class)),
        (matches!(status, Some(401 | 403)) || made_by_cli.is_some_and(|error| login.contains(&error)), Class::Auth),
        (made_by_cli == Some("cloud_credential_error"), Class::Auth),
        (quota_rejected && may_be_quota, Class::Quota),
        (made_by_cli == Some("billing_error"), Class::Billing),
        (status == Some(404) || made_by_cli == Some("model_not_found"), Class::Model),
        (
            matches!(status, Some(429 | 500..=599))
                || matches!(made_by_cli, Some("server_error" | "rate_limit" | "overloaded")),
            Class::Transient,
        ),
        (matches!(reason, Some("prompt_too_long" | "blocking_limit" | "rapid_refill_breaker")), Class::Context),
        (subtype == Some("error_max_turns") || reason == Some("max_turns"), Class::TurnLimit),
        (subtype == Some("error_max_budget_usd") || reason == Some("budget_exhausted"), Class::Budget),
        (result.startup_failure_reason.is_some(), Class::Start),
        (result.errors.iter().any(|text| is_empty_answer(text)), Class::EmptyAnswer),
    ];
    rows.into_iter().find_map(|(applies, class)| applies.then_some(class))
}

/// Texts of releases that lack the members above.
fn by_text(result: &LastResult) -> Option<Class> {
    const LOGIN: &[&str] =
        &["please run /login", "not logged in", "invalid api key", "failed to authenticate", "token has expired"];
    const QUOTA: &[&str] = &["usage limit reached", "hit your"];
    const BILLING: &[&str] = &["credit balance"];
    const MODEL: &[&str] = &["issue with the selected model"];
    const TRANSIENT: &[&str] = &[
        "overloaded",
        "rate limit",
        "temporarily limiting",
        "request rejected (429)",
        "too many requests",
        "throttl",
        "internal server error",
        "service unavailable",
        "bad gateway",
        "timed out",
        "connection refused",
        "connection error",
        "connection to the api was lost",
        "can't reach the api",
        "econnreset",
        "econnrefused",
        "enotfound",
        "etimedout",
    ];
    const CONTEXT: &[&str] = &["prompt is too long", "autocompact is thrashing"];
    const TURNS: &[&str] = &["reached maximum number of turns"];
    const BUDGET: &[&str] = &["reached maximum budget"];
    const CONTENT: &[&str] = &["could not process image", "previous_message_id"];

    let texts: Vec<String> = cli_texts(result).map(str::to_lowercase).collect();
    let says = |words: &[&str]| texts.iter().any(|text| words.iter().any(|word| text.contains(word)));
    // A status that was reported already excludes what other statuses mean.
    let unexplained = result.api_error_status.is_none();
    let rows = [
        (unexplained && says(LOGIN), Class::Auth),
        (unexplained && says(QUOTA) && says(&["limit"]) && !says(&["not your usage limit"]), Class::Quota),
        (says(BILLING), Class::Billing),
        (unexplained && says(MODEL), Class::Model),
        (unexplained && says(TRANSIENT), Class::Transient),
        (says(CONTEXT), Class::Context),
        (unexplained && says(TURNS), Class::TurnLimit),
        (unexplained && says(BUDGET), Class::Budget),
        (matches!(result.api_error_status, None | Some(400)) && says(CONTENT), Class::Content),
    ];
    rows.into_iter().find_map(|(applies, class)| applies.then_some(class))
}

/// The session does not exist, or the id is none. Also said on stderr, by some releases only there.
pub(super) fn says_session_unusable(text: &str) -> bool {
    let text = text.to_lowercase();
    text.contains("no conversation found") || text.contains("--resume requires a valid session")
}

fn is_empty_answer(text: &str) -> bool {
    text.contains("[ede_diagnostic]") && text.contains("last_content_type=none")
}

/// The beginnings of the texts that Claude Code wrote into a failed result.
fn cli_texts(result: &LastResult) -> impl Iterator<Item = &str> {
    const READ_BYTES: usize = 4 * 1024;
    std::iter::once(&result.text).chain(&result.errors).map(|text| start_of(text, READ_BYTES))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A failed result of a release that has no structured members.
    fn only_text(text: &str) -> LastResult {
        LastResult { text: text.to_owned(), subtype: Some("success".to_owned()), ..LastResult::default() }
    }

    #[test]
    fn res_10_texts_classify_when_no_member_does() {
        for (text, expected) in [
            ("Invalid API key · Please run /login", Class::Auth),
            ("Claude AI usage limit reached", Class::Quota),
            ("You've hit your weekly limit · resets Nov 26", Class::Quota),
            ("API Error: Server is temporarily limiting requests (not your usage limit) · later", Class::Transient),
            ("Credit balance is too low", Class::Billing),
            ("There's an issue with the selected model (x).", Class::Model),
            ("API Error: 529 Overloaded.", Class::Transient),
            ("ThrottlingException: Too many requests", Class::Transient),
            ("Prompt is too long", Class::Context),
            ("something new", Class::Other),
        ] {
            assert_eq!(class(&only_text(text), false), expected, "{text}");
        }
    }

    #[test]
    fn res_10_a_member_wins_over_the_text() {
        let bad_request =
            LastResult { api_error_status: Some(400), ..only_text("API Error: 400 tool `rate limit` is invalid") };
        assert_eq!(class(&bad_request, false), Class::BadRequest);
        let overload = LastResult { api_error_status: Some(529), ..only_text("please run /login") };
        assert_eq!(class(&overload, false), Class::Transient);
    }

    #[test]
    fn a_quota_rejection_explains_only_failures_that_can_come_from_it() {
        let turns = LastResult { subtype: Some("error_max_turns".to_owned()), ..LastResult::default() };
        assert_eq!(class(&turns, true), Class::TurnLimit);
        let limited = LastResult { api_error_status: Some(429), ..only_text("") };
        assert_eq!(class(&limited, true), Class::Quota);
        assert_eq!(class(&limited, false), Class::Transient);
    }
}
