//! Integration tests.
#![expect(clippy::unwrap_used, reason = "a helper of a test may fail as loudly as the test")]

mod outcome_messages;
mod outcome_properties;
mod outcome_rows;
mod outcome_scene;
mod samples;
mod transcript;
