//! Dates of any precision – a year, a month, a day, a moment – and the range of time each one covers.
//!
//! A value knows how far it was written and nothing more: `2013` is not the first of January. What a shorter value means
//! depends on the question. Search asks for its range ([`PartialDate::range`]); FHIRPath compares down to the precision both
//! sides have and otherwise knows no answer ([`PartialDate::compare`]).

mod calculate;
mod read;
mod time;

use std::cmp::Ordering;
use std::fmt;

use chrono::{
    Datelike as _, Days, MappedLocalTime, Months, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, TimeZone as _, Timelike as _,
};
use chrono_tz::Tz;

pub use calculate::Span;
pub use read::{Form, InvalidDate};
pub use time::Time;

/// How far a value was written. Fractions of a second belong to [`Precision::Second`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Precision {
    /// `2013`
    Year,
    /// `2013-01`
    Month,
    /// `2013-01-14`
    Day,
    /// `2013-01-14T10`, which FHIRPath alone can write.
    Hour,
    /// `2013-01-14T10:00`, which FHIRPath and search can write.
    Minute,
    /// `2013-01-14T10:00:00` and any fraction.
    Second,
}

/// An R4 `date`, `dateTime` or `instant`, or one that a query or a FHIRPath literal holds.
///
/// Fractions are kept to the microsecond. A leap second is read as the second before it. Two values are equal (`==`) where they
/// were written alike; [`PartialDate::compare`] answers which one is earlier.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct PartialDate {
    /// The first moment covered, on the clock of its own offset.
    start: NaiveDateTime,
    precision: Precision,
    /// How many digits of the second's fraction were written, up to 6.
    fraction_digits: u8,
    /// Minutes east of UTC; `None` where no offset was written.
    offset: Option<i16>,
}

/// The offsets a place on earth may have reach from UTC-12 to UTC+14, in minutes.
const FARTHEST_WEST_MINUTES: i16 = -12 * 60;
const FARTHEST_EAST_MINUTES: i16 = 14 * 60;

impl PartialDate {
    /// Reads any form that R4, a search or FHIRPath can write.
    ///
    /// # Errors
    /// Where `text` has none of these forms or names no day of the calendar.
    pub fn parse(text: &str) -> Result<Self, InvalidDate> {
        Self::parse_as(text, Form::Literal)
    }

    /// Reads exactly one form.
    ///
    /// # Errors
    /// Where `text` has not this form or names no day of the calendar.
    pub fn parse_as(text: &str, form: Form) -> Result<Self, InvalidDate> {
        read::partial_date(text, form)
    }

    /// The day `date`.
    pub fn day(date: NaiveDate) -> Self {
        Self { start: date.and_time(NaiveTime::MIN), precision: Precision::Day, fraction_digits: 0, offset: None }
    }

    /// The moment `micros` microseconds after the epoch on a clock `offset` minutes east of UTC, written to the millisecond.
    /// `None` outside of the years 1 to 9999.
    pub fn moment(micros: i64, offset: i16) -> Option<Self> {
        let local = micros.checked_add(i64::from(offset) * 60_000_000)?;
        let start = chrono::DateTime::from_timestamp_micros(local.div_euclid(1000) * 1000)?.naive_utc();
        let moment = Self { start, precision: Precision::Second, fraction_digits: 3, offset: Some(offset) };
        moment.in_years()
    }

    /// How far the value was written.
    pub fn precision(self) -> Precision {
        self.precision
    }

    /// How many digits of the fraction of a second were written, up to 6.
    pub fn fraction_digits(self) -> u8 {
        self.fraction_digits
    }

    /// The offset from UTC in minutes, where one was written.
    pub fn offset(self) -> Option<i16> {
        self.offset
    }

    /// The day, month or year alone: what a `dateTime` is as a `date`.
    #[must_use]
    pub fn to_date(self) -> Self {
        let precision = self.precision.min(Precision::Day);
        Self { start: truncated(self.start, precision), precision, fraction_digits: 0, offset: None }
    }

    /// The time covered, in microseconds since the Unix epoch: the first one inside, and the first one after it. A value without
    /// an offset is read on the clocks of `zone`; where they are set back, it covers both readings.
    pub fn range(self, zone: Tz) -> (i64, i64) {
        let end = self.end();
        match self.offset {
            Some(offset) => (utc_micros(self.start, offset), utc_micros(end, offset)),
            None => {
                let low = first_micros(self.start, zone);
                (low, last_micros(end, zone).max(low + 1))
            }
        }
    }

    /// Which of two values is earlier, compared as far as both were written; `None` where that leaves it open. Values with
    /// offsets are compared on one clock. A moment with an offset and one without are compared only where they lie so far apart
    /// that no offset could change the answer.
    pub fn compare(self, other: Self) -> Option<Ordering> {
        let common = self.precision.min(other.precision);
        let (left, right) = match (self.offset, other.offset) {
            (Some(left), Some(right)) if left != right => (self.at_utc(left), other.at_utc(right)),
            (Some(offset), None) if common > Precision::Day => return self.compare_with_floating(offset, other),
            (None, Some(offset)) if common > Precision::Day => {
                return other.compare_with_floating(offset, self).map(Ordering::reverse);
            }
            _ => (self.start, other.start),
        };
        let order = truncated(left, common).cmp(&truncated(right, common));
        (order != Ordering::Equal || self.precision == other.precision).then_some(order)
    }

