//! The payload on the data volume that host and pod share, for a Role without `create` on `secrets`.
//!
//! Directories 0700, files 0600, owned by the pod's user. Complete before the Job is created, removed at the end.

use std::io;
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::path::{Path, PathBuf};
use std::time::Duration;

use claude_k8s_core::failure::Refusal;
use claude_k8s_core::launch::{Call, not_staged};
use claude_k8s_core::manifest::StagedFile;
use tokio::fs;

use crate::api::{Namespace, patiently};

/// A younger directory may belong to a Job that is just being created.
const LEFTOVER_AGE: Duration = Duration::from_secs(900);
/// Leftovers looked at per launch, so that a launch stays quick.
const SWEPT_AT_ONCE: usize = 20;

/// Writes the files below `directory`.
///
/// # Errors
/// `k8s_prompt_secret_create_failed` with the path and the cause; what was written is removed.
pub(crate) async fn stage(directory: &str, files: &[StagedFile], owner: i64) -> Result<(), Refusal> {
    let written = write_all(Path::new(directory), files, u32::try_from(owner).ok()).await;
    if let Err((path, error)) = written {
        remove(directory).await;
        let denied = error.kind() == io::ErrorKind::PermissionDenied;
        return Err(not_staged(&path.to_string_lossy(), &error.to_string(), denied, owner));
    }
    Ok(())
}

/// Removes the directory. What is gone already is done; what cannot be removed is swept by a later run.
pub(crate) async fn remove(directory: &str) {
    let _swept_later = fs::remove_dir_all(directory).await;
}

/// Removes directories beside `directory` whose Job is proven gone: their run ended with its host.
pub(crate) async fn sweep(namespace: &Namespace, directory: &str) {
    let Some(runs) = Path::new(directory).parent() else { return };
    let Ok(mut entries) = fs::read_dir(runs).await else { return };
    let mut looked_at = 0;
    while let Ok(Some(entry)) = entries.next_entry().await {
        let Ok(name) = entry.file_name().into_string() else { continue };
        let modified = entry.metadata().await.and_then(|found| found.modified());
        let age = modified.ok().and_then(|at| at.elapsed().ok()).unwrap_or_default();
        if age < LEFTOVER_AGE || looked_at == SWEPT_AT_ONCE {
            continue;
        }
        looked_at += 1;
        match patiently(Call::FindStaged, || namespace.get_job(&name)).await {
            Err(failure) if Call::FindStaged.knows_by(failure.kind) => {
                let _not_ours_to_remove = fs::remove_dir_all(entry.path()).await;
            }
            // An API server that does not answer is not asked twenty times.
            Err(_) => return,
            Ok(_) => {}
        }
    }
}

async fn write_all(root: &Path, files: &[StagedFile], owner: Option<u32>) -> Result<(), (PathBuf, io::Error)> {
    let at = |path: &Path| {
        let path = path.to_owned();
        move |error| (path, error)
    };
    if let Some(parent) = root.parent() {
        fs::create_dir_all(parent).await.map_err(at(parent))?;
    }
    // Of an earlier try; whatever else lies there is not written into.
    match fs::remove_dir_all(root).await {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err((root.to_owned(), error)),
        _ => {}
    }
    let mut made = vec![root.to_owned()];
    make_directory(root).await.map_err(at(root))?;
    for file in files {
        let path = root.join(&file.path);
        let below = path.parent().unwrap_or(root).strip_prefix(root).unwrap_or(Path::new(""));
        let mut directory = root.to_owned();
        for part in below {
            directory.push(part);
            if !made.contains(&directory) {
                make_directory(&directory).await.map_err(at(&directory))?;
                made.push(directory.clone());
            }
        }
        write(&path, &file.bytes, owner).await.map_err(at(&path))?;
    }
    // Deepest last to be made, first to be given away: a host that is not root keeps its way in until the end.
    made.iter().rev().try_for_each(|directory| give(directory, owner).map_err(at(directory)))
}

/// Made with its final mode: there is no moment at which others may look into it.
async fn make_directory(path: &Path) -> io::Result<()> {
    fs::DirBuilder::new().mode(0o700).create(path).await?;
    fs::set_permissions(path, std::fs::Permissions::from_mode(0o700)).await
}

async fn write(path: &Path, bytes: &[u8], owner: Option<u32>) -> io::Result<()> {
    fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path).await?;
    fs::write(path, bytes).await?;
    give(path, owner)
}

/// Only root may give files away. For anybody else this succeeds if the pod's user is the host's; a pod that runs as
/// another one could not read its payload.
fn give(path: &Path, owner: Option<u32>) -> io::Result<()> {
    chown(path, owner, None)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::MetadataExt as _;

    use claude_k8s_core::failure::ErrorCode;

    use super::*;

    fn files() -> Vec<StagedFile> {
        let file = |path: &str| StagedFile { path: path.to_owned(), bytes: path.as_bytes().to_vec() };
        vec![file("prompt/000"), file("env/KEY"), file("bundle/skills/a/SKILL.md"), file("settings.json")]
    }

    #[tokio::test]
    async fn staged_files_are_for_the_pods_user_only_and_replace_an_earlier_try() {
        let volume = tempfile::tempdir().unwrap();
        let directory = volume.path().join(".paperclip-claude-k8s/runs/job");
        let text = directory.to_str().unwrap();
        let user = std::fs::metadata(volume.path()).unwrap().uid();
        std::fs::create_dir_all(directory.join("prompt")).unwrap();
        std::fs::write(directory.join("prompt/001"), "of an earlier try").unwrap();
        stage(text, &files(), user.into()).await.unwrap();
        assert!(!directory.join("prompt/001").exists());
        for (path, mode) in [
            ("", 0o700),
            ("prompt", 0o700),
            ("bundle/skills/a", 0o700),
            ("prompt/000", 0o600),
            ("bundle/skills/a/SKILL.md", 0o600),
        ] {
            let found = std::fs::metadata(directory.join(path)).unwrap();
            assert_eq!((found.mode() & 0o777, found.uid()), (mode, user), "{path}");
        }
        assert_eq!(std::fs::read(directory.join("env/KEY")).unwrap(), b"env/KEY");
        remove(text).await;
        assert!(!directory.exists());
    }

    #[tokio::test]
    async fn a_host_that_is_root_gives_the_files_to_the_pods_user() {
        let volume = tempfile::tempdir().unwrap();
        let directory = volume.path().join("runs/job");
        let is_root = std::fs::metadata(volume.path()).unwrap().uid() == 0;
        let staged = stage(directory.to_str().unwrap(), &files(), 12_345).await;
        if is_root {
            staged.unwrap();
            let owners =
                ["", "prompt", "prompt/000"].map(|path| std::fs::metadata(directory.join(path)).unwrap().uid());
            assert_eq!(owners, [12_345; 3]);
        } else {
            let refusal = staged.unwrap_err();
            assert_eq!(refusal.code, ErrorCode::PromptSecretCreateFailed);
            assert!(refusal.message.contains("`runAsUser` is 12345"), "{}", refusal.message);
            assert!(!directory.exists());
        }
    }
}
