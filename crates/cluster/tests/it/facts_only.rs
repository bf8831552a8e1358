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
