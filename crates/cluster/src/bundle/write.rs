//! A bundle as a directory that is complete or absent, and holds nothing else.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use claude_k8s_core::failure::Refusal;
use claude_k8s_core::files::Trouble;
use claude_k8s_core::launch::bundle_not_written;
use claude_k8s_core::plan::BundleContent;

use crate::files::{Access, Budget, FileError, Root, Shared, blocking};

/// For writing it, or for comparing one that is there.
const TIME: Duration = Duration::from_secs(60);

/// Writes a bundle to its directory, whose name is its key. One that exists is used only if it holds exactly these
/// files; anything else that has the name is replaced. `shared`: where links may be an agent's.
///
/// # Errors
/// `k8s_bundle_unavailable`, with the path and the cause.
pub async fn write(content: &BundleContent, directory: &Path, shared: Vec<String>) -> Result<(), Refusal> {
    let (content, to) = (content.clone(), directory.to_owned());
    let written = blocking(directory, TIME, move || provide(&content, &to, &Shared::of(shared))).await;
    written.map_err(|error| bundle_not_written(&error.path.to_string_lossy(), &error.trouble.to_string()))
}

fn provide(content: &BundleContent, directory: &Path, shared: &Shared) -> Result<(), FileError> {
    let cache = directory.parent().unwrap_or(directory);
    let name = directory.file_name().unwrap_or_default().to_string_lossy();
    // The pod may run as another user than the host, whatever the host's umask says.
    let cache = Root::open_or_make(cache, shared, Access::mode(0o755))?;
    if holds(&cache, &name, content)? {
        return Ok(());
    }
    cache.remove_tree(&*name)?;
    let temporary = Root::random_name();
    let written = fill(content, &cache, &temporary).and_then(|()| match cache.rename_dir(&temporary, &name) {
        // Whoever was faster has written the same, or is none of us.
        Err(error) if error.trouble == Trouble::Exists && holds(&cache, &name, content)? => {
            cache.remove_tree(&temporary)
        }
        renamed => renamed,
    });
    if written.is_err() {
        let _the_cause_is_what_matters = cache.remove_tree(&temporary);
    }
    written
}

/// The directory is there and holds these files, nothing more and no link.
fn holds(cache: &Root, name: &str, content: &BundleContent) -> Result<bool, FileError> {
    let found = match cache.dir(name) {
        Ok(found) => found,
        Err(error) if matches!(error.trouble, Trouble::Missing | Trouble::Link | Trouble::NotADirectory) => {
            return Ok(false);
        }
        Err(error) => return Err(error),
    };
    let mut budget = Budget::new(content.size() as u64, content.files.len(), TIME);
    let walked = match found.walk(&mut budget) {
        Err(error) if error.trouble == Trouble::TooMuch => return Ok(false),
        walked => walked?,
    };
    let is_plain = walked.skipped.is_empty() && walked.links == 0;
    let mut expected: BTreeMap<&str, (&[u8], bool)> = BTreeMap::new();
    expected.extend(content.files.iter().map(|file| (file.path.as_str(), (file.bytes.as_slice(), file.executable))));
    let is_expected = |path: &str, bytes: &[u8], executable| expected.get(path) == Some(&(bytes, executable));
    let equal = walked.files.len() == expected.len()
        && walked.files.iter().all(|file| is_expected(&file.path, &file.bytes, file.executable));
    Ok(is_plain && equal)
}

fn fill(content: &BundleContent, cache: &Root, name: &str) -> Result<(), FileError> {
    let root = cache.make_dir(name, Access::mode(0o755))?;
    for file in &content.files {
        let path = PathBuf::from(&file.path);
        root.dir_or_make(path.parent().unwrap_or(Path::new("")), Access::mode(0o755))?;
        root.write_new(&path, &file.bytes, Access::mode(if file.executable { 0o755 } else { 0o644 }))?;
    }
    Ok(())
}
