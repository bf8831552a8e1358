//! Runs in which every answer of the API server is drawn at random: the verdict is one that the true history allows.
//!
//! A run is replayed by its seed: `RANDOM_SEED=N cargo test -p claude-k8s-cluster --test it random`; more of them come
//! with `RANDOM_RUNS=10000` (`npm run test:faults -- --random 10000`).

mod history;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, OnceLock};

use claude_k8s_cluster::host::StopOrder;
use claude_k8s_testkit::{Exit, FaultAction, Script};
use history::{History, Truth};
use tokio::time::{Instant, sleep};

use super::claude::{Ends, begins, works};
use super::own_pod::in_cluster;
use super::requests::{done_but, fails, forbidden, hangs, missing, slow};
use super::world::{World, minutes, seconds};

/// Runs in `cargo test`.
const RUNS: u64 = 300;

/// `SplitMix64`: small, and the same everywhere.
#[derive(Clone)]
struct Draw(u64);

impl Draw {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }

    /// With so many parts in a hundred.
    fn percent(&mut self, parts: u64) -> bool {
        self.below(100) < parts
    }
}

/// Kinds that say nothing about any object.
fn passing(draw: &mut Draw) -> FaultAction {
    match draw.below(13) {
        0 => fails(500),
        1 => FaultAction::Html { code: 502, after_write: false },
        2 => fails(503),
        3 => fails(504),
        4 => done_but(504),
        5 => fails(429),
        6 => FaultAction::too_many_requests(seconds(1 + draw.below(5))),
        7 => FaultAction::Html { code: 404, after_write: false },
        8 => FaultAction::Html { code: 200, after_write: false },
        9 => FaultAction::Reset { after_write: false },
        10 => FaultAction::Reset { after_write: true },
        11 => hangs(),
        _ => slow(seconds(11)),
    }
}

/// Kinds by which the server judges.
fn judging(draw: &mut Draw, verb: &str, resource: &str) -> FaultAction {
    match draw.below(5) {
        0 => fails(401),
        1 => forbidden(verb, resource),
        2 => fails(409),
        3 => missing(resource),
        _ => fails(410),
    }
}

fn script(truth: Truth, work: u64) -> Script {
    let working = begins().wait(seconds(work));
    match truth {
        Truth::Succeeds => working.ends(),
        Truth::Exits(code) => working.exit(code),
        Truth::OutOfMemory => working.exit_with(Exit::out_of_memory()),
        Truth::IsCancelled => working.never_ends(),
    }
}

/// One run. `Err`: what the true history does not allow.
async fn run(seed: u64) -> Result<String, String> {
    let mut draw = Draw(seed);
    let truth = match draw.below(10) {
        0..=5 => Truth::Succeeds,
        6 | 7 => Truth::Exits(7),
        8 => Truth::OutOfMemory,
        _ => Truth::IsCancelled,
    };
    let work = draw.below(240);
    let launched = Arc::new(OnceLock::new());
    let first = Arc::clone(&launched);
    let world = World::choosing(move |launch| {
        if !launch.job.contains("run-1") {
            return works(seconds(1));
        }
        let _second = first.set(Instant::now());
        script(truth, work)
    });
    let began = Instant::now();
    let call = in_cluster(&world, world.call(), Path::new("/paperclip"));
    let often = [3, 10, 30, 60][usize::try_from(draw.below(4)).unwrap_or(0)];
    let judges = draw.percent(30);
    let storm = 5 + draw.below(300);
    let mut drawn = Draw(seed ^ 0xABCD);
    world.knobs().choose_faults(move |verb, resource| {
        let hit = drawn.percent(often);
        hit.then(|| if judges && drawn.percent(15) { judging(&mut drawn, verb, resource) } else { passing(&mut drawn) })
    });
    let calming = async {
        sleep(seconds(storm)).await;
        world.knobs().clear_faults();
    };
    let cancelling = async {
        if truth == Truth::IsCancelled {
            sleep(seconds(work + 20)).await;
            call.order(StopOrder::Cancel);
        }
    };
    let ran = async {
        let ran = async { (call.run().await, began.elapsed()) };
        tokio::join!(ran, calming, cancelling).0
    };
    let Ok((result, took)) = tokio::time::timeout(minutes(60), ran).await else {
        let requests: Vec<_> = world.requests().into_iter().filter(|one| !one.starts_with("watch")).collect();
        let last = &requests[requests.len().saturating_sub(20)..];
        return Err(format!("{truth:?} hangs: {:#?}\n{last:#?}", call.heard.status()));
    };
    world.knobs().clear_faults();
    let ended = launched.get().map(|at| *at - began + seconds(work)).filter(|_| truth != Truth::IsCancelled);
    let history = History { truth, judges, ended, took, world: &world, call: &call, result: &result };
    let end = history.allows_the_verdict().map_err(|text| format!("{text}\n{}", history.told()))?;
    let left = history.allows_what_is_left().await.map_err(|text| format!("{text}\n{}", history.told()))?;
    Ok(format!("{end}{left}"))
}

#[tokio::test(start_paused = true)]
async fn fld_02_random_answers_lead_to_no_verdict_that_the_true_history_does_not_allow() {
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    let seeds = match (number("RANDOM_SEED"), number("RANDOM_RUNS")) {
        (Some(seed), runs) => seed..seed + runs.unwrap_or(1),
        (None, runs) => 0..runs.unwrap_or(RUNS),
    };
    let all = seeds.end - seeds.start;
    let (mut ends, mut wrong) = (BTreeMap::<String, u64>::new(), Vec::new());
    for seed in seeds {
        match Box::pin(run(seed)).await {
            Ok(end) => *ends.entry(end).or_default() += 1,
            Err(text) => wrong.push(format!("RANDOM_SEED={seed}: {text}")),
        }
    }
    println!("{all} runs, {} not allowed: {ends:#?}", wrong.len());
    assert!(
        wrong.is_empty(),
        "{} of {all}:\n{}",
        wrong.len(),
        wrong.iter().take(5).cloned().collect::<Vec<_>>().join("\n")
    );
}
