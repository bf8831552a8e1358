//! How much an answer of an API server may be: the server is whichever a kubeconfig names (TRU-03).
//!
//! Bytes alone are no bound: `{}` is two bytes, and a pod of the API types is a thousand. So objects are counted, too,
//! before anything is made of them.

/// One answer that is read as a whole. Unit: bytes.
pub const BODY_MAX: u64 = 8 << 20;
/// One event of a watch. Unit: bytes.
pub const EVENT_MAX: u64 = 1 << 20;
/// Status line and headers. Unit: bytes.
pub const HEAD_MAX: usize = 64 << 10;
/// Objects that are asked for at once.
pub const PAGE: u32 = 500;
/// Objects of one list, all its pages together.
pub const OBJECTS_MAX: usize = 20_000;
/// All pages of one list. Unit: bytes.
pub const LIST_MAX: u64 = 64 << 20;
/// What is kept of one list, see [`crate::view::Listed`]. Unit: bytes.
pub const LISTED_MAX: usize = 16 << 20;
/// Facts of all Jobs and pods of a namespace that are kept between answers. Unit: bytes.
pub const FACTS_MAX: usize = 32 << 20;

/// JSON objects in one answer, those inside of others included; what a page of full pods has is below half of it.
const STRUCTURES_MAX: u32 = 250_000;
/// The same for one event.
const EVENT_STRUCTURES_MAX: u32 = 30_000;
/// Lists whose items are a dozen bytes at least and a thousand of the API types: forty for each pod of a page.
const LARGE_LISTS: [&str; 7] = [
    "containers",
    "initContainers",
    "ephemeralContainers",
    "volumes",
    "containerStatuses",
    "initContainerStatuses",
    "ephemeralContainerStatuses",
];
/// Items of such lists in one answer or event.
const LARGE_MAX: u32 = 40 * PAGE;
/// What is not nested deeper can be told apart; a full Job is half as deep.
const DEPTH_MAX: u32 = 64;
/// Items of one page: a server that ignores the limit has at most twice as many.
const ITEMS_MAX: u32 = 2 * PAGE;

/// What was too much of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TooMuch {
    /// [`BODY_MAX`].
    #[error("the answer of the API server is longer than {} MiB, and was not read to its end", BODY_MAX >> 20)]
    Body,
    /// [`EVENT_MAX`].
    #[error("an event of the API server's watch is longer than {} MiB, and was not read to its end", EVENT_MAX >> 20)]
    Event,
    /// [`STRUCTURES_MAX`] or [`ITEMS_MAX`].
    #[error("the answer of the API server holds more objects than an answer can have, and was not read")]
    Structures,
    /// [`OBJECTS_MAX`].
    #[error("the list of the API server does not end after {OBJECTS_MAX} objects")]
    Objects,
    /// [`LIST_MAX`].
    #[error("the list of the API server does not end after {} MiB", LIST_MAX >> 20)]
    List,
    /// [`LISTED_MAX`].
    #[error("the Jobs or pods of the API server's list take more than {} MiB of memory", LISTED_MAX >> 20)]
    Listed,
}

/// Which bound an answer has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bound {
    /// Read as a whole.
    Whole,
    /// A line for each event, and no end.
    Events,
    /// A log: whoever reads it has bounds of its own.
    Log,
}

impl Bound {
    /// The bound of an answer to a request. An error is read as a whole, whatever was asked for.
    #[must_use]
    pub fn of(path: &str, query: &str, is_success: bool) -> Self {
        if !is_success {
            Self::Whole
        } else if query.split('&').any(|part| matches!(part, "watch=true" | "watch=1" | "watch")) {
            Self::Events
        } else if is_log(path) {
            Self::Log
        } else {
            Self::Whole
        }
    }
}

/// `…/namespaces/NAME/pods/NAME/log`: by its shape, because a name may be any of these words.
fn is_log(path: &str) -> bool {
    let mut parts = path.rsplit('/');
    let (last, _, kind, _, scope) = (parts.next(), parts.next(), parts.next(), parts.next(), parts.next());
    (last, kind, scope) == (Some("log"), Some("pods"), Some("namespaces"))
}

/// The list that a page belongs to, by path and query: all but the place where the page begins. `None`: no list.
#[must_use]
pub fn list_of(path: &str, query: &str) -> Option<(String, bool)> {
    let parts = || query.split('&').filter(|part| !part.is_empty());
    if !parts().any(|part| part.starts_with("limit=")) {
        return None;
    }
    let begins = |part: &str, names: &[&str]| {
        names.iter().any(|name| part.strip_prefix(name).is_some_and(|rest| rest.starts_with('=')))
    };
    let is_next = parts().any(|part| begins(part, &["continue"]));
    let rest: Vec<&str> = parts()
        .filter(|part| !begins(part, &["continue", "limit", "resourceVersion", "resourceVersionMatch"]))
        .collect();
    Some((format!("{path}?{}", rest.join("&")), is_next))
}

