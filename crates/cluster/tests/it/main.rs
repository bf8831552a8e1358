//! Scenarios: which requests are made, in which order, after which failure.
#![cfg(test)]
#![expect(clippy::disallowed_methods, reason = "tests look at sources and make a disk for the host")]

mod circles;
mod facts_only;
mod index;
mod logs_capture;
mod logs_deliver;
mod logs_follow;
mod logs_node;
mod logs_tail;
mod scripted;
mod whole_run;
