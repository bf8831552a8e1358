//! Sessions that cannot go on: FLD-08 to FLD-11. What one run does, and what three wakes in a row come to.

use claude_k8s_core::outcome::{ContainerEnd, PlatformLoss, RunResult, SessionFields, StartCause, StartFailure, Stop};
use serde_json::{Value, json};

use crate::outcome_scene::{
    SESSION, Scene, busy, cli_error, deletion, exit, failed, gone, idle, init, ok, stream, text, tool_use,
};

/// Where the cause lies, as the specification sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Lies {
    /// In the session, or nowhere else that is known.
    Inside,
    Outside,
}

/// An end in which nothing was done.
struct End {
    name: &'static str,
    lies: Lies,
    scene: fn() -> Scene,
}

/// A name and its scene.
type Named = (&'static str, fn() -> Scene);

fn refused(members: Value) -> Scene {
    Scene::exited(1, idle(failed(members)))
}

fn without_init(exit_code: i32, reason: Option<&str>, stderr: &str) -> Scene {
    Scene::exited(exit_code, "").with(|scene| scene.ending.container = exit(exit_code, reason, stderr))
}

/// Every way in which a run ends without anything done.
fn ends() -> Vec<End> {
    let inside: [Named; 24] = [
        ("400 of the first text", || refused(json!({ "api_error_status": 400, "result": "API Error: 400 one" }))),
        ("400 of another text", || {
            refused(json!({ "api_error_status": 400, "result": "API Error: 400 `rate limit`" }))
        }),
        ("400 without a text", || refused(json!({ "api_error_status": 400 }))),
        ("413", || refused(json!({ "api_error_status": 413, "result": "Request too large" }))),
        ("tool history", || refused(json!({ "api_error_status": 400, "api_error": "tool_history_mismatch" }))),
        ("tool history without a status", || refused(json!({ "api_error": "tool_history_mismatch" }))),
        ("image", || refused(json!({ "terminal_reason": "image_error" }))),
        ("image, by text", || refused(json!({ "api_error_status": 400, "result": "Could not process image" }))),
        ("context", || refused(json!({ "terminal_reason": "prompt_too_long" }))),
        ("thrashing", || refused(json!({ "api_error": "autocompact_thrashing" }))),
        ("unknown session", || {
            Scene::exited(1, stream([failed(json!({ "errors": ["No conversation found with session ID: 1"] }))]))
        }),
        ("unknown session, stderr only", || without_init(1, None, "Error: No conversation found with session ID: 1")),
        ("nothing known", || refused(json!({ "result": "something new" }))),
        ("empty reply", || {
            refused(
                json!({ "subtype": "error_during_execution", "errors": ["[ede_diagnostic] last_content_type=none"] }),
            )
        }),
        ("lone empty result", || Scene::exited(0, stream([ok("")]))),
        ("empty result after init", || Scene::exited(0, idle(ok("")))),
        ("budget that the session used up", || refused(json!({ "subtype": "error_max_budget_usd" }))),
        ("turns that the session used up", || refused(json!({ "subtype": "error_max_turns" }))),
        ("refusal", || refused(json!({ "stop_reason": "refusal", "result": "API Error: can't help" }))),
        ("crash while it loads the session", || without_init(1, None, "TypeError: undefined is not an object")),
        ("crash without a word", || without_init(139, None, "")),
        ("out of memory while it loads the session", || without_init(137, Some("OOMKilled"), "")),
        ("out of memory after init", || {
            Scene::exited(137, stream([init()])).with(|scene| scene.ending.container = exit(137, Some("OOMKilled"), ""))
        }),
        ("no result", || Scene::exited(0, stream([init()]))),
    ];
    let outside: [Named; 24] = [
        ("login", || refused(json!({ "api_error_status": 401 }))),
        ("permission", || refused(json!({ "api_error_status": 403 }))),
        ("gateway login", || refused(json!({ "api_error": "gateway_session_expired" }))),
        ("quota", || refused(json!({ "api_error_status": 429, "api_error": "usage_limit_reached" }))),
        ("credit", || {
            let last = failed(json!({ "api_error_status": 400, "result": "Credit balance is too low" }));
            Scene::exited(1, stream([init(), cli_error("billing_error"), last]))
        }),
        ("model", || refused(json!({ "api_error_status": 404 }))),
        ("rate", || refused(json!({ "api_error_status": 429 }))),
        ("server", || refused(json!({ "api_error_status": 500 }))),
        ("overload", || refused(json!({ "api_error_status": 529 }))),
        ("network", || refused(json!({ "api_error": "connection_failed" }))),
        ("certificate", || refused(json!({ "api_error": "tls_untrusted_ca", "result": "certificate not trusted" }))),
        ("removed media", || {
            refused(json!({ "api_error_status": 400, "api_error": "media_removed", "result": "An image was removed" }))
        }),
        ("broken home", || {
            Scene::exited(1, stream([failed(json!({ "startup_failure_reason": "config_file_invalid" }))]))
        }),
        ("no such program", || without_init(127, None, "sh: claude: not found")),
        ("not executable", || without_init(126, None, "sh: claude: Permission denied")),
        ("runtime cannot start it", || without_init(128, Some("StartError"), "")),
        ("unknown option", || without_init(1, None, "error: unknown option '--x'")),
        ("read-only", || without_init(1, None, "EROFS: read-only file system, mkdir '/tmp/claude-1000'")),
        ("eviction", || {
            let evicted = PlatformLoss::Evicted { reason: "Evicted".to_owned(), message: String::new() };
            gone(stream([init()])).with(|scene| scene.ending.platform = Some(evicted))
        }),
        ("deletion", || gone(stream([init()])).with(|scene| scene.ending.deletion = Some(deletion()))),
        ("deadline", || Scene::exited(143, stream([init()])).with(|scene| scene.ending.deadline_passed = true)),
        ("cancel", || {
            Scene::exited(143, stream([init()]))
                .with(|scene| scene.ending.stop = Some(Stop::Cancelled { forced: false }))
        }),
        ("never started", || {
            gone(String::new()).with(|scene| {
                scene.ending.container = ContainerEnd::NeverStarted;
                let cause = StartCause::Unstartable { waiting: "InvalidImageName".to_owned() };
                scene.ending.start_failure = Some(StartFailure { cause, events: Vec::new() });
            })
        }),
        ("nobody knows", || gone(stream([init()]))),
    ];
    let of = |lies| move |(name, scene)| End { name, lies, scene };
    inside.into_iter().map(of(Lies::Inside)).chain(outside.into_iter().map(of(Lies::Outside))).collect()
}

fn resuming(scene: Scene) -> Scene {
    scene.with(|scene| scene.session.resumed = Some(SESSION.to_owned()))
}

#[test]
fn fld_08_a_resumed_run_without_anything_done_gets_one_fresh_attempt_unless_the_cause_lies_elsewhere() {
    for End { name, lies, scene } in ends() {
        assert_eq!(resuming(scene()).wants_fresh_attempt(), lies == Lies::Inside, "{name}");
        assert!(!scene().wants_fresh_attempt(), "{name}: nothing was resumed");
        let second = resuming(scene()).with(|scene| scene.run.attempts = 2);
        assert!(!second.wants_fresh_attempt(), "{name}: once");
    }
}

#[test]
fn fld_08_work_of_this_run_is_not_done_again() {
    for last in
        [json!({ "api_error_status": 400 }), json!({ "result": "new" }), json!({ "subtype": "error_max_budget_usd" })]
    {
        assert!(!resuming(Scene::exited(1, busy(failed(last)))).wants_fresh_attempt());
    }
    let spoke = stream([init(), text("So."), failed(json!({ "api_error_status": 400 }))]);
    assert!(!resuming(Scene::exited(1, spoke)).wants_fresh_attempt(), "a model turn");
    let called = stream([init(), tool_use("t1"), failed(json!({ "terminal_reason": "prompt_too_long" }))]);
    assert!(!resuming(Scene::exited(1, called)).wants_fresh_attempt(), "a tool call");
    let kept = resuming(Scene::exited(1, busy(failed(json!({ "api_error_status": 400 }))))).json();
    assert_eq!((&kept["sessionId"], kept.get("clearSession")), (&SESSION.into(), None), "the next wake finds out");
}

#[test]
fn fld_08_removed_media_keeps_the_session() {
    let result = resuming(refused(json!({ "api_error_status": 400, "api_error": "media_removed" }))).json();
    assert_eq!((&result["sessionId"], result.get("clearSession")), (&SESSION.into(), None));
}

#[test]
fn fld_09_a_death_by_memory_names_the_limit_and_the_size_of_the_session() {
    let died = |limit: Option<&str>, bytes| {
        resuming(without_init(137, Some("OOMKilled"), "")).with(|scene| {
            scene.session.memory_limit = limit.map(str::to_owned);
            scene.session.transcript_bytes = bytes;
        })
    };
    let message = died(Some("2Gi"), Some(900 << 20)).decide().error_message.unwrap();
    for part in ["OOMKilled", "`2Gi`", "900 MiB", "`resources.limits.memory`"] {
        assert!(message.contains(part), "{part}: {message}");
    }
    let message = died(None, None).decide().error_message.unwrap();
    assert!(message.contains("no memory limit") && !message.contains("transcript"), "{message}");
}

#[test]
fn fld_11_what_follows_an_empty_result_is_the_verdict() {
    let empty = || Scene::exited(0, idle(ok("")));
    let rows: [(&str, Scene, &str); 8] = [
        ("nothing", empty(), "llm_api_error"),
        ("another turn", Scene::exited(0, stream([init(), ok(""), init()])), "claude_truncated"),
        ("an answer", Scene::exited(0, stream([init(), ok(""), init(), text("Hi."), ok("Hi.")])), ""),
        ("a kill", empty().with(|scene| scene.ending.container = exit(137, Some("OOMKilled"), "")), "claude_truncated"),
        ("a signal", empty().with(|scene| scene.ending.container = exit(143, None, "")), "claude_truncated"),
        (
            "a deadline",
            empty().with(|scene| {
                scene.ending.container = exit(143, None, "");
                scene.ending.deadline_passed = true;
            }),
            "timeout",
        ),
        (
            "a deletion",
            gone(idle(ok(""))).with(|scene| scene.ending.deletion = Some(deletion())),
            "k8s_job_deleted_externally",
        ),
        (
            "an eviction",
            gone(idle(ok(""))).with(|scene| {
                scene.ending.platform =
                    Some(PlatformLoss::Evicted { reason: "Evicted".to_owned(), message: String::new() });
            }),
            "k8s_pod_evicted",
        ),
    ];
    for (name, scene, code) in rows {
        let result = scene.decide();
        assert_eq!(result.error_code.map_or("", |code| code.as_str()), code, "{name}: {:?}", result.error_message);
    }
    let killed = empty().with(|scene| scene.ending.container = exit(137, Some("OOMKilled"), "")).decide();
    assert!(killed.error_message.unwrap().contains("resources.limits.memory"));
}

/// What the attempts of a wake meet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum World {
    /// Whoever resumes the first session fails; fresh ones work.
    Poisoned,
    /// The same, but no fresh attempt can be proven harmless.
    PoisonedWithGaps,
    /// Every session fails.
    Always,
    /// Every session fails in the first wake.
    Once,
}

