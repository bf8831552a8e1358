//! A stand-in for the pod in which a launch's script runs.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Output};

use crate::plan_scenario::Launch;

/// A pod's file system below a temporary directory, as far as the script sees it.
pub(crate) struct Pod<'a> {
    launch: &'a Launch,
    root: tempfile::TempDir,
    env: Vec<(String, String)>,
}

impl<'a> Pod<'a> {
    pub(crate) fn new(launch: &'a Launch) -> Self {
        let root = tempfile::tempdir().unwrap();
        let pod = Self { launch, root, env: Vec::new() };
        for (path, bytes) in launch.files() {
            pod.write(&format!("opt/paperclip/run/{path}"), &bytes);
        }
        pod
    }

    pub(crate) fn path(&self, path: &str) -> std::path::PathBuf {
        self.root.path().join(path)
    }

    pub(crate) fn write(&self, path: &str, bytes: &[u8]) {
        let path = self.path(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }

    pub(crate) fn env(mut self, name: &str, value: &str) -> Self {
        self.env.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Runs the script with these tools in the image; `claude` prints what it got.
    pub(crate) fn run(&self, tools: &[&str]) -> Output {
        let claude = "printf 'args:%s\\n' \"$*\"\nprintf 'pwd:%s\\n' \"$PWD\"\nprintf 'stdin:'\n/bin/cat\necho noise >&2\nexit 7\n";
        self.command(&["/bin/sh"], claude, &[tools, &["wc", "tail"]].concat()).output().unwrap()
    }

    /// The script for this shell, in an image with these tools and this shell script as CLI.
    pub(crate) fn command(&self, shell: &[&str], claude: &str, tools: &[&str]) -> Command {
        let bin = self.path("bin");
        fs::create_dir_all(&bin).unwrap();
        fs::write(bin.join("claude"), format!("#!/bin/sh\n{claude}")).unwrap();
        fs::set_permissions(bin.join("claude"), fs::Permissions::from_mode(0o755)).unwrap();
        for tool in tools.iter().chain(&["mkdir", "cat"]) {
            let found = ["/bin", "/usr/bin"].iter().map(|d| Path::new(d).join(tool)).find(|path| path.exists());
            // Of a tool that this machine lacks it matters only that the image has it.
            std::os::unix::fs::symlink(found.unwrap_or_else(|| "/bin/true".into()), bin.join(tool)).unwrap();
        }
        let inside = |text: &str| {
            let root = self.root.path().display();
            // The kubelet turns `$$` back into `$`.
            let text = text.replace("$$", "$").replace("/opt/paperclip", &format!("{root}/opt/paperclip"));
            text.replace("'/paperclip", &format!("'{root}/paperclip"))
        };
        fs::create_dir_all(self.path("opt/paperclip/scratch")).unwrap();
        let args = self.launch.claude().args.iter().flatten().map(|arg| inside(arg));
        let mut command = Command::new(shell[0]);
        command
            .args(&shell[1..])
            .args(["-c", &inside(self.launch.script()), "paperclip-run"])
            .args(args)
            .env_clear()
            .env("PATH", &bin)
            .env("TMPDIR", self.path("opt/paperclip/scratch/tmp"))
            .env("XDG_CACHE_HOME", self.path("opt/paperclip/scratch/cache"))
            .envs(self.env.iter().cloned());
        command
    }
}

/// What follows the line that every log begins with (LOG-06).
pub(crate) fn stdout(output: &Output) -> String {
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    text.strip_prefix("[paperclip] Container started\n").expect(&text).to_owned()
}
