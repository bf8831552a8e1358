//! Error text that the kubelet appends to a log body, because its 200 is long gone
//! (`docs/internals/kubernetes.md` 1.3).

use memchr::memmem;

/// How a notice begins. It has no timestamp and no newline and stands directly behind whatever was sent before.
const NOTICES: [&str; 5] = [
    "unable to retrieve container logs for ",
    "failed to create fsnotify watcher: ",
    "failed to watch directory ",
    "failed to open log file ",
    "failed to get parse function: unsupported log format",
];

/// The piece *is* a notice: nothing stands before it.
#[must_use]
pub fn is_notice(piece: &[u8]) -> bool {
    NOTICES.iter().any(|notice| piece.starts_with(notice.as_bytes()))
}

/// Where a notice begins at the end of an unterminated piece, if there is one. What stands before is output.
pub(in crate::log) fn notice_start(piece: &[u8]) -> Option<usize> {
    NOTICES.iter().filter_map(|notice| memmem::rfind(piece, notice.as_bytes())).min()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_notice_is_found_behind_output_and_alone() {
        let cases = [
            ("unable to retrieve container logs for containerd://abc", Some(0)),
            ("half a linefailed to create fsnotify watcher: too many open files", Some(11)),
            ("failed to watch directory \"/var/log/pods/x\": gone", Some(0)),
            ("failed to open log file \"/var/log/pods/x/0.log\"", Some(0)),
            ("failed to get parse function: unsupported log format: \"x\"", Some(0)),
            ("failed to build", None),
            ("", None),
        ];
        for (piece, start) in cases {
            assert_eq!(notice_start(piece.as_bytes()), start, "{piece}");
            assert_eq!(is_notice(piece.as_bytes()), start == Some(0), "{piece}");
        }
    }
}
