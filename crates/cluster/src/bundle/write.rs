//! A bundle as a directory that is complete or absent.

use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use claude_k8s_core::failure::Refusal;
use claude_k8s_core::launch::bundle_not_written;
use claude_k8s_core::plan::BundleContent;
use tokio::fs;

/// Distinguishes simultaneous writers of one process; the process id distinguishes processes.
static WRITERS: AtomicU64 = AtomicU64::new(0);

/// Writes a bundle to its directory, whose name is its key: one that exists is complete and left alone.
///
/// # Errors
/// `k8s_bundle_unavailable`, with the path and the cause.
pub async fn write(content: &BundleContent, directory: &Path) -> Result<(), Refusal> {
    if fs::metadata(directory).await.is_ok_and(|found| found.is_dir()) {
        return Ok(());
    }
    let writer = WRITERS.fetch_add(1, Ordering::Relaxed);
    let sibling = sibling(directory, &format!("{}-{writer}", std::process::id()));
    let written = match fill(content, &sibling).await {
        Ok(()) => publish(&sibling, directory).await,
        Err(cause) => Err(cause),
    };
    if let Err(cause) = written {
        let _unfinished = fs::remove_dir_all(&sibling).await; // the cause is what matters
        return Err(bundle_not_written(&directory.to_string_lossy(), &cause.to_string()));
    }
    Ok(())
}

async fn fill(content: &BundleContent, directory: &Path) -> io::Result<()> {
    create_directory(directory).await?;
    for file in &content.files {
        let path = directory.join(&file.path);
        let parents = Path::new(&file.path).ancestors().skip(1).filter(|parent| !parent.as_os_str().is_empty());
        let mut parents: Vec<PathBuf> = parents.map(|parent| directory.join(parent)).collect();
        parents.reverse();
        for parent in parents {
            create_directory(&parent).await?;
        }
        fs::write(&path, &file.bytes).await?;
        set_mode(&path, if file.executable { 0o755 } else { 0o644 }).await?;
    }
    Ok(())
}

/// The pod may run as another user than the host, whatever the host's umask says.
async fn create_directory(path: &Path) -> io::Result<()> {
    fs::create_dir_all(path).await?;
    set_mode(path, 0o755).await
}

async fn set_mode(path: &Path, mode: u32) -> io::Result<()> {
    fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).await
}

/// A rename is all or nothing. Who comes second finds the same content.
async fn publish(sibling: &Path, directory: &Path) -> io::Result<()> {
    match fs::rename(sibling, directory).await {
        Err(_) if fs::metadata(directory).await.is_ok_and(|found| found.is_dir()) => fs::remove_dir_all(sibling).await,
        renamed => renamed,
    }
}

fn sibling(directory: &Path, suffix: &str) -> PathBuf {
    let name = directory.file_name().unwrap_or_default().to_string_lossy();
    directory.with_file_name(format!(".{name}.{suffix}"))
}
