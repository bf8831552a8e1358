//! Test doubles for the adapter. A dev-dependency only; nothing here is shipped.
//!
//! ```text
//!  simulator        wires the rooms; a handle, and a tower::Service for kube::Client
//!  serve            the one door: in process, or HTTP/1.1 (k8s-sim)
//!  ───────────────────────────────────────────────────────────────────────────────────────────
//!  api              control               job_controller            kubelet
//!  requests         knobs of tests,       one task per Job          one task per pod: script
//!                   Rust and /_sim/…                                or process
//!  ───────────────────────────────────────────────────────────────────────────────────────────
//!  cluster          state, topics (who is woken), arrivals (who looks after what), container logs
//!  knobs script wire      what a test bends, what a container plays, bodies and queries: data
//!  objects clock kubelet_log
//! ```
//!
//! Arrows go down. The rooms in the middle do not know each other: a request writes an object, a topic or an arrival
//! wakes who has to act, its status goes back into the store. `tests/it/floors.rs` keeps it so.
//!
//! The simulator answers like an API server, a job controller and a kubelet (docs/internals/kubernetes.md); it knows
//! nothing about the adapter. `kubelet_log` is usable alone, without the feature `simulator`: a pure model of the
//! container log.
#![cfg_attr(
    feature = "simulator",
    expect(clippy::disallowed_methods, reason = "volumes of the simulator are directories of this machine")
)]
#![forbid(unsafe_code)]

pub mod kubelet_log;

#[cfg(feature = "simulator")]
mod api;
#[cfg(feature = "simulator")]
mod clock;
#[cfg(feature = "simulator")]
mod cluster;
#[cfg(feature = "simulator")]
mod control;
#[cfg(feature = "simulator")]
mod job_controller;
#[cfg(feature = "simulator")]
mod knobs;
#[cfg(feature = "simulator")]
mod kubelet;
#[cfg(feature = "simulator")]
mod objects;
#[cfg(feature = "simulator")]
mod script;
#[cfg(feature = "simulator")]
mod serve;
#[cfg(feature = "simulator")]
mod simulator;
#[cfg(feature = "simulator")]
mod wire;

#[cfg(feature = "simulator")]
pub use {
    cluster::Launch,
    cluster::requests::{OpenStreams, RequestRecord},
    control::Knobs,
    knobs::{
        AdmissionRule, CreateWarning, CutEnd, Eviction, Fault, FaultAction, Hold, HoldKind, Lags, LogSettings,
        Mutation, RequestMatch,
    },
    script::{Exit, OnTerm, Script, Step},
    simulator::Simulator,
    wire::body::{Broken, SimBody},
};
