//! `podTemplate`: the operator's changes to the finished pod.
//!
//! ```text
//!  overrides ──structure──▶ deep_merge ──▶ merged ──protected──▶ rejections
//!                              ▲             ├─────api_types──▶ rejections, unknown members
//!  pod of the adapter ─────────┘             └─────risks──────▶ warnings
//! ```
//!
//! Protection compares the pod before and after instead of looking at the overrides: whatever the way of a
//! change (`null`, a list item, a whole object), it is seen.

mod api_types;
mod apply;
mod deep_merge;
mod lists;
mod place;
mod protected;
mod risks;
mod stored;
mod structure;
#[cfg(test)]
mod tests;

pub use apply::{MAX_JOB_BYTES, Merged, check, merge, too_large};
pub use stored::lacking;
