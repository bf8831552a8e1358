//! The rest of a line that is too long to be held whole (TRU-23). The line itself is told from others by its beginning.

use bytes::Bytes;

/// What becomes of the pieces that follow the beginning.
#[derive(Debug, Default)]
enum Rest {
    /// They were delivered before, or the line is not delivered.
    #[default]
    Dropped,
    /// So many bytes were delivered before, what follows is new.
    Behind(u64),
}

/// Of one log.
#[derive(Debug, Default)]
pub(super) struct LongLine {
    rest: Rest,
    /// Bytes of the rest of the last delivered line that were delivered.
    delivered: u64,
}

impl LongLine {
    /// Another line is the last delivered one.
    pub(super) fn delivered_another(&mut self) {
        *self = Self::default();
    }

    /// The connection shows the beginning of the last delivered line: for the first time or again.
    pub(super) fn begins(&mut self) {
        self.rest = Rest::Behind(self.delivered);
    }

    /// The connection shows the beginning of another line.
    pub(super) fn begins_other(&mut self) {
        self.rest = Rest::Dropped;
    }

    /// What of the next piece is new.
    pub(super) fn take(&mut self, mut piece: Bytes) -> Option<Bytes> {
        let Rest::Behind(known) = &mut self.rest else { return None };
        let again = usize::try_from(*known).unwrap_or(usize::MAX).min(piece.len());
        *known -= again as u64;
        let fresh = piece.split_off(again);
        self.delivered += fresh.len() as u64;
        (!fresh.is_empty()).then_some(fresh)
    }
}
