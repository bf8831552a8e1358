//! What the README says about permissions, and what `deploy/role.yaml` grants, is the table of the code.
//!
//! `UPDATE_DOCS=1 cargo test -p claude-k8s-core --test it permissions_docs` writes the README's rows.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use claude_k8s_core::permissions::{Access, Permission};
use serde_json::Value;

const OPEN: &str = "<!-- permissions: generated from crates/core/src/permissions/rows.rs -->\n";
const CLOSE: &str = "<!-- end of permissions -->";

fn file(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(path)
}

fn row(one: Permission) -> String {
    let Access { resource, verb, .. } = one.access();
    format!("| `{}` `{resource}` | {} | {} |\n", verb.as_str(), one.why(), one.without())
}

#[test]
fn the_readme_says_of_each_permission_what_the_code_does_with_it() {
    let page = fs::read_to_string(file("README.md")).unwrap();
    let start = page.find(OPEN).expect("the table has a beginning") + OPEN.len();
    let stop = page.find(CLOSE).expect("the table has an end");
    let rows: String = Permission::ALL.iter().copied().map(row).collect();
    let expected = format!("{}| verb | why | without it |\n|---|---|---|\n{rows}{}", &page[..start], &page[stop..]);
    if std::env::var_os("UPDATE_DOCS").is_some() {
        fs::write(file("README.md"), expected).unwrap();
    } else {
        assert!(page == expected, "README.md is behind the code; run this test with UPDATE_DOCS=1");
    }
}

#[test]
fn the_role_grants_what_the_code_asks_for_and_nothing_else() {
    let role: Value = serde_saphyr::from_str(&fs::read_to_string(file("deploy/role.yaml")).unwrap()).unwrap();
    let texts = |rule: &Value, list: &str| -> Vec<String> {
        rule[list].as_array().unwrap().iter().map(|one| one.as_str().unwrap().to_owned()).collect()
    };
    let mut granted = BTreeSet::new();
    for rule in role["rules"].as_array().unwrap() {
        for group in texts(rule, "apiGroups") {
            for resource in texts(rule, "resources") {
                for verb in texts(rule, "verbs") {
                    granted.insert(format!("{group}/{resource} {verb}"));
                }
            }
        }
    }
    let asked: BTreeSet<String> = Permission::ALL
        .iter()
        .map(|one| one.access())
        .map(|Access { group, resource, verb }| format!("{group}/{resource} {}", verb.as_str()))
        .collect();
    assert_eq!(granted, asked);
}
