//! Test doubles.
pub mod kubelet_log;
