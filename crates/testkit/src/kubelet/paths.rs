//! Maps paths of the container to paths of this machine.
//!
//! A process container has no root of its own. Every mount path (and the termination log) is replaced, wherever it occurs
//! as a whole path prefix in command, arguments, environment values and working directory. Files are never changed.

use std::path::{Path, PathBuf};

/// Mount paths and what stands for them.
#[derive(Debug, Clone, Default)]
pub(super) struct PathMap(Vec<(String, String)>);

impl PathMap {
    pub(super) fn add(&mut self, container: &str, local: &Path) {
        let container = container.trim_end_matches('/').to_owned();
        self.0.push((container, local.to_string_lossy().into_owned()));
        // The longest prefix wins: a mount may lie inside another.
        self.0.sort_by_key(|(path, _)| std::cmp::Reverse(path.len()));
    }

    /// Replaces every mapped path in a text.
    pub(super) fn apply(&self, text: &str) -> String {
        let bytes = text.as_bytes();
        let mut out = String::with_capacity(text.len());
        let mut copied = 0;
        let mut index = 0;
        while let Some(slash) = memchr::memchr(b'/', &bytes[index..]).map(|offset| index + offset) {
            let starts = slash == 0 || !is_path_byte(bytes[slash - 1]);
            let found = self.0.iter().find(|(path, _)| {
                starts
                    && !path.is_empty()
                    && bytes[slash..].starts_with(path.as_bytes())
                    && bytes.get(slash + path.len()).is_none_or(|next| *next == b'/' || !is_path_byte(*next))
            });
            if let Some((path, local)) = found {
                out.push_str(&text[copied..slash]);
                out.push_str(local);
                index = slash + path.len();
                copied = index;
            } else {
                index = slash + 1;
            }
        }
        out.push_str(&text[copied..]);
        out
    }

    /// The local path of an absolute container path, if a mount covers it.
    pub(super) fn local(&self, path: &str) -> Option<PathBuf> {
        self.0.iter().find_map(|(mount, local)| {
            let rest = path.strip_prefix(mount.as_str())?;
            (rest.is_empty() || rest.starts_with('/')).then(|| PathBuf::from(format!("{local}{rest}")))
        })
    }

    /// The map as JSON: programs in a container find their files with it.
    pub(super) fn to_json(&self) -> String {
        let map: serde_json::Map<_, _> =
            self.0.iter().map(|(path, local)| (path.clone(), local.clone().into())).collect();
        serde_json::Value::Object(map).to_string()
    }
}

fn is_path_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"/._-".contains(&byte)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_whole_path_prefixes_are_replaced() {
        let mut map = PathMap::default();
        map.add("/paperclip", Path::new("/tmp/d"));
        map.add("/opt/paperclip/run", Path::new("/tmp/r"));
        map.add("/dev/termination-log", Path::new("/tmp/t"));
        for (text, expected) in [
            ("/paperclip", "/tmp/d"),
            ("cd '/paperclip/x' < /opt/paperclip/run/prompt/000", "cd '/tmp/d/x' < /tmp/r/prompt/000"),
            ("/opt/paperclip/scratch", "/opt/paperclip/scratch"),
            ("/paperclips /paperclip-x", "/paperclips /paperclip-x"),
            ("http://host/paperclip", "http://host/paperclip"),
            ("exec 2>>/dev/termination-log;HOME=/paperclip:/paperclip", "exec 2>>/tmp/t;HOME=/tmp/d:/tmp/d"),
        ] {
            assert_eq!(map.apply(text), expected);
        }
        assert_eq!(map.local("/paperclip/a"), Some(PathBuf::from("/tmp/d/a")));
        assert_eq!(map.local("/paperclips"), None);
    }
}
