//! Properties, snapshots and recorded runs of the core.
#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a helper of a test may fail as loudly as the test"
)]

mod calls_docs;
mod config_defaults;
mod config_docs;
mod config_keys;
mod config_kubeconfig;
mod config_properties;
mod config_rejections;
mod config_reserved;
mod config_shapes;
mod floors;
mod fuzz_seeds;
mod log_follow;
mod log_history;
mod log_reader;
mod manifest_members;
mod manifest_pod;
mod manifest_script;
mod manifest_secrecy;
mod manifest_snapshots;
mod names_properties;
mod outcome_claims;
mod outcome_end;
mod outcome_messages;
mod outcome_properties;
mod outcome_refusals;
mod outcome_result;
mod outcome_row;
mod outcome_rows;
mod outcome_scene;
mod outcome_session;
mod outcome_wakes;
mod permissions_docs;
mod plan_args;
mod plan_bundle;
mod plan_claims;
mod plan_environment_api_url;
mod plan_environment_layers;
mod plan_environment_paths;
mod plan_inheritance;
mod plan_instructions;
mod plan_isolation;
mod plan_mcp;
mod plan_meta;
mod plan_placement;
mod plan_refusals;
mod plan_scenario;
mod plan_session;
mod run_state;
mod samples;
mod script_end;
mod script_pod;
mod transcript;
