//! Test doubles for the adapter. A dev-dependency only; nothing here is shipped.
//!
//! ```text
//!  kube::Client ──(tower::Service)──▶ Simulator ──┐
//!  HTTP client ──(k8s-sim, serve)───▶             ├─▶ api ─▶ cluster state ◀─ job_controller, kubelet ─▶ script or process
//!  test ──────────(Knobs, /_sim/…)──▶ knobs ──────┘
//! ```
//!
//! The simulator answers like an API server, a job controller and a kubelet (docs/internals/kubernetes.md); it knows
//! nothing about the adapter. `kubelet_log` is usable alone, without the feature `simulator`: a pure model of the
//! container log.
#![forbid(unsafe_code)]

pub mod kubelet_log;

#[cfg(feature = "simulator")]
mod api;
#[cfg(feature = "simulator")]
pub mod builders;
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
        Access, AdmissionRule, CutEnd, Eviction, Fault, FaultAction, Hold, HoldKind, Lags, LogSettings, PolicyRule,
        RequestMatch,
    },
    script::{Exit, OnTerm, Script, Step},
    simulator::Simulator,
    wire::body::{Broken, SimBody},
};
