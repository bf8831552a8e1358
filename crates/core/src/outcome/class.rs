//! What a failed result means (docs/internals/claude.md 8). Structured members decide; texts only where those are
//! silent, because wording changes with every release (RES-10).

use crate::transcript::{LastResult, start_of};

/// The class of a failure that Claude Code reported, in the order in which classes are tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Class {
    /// The session does not exist, or its content cannot be sent again.
    Session,
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
    /// The model answered with nothing.
    EmptyAnswer,
    /// Anything else.
    Other,
}

/// Classifies a result that is not ok.
///
/// `quota_rejected`: the last rate limit event is a rejection with a reset time. `resumed`: the run continued a
/// session, so content that the API refuses is content of that session.
pub(super) fn class(result: &LastResult, quota_rejected: bool, resumed: bool) -> Class {
    if result.errors.iter().any(|text| says_session_unusable(text)) || (resumed && content_refused(result)) {
        return Class::Session;
    }
    structured(result, quota_rejected).or_else(|| by_text(result)).unwrap_or(Class::Other)
}

fn structured(result: &LastResult, quota_rejected: bool) -> Option<Class> {
    let status = result.api_error_status;
    let made_by_cli = result.assistant_error.as_deref();
    let api_error = result.api_error.as_deref();
    let reason = result.terminal_reason.as_deref();
    let subtype = result.subtype.as_deref();
    // A rejection seen earlier says nothing about a failure that has another cause.
    let may_be_quota = matches!(status, None | Some(429)) && !subtype.is_some_and(|it| it.starts_with("error_max"));

    let rows = [
        (matches!(status, Some(401 | 403)) || made_by_cli == Some("authentication_failed"), Class::Auth),
        (api_error == Some("usage_limit_reached") || (quota_rejected && may_be_quota), Class::Quota),
        (made_by_cli == Some("billing_error"), Class::Billing),
        (status == Some(404) || made_by_cli == Some("model_not_found"), Class::Model),
        (
            matches!(status, Some(429 | 500..=599))
                || api_error == Some("connection_failed")
                || matches!(made_by_cli, Some("server_error" | "rate_limit" | "overloaded")),
            Class::Transient,
        ),
        (matches!(reason, Some("prompt_too_long" | "blocking_limit" | "rapid_refill_breaker")), Class::Context),
        (subtype == Some("error_max_turns") || reason == Some("max_turns"), Class::TurnLimit),
        (subtype == Some("error_max_budget_usd") || reason == Some("budget_exhausted"), Class::Budget),
        (result.startup_failure_reason.is_some(), Class::Start),
        (result.errors.iter().any(|text| is_empty_answer(text)), Class::EmptyAnswer),
        (api_error == Some("max_output_tokens"), Class::Other),
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
    ];
    rows.into_iter().find_map(|(applies, class)| applies.then_some(class))
}

/// The session does not exist, or the id is none. Also said on stderr, by some releases only there.
pub(super) fn says_session_unusable(text: &str) -> bool {
    let text = text.to_lowercase();
    text.contains("no conversation found") || text.contains("--resume requires a valid session")
}

/// The API refuses something that the resumed session contains, so every further resume ends in the same way.
fn content_refused(result: &LastResult) -> bool {
    matches!(result.api_error_status, None | Some(400))
        && cli_texts(result)
            .map(str::to_lowercase)
            .any(|text| text.contains("could not process image") || text.contains("previous_message_id"))
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
            assert_eq!(class(&only_text(text), false, false), expected, "{text}");
        }
    }

    #[test]
    fn res_10_a_member_wins_over_the_text() {
        let bad_request =
            LastResult { api_error_status: Some(400), ..only_text("API Error: 400 tool `rate limit` is invalid") };
        assert_eq!(class(&bad_request, false, false), Class::Other);
        let overload = LastResult { api_error_status: Some(529), ..only_text("please run /login") };
        assert_eq!(class(&overload, false, false), Class::Transient);
    }

    #[test]
    fn a_quota_rejection_explains_only_failures_that_can_come_from_it() {
        let turns = LastResult { subtype: Some("error_max_turns".to_owned()), ..LastResult::default() };
        assert_eq!(class(&turns, true, false), Class::TurnLimit);
        let limited = LastResult { api_error_status: Some(429), ..only_text("") };
        assert_eq!(class(&limited, true, false), Class::Quota);
        assert_eq!(class(&limited, false, false), Class::Transient);
    }

    #[test]
    fn ses_03_refused_content_makes_only_a_resumed_session_unusable() {
        let image = LastResult { api_error_status: Some(400), ..only_text("API Error: 400 Could not process image") };
        assert_eq!(class(&image, false, true), Class::Session);
        assert_eq!(class(&image, false, false), Class::Other);
    }
}
