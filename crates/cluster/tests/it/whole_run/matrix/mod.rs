//! Every call of a run × every kind of answer that is none: the end is the one that the call table gives.
//!
//! ```text
//!  sites.rs  call ─▶ a run that makes it ┐
//!  kinds.rs  kind ─▶ an answer           ├▶ cell ─▶ judged by `Call::consequence`, never by a value of this test
//! ```
//!
//! `MATRIX=1 cargo test -p claude-k8s-cluster --test it matrix -- --nocapture` prints the table
//! (`npm run test:faults -- --matrix`). Runs of the package use the same cells: `__test__/faults/matrix.json`.

mod kinds;
mod sites;
mod written;

use std::fmt::Write as _;
use std::time::Duration;

use claude_k8s_core::api_failure::FailureKind;
use claude_k8s_core::failure::ErrorFamily;
use claude_k8s_core::launch::{Call as Row, Consequence, End, Pace, Reaction};
use claude_k8s_core::outcome::RunResult;
use claude_k8s_testkit::Fault;
use kinds::{KINDS, Kind};
use sites::{ELSEWHERE, SITES, Site};
use tokio::time::sleep;

use super::claude::SESSION;
use super::world::{Call, World, code, minutes, seconds};

/// The time limit of a request.
const LIMIT: Duration = Duration::from_secs(10);

/// What one cell came to.
struct Cell {
    end: String,
    wrong: Vec<String>,
}

/// The end by the table. Empty: a success.
fn expected(site: &Site, kind: &Kind, lasts: Duration) -> &'static str {
    let (verb, resource) = site.asks();
    let is = kind.is(verb, resource);
    match is.map_or(Consequence::GoesOn, |is| site.call.consequence(is, lasts)) {
        Consequence::GoesOn => site.run.end(),
        Consequence::Refused(code) => code.as_str(),
    }
}

async fn cell(site: &Site, kind: &Kind, lasts: Duration) -> Cell {
    let (world, call) = site.run.begin().await;
    let (verb, resource) = site.asks();
    let fault = Fault::new(site.matching(), (kind.action)(verb, resource)).after(site.skip);
    let fault = world.knobs().fault(if lasts.is_zero() { fault.times(1) } else { fault }).unwrap();
    let is_hit = std::cell::Cell::new(false);
    let passing = async {
        while world.knobs().fault_hits(fault) == 0 {
            sleep(Duration::from_millis(500)).await;
        }
        is_hit.set(true);
        sleep(lasts).await;
        if !lasts.is_zero() {
            world.knobs().clear_faults();
        }
    };
    let ran = async {
        let mut beside = std::pin::pin!(async { tokio::join!(passing, site.run.goes_on(&world, &call)) });
        let mut run = std::pin::pin!(call.run());
        let mut has_passed = false;
        loop {
            tokio::select! {
                result = &mut run => return result,
                _ = &mut beside, if !has_passed => has_passed = true,
            }
        }
    };
    let Ok(result) = tokio::time::timeout(minutes(30), ran).await else {
        return Cell { end: "hangs".to_owned(), wrong: vec!["hangs".to_owned()] };
    };
    is_hit.set(is_hit.get() || world.knobs().fault_hits(fault) > 0);
    world.knobs().clear_faults();
    let mut wrong = judged(site, kind, lasts, &world, &call, &result).await;
    if !is_hit.get() {
        wrong.push("the call was not made".to_owned());
    }
    Cell { end: short(code(&result)).to_owned(), wrong }
}

/// As the printed table has it.
fn short(code: &str) -> &str {
    if code.is_empty() { "success" } else { code.trim_start_matches("k8s_") }
}

