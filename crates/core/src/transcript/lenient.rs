//! Field types that accept any JSON: a value of another shape reads as absent.
//!
//! A field may change its shape in the next release of Claude Code (docs/internals/claude.md 16). With plain serde
//! types one such field would cost the whole event, and with it perhaps the result of a run (RES-04).

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::last_result::start_of;

/// Of a text with escapes so much is copied; nothing that is read is longer. Unit: bytes.
const COPIED_TEXT: usize = 1 << 20;
/// So many elements of a list are read: a line of 32 MiB can hold sixteen million.
const READ_ELEMENTS: usize = 1 << 16;

/// What a field type picks out of the JSON value it meets. Everything it does not name reads as its default.
pub(super) trait Pick<'de>: Default {
    fn text(_: Cow<'de, str>) -> Self {
        Self::default()
    }
    fn number(_: f64) -> Self {
        Self::default()
    }
    fn flag(_: bool) -> Self {
        Self::default()
    }
    fn list<A: SeqAccess<'de>>(mut items: A) -> Result<Self, A::Error> {
        while items.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Self::default())
    }
    fn object<A: MapAccess<'de>>(mut members: A) -> Result<Self, A::Error> {
        while members.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Self::default())
    }
}

struct PickVisitor<P>(PhantomData<P>);

impl<'de, P: Pick<'de>> Visitor<'de> for PickVisitor<P> {
    type Value = P;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any JSON value")
    }
    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<P, E> {
        Ok(P::text(Cow::Borrowed(text)))
    }
    fn visit_str<E>(self, text: &str) -> Result<P, E> {
        Ok(P::text(Cow::Owned(start_of(text, COPIED_TEXT).to_owned())))
    }
    fn visit_bool<E>(self, flag: bool) -> Result<P, E> {
        Ok(P::flag(flag))
    }
    #[expect(clippy::cast_precision_loss, reason = "token counts and times are far below 2^53")]
    fn visit_i64<E>(self, number: i64) -> Result<P, E> {
        Ok(P::number(number as f64))
    }
    #[expect(clippy::cast_precision_loss, reason = "token counts and times are far below 2^53")]
    fn visit_u64<E>(self, number: u64) -> Result<P, E> {
        Ok(P::number(number as f64))
    }
    fn visit_f64<E>(self, number: f64) -> Result<P, E> {
        Ok(P::number(number))
    }
    fn visit_unit<E>(self) -> Result<P, E> {
        Ok(P::default())
    }
    fn visit_seq<A: SeqAccess<'de>>(self, items: A) -> Result<P, A::Error> {
        P::list(items)
    }
    fn visit_map<A: MapAccess<'de>>(self, members: A) -> Result<P, A::Error> {
        P::object(members)
    }
}

/// Reads a [`Pick`] type; the `Deserialize` implementations below and in [`super::usage`] are this call.
pub(super) fn pick<'de, P: Pick<'de>, D: Deserializer<'de>>(deserializer: D) -> Result<P, D::Error> {
    deserializer.deserialize_any(PickVisitor(PhantomData))
}

/// A string, borrowed from the line when it has no escapes.
#[derive(Debug, Default)]
pub(super) struct Text<'a>(Option<Cow<'a, str>>);

impl Text<'_> {
    /// The string, when there is one that is not empty.
    pub(super) fn get(&self) -> Option<&str> {
        self.0.as_deref().filter(|text| !text.is_empty())
    }

    /// Any string was given, even an empty one.
    pub(super) fn is(&self, expected: &str) -> bool {
        self.0.as_deref() == Some(expected)
    }
}

impl<'de> Pick<'de> for Text<'de> {
    fn text(text: Cow<'de, str>) -> Self {
        Self(Some(text))
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Text<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        pick::<Text<'de>, D>(deserializer)
    }
}

/// A number of any kind.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Number(pub(super) Option<f64>);

impl Number {
    /// The number as a count: never negative, absent reads as 0.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "`as` saturates, which is wanted")]
    pub(super) fn count(self) -> u64 {
        self.0.unwrap_or_default() as u64
    }
}

impl Pick<'_> for Number {
    fn number(number: f64) -> Self {
        Self(Some(number))
    }
}

impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        pick(deserializer)
    }
}

/// `true` or `false`; a value of another kind is neither.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) enum Flag {
    /// The member is missing or null.
    #[default]
    Absent,
    Yes,
    No,
    /// Something that is not a flag. For `is_error` that is no evidence of success.
    Odd,
}

impl<'de> Pick<'de> for Flag {
    fn flag(flag: bool) -> Self {
        if flag { Self::Yes } else { Self::No }
    }
    fn text(_: Cow<'de, str>) -> Self {
        Self::Odd
    }
    fn number(_: f64) -> Self {
        Self::Odd
    }
}

impl<'de> Deserialize<'de> for Flag {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        pick(deserializer)
    }
}

/// The elements of an array; anything else is an empty list.
#[derive(Debug)]
pub(super) struct Many<T>(pub(super) Vec<T>);

impl<T> Default for Many<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<'de, T: Deserialize<'de>> Pick<'de> for Many<T> {
    fn list<A: SeqAccess<'de>>(mut items: A) -> Result<Self, A::Error> {
        let mut all = Vec::new();
        while all.len() < READ_ELEMENTS {
            let Some(item) = items.next_element()? else { return Ok(Self(all)) };
            all.push(item);
        }
        while items.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Self(all))
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Many<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        pick(deserializer)
    }
}

/// An object of a known type; anything else is that type's default.
#[derive(Debug, Default)]
pub(super) struct Object<T>(pub(super) T);

impl<'de, T: Deserialize<'de> + Default> Pick<'de> for Object<T> {
    fn object<A: MapAccess<'de>>(members: A) -> Result<Self, A::Error> {
        T::deserialize(MapAccessDeserializer::new(members)).map(Self)
    }
}

impl<'de, T: Deserialize<'de> + Default> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        pick(deserializer)
    }
}
