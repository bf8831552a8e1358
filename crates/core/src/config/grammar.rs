//! The grammars that Kubernetes checks names with, so that a bad name is refused before anything is created.

/// What a name has to look like, and how to say so.
#[derive(Debug, Clone, Copy)]
pub struct Grammar {
    /// What such a text is called, with its article: `a DNS label`.
    pub name: &'static str,
    /// The rule as a noun phrase.
    pub rule: &'static str,
    accepts: fn(&str) -> bool,
}

impl Grammar {
    /// Whether a text satisfies the grammar.
    #[must_use]
    pub fn accepts(&self, text: &str) -> bool {
        (self.accepts)(text)
    }
}

/// RFC 1123 label: namespaces, queues.
pub const DNS_LABEL: Grammar = Grammar {
    name: "a DNS label",
    rule: "at most 63 lower-case letters, digits and `-`, a letter or digit at both ends",
    accepts: is_dns_label,
};

/// RFC 1123 subdomain: most object names.
pub const DNS_SUBDOMAIN: Grammar = Grammar {
    name: "a DNS subdomain",
    rule: "at most 253 lower-case letters, digits, `-` and `.`, a letter or digit at both ends of each part",
    accepts: is_dns_subdomain,
};

/// Key of a label or annotation, name of a resource: an optional DNS subdomain and `/`, then a name.
pub const LABEL_KEY: Grammar = Grammar {
    name: "a label key",
    rule: "an optional DNS subdomain and `/`, then at most 63 letters, digits, `-`, `_` and `.`, a letter or digit at both ends",
    accepts: is_label_key,
};

/// Value of a label; may be empty.
pub const LABEL_VALUE: Grammar = Grammar {
    name: "a label value",
    rule: "empty, or at most 63 letters, digits, `-`, `_` and `.`, a letter or digit at both ends",
    accepts: is_label_value,
};

/// Name of an environment variable, as every supported Kubernetes version accepts it.
pub const ENV_NAME: Grammar = Grammar {
    name: "an environment variable name",
    rule: "letters, digits, `-`, `_` and `.`, not starting with a digit",
    accepts: is_env_name,
};

fn is_dns_label(text: &str) -> bool {
    let inner = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    text.len() <= 63 && ends_are(text, inner) && text.bytes().all(|byte| inner(byte) || byte == b'-')
}

fn is_dns_subdomain(text: &str) -> bool {
    // Kubernetes limits the whole, not each part.
    let part = |part: &str| {
        let inner = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
        ends_are(part, inner) && part.bytes().all(|byte| inner(byte) || byte == b'-')
    };
    text.len() <= 253 && text.split('.').all(part)
}

fn is_label_key(text: &str) -> bool {
    match text.split_once('/') {
        Some((prefix, name)) => is_dns_subdomain(prefix) && is_qualified_name(name),
        None => is_qualified_name(text),
    }
}

fn is_label_value(text: &str) -> bool {
    text.is_empty() || is_qualified_name(text)
}

fn is_qualified_name(text: &str) -> bool {
    let inner = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    text.len() <= 63 && ends_are(text, |byte| byte.is_ascii_alphanumeric()) && text.bytes().all(inner)
}

fn is_env_name(text: &str) -> bool {
    let inner = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    text.bytes().next().is_some_and(|first| !first.is_ascii_digit()) && text.bytes().all(inner)
}

/// Whether the first and the last byte satisfy `is_end`; false for an empty text.
fn ends_are(text: &str, is_end: impl Fn(u8) -> bool) -> bool {
    match (text.bytes().next(), text.bytes().next_back()) {
        (Some(first), Some(last)) => is_end(first) && is_end(last),
        _ => false,
    }
}

/// Whether a label or annotation key belongs to the adapter, Kubernetes or the queueing system.
#[must_use]
pub fn is_reserved_label(key: &str) -> bool {
    const PREFIXES: [&str; 4] = ["paperclip.io/", "app.kubernetes.io/", "kueue.x-k8s.io/", "batch.kubernetes.io/"];
    PREFIXES.iter().any(|prefix| key.starts_with(prefix)) || matches!(key, "job-name" | "controller-uid")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_grammar_accepts_and_refuses_what_kubernetes_does() {
        let long = |length: usize| "a".repeat(length);
        let cases: [(&Grammar, &[&str], &[&str]); 5] = [
            (&DNS_LABEL, &["a", "0", "a-b", &long(63)], &["", "-a", "a-", "A", "a.b", "a_b", "ä", &long(64)]),
            (&DNS_SUBDOMAIN, &["a", "a.b-c", "0.1", &long(253)], &["", ".", "a..b", "a.-b", "A", &long(254)]),
            (&LABEL_KEY, &["a", "A_b.c-d", "x.io/Y"], &["", "/a", "a/", "a/b/c", "X.io/y", "-a", "a b", &long(64)]),
            (&LABEL_VALUE, &["", "a", "A_b.c-d", &long(63)], &["-a", "a-", "a b", "a/b", &long(64)]),
            (&ENV_NAME, &["A", "_a", "-a", ".a", "A1.b-c"], &["", "1A", "A B", "A=B", "Ä"]),
        ];
        for (grammar, accepted, refused) in cases {
            for text in accepted {
                assert!(grammar.accepts(text), "`{text}` is {}", grammar.name);
            }
            for text in refused {
                assert!(!grammar.accepts(text), "`{text}` is not {}", grammar.name);
            }
        }
    }
}