async fn judged(
    site: &Site,
    kind: &Kind,
    lasts: Duration,
    world: &World,
    call: &Call,
    result: &RunResult,
) -> Vec<String> {
    let mut wrong = Vec::new();
    let mut expect = |holds: bool, text: String| {
        if !holds {
            wrong.push(text);
        }
    };
    let (verb, resource) = site.asks();
    let is = kind.is(verb, resource);
    let end = expected(site, kind, lasts);
    let told = || format!("{}: {:?}, {:#?}", code(result), result.error_message, call.heard.status());
    expect(code(result) == end, format!("not `{end}` but {}", told()));
    let launches = world.knobs().launches().len();
    if end == site.run.end() {
        expect(launches == site.run.launches(), format!("{launches} launches"));
    } else {
        let of_orphans = if site.run.is_retried_by_another() { site.run.launches().saturating_sub(1) } else { 0 };
        expect(launches == of_orphans, format!("refused, but {launches} launches"));
        let passes = is.is_some_and(FailureKind::is_passing);
        let transient = result.error_family == Some(ErrorFamily::TransientUpstream);
        expect(!passes || transient, "what passes refuses for good".to_owned());
    }
    if code(result).is_empty() {
        expect(result.summary.as_deref() == Some("done"), "no summary".to_owned());
        expect(result.exit_code == Some(0), format!("exit code {:?}", result.exit_code));
        let lines = call.heard.lines().len();
        expect(lines == 3 || lines == 6 && site.run.launches() == 2, format!("{lines} lines"));
        let created = world.simulator.requests();
        let mut jobs = created.iter().filter(|one| one.verb == "create" && one.resource == "jobs");
        let missed = !call.heard.status_with("Warning: the server runs in a pod").is_empty();
        let has_volume = jobs.all(|job| job.body.as_ref().is_some_and(|job| job.to_string().contains("claimName")));
        expect(has_volume || missed, "success without the data volume, and no word about it".to_owned());
        let session = serde_json::to_value(result).unwrap_or_default()["sessionId"].clone();
        // Without the volume it could not be resumed.
        expect(session == SESSION || missed, format!("session {session}"));
    }
    let mut left = world.remains().await;
    left.retain(|name| name != "host-0");
    // A server that says that the Job is gone, or that it may not be deleted, keeps it until its TTL.
    let reaction = is.map(|is| site.call.reaction(is));
    let removes = site.request.starts_with("delete");
    let believed = removes && matches!(reaction, Some(Reaction::Known | Reaction::Without));
    // What a row warns about is told, and goes by its TTL. One answer that never comes takes the time of all tries.
    let outlasted =
        is == Some(FailureKind::Timeout) && matches!(site.call.pace(), Pace::For { lasts, .. } if lasts <= LIMIT);
    let warns = site.call.row().end == End::Warn && (reaction == Some(Reaction::Final) || outlasted);
    let is_told = ["clean-up: ", "is left", "may still run", "if Job"];
    let is_told = is_told.iter().any(|text| !call.heard.status_with(text).is_empty());
    let is_told = is_told || (warns && !left.is_empty() && call.is_told_by_the_next().await);
    let of_another = site.run.is_retried_by_another() && end != site.run.end();
    // What nobody could look at is not touched: it goes by its TTL.
    if site.call == Row::Look && !left.is_empty() {
        sleep(seconds(400)).await;
        left = world.remains().await;
        left.retain(|name| name != "host-0");
    }
    let allowed = site.run.keeps_its_job() || believed || of_another || (warns && is_told);
    expect(left.is_empty() || allowed, format!("left behind: {left:?}, {:#?}", call.heard.status()));
    wrong
}

#[test]
fn fld_02_every_call_of_the_table_is_tried() {
    for row in Row::rows() {
        let here = SITES.iter().any(|site| site.call == row.call);
        let there = ELSEWHERE.iter().any(|(call, _)| *call == row.call);
        assert!(here != there, "{:?} stands in no list, or in both", row.call);
    }
}

/// The cells of some rows, or of all of them printed.
async fn rows(lasts: Duration, part: usize, parts: usize) {
    let mut wrong = Vec::new();
    let mut table = String::new();
    for site in SITES.iter().skip(part).step_by(parts) {
        let mut ends = Vec::new();
        for kind in &KINDS {
            let cell = Box::pin(cell(site, kind, lasts)).await;
            let at = format!("{:?} × {}, {lasts:?}", site.call, kind.name);
            wrong.extend(cell.wrong.into_iter().map(|text| format!("{at}: {text}")));
            ends.push(cell.end);
        }
        let (when, what) = (if lasts.is_zero() { "once" } else { "5 s" }, site.call.row().what);
        writeln!(table, "| {what} | {when} | {} |", ends.join(" | ")).unwrap();
    }
    if std::env::var_os("MATRIX").is_some() {
        println!("{table}");
    }
    assert!(wrong.is_empty(), "{} cells:\n{}", wrong.len(), wrong.join("\n"));
}

#[tokio::test(start_paused = true)]
async fn fld_02_matrix_of_answers_that_come_once() {
    rows(Duration::ZERO, 0, 2).await;
}

#[tokio::test(start_paused = true)]
async fn fld_02_matrix_of_answers_that_come_once_the_other_half() {
    rows(Duration::ZERO, 1, 2).await;
}

#[tokio::test(start_paused = true)]
async fn fld_02_matrix_of_answers_that_come_for_five_seconds() {
    rows(seconds(5), 0, 2).await;
}

#[tokio::test(start_paused = true)]
async fn fld_02_matrix_of_answers_that_come_for_five_seconds_the_other_half() {
    rows(seconds(5), 1, 2).await;
}
