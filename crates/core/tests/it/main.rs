//! Integration tests.
#![cfg(test)]

mod log_follow;
mod log_kubelet;
