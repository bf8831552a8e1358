//! The prompt: never empty, never taken for a command, never too large.

use crate::failure::{ErrorCode, Refusal};
use crate::request::{Prompt, Prompts};

/// Largest prompt in bytes.
const PROMPT_MAX: usize = 8 * 1024 * 1024;

/// First line of a prompt that would otherwise start with `/`.
const HEADING: &str = "[Paperclip run prompt]\n\n";

/// Refuses when *both* variants are unusable; which one is used depends on the session, which is decided later.
pub(super) fn check(prompts: &Prompts) -> Result<(), Refusal> {
    usable(&prompts.fresh).or_else(|refusal| usable(&prompts.resumed).map_err(|_| refusal)).map(drop)
}

/// The bytes for the CLI, unchanged except for a heading before a slash (PRM-10).
///
/// # Errors
/// `k8s_prompt_empty`, `k8s_prompt_too_large`.
pub(super) fn usable(prompt: &Prompt) -> Result<String, Refusal> {
    let first = prompt.text.trim_start();
    if first.is_empty() {
        let message = "The run has no prompt: no template, task or wake reason produced text; set `promptTemplate`";
        return Err(Refusal::new(ErrorCode::ConfigurationIncomplete, message).reason("k8s_prompt_empty"));
    }
    // The CLI takes a leading slash as a command (docs/internals/claude.md 3).
    let text = if first.starts_with('/') { format!("{HEADING}{}", prompt.text) } else { prompt.text.clone() };
    if text.len() > PROMPT_MAX {
        let message = format!(
            "The prompt has {} bytes, at most {PROMPT_MAX} are possible; shorten templates, task or hand-off note",
            text.len()
        );
        return Err(Refusal::new(ErrorCode::PromptTooLarge, message));
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn prompt(text: &str) -> Prompt {
        Prompt { text: text.to_owned(), ..Prompt::default() }
    }

    #[test]
    fn prm_10_a_slash_gets_a_heading_and_other_text_stays() {
        assert_eq!(usable(&prompt("/clear")).unwrap(), "[Paperclip run prompt]\n\n/clear");
        assert_eq!(usable(&prompt(" \n/x")).unwrap(), "[Paperclip run prompt]\n\n \n/x");
        assert_eq!(usable(&prompt("a\\c %s $(x)\n")).unwrap(), "a\\c %s $(x)\n");
    }

    #[test]
    fn prm_02_an_empty_and_an_oversized_prompt_are_refused_with_their_own_words() {
        assert_eq!(usable(&prompt(" \n")).unwrap_err().reason, Some("k8s_prompt_empty"));
        assert!(usable(&prompt(&"x".repeat(PROMPT_MAX))).is_ok());
        assert_eq!(usable(&prompt(&"x".repeat(PROMPT_MAX + 1))).unwrap_err().code, ErrorCode::PromptTooLarge);
    }

    #[test]
    fn one_usable_variant_is_enough_before_the_session_is_decided() {
        let prompts = |fresh: &str, resumed: &str| Prompts { fresh: prompt(fresh), resumed: prompt(resumed) };
        assert!(check(&prompts("", "x")).is_ok());
        assert!(check(&prompts("x", "")).is_ok());
        assert!(check(&prompts("", " ")).is_err());
    }
}
