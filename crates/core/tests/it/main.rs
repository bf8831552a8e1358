//! Properties, snapshots and recorded runs of the core.
#![expect(clippy::unwrap_used, reason = "a helper of a test may fail as loudly as the test")]

mod config_defaults;
mod config_docs;
mod config_keys;
mod config_properties;
mod config_rejections;
mod config_reserved;
mod config_shapes;
mod log_follow;
mod log_kubelet;
mod outcome_end;
mod outcome_messages;
mod outcome_properties;
mod outcome_refusals;
mod outcome_result;
mod outcome_rows;
mod outcome_scene;
mod outcome_session;
mod run_state;
mod samples;
mod transcript;
