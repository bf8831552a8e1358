//! Where the data volume is mounted, and which part of it.

use super::reader::Reader;
use super::structured::shown_text;

/// Directories of the container that the adapter or the container runtime fills.
const TAKEN: [&str; 5] = ["/opt/paperclip/run", "/opt/paperclip/scratch", "/dev", "/proc", "/sys"];

/// `workspaceSubPath`: stays inside the volume.
pub(super) fn sub_path(reader: &mut Reader<'_>) -> Option<String> {
    let key = "workspaceSubPath";
    let path = reader.text(key)?;
    if path.starts_with('/') || has_parent_segment(&path) || path.contains('\n') {
        reader.reject(key, format!("expected a relative path without `..`, got {}", shown_text(&path)));
        return None;
    }
    Some(path)
}

/// `workspaceMountPath`, without slashes at its end.
pub(super) fn mount_path(reader: &mut Reader<'_>) -> Option<String> {
    let key = "workspaceMountPath";
    let path = reader.absolute_path(key)?;
    let path = path.trim_end_matches('/');
    let shown = shown_text(path);
    if path.is_empty() {
        reader.reject(key, "the data volume cannot replace the root directory; give a directory below it");
    } else if path.contains([':', '\n']) || has_parent_segment(path) || path.contains("//") {
        reader.reject(key, format!("{shown} is not a plain directory path (`:`, `..` and `//` are not allowed)"));
    } else if let Some(taken) = TAKEN.iter().find(|taken| is_within(path, taken) || is_within(taken, path)) {
        reader.reject(key, format!("{shown} overlaps `{taken}`, which the container needs; give another directory"));
    } else {
        return Some(path.to_owned());
    }
    None
}

fn has_parent_segment(path: &str) -> bool {
    path.split('/').any(|segment| segment == "..")
}

/// Whether `path` is `directory` or below it.
fn is_within(path: &str, directory: &str) -> bool {
    path.strip_prefix(directory).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}
