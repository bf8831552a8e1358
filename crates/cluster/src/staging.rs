//! The payload on the data volume that host and pod share, for a Role without `create` on `secrets`.
//!
//! Directories 0700, files 0600, owned by the pod's user. Written before the pod can start, removed at the end.

use std::io;
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::path::{Path, PathBuf};

use claude_k8s_core::failure::{ErrorCode, Refusal};
use claude_k8s_core::spec::StagedFile;
use tokio::fs;

/// Writes the files below `directory`.
///
/// # Errors
/// `k8s_prompt_secret_create_failed` with the path and the cause; what was written is removed.
pub(crate) async fn stage(directory: &str, files: &[StagedFile], owner: i64) -> Result<(), Refusal> {
    let root = PathBuf::from(directory);
    let written = write_all(&root, files, u32::try_from(owner).ok()).await;
    if let Err((path, error)) = written {
        remove(directory).await;
        let message = format!(
            "The payload could not be written to `{}`: {error}; grant `create` on `secrets` (see `deploy/`) or make the data volume writable for the host",
            path.display()
        );
        return Err(Refusal::new(ErrorCode::PromptSecretCreateFailed, message));
    }
    Ok(())
}

/// Removes the directory. What is gone already is done; what cannot be removed is swept with the next run.
pub(crate) async fn remove(directory: &str) {
    let _swept_later = fs::remove_dir_all(directory).await;
}

async fn write_all(root: &Path, files: &[StagedFile], owner: Option<u32>) -> Result<(), (PathBuf, io::Error)> {
    make_directory(root, owner).await.map_err(|error| (root.to_owned(), error))?;
    for file in files {
        let path = root.join(&file.path);
        if let Some(parent) = path.parent().filter(|parent| *parent != root) {
            make_directory(parent, owner).await.map_err(|error| (parent.to_owned(), error))?;
        }
        write(&path, &file.bytes, owner).await.map_err(|error| (path, error))?;
    }
    Ok(())
}

async fn make_directory(path: &Path, owner: Option<u32>) -> io::Result<()> {
    fs::create_dir_all(path).await?;
    fs::set_permissions(path, std::fs::Permissions::from_mode(0o700)).await?;
    give(path, owner)
}

async fn write(path: &Path, bytes: &[u8], owner: Option<u32>) -> io::Result<()> {
    // Created with its final mode: there is no moment at which others may read it.
    fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path).await?;
    fs::write(path, bytes).await?;
    give(path, owner)
}

/// Only root may give files away; otherwise they belong to the host's user, and the pod has to run as the same one.
fn give(path: &Path, owner: Option<u32>) -> io::Result<()> {
    match chown(path, owner, None) {
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => Ok(()),
        result => result,
    }
}
