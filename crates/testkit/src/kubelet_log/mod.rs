//! The container log as a client of the API server can see it: runtime, rotation and kubelet reader, without I/O.
//!
//! ```text
//!  container output ──write──▶ LogModel ─records─▶ LogFile (current) ──┐ rotate: sealed, replaced by an empty one
//!                                                                     ▼
//!  log request ──open──▶ LogReader: since per record, prefix state, follows into the newest file ──▶ body bytes
//! ```
//!
//! Behaviour is that of docs/internals/kubernetes.md 1.1 to 1.7: records of at most 16 KiB, one file for both streams,
//! `sinceTime` judged per record, a timestamp only behind a record that ended a line, nothing but the current file
//! readable. Time comes from the caller, so a property test can let clocks repeat or run backwards.
//! A record is stored once, already in the form in which it is sent; readers hand out slices of it.

mod file;
mod model;
mod reader;
mod stamp;

pub use model::{LogModel, LogOptions, Stream};
pub use reader::{LogReader, ReadOptions};

#[cfg(test)]
mod tests;