/// The session that the server has, and what its next wake ends with.
struct Server {
    session: Option<String>,
}

impl Server {
    fn wake(&mut self, world: World, number: u32, end: &End) -> RunResult {
        let resumed = self.session.clone();
        let first = attempt(world, number, resumed.clone(), 1, end);
        let result =
            if first.wants_fresh_attempt() { attempt(world, number, None, 2, end).decide() } else { first.decide() };
        if result.clear_session {
            self.session = None;
        }
        match &result.session {
            SessionFields::Stored { session_id, .. } => self.session = Some(session_id.clone()),
            SessionFields::None { .. } => self.session = None,
            SessionFields::Unchanged => {}
        }
        result
    }
}

fn attempt(world: World, wake: u32, resumed: Option<String>, number: u32, end: &End) -> Scene {
    let fails = match world {
        World::Poisoned | World::PoisonedWithGaps => resumed.as_deref() == Some(SESSION),
        World::Always => true,
        World::Once => wake == 1,
    };
    let scene = if fails { (end.scene)() } else { Scene::exited(0, busy(ok("Done."))) };
    // A fresh session has an id of its own.
    let fresh = format!("{wake}{number}000000-0000-4000-8000-000000000001");
    scene.with(|scene| {
        scene.output = scene.output.replace(SESSION, resumed.as_deref().unwrap_or(&fresh));
        scene.session.resumed = resumed;
        scene.run.attempts = number;
        scene.fresh_attempt_used = number > 1;
        scene.ending.log.complete = world != World::PoisonedWithGaps;
    })
}

