//! User and group ids of the pod.

use super::parse::MOST;
use super::reader::Reader;

/// `fsGroup`: group 0 is allowed, it is a supplementary group of the process.
pub(super) fn group_of_volumes(reader: &mut Reader<'_>) -> Option<i64> {
    reader.integer("fsGroup", 0..=MOST)
}

/// `runAsUser`, `runAsGroup`: 0 is refused because the CLI does not skip permissions as root.
pub(super) fn unprivileged_id(reader: &mut Reader<'_>, key: &'static str) -> Option<i64> {
    reader.integer(key, 1..=MOST)
}
