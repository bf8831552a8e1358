//! The cells that runs of the package go through as well, on a real cluster: `__test__/faults/matrix.json`.

use std::path::Path;
use std::time::Duration;

use claude_k8s_core::api_failure::FailureKind;
use claude_k8s_core::launch::Call as Row;
use serde_json::{Map, Value, json};

use super::kinds::{KINDS, Kind};
use super::sites::{Run, SITES, Site};
use super::{expected, short};

/// How a run of the package makes the call. `None`: it takes the simulator to bring it about.
fn run(site: &Site) -> Option<&'static str> {
    match site.run {
        // The test's host is in no pod.
        Run::Usual if matches!(site.call, Row::OwnPod | Row::ClaimInCommon) => None,
        Run::Usual => Some("usual"),
        Run::Retained => Some("retained"),
        Run::Cancelled => Some("cancelled"),
        Run::Suspended => Some("suspended"),
        Run::Lost => Some("lost"),
        _ => None,
    }
}

fn written() -> String {
    let row = |site: &Site| {
        let run = run(site)?;
        let end = |kind: &Kind| {
            let (verb, resource) = site.asks();
            // The connection of the package renews its credentials by the first refusal, and asks again.
            let renewed = kind.is(verb, resource) == Some(FailureKind::Unauthorized);
            short(if renewed { site.run.end() } else { expected(site, kind, Duration::ZERO) })
        };
        let ends: Map<String, Value> = KINDS.iter().map(|kind| (kind.name.to_owned(), end(kind).into())).collect();
        let (verb, resource) = site.asks();
        Some(
            json!({ "call": site.call.row().what, "verb": verb, "resource": resource, "skip": site.skip, "run": run, "ends": ends }),
        )
    };
    let rows: Vec<String> = SITES.iter().filter_map(row).map(|row| row.to_string()).collect();
    format!("[\n{}\n]\n", rows.join(",\n"))
}

#[test]
fn fld_02_the_cells_of_the_package_are_those_of_the_table() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../__test__/faults/matrix.json");
    let expected = written();
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&path, expected).expect("__test__/faults/matrix.json can be written");
    } else {
        let found = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(
            found == expected,
            "__test__/faults/matrix.json is behind the call table; run this test with UPDATE_DOCS=1"
        );
    }
}