/// Counts what an answer brings, byte by byte.
#[derive(Debug, Clone)]
pub struct Meter {
    bound: Bound,
    bytes: u64,
    structures: u32,
    items: u32,
    depth: u32,
    /// By depth: the list there is one of [`LARGE_LISTS`].
    in_large: u64,
    large: u32,
    text: Text,
    in_text: bool,
    is_escaped: bool,
}

/// The newest text of an answer, compared with names as it comes in.
#[derive(Debug, Clone, Copy, Default)]
struct Text {
    bytes: usize,
    /// Bit by bit: it still is the name of that place in [`LARGE_LISTS`].
    fits: u8,
    /// Escapes may spell any name.
    is_escaped: bool,
}

impl Text {
    fn begin() -> Self {
        Self { bytes: 0, fits: u8::MAX, is_escaped: false }
    }

    fn push(&mut self, byte: u8) {
        for (place, name) in LARGE_LISTS.iter().enumerate() {
            if name.as_bytes().get(self.bytes) != Some(&byte) {
                self.fits &= !(1 << place);
            }
        }
        self.bytes += 1;
    }

    fn is_large_list(self) -> bool {
        let is = |(place, name): (usize, &&str)| self.fits & (1 << place) != 0 && name.len() == self.bytes;
        self.is_escaped || LARGE_LISTS.iter().enumerate().any(is)
    }
}

impl Meter {
    /// Nothing yet.
    #[must_use]
    pub fn new(bound: Bound) -> Self {
        Self {
            bound,
            bytes: 0,
            structures: 0,
            items: 0,
            depth: 0,
            in_large: 0,
            large: 0,
            text: Text::default(),
            in_text: false,
            is_escaped: false,
        }
    }

    /// The next piece of the answer.
    ///
    /// # Errors
    /// What is too much. Nothing of the piece may be used then.
    pub fn take(&mut self, piece: &[u8]) -> Result<(), TooMuch> {
        match self.bound {
            Bound::Log => Ok(()),
            Bound::Whole => {
                self.bytes += piece.len() as u64;
                if self.bytes > BODY_MAX {
                    return Err(TooMuch::Body);
                }
                self.count(piece, STRUCTURES_MAX)
            }
            Bound::Events => piece.split_inclusive(|byte| *byte == b'\n').try_for_each(|part| self.event(part)),
        }
    }

    /// A part of one event, with its line end if that is there.
    fn event(&mut self, part: &[u8]) -> Result<(), TooMuch> {
        self.bytes += part.len() as u64;
        if self.bytes > EVENT_MAX {
            return Err(TooMuch::Event);
        }
        self.count(part, EVENT_STRUCTURES_MAX)?;
        if part.ends_with(b"\n") {
            *self = Self::new(self.bound);
        }
        Ok(())
    }

    /// The bit of this depth.
    fn here(&self) -> u64 {
        1 << self.depth
    }

    fn opens(&mut self, is_large: bool) -> Result<(), TooMuch> {
        self.depth += 1;
        if self.depth >= DEPTH_MAX {
            return Err(TooMuch::Structures);
        }
        let here = self.here();
        self.in_large = if is_large { self.in_large | here } else { self.in_large & !here };
        Ok(())
    }

