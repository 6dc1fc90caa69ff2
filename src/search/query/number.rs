//! Prefixes, and numbers with the precision they were written with (R4 search.html §prefix, §number).

/// `http://hl7.org/fhir/search-comparator`
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Prefix {
    /// Equal; meant where there is no prefix.
    Eq,
    /// Not equal.
    Ne,
    /// Greater.
    Gt,
    /// Less.
    Lt,
    /// Greater or equal.
    Ge,
    /// Less or equal.
    Le,
    /// Starts after.
    Sa,
    /// Ends before.
    Eb,
    /// Approximately.
    Ap,
}

impl Prefix {
    /// The prefix `text` begins with and how long it is; `None` where two letters stand there that are none.
    pub(super) fn read(text: &str) -> Option<(Self, usize)> {
        let prefix = match text.as_bytes() {
            [b'e', b'q', ..] => Self::Eq,
            [b'n', b'e', ..] => Self::Ne,
            [b'g', b't', ..] => Self::Gt,
            [b'l', b't', ..] => Self::Lt,
            [b'g', b'e', ..] => Self::Ge,
            [b'l', b'e', ..] => Self::Le,
            [b's', b'a', ..] => Self::Sa,
            [b'e', b'b', ..] => Self::Eb,
            [b'a', b'p', ..] => Self::Ap,
            [first, ..] if first.is_ascii_alphabetic() => return None,
            _ => return Some((Self::Eq, 0)),
        };
        Some((prefix, 2))
    }
}

/// A number of a query.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct NumberValue {
    /// The number itself.
    pub value: f64,
    /// The least number that would be written so at this precision.
    pub low: f64,
    /// The least number above that would be written otherwise.
    pub high: f64,
}

/// The most digits a number of a query may have.
pub const MAX_NUMBER_DIGITS: usize = 30;
/// The largest power of ten a number of a query may have.
pub const MAX_NUMBER_EXPONENT: i32 = 300;

impl NumberValue {
    /// Reads `100`, `-5.40`, `1e2`.
    pub(super) fn read(text: &str) -> Option<Self> {
        let (mantissa, exponent) = match text.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => (mantissa, exponent.parse::<i32>().ok()?),
            None => (text, 0),
        };
        let (whole, fraction) = mantissa.split_once('.').map_or((mantissa, None), |(whole, fraction)| (whole, Some(fraction)));
        let (negative, whole) = whole.strip_prefix('-').map_or((false, whole), |digits| (true, digits));
        let fraction_digits = fraction.unwrap_or_default();
        let digits = format!("{whole}{fraction_digits}");
        let is_number = !whole.is_empty() && fraction != Some("") && digits.bytes().all(|byte| byte.is_ascii_digit());
        if !is_number || digits.len() > MAX_NUMBER_DIGITS || exponent.abs() > MAX_NUMBER_EXPONENT {
            return None;
        }
        // The standard's example: `1e2` means [95, 105), as if it were written `1.0e2`.
        let unwritten_digits = i32::from(exponent != 0 && fraction.is_none());
        let last = exponent - i32::try_from(fraction_digits.len()).ok()?;
        let scaled = digits.parse::<i128>().ok()? * 10_i128.pow(unwritten_digits.unsigned_abs());
        Self::around(if negative { -scaled } else { scaled }, last - unwritten_digits)
    }

    /// The number `scaled` · 10^`power` and half a unit of its last digit to each side, each rounded once.
    fn around(scaled: i128, power: i32) -> Option<Self> {
        let tenths = scaled * 10;
        let number = |tenths: i128| format!("{tenths}e{}", power - 1).parse::<f64>().ok();
        Some(Self { value: number(tenths)?, low: number(tenths - 5)?, high: number(tenths + 5)? })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_number_covers_half_a_unit_of_its_last_digit() {
        let table = [
            ("100", 100.0, 99.5, 100.5),
            ("1e2", 100.0, 95.0, 105.0),
            ("1.0e2", 100.0, 95.0, 105.0),
            ("5.40", 5.4, 5.395, 5.405),
            ("-5.4", -5.4, -5.45, -5.35),
            ("0.00", 0.0, -0.005, 0.005),
            ("1E-3", 0.001, 0.00095, 0.00105),
            ("007", 7.0, 6.5, 7.5),
        ];
        for (text, value, low, high) in table {
            assert_eq!(NumberValue::read(text), Some(NumberValue { value, low, high }), "{text}");
        }
        for text in ["", "-", "+1", ".5", "5.", "1e", "e5", "1.2.3", "1,2", "0x1", "NaN", "inf", "1e9999", "--1", "1 ", "١"] {
            assert_eq!(NumberValue::read(text), None, "{text}");
        }
    }

    #[test]
    fn two_letters_are_a_prefix_or_a_fault() {
        assert_eq!(Prefix::read("ge2013"), Some((Prefix::Ge, 2)));
        assert_eq!(Prefix::read("2013"), Some((Prefix::Eq, 0)));
        assert_eq!(Prefix::read("-5"), Some((Prefix::Eq, 0)));
        assert_eq!(Prefix::read("xx2013"), None);
        assert_eq!(Prefix::read("g"), None);
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in "[-+0-9.eE]{0,12}") {
            if let Some(number) = NumberValue::read(&text) {
                prop_assert!(number.low <= number.value && number.value <= number.high);
                prop_assert_eq!(number.value, text.parse::<f64>().unwrap());
            }
        }
    }
}
