//! CFG-04: the tables of `docs/configuration.md` are those of the code.
//!
//! `UPDATE_DOCS=1 cargo test -p claude-k8s-core --test it config_docs` writes them.

use std::fmt::Write as _;
use std::path::Path;

use claude_k8s_core::config::{KEYS, Topic};

/// The table of one topic.
fn table(topic: Topic) -> String {
    let mut text = "| key | type and accepted shapes | default | effect | where |\n|---|---|---|---|---|\n".to_owned();
    for key in KEYS.iter().filter(|key| key.topic == topic) {
        let place = key.place.as_str();
        writeln!(text, "| `{}` | {} | {} | {} | {place} |", key.name, key.shape, key.default, key.effect).unwrap();
    }
    text
}

/// The page with the tables of the code between its markers.
fn with_tables(page: &str) -> String {
    let mut page = page.to_owned();
    for topic in Topic::ALL {
        let open = format!("## {}\n\n<!-- table: generated from crates/core/src/config/keys.rs -->\n", topic.title());
        let close = "<!-- end of table -->";
        let start = page.find(&open).unwrap_or_else(|| panic!("no table for `{}`", topic.title())) + open.len();
        let end = start + page[start..].find(close).expect("every table has an end");
        page.replace_range(start..end, &table(topic));
    }
    page
}

#[test]
fn cfg_04_the_documented_keys_are_the_accepted_ones() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/configuration.md");
    let page = std::fs::read_to_string(&path).expect("docs/configuration.md exists");
    let expected = with_tables(&page);
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&path, expected).expect("docs/configuration.md can be written");
    } else {
        assert!(page == expected, "docs/configuration.md is behind the code; run this test with UPDATE_DOCS=1");
    }
}
