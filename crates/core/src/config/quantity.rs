//! Kubernetes resource quantities: `500m`, `2Gi`, `1e3`. Compared by value, kept as written.

use std::cmp::Ordering;

/// A non-negative quantity.
///
/// Limit: at most 30 significant digits and a decimal exponent between -30 and 30, far beyond what
/// Kubernetes can store (63 bits).
#[derive(Debug, Clone)]
pub struct Quantity {
    text: String,
    /// The value as decimal digits without zeros at either end; empty for zero.
    digits: String,
    /// Power of ten of the digit before the first one: 0.25 is `25` with 0, 12 is `12` with 2.
    magnitude: i32,
}

impl Quantity {
    /// Reads a quantity. `None` when the text is not one, is negative, or exceeds the limits of the type.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let unsigned = text.strip_prefix('+').unwrap_or(text);
        let number_length = unsigned.bytes().take_while(|byte| byte.is_ascii_digit() || *byte == b'.').count();
        let (number, suffix) = unsigned.split_at(number_length);
        let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
        if (whole.is_empty() && fraction.is_empty()) || fraction.contains('.') {
            return None;
        }
        let (ten, two) = scale(suffix)?;
        let mantissa = format!("{whole}{fraction}");
        let significant = mantissa.trim_start_matches('0');
        if significant.len() > 30 {
            return None;
        }
        let fraction_digits = i32::try_from(fraction.len()).ok().filter(|digits| *digits <= 30)?;
        let value: u128 = if significant.is_empty() { 0 } else { significant.parse().ok()? };
        let value = value.checked_mul(1 << two)?.to_string();
        let length = i32::try_from(value.len()).ok()?;
        let digits = value.trim_end_matches('0').to_owned();
        let magnitude = if digits.is_empty() { 0 } else { length + ten - fraction_digits };
        Some(Self { text: text.to_owned(), digits, magnitude })
    }

    /// The text as it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

/// Powers of ten and of two that a suffix stands for.
fn scale(suffix: &str) -> Option<(i32, u32)> {
    Some(match suffix {
        "n" => (-9, 0),
        "u" => (-6, 0),
        "m" => (-3, 0),
        "" => (0, 0),
        "k" => (3, 0),
        "M" => (6, 0),
        "G" => (9, 0),
        "T" => (12, 0),
        "P" => (15, 0),
        "E" => (18, 0),
        "Ki" => (0, 10),
        "Mi" => (0, 20),
        "Gi" => (0, 30),
        "Ti" => (0, 40),
        "Pi" => (0, 50),
        "Ei" => (0, 60),
        _ => {
            let exponent: i32 = suffix.strip_prefix(['e', 'E'])?.parse().ok()?;
            (Some(exponent).filter(|exponent| (-30..=30).contains(exponent))?, 0)
        }
    })
}

impl PartialEq for Quantity {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Quantity {}

impl PartialOrd for Quantity {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Quantity {
    fn cmp(&self, other: &Self) -> Ordering {
        match (self.digits.is_empty(), other.digits.is_empty()) {
            (false, false) => self.magnitude.cmp(&other.magnitude).then_with(|| self.digits.cmp(&other.digits)),
            (zero, other_zero) => other_zero.cmp(&zero),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn quantity(text: &str) -> Quantity {
        Quantity::parse(text).unwrap_or_else(|| panic!("`{text}` is a quantity"))
    }

    #[test]
    fn equal_values_are_equal_however_they_are_written() {
        for group in [
            &["1", "1000m", "1.0", "+1", "01", "1e0", "0.001k", "1000000u", "1.", "10e-1", "1000000000n"][..],
            &["2Gi", "2048Mi", "2097152Ki", "2147483648", "2.0Gi", "2147483648000m"],
            &["0", "0m", "0.0", "0Ei", ".0"],
            &["1E", "1E18", "1000P"],
            &["0.5Ki", "512"],
        ] {
            for text in group {
                assert_eq!(quantity(text), quantity(group[0]), "{text}");
            }
        }
    }

    #[test]
    fn quantities_are_ordered_by_value() {
        let ascending = ["0", "1n", "1m", "999m", "1", "1.5", "2", "10", "1k", "1Ki", "8G", "8Gi", "9G", "7E", "7Ei"];
        for pair in ascending.windows(2) {
            assert!(quantity(pair[0]) < quantity(pair[1]), "{pair:?}");
        }
    }

    #[test]
    fn what_kubernetes_refuses_is_no_quantity() {
        for text in ["", "two", "-1", "1 Gi", "1gi", "1K", "1mm", "1e", "1.2.3", ".", "m", "1e400", "0x10", "1Gi "] {
            assert!(Quantity::parse(text).is_none(), "`{text}`");
        }
    }
}
