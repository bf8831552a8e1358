//! The end of the raw output, for the report about a run that printed no result.

/// How much of the output is kept.
const KEPT_BYTES: usize = 32 * 1024;

/// The last 32 KiB of stdout.
#[derive(Debug, Default, Clone)]
pub(super) struct OutputTail {
    /// At most twice what is kept, so that old bytes move away in one step per 32 KiB and not per line.
    bytes: Vec<u8>,
}

impl OutputTail {
    pub(super) fn push(&mut self, line: &[u8]) {
        // `from` is 0 for every ordinary line; of a longer one only the end can survive.
        let from = line.len().saturating_sub(KEPT_BYTES);
        self.bytes.extend_from_slice(line.get(from..).unwrap_or_default());
        self.bytes.push(b'\n');
        if self.bytes.len() > 2 * KEPT_BYTES {
            self.bytes.drain(..self.bytes.len() - KEPT_BYTES);
        }
    }

    /// The kept bytes as text, whole characters only.
    pub(super) fn text(&self) -> String {
        let from = self.bytes.len().saturating_sub(KEPT_BYTES);
        let kept = self.bytes.get(from..).unwrap_or_default();
        let continuation = kept.iter().take_while(|byte| (**byte & 0xC0) == 0x80).take(3).count();
        String::from_utf8_lossy(kept.get(continuation..).unwrap_or_default()).into_owned()
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
        let text = tail.text();
        assert!(text.ends_with("line 19999 €\n"));
        assert!(text.len() <= KEPT_BYTES && tail.bytes.capacity() <= 6 * KEPT_BYTES);
        assert!(!text.contains('\u{fffd}'), "the cut is at a character");
        tail.push(&vec![b'x'; 4 << 20]);
        assert_eq!(tail.text().len(), KEPT_BYTES);
    }
}
