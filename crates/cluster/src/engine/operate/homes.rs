//! Homes of agents on the disk: listed and deleted beneath the one directory that the operator names.

use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use claude_k8s_core::failure::Refusal;
use claude_k8s_core::names::is_path_part;
use claude_k8s_core::operate::{AgentHome, LeftHomes, RunRow, homes_unread, left_homes, listed_agents, still_left};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::files::{FileError, Root, Shared, blocking};

/// Companies, and agents of one.
const MAX: usize = 20_000;
/// A look at all of them.
const LISTED: Duration = Duration::from_secs(60);
/// The deletion of all of them.
const REMOVED: Duration = Duration::from_secs(6 * 3600);

/// Where they are, and who needs them.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Homes {
    directory: PathBuf,
    /// The list of agents as the operator gave it.
    agents: String,
    older_than_seconds: u64,
}

impl Homes {
    /// Those that nobody needs.
    pub(super) async fn left(&self, rows: &[RunRow]) -> Result<LeftHomes, Refusal> {
        let agents = listed_agents(&self.agents)?;
        let directory = self.directory.clone();
        let found =
            blocking(&self.directory, LISTED, move || found(&Root::open(&directory, &Shared::default())?)).await;
        let found = found.map_err(|error| homes_unread(&error))?;
        Ok(left_homes(found, &agents, rows, Duration::from_secs(self.older_than_seconds)))
    }

    /// Deletes what was shown and is still left over.
    pub(super) async fn remove(&self, shown: &[AgentHome], rows: &[RunRow]) -> Result<Value, Refusal> {
        let going = still_left(shown, self.left(rows).await?);
        let directory = self.directory.clone();
        let removed = blocking(&self.directory, REMOVED, move || {
            let root = Root::open(&directory, &Shared::default())?;
            let outcome = |home: AgentHome| {
                let failure = root.remove_tree(home.path()).err().map(|error| error.to_string());
                json!({ "home": home, "failure": failure })
            };
            Ok(going.into_iter().map(outcome).collect::<Vec<Value>>())
        });
        removed.await.map(Value::from).map_err(|error| homes_unread(&error))
    }
}

/// `COMPANY/AGENT` and since when it is unchanged; neither links nor what no server names so.
fn found(root: &Root) -> Result<Vec<(AgentHome, Duration)>, FileError> {
    let mut found = Vec::new();
    // Nothing is written where a command only looks, so this is our own clock: no agent's end depends on an hour.
    let now = SystemTime::now();
    for company in root.directories(MAX, now)?.into_iter().filter(|company| is_path_part(&company.name)) {
        let agents = root.dir(&company.name)?.directories(MAX - found.len(), now)?;
        let agents = agents.into_iter().filter(|agent| is_path_part(&agent.name));
        found.extend(agents.map(|agent| (AgentHome { company: company.name.clone(), agent: agent.name }, agent.age)));
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use std::fs::{create_dir_all, write};
    use std::os::unix::fs::symlink;

    use super::*;

    fn homes(directory: PathBuf, agents: &str) -> Homes {
        Homes { directory, agents: agents.to_owned(), older_than_seconds: 0 }
    }

    fn home(company: &str, agent: &str) -> AgentHome {
        AgentHome { company: company.to_owned(), agent: agent.to_owned() }
    }

    #[tokio::test]
    async fn a_home_goes_with_all_that_is_in_it_and_what_its_links_lead_to_stays() {
        let folder = tempfile::tempdir().unwrap();
        let (all, outside) = (folder.path().join("k8s-homes"), folder.path().join("outside"));
        create_dir_all(&outside).unwrap();
        write(outside.join("kept"), "").unwrap();
        for agent in ["lives", "gone"] {
            create_dir_all(all.join("c").join(agent).join("deep/er")).unwrap();
        }
        symlink(&outside, all.join("c/gone/deep/out")).unwrap();
        symlink("/", all.join("c/gone/root")).unwrap();
        // A home, and a company, that an agent made a link.
        symlink(&outside, all.join("c/linked")).unwrap();
        symlink(folder.path(), all.join("d")).unwrap();
        let homes = homes(all.clone(), "lives");

        let left = homes.left(&[]).await.unwrap();
        let names: Vec<&str> = left.homes.iter().map(|left| left.home.agent.as_str()).collect();
        assert_eq!((names, left.foreign.as_slice()), (vec!["gone"], [].as_slice()));
        let shown =
            [home("c", "gone"), home("c", "lives"), home("c", "linked"), home("d", "outside"), home("..", "outside")];
        let removed = homes.remove(&shown, &[]).await.unwrap();
        assert_eq!(removed, json!([{ "home": { "company": "c", "agent": "gone" }, "failure": null }]));
        assert!(!all.join("c/gone").exists() && all.join("c/lives/deep/er").exists() && outside.join("kept").exists());
    }

    #[tokio::test]
    async fn a_home_that_becomes_a_link_after_it_was_shown_stays_where_it_leads_to() {
        let folder = tempfile::tempdir().unwrap();
        for agent in ["lives", "gone"] {
            create_dir_all(folder.path().join("c").join(agent)).unwrap();
        }
        let homes = homes(folder.path().to_owned(), "lives");
        let shown = [home("c", "gone")];
        assert_eq!(homes.left(&[]).await.unwrap().homes[0].home, shown[0]);
        std::fs::remove_dir(folder.path().join("c/gone")).unwrap();
        symlink(folder.path().join("c/lives"), folder.path().join("c/gone")).unwrap();
        assert_eq!(homes.remove(&shown, &[]).await.unwrap(), json!([]));
        assert!(folder.path().join("c/lives").exists());
    }

    #[tokio::test]
    async fn a_directory_that_is_not_there_is_named() {
        let refused = homes("/no/such/directory".into(), "lives").left(&[]).await.unwrap_err().message;
        assert!(refused.contains("/no") && refused.contains("k8s-homes"), "{refused}");
    }
}
