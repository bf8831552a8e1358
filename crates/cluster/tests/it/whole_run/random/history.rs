//! The judge of a random run: it knows what the container did, and which answers were none.

use std::time::Duration;

use claude_k8s_core::failure::{ErrorCode, ErrorFamily};
use claude_k8s_core::outcome::RunResult;
use claude_k8s_testkit::RequestRecord;
use tokio::time::sleep;

use crate::whole_run::claude::SESSION;
use crate::whole_run::requests::REVIEW;
use crate::whole_run::world::{Call, World, code, minutes, seconds};

/// So long a run reads on after the container's end, if nothing new comes.
const DRAIN: Duration = Duration::from_secs(10);
/// So long a call before the launch is repeated.
const PATIENCE: Duration = Duration::from_secs(60);

/// What the container is to do.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Truth {
    Succeeds,
    Exits(i32),
    OutOfMemory,
    IsCancelled,
}

pub(super) struct History<'a> {
    pub(super) truth: Truth,
    /// Some answers were judgements of the server: 401, 403, 404, 409, 410.
    pub(super) judges: bool,
    /// When the container ended by itself.
    pub(super) ended: Option<Duration>,
    /// When the verdict came.
    pub(super) took: Duration,
    pub(super) world: &'a World,
    pub(super) call: &'a Call,
    pub(super) result: &'a RunResult,
}

fn ensure(holds: bool, otherwise: impl FnOnce() -> String) -> Result<(), String> {
    if holds { Ok(()) } else { Err(otherwise()) }
}

fn judged(request: &RequestRecord) -> bool {
    request.fault.is_some() && request.status.is_some_and(|status| (400..422).contains(&status))
}

