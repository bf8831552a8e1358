//! Any value of any key is taken, corrected with a warning, or refused under its own name; nothing panics (CFG-02).

use claude_k8s_core::config::{Config, Row, rows};
use serde_json::{Map, Value};

/// The first byte chooses the key, the rest is its value: JSON, or else a text. 255: the rest is a whole configuration.
pub(crate) fn check(data: &[u8]) {
    let Some((&first, rest)) = data.split_first() else { return };
    let text = String::from_utf8_lossy(rest);
    let value = serde_json::from_str(&text).unwrap_or_else(|_| Value::from(text.as_ref()));
    if first == u8::MAX {
        if let Value::Object(config) = value {
            let _either_way = Config::parse(&config).inspect_err(|rejections| assert!(!rejections.is_empty()));
        }
        return;
    }
    let keys: Vec<&str> = rows().filter(|row| row.place() != "host").map(Row::name).collect();
    let key = keys[usize::from(first) % keys.len()];
    let config = Map::from_iter([(key.to_owned(), value)]);
    match Config::parse(&config) {
        Ok(parsed) => assert!(parsed.warnings.iter().all(|warning| warning.key.starts_with(key))),
        Err(rejections) => {
            assert!(!rejections.is_empty());
            for rejection in rejections {
                let below = rejection.key.strip_prefix(key);
                assert!(below.is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '['])), "{}", rejection.key);
                assert!(!rejection.reason.is_empty());
            }
        }
    }
}
