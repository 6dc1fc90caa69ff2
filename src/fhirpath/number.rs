//! Decimal arithmetic without binary rounding (N1 §Decimal: at least 28 digits, 8 of them behind the point).
//!
//! What does not fit 38 digits is `None`, which the operators turn into the empty collection, as the specification asks
//! for overflow.

use std::cmp::Ordering;
use std::fmt;

/// The most digits behind the point that are kept; a quotient is rounded to [`QUOTIENT_SCALE`].
const MAX_SCALE: u32 = 28;

/// Digits behind the point of a quotient that does not end.
const QUOTIENT_SCALE: u32 = 16;

/// A decimal number: `mantissa × 10^-scale`. The scale is kept as written, so `1.50` stays `1.50`.
#[derive(Clone, Copy, Debug)]
pub struct Number {
    mantissa: i128,
    scale: u32,
}

impl Number {
    /// Zero.
    pub const ZERO: Self = Self { mantissa: 0, scale: 0 };
    /// One.
    pub const ONE: Self = Self { mantissa: 1, scale: 0 };

    /// Reads `-12.50` or `1.2e-3`; `None` where it is no number or does not fit.
    pub fn parse(text: &str) -> Option<Self> {
        let (digits, exponent) = match text.find(['e', 'E']) {
            Some(at) => (text.get(..at)?, text.get(at + 1..)?.parse::<i32>().ok()?),
            None => (text, 0),
        };
        let (sign, digits) = match digits.strip_prefix('-') {
            Some(rest) => (-1, rest),
            None => (1, digits.strip_prefix('+').unwrap_or(digits)),
        };
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
        if whole.is_empty() || (digits.contains('.') && fraction.is_empty()) {
            return None;
        }
        let mut mantissa: i128 = 0;
        for digit in whole.bytes().chain(fraction.bytes()) {
            let digit = char::from(digit).to_digit(10)?;
            mantissa = mantissa.checked_mul(10)?.checked_add(digit.into())?;
        }
        Self::scaled(sign * mantissa, i64::try_from(fraction.len()).ok()? - i64::from(exponent))
    }

    fn scaled(mantissa: i128, scale: i64) -> Option<Self> {
        if scale < 0 {
            let factor = power_of_ten(u32::try_from(-scale).ok()?)?;
            return Some(Self { mantissa: mantissa.checked_mul(factor)?, scale: 0 });
        }
        let scale = u32::try_from(scale).ok()?;
        if scale > MAX_SCALE {
            return Some(Self { mantissa, scale: MAX_SCALE }).filter(|_| mantissa == 0);
        }
        Some(Self { mantissa, scale })
    }

    /// The nearest decimal to a binary fraction; `None` for NaN, infinities and what does not fit.
    pub fn from_f64(value: f64) -> Option<Self> {
        if !value.is_finite() {
            return None;
        }
        let text = format!("{value}");
        let (whole, fraction) = text.split_once('.').unwrap_or((&text, ""));
        let kept = fraction.get(..fraction.len().min(MAX_SCALE as usize))?;
        if kept.is_empty() { Self::parse(whole) } else { Self::parse(&format!("{whole}.{kept}")) }
    }

    /// The nearest binary fraction.
    pub fn to_f64(self) -> f64 {
        self.to_string().parse().unwrap_or(f64::NAN)
    }

    /// The whole number this is, if it is one within 32 bits.
    pub fn to_integer(self) -> Option<i32> {
        let whole = self.normal();
        if whole.scale == 0 { i32::try_from(whole.mantissa).ok() } else { None }
    }

    /// Digits written behind the point.
    pub fn scale(self) -> u32 {
        self.scale
    }

    /// Whether it is zero.
    pub fn is_zero(self) -> bool {
        self.mantissa == 0
    }

    /// Whether it is below zero.
    pub fn is_negative(self) -> bool {
        self.mantissa < 0
    }

