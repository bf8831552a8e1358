//! The payload as files on the shared data volume, for a Role without `secrets/create`.

use super::payload;
use crate::attempt::Attempt;
use crate::plan::RunPlan;
use crate::plan::isolation::STAGING;
use crate::target::PayloadMode;

/// A payload file of [`PayloadMode::Volume`].
#[derive(Clone, PartialEq, Eq)]
pub struct StagedFile {
    /// Path below the staging directory.
    pub path: String,
    /// Content; may be a credential.
    pub bytes: Vec<u8>,
    /// May be executed: a script of a skill.
    pub executable: bool,
}

impl std::fmt::Debug for StagedFile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("StagedFile").field("path", &self.path).finish_non_exhaustive()
    }
}

/// Where the payload of a Job lies on the host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Staging {
    /// The host's mount of the data volume.
    pub volume: String,
    /// Name of the Job and of its directory.
    pub job: String,
}

impl Staging {
    /// From the root of the volume to the directories of all Jobs. Each of these belongs to the server alone.
    pub const WAY: [&str; 2] = [STAGING, "runs"];

    /// The directory of the Job.
    #[must_use]
    pub fn directory(&self) -> String {
        staging_sub_path(&self.volume, &self.job)
    }
}

/// The staging directory of a Job, below the root of the data volume on either side.
pub(super) fn staging_sub_path(root: &str, job: &str) -> String {
    let root = root.trim_end_matches('/');
    let separator = if root.is_empty() { "" } else { "/" };
    format!("{root}{separator}{}/{job}", Staging::WAY.join("/"))
}

impl RunPlan {
    /// Where the payload is staged on the host, and its files; `None` for [`PayloadMode::Secret`].
    ///
    /// Directories 0700, files 0600, owned by [`RunPlan::run_as_user`]. Complete before the Job is created: the kubelet
    /// would make a missing directory as root, and a Job that was created running would not wait for files.
    #[must_use]
    pub fn staging(&self, attempt: &Attempt) -> Option<(Staging, Vec<StagedFile>)> {
        let place = self.staging_place(attempt.job_name.as_str());
        let place = place.filter(|_| self.parts.payload_mode == PayloadMode::Volume)?;
        Some((place, payload::staged_files(&self.parts, attempt)))
    }

    /// Where the payload of a Job, this run's or an adopted one, lies on the host if it was staged.
    #[must_use]
    pub fn staging_place(&self, job: &str) -> Option<Staging> {
        let volume = self.parts.data.host_path()?.to_owned();
        Some(Staging { volume, job: job.to_owned() })
    }

    /// User of the container before `podTemplate`: the owner of staged files.
    #[must_use]
    pub fn run_as_user(&self) -> i64 {
        self.parts.run_as_user()
    }
}
