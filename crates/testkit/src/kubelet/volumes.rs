//! Volumes: what they contain, and the directories that stand for them.

use std::collections::BTreeMap;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use base64::Engine;
use bytes::Bytes;
use serde_json::Value;

use super::paths::PathMap;
use super::variables::expand;
use crate::cluster::State;
use crate::objects::json::{integer, items, text};
use crate::objects::resource::Resource;
use crate::objects::store::Key;

/// Relative path → content and mode.
type Files = BTreeMap<String, (Bytes, u32)>;

/// What a volume holds.
#[derive(Debug, Clone)]
pub(super) enum Volume {
    /// Secret, `ConfigMap` or projected.
    Files(Files),
    /// emptyDir and everything else that starts empty.
    Empty,
    Claim(String),
    HostPath(PathBuf),
}

/// Resolves all volumes of a pod. The error is the message of `FailedMount`.
pub(super) fn resolve(state: &State, pod: &Value) -> Result<BTreeMap<String, Volume>, String> {
    let namespace = text(pod, "/metadata/namespace");
    let mut volumes = BTreeMap::new();
    for volume in items(pod, "/spec/volumes") {
        let name = text(volume, "/name");
        let content = content(state, namespace, volume)
            .map_err(|why| format!("MountVolume.SetUp failed for volume \"{name}\" : {why}"))?;
        volumes.insert(name.to_owned(), content);
    }
    Ok(volumes)
}

fn content(state: &State, namespace: &str, volume: &Value) -> Result<Volume, String> {
    if let Some(path) = volume.pointer("/hostPath/path").and_then(Value::as_str) {
        return Ok(Volume::HostPath(PathBuf::from(path)));
    }
    if let Some(claim) = volume.pointer("/persistentVolumeClaim/claimName").and_then(Value::as_str) {
        return Ok(Volume::Claim(claim.to_owned()));
    }
    let mut files = Files::new();
    if let Some(projected) = volume.get("projected").filter(|projected| projected.is_object()) {
        let mode = integer(projected, "/defaultMode");
        for source in items(projected, "/sources") {
            add_source(state, namespace, source, "name", mode, &mut files)?;
            if let Some(path) = source.pointer("/serviceAccountToken/path").and_then(Value::as_str) {
                files.insert(path.to_owned(), (Bytes::from_static(b"simulated-token"), 0o600));
            }
        }
        return Ok(Volume::Files(files));
    }
    if volume.get("secret").is_some() || volume.get("configMap").is_some() {
        let mode = integer(volume, "/secret/defaultMode").or(integer(volume, "/configMap/defaultMode"));
        add_source(state, namespace, volume, "secretName", mode, &mut files)?;
        return Ok(Volume::Files(files));
    }
    Ok(Volume::Empty)
}

/// Adds the keys of a Secret or `ConfigMap`. A Secret is named by `secretName` in a volume and by `name` in a projection.
fn add_source(
    state: &State,
    namespace: &str,
    source: &Value,
    secret_name: &str,
    mode: Option<i64>,
    files: &mut Files,
) -> Result<(), String> {
    for (member, resource) in [("secret", Resource::Secrets), ("configMap", Resource::ConfigMaps)] {
        let Some(reference) = source.get(member).filter(|reference| reference.is_object()) else { continue };
        let name_member = if resource == Resource::Secrets { secret_name } else { "name" };
        let name = text(reference, &format!("/{name_member}"));
        let optional = reference["optional"] == true;
        let Some(object) = state.store.get(&Key::new(resource, namespace, name)) else {
            if optional {
                continue;
            }
            return Err(format!("{} \"{name}\" not found", resource.kind().to_lowercase()));
        };
        let read = |key: &str| object["data"].get(key).map(|value| bytes_of(resource, value));
        let mode = |own: Option<i64>| own.or(mode).and_then(|mode| u32::try_from(mode).ok()).unwrap_or(0o644);
        let chosen = items(reference, "/items");
        if chosen.is_empty() {
            for (key, value) in object["data"].as_object().into_iter().flatten() {
                files.insert(key.clone(), (bytes_of(resource, value), mode(None)));
            }
        }
        for item in chosen {
            let key = text(item, "/key");
            match read(key) {
                Some(bytes) => {
                    files.insert(text(item, "/path").to_owned(), (bytes, mode(integer(item, "/mode"))));
                }
                None if optional => {}
                None => return Err(format!("references non-existent {} key: {key}", resource.kind().to_lowercase())),
            }
        }
    }
    Ok(())
}

