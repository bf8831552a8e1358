//! Is the stored session resumed? Decided once; the answer drives both the prompt and `--resume` (PRM-11).

use crate::names::is_uuid;
use crate::request::StoredSession;

/// What this run offers to a session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Circumstances<'a> {
    /// `resumeLastSession` of the configuration.
    pub resume_last_session: bool,
    /// `HOME` is on a persistent volume, so a session of an earlier pod can exist.
    pub persistent: bool,
    /// Run directory inside the pod; the CLI keeps sessions per directory.
    pub run_directory: &'a str,
    /// Identity of the bundle of this run, if there is one.
    pub prompt_bundle_key: Option<&'a str>,
    /// Identity of the MCP servers of this run, `None` without servers.
    pub mcp_server_identity: Option<&'a str>,
}

/// The answer. At most one of the two is set; neither when no session was stored.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SessionDecision {
    /// The id for `--resume`.
    pub resume: Option<String>,
    /// Why the stored session is not resumed: one line for the operator.
    pub refused: Option<String>,
}

/// Judges the stored session. The first reason against it is the one that is told (SES-02).
#[must_use]
pub fn decide(stored: Option<&StoredSession>, now: &Circumstances<'_>) -> SessionDecision {
    let Some(stored) = stored.filter(|stored| !stored.session_id.trim().is_empty()) else {
        return SessionDecision::default();
    };
    let id = stored.session_id.trim();
    match objection(id, stored, now) {
        None => SessionDecision { resume: Some(id.to_owned()), refused: None },
        Some(reason) => {
            let shown: String = id.chars().filter(|c| !c.is_control()).take(64).collect();
            let line = format!("Session `{shown}` is not resumed: {reason}; a fresh session starts");
            SessionDecision { resume: None, refused: Some(line) }
        }
    }
}

fn objection(id: &str, stored: &StoredSession, now: &Circumstances<'_>) -> Option<&'static str> {
    let known = |saved: &Option<String>| saved.clone().filter(|saved| !saved.is_empty());
    let differs = |saved: &Option<String>, current: Option<&str>| {
        known(saved).is_some_and(|saved| current != Some(saved.as_str()))
    };
    let saved_mcp = known(&stored.mcp_server_identity);
    // Who saves the key of the bundle saves the identity as well: without one there were no servers. Nothing is known of
    // them when the id stands alone (docs/internals/host.md 9), or when version 0.1 saved the session, which kept neither.
    let servers_are_known = saved_mcp.is_some() || known(&stored.prompt_bundle_key).is_some();
    if !now.resume_last_session {
        Some("`resumeLastSession` is false")
    } else if !now.persistent {
        Some("the pod has no persistent data volume")
    } else if !is_uuid(id) {
        Some("its id is not a UUID")
    } else if differs(&stored.cwd, Some(now.run_directory)) {
        Some("it belongs to another working directory")
    } else if differs(&stored.prompt_bundle_key, now.prompt_bundle_key) {
        Some("skills or instructions changed")
    } else if servers_are_known && saved_mcp.as_deref() != now.mcp_server_identity {
        Some("the MCP servers changed")
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    type Change = Box<dyn Fn(&StoredSession) -> StoredSession>;

    const ID: &str = "7c9e6679-7425-40de-944b-e07fc1f90ae7";

    fn now() -> Circumstances<'static> {
        Circumstances {
            resume_last_session: true,
            persistent: true,
            run_directory: "/paperclip/w",
            prompt_bundle_key: Some("key"),
            mcp_server_identity: Some("mcp"),
        }
    }

    fn stored() -> StoredSession {
        StoredSession {
            session_id: ID.to_owned(),
            cwd: Some("/paperclip/w".to_owned()),
            prompt_bundle_key: Some("key".to_owned()),
            mcp_server_identity: Some("mcp".to_owned()),
            ..StoredSession::default()
        }
    }

    #[test]
    fn ses_02_a_session_is_resumed_only_when_nothing_it_depends_on_changed() {
        let text = |value: &str| Some(value.to_owned());
        let same = StoredSession::clone;
        let rows: Vec<(&str, Change, Circumstances<'_>, Option<&str>)> = vec![
            ("equal", Box::new(same), now(), None),
            ("saved directory empty", Box::new(move |s| StoredSession { cwd: text(""), ..s.clone() }), now(), None),
            ("saved bundle absent", Box::new(|s| StoredSession { prompt_bundle_key: None, ..s.clone() }), now(), None),
            ("switched off", Box::new(same), Circumstances { resume_last_session: false, ..now() }, Some("resumeLast")),
            ("volatile", Box::new(same), Circumstances { persistent: false, ..now() }, Some("persistent")),
            (
                "not a UUID",
                Box::new(|s| StoredSession { session_id: "latest".into(), ..s.clone() }),
                now(),
                Some("UUID"),
            ),
            (
                "short UUID",
                Box::new(|s| StoredSession { session_id: ID[..35].into(), ..s.clone() }),
                now(),
                Some("UUID"),
            ),
            ("moved", Box::new(same), Circumstances { run_directory: "/x", ..now() }, Some("working directory")),
            ("new skills", Box::new(same), Circumstances { prompt_bundle_key: Some("k2"), ..now() }, Some("skills")),
            ("no bundle", Box::new(same), Circumstances { prompt_bundle_key: None, ..now() }, Some("skills")),
            ("new server", Box::new(same), Circumstances { mcp_server_identity: Some("b"), ..now() }, Some("MCP")),
            ("no server", Box::new(same), Circumstances { mcp_server_identity: None, ..now() }, Some("MCP")),
            (
                "server where none was",
                Box::new(|s| StoredSession { mcp_server_identity: None, ..s.clone() }),
                now(),
                Some("MCP"),
            ),
            (
                "the id alone",
                Box::new(|s| StoredSession { session_id: s.session_id.clone(), ..StoredSession::default() }),
                now(),
                None,
            ),
            (
                "a row of version 0.1, which kept neither",
                Box::new(|s| StoredSession { prompt_bundle_key: None, mcp_server_identity: None, ..s.clone() }),
                now(),
                None,
            ),
            (
                "never a server",
                Box::new(|s| StoredSession { mcp_server_identity: None, ..s.clone() }),
                Circumstances { mcp_server_identity: None, ..now() },
                None,
            ),
        ];
        for (name, change, now, objection) in rows {
            let decision = decide(Some(&change(&stored())), &now);
            match objection {
                None => assert_eq!(decision.resume.as_deref(), Some(ID), "{name}"),
                Some(word) => {
                    assert_eq!(decision.resume, None, "{name}");
                    assert!(decision.refused.as_ref().unwrap().contains(word), "{name}: {decision:?}");
                }
            }
        }
    }

    #[test]
    fn without_a_stored_session_nothing_is_said() {
        assert_eq!(decide(None, &now()), SessionDecision::default());
        assert_eq!(decide(Some(&StoredSession::default()), &now()), SessionDecision::default());
    }
}