    /// The same number with the sign turned.
    #[must_use]
    pub fn negated(self) -> Self {
        Self { mantissa: -self.mantissa, scale: self.scale }
    }

    /// The same number without trailing zeros behind the point.
    #[must_use]
    pub fn normal(self) -> Self {
        let Self { mut mantissa, mut scale } = self;
        while scale > 0 && mantissa % 10 == 0 {
            mantissa /= 10;
            scale -= 1;
        }
        Self { mantissa, scale }
    }

    fn aligned(self, other: Self) -> Option<(i128, i128, u32)> {
        let scale = self.scale.max(other.scale);
        let left = self.mantissa.checked_mul(power_of_ten(scale - self.scale)?)?;
        let right = other.mantissa.checked_mul(power_of_ten(scale - other.scale)?)?;
        Some((left, right, scale))
    }

    /// The sum, unless it does not fit.
    pub fn plus(self, other: Self) -> Option<Self> {
        let (left, right, scale) = self.aligned(other)?;
        Some(Self { mantissa: left.checked_add(right)?, scale })
    }

    /// The difference, unless it does not fit.
    pub fn minus(self, other: Self) -> Option<Self> {
        self.plus(other.negated())
    }

    /// The product, unless it does not fit.
    pub fn times(self, other: Self) -> Option<Self> {
        let mantissa = self.mantissa.checked_mul(other.mantissa)?;
        Some(Self { mantissa, scale: self.scale + other.scale }.rounded_to(MAX_SCALE))
    }

    /// The quotient, rounded; nothing for a division by zero.
    pub fn over(self, other: Self) -> Option<Self> {
        let (left, right, _) = self.aligned(other)?;
        if right == 0 {
            return None;
        }
        let mut scale = QUOTIENT_SCALE;
        let dividend = loop {
            match power_of_ten(scale).and_then(|factor| left.checked_mul(factor)) {
                Some(dividend) => break dividend,
                None => scale = scale.checked_sub(1)?,
            }
        };
        Some(Self { mantissa: divide_rounding(dividend, right), scale }.normal())
    }

    /// The quotient without its fraction, and what is left over with the sign of `self`.
    pub fn over_whole(self, other: Self) -> Option<(Self, Self)> {
        let (left, right, scale) = self.aligned(other)?;
        let quotient = left.checked_div(right)?;
        Some((Self { mantissa: quotient, scale: 0 }, Self { mantissa: left.checked_rem(right)?, scale }))
    }

    /// The nearest number with at most `scale` digits behind the point, halves away from zero.
    #[must_use]
    pub fn rounded_to(self, scale: u32) -> Self {
        match power_of_ten(self.scale.saturating_sub(scale)) {
            Some(1) => self,
            Some(factor) => Self { mantissa: divide_rounding(self.mantissa, factor), scale },
            None => Self::ZERO,
        }
    }

    /// The whole number below or at, `floor()`.
    #[must_use]
    pub fn floor(self) -> Self {
        self.whole_by(i128::div_euclid)
    }

    /// The whole number above or at, `ceiling()`.
    #[must_use]
    pub fn ceiling(self) -> Self {
        self.negated().floor().negated()
    }

    /// The whole number towards zero, `truncate()`.
    #[must_use]
    pub fn truncated(self) -> Self {
        self.whole_by(|mantissa, factor| mantissa / factor)
    }

    fn whole_by(self, divide: impl Fn(i128, i128) -> i128) -> Self {
        match power_of_ten(self.scale) {
            Some(factor) => Self { mantissa: divide(self.mantissa, factor), scale: 0 },
            None => Self::ZERO,
        }
    }

    /// The power with a whole exponent of at least 0, unless it does not fit.
    pub fn raised(self, exponent: u32) -> Option<Self> {
        let scale = self.scale.checked_mul(exponent).filter(|scale| *scale <= MAX_SCALE)?;
        Some(Self { mantissa: self.mantissa.checked_pow(exponent)?, scale })
    }

