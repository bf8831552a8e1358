//! The simulated cluster as a program: plain HTTP on 127.0.0.1, one JSON line on stdout when it is ready.
//!
//! Ends on SIGTERM, SIGINT or the end of its standard input, and takes all containers with it.

use std::io::Write;
use std::path::PathBuf;

use clap::Parser;
use claude_k8s_testkit::{Lags, LogSettings, Simulator};
use serde_json::json;
use tokio::io::AsyncReadExt;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};

/// A small Kubernetes API server that runs containers as local processes.
#[derive(Parser)]
struct Options {
    /// Port on 127.0.0.1; 0 takes a free one.
    #[arg(long, default_value_t = 0)]
    port: u16,
    /// Writes a kubeconfig for the server to this file.
    #[arg(long)]
    kubeconfig: Option<PathBuf>,
    /// Namespace to create; the first one is the default of the kubeconfig. May be repeated.
    #[arg(long = "namespace", default_value = "default")]
    namespaces: Vec<String>,
    /// Image NAME whose containers find their programs in DIR. May be repeated.
    #[arg(long = "image", value_name = "NAME=DIR", value_parser = name_and_directory)]
    images: Vec<(String, PathBuf)>,
    /// Claim NAME that host directory DIR stands for. May be repeated.
    #[arg(long = "claim", value_name = "NAME=DIR", value_parser = name_and_directory)]
    claims: Vec<(String, PathBuf)>,
    /// Size in bytes at which container logs rotate.
    #[arg(long)]
    log_max_size: Option<usize>,
    /// Divides the lags of scheduler, kubelet and job controller.
    #[arg(long, default_value_t = 1)]
    speed: u32,
    /// Bearer token that the kubeconfig carries. It is checked only when the control API asks for it.
    #[arg(long, default_value = "sim-token")]
    token: String,
}

fn name_and_directory(text: &str) -> Result<(String, PathBuf), String> {
    let (name, directory) = text.rsplit_once('=').ok_or("expected NAME=DIR")?;
    let directory = std::path::absolute(directory).map_err(|error| error.to_string())?;
    Ok((name.to_owned(), directory))
}

#[tokio::main]
async fn main() -> std::io::Result<()> {
    let options = Options::parse();
    let mut simulator = Simulator::with_lags(Lags::default().divided_by(options.speed));
    for (name, directory) in &options.images {
        simulator = simulator.process_image(name, directory);
    }
    for (name, directory) in &options.claims {
        simulator = simulator.claim(name, directory);
    }
    for namespace in &options.namespaces {
        simulator.knobs().create_namespace(namespace);
    }
    if let Some(max_size) = options.log_max_size {
        simulator.knobs().log_settings(LogSettings { max_size, ..LogSettings::default() });
    }
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let listener = TcpListener::bind(("127.0.0.1", options.port)).await?;
    let url = format!("http://{}", listener.local_addr()?);
    if let Some(path) = &options.kubeconfig {
        std::fs::write(path, kubeconfig(&url, &options))?;
    }
    let ready = json!({"url": url, "kubeconfig": options.kubeconfig, "namespaces": options.namespaces});
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

fn kubeconfig(url: &str, options: &Options) -> String {
    let namespace = options.namespaces.first().map_or("default", String::as_str);
    let config = json!({
        "apiVersion": "v1", "kind": "Config", "current-context": "sim",
        "clusters": [{"name": "sim", "cluster": {"server": url}}],
        "users": [{"name": "sim", "user": {"token": options.token}}],
        "contexts": [{"name": "sim", "context": {"cluster": "sim", "user": "sim", "namespace": namespace}}],
    });
    // JSON is YAML.
    format!("{config:#}\n")
}
