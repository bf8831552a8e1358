//! `extraArgs` and `args`: additional CLI arguments that must not break the protocol.

use serde_json::Value;

use super::reader::Reader;
use super::structured::shown;
use super::types::Config;

/// Options of the CLI that the adapter needs for itself, and why.
const OWNED: [(&str, &str); 7] = [
    ("--output-format", "the adapter reads `stream-json`"),
    ("--input-format", "the prompt arrives as plain text on stdin"),
    ("--resume", "the adapter chooses the session (`resumeLastSession`)"),
    ("--continue", "the adapter chooses the session (`resumeLastSession`)"),
    ("--session-id", "the adapter chooses the session (`resumeLastSession`)"),
    ("--fork-session", "the adapter chooses the session (`resumeLastSession`)"),
    ("--no-session-persistence", "the next run resumes the saved session"),
];

/// `extraArgs`, else `args`. Both are checked: a value that is not used may still be a mistake.
pub(super) fn read(reader: &mut Reader<'_>) -> Vec<String> {
    let extra_args = words(reader, "extraArgs");
    let args = words(reader, "args");
    extra_args.or(args).unwrap_or_default()
}

/// Rules that depend on other keys.
pub(super) fn check_combinations(reader: &mut Reader<'_>, config: &Config) {
    let key = if reader.raw("extraArgs").is_some() { "extraArgs" } else { "args" };
    let has = |option: &str| config.extra_args.iter().any(|arg| is_option(arg, option));
    if has("--settings") && config.enable_rtk {
        reader.reject(key, "`--settings` replaces the settings that `enableRtk` needs; remove one of the two");
    } else if has("--settings") {
        let text =
            "`--settings` replaces the settings of the run: a repository's own settings may now redirect credentials";
        reader.warn(key, text);
    }
    if let Some(option) = config.system_prompt_option().filter(|_| config.instructions_file_path.is_some()) {
        let reason = format!("`{option}` cannot be combined with `instructionsFilePath`; put the text into that file");
        reader.reject(key, reason);
    }
}

impl Config {
    /// The option of `extraArgs` that appends to the system prompt, if any. The CLI accepts one such option, so a
    /// run whose bundle has instructions cannot have it.
    #[must_use]
    pub fn system_prompt_option(&self) -> Option<&'static str> {
        let options = ["--append-system-prompt", "--append-system-prompt-file"];
        options.into_iter().find(|option| self.extra_args.iter().any(|arg| is_option(arg, option)))
    }
}

/// The single arguments, each free of protocol-breaking options.
fn words(reader: &mut Reader<'_>, key: &'static str) -> Option<Vec<String>> {
    let words = match reader.value(key)? {
        Value::Array(items) => items
            .iter()
            .enumerate()
            .filter_map(|(index, item)| {
                let text = item.as_str().map(str::to_owned);
                if text.is_none() {
                    reader.reject(format!("{key}[{index}]"), format!("expected text, got {}", shown(item)));
                }
                text
            })
            .collect(),
        Value::String(text) => {
            let words = shlex::split(text);
            if words.is_none() {
                reader.reject(key, "has a quote without its end, or a backslash at its end");
            }
            words?
        }
        other => {
            reader.reject(key, format!("expected a list of texts, or one text, got {}", shown(other)));
            return None;
        }
    };
    if words.iter().any(|word: &String| word.contains('\0')) {
        reader.reject(key, "contains a NUL byte, which no argument can hold");
    }
    for (option, reason) in OWNED.iter().filter(|(option, _)| words.iter().any(|word| is_option(word, option))) {
        reader.reject(key, format!("`{option}` is not allowed: {reason}"));
    }
    if words.first().is_some_and(|first| !first.starts_with('-') || matches!(first.as_str(), "-" | "--")) {
        // Options before it take several values and would swallow the word.
        reader.reject(key, "the first item must be an option such as `--max-budget-usd`");
    }
    Some(words)
}

/// Whether an argument is this option: `--option`, `--option=value`, or its letter in `-r`, `-rvalue`, `-pr`.
fn is_option(arg: &str, option: &str) -> bool {
    if arg.starts_with("--") {
        return arg.split('=').next() == Some(option);
    }
    let letter = match option {
        "--resume" => 'r',
        "--continue" => 'c',
        _ => return false,
    };
    let Some(letters) = arg.strip_prefix('-') else { return false };
    // These take no value, so the letter after them is an option too.
    let mut flags = letters.chars().take_while(|flag| matches!(flag, 'p' | 'v' | 'h' | 'c'));
    flags.any(|flag| flag == letter) || letters.trim_start_matches(['p', 'v', 'h', 'c']).starts_with(letter)
}

#[cfg(test)]
mod tests {
    use super::is_option;

    #[test]
    fn an_option_is_found_in_every_form_the_cli_understands() {
        for arg in ["--resume", "--resume=abc", "-r", "-rabc", "-pr", "-cr"] {
            assert!(is_option(arg, "--resume"), "{arg}");
        }
        for arg in ["-c", "-pc", "--continue", "--continue=true"] {
            assert!(is_option(arg, "--continue"), "{arg}");
        }
        for arg in ["resume", "--resume-not", "-d", "-", "--", "-nr", "--r"] {
            assert!(!is_option(arg, "--resume"), "{arg}");
        }
    }
}
