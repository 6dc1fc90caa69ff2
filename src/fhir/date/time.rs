//! A time of day, of no day in particular (R4 `time`, FHIRPath `Time`).

use std::cmp::Ordering;
use std::fmt;

use chrono::{NaiveTime, Timelike as _};

use super::{InvalidDate, Precision, read};

/// A time of day without an offset, written to the hour, minute or second. Two values are equal (`==`) where they were written
/// alike; [`Time::compare`] answers which one is earlier.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Time {
    pub(super) clock: NaiveTime,
    pub(super) precision: Precision,
    pub(super) fraction_digits: u8,
}

impl Time {
    /// Reads `hh`, `hh:mm` or `hh:mm:ss` with any fraction, as FHIRPath writes it after `@T`.
    ///
    /// # Errors
    /// Where `text` has none of these forms.
    pub fn parse(text: &str) -> Result<Self, InvalidDate> {
        read::time(text)
    }

    /// Reads an R4 `time`, which always has seconds.
    ///
    /// # Errors
    /// Where `text` is not one.
    pub fn parse_r4(text: &str) -> Result<Self, InvalidDate> {
        Self::parse(text).ok().filter(|time| time.precision == Precision::Second).ok_or(InvalidDate)
    }

    pub(super) fn of(clock: NaiveTime, precision: Precision, fraction_digits: u8) -> Self {
        Self { clock, precision, fraction_digits }
    }

    /// The time a clock shows, to the millisecond.
    pub fn of_clock(clock: NaiveTime) -> Self {
        let nanos = clock.nanosecond() / 1_000_000 * 1_000_000;
        Self::of(clock.with_nanosecond(nanos).unwrap_or(clock), Precision::Second, 3)
    }

    /// How far the time was written.
    pub fn precision(self) -> Precision {
        self.precision
    }

    /// Which of two times is earlier, compared as far as both were written; `None` where that leaves it open.
    pub fn compare(self, other: Self) -> Option<Ordering> {
        let common = self.precision.min(other.precision);
        let order = self.parts(common).cmp(&other.parts(common));
        (order != Ordering::Equal || self.precision == other.precision).then_some(order)
    }

    fn parts(self, precision: Precision) -> (u32, u32, u32, u32) {
        let (hour, minute) = (self.clock.hour(), self.clock.minute());
        match precision {
            Precision::Second => (hour, minute, self.clock.second(), self.clock.nanosecond()),
            Precision::Minute => (hour, minute, 0, 0),
            Precision::Year | Precision::Month | Precision::Day | Precision::Hour => (hour, 0, 0, 0),
        }
    }
}

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02}", self.clock.hour())?;
        if self.precision >= Precision::Minute {
            write!(f, ":{:02}", self.clock.minute())?;
        }
        if self.precision >= Precision::Second {
            write!(f, ":{:02}", self.clock.second())?;
        }
        if self.fraction_digits > 0 {
            let micros = i64::from(self.clock.nanosecond() / 1000) / super::fraction_unit(self.fraction_digits);
            write!(f, ".{micros:0width$}", width = usize::from(self.fraction_digits))?;
        }
        Ok(())
    }
}
