//! How the script ends, in every shell that this machine has: what the log says, and the exit code.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, Stdio};

use claude_k8s_core::log::{STDERR_TAIL, end_line, stderr_line};

use crate::plan_scenario::{Launch, Scenario};
use crate::script_pod::Pod;

/// The candidates for an image's `sh`.
const SHELLS: [&[&str]; 5] =
    [&["/bin/sh"], &["dash"], &["bash", "--posix"], &["busybox", "sh"], &["zsh", "--emulate", "sh"]];
/// A process tree of its own, as in a container: the script is process 1.
const CONTAINER: [&str; 5] = ["unshare", "--pid", "--fork", "--kill-child", "--mount-proc"];

/// Checks every shell that can be started, outside and, where that is allowed, inside of a container.
fn in_every_shell(check: impl Fn(&[&str]) + Sync) {
    std::thread::scope(|scope| {
        for shell in shells() {
            let check = &check;
            scope.spawn(move || check(&shell));
        }
    });
}

fn shells() -> Vec<Vec<&'static str>> {
    let inside = SHELLS.iter().map(|shell| [&CONTAINER, *shell].concat());
    let all = SHELLS.iter().map(|shell| shell.to_vec()).chain(inside);
    all.filter(|shell| starts(shell)).collect()
}

fn starts(shell: &[&str]) -> bool {
    let mut command = Command::new(shell[0]);
    command.args(&shell[1..]).args(["-c", "true"]).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}

/// An image with all tools of this machine.
fn command(pod: &Pod<'_>, shell: &[&str], claude: &str) -> Command {
    let mut command = pod.command(shell, claude, &["bash"]);
    command.env("PATH", format!("{}:/bin:/usr/bin", pod.path("bin").display()));
    command
}

/// What follows the first line of the log, and the exit code.
fn run(shell: &[&str], launch: &Launch, claude: &str) -> (String, i32) {
    stopped(shell, launch, claude, |_| ())
}

/// The same, with something that happens to the process once the CLI has printed `ready`.
fn stopped(shell: &[&str], launch: &Launch, claude: &str, happens: impl FnOnce(&Child)) -> (String, i32) {
    let pod = Pod::new(launch);
    let mut command = command(&pod, shell, claude);
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut out = BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    out.read_line(&mut line).unwrap();
    assert_eq!(line, "[paperclip] Container started\n");
    let mut text = String::new();
    while claude.contains("ready") && text.lines().last() != Some("ready") {
        assert!(out.read_line(&mut text).unwrap() > 0, "{shell:?}: {text}");
    }
    happens(&child);
    // Process 1 ends the container, so what it left behind is not waited for.
    let status = child.wait().unwrap();
    let mut rest = Vec::new();
    if !claude.contains("left behind") {
        out.read_to_end(&mut rest).unwrap();
    }
    text.push_str(&String::from_utf8_lossy(&rest));
    let mut stderr = String::new();
    if !claude.contains("left behind") {
        child.stderr.take().unwrap().read_to_string(&mut stderr).unwrap();
    }
    assert_eq!(stderr, "", "{shell:?}");
    (text.strip_prefix("ready\n").unwrap_or(&text).to_owned(), status.code().unwrap())
}

/// Sends a signal to the shell, which is the child itself or that of `unshare`.
fn signal(child: &Child, name: &str) {
    let children = format!("/proc/{0}/task/{0}/children", child.id());
    let inner = std::fs::read_to_string(children).unwrap_or_default();
    let is_unshare =
        std::fs::read_to_string(format!("/proc/{}/comm", child.id())).is_ok_and(|comm| comm == "unshare\n");
    let process = if is_unshare { inner.trim().to_owned() } else { child.id().to_string() };
    assert!(Command::new("kill").args([&format!("-{name}"), &process]).status().unwrap().success());
}

fn end(code: i32) -> String {
    format!("\n{}\n", end_line(&code.to_string()))
}

#[test]
fn end_10_the_log_ends_with_the_exit_code_of_the_cli() {
    let launch = Scenario::in_cluster().launch();
    in_every_shell(|shell| {
        for (claude, said, code) in [
            ("echo done", "done\n", 0),
            ("printf done; exit 3", "done", 3),
            ("exit 255", "", 255),
            ("exit 127", "", 127),
            ("kill -KILL $$", "", 137),
            ("kill -SEGV $$", "", 139),
        ] {
            assert_eq!(run(shell, &launch, claude), (format!("{said}{}", end(code)), code), "{shell:?} {claude}");
        }
    });
}

#[test]
fn log_08_the_end_of_stderr_stands_before_the_end_line() {
    let launch = Scenario::in_cluster().launch();
    let tail = "e".repeat(usize::try_from(STDERR_TAIL).unwrap());
    in_every_shell(|shell| {
        for (claude, said) in [
            ("echo oops >&2", format!("\n{}\noops\n{}", stderr_line("5", "5"), end(0))),
            ("printf out; printf oops >&2", format!("out\n{}\noops{}", stderr_line("4", "4"), end(0))),
            (
                "head -c 200000 /dev/zero | tr '\\0' e >&2",
                format!("\n{}\n{tail}{}", stderr_line("200000", &STDERR_TAIL.to_string()), end(0)),
            ),
        ] {
            assert_eq!(run(shell, &launch, claude).0, said, "{shell:?} {claude}");
        }
    });
}

