//! Objects as JSON, and where they are kept.

pub(crate) mod json;
pub(crate) mod rejection;
pub(crate) mod resource;
pub(crate) mod selector;
pub(crate) mod store;
