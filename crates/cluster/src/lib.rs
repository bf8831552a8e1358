//! Effects of the adapter: Kubernetes client, namespace index, log transport, commands. Rules are asked from the core.
//!
//! ```text
//!  RunRequest ─▶ Engine::execute ─▶ prepare ─▶ launch ─▶ supervise ─▶ RunResult
//!                      │               │          │         │  ▲
//!                 connections      own pod,    guard,    Input│Command
//!                 (one per          bundle     create,      ▼  │
//!                  identity)                   release   RunState (core)
//!                      │                                   ▲
//!                 NamespaceIndex ── watch of Jobs and Pods ┘   one per (connection, namespace)
//! ```
//! Every call has a time limit, every task an owner, every wait can be woken by a stop order.
#![forbid(unsafe_code)]
#![cfg_attr(test, expect(clippy::disallowed_methods, reason = "tests make a disk and carry out attacks on it"))]

pub mod api;
pub mod bundle;
pub mod clock;
pub mod connect;
mod engine;
pub(crate) mod events;
pub mod files;
pub mod host;
pub mod index;
pub(crate) mod launch;
pub mod logs;
pub mod permissions;
pub(crate) mod proof;
pub(crate) mod run;
pub(crate) mod staging;
pub(crate) mod volume;

pub use engine::{Action, Engine, MaskedSecret, OperatorRequest, Rendered, keep_panic_text};
