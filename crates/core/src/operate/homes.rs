//! Homes of agents (`isolation: agent`) that no longer exist.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::failure::usage;
use super::{RunRow, RunStatus};
use crate::failure::Refusal;
use crate::names::{is_path_part, label_value};

/// The directory of one agent below that of its company.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct AgentHome {
    /// Id of the company.
    pub company: String,
    /// Id of the agent.
    pub agent: String,
}

impl AgentHome {
    /// Below the directory of all homes.
    #[must_use]
    pub fn path(&self) -> PathBuf {
        [&self.company, &self.agent].iter().collect()
    }
}

/// A home that can go.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct LeftHome {
    /// Whose.
    #[serde(flatten)]
    pub home: AgentHome,
    /// So long nothing was changed directly in it.
    pub unchanged_seconds: u64,
}

/// What can go, and what cannot be judged.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct LeftHomes {
    /// Nobody needs them.
    pub homes: Vec<LeftHome>,
    /// Companies of which the list has no agent that has a home: it may be the list of another company.
    pub foreign: Vec<String>,
}

/// The ids in a list of agents: what the server answers to `GET /api/companies/ID/agents`, an array of ids, or one id
/// per line.
///
/// # Errors
/// The list is empty, or something in it is no id. A list that is not understood would make every home a leftover.
pub fn listed_agents(text: &str) -> Result<BTreeSet<String>, Refusal> {
    const NEXT: &str = "give the answer to `GET /api/companies/ID/agents`, or one id per line";
    let id = |value: &Value| value.as_str().or_else(|| value.get("id")?.as_str()).map(str::to_owned);
    let ids: Option<Vec<String>> = match serde_json::from_str::<Value>(text) {
        Ok(Value::Array(agents)) => agents.iter().map(id).collect(),
        Ok(Value::Object(_)) => None,
        _ => Some(text.lines().map(|line| line.trim().to_owned()).filter(|line| !line.is_empty()).collect()),
    };
    // Stricter than a directory's name: a page of a proxy or a log is no list.
    let is_id = |id: &String| is_path_part(id) && id.chars().all(|c| c.is_ascii_alphanumeric() || "._-".contains(c));
    let ids = ids.filter(|ids| ids.iter().all(is_id));
    match ids {
        None => Err(usage(format!("The list of agents has something that is no id of an agent; {NEXT}"))),
        Some(ids) if ids.is_empty() => {
            Err(usage(format!("The list of agents is empty, so that every home would be a leftover; {NEXT}")))
        }
        Some(ids) => Ok(ids.into_iter().collect()),
    }
}

/// Homes whose agent is not in the list and has no Job at work, unchanged for longer than `older_than`. Of companies
/// that the list does not know at all, none.
#[must_use]
pub fn left_homes(
    found: Vec<(AgentHome, Duration)>,
    agents: &BTreeSet<String>,
    rows: &[RunRow],
    older_than: Duration,
) -> LeftHomes {
    let known: BTreeSet<String> =
        found.iter().filter(|(home, _)| agents.contains(&home.agent)).map(|(home, _)| home.company.clone()).collect();
    let works = |agent: &str| {
        let label = label_value(agent);
        let is_over = |row: &RunRow| matches!(row.state, RunStatus::Ended | RunStatus::Retained);
        rows.iter().any(|row| row.agent == label && !is_over(row))
    };
    let mut left = LeftHomes::default();
    for (home, unchanged) in found {
        if !known.contains(&home.company) {
            left.foreign.push(home.company);
        } else if !agents.contains(&home.agent) && unchanged > older_than && !works(&home.agent) {
            left.homes.push(LeftHome { home, unchanged_seconds: unchanged.as_secs() });
        }
    }
    left.homes.sort_by(|one, other| one.home.cmp(&other.home));
    left.foreign.sort();
    left.foreign.dedup();
    left
}

/// What was shown and may go still: exactly those, and no other that a request names.
#[must_use]
pub fn still_left(shown: &[AgentHome], left: LeftHomes) -> Vec<AgentHome> {
    left.homes.into_iter().map(|left| left.home).filter(|home| shown.contains(home)).collect()
}

#[cfg(test)]
mod tests {
    use super::super::tail::Heard;
    use super::*;

    const DAY: Duration = Duration::from_secs(24 * 3600);

    fn home(company: &str, agent: &str) -> AgentHome {
        AgentHome { company: company.to_owned(), agent: agent.to_owned() }
    }

    fn agents(ids: &[&str]) -> BTreeSet<String> {
        ids.iter().map(|id| (*id).to_owned()).collect()
    }

    fn row(agent: &str, state: RunStatus) -> RunRow {
        RunRow {
            namespace: "ns".to_owned(),
            job: "ac-a".to_owned(),
            uid: "u".to_owned(),
            agent: Some(agent.to_owned()),
            agent_name: None,
            task: None,
            run: None,
            state,
            queue: None,
            created_at: None,
            age_seconds: None,
            pod: None,
            node: None,
            exit_code: None,
            heard: Heard::default(),
        }
    }

    #[test]
    fn a_list_is_what_the_server_answers_or_ids_and_nothing_else() {
        for text in [r#"[{"id":"a-1","name":"Ada"},{"id":"b-2"}]"#, r#"["a-1","b-2"]"#, "a-1\n\n  b-2\n"] {
            assert_eq!(listed_agents(text).unwrap(), agents(&["a-1", "b-2"]), "{text}");
        }
        for text in
            ["", "[]", "{}", r#"{"error":"forbidden"}"#, r#"[{"name":"Ada"}]"#, "../x", "a/b", "..", "a-1\n<html>\n"]
        {
            let refused = listed_agents(text).unwrap_err().message;
            assert!(refused.contains("GET /api/companies/ID/agents"), "{text}: {refused}");
        }
    }

    #[test]
    fn a_home_goes_when_its_agent_is_gone_and_old_enough_and_has_no_job_at_work() {
        let found = vec![
            (home("c", "lives"), DAY * 9),
            (home("c", "gone"), DAY * 9),
            (home("c", "fresh"), DAY / 2),
            (home("c", "works"), DAY * 9),
            (home("c", "retained"), DAY * 9),
            (home("other", "gone"), DAY * 9),
        ];
        let rows = [row("works", RunStatus::Orphaned), row("retained", RunStatus::Retained)];
        let left = left_homes(found, &agents(&["lives"]), &rows, DAY);
        let names: Vec<&str> = left.homes.iter().map(|left| left.home.agent.as_str()).collect();
        assert_eq!(names, ["gone", "retained"]);
        assert_eq!(left.foreign, ["other"]);
    }

    #[test]
    fn only_what_was_shown_and_is_left_still_goes() {
        let found = vec![(home("c", "lives"), DAY), (home("c", "gone"), DAY * 9), (home("c", "new"), DAY * 9)];
        let left = left_homes(found, &agents(&["lives"]), &[], DAY);
        let shown = [home("c", "gone"), home("c", "lives"), home("..", ".."), home("c", "../lives"), home("", "/etc")];
        assert_eq!(still_left(&shown, left), [home("c", "gone")]);
    }
}
