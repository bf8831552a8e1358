//! The session decision seen from outside: text, flag, label and what is stored.

use serde_json::json;

use crate::plan_scenario::{SESSION, Scenario, typed};

#[test]
fn prm_11_one_decision_drives_text_flag_and_labels() {
    let resumed = Scenario::in_cluster().with_session().launch();
    assert_eq!(resumed.attempt.prompt, "resumed prompt");
    assert_eq!(resumed.attempt.args[4..6], ["--resume", SESSION]);
    assert_eq!(resumed.job.metadata.labels.as_ref().unwrap()["paperclip.io/session-id"], SESSION);
    assert_eq!(resumed.spec.session_facts(&resumed.attempt).resumed.as_deref(), Some(SESSION));
    assert_eq!(resumed.spec.claimant(true).session_id.as_deref(), Some(SESSION));

    let fresh = Scenario::in_cluster().launch();
    assert_eq!(fresh.attempt.prompt, "fresh prompt");
    assert!(!fresh.attempt.args.contains(&"--resume".to_owned()));
    assert!(!fresh.job.metadata.labels.as_ref().unwrap().contains_key("paperclip.io/session-id"));
    assert_ne!(fresh.attempt.prompt_digest, resumed.attempt.prompt_digest);
}

#[test]
fn ses_02_a_refusal_is_one_line_and_a_fresh_run() {
    let changed = json!({ "session": { "promptBundleKey": "other" } });
    let rows = [
        (Scenario::out_of_cluster().with_session(), "persistent"),
        (Scenario::in_cluster().with_session().config(json!({ "resumeLastSession": false })), "resumeLastSession"),
        (Scenario::in_cluster().with_session().request(changed), "skills or instructions"),
        (Scenario::in_cluster().with_session().request(json!({ "session": { "cwd": "/else" } })), "working directory"),
        (Scenario::in_cluster().request(json!({ "session": { "sessionId": "../x" } })), "UUID"),
    ];
    for (scenario, reason) in rows {
        let spec = scenario.spec();
        assert_eq!(spec.first_attempt().resume, None, "{reason}");
        assert_eq!(spec.status_lines().len(), 2, "{reason}");
        assert!(spec.status_lines()[1].contains(reason), "{}", spec.status_lines()[1]);
    }
}

#[test]
fn what_is_stored_is_accepted_by_the_next_run() {
    let workspace =
        json!({ "workspaceId": "w", "repoUrl": "u", "repoRef": "r", "cwd": "/paperclip/w", "source": "task" });
    let server = json!([{ "name": "tools", "url": "http://localhost:1/mcp", "token": "t0ken", "connectionId": "c" }]);
    let scenario = Scenario::in_cluster()
        .bundle()
        .request(json!({ "context": { "paperclipWorkspace": workspace }, "mcpServers": server }));
    let spec = scenario.spec();
    let stored = spec.session_facts(&spec.first_attempt()).stored;
    assert_eq!(stored.cwd.as_deref(), Some("/paperclip/w"));
    assert_eq!((stored.workspace_id.as_deref(), stored.repo_url.as_deref()), (Some("w"), Some("u")));
    assert_eq!(stored.mcp_server_identity.as_deref(), Some(r#"[{"name":"tools","connectionId":"c"}]"#));
    let next = scenario.request(json!({ "session": {
        "sessionId": SESSION,
        "cwd": stored.cwd,
        "promptBundleKey": stored.prompt_bundle_key,
        "mcpServerIdentity": stored.mcp_server_identity,
    }}));
    assert_eq!(next.spec().first_attempt().resume.as_deref(), Some(SESSION));
}

#[test]
fn ses_03_the_second_attempt_is_fresh_and_has_its_own_job() {
    let launch = Scenario::in_cluster().with_session().config(json!({ "timeoutSec": 600 })).launch();
    let left = std::time::Duration::from_secs(100);
    let fresh = launch.spec.fresh_attempt().unwrap().with_timeout(Some(left));
    assert_eq!(fresh.job_name.as_str(), format!("{}-r2", launch.attempt.job_name));
    assert_eq!((fresh.prompt.as_str(), fresh.resume.as_deref(), fresh.number), ("fresh prompt", None, 2));
    let job = typed(&launch.spec.job(&fresh, true).unwrap());
    let spec = job.spec.unwrap();
    assert_eq!(spec.template.spec.unwrap().active_deadline_seconds, Some(100));
    assert_eq!(spec.active_deadline_seconds, Some(100 + 60 + 300 + 600 + 60));
    assert_eq!(job.metadata.labels.unwrap()["paperclip.io/attempt"], "2");

    let unusable = json!({ "prompts": { "fresh": { "text": "" } } });
    assert_eq!(Scenario::in_cluster().with_session().request(unusable).spec().fresh_attempt(), None);
}

#[test]
fn the_own_prompt_continues_the_session_of_an_adopted_job_where_sessions_survive() {
    let spec = Scenario::in_cluster().spec();
    let attempt = spec.continuing_attempt(SESSION).unwrap();
    assert_eq!((attempt.prompt.as_str(), attempt.resume.as_deref()), ("resumed prompt", Some(SESSION)));
    assert_eq!(attempt.job_name, spec.first_attempt().job_name);
    assert_eq!(spec.continuing_attempt("not-a-uuid"), None);
    assert_eq!(Scenario::out_of_cluster().spec().continuing_attempt(SESSION), None);
}
