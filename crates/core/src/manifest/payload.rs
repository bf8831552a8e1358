//! What the pod reads and nobody else should: prompt, environment values, MCP tokens, settings, bundle.
//!
//! One plan serves four readers: the Secrets, the projected volume, the `secretKeyRef`s, and the staged files of a
//! cluster where Secrets may not be created. So a key and its path are written down once.

use std::borrow::Cow;

use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::{KeyToPath, ProjectedVolumeSource, Secret, SecretProjection, VolumeProjection};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ObjectMeta, OwnerReference};

use super::labels;
use super::settings_file::{RTK, files};
use super::staged_files::StagedFile;
use crate::attempt::Attempt;
use crate::names::JobName;
use crate::plan::{Delivery, Parts};
use crate::target::SECRET_MAX;

/// One Secret to be.
#[derive(Debug)]
pub(crate) struct PayloadSecret<'a> {
    pub(crate) name: String,
    pub(crate) entries: Vec<Entry<'a>>,
}

/// One key of a Secret.
#[derive(Debug)]
pub(crate) struct Entry<'a> {
    pub(crate) key: String,
    /// Path below the payload mount; `None` for an environment value.
    path: Option<String>,
    executable: bool,
    bytes: Cow<'a, [u8]>,
}

impl<'a> Entry<'a> {
    fn file(key: impl Into<String>, path: impl Into<String>, bytes: impl Into<Cow<'a, [u8]>>) -> Self {
        Self { key: key.into(), path: Some(path.into()), executable: false, bytes: bytes.into() }
    }

    fn size(&self) -> usize {
        self.key.len() + self.bytes.len()
    }
}

/// The prompt in pieces that fit one Secret each; at least one.
pub(crate) fn prompt_parts(prompt: &str) -> impl Iterator<Item = &[u8]> {
    prompt.as_bytes().chunks(SECRET_MAX)
}

/// The key of an environment value.
pub(crate) fn env_key(name: &str) -> String {
    format!("env.{name}")
}

/// The payload of one attempt, in Secrets: all of it in one if it fits, else each kind apart.
///
/// Every Secret is a request of the launch, one of the clean-up of a retained run, and a read of the kubelet.
pub(crate) fn plan<'a>(parts: &'a Parts, attempt: &'a Attempt) -> Vec<PayloadSecret<'a>> {
    let job = &attempt.job_name;
    let (prompt, run, bundle) = (prompt_entries(attempt), run_entries(parts), bundle_entries(parts));
    let size: usize = [&prompt, &run, &bundle].into_iter().flatten().map(Entry::size).sum();
    if size <= SECRET_MAX {
        let entries = prompt.into_iter().chain(run).chain(bundle).collect();
        return vec![PayloadSecret { name: job.run_secret(0), entries }];
    }
    let named = |name: fn(&JobName, usize) -> String| {
        move |(part, entries): (usize, _)| PayloadSecret { name: name(job, part), entries }
    };
    let prompt = prompt.into_iter().map(|entry| vec![entry]).enumerate().map(named(JobName::prompt_secret));
    let run = pack(run).into_iter().enumerate().map(named(JobName::run_secret));
    let bundle = pack(bundle).into_iter().enumerate().map(named(JobName::bundle_secret));
    prompt.chain(run).chain(bundle).collect()
}

/// One entry for each part of the prompt. Parts after the first never share a Secret, so they share a key.
fn prompt_entries(attempt: &Attempt) -> Vec<Entry<'_>> {
    let parts = prompt_parts(&attempt.prompt).enumerate();
    parts.map(|(part, bytes)| Entry::file("prompt", format!("prompt/{part:03}"), bytes)).collect()
}

fn run_entries(parts: &Parts) -> Vec<Entry<'_>> {
    let mut entries = Vec::new();
    for (file, content) in files(&parts.settings) {
        entries.push(Entry::file(file, file, content.into_bytes()));
    }
    if let Some(mcp) = &parts.mcp {
        entries.push(Entry::file("mcp.json", "mcp.json", mcp.json.as_bytes()));
    }
    if parts.config.enable_rtk {
        entries.push(Entry::file("rtk.cjs", "rtk.cjs", RTK.as_bytes()));
    }
    for (name, value) in parts.environment.secrets() {
        entries.push(Entry { key: env_key(name), path: None, executable: false, bytes: value.as_bytes().into() });
    }
    for (name, content) in &parts.environment.files {
        entries.push(Entry::file(format!("files.{name}"), format!("files/{name}"), content.as_bytes()));
    }
    entries
}

