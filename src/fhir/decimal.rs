//! Decimals that keep every digit they were written with (R4 datatypes.html §decimal).
//!
//! Order and equality go by value and are exact for any number of digits. Arithmetic is that of FHIRPath: 28 digits, and no
//! result where they do not suffice.

use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;

use rust_decimal::{Decimal as Number, MathematicalOps as _, RoundingStrategy};

/// A decimal as written. `1.0` and `1.00` are equal (`==`) but remain different texts.
#[derive(Clone, Debug)]
pub struct Decimal(Box<str>);

/// A text that is not an R4 `decimal`, or one with an exponent beyond all measure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a decimal number in the form of R4")]
pub struct InvalidDecimal;

/// The largest power of ten, up or down, that an exponent may name.
const MAX_EXPONENT: i32 = 9999;

/// Sign, digits and scale of a decimal.
#[derive(Clone, Copy)]
struct Parts<'d> {
    negative: bool,
    /// Digits, perhaps with a point among them; no leading zeros.
    digits: &'d str,
    /// The power of ten the last digit counts.
    last: i32,
    has_exponent: bool,
}

impl Decimal {
    /// Reads the form `-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?`.
    ///
    /// # Errors
    /// Where `text` has another form, or an exponent above 9999 or below -9999.
    pub fn parse(text: &str) -> Result<Self, InvalidDecimal> {
        Parts::read(text).map(|_| Self(text.into())).ok_or(InvalidDecimal)
    }

    /// The digits as written.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The nearest double; infinite where there is none.
    pub fn to_f64(&self) -> f64 {
        self.0.parse().unwrap_or(f64::NAN)
    }

    /// The whole number before the point, if 64 bits hold it.
    pub fn to_integer(&self) -> Option<i64> {
        self.number()?.trunc().try_into().ok()
    }

    /// How many digits stand after the point once the exponent is written out.
    pub fn fraction_digits(&self) -> u32 {
        u32::try_from(-self.parts().last).unwrap_or(0)
    }

    /// The numbers that this one stands for when it is searched: half a unit of its last digit to either side, low end
    /// inclusive, high end exclusive (R4 search.html §number). `100` is [99.5, 100.5). With an exponent at least two figures count, as in
    /// the standard's own example: `1e2` is [95, 105).
    pub fn precision_range(&self) -> (f64, f64) {
        let parts = self.parts();
        let exact = self.to_f64();
        let last = if parts.has_exponent && parts.figures() < 2 { parts.last - 1 } else { parts.last };
        let Some(units) = parts.in_units_of(last).and_then(|units| units.checked_mul(10)) else {
            return (exact, exact.next_up());
        };
        let bound = |tenths: i128| format!("{tenths}e{}", last - 1).parse().unwrap_or(exact);
        let (low, high): (f64, f64) = (bound(units - 5), bound(units + 5));
        (low, if high > low { high } else { low.next_up() })
    }

    /// Whether both are the same number once rounded to the fewer fraction digits of the two, zeros at the end not counted
    /// (FHIRPath `~`).
    pub fn is_equivalent(&self, other: &Self) -> bool {
        let (Some(left), Some(right)) = (self.number(), other.number()) else { return self == other };
        let digits = left.normalize().scale().min(right.normalize().scale());
        round(left, digits) == round(right, digits)
    }

    /// The sum.
    pub fn checked_add(&self, other: &Self) -> Option<Self> {
        self.with(other, Number::checked_add)
    }

    /// The difference.
    pub fn checked_sub(&self, other: &Self) -> Option<Self> {
        self.with(other, Number::checked_sub)
    }

    /// The product.
    pub fn checked_mul(&self, other: &Self) -> Option<Self> {
        self.with(other, Number::checked_mul)
    }

    /// The quotient to 28 digits, without zeros at the end; `None` by zero.
    pub fn checked_div(&self, other: &Self) -> Option<Self> {
        self.number()?.checked_div(other.number()?).map(Self::of_approximate)
    }

    /// The whole quotient, cut towards zero (FHIRPath `div`); `None` by zero.
    pub fn whole_quotient(&self, other: &Self) -> Option<Self> {
        self.with(other, |left, right| Some(left.checked_div(right)?.trunc()))
    }

    /// What the whole quotient leaves, with the sign of `self` (FHIRPath `mod`); `None` by zero.
    pub fn remainder(&self, other: &Self) -> Option<Self> {
        self.with(other, Number::checked_rem)
    }

    /// `self` to the power of `exponent`.
    pub fn power(&self, exponent: &Self) -> Option<Self> {
        let exponent = exponent.number()?;
        let base = self.number()?;
        let whole: Option<i64> = if exponent.fract().is_zero() { exponent.try_into().ok() } else { None };
        match whole {
            Some(whole) => base.checked_powi(whole),
            None if base.is_sign_negative() => None,
            None => base.checked_powd(exponent),
        }
        .map(Self::of_approximate)
    }

