//! Fixed places inside the pod, and questions about absolute paths.

/// Where the payload is mounted, read-only.
pub const RUN_MOUNT: &str = "/opt/paperclip/run";

/// Where the pod's own temporary volume is mounted.
pub const SCRATCH_MOUNT: &str = "/opt/paperclip/scratch";

/// Name of the volume that is mounted there, limited by `cacheSizeLimit`.
pub const SCRATCH_VOLUME: &str = "paperclip-scratch";

/// Says that the container was asked to stop.
pub(crate) const STOPPED_FILE: &str = "/opt/paperclip/scratch/stopped";

/// Where the script keeps what Claude Code writes to stderr.
pub(crate) const STDERR_FILE: &str = "/opt/paperclip/scratch/stderr";

/// Where a token of a service account is mounted by Kubernetes.
pub(crate) const SERVICE_ACCOUNT_MOUNT: &str = "/var/run/secrets/kubernetes.io/serviceaccount";

/// Temporary directory of the run.
pub(crate) const TMP_DIRECTORY: &str = "/opt/paperclip/scratch/tmp";

/// Parent of all caches of the run.
pub(crate) const CACHE_DIRECTORY: &str = "/opt/paperclip/scratch/cache";

/// The bundle when it travels in Secrets.
pub(crate) const BUNDLE_MOUNT: &str = "/opt/paperclip/run/bundle";

/// The rest of `path` below `root`: empty for `root` itself, else with a leading `/`. `None` when it lies elsewhere.
///
/// A path with a `..` part lies nowhere: what it means is known only to the file system.
pub(crate) fn remainder<'a>(path: &'a str, root: &str) -> Option<&'a str> {
    if !path.starts_with('/') || path.split('/').any(|part| part == "..") {
        return None;
    }
    let rest = path.strip_prefix(root.trim_end_matches('/'))?;
    let rest = rest.trim_end_matches('/');
    (rest.is_empty() || rest.starts_with('/')).then_some(rest)
}

/// `root` plus a [`remainder`].
pub(crate) fn join(root: &str, remainder: &str) -> String {
    let root = root.trim_end_matches('/');
    if root.is_empty() && remainder.is_empty() { "/".to_owned() } else { format!("{root}{remainder}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_remainder_ends_at_directory_borders() {
        let rows = [
            ("/data/a/b", "/data", Some("/a/b")),
            ("/data", "/data/", Some("")),
            ("/data/a/", "/data", Some("/a")),
            ("/database", "/data", None),
            ("/data/../etc", "/data", None),
            ("data/a", "/data", None),
            ("/x", "/", Some("/x")),
        ];
        for (path, root, expected) in rows {
            assert_eq!(remainder(path, root), expected, "{path} below {root}");
        }
        assert_eq!(join("/job/", "/a"), "/job/a");
    }
}