    /// Equal once both are rounded to the digits of the less precise one (N1 §Equivalent).
    pub fn is_equivalent(self, other: Self) -> bool {
        let scale = self.normal().scale.min(other.normal().scale);
        self.rounded_to(scale) == other.rounded_to(scale)
    }
}

fn power_of_ten(exponent: u32) -> Option<i128> {
    10_i128.checked_pow(exponent)
}

/// Rounds halves away from zero.
fn divide_rounding(dividend: i128, divisor: i128) -> i128 {
    let (quotient, rest) = (dividend / divisor, dividend % divisor);
    if rest.unsigned_abs() >= divisor.unsigned_abs() - rest.unsigned_abs() {
        return quotient + if (dividend < 0) == (divisor < 0) { 1 } else { -1 };
    }
    quotient
}

impl PartialEq for Number {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Number {}

impl PartialOrd for Number {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Number {
    fn cmp(&self, other: &Self) -> Ordering {
        match self.aligned(*other) {
            Some((left, right, _)) => left.cmp(&right),
            // Only one of them can be so large that aligning it fails: the whole parts differ.
            None => self.truncated().mantissa.cmp(&other.truncated().mantissa),
        }
    }
}

impl From<i32> for Number {
    fn from(value: i32) -> Self {
        Self { mantissa: value.into(), scale: 0 }
    }
}

impl From<i64> for Number {
    fn from(value: i64) -> Self {
        Self { mantissa: value.into(), scale: 0 }
    }
}

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = format!("{:0>width$}", self.mantissa.unsigned_abs(), width = self.scale as usize + 1);
        let (whole, fraction) = digits.split_at(digits.len() - self.scale as usize);
        f.write_str(if self.mantissa < 0 { "-" } else { "" })?;
        f.write_str(whole)?;
        if fraction.is_empty() { Ok(()) } else { write!(f, ".{fraction}") }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(text: &str) -> Number {
        Number::parse(text).unwrap()
    }

    #[test]
    fn a_decimal_is_written_as_it_was_read() {
        for text in ["0", "-0.5", "1.50", "100", "0.001", "-12.340"] {
            assert_eq!(number(text).to_string(), text);
        }
        assert_eq!(number("1.5e3").to_string(), "1500");
        assert_eq!(number("15e-1").to_string(), "1.5");
    }

    #[test]
    fn what_is_no_number_is_refused() {
        for text in ["", "-", ".", "1.", ".5", "1e", "one", "1.2.3", "--1", "1e999999999"] {
            assert!(Number::parse(text).is_none(), "{text}");
        }
    }

    #[test]
    fn sums_and_products_are_exact() {
        assert_eq!(number("0.1").plus(number("0.2")), Some(number("0.3")));
        assert_eq!(number("1.8").minus(number("1.2")), Some(number("0.6")));
        assert_eq!(number("1.2").times(number("1.8")), Some(number("2.16")));
        assert_eq!(number("1").over(number("3")), Some(number("0.3333333333333333")));
        assert_eq!(number("1").over(number("0")), None);
        assert_eq!(number("5.5").over_whole(number("0.7")), Some((number("7"), number("0.6"))));
    }

    #[test]
    fn halves_are_rounded_away_from_zero() {
        assert_eq!(number("2.5").rounded_to(0), number("3"));
        assert_eq!(number("-2.5").rounded_to(0), number("-3"));
        assert_eq!(number("3.14159").rounded_to(3), number("3.142"));
        assert_eq!(number("-1.1").floor(), number("-2"));
        assert_eq!(number("-1.9").ceiling(), number("-1"));
        assert_eq!(number("-1.9").truncated(), number("-1"));
    }

    #[test]
    fn overflow_is_nothing_and_never_a_wrong_number() {
        let huge = number("99999999999999999999999999999999999999");
        assert_eq!(huge.plus(huge).and_then(|sum| sum.plus(huge)), None);
        assert_eq!(huge.times(huge), None);
        assert!(huge > number("1.0000000000000000000000000000"));
    }
}
