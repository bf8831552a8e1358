//! The forms in which a value can stand in a text.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};

use super::MIN_CHARACTERS;

/// One written form of a value, with what is needed to find its start at the end of a text.
pub(super) struct Form {
    text: String,
    /// Length of the longest border of every start of `text` (Knuth, Morris, Pratt).
    borders: Vec<usize>,
}

impl Form {
    fn new(text: String) -> Self {
        let bytes = text.as_bytes();
        let mut borders = vec![0; bytes.len()];
        let mut length = 0;
        for index in 1..bytes.len() {
            while length > 0 && bytes[index] != bytes[length] {
                length = borders[length - 1];
            }
            length += usize::from(bytes[index] == bytes[length]);
            borders[index] = length;
        }
        Self { text, borders }
    }

    pub(super) fn as_bytes(&self) -> &[u8] {
        self.text.as_bytes()
    }

    /// Length of the longest end of `text`, within its last `limit` bytes, that is a start of this form.
    pub(super) fn unfinished(&self, text: &[u8], limit: usize) -> usize {
        let form = self.as_bytes();
        // Lines end with a newline and values seldom hold one: nearly every text is done here.
        if text.last().is_none_or(|last| !form.contains(last)) {
            return 0;
        }
        let mut length = 0;
        for byte in &text[text.len() - limit.min(form.len() - 1).min(text.len())..] {
            while length > 0 && form[length] != *byte {
                length = self.borders[length - 1];
            }
            length += usize::from(form[length] == *byte);
        }
        length
    }
}

/// All forms of all values, without doubles.
pub(super) fn all(values: impl IntoIterator<Item = String>) -> Vec<Form> {
    let mut texts = BTreeSet::new();
    for value in values {
        // A value from a file often ends with a newline that its user cuts off. Tools print a long one line by line,
        // indented or with something before each line.
        let lines = value.lines().filter(|line| !is_frame(line.trim())).map(str::trim);
        for text in [value.as_str(), value.trim()].into_iter().chain(lines) {
            if text.trim().chars().count() >= MIN_CHARACTERS {
                add_forms(text, &mut texts);
            }
        }
    }
    texts.into_iter().map(Form::new).collect()
}

/// `-----BEGIN CERTIFICATE-----` and its like stand around innocent texts as well.
fn is_frame(line: &str) -> bool {
    line.starts_with("-----")
}

fn add_forms(text: &str, forms: &mut BTreeSet<String>) {
    forms.insert(text.to_owned());
    let escaped = Json::ALL.map(|style| escape(text, style));
    // Tool results hold JSON inside JSON.
    forms.extend(escaped.iter().flat_map(|text| [Json::PLAIN, Json::ASCII].map(|style| escape(text, style))));
    forms.extend(escaped);
    forms.extend(Percent::ALL.map(|style| percent(text, style)));
    forms.extend(HTML.map(|quotes| html(text, quotes)));
    // What follows the value in the same block changes its last characters, so only the whole value is found; a shell
    // encodes the newline that `echo` writes.
    let lines = [text.to_owned(), format!("{text}\n")];
    forms.extend(lines.iter().flat_map(|text| [STANDARD_NO_PAD.encode(text), URL_SAFE_NO_PAD.encode(text)]));
}

/// What a writer of JSON escapes beside what it has to.
#[derive(Clone, Copy)]
struct Json {
    /// Everything that is not ASCII, as `\uXXXX`.
    ascii: bool,
    /// `/` as `\/`.
    slash: bool,
    /// `&`, `<` and `>` as `\u0026` and so on.
    html: bool,
}

impl Json {
    const PLAIN: Self = Self { ascii: false, slash: false, html: false };
    const ASCII: Self = Self { ascii: true, ..Self::PLAIN };
    const ALL: [Self; 5] = [
        Self::PLAIN,
        Self::ASCII,
        Self { slash: true, ..Self::PLAIN },
        Self { slash: true, ..Self::ASCII },
        Self { html: true, ..Self::PLAIN },
    ];
}

/// The inside of a JSON string.
fn escape(text: &str, style: Json) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            '/' if style.slash => out.push_str("\\/"),
            _ if character < ' '
                || (style.ascii && !character.is_ascii())
                || (style.html && matches!(character, '&' | '<' | '>')) =>
            {
                for unit in character.encode_utf16(&mut [0; 2]) {
                    // Writing into a String cannot fail.
                    let _ = write!(out, "\\u{unit:04x}");
                }
            }
            _ => out.push(character),
        }
    }
    out
}

/// How a part of a URL or a form is written.
#[derive(Clone, Copy)]
struct Percent {
    /// Characters that stay beside letters, digits and `-._~`.
    kept: &'static str,
    lower: bool,
    /// A blank as `+`, as forms have it.
    plus: bool,
}

impl Percent {
    const STRICT: Self = Self { kept: "", lower: false, plus: false };
    const ALL: [Self; 5] = [
        Self::STRICT,
        Self { lower: true, ..Self::STRICT },
        Self { kept: "!'()*", ..Self::STRICT },
        Self { plus: true, ..Self::STRICT },
        Self { kept: "*", plus: true, ..Self::STRICT },
    ];
}

fn percent(text: &str, style: Percent) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        let character = char::from(byte);
        match byte {
            b' ' if style.plus => out.push('+'),
            b'-' | b'.' | b'_' | b'~' => out.push(character),
            _ if byte.is_ascii_alphanumeric() || (byte.is_ascii() && style.kept.contains(character)) => {
                out.push(character);
            }
            _ => {
                let _ = if style.lower { write!(out, "%{byte:02x}") } else { write!(out, "%{byte:02X}") };
            }
        }
    }
    out
}

/// How writers of HTML and XML write the two quotation marks.
const HTML: [[&str; 2]; 4] = [["&quot;", "&#39;"], ["&quot;", "&#x27;"], ["&quot;", "&apos;"], ["&#34;", "&#39;"]];

fn html(text: &str, [double, single]: [&str; 2]) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str(double),
            '\'' => out.push_str(single),
            _ => out.push(character),
        }
    }
    out
}
