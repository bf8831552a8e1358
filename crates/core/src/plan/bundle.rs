//! How skills and instructions reach the pod.

use super::check::instance_id;
use super::{BundleContent, BundleFile, BundleSources};
use crate::config::Config;
use crate::failure::{ErrorCode, Refusal};
use crate::own_pod::OwnPod;
use crate::paths::{BUNDLE_MOUNT, join, remainder};
use crate::plan::volumes::DataVolume;
use crate::request::RunRequest;
use crate::target::SECRET_MAX;

/// Most bytes of a bundle that travels in Secrets.
const SECRETS_MAX_BYTES: usize = 4 * 1024 * 1024;
/// Most files of a bundle that travels in Secrets.
const SECRETS_MAX_FILES: usize = 1000;

/// A bundle and its way into the pod.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BundlePlan {
    /// Files and key.
    pub content: BundleContent,
    /// The way.
    pub delivery: Delivery,
}

/// The way of a bundle into the pod.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Delivery {
    /// A directory on the data volume, which host and pod share: for a bundle that is too large for Secrets. The host
    /// has to write it before the Job starts.
    Directory {
        /// On the host.
        host_path: String,
        /// In the pod.
        pod_path: String,
    },
    /// With the rest of the payload: Secrets owned by the Job, or the run's staged files.
    Secrets,
}

impl BundlePlan {
    /// The bundle's directory in the pod.
    #[must_use]
    pub fn pod_path(&self) -> &str {
        match &self.delivery {
            Delivery::Directory { pod_path, .. } => pod_path,
            Delivery::Secrets => BUNDLE_MOUNT,
        }
    }
}

/// The directory that relative references in the instructions are relative to: `instructionsRootPath`, else the
/// directory of `instructionsFilePath`.
#[must_use]
pub fn instructions_root(config: &Config) -> Option<String> {
    let root = config.instructions_root_path.clone();
    root.or_else(|| Some(parent(config.instructions_file_path.as_deref()?)?.to_owned()))
}

/// Plans the bundle; `None` when there is nothing to deliver. What fits travels with the payload, which only this run
/// can read; the volume is for what is larger.
pub(super) fn plan(
    request: &RunRequest,
    config: &Config,
    data: &DataVolume,
    sources: &BundleSources,
) -> Result<Option<BundlePlan>, Refusal> {
    let content = |root_travels: bool| {
        let base = base_directory(config, data, root_travels);
        let instructions = instructions_text(sources.instructions.as_deref(), base.as_deref(), request);
        BundleContent::new(instructions.as_deref(), &sources.skills)
    };
    let with_payload = |content| Ok(Some(BundlePlan { content, delivery: Delivery::Secrets }));
    let sees_root = base_directory(config, data, false).is_some();
    if !sees_root
        && !sources.instructions_root.is_empty()
        && let Some(mut content) = content(true)
    {
        let root = sources.instructions_root.iter();
        content
            .files
            .extend(root.map(|file| BundleFile { path: format!("instructions/{}", file.path), ..file.clone() }));
        if fits(&content.files) {
            return with_payload(content);
        }
    }
    let Some(content) = content(false) else { return Ok(None) };
    if fits(&content.files) {
        return with_payload(content);
    }
    let Some((host, pod)) = cache_directory(request, data) else { return Err(does_not_fit(&content)) };
    let below = format!("/{}", content.key);
    let delivery = Delivery::Directory { host_path: join(&host, &below), pod_path: join(&pod, &below) };
    Ok(Some(BundlePlan { content, delivery }))
}

/// The host's directory for bundles and what the pod calls it, when both see it.
fn cache_directory(request: &RunRequest, data: &DataVolume) -> Option<(String, String)> {
    let home = request.host.env("PAPERCLIP_HOME").or_else(|| data.host_path()).unwrap_or(OwnPod::DATA_MOUNT_PATH);
    let company = &request.agent.company_id;
    let below = format!("/instances/{}/companies/{company}/claude-prompt-cache", instance_id(request));
    let host_path = join(home, &below);
    // The bundle alone is mounted there, whatever else the pod sees.
    let pod_path = data.on_volume(&host_path)?;
    Some((host_path, pod_path))
}

/// Where the pod finds the files the instructions refer to.
fn base_directory(config: &Config, data: &DataVolume, root_travels: bool) -> Option<String> {
    let file_directory = parent(config.instructions_file_path.as_deref()?)?;
    data.to_pod_path(file_directory).or_else(|| {
        let root = instructions_root(config).filter(|_| root_travels)?;
        remainder(file_directory, &root).map(|rest| join(&format!("{BUNDLE_MOUNT}/instructions"), rest))
    })
}

/// Instructions, a note about their place, and the host's skill library.
fn instructions_text(instructions: Option<&str>, base: Option<&str>, request: &RunRequest) -> Option<String> {
    let instructions = instructions.map(str::trim_end).filter(|text| !text.is_empty());
    let note = instructions.and(base).map(|base| {
        format!("These instructions are kept in `{base}`. Relative paths in them are relative to that directory.")
    });
    let library = request.skill_library.as_deref().map(str::trim).filter(|text| !text.is_empty());
    let parts: Vec<&str> = instructions.into_iter().chain(note.as_deref()).chain(library).collect();
    (!parts.is_empty()).then(|| format!("{}\n", parts.join("\n\n")))
}

fn does_not_fit(content: &BundleContent) -> Refusal {
    if let Some(file) = content.files.iter().find(|file| file.bytes.len() > SECRET_MAX) {
        let size = file.bytes.len();
        return unavailable(&format!("`{}` has {size} bytes, and a Secret holds {SECRET_MAX}", file.path));
    }
    unavailable(&format!(
        "{} files with {} bytes, at most {SECRETS_MAX_FILES} files and {SECRETS_MAX_BYTES} bytes fit into Secrets",
        content.files.len(),
        content.size()
    ))
}

fn fits(files: &[BundleFile]) -> bool {
    let size: usize = files.iter().map(|file| file.bytes.len()).sum();
    let each = files.iter().all(|file| file.bytes.len() <= SECRET_MAX);
    size <= SECRETS_MAX_BYTES && files.len() <= SECRETS_MAX_FILES && each
}

fn unavailable(why: &str) -> Refusal {
    let message = format!(
        "Skills and instructions cannot be delivered: {why}; use fewer or smaller skills, or a data volume that host and Job share"
    );
    Refusal::new(ErrorCode::BundleUnavailable, message)
}

fn parent(path: &str) -> Option<&str> {
    let (directory, _) = path.trim_end_matches('/').rsplit_once('/')?;
    Some(if directory.is_empty() { "/" } else { directory })
}