/// The message ends with something that a person, or the next run, does.
fn says_what_to_do(message: &str) -> bool {
    const STEPS: &[&str] = &[
        "check ",
        "set ",
        "raise ",
        "change ",
        "wait",
        "add ",
        "see ",
        "run again",
        "the next run starts",
        "the host tries",
        "look at",
        "the CLI",
        "was removed",
        "not trusted",
        "cancelled",
        "Timed out after",
        "Pod cannot start",
    ];
    STEPS.iter().any(|step| message.contains(step))
}

#[test]
fn fld_10_three_wakes_of_every_end_come_to_work_or_to_what_a_person_must_do() {
    for end in ends() {
        for world in [World::Poisoned, World::PoisonedWithGaps, World::Always, World::Once] {
            if end.lies == Lies::Outside && matches!(world, World::Poisoned | World::PoisonedWithGaps) {
                continue; // it does not depend on the session
            }
            let mut server = Server { session: Some(SESSION.to_owned()) };
            let results: Vec<RunResult> = (1..=3).map(|number| server.wake(world, number, &end)).collect();
            let last = results.last().unwrap();
            let what = format!("{} in {world:?}: {:?}", end.name, last.error_message);
            if world == World::Always {
                assert!(last.error_message.as_deref().is_some_and(says_what_to_do), "{what}");
            } else {
                assert_eq!(last.error_code, None, "{what}");
            }
        }
    }
}

#[test]
fn fld_10_a_session_is_spared_when_a_fresh_one_fails_alike_and_goes_when_it_cannot_be_told() {
    let bad = || refused(json!({ "api_error_status": 400, "result": "API Error: 400 no" }));
    let alike = bad().with(|scene| {
        scene.run.attempts = 2;
        scene.fresh_attempt_used = true;
    });
    let result = alike.json();
    assert_eq!((result.get("sessionId"), result.get("clearSession")), (None, None), "the server keeps its session");
    assert!(result["errorMessage"].as_str().unwrap().contains("a fresh session failed in the same way"));

    let adopted = resuming(bad()).with(|scene| scene.fresh_attempt_used = true).json();
    assert_eq!((&adopted["errorCode"], &adopted["clearSession"]), (&"session_unavailable".into(), &true.into()));

    let full = refused(json!({ "terminal_reason": "prompt_too_long" })).with(|scene| scene.run.attempts = 2).json();
    assert_eq!(full["clearSession"], true, "the CLI names the session");
}
