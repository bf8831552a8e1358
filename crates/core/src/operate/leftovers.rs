//! What nobody needs any more.

use std::collections::BTreeSet;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::row::seconds_since;
use super::{RunRow, RunStatus};

/// Something that can go.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Leftover {
    /// What it is.
    pub kind: Kind,
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// Its uid: only this very object is deleted.
    pub uid: String,
    /// Why nobody needs it.
    pub reason: Reason,
    /// When it was created.
    pub created_at: Option<Timestamp>,
    /// How long ago that was, by the server's clock.
    #[serde(default)]
    pub age_seconds: Option<u64>,
}

/// What is left over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Kind {
    /// A Job, with its pods and Secrets.
    Job,
    /// A Secret.
    Secret,
}

/// Why something can go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Reason {
    /// Its result was taken, and it was kept for longer than asked.
    Retained,
    /// It was created and never released, and whoever made it would have released it long ago.
    Unreleased,
    /// A Secret whose Job is gone.
    Jobless,
}

/// A Secret, as far as it matters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Owned {
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// Its uid.
    pub uid: String,
    /// Uid of the Job that owns it.
    pub job_uid: Option<String>,
    /// When it was created.
    pub created_at: Option<Timestamp>,
}

/// A launch takes at most so long; whatever is younger may belong to one.
const LAUNCHING: SignedDuration = SignedDuration::from_mins(15);

/// Retained Jobs that are older than `older_than`, Jobs that were never released, Secrets without a Job. Oldest first.
#[must_use]
pub fn leftovers(rows: &[RunRow], secrets: &[Owned], older_than: Duration, now: Timestamp) -> Vec<Leftover> {
    let age = |created: Option<Timestamp>| created.map_or(SignedDuration::ZERO, |created| now.duration_since(created));
    let older_than = SignedDuration::try_from(older_than).unwrap_or(SignedDuration::MAX);
    let jobs = rows.iter().filter_map(|row| {
        let reason = match row.state {
            RunStatus::Retained if age(row.created_at) > older_than => Reason::Retained,
            RunStatus::Preparing if age(row.created_at) > LAUNCHING => Reason::Unreleased,
            _ => return None,
        };
        let (name, uid) = (row.job.clone(), row.uid.clone());
        Some(Leftover {
            kind: Kind::Job,
            namespace: row.namespace.clone(),
            name,
            uid,
            reason,
            created_at: row.created_at,
            age_seconds: row.age_seconds,
        })
    });
    let existing: BTreeSet<&str> = rows.iter().map(|row| row.uid.as_str()).collect();
    let secrets = secrets.iter().filter(|secret| {
        let jobless = secret.job_uid.as_deref().is_none_or(|uid| !existing.contains(uid));
        jobless && age(secret.created_at) > LAUNCHING
    });
    let secrets = secrets.map(|secret| Leftover {
        kind: Kind::Secret,
        namespace: secret.namespace.clone(),
        name: secret.name.clone(),
        uid: secret.uid.clone(),
        reason: Reason::Jobless,
        created_at: secret.created_at,
        age_seconds: secret.created_at.map(|created| seconds_since(created, now)),
    });
    let mut all: Vec<Leftover> = jobs.chain(secrets).collect();
    all.sort_by_key(|one| one.created_at);
    all
}

#[cfg(test)]
mod tests {
    use super::super::tail::Heard;
    use super::*;

    const HOUR: i64 = 3_600;

    fn row(state: RunStatus, age_seconds: i64) -> RunRow {
        RunRow {
            namespace: "n".into(),
            job: format!("{state:?}-{age_seconds}"),
            uid: format!("{state:?}-{age_seconds}"),
            agent: None,
            agent_name: None,
            task: None,
            run: None,
            state,
            queue: None,
            created_at: created(age_seconds),
            age_seconds: None,
            pod: None,
            node: None,
            exit_code: None,
            heard: Heard::default(),
        }
    }

    fn now() -> Timestamp {
        Timestamp::from_second(1_000_000_000).unwrap()
    }

    fn created(age_seconds: i64) -> Option<Timestamp> {
        now().checked_sub(SignedDuration::from_secs(age_seconds)).ok()
    }

    #[test]
    fn only_what_nobody_can_need_any_more_is_left_over() {
        let rows = [
            row(RunStatus::Retained, 25 * HOUR),
            row(RunStatus::Retained, HOUR),
            row(RunStatus::Preparing, HOUR),
            row(RunStatus::Preparing, 60),
            row(RunStatus::Running, 100 * HOUR),
            row(RunStatus::Ended, 100 * HOUR),
            row(RunStatus::Queued, 100 * HOUR),
            row(RunStatus::Orphaned, 100 * HOUR),
        ];
        let secret = |name: &str, owner: Option<&str>, age| Owned {
            namespace: "n".into(),
            name: name.into(),
            uid: name.into(),
            job_uid: owner.map(str::to_owned),
            created_at: created(age),
        };
        let secrets = [
            secret("of-a-job", Some("Running-360000"), 100 * HOUR),
            secret("of-nobody", None, HOUR),
            secret("of-a-job-that-is-gone", Some("x"), HOUR),
            secret("of-a-job-that-may-be-listed-in-a-moment", Some("y"), 10),
        ];
        let left = leftovers(&rows, &secrets, Duration::from_secs(24 * 3_600), now());
        let names: Vec<_> = left.iter().map(|one| one.name.as_str()).collect();
        assert_eq!(names, ["Retained-90000", "Preparing-3600", "of-nobody", "of-a-job-that-is-gone"]);
    }
}
