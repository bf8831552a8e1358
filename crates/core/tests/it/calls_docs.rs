//! The tables of `docs/internals/calls.md` are the call table of the code.
//!
//! `UPDATE_DOCS=1 cargo test -p claude-k8s-core --test it calls_docs` writes them.

use std::fmt::Write as _;
use std::path::Path;

use claude_k8s_core::api_failure::FailureKind;
use claude_k8s_core::launch::{Call, End, Reaction};

const OPEN: &str = "<!-- tables: generated from crates/core/src/launch/rows.rs -->\n";
const CLOSE: &str = "<!-- end of tables -->";

fn column(kind: FailureKind) -> &'static str {
    match kind {
        FailureKind::Unauthorized => "401",
        FailureKind::Forbidden => "403",
        FailureKind::OverQuota => "403 quota",
        FailureKind::Rejected => "422",
        FailureKind::NotFound => "404",
        FailureKind::AbsenceUnproven => "404 page",
        FailureKind::AlreadyExists => "409 exists",
        FailureKind::Conflict => "409 conflict",
        FailureKind::Expired => "410",
        FailureKind::TooManyRequests => "429",
        FailureKind::Server => "5xx",
        FailureKind::Unreadable => "unreadable",
        FailureKind::Network => "network",
        FailureKind::Timeout => "timeout",
    }
}

fn cell(reaction: Reaction) -> String {
    match reaction {
        Reaction::Known => "known".to_owned(),
        Reaction::Again => "again".to_owned(),
        Reaction::Later(None) => "later".to_owned(),
        Reaction::Later(Some(seconds)) => format!("in {seconds} s"),
        Reaction::Final => "end".to_owned(),
        Reaction::FinalAs(code) => format!("`{code}`"),
        Reaction::Without => "without".to_owned(),
    }
}

fn end(end: End) -> String {
    match end {
        End::Refuse(code, _) => format!("the run is refused: `{code}`"),
        End::Warn => "a warning".to_owned(),
        End::GoOn => "none: the run goes on".to_owned(),
    }
}

fn tables() -> String {
    let mut text = "| call | again | its end | known, or gone on without |\n|---|---|---|---|\n".to_owned();
    for row in Call::rows() {
        writeln!(text, "| {} | {} | {} | {} |", row.what, row.pace, end(row.end), row.note).unwrap();
    }
    let heads: Vec<&str> = FailureKind::ALL.into_iter().map(column).collect();
    writeln!(text, "\n| call | {} |\n|---|{}", heads.join(" | "), "---|".repeat(heads.len())).unwrap();
    for row in Call::rows() {
        let cells: Vec<String> = row.reactions.into_iter().map(cell).collect();
        writeln!(text, "| {} | {} |", row.what, cells.join(" | ")).unwrap();
    }
    text
}

#[test]
fn fld_01_the_documented_calls_are_those_of_the_table() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/internals/calls.md");
    let page = std::fs::read_to_string(&path).expect("docs/internals/calls.md exists");
    let start = page.find(OPEN).expect("the tables have a beginning") + OPEN.len();
    let stop = page.find(CLOSE).expect("the tables have an end");
    let expected = format!("{}{}{}", &page[..start], tables(), &page[stop..]);
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&path, expected).expect("docs/internals/calls.md can be written");
    } else {
        assert!(page == expected, "docs/internals/calls.md is behind the code; run this test with UPDATE_DOCS=1");
    }
}
