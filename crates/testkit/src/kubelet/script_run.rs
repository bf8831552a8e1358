//! Plays a script: the whole container is this one future.

use std::sync::Arc;

use tokio::sync::watch;
use tokio::time::sleep;

use super::Signal;
use crate::cluster::{Cluster, ContainerLog, Topic};
use crate::kubelet_log::Stream;
use crate::script::{Exit, OnTerm, Script, Step};

/// Bytes of generated lines that are written at once.
const BLOCK: usize = 128 * 1024;

/// Runs until the script ends or a signal ends it. Dropping the future ends the container without a trace.
pub(super) async fn run(
    cluster: Arc<Cluster>,
    script: Script,
    log: Arc<ContainerLog>,
    mut signal: watch::Receiver<Signal>,
) -> Exit {
    let mut killed = signal.clone();
    let playing = async {
        tokio::select! {
            biased;
            () = reached(&mut signal, Signal::Terminate), if script.on_term != OnTerm::Ignore => {}
            exit = play(&cluster, &script.steps, &log) => return exit.unwrap_or_else(|| Exit::code(0)),
        }
        match &script.on_term {
            OnTerm::Steps(steps) => play(&cluster, steps, &log).await.unwrap_or_else(|| Exit::code(143)),
            OnTerm::Exit | OnTerm::Ignore => Exit::code(143),
        }
    };
    tokio::select! {
        biased;
        () = reached(&mut killed, Signal::Kill) => {
            let out_of_memory = *killed.borrow() == Signal::OutOfMemory;
            if out_of_memory { Exit::out_of_memory() } else { Exit::code(137) }
        }
        exit = playing => {
            if let Some(text) = &script.last_line {
                let text = text.replace("{code}", &exit.code.to_string());
                log.write(Stream::Stdout, format!("\n{text}\n").as_bytes());
            }
            exit
        }
    }
}

async fn reached(signal: &mut watch::Receiver<Signal>, wanted: Signal) {
    if signal.wait_for(|signal| *signal >= wanted).await.is_err() {
        std::future::pending::<()>().await;
    }
}

/// Plays the steps; `None` when they ran out without an exit.
async fn play(cluster: &Cluster, steps: &[Step], log: &ContainerLog) -> Option<Exit> {
    for step in steps {
        match step {
            Step::Print(line) => log.write(Stream::Stdout, format!("{line}\n").as_bytes()),
            Step::Write(text) => log.write(Stream::Stdout, text.as_bytes()),
            Step::Stderr(line) => log.write(Stream::Stderr, format!("{line}\n").as_bytes()),
            Step::Lines { count, text } => write_lines(log, *count, text).await,
            Step::Repeat { count, text } => {
                for _ in 0..*count {
                    log.write(Stream::Stdout, text.as_bytes());
                    tokio::task::yield_now().await;
                }
            }
            Step::Wait(duration) => sleep(*duration).await,
            Step::Gate(name) => {
                cluster.until(Topic::Knobs, |state| state.knobs.node.open_gates.contains(name).then_some(())).await;
            }
            Step::Exit(exit) => return Some(exit.clone()),
            Step::Never => std::future::pending().await,
        }
    }
    None
}

async fn write_lines(log: &ContainerLog, count: u64, text: &str) {
    let (head, tail) = text.split_once("{n}").map_or((text, None), |(head, tail)| (head, Some(tail)));
    let mut block = Vec::with_capacity(BLOCK + text.len());
    for number in 0..count {
        block.extend_from_slice(head.as_bytes());
        if let Some(tail) = tail {
            block.extend_from_slice(number.to_string().as_bytes());
            block.extend_from_slice(tail.as_bytes());
        }
        block.push(b'\n');
        if block.len() >= BLOCK {
            log.write(Stream::Stdout, &block);
            block.clear();
            // Readers get their turn; no time passes.
            tokio::task::yield_now().await;
        }
    }
    log.write(Stream::Stdout, &block);
}
