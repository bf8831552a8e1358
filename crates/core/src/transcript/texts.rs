//! Texts of the main thread, the summary of runs whose result has none (`hook_stopped`, an empty last block).

use std::collections::VecDeque;

use super::last_result::start_of;

/// How much text is kept.
const KEPT_BYTES: usize = 32 * 1024;

/// The newest text blocks of the main thread. Equal blocks are kept: they are different events (RES-07).
#[derive(Debug, Default, Clone)]
pub(super) struct Texts {
    blocks: VecDeque<String>,
    bytes: usize,
}

impl Texts {
    pub(super) fn push(&mut self, text: &str) {
        let text = text.trim();
        if text.is_empty() {
            return;
        }
        let block = start_of(text, KEPT_BYTES).to_owned();
        self.bytes += block.len();
        self.blocks.push_back(block);
        while self.bytes > KEPT_BYTES {
            let Some(oldest) = self.blocks.pop_front() else { break };
            self.bytes -= oldest.len();
        }
    }

    /// The blocks joined by blank lines; `None` when there is none.
    pub(super) fn joined(&self) -> Option<String> {
        (!self.blocks.is_empty()).then(|| self.blocks.iter().map(String::as_str).collect::<Vec<_>>().join("\n\n"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn res_07_equal_blocks_stay_and_the_oldest_give_way() {
        let mut texts = Texts::default();
        for text in ["same", "  ", "same"] {
            texts.push(text);
        }
        assert_eq!(texts.joined().unwrap(), "same\n\nsame");
        texts.push(&"é".repeat(KEPT_BYTES));
        assert!(texts.joined().unwrap().len() <= KEPT_BYTES && !texts.joined().unwrap().contains("same"));
    }
}
