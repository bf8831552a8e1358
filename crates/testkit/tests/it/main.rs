//! The simulator through kube-rs: what the adapter's cluster code relies on.

mod api;
mod faults;
mod jobs;
mod logs;
mod pods;
mod process;
mod program;
mod setup;
mod watches;