    fn count(&mut self, piece: &[u8], most: u32) -> Result<(), TooMuch> {
        for byte in piece {
            match byte {
                _ if self.is_escaped => self.is_escaped = false,
                b'\\' if self.in_text => (self.is_escaped, self.text.is_escaped) = (true, true),
                b'"' => {
                    self.in_text = !self.in_text;
                    if self.in_text {
                        self.text = Text::begin();
                    }
                }
                _ if self.in_text => self.text.push(*byte),
                b'{' => {
                    self.structures += 1;
                    // An object in an array of the outermost object.
                    self.items += u32::from(self.depth == 2);
                    self.large += u32::from(self.in_large & self.here() != 0);
                    self.opens(false)?;
                    if self.structures > most || self.items > ITEMS_MAX || self.large > LARGE_MAX {
                        return Err(TooMuch::Structures);
                    }
                }
                b'[' => self.opens(self.text.is_large_list())?,
                b'}' | b']' => self.depth = self.depth.saturating_sub(1),
                _ => {}
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Feeds pieces until one is refused: how many were taken, and why no more.
    fn fed(bound: Bound, piece: &str) -> (u64, TooMuch) {
        let mut meter = Meter::new(bound);
        for taken in 0..10_000_000 {
            if let Err(too_much) = meter.take(piece.as_bytes()) {
                return (taken * piece.len() as u64, too_much);
            }
        }
        panic!("no bound");
    }

    #[test]
    fn tru_03_an_answer_is_as_long_as_its_kind_and_no_longer() {
        let text = "x".repeat(1000);
        let (bytes, why) = fed(Bound::Whole, &text);
        assert!(why == TooMuch::Body && bytes <= BODY_MAX && bytes > BODY_MAX - 1001, "{bytes}");
        let (bytes, why) = fed(Bound::Events, &text);
        assert!(why == TooMuch::Event && bytes <= EVENT_MAX, "{bytes}");
        let mut events = Meter::new(Bound::Events);
        let event = format!("{{\"type\":\"{}\"}}\n", "x".repeat(900_000));
        assert!((0..20).all(|_| events.take(event.as_bytes()).is_ok()), "each event counts by itself");
        let mut log = Meter::new(Bound::Log);
        assert!((0..20_000).all(|_| log.take(text.as_bytes()).is_ok()));
    }

    #[test]
    fn tru_03_few_bytes_do_not_become_many_objects() {
        let items = |item: &str| format!("{{\"items\":[{}", vec![item; 100_000].join(","));
        for (bound, body, allowed) in [
            (Bound::Whole, items("{}"), false),
            (Bound::Whole, items("\"{}\""), true),
            (Bound::Whole, items("\"\\\"{}\""), true),
            (Bound::Whole, format!("{{\"items\":[{{\"spec\":{}", items("{}").repeat(3)), false),
            (Bound::Events, format!("{{\"object\":{{\"spec\":{}", items("{}")), false),
            (Bound::Whole, format!("{{\"items\":[{}]}}", vec!["{\"a\":{\"b\":[{},{}]}}"; 500].join(",")), true),
        ] {
            assert_eq!(Meter::new(bound).take(body.as_bytes()).is_ok(), allowed, "{}", &body[..40]);
        }
    }

    #[test]
    fn tru_03_a_dozen_bytes_that_become_a_thousand_are_counted_by_the_name_of_their_list() {
        let many = |name: &str, each: usize| {
            let pod = format!("{{\"spec\":{{\"{name}\":[{}]}}}}", vec!["{\"name\":\"\"}"; each].join(","));
            format!("{{\"items\":[{}]}}", vec![pod; 500].join(","))
        };
        for (name, each, allowed) in [
            ("containers", 40, true),
            ("containers", 41, false),
            ("volumes", 41, false),
            ("containerStatuses", 41, false),
            ("cont\\u0061iners", 41, false),
            ("env", 400, true),
            ("containersOfMine", 400, true),
            ("container", 400, true),
        ] {
            // As it comes from a socket.
            let mut meter = Meter::new(Bound::Whole);
            let taken = many(name, each).as_bytes().chunks(7).try_for_each(|piece| meter.take(piece));
            assert_eq!(taken.is_ok(), allowed, "{name} {each}");
        }
        assert!(Meter::new(Bound::Whole).take("[".repeat(70).as_bytes()).is_err(), "deeper than anything is");
    }

    #[test]
    fn tru_03_only_a_log_is_without_a_bound() {
        let job = "/apis/batch/v1/namespaces/ns/jobs/log";
        for (path, query, is_success, bound) in [
            ("/api/v1/namespaces/ns/pods/p/log", "follow=true", true, Bound::Log),
            ("/prefix/api/v1/namespaces/ns/pods/p/log", "", true, Bound::Log),
            ("/api/v1/namespaces/ns/pods/p/log", "follow=true", false, Bound::Whole),
            ("/api/v1/namespaces/pods/pods/log", "", true, Bound::Whole),
            ("/api/v1/namespaces/log", "", true, Bound::Whole),
            (job, "", true, Bound::Whole),
            ("/api/v1/namespaces/ns/pods", "&watch=true&timeoutSeconds=60", true, Bound::Events),
            ("/api/v1/namespaces/ns/pods", "labelSelector=watch%3Dtrue", true, Bound::Whole),
        ] {
            assert_eq!(Bound::of(path, query, is_success), bound, "{path}?{query}");
        }
    }

    #[test]
    fn tru_03_the_pages_of_a_list_are_known_as_one() {
        let first = list_of("/pods", "&labelSelector=a&limit=500&resourceVersion=0");
        let next = list_of("/pods", "&labelSelector=a&limit=500&continue=xyz");
        assert_eq!(first, Some(("/pods?labelSelector=a".to_owned(), false)));
        assert_eq!(next, Some(("/pods?labelSelector=a".to_owned(), true)));
        assert_eq!(list_of("/pods/p", ""), None);
    }
}
