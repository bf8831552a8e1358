//! Every code and every message an operator can read about the end of a run, as reviewable rows (RES-05).

use claude_k8s_core::failure::ErrorCode;

use crate::outcome_rows;

#[test]
fn res_05_all_codes_with_meaning_and_next_step() {
    let rows: Vec<String> = ErrorCode::ALL
        .iter()
        .map(|code| {
            let (meaning, next) = code.meaning();
            format!("{code} | {meaning} | {next}")
        })
        .collect();
    insta::assert_snapshot!(rows.join("\n"));
}

#[test]
fn res_05_all_messages_of_the_decision_table() {
    let rows: Vec<String> = outcome_rows::rows()
        .iter()
        .map(|(name, scene)| {
            let result = scene.decide();
            let message = result.error_message.unwrap_or_else(|| "-".to_owned());
            assert!(message.chars().count() <= 2000 && !message.contains("{\""), "{name}: {message}");
            assert!(!message.contains('\n') && !message.contains("please"), "{name}: {message}");
            format!("{name} | {} | {message}", result.error_code.map_or("success", ErrorCode::as_str))
        })
        .collect();
    insta::assert_snapshot!(rows.join("\n"));
}
