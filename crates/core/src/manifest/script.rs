//! The shell script in front of Claude Code. Plain POSIX `sh`; besides `claude` it needs only `mkdir` and `cat`.
//!
//! It begins with [`FIRST_LINE`], by which a follower knows that it sees the beginning, and ends in `exec`: the CLI is
//! process 1, gets SIGTERM, and its exit code is the container's (LOG-15).

use super::{payload, settings_file};
use crate::attempt::Attempt;
use crate::log::FIRST_LINE;
use crate::paths::RUN_MOUNT;
use crate::plan::Parts;
use crate::plan::environment::names::is_shell_name;
use crate::target::PayloadMode;

/// A stderr line inside a long stdout line would corrupt it, so stderr goes to the termination log.
/// Where that file is not writable, stderr stays in the container log.
const HEAD: &str = r"if [ -w /dev/termination-log ]; then exec 2>>/dev/termination-log; fi
set -eu
";

/// Without one of them every Bash tool call fails while the run itself succeeds (docs/internals/claude.md 2).
const SHELL_CHECK: &str = r"if ! command -v bash >/dev/null 2>&1; then
  if ! command -v zsh >/dev/null 2>&1; then
    echo '[paperclip] Warning: the image has neither bash nor zsh: the shell tool of Claude Code will not work'
  fi
fi
";

const NODE_CHECK: &str = r"if ! command -v node >/dev/null 2>&1; then
  echo '[paperclip] Output filtering disabled: the image has no `node`'
fi
";

/// Prompt of several parts, put together on the pod's own volume. A file, because a pipe that is slow for 3 s
/// counts as empty (docs/internals/claude.md 3).
const JOINED_PROMPT: &str = "/opt/paperclip/scratch/prompt";

/// The script of one attempt, not yet escaped for Kubernetes.
pub(super) fn script(parts: &Parts, attempt: &Attempt) -> String {
    let directory = quote(&parts.run_directory);
    let (join, prompt) = prompt_file(&attempt.prompt);
    let pieces = [
        format!("echo {}\n", quote(FIRST_LINE)),
        HEAD.to_owned(),
        staged_values(parts),
        format!("mkdir -p \"$TMPDIR\" \"$XDG_CACHE_HOME\" {directory}\ncd {directory}\n"),
        SHELL_CHECK.to_owned(),
        if parts.config.enable_rtk { NODE_CHECK.to_owned() } else { String::new() },
        settings_file::script(&parts.settings),
        join,
        format!("exec claude \"$@\" <{prompt}\n"),
    ];
    pieces.concat()
}

/// The lines that put a prompt of several parts together, and the file to read.
fn prompt_file(prompt: &str) -> (String, String) {
    let count = payload::prompt_parts(prompt).count();
    if count <= 1 {
        return (String::new(), format!("{RUN_MOUNT}/prompt/000"));
    }
    let files: Vec<String> = (0..count).map(|part| format!("{RUN_MOUNT}/prompt/{part:03}")).collect();
    (format!("cat {} >{JOINED_PROMPT}\n", files.join(" ")), JOINED_PROMPT.to_owned())
}

/// Without Secrets the values are files; the Job object must not contain them either (PRM-04).
fn staged_values(parts: &Parts) -> String {
    let values = parts.environment.secrets().filter(|_| parts.payload_mode == PayloadMode::Volume);
    values.filter(|(name, _)| is_shell_name(name)).map(|(name, _)| export_from_file(name)).collect()
}

/// Single quotes, in which the shell interprets nothing.
fn quote(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

/// Command substitution drops newlines at the end; the dot behind the value keeps them.
fn export_from_file(name: &str) -> String {
    format!("{name}=$(cat {RUN_MOUNT}/env/{name}; echo .)\n{name}=${{{name}%.}}\nexport {name}\n")
}
