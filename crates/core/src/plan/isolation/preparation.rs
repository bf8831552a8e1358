//! What the host does on the volume before the launch.

use super::SESSIONS;
use crate::attempt::Attempt;
use crate::config::Isolation;
use crate::paths::{join, remainder};
use crate::plan::RunPlan;

/// What is made, below one root, without following a link.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Preparation {
    /// Where the host has the volume.
    pub root: String,
    /// In their order. What exists is left as it is.
    pub make: Vec<Make>,
    /// A session that goes on in the agent's own home.
    pub session: Option<SessionCopy>,
    /// User of the pod.
    pub user: i64,
    /// Group of the pod: `fsGroup` where there is one.
    pub group: i64,
}

/// A directory or file that has to exist.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Make {
    /// Below the root.
    pub path: String,
    /// Who may use it.
    pub whose: Whose,
}

/// Whose something new is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Whose {
    /// A directory that the pod writes to and others may read.
    Pods,
    /// A directory of the pod's user alone.
    PodsAlone,
    /// A directory of the server.
    Servers,
    /// A file of the server: an empty JSON list.
    ServersList,
}

/// What belongs to one session, from the common home into the agent's own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionCopy {
    /// Directory of the common home, below the root; empty for the root itself.
    pub from: String,
    /// The agent's own home, below the root.
    pub to: String,
    /// Directory of both homes that holds the transcript.
    pub directory: String,
    /// The session's id, a UUID.
    pub id: String,
}

/// Where the transcript of a session lies on the host's disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TranscriptPlace {
    /// Where the host has the volume.
    pub root: String,
    /// The directory of transcripts, below the root.
    pub directory: String,
    /// The file.
    pub name: String,
}

impl RunPlan {
    /// What the host does on the data volume before the launch; `None` when host and pod share none.
    #[must_use]
    pub fn preparation(&self) -> Option<Preparation> {
        let view = self.parts.data.view()?;
        let root = self.parts.data.host_path()?;
        let session = view.agent_home().and_then(|home| self.session_copy(root, home));
        Some(Preparation {
            root: root.to_owned(),
            make: view.make.clone(),
            session,
            user: self.parts.run_as_user(),
            group: self.parts.config.fs_group.unwrap_or_else(|| self.parts.run_as_group()),
        })
    }

    fn session_copy(&self, root: &str, home: &str) -> Option<SessionCopy> {
        let id = self.attempts.first.resume.clone()?;
        let to = remainder(home, root)?.trim_start_matches('/').to_owned();
        Some(SessionCopy { from: String::new(), to, directory: self.transcripts(), id })
    }

    /// The transcript that an attempt resumes; `None` when it resumes none or the host does not see the home.
    #[must_use]
    pub fn resumed_transcript(&self, attempt: &Attempt) -> Option<TranscriptPlace> {
        let id = attempt.resume.as_ref()?;
        let root = self.parts.data.host_path()?;
        let home = match self.parts.config.isolation {
            Isolation::Agent => self.parts.data.view()?.agent_home()?,
            _ => root,
        };
        let directory = join(remainder(home, root)?, &format!("/{}", self.transcripts()));
        let directory = directory.trim_start_matches('/').to_owned();
        Some(TranscriptPlace { root: root.to_owned(), directory, name: format!("{id}.jsonl") })
    }

    /// The transcripts of a directory lie under its name, each character that is no letter or digit a `-`
    /// (docs/internals/claude.md 11).
    fn transcripts(&self) -> String {
        let dashed = |c: char| if c.is_ascii_alphanumeric() { c } else { '-' };
        let name: String = self.parts.run_directory.chars().map(dashed).collect();
        join(SESSIONS, &format!("/{name}"))
    }
}
