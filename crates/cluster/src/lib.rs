//! Effects of the adapter. What has to be done is asked from `claude-k8s-core`; here it is done.
#![forbid(unsafe_code)]

pub mod logs;
