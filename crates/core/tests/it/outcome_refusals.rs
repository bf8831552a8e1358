//! Error codes: each is produced, each is documented; what a refusal before the launch returns.

use std::collections::BTreeSet;

use claude_k8s_core::failure::{ErrorCode, Refusal};
use claude_k8s_core::outcome::{RunFacts, refused};
use serde_json::json;

use crate::outcome_rows;
use crate::outcome_scene::{IN_A_MINUTE, now};

/// Codes that come from refusals before the launch.
const PRE_LAUNCH: &[ErrorCode] = &[
    ErrorCode::AdapterEngineUnavailable,
    ErrorCode::ConfigurationIncomplete,
    ErrorCode::AgentIdInvalid,
    ErrorCode::CompanyIdInvalid,
    ErrorCode::ApiUnreachable,
    ErrorCode::RbacInsufficient,
    ErrorCode::ConcurrencyGuardUnreachable,
    ErrorCode::ConcurrentRunBlocked,
    ErrorCode::OrphanTaskUnknown,
    ErrorCode::OrphanSessionMismatch,
    ErrorCode::PodReattachFailed,
    ErrorCode::PromptSecretCreateFailed,
    ErrorCode::PromptTooLarge,
    ErrorCode::BundleUnavailable,
    ErrorCode::JobCreateFailed,
    ErrorCode::JobIdentityUnacknowledged,
];

#[test]
fn every_error_code_is_produced_by_a_row_or_by_a_refusal() {
    let mut produced: BTreeSet<&str> = outcome_rows::codes().collect();
    for code in PRE_LAUNCH.iter().chain(&[ErrorCode::InternalError]) {
        let result = refused(&Refusal::new(*code, "why"), &RunFacts::default(), now());
        assert!(produced.insert(result.error_code.unwrap().as_str()), "{code} comes from a row and from a refusal");
    }
    let all: BTreeSet<&str> = ErrorCode::ALL.iter().map(|code| code.as_str()).collect();
    assert_eq!(produced, all);
    assert_eq!(all.len(), ErrorCode::ALL.len());
}

#[test]
fn every_error_code_has_its_section_in_the_troubleshooting_page() {
    let page = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/troubleshooting.md")).unwrap();
    let mut rest = page.as_str();
    for code in ErrorCode::ALL {
        let heading = format!("\n### `{code}`\n");
        let at = rest.find(&heading).unwrap_or_else(|| panic!("`{code}` is missing or out of order"));
        rest = &rest[at + heading.len()..];
        let section = rest.split("\n### ").next().unwrap();
        for part in ["**Meaning:**", "**You see:**", "**Do next:**"] {
            assert!(section.contains(part), "`{code}` has no {part}");
        }
        let (meaning, _) = code.meaning();
        assert!(section.to_lowercase().contains(&meaning.to_lowercase()), "`{code}` does not say: {meaning}");
    }
    assert_eq!(page.matches("\n### `").count(), ErrorCode::ALL.len());
}

#[test]
fn a_refusal_has_bootstrap_evidence_and_touches_no_session() {
    let refusal = Refusal::new(ErrorCode::ConcurrentRunBlocked, "Another run of this agent is active: Job `a`")
        .reason("k8s_guard")
        .transient(Some(60))
        .meta(json!({ "keys": ["guardWaitSec"] }));
    let result = serde_json::to_value(refused(&refusal, &RunFacts::default(), now())).unwrap();
    assert_eq!(
        result,
        json!({
            "exitCode": null, "signal": null, "timedOut": false,
            "errorMessage": "Another run of this agent is active: Job `a`",
            "errorCode": "k8s_concurrent_run_blocked", "errorFamily": "transient_upstream",
            "retryNotBefore": IN_A_MINUTE, "errorMeta": { "keys": ["guardWaitSec"] },
            "executionRecovery": { "kind": "bootstrap", "providerWorkStarted": false },
            "resultJson": {
                "k8s": { "job": null, "uid": null, "namespace": null, "pod": null, "node": null, "attempts": 0,
                    "adopted": false, "adoptedRun": null, "warnings": [], "degraded": [], "reason": "k8s_guard" },
                "executionRecovery": { "kind": "bootstrap", "providerWorkStarted": false },
                "conversationContinuation": "continue_conversation_v1",
            },
        })
    );
}

#[test]
fn res_13_a_refusal_that_only_a_person_can_lift_does_not_ask_for_a_continuation() {
    let wrong = Refusal::new(ErrorCode::ConfigurationIncomplete, "`image` is missing");
    let result = refused(&wrong, &RunFacts::default(), now());
    assert_eq!(result.result_json.get("conversationContinuation"), None);
}

#[test]
fn res_12_a_defect_or_a_refused_second_attempt_is_no_proof_that_nothing_ran() {
    let internal = refused(&Refusal::new(ErrorCode::InternalError, "x"), &RunFacts::default(), now());
    assert_eq!(internal.execution_recovery, None);
    let second = RunFacts { attempts: 2, ..RunFacts::default() };
    assert_eq!(refused(&Refusal::new(ErrorCode::JobCreateFailed, "x"), &second, now()).execution_recovery, None);
}