impl History<'_> {
    pub(super) fn told(&self) -> String {
        let (code, message) = (code(self.result), &self.result.error_message);
        let (ended, took) = (self.ended, self.took);
        format!(
            "{:?}, ended at {ended:?}, took {took:?}: {code} {message:?}\n{:#?}",
            self.truth,
            self.call.heard.status()
        )
    }

    /// Requests to which something was done.
    fn hit(&self, verb: &str, resource: &str) -> bool {
        let all = self.world.simulator.requests();
        all.iter().any(|one| one.fault.is_some() && one.verb == verb && one.resource == resource)
    }

    pub(super) fn allows_the_verdict(&self) -> Result<String, String> {
        let launches = self.world.knobs().launches().len();
        ensure(launches <= 1, || format!("{launches} launches"))?;
        match (launches, self.truth) {
            (0, Truth::IsCancelled) if code(self.result) == "cancelled" => Ok("cancelled, never started".to_owned()),
            (0, _) => self.allows_the_refusal(),
            _ => self.allows_the_end(),
        }
    }

    /// A refusal names a call that failed, and took its time unless the server had judged.
    fn allows_the_refusal(&self) -> Result<String, String> {
        let code = self.result.error_code.ok_or("a success without a launch")?;
        let (verb, review) = REVIEW.split_once(' ').unwrap_or_default();
        let blamed: &[(&str, &str)] = match code {
            ErrorCode::ApiUnreachable => &[(verb, review), ("get", "pods"), ("list", "pods")],
            ErrorCode::ConcurrencyGuardUnreachable => &[("list", "jobs"), ("list", "pods")],
            ErrorCode::JobCreateFailed => &[("create", "jobs"), ("patch", "jobs")],
            ErrorCode::PromptSecretCreateFailed => &[("create", "secrets")],
            ErrorCode::RbacInsufficient | ErrorCode::JobDeletedExternally if self.judges => &[("patch", "jobs")],
            _ => &[],
        };
        ensure(blamed.iter().any(|(verb, resource)| self.hit(verb, resource)), || format!("{code} for no reason"))?;
        if !self.judges {
            ensure(self.took >= PATIENCE, || "given up too early".to_owned())?;
            let transient = Some(ErrorFamily::TransientUpstream);
            ensure(self.result.error_family == transient, || "refused for good by what passes".to_owned())?;
        }
        Ok(format!("{code}, never started"))
    }

    fn allows_the_end(&self) -> Result<String, String> {
        let (code, exit) = (code(self.result), self.result.exit_code);
        let message = self.result.error_message.as_deref().unwrap_or_default();
        let unread = message.contains("could not be read");
        if unread {
            ensure(!self.was_readable(), || "the log could be read".to_owned())?;
        }
        match self.truth {
            Truth::Succeeds if unread => {
                let right = ["claude_no_result", "claude_truncated"].contains(&code);
                ensure(right && exit == Some(0), || "wrong about an unread log".to_owned())?;
            }
            Truth::Succeeds => self.has_everything()?,
            Truth::Exits(own) => {
                let right = code == "claude_truncated" || unread && code == "claude_no_result";
                ensure(right && exit == Some(own), || "wrong about the exit".to_owned())?;
            }
            Truth::OutOfMemory => {
                let right = code == "claude_truncated" || unread && code == "claude_no_result";
                ensure(right && exit == Some(137), || "wrong about the kill".to_owned())?;
                ensure(message.contains("memory"), || "the memory is not named".to_owned())?;
            }
            Truth::IsCancelled => ensure(code == "cancelled", || "wrong about the cancel".to_owned())?,
        }
        let code = if code.is_empty() { "success" } else { code };
        Ok(format!("{code}{}", if unread { ", log unread" } else { "" }))
    }

    /// An answer brought the end of the log before the verdict, or it came too early to say that there was none.
    fn was_readable(&self) -> bool {
        let Some(ended) = self.ended else { return true };
        let all = self.world.simulator.requests();
        let logs: Vec<_> = all.iter().filter(|one| one.resource == "pods/log").collect();
        let unharmed = |one: &&RequestRecord| one.fault.is_none() && one.status == Some(200);
        let (before, after): (Vec<&RequestRecord>, Vec<&RequestRecord>) =
            logs.into_iter().partition(|one| Duration::from_millis(one.started_ms) < ended);
        let followed = before.last().is_some_and(unharmed);
        followed || after.iter().any(unharmed) || self.took < ended + DRAIN
    }

    /// A success has result, session, lines, exit code and volume; what it lacks is told.
    fn has_everything(&self) -> Result<(), String> {
        let result = self.result;
        ensure(code(result).is_empty() && result.exit_code == Some(0), || "no success".to_owned())?;
        ensure(result.summary.as_deref() == Some("done"), || "no summary".to_owned())?;
        let (lines, gaps) = (self.call.heard.lines(), result.result_json["k8s"]["logGaps"].as_u64().unwrap_or(0));
        let mut known = lines.clone();
        known.dedup();
        ensure(known.len() == lines.len() && lines.len() <= 3, || format!("doubled lines: {lines:?}"))?;
        ensure(lines.len() == 3 || gaps > 0, || format!("{} lines, no gap", lines.len()))?;
        let all = self.world.simulator.requests();
        let jobs = all.iter().filter(|one| one.verb == "create" && one.resource == "jobs");
        let has_volume = jobs.filter_map(|one| one.body.as_ref()).all(|job| job.to_string().contains("claimName"));
        if !has_volume {
            // Without the volume a session could not be resumed.
            let told = !self.call.heard.status_with("Warning: the server runs in a pod").is_empty();
            return ensure(told && self.judges, || "without the data volume".to_owned());
        }
        let session = serde_json::to_value(result).unwrap_or_default()["sessionId"].clone();
        ensure(session == SESSION, || format!("session {session}"))
    }

    /// What is left was refused to be removed, is told, stands in nobody's way, and goes by itself.
    pub(super) async fn allows_what_is_left(&self) -> Result<&'static str, String> {
        let left = self.left().await;
        if left.is_empty() {
            return Ok("");
        }
        let excuses = ["clean-up: ", "is left", "may still run", "if Job", "the payload of Job"];
        let told = excuses.iter().any(|text| !self.call.heard.status_with(text).is_empty());
        let told = told || self.call.is_told_by_the_next().await;
        let about = |one: &&RequestRecord| one.resource == "jobs" || one.resource == "secrets";
        let all = self.world.simulator.requests();
        let refused =
            all.iter().filter(about).any(|one| one.fault.is_some() && one.verb != "list" && one.verb != "watch");
        let believed = all.iter().filter(about).any(judged);
        ensure((told && refused) || believed, || format!("left behind without a word: {left:?}"))?;
        let blocked = self.wakes("run-2", &left).await?;
        if blocked {
            // What never started stands in the way for a quarter of an hour (GRD-12).
            sleep(minutes(16)).await;
            ensure(!self.wakes("run-3", &left).await?, || format!("blocked for ever by {left:?}"))?;
        }
        sleep(seconds(400)).await;
        let still = self.left().await;
        ensure(still.is_empty(), || format!("left for ever: {still:?}"))?;
        Ok(if told { ", left and told" } else { ", left as the server said it was gone" })
    }

    /// A later run of the agent. True: it was refused, because somebody seems to be at work.
    async fn wakes(&self, run_id: &str, left: &[String]) -> Result<bool, String> {
        let next = self.world.process().call(run_id);
        let run = tokio::time::timeout(minutes(60), next.run()).await;
        let result = run.map_err(|_| format!("{run_id} hangs behind {left:?}"))?;
        if result.error_code == Some(ErrorCode::ConcurrentRunBlocked) {
            return Ok(true);
        }
        let done = result.summary.as_deref() == Some("done");
        ensure(code(&result).is_empty() && done, || format!("{run_id}: {:?}, behind {left:?}", result.error_message))?;
        Ok(false)
    }

    async fn left(&self) -> Vec<String> {
        let mut left = self.world.remains().await;
        left.retain(|name| name != "host-0");
        left
    }
}
