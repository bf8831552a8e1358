//! The shell script around Claude Code. Plain POSIX `sh`; besides `claude` it needs `mkdir` and `cat`, and `wc` and
//! `tail` to show what the CLI wrote to stderr.
//!
//! ```text
//!  process 1: sh ── first line ── paperclip_run & ── wait ── end of stderr ── end line ── exit with its code
//!       │                          (prepares, then becomes claude)
//!       └─ TERM, INT, HUP, QUIT: TERM to the child, then wait again
//! ```
//!
//! By [`FIRST_LINE`] a follower knows that it sees the beginning, and by the end line that nothing can follow
//! ([`crate::log::Epilogue`]). The CLI writes straight to the container's stdout (LOG-15). Its parent waits for every
//! orphan, so an agent with many background processes does not fill the pod's limit of processes.

use super::{payload, settings_file};
use crate::attempt::Attempt;
use crate::log::{FIRST_LINE, STDERR_TAIL, end_line, stderr_line};
use crate::paths::{RUN_MOUNT, STDERR_FILE, STOPPED_FILE};
use crate::plan::Parts;
use crate::plan::environment::names::is_shell_name;
use crate::target::PayloadMode;

/// Before all else, because process 1 gets no signal that it does not ask for.
///
/// Every signal is passed on as TERM: a shell lets a child in the background ignore INT and QUIT. A child that has just been
/// made still has the handlers of its parent, and forgets what it gets with them; so it looks for a mark as well.
const SIGNALS: &str = r#"paperclip_child=
paperclip_stopped=
paperclip_stop() {
  paperclip_stopped=1
  if { true >STOPPED; } 2>/dev/null; then :; fi
  if [ -n "$paperclip_child" ]; then kill -TERM "$paperclip_child" 2>/dev/null; fi
}
trap paperclip_stop TERM INT HUP QUIT
"#;

/// Runs the preparation and Claude Code as one child, so that a signal ends a preparation that hangs, too.
///
/// A signal interrupts `wait`, and the code that it returns then says nothing about the child. Another `wait` for a
/// child that is already gone says 127. After two signals in a row bash is interrupted once more than its trap is called;
/// so a code above 128 counts when the child is gone.
const CHILD: &str = r#"paperclip_code=
if [ -n "$paperclip_stopped" ]; then
  paperclip_code=143
else
  paperclip_run "$@" &
  paperclip_child=$!
  if [ -n "$paperclip_stopped" ]; then paperclip_stop; fi
  while :; do
    paperclip_stopped=
    wait "$paperclip_child" 2>/dev/null
    paperclip_waited=$?
    case $paperclip_waited:$paperclip_code in
    127:?*) ;;
    *) paperclip_code=$paperclip_waited ;;
    esac
    if [ -n "$paperclip_stopped" ]; then continue; fi
    if [ "$paperclip_waited" -le 128 ]; then break; fi
    if ! kill -0 "$paperclip_child" 2>/dev/null; then break; fi
  done
fi
trap '' TERM INT HUP QUIT
"#;

/// What the CLI left behind ends with the container anyway. Ended before the end line, it cannot print behind it.
/// Only as process 1: with processes shared in the pod, or outside of a container, these are others' processes.
const LEFTOVERS: &str = r#"if [ "$$" -eq 1 ]; then kill -KILL -1 2>/dev/null; fi
"#;

