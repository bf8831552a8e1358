//! Where instructions may lie on the host, and which directories of the host pods can write (TRU-04, TRU-05).

use super::check::instance_id;
use super::{PaperclipHome, Place, refusal, server};
use crate::config::Config;
use crate::failure::Refusal;
use crate::own_pod::OwnPod;
use crate::paths::remainder;
use crate::request::{HostProcess, RunRequest};

/// Variable of the server: further directories for instructions, separated by `:`.
const DIRECTORIES: &str = "PAPERCLIP_K8S_INSTRUCTIONS_DIRS";

/// The instructions lie where an agent's instructions may lie: beneath `PAPERCLIP_HOME` outside of what is the server's
/// or another agent's, or beneath a directory that the operator named. The host reads them for the agent, so whoever
/// configures an agent could read any file otherwise.
///
/// # Errors
/// `configuration_incomplete` with the key, the rule and the way out.
pub fn check_instructions(request: &RunRequest, config: &Config) -> Result<(), Refusal> {
    let Some(file) = &config.instructions_file_path else { return Ok(()) };
    let paths =
        [("instructionsFilePath", Some(file)), ("instructionsRootPath", config.instructions_root_path.as_ref())];
    for (key, path) in paths.into_iter().filter_map(|(key, path)| Some((key, path?))) {
        if let Some(reason) = refused(path, request) {
            return Err(refusal::reject(key, reason));
        }
    }
    Ok(())
}

/// Directories of the host in which links may be an agent's: `PAPERCLIP_HOME`, and what the own pod has of claims.
#[must_use]
pub fn shared_directories(request: &RunRequest, own: Option<&OwnPod>) -> Vec<String> {
    let claims = own.into_iter().flat_map(|own| own.mounts.iter().filter(|mount| own.claim(mount).is_some()));
    let mut all = vec![home_path(request)];
    all.extend(claims.map(|mount| mount.mount_path.clone()));
    all
}

fn refused(path: &str, request: &RunRequest) -> Option<String> {
    let home = home_path(request);
    let place = home_of(&home, request).place(path);
    let is_named =
        place != Place::Unclear && named(&request.host).any(|directory| remainder(path, directory).is_some());
    if is_named {
        return None;
    }
    let way_out = format!("let the operator name another directory in the server's variable `{DIRECTORIES}`");
    match place {
        Place::Own | Place::Common => None,
        Place::Server(part) => Some(format!(
            "`{path}` lies in `{part}`, which is the server's or another agent's; move the file to a directory of this agent, or {way_out}"
        )),
        Place::Above | Place::Elsewhere => Some(format!(
            "`{path}` lies neither beneath `PAPERCLIP_HOME` (`{home}`) nor beneath a directory that `{DIRECTORIES}` names; move the file there, or {way_out}"
        )),
        Place::Unclear => Some(format!("`{path}` must be an absolute path without `..`")),
    }
}

fn named(host: &HostProcess) -> impl Iterator<Item = &str> {
    let directories = host.env(DIRECTORIES).unwrap_or_default().split(':').map(str::trim);
    directories.filter(|directory| directory.starts_with('/'))
}

fn home_of(home: &str, request: &RunRequest) -> PaperclipHome {
    let agent = &request.agent;
    let files = server::files(&request.host, None);
    PaperclipHome::new(home, instance_id(request), &agent.company_id, &agent.id).with_named(&files)
}

fn home_path(request: &RunRequest) -> String {
    server::home(request).unwrap_or_else(|| OwnPod::DATA_MOUNT_PATH.to_owned())
}
