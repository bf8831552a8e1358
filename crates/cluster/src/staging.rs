//! The payload on the data volume that host and pod share, for a Role without `create` on `secrets`.
//!
//! Directories 0700, files 0600 or 0700, owned by the pod's user, below two directories of the server's user that
//! nobody else may enter. Complete before the Job is created, removed at the end.

use std::path::{Path, PathBuf};
use std::time::Duration;

use claude_k8s_core::failure::Refusal;
use claude_k8s_core::launch::{Call, not_staged};
use claude_k8s_core::manifest::{StagedFile, Staging};

use crate::api::{Namespace, patiently};
use crate::files::{Access, FileError, Owner, Root, Shared, blocking};

/// A younger directory may belong to a Job that is just being created.
const LEFTOVER_AGE: Duration = Duration::from_secs(900);
/// Leftovers looked at per launch, so that a launch stays quick.
const SWEPT_AT_ONCE: usize = 20;
/// Entries of the directory that are looked at to find them.
const LISTED_AT_ONCE: usize = 10_000;
/// For one step on the volume.
const TIME: Duration = Duration::from_secs(30);

/// Writes the files of a Job.
///
/// # Errors
/// `k8s_prompt_secret_create_failed` with the path and the cause; what was written is removed.
pub(crate) async fn stage(staging: &Staging, files: Vec<StagedFile>, owner: i64) -> Result<(), Refusal> {
    let uid = u32::try_from(owner).ok();
    let written = on_disk(staging, move |staging| write_all(staging, &files, Owner { uid, gid: None })).await;
    if let Err(error) = written {
        remove(staging).await;
        let denied = error.trouble.is_denied();
        return Err(not_staged(&error.path.to_string_lossy(), &error.trouble.to_string(), denied, owner));
    }
    Ok(())
}

/// Removes the directory. What is gone already is done; what cannot be removed is swept by a later run.
pub(crate) async fn remove(staging: &Staging) {
    let _swept_later = on_disk(staging, |staging| runs(staging)?.remove_tree(&staging.job)).await;
}

/// Removes directories of Jobs that are proven gone: their run ended with its host.
pub(crate) async fn sweep(namespace: &Namespace, staging: &Staging) {
    let listed = on_disk(staging, |staging| {
        let runs = runs(staging)?;
        runs.directories(LISTED_AT_ONCE, runs.time()?)
    });
    let listed = listed.await;
    let old = listed.unwrap_or_default().into_iter().filter(|found| found.age >= LEFTOVER_AGE);
    for found in old.filter(|found| is_job_name(&found.name)).take(SWEPT_AT_ONCE) {
        match patiently(Call::FindStaged, || namespace.get_job(&found.name)).await {
            Err(failure) if Call::FindStaged.knows_by(failure.kind) => {
                remove(&Staging { job: found.name, ..staging.clone() }).await;
            }
            // An API server that does not answer is not asked twenty times.
            Err(_) => return,
            Ok(_) => {}
        }
    }
}

/// Whatever else lies there is none of ours, and no part of an address.
fn is_job_name(name: &str) -> bool {
    name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
}

async fn on_disk<T: Send + 'static>(
    staging: &Staging,
    work: impl FnOnce(&Staging) -> Result<T, FileError> + Send + 'static,
) -> Result<T, FileError> {
    let owned = staging.clone();
    blocking(Path::new(&staging.directory()), TIME, move || work(&owned)).await
}

/// The directory of all runs, if it is the server's alone: from the root of the volume on, no link is followed.
fn runs(staging: &Staging) -> Result<Root, FileError> {
    let volume = volume(staging)?;
    let mut root = volume.dir("")?;
    for name in Staging::WAY {
        root = root.dir(name)?;
        root.make_private()?;
    }
    Ok(root)
}

fn volume(staging: &Staging) -> Result<Root, FileError> {
    Root::open(Path::new(&staging.volume), &Shared::of([&staging.volume]))
}

