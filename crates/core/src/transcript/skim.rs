//! An object that is too big to be read whole, member by member (TRU-23).

use serde::de::IgnoredAny;
use serde_json::{Deserializer, Map, Value};

use super::last_result::CUT;

/// A member up to this size is kept, of a longer string its beginning. Unit: bytes.
const MEMBER: usize = 64 << 10;
/// So many members are kept.
const MEMBERS: usize = 64;

/// The members of an object of which each is kept as far as it is small. Empty if it is none.
pub(super) fn skimmed(line: &[u8]) -> Map<String, Value> {
    let mut kept = Map::new();
    let mut rest = line.trim_ascii().strip_prefix(b"{").unwrap_or_default();
    while kept.len() < MEMBERS {
        let Some((key, value, later)) = member(rest) else { break };
        kept.insert(key, reduced(value));
        let Some(later) = later.trim_ascii_start().strip_prefix(b",") else { break };
        rest = later;
    }
    kept
}

/// The first member of what stands inside of the braces, and what follows it.
fn member(inside: &[u8]) -> Option<(String, &[u8], &[u8])> {
    let (key, rest) = value(inside)?;
    let key = serde_json::from_slice(key).ok().filter(|_| key.len() <= MEMBER)?;
    let (value, rest) = value(rest.trim_ascii_start().strip_prefix(b":")?)?;
    Some((key, value, rest))
}

/// The text of the value that `text` begins with, and what follows it. Keeps nothing of it.
fn value(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let text = text.trim_ascii_start();
    let mut values = Deserializer::from_slice(text).into_iter::<IgnoredAny>();
    values.next()?.ok()?;
    text.split_at_checked(values.byte_offset())
}

fn reduced(value: &[u8]) -> Value {
    if value.len() <= MEMBER {
        return serde_json::from_slice(value).unwrap_or_default();
    }
    let left_out = || format!("[{} bytes left out]", value.len()).into();
    // A cut inside of an escape is no string; the longest one has twelve bytes.
    let beginnings = (0..16).filter_map(|less| value.get(..MEMBER - less));
    let mut whole = beginnings.filter_map(|text| serde_json::from_slice([text, b"\""].concat().as_slice()).ok());
    if value.starts_with(b"\"") {
        whole.next().map_or_else(left_out, |text: String| (text + CUT).into())
    } else {
        left_out()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tru_23_of_a_big_event_the_small_members_and_the_beginnings_of_texts_are_kept() {
        for unit in ["x", "\u{20ac}", "\\n", "\\\\", "\\ud83d\\ude00", "\\\""] {
            let text = unit.repeat(3 * MEMBER / unit.len());
            let line = format!(
                r#" {{"type" : "result", "turns":7 ,"usage":{{"in":1}},"result":"{text}","list":[{}1],"ok":true}} "#,
                "1,".repeat(MEMBER)
            );
            let kept = skimmed(line.as_bytes());
            let keys: Vec<&str> = kept.keys().map(String::as_str).collect();
            assert_eq!(keys, ["type", "turns", "usage", "result", "list", "ok"]);
            let beginning = kept["result"].as_str().unwrap().strip_suffix(CUT).unwrap();
            let whole: String = serde_json::from_str(&format!("\"{text}\"")).unwrap();
            assert!(whole.starts_with(beginning) && beginning.len() > MEMBER / 12, "{unit}");
            assert_eq!((&kept["turns"], &kept["usage"]["in"]), (&7.into(), &1.into()));
            assert_eq!(kept["list"], format!("[{} bytes left out]", 2 * MEMBER + 3));
        }
        assert_eq!(skimmed(format!("{{{}", "\"a\":1,".repeat(9)).as_bytes()).len(), 1);
        assert_eq!(skimmed(b"[1]").len(), 0);
    }
}
