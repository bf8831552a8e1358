//! The end of the raw output, for the report about a run that printed no result.

use crate::redact::Redactor;

/// How much of the output is kept.
const KEPT_BYTES: usize = 32 * 1024;

/// The last 32 KiB of stdout, and as much before them as a secret value may have of its beginning there.
#[derive(Debug, Default, Clone)]
pub(super) struct OutputTail {
    /// At most twice what is kept, so that old bytes move away in one step per 32 KiB and not per line.
    bytes: Vec<u8>,
    margin: usize,
}

impl OutputTail {
    pub(super) fn for_values_of(redactor: &Redactor) -> Self {
        Self { bytes: Vec::new(), margin: redactor.margin() }
    }

    pub(super) fn push(&mut self, line: &[u8]) {
        let kept = KEPT_BYTES + self.margin;
        // `from` is 0 for every ordinary line; of a longer one only the end can survive.
        let from = line.len().saturating_sub(kept);
        self.bytes.extend_from_slice(line.get(from..).unwrap_or_default());
        self.bytes.push(b'\n');
        if self.bytes.len() > 2 * kept {
            self.bytes.drain(..self.bytes.len() - kept);
        }
    }

    /// The kept bytes as text, whole characters only, without the values that the redactor knows.
    pub(super) fn text(&self, redactor: &Redactor) -> String {
        let from = self.bytes.len().saturating_sub(KEPT_BYTES + self.margin);
        let kept = self.bytes.get(from..).unwrap_or_default();
        let continuation = kept.iter().take_while(|byte| (**byte & 0xC0) == 0x80).take(3).count();
        let text = String::from_utf8_lossy(kept.get(continuation..).unwrap_or_default());
        redactor.redact_end(&text, KEPT_BYTES)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn log_13_the_tail_keeps_the_end_and_never_more_than_its_bound() {
        let mut tail = OutputTail::default();
        for number in 0..20_000 {
            tail.push(format!("line {number} €").as_bytes());
        }
        let text = tail.text(&Redactor::default());
        assert!(text.ends_with("line 19999 €\n"));
        assert!(text.len() <= KEPT_BYTES && tail.bytes.capacity() <= 6 * KEPT_BYTES);
        assert!(!text.contains('\u{fffd}'), "the cut is at a character");
        tail.push(&vec![b'x'; 4 << 20]);
        assert_eq!(tail.text(&Redactor::default()).len(), KEPT_BYTES);
    }

    #[test]
    fn tru_22_a_value_that_the_cut_goes_through_is_gone() {
        let value = "sk-ant-0123456789abcdef";
        let redactor = Redactor::new([value.to_owned()]);
        for after in KEPT_BYTES - value.len()..=KEPT_BYTES {
            for before in [0, 10, 3 * KEPT_BYTES] {
                let mut tail = OutputTail::for_values_of(&redactor);
                tail.push(format!("{}{value}{}", "x".repeat(before), "y".repeat(after - 1)).as_bytes());
                let text = tail.text(&redactor);
                assert!(
                    !value.char_indices().any(|(at, _)| at < 16 && text.contains(&value[at..])),
                    "{after} {before}"
                );
                assert!(text.ends_with("yyy\n"));
            }
        }
    }
}
