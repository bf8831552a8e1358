//! The directories that the host and the configuration want a run to have.

use serde_json::{Map, Value};

use crate::config::Config;
use crate::plan::directories;
use crate::plan::environment::context_text;
use crate::request::RunRequest;

/// A directory of the host, and who named it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Wanted {
    pub(super) path: String,
    /// The key or the member of the context.
    pub(super) key: String,
    /// The run cannot do without it.
    pub(super) is_run_directory: bool,
}

/// The run directory first, then workspaces and the agent's home.
pub(super) fn directories(request: &RunRequest, config: &Config) -> Vec<Wanted> {
    let run_directory = directories::wanted(request, config).map(|wanted| Wanted {
        path: wanted.path,
        key: if wanted.configured { "cwd" } else { "paperclipWorkspace.cwd" }.to_owned(),
        is_run_directory: true,
    });
    let other = |key: String, path: String| Wanted { path, key, is_run_directory: false };
    let workspace = request.context.get("paperclipWorkspace").and_then(Value::as_object);
    let members = ["worktreePath", "agentHome"]
        .into_iter()
        .filter_map(|name| Some(other(format!("paperclipWorkspace.{name}"), context_text(workspace?, &[name])?)));
    let list = request.context.get("paperclipWorkspaces").and_then(Value::as_array).into_iter().flatten();
    let hints = list.enumerate().filter_map(|(index, hint)| {
        let hint: &Map<String, Value> = hint.as_object()?;
        Some(other(format!("paperclipWorkspaces[{index}].cwd"), context_text(hint, &["cwd"])?))
    });
    let external = config.instructions_root_path.clone().filter(|_| config.instructions_external);
    let external = external.map(|path| other("instructionsRootPath".to_owned(), path));
    run_directory.into_iter().chain(members).chain(hints).chain(external).collect()
}

/// The repository that a worktree belongs to: the directory named by a `.git` file. Only an absolute path without `..`
/// means the same in the pod.
pub(super) fn repository(git_file: &str) -> Option<&str> {
    let path = git_file.strip_prefix("gitdir:")?.trim();
    (path.starts_with('/') && !path.contains(['\n', '\0'])).then_some(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tru_08_the_git_file_of_a_worktree_names_one_absolute_directory_or_nothing() {
        let rows = [
            ("gitdir: /paperclip/p/.git/worktrees/a\n", Some("/paperclip/p/.git/worktrees/a")),
            ("gitdir: ../p/.git/worktrees/a\n", None),
            ("gitdir: /a\n/b", None),
            ("[core]", None),
            ("", None),
        ];
        for (text, expected) in rows {
            assert_eq!(repository(text), expected, "{text:?}");
        }
    }
}
