//! The one form in which rejected configuration values are reported.

use serde_json::json;

use crate::config::{Rejection, invalid_configuration};
use crate::failure::{ErrorCode, Refusal};

/// Longest `errorMessage`, in characters.
const MESSAGE_MAX: usize = 2000;

impl From<Vec<Rejection>> for Refusal {
    /// Names every key and reason at once (CFG-02).
    fn from(rejections: Vec<Rejection>) -> Self {
        let message = invalid_configuration(&rejections);
        let keys: Vec<String> = rejections.into_iter().map(|one| one.key).collect();
        Self::new(ErrorCode::ConfigurationIncomplete, message.chars().take(MESSAGE_MAX).collect::<String>())
            .reason("k8s_config_invalid")
            .meta(json!({ "keys": keys }))
    }
}

/// One rejected value.
pub(super) fn reject(key: &str, reason: impl Into<String>) -> Refusal {
    vec![Rejection { key: key.to_owned(), reason: reason.into() }].into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cfg_02_all_keys_stand_in_one_message() {
        let rejection = |key: &str| Rejection { key: key.to_owned(), reason: "is wrong".to_owned() };
        let refusal = Refusal::from(vec![rejection("image"), rejection("labels")]);
        assert_eq!(refusal.message, "Invalid adapter configuration: image: is wrong; labels: is wrong");
        assert_eq!(refusal.meta, Some(json!({ "keys": ["image", "labels"] })));
        assert_eq!((refusal.code, refusal.reason), (ErrorCode::ConfigurationIncomplete, Some("k8s_config_invalid")));
    }
}