    /// The square root; `None` of a negative number.
    pub fn square_root(&self) -> Option<Self> {
        self.number()?.sqrt().map(Self::of_approximate)
    }

    /// e to the power of `self`.
    pub fn exponential(&self) -> Option<Self> {
        self.number()?.checked_exp().map(Self::of_approximate)
    }

    /// The natural logarithm; `None` of zero and below.
    pub fn logarithm(&self) -> Option<Self> {
        self.number()?.checked_ln().map(Self::of_approximate)
    }

    /// The number with the other sign, in the same digits.
    #[must_use]
    pub fn negated(&self) -> Self {
        match self.0.strip_prefix('-') {
            Some(positive) => Self(positive.into()),
            None => Self(format!("-{}", self.0).into()),
        }
    }

    /// The number without its sign, in the same digits.
    #[must_use]
    pub fn absolute(&self) -> Self {
        Self(self.0.strip_prefix('-').unwrap_or(&self.0).into())
    }

    /// Rounded to `digits` fraction digits, halves away from zero.
    pub fn rounded(&self, digits: u32) -> Option<Self> {
        self.number().map(|number| Self::of(round(number, digits)))
    }

    /// Cut to a whole number, towards zero.
    pub fn truncated(&self) -> Option<Self> {
        self.number().map(|number| Self::of(number.trunc()))
    }

    /// The largest whole number that is not larger.
    pub fn floor(&self) -> Option<Self> {
        self.number().map(|number| Self::of(number.floor()))
    }

    /// The smallest whole number that is not smaller.
    pub fn ceiling(&self) -> Option<Self> {
        self.number().map(|number| Self::of(number.ceil()))
    }

    fn of(number: Number) -> Self {
        Self(number.to_string().into())
    }

    /// The zeros at the end of such a result say nothing about its precision.
    fn of_approximate(number: Number) -> Self {
        Self::of(number.normalize())
    }

    fn with(&self, other: &Self, operation: impl Fn(Number, Number) -> Option<Number>) -> Option<Self> {
        operation(self.number()?, other.number()?).map(Self::of)
    }

    /// The number to calculate with, its fraction rounded to what fits; `None` where the whole part does not.
    fn number(&self) -> Option<Number> {
        if self.parts().has_exponent { Number::from_scientific(&self.0).ok() } else { Number::from_str(&self.0).ok() }
    }

    fn parts(&self) -> Parts<'_> {
        // A decimal is only made of a text that was read before.
        Parts::read(&self.0).unwrap_or(Parts { negative: false, digits: "", last: 0, has_exponent: false })
    }
}

fn round(number: Number, digits: u32) -> Number {
    number.round_dp_with_strategy(digits, RoundingStrategy::MidpointAwayFromZero)
}

impl<'d> Parts<'d> {
    fn read(text: &'d str) -> Option<Self> {
        let unsigned = text.strip_prefix('-').unwrap_or(text);
        let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => (mantissa, Some(read_exponent(exponent)?)),
            None => (unsigned, None),
        };
        let (whole, fraction) = match mantissa.split_once('.') {
            Some((whole, fraction)) => (whole, Some(fraction)),
            None => (mantissa, None),
        };
        let well_formed = is_digits(whole) && fraction.is_none_or(is_digits) && (whole.len() == 1 || !whole.starts_with('0'));
        let fraction_len = i32::try_from(fraction.map_or(0, str::len)).ok()?;
        well_formed.then(|| Self {
            negative: unsigned.len() < text.len(),
            digits: mantissa.trim_start_matches(['0', '.']),
            last: exponent.unwrap_or(0) - fraction_len,
            has_exponent: exponent.is_some(),
        })
    }

    fn figures(self) -> usize {
        self.digits.bytes().filter(u8::is_ascii_digit).count()
    }

    /// The power of ten above the first digit; meaningless for zero.
    fn magnitude(self) -> i64 {
        i64::from(self.last) + self.figures() as i64
    }

    fn is_zero(self) -> bool {
        self.digits.is_empty()
    }

    /// The number counted in units of ten to the power of `unit`, if 128 bits hold it.
    fn in_units_of(self, unit: i32) -> Option<i128> {
        let mut units: i128 = 0;
        for digit in self.digits.bytes().filter(u8::is_ascii_digit) {
            units = units.checked_mul(10)?.checked_add(i128::from(digit - b'0'))?;
        }
        for _ in unit..self.last {
            units = units.checked_mul(10)?;
        }
        Some(if self.negative { -units } else { units })
    }

    /// Compares without regard to the signs.
    fn compare_size(self, other: Self) -> Ordering {
        match (self.is_zero(), other.is_zero()) {
            (true, true) => Ordering::Equal,
            (true, false) => Ordering::Less,
            (false, true) => Ordering::Greater,
            (false, false) => self.magnitude().cmp(&other.magnitude()).then_with(|| self.significant().cmp(other.significant())),
        }
    }

    /// The digits up to the last one that is not zero.
    fn significant(self) -> impl Iterator<Item = u8> + 'd {
        self.digits.trim_end_matches(['0', '.']).bytes().filter(u8::is_ascii_digit)
    }
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn read_exponent(text: &str) -> Option<i32> {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    let size: i32 = if is_digits(digits) { digits.parse().ok()? } else { return None };
    let exponent = if text.starts_with('-') { -size } else { size };
    (size <= MAX_EXPONENT).then_some(exponent)
}