#[test]
fn an_image_without_the_tools_for_it_says_that_stderr_is_not_shown() {
    let launch = Scenario::in_cluster().launch();
    let output = Pod::new(&launch).command(&["/bin/sh"], "echo oops >&2", &["bash"]).output().unwrap();
    let missing = "[paperclip] Claude Code wrote to stderr, which cannot be shown: the image has no `wc` or no `tail`";
    assert_eq!(crate::script_pod::stdout(&output), format!("\n{missing}\n{}", end(0)));
}

#[test]
fn a_preparation_that_fails_says_why_and_ends_the_log() {
    let launch = Scenario::in_cluster().launch();
    in_every_shell(|shell| {
        let pod = Pod::new(&launch);
        pod.write("paperclip", b"a file where the directory should be");
        let output = command(&pod, shell, "echo never").output().unwrap();
        let text = crate::script_pod::stdout(&output);
        assert!(
            text.starts_with("\n[paperclip] Claude Code wrote ") && text.contains(" cannot be written ("),
            "{shell:?}: {text}"
        );
        assert!(text.ends_with(&end(output.status.code().unwrap())) && !output.status.success(), "{shell:?}: {text}");
    });
}

#[test]
fn can_02_a_signal_reaches_the_cli_and_its_last_words_are_waited_for() {
    let launch = Scenario::in_cluster().launch();
    in_every_shell(|shell| {
        let slow = "trap 'sleep 0.3; echo last words; exit 5' TERM\necho ready\nsleep 60 >/dev/null 2>&1 & wait";
        let signals = |child: &Child| {
            for name in ["TERM", "HUP", "TERM"] {
                signal(child, name);
            }
        };
        assert_eq!(stopped(shell, &launch, slow, signals), (format!("last words\n{}", end(5)), 5), "{shell:?}");
        let deaf = "trap '' TERM\necho ready\nsleep 0.5\necho done";
        assert_eq!(stopped(shell, &launch, deaf, signals), (format!("done\n{}", end(0)), 0), "{shell:?}");
        let plain = "echo ready\nexec sleep 60";
        let term = |child: &Child| signal(child, "TERM");
        assert_eq!(stopped(shell, &launch, plain, term), (end(143), 143), "{shell:?}");
    });
}

#[test]
fn can_02_a_signal_ends_a_preparation_that_hangs() {
    let launch = Scenario::in_cluster().launch();
    in_every_shell(|shell| {
        let pod = Pod::new(&launch);
        let prompt = pod.path("opt/paperclip/run/prompt/000");
        std::fs::remove_file(&prompt).unwrap();
        // Opening it waits for a writer, as on a volume that does not answer.
        assert!(Command::new("mkfifo").arg(&prompt).status().unwrap().success());
        let mut child = command(&pod, shell, "echo never").stdout(Stdio::piped()).spawn().unwrap();
        let mut out = BufReader::new(child.stdout.take().unwrap());
        let mut text = String::new();
        out.read_line(&mut text).unwrap();
        signal(&child, "TERM");
        out.read_to_string(&mut text).unwrap();
        // A signal within its first write makes zsh write that twice.
        assert!(text.ends_with(&format!("started\n{}", end(143))), "{shell:?}: {text}");
        assert_eq!(child.wait().unwrap().code(), Some(143), "{shell:?}");
    });
}

#[test]
fn end_10_processes_that_the_cli_left_behind_delay_nothing_and_in_a_container_say_nothing_more() {
    let launch = Scenario::in_cluster().launch();
    in_every_shell(|shell| {
        if shell.contains(&"unshare") {
            let noisy = "(while :; do echo noise; sleep 0.01; done) &\nsleep 0.1\necho bye";
            let (text, code) = run(shell, &launch, noisy);
            assert!(text.ends_with(&end(0)) && code == 0, "{shell:?}: {text}");
            return;
        }
        let pod = Pod::new(&launch);
        let mut child = command(&pod, shell, "sleep 600 &\necho $!").stdout(Stdio::piped()).spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
        let said: Vec<String> = lines.take_while(|line| *line != end_line("0")).collect();
        assert_eq!(child.wait().unwrap().code(), Some(0), "{shell:?}");
        // What is left behind holds stdout open, and is alive although the script has ended.
        let left = said.iter().find(|line| line.parse::<u32>().is_ok()).expect("its number");
        assert!(Command::new("kill").arg(left).status().unwrap().success(), "{shell:?}: {said:?}");
    });
}

#[test]
fn orphans_do_not_stay_in_the_process_table() {
    let launch = Scenario::in_cluster().launch();
    in_every_shell(|shell| {
        if !shell.contains(&"unshare") {
            return;
        }
        let orphans =
            "for i in 1 2 3 4 5; do (sleep 0.05 &); done; sleep 0.5\ncat /proc/[0-9]*/stat | grep -c ') Z ' || true";
        assert_eq!(run(shell, &launch, orphans).0, format!("0\n{}", end(0)), "{shell:?}");
    });
}
