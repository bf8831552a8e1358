//! Integration tests.

mod outcome_messages;
mod outcome_properties;
mod outcome_rows;
mod outcome_scene;
mod samples;
mod transcript;
