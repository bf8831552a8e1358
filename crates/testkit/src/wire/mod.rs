//! What everything that speaks HTTP shares.

pub(crate) mod body;
pub(crate) mod query;
