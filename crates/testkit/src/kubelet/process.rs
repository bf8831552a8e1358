//! Runs a container as a local process in its own process group.

use std::collections::BTreeMap;
use std::io;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::sync::Arc;
use std::time::Duration;

use rustix::process::{Pid, Signal as UnixSignal, kill_process, kill_process_group};
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::process::{Child, Command};
use tokio::sync::watch;
use tokio::time::timeout;

use super::Signal;
use super::paths::PathMap;
use crate::cluster::{ContainerLog, Launch};
use crate::kubelet_log::Stream;
use crate::script::Exit;

/// The kubelet keeps the end of the termination log.
const MESSAGE_LIMIT: usize = 4096;
/// How long output of a process that left its group may keep the log open.
const DRAIN: Duration = Duration::from_secs(1);

/// A container that is ready to start.
pub(super) struct Process {
    pub(super) launch: Launch,
    pub(super) paths: PathMap,
    /// First in `PATH`: holds the programs of the image.
    pub(super) image: PathBuf,
    /// Working directory when the one of the manifest is not on a volume and does not exist here.
    pub(super) home: PathBuf,
    pub(super) termination_log: PathBuf,
    /// `terminationMessagePolicy: FallbackToLogsOnError`.
    pub(super) fall_back_to_log: bool,
}

/// Kills the group when it goes out of scope: no child outlives its container, whatever happens to the task.
struct Group(Option<Pid>);

impl Drop for Group {
    fn drop(&mut self) {
        if let Some(group) = self.0 {
            ignore_gone(kill_process_group(group, UnixSignal::KILL));
        }
    }
}

impl Process {
    /// Starts the process. The error is what the runtime reports for exit 128 `StartError`.
    pub(super) fn start(&self) -> Result<Child, String> {
        let program: Vec<String> =
            self.launch.command.iter().chain(&self.launch.args).map(|word| self.paths.apply(word)).collect();
        let Some((name, arguments)) = program.split_first() else {
            return Err("no command specified".to_owned());
        };
        let path = self.search_path();
        let failed = |error: &io::Error| match error.kind() {
            io::ErrorKind::NotFound => format!(
                "failed to create containerd task: failed to create shim task: OCI runtime create failed: runc create failed: unable to start container process: exec: \"{name}\": executable file not found in $PATH: unknown"
            ),
            _ => format!("failed to start container process: exec: \"{name}\": {error}: unknown"),
        };
        let directory = self.working_directory().map_err(|error| failed(&error))?;
        let program =
            resolve_program(name, &path, &directory).ok_or_else(|| failed(&io::ErrorKind::NotFound.into()))?;
        Command::new(program)
            .args(arguments)
            .env_clear()
            .envs(self.environment(path))
            .current_dir(directory)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0)
            .kill_on_drop(true)
            .spawn()
            .map_err(|error| failed(&error))
    }

    /// Runs the started process until it ended and its output was read. Dropping the future kills the group.
    pub(super) async fn run(
        self,
        mut child: Child,
        log: Arc<ContainerLog>,
        mut signal: watch::Receiver<Signal>,
    ) -> Exit {
        let pid = child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw);
        let group = Group(pid);
        let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
        let output = async {
            tokio::join!(copy(stdout, Stream::Stdout, &log), copy(stderr, Stream::Stderr, &log));
        };
        tokio::pin!(output);
        let mut drained = false;
        let mut sent = Signal::Run;
        let status = loop {
            tokio::select! {
                status = child.wait() => break status,
                () = &mut output, if !drained => drained = true,
                Ok(()) = signal.changed() => {
                    let wanted = *signal.borrow_and_update();
                    if wanted > sent {
                        sent = wanted;
                        deliver(pid, wanted);
                    }
                }
            }
        };
        drop(group); // the end of PID 1 is the end of the container
        if !drained {
            drop(timeout(DRAIN, output).await);
        }
        let mut exit = Exit::code(status.map_or(137, exit_code));
        if sent == Signal::OutOfMemory {
            exit = exit.reason("OOMKilled");
        }
        let message = self.message(exit.code, &log);
        if message.is_empty() { exit } else { exit.message(&message) }
    }

    fn message(&self, code: i32, log: &ContainerLog) -> String {
        let file = std::fs::read(&self.termination_log).unwrap_or_default();
        let tail = &file[file.len().saturating_sub(MESSAGE_LIMIT)..];
        if tail.is_empty() && code != 0 && self.fall_back_to_log {
            return String::from_utf8_lossy(&log.tail()).into_owned();
        }
        String::from_utf8_lossy(tail).into_owned()
    }

    fn search_path(&self) -> String {
        let own = self.launch.env.get("PATH").map(|path| self.paths.apply(path));
        let rest = own.or_else(|| std::env::var("PATH").ok()).unwrap_or_else(|| "/usr/bin:/bin".to_owned());
        format!("{}:{rest}", self.image.display())
    }

    fn environment(&self, path: String) -> BTreeMap<String, String> {
        let own = self.launch.env.iter().map(|(name, value)| (name.clone(), self.paths.apply(value)));
        let mut env: BTreeMap<String, String> = own.collect();
        env.entry("HOME".to_owned()).or_insert_with(|| self.home.display().to_string());
        env.entry("HOSTNAME".to_owned()).or_insert_with(|| self.launch.pod.clone());
        env.insert("PATH".to_owned(), path);
        env.insert("K8S_SIM_MOUNTS".to_owned(), self.paths.to_json());
        env
    }

    fn working_directory(&self) -> io::Result<PathBuf> {
        let wanted = &self.launch.working_dir;
        let directory = match self.paths.local(wanted) {
            Some(local) => local,
            None if !wanted.is_empty() && Path::new(wanted).is_dir() => PathBuf::from(wanted),
            None => self.home.clone(),
        };
        // The runtime creates a missing working directory.
        std::fs::create_dir_all(&directory)?;
        Ok(directory)
    }
}

fn resolve_program(name: &str, path: &str, directory: &Path) -> Option<PathBuf> {
    let file = |path: PathBuf| path.is_file().then_some(path);
    if name.contains('/') {
        return file(directory.join(name));
    }
    path.split(':').filter(|entry| !entry.is_empty()).find_map(|entry| file(Path::new(entry).join(name)))
}

fn deliver(pid: Option<Pid>, signal: Signal) {
    let Some(pid) = pid else { return };
    match signal {
        Signal::Run => {}
        // The kubelet signals PID 1 only; what that does not pass on goes on until the kill.
        Signal::Terminate => ignore_gone(kill_process(pid, UnixSignal::TERM)),
        Signal::Kill | Signal::OutOfMemory => ignore_gone(kill_process_group(pid, UnixSignal::KILL)),
    }
}

/// A process may end by itself in the moment of the signal; `wait` tells.
fn ignore_gone(result: rustix::io::Result<()>) {
    if let Err(error) = result {
        tracing::trace!(%error, "signal");
    }
}

fn exit_code(status: ExitStatus) -> i32 {
    status.code().unwrap_or_else(|| 128 + status.signal().unwrap_or(9))
}

async fn copy(from: Option<impl AsyncRead + Unpin>, stream: Stream, log: &ContainerLog) {
    let Some(mut from) = from else { return };
    let mut buffer = vec![0; 64 * 1024];
    while let Ok(count) = from.read(&mut buffer).await {
        if count == 0 {
            return;
        }
        log.write(stream, &buffer[..count]);
    }
}