    fn compare_with_floating(self, offset: i16, floating: Self) -> Option<Ordering> {
        let (low, high) = (utc_micros(self.start, offset), utc_micros(self.end(), offset));
        if high <= utc_micros(floating.start, FARTHEST_EAST_MINUTES) {
            Some(Ordering::Less)
        } else if low >= utc_micros(floating.end(), FARTHEST_WEST_MINUTES) {
            Some(Ordering::Greater)
        } else {
            None
        }
    }

    fn at_utc(self, offset: i16) -> NaiveDateTime {
        self.start.checked_sub_signed(TimeDelta::minutes(i64::from(offset))).unwrap_or(self.start)
    }

    /// The first moment after the value, on its own clock.
    fn end(self) -> NaiveDateTime {
        let start = self.start;
        let end = match self.precision {
            Precision::Year => start.checked_add_months(Months::new(12)),
            Precision::Month => start.checked_add_months(Months::new(1)),
            Precision::Day => start.checked_add_days(Days::new(1)),
            Precision::Hour => start.checked_add_signed(TimeDelta::hours(1)),
            Precision::Minute => start.checked_add_signed(TimeDelta::minutes(1)),
            Precision::Second => start.checked_add_signed(TimeDelta::microseconds(fraction_unit(self.fraction_digits))),
        };
        end.unwrap_or(start)
    }

    /// The same value, if it lies in the years R4 can write.
    fn in_years(self) -> Option<Self> {
        (1..=9999).contains(&self.start.year()).then_some(self)
    }
}

/// What one unit of the last of `digits` fraction digits is worth, in microseconds.
fn fraction_unit(digits: u8) -> i64 {
    10_i64.pow(6_u32.saturating_sub(u32::from(digits)))
}

fn truncated(moment: NaiveDateTime, precision: Precision) -> NaiveDateTime {
    let (date, time) = (moment.date(), moment.time());
    let first_of_month = date.with_day(1).unwrap_or(date);
    match precision {
        Precision::Year => first_of_month.with_month(1).unwrap_or(date).and_time(NaiveTime::MIN),
        Precision::Month => first_of_month.and_time(NaiveTime::MIN),
        Precision::Day => date.and_time(NaiveTime::MIN),
        Precision::Hour => date.and_time(NaiveTime::from_hms_opt(time.hour(), 0, 0).unwrap_or(time)),
        Precision::Minute => date.and_time(NaiveTime::from_hms_opt(time.hour(), time.minute(), 0).unwrap_or(time)),
        Precision::Second => moment,
    }
}

fn utc_micros(local: NaiveDateTime, offset_minutes: i16) -> i64 {
    local.and_utc().timestamp_micros() - i64::from(offset_minutes) * 60_000_000
}

/// The first time the clocks of `zone` show `local`, or pass it.
fn first_micros(local: NaiveDateTime, zone: Tz) -> i64 {
    match zone.from_local_datetime(&local) {
        MappedLocalTime::Single(moment) | MappedLocalTime::Ambiguous(moment, _) => moment.timestamp_micros(),
        MappedLocalTime::None => passed_micros(local, zone),
    }
}

/// The last time the clocks of `zone` show `local`, or pass it.
fn last_micros(local: NaiveDateTime, zone: Tz) -> i64 {
    match zone.from_local_datetime(&local) {
        MappedLocalTime::Single(moment) | MappedLocalTime::Ambiguous(_, moment) => moment.timestamp_micros(),
        MappedLocalTime::None => passed_micros(local, zone),
    }
}

/// A reading the clocks leap over: counted on the clock that was valid the day before, it falls right after the leap.
fn passed_micros(local: NaiveDateTime, zone: Tz) -> i64 {
    const DAY_MICROS: i64 = 86_400_000_000;
    let day_before = local.checked_sub_days(Days::new(1)).unwrap_or(local);
    match zone.from_local_datetime(&day_before).latest() {
        Some(moment) => moment.timestamp_micros() + DAY_MICROS,
        None => local.and_utc().timestamp_micros(),
    }
}

impl fmt::Display for PartialDate {
    /// The form R4 gives a value of this precision.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let date = self.start.date();
        match self.precision {
            Precision::Year => write!(f, "{:04}", date.year()),
            Precision::Month => write!(f, "{:04}-{:02}", date.year(), date.month()),
            Precision::Day => write!(f, "{date}"),
            Precision::Hour | Precision::Minute | Precision::Second => {
                write!(f, "{date}T{}", Time::of(self.start.time(), self.precision, self.fraction_digits))?;
                fmt_offset(self.offset, f)
            }
        }
    }
}

fn fmt_offset(offset: Option<i16>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    match offset {
        None => Ok(()),
        Some(0) => f.write_str("Z"),
        Some(minutes) => {
            let (sign, size) = (if minutes < 0 { '-' } else { '+' }, minutes.unsigned_abs());
            write!(f, "{sign}{:02}:{:02}", size / 60, size % 60)
        }
    }
}

#[cfg(test)]
mod tests;
