//! Kubernetes expands `$(NAME)` in commands, arguments and literal values and turns `$$` into `$`.
//!
//! Text from outside must arrive as it was written (PRM-13).

/// Doubles every `$` that the kubelet would act upon.
pub(crate) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        escaped.push(c);
        if c == '$' && matches!(rest.peek(), Some('$' | '(')) {
            escaped.push('$');
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The kubelet's rule with no variable defined: `$$` is `$`, an unknown `$(NAME)` stays.
    fn kubelet(text: &str) -> String {
        let mut out = String::new();
        let mut rest = text.chars().peekable();
        while let Some(c) = rest.next() {
            if c != '$' {
                out.push(c);
                continue;
            }
            match rest.peek() {
                Some('$') => {
                    rest.next();
                    out.push('$');
                }
                Some('(') => out.push_str("<expanded>"),
                _ => out.push('$'),
            }
        }
        out
    }

    #[test]
    fn prm_13_escaped_text_arrives_as_written() {
        for text in ["$(HOME)", "$$(HOME)", "$", "$$", "$$$", "a$b", "`$(x)` $$$(y)", "100 %", ""] {
            assert_eq!(kubelet(&escape(text)), text);
        }
    }
}
