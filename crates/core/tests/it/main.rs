//! Integration tests.

mod run_state;
