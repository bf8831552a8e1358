//! Integration tests.

mod index;
mod scripted;
