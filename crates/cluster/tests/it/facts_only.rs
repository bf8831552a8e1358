//! This crate carries facts to the core and its decisions to the cluster: codes, refusals and retry belong to the core.

use std::fs;
use std::path::{Path, PathBuf};

/// What would be a verdict, and where it belongs.
const VERDICTS: [(&str, &str); 5] = [
    ("ErrorCode::", "a code is chosen in `core::launch`, by the row of the call"),
    ("Refusal::new(", "a refusal is worded in `core::launch`"),
    (".transient(", "what a host may try again is decided where the refusal is made"),
    ("Check::new(", "a finding of the environment test is worded in the core"),
    ("PATIENCE", "how long a call is repeated stands in the call table"),
];

fn sources(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { sources(&path) } else { vec![path] }).collect()
}

#[test]
fn fld_01_no_source_of_this_crate_makes_a_verdict_of_a_failure() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let files: Vec<PathBuf> = sources(&root).into_iter().filter(|path| !path.ends_with("tests.rs")).collect();
    assert!(files.len() > 40, "{}", files.len());
    let mut found = Vec::new();
    for path in files {
        let text = fs::read_to_string(&path).unwrap();
        let code = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
        for (number, line) in code.lines().enumerate() {
            for (verdict, home) in VERDICTS {
                if line.contains(verdict) {
                    found.push(format!("{}:{}: `{verdict}`: {home}", path.display(), number + 1));
                }
            }
        }
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
}

/// Where texts of several words are nobody's message.
const NAMES: [&str; 1] = [
    // Which request a failure is about.
    "src/api/named.rs",
];
/// What stands before a text that is no message: attributes, invariants, and lines of `debug: true`.
const NO_MESSAGE: [&str; 4] = ["reason = ", "#[serde", "unreachable!(", ".debug(||"];

/// Texts of three words and more, or of two and a value.
fn sentences(line: &str) -> Vec<&str> {
    let word =
        |part: &str| part.trim_matches(|c: char| !c.is_alphanumeric()).chars().all(|c| c.is_alphabetic() || c == '\'');
    let words = |text: &str| {
        let parts = text.split(' ').filter(|part| !part.contains(['{', '}']) && part.contains(char::is_alphanumeric));
        parts.filter(|part| word(part)).count()
    };
    let texts = line.split('"').skip(1).step_by(2);
    texts.filter(|text| words(text) >= if text.contains('{') { 2 } else { 3 }).collect()
}

#[test]
fn fld_01_no_source_of_this_crate_words_a_message() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let is_test =
        |path: &PathBuf| path.ends_with("tests.rs") || path.components().any(|part| part.as_os_str() == "tests");
    let mut found = Vec::new();
    for path in sources(&root.join("src")).into_iter().filter(|path| !is_test(path)) {
        let name = path.strip_prefix(root).unwrap().display().to_string();
        if NAMES.contains(&name.as_str()) {
            continue;
        }
        let text = fs::read_to_string(&path).unwrap();
        let code = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
        for (number, line) in code.lines().enumerate() {
            let is_message = !line.trim_start().starts_with("//") && !NO_MESSAGE.iter().any(|no| line.contains(no));
            let texts = if is_message { sentences(line) } else { Vec::new() };
            found.extend(texts.iter().map(|text| format!("{name}:{}: \"{text}\"", number + 1)));
        }
    }
    assert!(found.is_empty(), "what an operator reads is worded in the core:\n{}", found.join("\n"));
}

#[test]
fn texts_of_several_words_are_told_from_names_and_formats() {
    assert_eq!(sentences("f(\"the list does not end\", \"a b\")"), ["the list does not end"]);
    assert_eq!(sentences("format!(\"{what} was refused\")"), ["{what} was refused"]);
    assert_eq!(sentences("\"dryRun=All&fieldValidation=Warn\", \"{}:{}:{}\", \"1 2 3\", \"HTTP {} {}\""), [""; 0]);
}

/// What asks the API server, by the methods of `api::Namespace`.
const ASKS: [&str; 18] = [
    ".create_job(",
    ".dry_run_job(",
    ".get_job(",
    ".get_pod(",
    ".patch_job(",
    ".delete_job(",
    ".end_pod(",
    ".end_job(",
    ".create_secret(",
    ".delete_secret(",
    ".list_jobs(",
    ".list_pods(",
    ".events_of(",
    ".may(",
    ".may_named(",
    ".server_version(",
    ".secret_exists(",
    ".get_claim(",
];
/// Where the client library is used directly.
const DIRECT: [&str; 4] = ["src/api.rs", "src/api/operator.rs", "src/index/feed.rs", "src/logs/api.rs"];

/// The code of a file without comments and tests, cut at its functions.
fn functions(text: &str) -> Vec<String> {
    let code = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
    let lines = code.lines().filter(|line| !line.trim_start().starts_with("//") && !line.starts_with("use "));
    let mut parts = vec![String::new()];
    for line in lines {
        if line.contains("fn ") && !line.trim_start().starts_with("let ") {
            parts.push(String::new());
        }
        parts.last_mut().unwrap().push_str(line);
        parts.last_mut().unwrap().push('\n');
    }
    parts
}

#[test]
fn fld_01_every_call_goes_through_a_row_of_the_table_and_every_row_has_a_call() {
    let crate_root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let files: Vec<PathBuf> =
        sources(&crate_root.join("src")).into_iter().filter(|path| !path.ends_with("tests.rs")).collect();
    let (mut wrong, mut all) = (Vec::new(), String::new());
    for path in files {
        let text = fs::read_to_string(&path).unwrap();
        let name = path.strip_prefix(crate_root).unwrap().display().to_string();
        for function in functions(&text) {
            let asks = ASKS.iter().find(|ask| function.contains(*ask));
            if let Some(ask) = asks.filter(|_| !function.contains("Call::") && name != "src/api.rs") {
                wrong.push(format!("{name}: `{ask}` without a row: {}", function.lines().next().unwrap_or_default()));
            }
            let direct = ["Api::namespaced", "Api::all", "url_path(", "request_stream("]
                .iter()
                .any(|raw| function.contains(raw));
            if direct && !DIRECT.contains(&name.as_str()) {
                wrong.push(format!("{name}: the client library is used directly"));
            }
            all.push_str(&function);
        }
    }
    // `core::log` follows a log: what it repeats, and when, depends on what the lines bring.
    let by_rule = |row: &&claude_k8s_core::launch::Row| row.call != claude_k8s_core::launch::Call::Log;
    for row in claude_k8s_core::launch::Call::rows().iter().filter(by_rule) {
        if !all.contains(&format!("Call::{:?}", row.call)) {
            wrong.push(format!("{:?} has a row, but nobody makes that call by it", row.call));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
