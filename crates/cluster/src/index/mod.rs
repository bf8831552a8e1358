//! The newest facts about our Jobs and pods in one namespace.
//!
//! ```text
//!  watch of Jobs ─┐                        ┌─▶ watch::Receiver<RunView> of run A
//!                 ├─▶ one task ─▶ Table ───┤
//!  watch of pods ─┘   (or one list / 2 s)  └─▶ watch::Receiver<RunView> of run B
//! ```
//! N runs open one watch of each kind, not N (`docs/internals/kubernetes.md` 3.2). The task is the only writer;
//! a run holds a receiver with the newest fold, never a backlog. Without the permission to `watch`
//! the same task lists every 2 s and says so once.

mod feed;
mod handle;
mod resumed;
mod table;

pub use feed::{Mode, NamespaceIndex};
pub(crate) use handle::IndexHandle;