impl Ord for Decimal {
    fn cmp(&self, other: &Self) -> Ordering {
        let (left, right) = (self.parts(), other.parts());
        let (left_below, right_below) = (left.negative && !left.is_zero(), right.negative && !right.is_zero());
        match (left_below, right_below) {
            (false, false) => left.compare_size(right),
            (true, true) => right.compare_size(left),
            (true, false) => Ordering::Less,
            (false, true) => Ordering::Greater,
        }
    }
}

impl PartialOrd for Decimal {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Decimal {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Decimal {}

impl From<i64> for Decimal {
    fn from(integer: i64) -> Self {
        Self(integer.to_string().into())
    }
}

impl FromStr for Decimal {
    type Err = InvalidDecimal;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::parse(text)
    }
}

impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn decimal(text: &str) -> Decimal {
        Decimal::parse(text).unwrap_or_else(|_| panic!("{text}"))
    }

    #[test]
    fn only_the_form_of_r4_is_read() {
        for text in ["0", "-0", "-0.0", "10", "1.50", "1e2", "1E+2", "-12.5e-10", "0.000", "123456789012345678901234567890.5"] {
            assert_eq!(decimal(text).to_string(), text);
        }
        for refused in [
            "",
            "-",
            "+1",
            "01",
            "-01",
            "1.",
            ".5",
            "1e",
            "1e+",
            "1e1.5",
            "1,5",
            " 1",
            "1 ",
            "1e10000",
            "1e99999999999",
            "NaN",
            "٣",
        ] {
            assert_eq!(Decimal::parse(refused), Err(InvalidDecimal), "{refused}");
        }
    }

    #[test]
    fn order_goes_by_value_and_is_exact() {
        use Ordering::{Equal, Greater, Less};
        let table = [
            ("1.0", "1.00", Equal),
            ("1e2", "100", Equal),
            ("100", "100.000", Equal),
            ("0", "-0.00e5", Equal),
            ("1000", "1e3", Equal),
            ("9.9", "10", Less),
            ("-9.9", "-10", Greater),
            ("0.001", "0.0001", Greater),
            ("-1", "0", Less),
            ("0", "1e-9999", Less),
            ("1e400", "9e399", Greater),
            ("10.1", "10.10000000000000000000000000000000000000000001", Less),
            ("105", "1050", Less),
        ];
        for (left, right, expected) in table {
            assert_eq!(decimal(left).cmp(&decimal(right)), expected, "{left} and {right}");
            assert_eq!(decimal(right).cmp(&decimal(left)), expected.reverse(), "{right} and {left}");
        }
    }

    #[test]
    fn a_searched_number_covers_half_a_unit_of_its_last_digit() {
        let table = [
            ("100", 99.5, 100.5),
            ("100.00", 99.995, 100.005),
            ("1e2", 95.0, 105.0),
            ("1.0e2", 95.0, 105.0),
            ("1.00e2", 99.5, 100.5),
            ("5.4e-3", 0.00535, 0.00545),
            ("5.4", 5.35, 5.45),
            ("-5.4", -5.45, -5.35),
            ("0", -0.5, 0.5),
            ("0.0", -0.05, 0.05),
        ];
        for (text, low, high) in table {
            assert_eq!(decimal(text).precision_range(), (low, high), "{text}");
        }
        for text in ["0.1234567890123456789", "1234567890123456789012345678901234567890", "1e-9999", "1e9999"] {
            let (low, high) = decimal(text).precision_range();
            assert!(low <= high && low <= decimal(text).to_f64(), "{text}: {low} {high}");
        }
    }

