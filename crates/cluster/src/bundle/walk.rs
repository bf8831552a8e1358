//! All regular files below a directory, links inside it followed.

use std::collections::HashSet;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use claude_k8s_core::plan::BundleFile;
use tokio::fs;

/// What may still be read. A directory is taken whole or not at all.
#[derive(Debug, Clone, Copy)]
pub(super) struct Budget {
    pub(super) bytes: u64,
    pub(super) files: usize,
}

/// Why a directory was not taken.
#[derive(Debug, thiserror::Error)]
pub(super) enum WalkError {
    #[error("`{}`: {cause}", path.display())]
    Unreadable { path: PathBuf, cause: io::Error },
    #[error("it is too large")]
    TooLarge,
}

/// Files of one directory, sorted by path, and what was skipped.
#[derive(Debug, Default)]
pub(super) struct Walk {
    pub(super) files: Vec<BundleFile>,
    pub(super) skipped: Vec<String>,
}

/// Reads a directory, taking what it needs from the budget.
pub(super) async fn walk(directory: &Path, budget: &mut Budget) -> Result<Walk, WalkError> {
    let root = resolved(directory).await?;
    let mut left = *budget;
    let mut walk = Walk::default();
    let mut seen = HashSet::from([root.clone()]);
    let mut pending = vec![(root.clone(), String::new())];
    while let Some((directory, prefix)) = pending.pop() {
        let mut entries = fs::read_dir(&directory).await.map_err(unreadable(&directory))?;
        while let Some(entry) = entries.next_entry().await.map_err(unreadable(&directory))? {
            let path = entry.path();
            let Ok(name) = entry.file_name().into_string() else {
                walk.skipped.push(format!("`{}` is skipped: its name is not UTF-8", path.display()));
                continue;
            };
            let relative = format!("{prefix}{name}");
            let Some(target) = inside(&path, &root).await? else {
                walk.skipped
                    .push(format!("`{}` is skipped: it is a link that leads outside or nowhere", path.display()));
                continue;
            };
            let metadata = fs::metadata(&target).await.map_err(unreadable(&path))?;
            if metadata.is_dir() {
                // A link to a directory that was already entered would never end.
                if seen.insert(target.clone()) {
                    pending.push((target, format!("{relative}/")));
                }
            } else if metadata.is_file() {
                left.files = left.files.checked_sub(1).ok_or(WalkError::TooLarge)?;
                left.bytes = left.bytes.checked_sub(metadata.len()).ok_or(WalkError::TooLarge)?;
                let bytes = fs::read(&target).await.map_err(unreadable(&path))?;
                let executable = metadata.permissions().mode() & 0o111 != 0;
                walk.files.push(BundleFile { path: relative, bytes, executable });
            }
        }
    }
    *budget = left;
    walk.files.sort_by(|a, b| a.path.cmp(&b.path));
    walk.skipped.sort();
    Ok(walk)
}

async fn resolved(path: &Path) -> Result<PathBuf, WalkError> {
    fs::canonicalize(path).await.map_err(unreadable(path))
}

/// The real place of an entry; `None` for a link that leaves the root or leads nowhere.
async fn inside(path: &Path, root: &Path) -> Result<Option<PathBuf>, WalkError> {
    match fs::canonicalize(path).await {
        Ok(target) => Ok(target.starts_with(root).then_some(target)),
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(cause) => Err(unreadable(path)(cause)),
    }
}

fn unreadable(path: &Path) -> impl FnOnce(io::Error) -> WalkError {
    move |cause| WalkError::Unreadable { path: path.to_owned(), cause }
}