fn write_all(staging: &Staging, files: &[StagedFile], owner: Owner) -> Result<(), FileError> {
    let mut root = volume(staging)?;
    for name in Staging::WAY {
        root = root.dir_or_make(name, Access::mode(0o700))?;
        root.make_private()?;
    }
    // Of an earlier try; whatever else lies there is not written into.
    root.remove_tree(&staging.job)?;
    let private = Access { mode: 0o700, owner: Some(owner) };
    let directory = root.make_dir(&staging.job, private)?;
    for file in files {
        let path = PathBuf::from(&file.path);
        directory.dir_or_make(path.parent().unwrap_or(Path::new("")), private)?;
        let mode = if file.executable { 0o700 } else { 0o600 };
        directory.write_new(&path, &file.bytes, Access { mode, owner: Some(owner) })?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown, symlink};

    use claude_k8s_core::failure::ErrorCode;

    use super::*;
    use crate::files::own_uid;

    fn files() -> Vec<StagedFile> {
        let file = |path: &str| StagedFile {
            path: path.to_owned(),
            bytes: path.as_bytes().to_vec(),
            executable: path == "bundle/skills/a/run.sh",
        };
        vec![file("prompt/000"), file("env/KEY"), file("bundle/skills/a/run.sh"), file("settings.json")]
    }

    fn volume() -> (tempfile::TempDir, Staging) {
        let volume = tempfile::tempdir().unwrap();
        let staging = Staging { volume: volume.path().display().to_string(), job: "job".to_owned() };
        (volume, staging)
    }

    #[tokio::test]
    async fn tru_07_staged_files_are_for_the_pods_user_only_and_replace_an_earlier_try() {
        let (volume, staging) = volume();
        let base = volume.path().join(".paperclip-claude-k8s");
        let directory = base.join("runs/job");
        // As an earlier version left it.
        fs::create_dir_all(directory.join("prompt")).unwrap();
        fs::write(directory.join("prompt/001"), "of an earlier try").unwrap();
        stage(&staging, files(), own_uid().into()).await.unwrap();
        assert!(!directory.join("prompt/001").exists());
        for (path, mode) in [
            ("", 0o700),
            ("runs", 0o700),
            ("runs/job", 0o700),
            ("runs/job/prompt", 0o700),
            ("runs/job/bundle/skills/a", 0o700),
            ("runs/job/prompt/000", 0o600),
            ("runs/job/bundle/skills/a/run.sh", 0o700),
        ] {
            let found = fs::metadata(base.join(path)).unwrap();
            assert_eq!((found.mode() & 0o777, found.uid()), (mode, own_uid()), "{path}");
        }
        assert_eq!(fs::read(directory.join("env/KEY")).unwrap(), b"env/KEY");
        remove(&staging).await;
        assert!(!directory.exists());
    }

    #[tokio::test]
    async fn a_host_that_is_root_gives_the_files_to_the_pods_user() {
        let (volume, staging) = volume();
        let directory = volume.path().join(".paperclip-claude-k8s/runs/job");
        let staged = stage(&staging, files(), 12_345).await;
        if own_uid() == 0 {
            staged.unwrap();
            let owners = ["", "prompt", "prompt/000"].map(|path| fs::metadata(directory.join(path)).unwrap().uid());
            assert_eq!(owners, [12_345; 3]);
            assert_eq!(fs::metadata(directory.parent().unwrap()).unwrap().uid(), 0, "only the run's own directory");
        } else {
            let refusal = staged.unwrap_err();
            assert_eq!(refusal.code, ErrorCode::PromptSecretCreateFailed);
            assert!(refusal.message.contains("`runAsUser` is 12345"), "{}", refusal.message);
            assert!(!directory.exists());
        }
    }

    #[tokio::test]
    async fn tru_07_a_link_in_place_of_runs_neither_gets_the_payload_nor_loses_a_foreign_directory() {
        for part in [".paperclip-claude-k8s", ".paperclip-claude-k8s/runs"] {
            let (volume, staging) = volume();
            let host = tempfile::tempdir().unwrap();
            let foreign = host.path().join(if part.ends_with("runs") { "job" } else { "runs/job" });
            fs::create_dir_all(foreign.join("node_modules")).unwrap();
            fs::create_dir_all(volume.path().join(part).parent().unwrap()).unwrap();
            symlink(host.path(), volume.path().join(part)).unwrap();

            let refusal = stage(&staging, files(), own_uid().into()).await.unwrap_err();
            assert_eq!(refusal.code, ErrorCode::PromptSecretCreateFailed);
            assert!(refusal.message.contains("a link is in its place"), "{}", refusal.message);
            remove(&staging).await;
            assert!(foreign.join("node_modules").exists(), "{part}");
            assert_eq!(fs::read_dir(&foreign).unwrap().count(), 1, "{part}");
        }
    }

    #[tokio::test]
    async fn tru_07_a_link_in_place_of_the_run_is_removed_and_its_target_stays() {
        let (volume, staging) = volume();
        let host = tempfile::tempdir().unwrap();
        fs::write(host.path().join("file"), "x").unwrap();
        fs::create_dir_all(volume.path().join(".paperclip-claude-k8s/runs")).unwrap();
        symlink(host.path(), volume.path().join(".paperclip-claude-k8s/runs/job")).unwrap();
        stage(&staging, files(), own_uid().into()).await.unwrap();
        assert_eq!(fs::read_dir(host.path()).unwrap().count(), 1);
        remove(&staging).await;
        assert!(host.path().join("file").exists());
    }

    #[test]
    fn fld_07_ages_are_told_by_the_clock_of_the_volume_whatever_ours_says() {
        let (volume, staging) = volume();
        fs::create_dir_all(volume.path().join(".paperclip-claude-k8s/runs/young")).unwrap();
        let runs = runs(&staging).unwrap();
        let young = fs::File::open(volume.path().join(".paperclip-claude-k8s/runs/young")).unwrap();
        let ours = std::time::SystemTime::now();
        let hour = Duration::from_secs(3_600);
        for theirs in [ours - hour, ours + hour] {
            young.set_modified(theirs - Duration::from_secs(60)).unwrap();
            assert_eq!(runs.directories(10, theirs).unwrap()[0].age, Duration::from_secs(60));
        }
        // The volume is asked: it stamps its own directory, and nothing is left there.
        fs::File::open(volume.path().join(".paperclip-claude-k8s/runs")).unwrap().set_modified(ours - hour).unwrap();
        assert!(runs.time().unwrap() > ours - Duration::from_secs(5));
        assert_eq!(runs.directories(10, ours).unwrap().len(), 1);
    }

    #[tokio::test]
    async fn tru_07_a_directory_of_somebody_else_is_not_used() {
        if own_uid() != 0 {
            return; // only root can make one
        }
        let (volume, staging) = volume();
        let base = volume.path().join(".paperclip-claude-k8s");
        fs::create_dir_all(base.join("runs/job")).unwrap();
        fs::set_permissions(base.join("runs"), fs::Permissions::from_mode(0o700)).unwrap();
        chown(base.join("runs"), Some(12_345), None).unwrap();
        let refusal = stage(&staging, files(), 0).await.unwrap_err();
        assert!(refusal.message.contains("must belong to the server's user 0"), "{}", refusal.message);
        remove(&staging).await;
        assert!(base.join("runs/job").exists());
    }
}
