//! Properties, snapshots and recorded runs of the core.
#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a helper of a test may fail as loudly as the test"
)]

mod config_defaults;
mod config_docs;
mod config_keys;
mod config_properties;
mod config_rejections;
mod config_reserved;
mod config_shapes;
mod environment_api_url;
mod environment_layers;
mod environment_paths;
mod fuzz_seeds;
mod log_follow;
mod log_kubelet;
mod log_reader;
mod manifest_args;
mod manifest_mcp;
mod manifest_pod;
mod manifest_script;
mod manifest_secrecy;
mod manifest_snapshots;
mod names_properties;
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
mod spec_bundle;
mod spec_meta;
mod spec_placement;
mod spec_refusals;
mod spec_scenario;
mod spec_session;
mod transcript;
