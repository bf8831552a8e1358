//! CFG-04: the tables of `docs/configuration.md`, the form and the agents' document are printed from the keys.
//!
//! `UPDATE_DOCS=1 cargo test -p claude-k8s-core --test it config_docs` writes them.

use std::fmt::Write as _;
use std::path::Path;

use claude_k8s_core::config::{Topic, fields, rows};

/// The table of one topic.
fn table(topic: Topic) -> String {
    let mut text = "| key | type and accepted shapes | default | effect | where |\n|---|---|---|---|---|\n".to_owned();
    for row in rows().filter(|row| row.topic() == topic) {
        let (name, shape, default, effect) = (row.name(), row.shape(), row.default(), row.effect());
        writeln!(text, "| `{name}` | {shape} | {default} | {effect} | {} |", row.place()).unwrap();
    }
    text
}

/// The page with the tables of the code between its markers.
fn with_tables(page: &str) -> String {
    let mut page = page.to_owned();
    for topic in Topic::ALL {
        let open = format!("## {}\n\n<!-- table: generated from crates/core/src/config/keys -->\n", topic.title());
        let close = "<!-- end of table -->";
        let start = page.find(&open).unwrap_or_else(|| panic!("no table for `{}`", topic.title())) + open.len();
        let end = start + page[start..].find(close).expect("every table has an end");
        page.replace_range(start..end, &table(topic));
    }
    page
}

/// Without the links, whose targets are on another page: `[map](#shapes)` is `map`.
fn without_links(text: &str) -> String {
    let mut plain = text.replace("; [limits](#extra-arguments)", "").replace("; [limits](#environment-limits)", "");
    for (link, word) in [("; [rules](#podtemplate)", ""), ("[map](#shapes)", "map")] {
        plain = plain.replace(link, word);
    }
    assert!(!plain.contains("](#"), "a link that the agents' document cannot have: {plain}");
    plain
}

/// One section per topic, one bullet per key.
fn for_agents() -> String {
    let section = |topic: Topic| {
        let bullets = rows().filter(|row| row.topic() == topic).map(|row| {
            let (name, shape, effect) = (row.name(), without_links(&row.shape()), without_links(row.effect()));
            let note = if row.note().is_empty() { String::new() } else { format!(" {}", row.note()) };
            format!("- `{name}` ({shape}): {effect}. Default: {}.{note}\n", row.default())
        });
        format!("## {}\n\n{}", topic.title(), bullets.collect::<String>())
    };
    Topic::ALL.map(section).join("\n")
}

/// What the JavaScript side has of the keys: it answers before the native module is loaded.
fn script() -> String {
    let fields = fields().iter().fold(String::new(), |lines, field| lines + "  " + &field.to_string() + ",\n");
    let text = for_agents().replace('\\', "\\\\").replace('`', "\\`").replace("${", "\\${");
    format!(
        "/**\n * The keys of the configuration. Generated from crates/core/src/config/keys; do not edit:\n * \
         `UPDATE_DOCS=1 cargo test -p claude-k8s-core --test it config_docs`.\n */\n\n\
         /** @type {{import('@paperclipai/adapter-utils').ConfigFieldSchema[]}} */\n\
         export const fields = [\n{fields}]\n\n\
         /** A section per topic, a bullet per key. */\nexport const keysForAgents = `{text}`\n"
    )
}

fn check(path: &str, print: impl Fn(&str) -> String) {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(path);
    let written = std::fs::read_to_string(&file).unwrap_or_default();
    let expected = print(&written);
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&file, expected).unwrap_or_else(|error| panic!("{path}: {error}"));
    } else {
        assert!(written == expected, "{path} is behind the code; run this test with UPDATE_DOCS=1");
    }
}

#[test]
fn cfg_04_the_documented_keys_are_the_accepted_ones() {
    check("docs/configuration.md", with_tables);
}

#[test]
fn cfg_04_form_and_agents_document_are_printed_from_the_keys() {
    check("js/configuration-keys.js", |_| script());
}