/// In a home that cannot be written a run succeeds and its session is never saved; so the CLI does not run at all there
/// (FLD-23). A full volume is told apart (FLD-24): only a write shows it, an empty file may still find a place.
///
/// Pods that share a home do this at the same time, and an agent can plant a link there: each Job writes a file of its
/// own name, and only where there is none. An image without `rm` could not remove it, so there the mode bits decide.
const WRITABLE: &str = r#"paperclip_writable() {
  paperclip_probe=$1/.paperclip-probe-JOB
  if ! command -v rm >/dev/null 2>&1; then
    paperclip_why=
    if [ ! -w "$1" ]; then paperclip_why='no permission, or read-only'; fi
  elif paperclip_why=$(set -C; { echo probe >"$paperclip_probe"; } 2>&1); then
    paperclip_why=
  fi
  if { rm -f "$paperclip_probe"; } 2>/dev/null; then :; fi
  if [ -n "$paperclip_why" ]; then paperclip_unwritable "$1"; fi
}
paperclip_unwritable() {
  case $paperclip_why in
  *'o space left'*) paperclip_full=full ;;
  *'uota exceeded'*) paperclip_full=full ;;
  *'I/O error'*) paperclip_full='full or broken' ;; # dash says no more of a write that failed
  *) paperclip_full= ;;
  esac
  if [ -n "$paperclip_full" ]; then
    echo "[paperclip] The volume of directory $1 is $paperclip_full (${paperclip_why##*: }): free space on it, or enlarge its claim" >&2
    exit 1
  fi
  if ! paperclip_owner=$(ls -ldn "$1" 2>/dev/null); then paperclip_owner=unknown; fi
  if ! paperclip_id="$(id -u 2>/dev/null):$(id -g 2>/dev/null)"; then paperclip_id=unknown; fi
  echo "[paperclip] Directory $1 cannot be written (${paperclip_why##*: }). Mode and owner: $paperclip_owner. The container runs as $paperclip_id: set \`runAsUser\` and \`runAsGroup\` to its owner, set \`fsGroup\`, or give the directory to them" >&2
  exit 1
}
"#;

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
        SIGNALS.replace("STOPPED", STOPPED_FILE),
        format!("echo {}\n", quote(FIRST_LINE)),
        stderr_to_a_file(),
        format!("paperclip_run() {{\nif [ -e {STOPPED_FILE} ]; then exit 143; fi\nset -eu\n"),
        staged_values(parts),
        WRITABLE.replace("JOB", &attempt.job_name.to_string()),
        format!(
            "if [ -n \"${{HOME:-}}\" ]; then paperclip_writable \"$HOME\"; fi\nmkdir -p \"$TMPDIR\" \"$XDG_CACHE_HOME\"\n\
             if ! paperclip_why=$(mkdir -p {directory} 2>&1); then paperclip_unwritable {directory}; fi\n\
             paperclip_writable {directory}\ncd {directory}\n"
        ),
        SHELL_CHECK.to_owned(),
        if parts.config.enable_rtk { NODE_CHECK.to_owned() } else { String::new() },
        settings_file::script(&parts.settings),
        join,
        format!("exec claude \"$@\" <{prompt}\n}}\n"),
        CHILD.to_owned(),
        LEFTOVERS.to_owned(),
        end_of_stderr(),
        format!("echo \"\n{}\"\nexit \"$paperclip_code\"\n", end_line("$paperclip_code")),
    ];
    pieces.concat()
}

/// A line of stderr inside of a long line of stdout would destroy both (LOG-08), so stderr goes to a file on the pod's
/// own volume, whose limit bounds it. Where it cannot be written, stderr stays in the container's log.
fn stderr_to_a_file() -> String {
    format!("if {{ true >>{STDERR_FILE}; }} 2>/dev/null; then exec 2>>{STDERR_FILE}; fi\n")
}

/// Prints the end of stderr. It begins with a line feed: the last line of the CLI may have none.
fn end_of_stderr() -> String {
    let announced = stderr_line("$paperclip_written", "$paperclip_shown");
    format!(
        r#"if [ -f {STDERR_FILE} ] && [ -s {STDERR_FILE} ]; then
  if command -v wc >/dev/null && command -v tail >/dev/null; then
    paperclip_written=$(wc -c <{STDERR_FILE})
    paperclip_written=$((paperclip_written))
    paperclip_shown=$paperclip_written
    if [ "$paperclip_shown" -gt {STDERR_TAIL} ]; then paperclip_shown={STDERR_TAIL}; fi
    echo "
{announced}"
    tail -c "$paperclip_shown" {STDERR_FILE}
  else
    echo '
[paperclip] Claude Code wrote to stderr, which cannot be shown: the image has no `wc` or no `tail`'
  fi
fi
"#
    )
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
