//! The knobs, as a handle in Rust and as calls over HTTP.

mod disruptions;
mod handle;
mod objects;
mod routes;

pub use handle::Knobs;
pub(crate) use routes::{claims, handle};
