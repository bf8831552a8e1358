//! Runs in which every answer of the API server is drawn at random: the verdict is one that the true history allows.
//!
//! A run is replayed by its seed: `RANDOM_SEED=N cargo test -p claude-k8s-cluster --test it random`; more of them come
//! with `RANDOM_RUNS=10000` (`npm run test:faults -- --random 10000`).

use std::path::Path;

use claude_k8s_cluster::host::StopOrder;
use claude_k8s_core::failure::ErrorCode;
use claude_k8s_testkit::{Exit, FaultAction, Script};
use tokio::time::sleep;

use super::claude::{Ends, begins};
use super::own_pod::in_cluster;
use super::requests::{done_but, fails, forbidden, hangs, slow};
use super::world::{NAMESPACE, World, code, container, minutes, seconds};

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
    match draw.below(4) {
        0 => fails(401),
        1 => forbidden(verb, resource),
        2 => fails(409),
        _ => fails(410),
    }
}

/// What the container is to do.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Truth {
    Succeeds,
    Exits(i32),
    OutOfMemory,
    IsCancelled,
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
async fn run(seed: u64) -> Result<&'static str, String> {
    let mut draw = Draw(seed);
    let truth = match draw.below(10) {
        0..=5 => Truth::Succeeds,
        6 | 7 => Truth::Exits(7),
        8 => Truth::OutOfMemory,
        _ => Truth::IsCancelled,
    };
    let work = draw.below(240);
    let world = World::new(script(truth, work));
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
    let ran = async { tokio::join!(call.run(), calming, cancelling).0 };
    let Ok(result) = tokio::time::timeout(minutes(60), ran).await else { return Err("hangs".to_owned()) };
    let launches = world.knobs().launches().len();
    let ended = world.knobs().objects("pods", NAMESPACE).iter().any(|pod| container(pod)["terminated"].is_object());
    let told = || format!("{:?}: {} {:?}\n{:#?}", truth, code(&result), result.error_message, call.heard.status());
    if launches > 1 {
        return Err(format!("{launches} launches\n{}", told()));
    }
    let was_refused = matches!(
        result.error_code,
        Some(
            ErrorCode::ApiUnreachable
                | ErrorCode::ConcurrencyGuardUnreachable
                | ErrorCode::JobCreateFailed
                | ErrorCode::PromptSecretCreateFailed
                | ErrorCode::RbacInsufficient
                | ErrorCode::JobDeletedExternally
                | ErrorCode::ConcurrentRunBlocked
        )
    );
    // Of a log that nobody could read to its end, that is the verdict, and it says so.
    let unread = result.error_message.as_deref().is_some_and(|text| text.contains("could not be read"));
    let allowed = match (launches, truth) {
        (1, Truth::Succeeds | Truth::Exits(_)) if unread => code(&result) == "claude_no_result",
        (0, Truth::IsCancelled) => was_refused || code(&result) == "cancelled",
        (0, _) => was_refused,
        (_, Truth::Succeeds) => code(&result).is_empty() && result.summary.as_deref() == Some("done"),
        (_, Truth::Exits(exit)) => code(&result) == "claude_truncated" && result.exit_code == Some(exit),
        (_, Truth::OutOfMemory) => !code(&result).is_empty() && result.exit_code == Some(137),
        (_, Truth::IsCancelled) => code(&result) == "cancelled",
    };
    if !allowed {
        return Err(format!("{launches} launches, ended: {ended}: {}", told()));
    }
    let has_gaps = result.result_json["k8s"]["logGaps"].as_u64().unwrap_or(0) > 0;
    let lines = call.heard.lines().len();
    if code(&result).is_empty() && lines != 3 && !has_gaps {
        return Err(format!("{lines} lines\n{}", told()));
    }
    world.knobs().clear_faults();
    sleep(minutes(2)).await;
    let mut left = world.remains().await;
    left.retain(|name| name != "host-0");
    let excuses = ["clean-up: ", "is left", "may still run", "if Job", "the payload of Job"];
    // A server that says that the Job is gone, or that it may not be deleted, keeps it until its TTL.
    if !judges
        && !left.is_empty()
        && !excuses.iter().any(|text| !call.heard.status_with(text).is_empty())
        && code(&result) != "cancelled"
    {
        return Err(format!("left behind: {left:?}\n{}", told()));
    }
    Ok(if code(&result).is_empty() { "success" } else { code(&result) })
}

#[tokio::test(start_paused = true)]
async fn fld_02_random_answers_lead_to_no_verdict_that_the_true_history_does_not_allow() {
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    let seeds = match (number("RANDOM_SEED"), number("RANDOM_RUNS")) {
        (Some(seed), runs) => seed..seed + runs.unwrap_or(1),
        (None, runs) => 0..runs.unwrap_or(RUNS),
    };
    let all = seeds.end - seeds.start;
    let (mut ends, mut wrong) = (std::collections::BTreeMap::<&str, u64>::new(), Vec::new());
    for seed in seeds {
        match Box::pin(run(seed)).await {
            Ok(end) => *ends.entry(end).or_default() += 1,
            Err(text) => wrong.push(format!("RANDOM_SEED={seed}: {text}")),
        }
    }
    println!("{all} runs: {ends:?}, {} not allowed", wrong.len());
    assert!(
        wrong.is_empty(),
        "{} of {all}:\n{}",
        wrong.len(),
        wrong.iter().take(5).cloned().collect::<Vec<_>>().join("\n")
    );
}
