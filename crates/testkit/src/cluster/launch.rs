//! Known images, and what a container was started with.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use bytes::Bytes;

use crate::script::Script;

/// How many launches are remembered.
pub(crate) const LAUNCHES_KEPT: usize = 256;

/// What stands behind an image name.
#[derive(Clone)]
pub(crate) enum Image {
    /// Containers are local processes; the directory comes first in their `PATH`.
    Directory(PathBuf),
    /// Containers play a script, chosen by what they were started with.
    Script(Arc<dyn Fn(&Launch) -> Script + Send + Sync>),
}

/// Everything a container was given: what the kubelet would hand to the runtime.
#[derive(Debug, Clone)]
pub struct Launch {
    /// Namespace of the pod.
    pub namespace: String,
    /// Name of the pod.
    pub pod: String,
    /// Name of its Job; empty without one.
    pub job: String,
    /// Name of the container.
    pub container: String,
    /// Image.
    pub image: String,
    /// Command, `$(NAME)` expanded.
    pub command: Vec<String>,
    /// Arguments, `$(NAME)` expanded.
    pub args: Vec<String>,
    /// The resolved environment.
    pub env: BTreeMap<String, String>,
    /// Working directory as in the manifest.
    pub working_dir: String,
    /// Contents of mounted Secrets and `ConfigMap`s by absolute path in the container.
    pub files: BTreeMap<String, Bytes>,
}

impl Launch {
    /// A mounted file as text; empty when it is not there.
    #[must_use]
    pub fn file(&self, path: &str) -> String {
        self.files.get(path).map(|bytes| String::from_utf8_lossy(bytes).into_owned()).unwrap_or_default()
    }

    /// The argument behind an option, for example `--resume`.
    #[must_use]
    pub fn option(&self, name: &str) -> Option<&str> {
        let at = self.args.iter().position(|argument| argument == name)?;
        self.args.get(at + 1).map(String::as_str)
    }
}
