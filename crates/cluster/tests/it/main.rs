//! Integration tests.
#![cfg(test)]

mod logs_deliver;
mod logs_follow;
mod logs_node;