fn bundle_entries(parts: &Parts) -> Vec<Entry<'_>> {
    let in_secrets = parts.bundle.as_ref().filter(|bundle| bundle.delivery == Delivery::Secrets);
    let files = in_secrets.into_iter().flat_map(|bundle| &bundle.content.files).enumerate();
    files
        .map(|(index, file)| Entry {
            executable: file.executable,
            ..Entry::file(format!("f{index}"), format!("bundle/{}", file.path), file.bytes.as_slice())
        })
        .collect()
}

/// Fills Secrets one after the other; the order of the entries stays.
fn pack(entries: Vec<Entry<'_>>) -> Vec<Vec<Entry<'_>>> {
    let mut secrets: Vec<Vec<Entry<'_>>> = Vec::new();
    let mut room = 0;
    for entry in entries {
        let size = entry.size();
        match secrets.last_mut() {
            Some(secret) if size <= room => {
                room -= size;
                secret.push(entry);
            }
            _ => {
                room = SECRET_MAX.saturating_sub(size);
                secrets.push(vec![entry]);
            }
        }
    }
    secrets
}

/// The Secrets, born with their owner: a crash leaves nothing that outlives the Job (PRM-05).
pub(crate) fn secrets(parts: &Parts, attempt: &Attempt, owner_uid: &str) -> Vec<Secret> {
    let owner = OwnerReference {
        api_version: "batch/v1".to_owned(),
        kind: "Job".to_owned(),
        name: attempt.job_name.to_string(),
        uid: owner_uid.to_owned(),
        controller: Some(false),
        // `true` needs extra rights on some distributions (docs/internals/kubernetes.md 4.3).
        block_owner_deletion: Some(false),
    };
    let secret = |planned: PayloadSecret<'_>| Secret {
        metadata: ObjectMeta {
            name: Some(planned.name),
            namespace: Some(parts.namespace.clone()),
            labels: Some(labels::labels(parts, attempt)),
            owner_references: Some(vec![owner.clone()]),
            ..ObjectMeta::default()
        },
        immutable: Some(true),
        type_: Some("Opaque".to_owned()),
        data: Some(planned.entries.into_iter().map(|e| (e.key, ByteString(e.bytes.into_owned()))).collect()),
        ..Secret::default()
    };
    plan(parts, attempt).into_iter().map(secret).collect()
}

/// The projected volume with every file of every Secret. Mandatory: the container waits until all Secrets exist.
pub(super) fn projected(planned: &[PayloadSecret<'_>]) -> ProjectedVolumeSource {
    let item = |entry: &Entry<'_>| {
        let mode = entry.executable.then_some(0o555);
        Some(KeyToPath { key: entry.key.clone(), path: entry.path.clone()?, mode })
    };
    let source = |secret: &PayloadSecret<'_>| {
        let items: Vec<KeyToPath> = secret.entries.iter().filter_map(item).collect();
        let projection = SecretProjection { name: secret.name.clone(), items: Some(items), optional: None };
        VolumeProjection { secret: Some(projection), ..VolumeProjection::default() }
    };
    let with_files = planned.iter().filter(|secret| secret.entries.iter().any(|entry| entry.path.is_some()));
    ProjectedVolumeSource { default_mode: Some(0o444), sources: Some(with_files.map(source).collect()) }
}

/// The same payload as files below the staging directory.
pub(crate) fn staged_files(parts: &Parts, attempt: &Attempt) -> Vec<StagedFile> {
    let entries = plan(parts, attempt).into_iter().flat_map(|secret| secret.entries);
    entries
        .map(|entry| StagedFile {
            executable: entry.executable,
            path: entry.path.unwrap_or_else(|| entry.key.replacen("env.", "env/", 1)),
            bytes: entry.bytes.into_owned(),
        })
        .collect()
}