    #[test]
    fn arithmetic_is_that_of_fhirpath() {
        let shown = |result: Option<Decimal>| result.map(|number| number.to_string());
        let (a, b) = (decimal("7.5"), decimal("-2"));
        assert_eq!(shown(a.checked_add(&b)).as_deref(), Some("5.5"));
        assert_eq!(shown(a.checked_sub(&b)).as_deref(), Some("9.5"));
        assert_eq!(shown(a.checked_mul(&b)).as_deref(), Some("-15.0"));
        assert_eq!(shown(a.checked_div(&b)).as_deref(), Some("-3.75"));
        assert_eq!(shown(a.whole_quotient(&b)).as_deref(), Some("-3"));
        assert_eq!(shown(a.remainder(&b)).as_deref(), Some("1.5"));
        assert_eq!(shown(decimal("1e2").checked_add(&decimal("0.5"))).as_deref(), Some("100.5"));
        assert_eq!(shown(decimal("2").power(&decimal("3"))).as_deref(), Some("8"));
        assert_eq!(shown(decimal("81").square_root()).as_deref(), Some("9"));
        for nothing in [
            a.checked_div(&decimal("0")),
            a.whole_quotient(&decimal("0.0")),
            a.remainder(&decimal("0")),
            decimal("1e30").checked_add(&a),
            decimal("-1").square_root(),
            decimal("-1").power(&decimal("0.5")),
            decimal("0").power(&decimal("-1")),
            decimal("0").logarithm(),
            decimal("1000").exponential(),
        ] {
            assert_eq!(nothing, None);
        }
    }

    #[test]
    fn rounding_takes_halves_away_from_zero() {
        let shown = |result: Option<Decimal>| result.unwrap().to_string();
        assert_eq!(shown(decimal("2.5").rounded(0)), "3");
        assert_eq!(shown(decimal("-2.5").rounded(0)), "-3");
        assert_eq!(shown(decimal("3.14159").rounded(3)), "3.142");
        assert_eq!(shown(decimal("-1.7").truncated()), "-1");
        assert_eq!(shown(decimal("-1.1").floor()), "-2");
        assert_eq!(shown(decimal("-1.1").ceiling()), "-1");
        assert_eq!((decimal("-1.50").absolute().as_str(), decimal("-1.50").negated().as_str()), ("1.50", "1.50"));
        assert_eq!((decimal("12.9").to_integer(), decimal("1e19").to_integer()), (Some(12), None));
        assert!(decimal("1.0").is_equivalent(&decimal("1.04")) && decimal("0.67").is_equivalent(&decimal("0.6666")));
        assert!(!decimal("0.68").is_equivalent(&decimal("0.6666")));
        assert_eq!((decimal("1.50").fraction_digits(), decimal("1e2").fraction_digits()), (2, 0));
    }

    proptest! {
        #[test]
        fn order_agrees_with_that_of_integers(left in -1_000_000_i64..1_000_000, right in -1_000_000_i64..1_000_000, shift in 0..6_u32) {
            let shifted = |value: i64| decimal(&format!("{value}e-{shift}"));
            prop_assert_eq!(shifted(left).cmp(&shifted(right)), left.cmp(&right));
            prop_assert_eq!(Decimal::from(left).checked_add(&Decimal::from(right)), Some(Decimal::from(left + right)));
        }

        #[test]
        fn a_number_lies_in_the_range_it_covers(text in "-?(0|[1-9][0-9]{0,20})(\\.[0-9]{1,20})?([eE][+-]?[0-9]{1,2})?") {
            let number = decimal(&text);
            let (low, high) = number.precision_range();
            prop_assert!(low <= number.to_f64() && number.to_f64() <= high && low < high);
        }

        #[test]
        fn what_is_read_as_a_number_is_what_json_calls_one(text in "-?[0-9]{0,3}[.]?[0-9]{0,3}[eE]?[-+]?[0-9]{0,2}|[-+0-9.eE]{0,5}") {
            let is_number = crate::fhir::json::Tree::parse(text.as_bytes()).is_ok_and(|tree| tree.root().number() == Some(text.as_str()));
            prop_assert_eq!(Decimal::parse(&text).is_ok(), is_number);
        }

        #[test]
        fn no_text_and_no_operation_panics(left in "-?(0|[1-9][0-9]{0,40})(\\.[0-9]{1,40})?([eE][+-]?[0-9]{1,3})?", right in "-?[1-9](\\.[0-9]{1,30})?([eE][+-]?[0-9]{1,3})?", junk in "\\PC*") {
            let _ = Decimal::parse(&junk);
            let (a, b) = (decimal(&left), decimal(&right));
            let _ = (a.checked_add(&b), a.checked_sub(&b), a.checked_mul(&b), a.checked_div(&b), a.whole_quotient(&b), a.remainder(&b));
            let _ = (a.square_root(), a.logarithm(), a.exponential(), a.power(&b), b.power(&a), a.rounded(8), a.floor(), a.ceiling());
            let _ = (a.to_integer(), a.precision_range(), a.is_equivalent(&b), a.cmp(&b));
        }
    }
}
