//! Where in a JSON text a byte stands, as the steps that lead there from the root.
//!
//! A deserializer that keeps the path itself is a second copy of all API types in the machine code, half a megabyte for
//! one error message; the plain one reports how many bytes it had read.

/// One step down from a value to one of its parts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Step {
    /// Into the member of an object.
    Member(String),
    /// To the item of a list, counted from 0.
    Item(usize),
}

/// The steps to the value at which the first `read` bytes of a valid, single-line JSON text end.
pub(super) fn steps_to(text: &str, read: usize) -> Vec<Step> {
    let mut steps: Vec<Option<Step>> = Vec::new();
    let mut expects_name = false;
    let mut at = 0;
    while let Some(&byte) = text.as_bytes().get(at).filter(|_| at < read) {
        let mut end = at + 1;
        match byte {
            b'{' => steps.push(None),
            b'[' => steps.push(Some(Step::Item(0))),
            b'}' | b']' => drop(steps.pop()),
            b',' => {
                if let Some(Some(Step::Item(index))) = steps.last_mut() {
                    *index += 1;
                }
            }
            b'"' => {
                end = string_end(text, at);
                if expects_name && let Some(step) = steps.last_mut() {
                    *step = text.get(at..end).and_then(|name| serde_json::from_str(name).ok()).map(Step::Member);
                }
            }
            _ => {}
        }
        expects_name = match byte {
            b'{' => true,
            b',' => !matches!(steps.last(), Some(Some(Step::Item(_)))),
            _ => false,
        };
        at = end;
    }
    steps.into_iter().flatten().collect()
}

/// The byte after the closing quote of the string that begins at `start`.
fn string_end(text: &str, start: usize) -> usize {
    let mut escaped = false;
    let closing = text.bytes().enumerate().skip(start + 1).find(|&(_, byte)| {
        let closes = byte == b'"' && !escaped;
        escaped = byte == b'\\' && !escaped;
        closes
    });
    closing.map_or(text.len(), |(at, _)| at + 1)
}

#[cfg(test)]
mod tests {
    use super::Step::{Item, Member};
    use super::*;

    fn place(text: &str, before: &str) -> Vec<Step> {
        steps_to(text, text.find(before).unwrap())
    }

    #[test]
    fn a_place_in_nested_json_is_named_by_members_and_items() {
        let text = r#"{"a":[1,{"b,{":"x\"]","c":[[],[true,§]]}],"d":{"e":null},"f":2}"#;
        let a = || Member("a".to_owned());
        assert_eq!(place(text, "1,"), [a(), Item(0)]);
        assert_eq!(place(text, r#""x"#), [a(), Item(1), Member("b,{".to_owned())]);
        assert_eq!(place(text, "§"), [a(), Item(1), Member("c".to_owned()), Item(1), Item(1)]);
        assert_eq!(place(text, "null"), [Member("d".to_owned()), Member("e".to_owned())]);
        assert_eq!(place(text, "2}"), [Member("f".to_owned())]);
        assert_eq!(steps_to(text, text.len()), []);
        assert_eq!(steps_to(text, usize::MAX), []);
    }
}
