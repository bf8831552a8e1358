//! The simulated cluster as a program: plain HTTP on 127.0.0.1, one JSON line on stdout when it is ready.
//!
//! Ends on SIGTERM, SIGINT or the end of its standard input, and takes all containers with it.

use std::io::Write;
use std::path::PathBuf;

use clap::Parser;
use claude_k8s_testkit::Simulator;
use serde_json::json;
use tokio::io::AsyncReadExt;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};

/// A small Kubernetes API server that runs containers as local processes.
#[derive(Parser)]
struct Options {
    /// Image NAME whose containers find their programs in DIR. May be repeated.
    #[arg(long = "image", value_name = "NAME=DIR", value_parser = name_and_directory)]
    images: Vec<(String, PathBuf)>,
}

fn name_and_directory(text: &str) -> Result<(String, PathBuf), String> {
    let (name, directory) = text.rsplit_once('=').ok_or("expected NAME=DIR")?;
    let directory = std::path::absolute(directory).map_err(|error| error.to_string())?;
    Ok((name.to_owned(), directory))
}

#[tokio::main]
async fn main() -> std::io::Result<()> {
    let options = Options::parse();
    let mut simulator = Simulator::new();
    for (name, directory) in &options.images {
        simulator = simulator.process_image(name, directory);
    }
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
    let ready = json!({"url": format!("http://{}", listener.local_addr()?)});
    writeln!(std::io::stdout(), "{ready}")?;
    let result = tokio::select! {
        served = simulator.serve(listener) => served,
        _ = terminate.recv() => Ok(()),
        _ = interrupt.recv() => Ok(()),
        () = end_of_input() => Ok(()),
    };
    simulator.shutdown().await;
    result
}

async fn end_of_input() {
    let mut input = tokio::io::stdin();
    let mut buffer = [0; 64];
    while let Ok(1..) = input.read(&mut buffer).await {}
}