fn bytes_of(resource: Resource, value: &Value) -> Bytes {
    let value = value.as_str().unwrap_or_default();
    match resource {
        Resource::Secrets => Bytes::from(base64::engine::general_purpose::STANDARD.decode(value).unwrap_or_default()),
        _ => Bytes::copy_from_slice(value.as_bytes()),
    }
}

/// The files a container can read, by absolute path.
pub(super) fn files_of(container: &Value, volumes: &BTreeMap<String, Volume>) -> BTreeMap<String, Bytes> {
    let mut found = BTreeMap::new();
    for mount in items(container, "/volumeMounts") {
        let Some(Volume::Files(files)) = volumes.get(text(mount, "/name")) else { continue };
        let (path, sub_path) = (text(mount, "/mountPath"), text(mount, "/subPath"));
        for (name, (bytes, _)) in files {
            let inside = if sub_path.is_empty() { Some(format!("/{name}")) } else { below(name, sub_path) };
            if let Some(inside) = inside {
                found.insert(format!("{path}{inside}"), bytes.clone());
            }
        }
    }
    found
}

/// `a/b` below `a` is `/b`; `a` below `a` is the file itself.
fn below(name: &str, sub_path: &str) -> Option<String> {
    let rest = name.strip_prefix(sub_path.trim_matches('/'))?;
    (rest.is_empty() || rest.starts_with('/')).then(|| rest.to_owned())
}

/// Where volumes become directories.
pub(super) struct Places {
    /// Directory of the pod.
    pub(super) pod: PathBuf,
    /// Directory that holds all claims.
    pub(super) claims: PathBuf,
}

/// Writes the volumes of a container and maps its mount paths. Called once per container; repeating it is harmless.
pub(super) fn materialise(
    container: &Value,
    volumes: &BTreeMap<String, Volume>,
    places: &Places,
    env: &BTreeMap<String, String>,
) -> io::Result<PathMap> {
    let mut map = PathMap::default();
    for mount in items(container, "/volumeMounts") {
        let name = text(mount, "/name");
        let Some(volume) = volumes.get(name) else { continue };
        let directory = match volume {
            Volume::HostPath(path) => path.clone(),
            Volume::Claim(claim) => places.claims.join(claim),
            Volume::Files(_) | Volume::Empty => places.pod.join("volumes").join(name),
        };
        std::fs::create_dir_all(&directory)?;
        if let Volume::Files(files) = volume {
            write_files(&directory, files)?;
        }
        let sub_path = match text(mount, "/subPathExpr") {
            "" => text(mount, "/subPath").to_owned(),
            expression => expand(expression, env),
        };
        let local = if sub_path.is_empty() { directory } else { directory.join(sub_path.trim_start_matches('/')) };
        if !local.exists() {
            std::fs::create_dir_all(&local)?;
        }
        map.add(text(mount, "/mountPath"), &local);
    }
    Ok(map)
}

fn write_files(directory: &Path, files: &Files) -> io::Result<()> {
    for (name, (bytes, mode)) in files {
        let path = directory.join(name.trim_start_matches('/'));
        if let Some(parent) = path.parent() {
            std::fs::create_dir_all(parent)?;
        }
        if path.exists() {
            continue; // another container of the pod mounted it before
        }
        std::fs::write(&path, bytes)?;
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(*mode))?;
    }
    Ok(())
}
