//! The simulator through kube-rs: what the adapter's cluster code relies on.
#![expect(clippy::disallowed_methods, reason = "tests look at sources and at the disk of the simulator")]
#![expect(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a helper of a test fails the test")]

mod api;
mod builders;
mod faults;
mod floors;
mod jobs;
mod logs;
mod pods;
mod process;
mod program;
mod setup;
mod watches;
