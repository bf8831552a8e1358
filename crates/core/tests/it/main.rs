//! Integration tests.

#[cfg(test)]
mod config_defaults;
#[cfg(test)]
mod config_docs;
#[cfg(test)]
mod config_keys;
#[cfg(test)]
mod config_properties;
#[cfg(test)]
mod config_rejections;
#[cfg(test)]
mod config_reserved;
#[cfg(test)]
mod config_shapes;
#![expect(clippy::unwrap_used, reason = "a helper of a test may fail as loudly as the test")]

mod outcome_end;
mod outcome_messages;
mod outcome_properties;
mod outcome_refusals;
mod outcome_result;
mod outcome_rows;
mod outcome_scene;
mod outcome_session;
mod samples;
mod transcript;
