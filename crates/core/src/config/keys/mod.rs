//! Every key of the configuration, once: its type, range, default, effect and form field are one value.
//!
//! ```text
//!  a row ──▶ Reader (range, words, default) ──▶ Config
//!    └─────▶ docs/configuration.md, js/generated.js (the form's fields, the agents' document)
//! ```
//! `UPDATE_DOCS=1 cargo test -p claude-k8s-core --test it docs` prints the documents.

mod claude;
mod placement;
mod row;
mod run;

pub(super) use claude::*;
pub(super) use placement::*;
pub(super) use row::{Choice, Flag, Key, Name, Size, Whole};
pub use row::{Row, Topic};
pub(super) use run::*;

/// Defines the keys of a file, and `ROWS` with all of them in their order.
macro_rules! keys {
    ($($name:ident: $shape:ty = $row:expr;)*) => {
        $(pub(in crate::config) static $name: Key<$shape> = $row;)*
        pub(super) static ROWS: &[&dyn super::Row] = &[$(&$name),*];
    };
}
use keys;

/// All keys, in the order of the documentation.
pub fn rows() -> impl Iterator<Item = &'static dyn Row> {
    [claude::ROWS, placement::ROWS, run::ROWS].into_iter().flatten().copied()
}

/// The fields of 0.1, in its order: saved configurations rely on it.
const FIRST_FIELDS: [&str; 18] = [
    "maxTurnsPerRun",
    "serviceAccountName",
    "namespace",
    "image",
    "imagePullPolicy",
    "kubeconfig",
    "ttlSecondsAfterFinished",
    "retainJobs",
    "reattachOrphanedJobs",
    "resources.requests.cpu",
    "resources.requests.memory",
    "resources.limits.cpu",
    "resources.limits.memory",
    "nodeSelector",
    "tolerations",
    "labels",
    "enableRtk",
    "rtkMaxOutputBytes",
];

/// The form: the fields of 0.1 first, then the others in the order of the documentation.
#[must_use]
pub fn fields() -> Vec<serde_json::Value> {
    let place = |row: &dyn Row| FIRST_FIELDS.iter().position(|name| *name == row.name()).unwrap_or(usize::MAX);
    let mut rows: Vec<&dyn Row> = rows().collect();
    rows.sort_by_key(|row| place(*row));
    rows.into_iter().filter_map(Row::field).collect()
}
