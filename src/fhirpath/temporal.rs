//! Dates, moments and times of day of any precision (N1 §Date, §DateTime, §Time): reading, comparing, adding durations.
//!
//! Two values of different precision that agree as far as both go are neither equal nor ordered: the answer is `None`,
//! which becomes the empty collection. Seconds and their fraction are one precision.

use std::cmp::Ordering;
use std::fmt;

use chrono::{Datelike, Days, Months, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, Timelike};

use super::number::Number;
use crate::fhir::Instant;

const NANOSECONDS: u32 = 1_000_000_000;
const MINUTES_A_DAY: i16 = 24 * 60;

/// Which of the three types a [`Temporal`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TemporalKind {
    /// `System.Date`
    Date,
    /// `System.DateTime`
    DateTime,
    /// `System.Time`
    Time,
}

/// The smallest part that a [`Temporal`] states.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[allow(missing_docs, reason = "each variant is a word of the calendar")]
pub enum Precision {
    Year,
    Month,
    Day,
    Hour,
    Minute,
    Second,
}

/// A length of time in one unit of the calendar.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "each variant is a word of the calendar")]
pub enum CalendarUnit {
    Year,
    Month,
    Week,
    Day,
    Hour,
    Minute,
    Second,
    Millisecond,
}

impl CalendarUnit {
    /// Reads `year`, `years`, … as a quantity literal may state them.
    pub fn parse(word: &str) -> Option<Self> {
        Some(match word.strip_suffix('s').unwrap_or(word) {
            "year" => Self::Year,
            "month" => Self::Month,
            "week" => Self::Week,
            "day" => Self::Day,
            "hour" => Self::Hour,
            "minute" => Self::Minute,
            "second" => Self::Second,
            "millisecond" => Self::Millisecond,
            _ => return None,
        })
    }

    /// The unit of the calendar for a UCUM code, as a quantity of FHIR is read.
    pub fn of_ucum(code: &str) -> Option<Self> {
        Some(match code {
            "a" => Self::Year,
            "mo" => Self::Month,
            "wk" => Self::Week,
            "d" => Self::Day,
            "h" => Self::Hour,
            "min" => Self::Minute,
            "s" => Self::Second,
            "ms" => Self::Millisecond,
            _ => return None,
        })
    }

    /// The UCUM code of about the same length.
    pub fn ucum(self) -> &'static str {
        match self {
            Self::Year => "a",
            Self::Month => "mo",
            Self::Week => "wk",
            Self::Day => "d",
            Self::Hour => "h",
            Self::Minute => "min",
            Self::Second => "s",
            Self::Millisecond => "ms",
        }
    }

    /// The word of a quantity literal.
    pub fn word(self) -> &'static str {
        match self {
            Self::Year => "year",
            Self::Month => "month",
            Self::Week => "week",
            Self::Day => "day",
            Self::Hour => "hour",
            Self::Minute => "minute",
            Self::Second => "second",
            Self::Millisecond => "millisecond",
        }
    }

    /// How many milliseconds it always has; `None` for years and months, which vary.
    pub fn milliseconds(self) -> Option<i64> {
        Some(match self {
            Self::Year | Self::Month => return None,
            Self::Week => 7 * 86_400_000,
            Self::Day => 86_400_000,
            Self::Hour => 3_600_000,
            Self::Minute => 60_000,
            Self::Second => 1_000,
            Self::Millisecond => 1,
        })
    }

    /// How many months it has; `None` for what is not counted in months.
    pub fn months(self) -> Option<i64> {
        match self {
            Self::Year => Some(12),
            Self::Month => Some(1),
            Self::Week | Self::Day | Self::Hour | Self::Minute | Self::Second | Self::Millisecond => None,
        }
    }
}

/// A date, a moment or a time of day, as precise as it was stated.
#[derive(Clone, Copy, Debug)]
pub struct Temporal {
    kind: TemporalKind,
    precision: Precision,
    /// What is not stated is the first of its range; a time of day stands on the first day of year 1.
    local: NaiveDateTime,
    /// Digits of the fraction of the second that were written.
    fraction_digits: u8,
    /// Minutes east of UTC, where stated.
    offset: Option<i16>,
}

impl Temporal {
    /// Reads a FHIR date or dateTime or a date literal without its `@`; the kind is `Date` unless a `T` stands in it.
    pub fn parse(text: &str) -> Option<Self> {
        match text.split_once('T') {
            None => Self::parse_date(text),
            Some((date, time)) => Self::parse_moment(date, time),
        }
    }

    /// Reads `14`, `14:30`, `14:30:10.5`.
    pub fn parse_time(text: &str) -> Option<Self> {
        let day = NaiveDate::from_ymd_opt(1, 1, 1)?;
        let clock = Clock::parse(text)?;
        Some(Self {
            kind: TemporalKind::Time,
            precision: clock.precision,
            local: day.and_time(clock.time),
            fraction_digits: clock.fraction_digits,
            offset: None,
        })
    }

    fn parse_date(text: &str) -> Option<Self> {
        let (date, precision) = match text.len() {
            4 => (NaiveDate::from_ymd_opt(number(text.get(..4)?)? as i32, 1, 1)?, Precision::Year),
            7 if text.get(4..5)? == "-" => {
                (NaiveDate::from_ymd_opt(number(text.get(..4)?)? as i32, number(text.get(5..)?)?, 1)?, Precision::Month)
            }
            10 if text.get(4..5)? == "-" && text.get(7..8)? == "-" => {
                let (year, month) = (number(text.get(..4)?)? as i32, number(text.get(5..7)?)?);
                (NaiveDate::from_ymd_opt(year, month, number(text.get(8..)?)?)?, Precision::Day)
            }
            _ => return None,
        };
        Some(Self { kind: TemporalKind::Date, precision, local: date.and_time(NaiveTime::MIN), fraction_digits: 0, offset: None })
    }

    fn parse_moment(date: &str, time: &str) -> Option<Self> {
        let date = Self::parse_date(date)?;
        if time.is_empty() {
            return Some(Self { kind: TemporalKind::DateTime, ..date });
        }
        if date.precision != Precision::Day {
            return None;
        }
        let (time, offset) = split_offset(time)?;
        let clock = Clock::parse(time)?;
        Some(Self {
            kind: TemporalKind::DateTime,
            precision: clock.precision,
            local: date.local.date().and_time(clock.time),
            fraction_digits: clock.fraction_digits,
            offset,
        })
    }

    /// The moment itself, to the millisecond, as a clock at `offset` minutes east of UTC shows it.
    pub fn at(moment: Instant, offset: i16) -> Self {
        let utc = moment.to_chrono().naive_utc();
        let local = utc.checked_add_signed(TimeDelta::minutes(offset.into())).unwrap_or(utc);
        let milliseconds = local.nanosecond() / 1_000_000;
        let local = local.with_nanosecond(milliseconds * 1_000_000).unwrap_or(local);
        Self { kind: TemporalKind::DateTime, precision: Precision::Second, local, fraction_digits: 3, offset: Some(offset) }
    }

    /// Which type it is.
    pub fn kind(self) -> TemporalKind {
        self.kind
    }

    /// How much it states.
    pub fn precision(self) -> Precision {
        self.precision
    }

    /// The day alone, of a date or a moment.
    pub fn date(self) -> Option<Self> {
        match self.kind {
            TemporalKind::Date => Some(self),
            TemporalKind::DateTime => Some(Self {
                kind: TemporalKind::Date,
                precision: self.precision.min(Precision::Day),
                local: self.local.date().and_time(NaiveTime::MIN),
                fraction_digits: 0,
                offset: None,
            }),
            TemporalKind::Time => None,
        }
    }

    /// The same as a moment that states no more than it did.
    pub fn date_time(self) -> Option<Self> {
        match self.kind {
            TemporalKind::Date | TemporalKind::DateTime => Some(Self { kind: TemporalKind::DateTime, ..self }),
            TemporalKind::Time => None,
        }
    }

    /// The time of day, of a moment or a time.
    pub fn time(self) -> Option<Self> {
        if self.precision < Precision::Hour {
            return None;
        }
        let day = NaiveDate::from_ymd_opt(1, 1, 1)?;
        Some(Self { kind: TemporalKind::Time, local: day.and_time(self.local.time()), offset: None, ..self })
    }

    /// The order of two values; `None` if one states too little to tell, or they are no dates of one kind.
    /// A moment without an offset is taken to be at `zone`, in minutes east of UTC.
    pub fn compare(self, other: Self, zone: i16) -> Option<Ordering> {
        if (self.kind == TemporalKind::Time) != (other.kind == TemporalKind::Time) {
            return None;
        }
        let common = self.precision.min(other.precision);
        let (left, right) = if common >= Precision::Hour && self.kind != TemporalKind::Time && !self.shares_offset(other) {
            (self.utc(zone), other.utc(zone))
        } else {
            (self.local, other.local)
        };
        match cut(left, common).cmp(&cut(right, common)) {
            Ordering::Equal if self.precision != other.precision => None,
            order => Some(order),
        }
    }

    fn shares_offset(self, other: Self) -> bool {
        self.offset == other.offset
    }

    fn utc(self, zone: i16) -> NaiveDateTime {
        let offset = TimeDelta::minutes(self.offset.unwrap_or(zone).into());
        self.local.checked_sub_signed(offset).unwrap_or(self.local)
    }

    /// Adds `amount` units, fractions of a unit cut off unless it is the second (N1 §Date/Time Arithmetic).
    /// A unit finer than what is stated is first turned into the finest that is stated.
    pub fn add(self, amount: Number, unit: CalendarUnit) -> Option<Self> {
        if self.kind == TemporalKind::Time {
            return self.add_to_time(amount, unit);
        }
        let (amount, unit) = self.coarsened(amount, unit)?;
        let local = match unit.months() {
            Some(months) => {
                let months = whole(amount)?.checked_mul(months)?;
                let count = Months::new(u32::try_from(months.unsigned_abs()).ok()?);
                if months < 0 { self.local.checked_sub_months(count)? } else { self.local.checked_add_months(count)? }
            }
            None => add_exactly(self.local, amount, unit)?,
        };
        let year = local.year();
        (1..=9999).contains(&year).then_some(Self { local, ..self })
    }

    /// Times of day wrap around at midnight.
    fn add_to_time(self, amount: Number, unit: CalendarUnit) -> Option<Self> {
        unit.milliseconds().filter(|_| !matches!(unit, CalendarUnit::Week | CalendarUnit::Day))?;
        let moved = add_exactly(self.local, amount, unit)?;
        let day = NaiveDate::from_ymd_opt(1, 1, 1)?;
        Some(Self { local: day.and_time(moved.time()), ..self })
    }

    fn coarsened(self, amount: Number, unit: CalendarUnit) -> Option<(Number, CalendarUnit)> {
        let per = |days: i32| whole_quotient(unit.milliseconds()?, amount, i64::from(days) * 86_400_000);
        Some(match (self.precision, unit) {
            (Precision::Year, CalendarUnit::Month) => (amount.over_whole(Number::from(12))?.0, CalendarUnit::Year),
            (Precision::Year, unit) if unit.months().is_none() => (per(365)?, CalendarUnit::Year),
            (Precision::Month, unit) if unit.months().is_none() => (per(30)?, CalendarUnit::Month),
            (Precision::Day, unit) if unit.milliseconds().is_some_and(|length| length < 86_400_000) => {
                (per(1)?, CalendarUnit::Day)
            }
            _ => (amount, unit),
        })
    }
}

/// `amount` units of `length` milliseconds as whole multiples of `other` milliseconds.
fn whole_quotient(length: i64, amount: Number, other: i64) -> Option<Number> {
    Some(amount.times(Number::from(length))?.over_whole(Number::from(other))?.0)
}

fn whole(amount: Number) -> Option<i64> {
    amount.truncated().to_string().parse().ok()
}

fn add_exactly(local: NaiveDateTime, amount: Number, unit: CalendarUnit) -> Option<NaiveDateTime> {
    let amount = match unit {
        CalendarUnit::Second | CalendarUnit::Millisecond => amount,
        _ => amount.truncated(),
    };
    if matches!(unit, CalendarUnit::Day | CalendarUnit::Week) {
        let days = whole(amount)?.checked_mul(if unit == CalendarUnit::Week { 7 } else { 1 })?;
        let count = Days::new(days.unsigned_abs());
        return if days < 0 { local.checked_sub_days(count) } else { local.checked_add_days(count) };
    }
    let milliseconds = amount.times(Number::from(unit.milliseconds()?))?;
    local.checked_add_signed(TimeDelta::try_milliseconds(whole(milliseconds)?)?)
}

fn cut(moment: NaiveDateTime, precision: Precision) -> (i32, u32, u32, u32, u32, u64) {
    let keep = |at: Precision, value: u32| if precision >= at { value } else { 0 };
    let nanoseconds = u64::from(moment.second()) * u64::from(NANOSECONDS) + u64::from(moment.nanosecond());
    (
        moment.year(),
        keep(Precision::Month, moment.month()),
        keep(Precision::Day, moment.day()),
        keep(Precision::Hour, moment.hour()),
        keep(Precision::Minute, moment.minute()),
        if precision >= Precision::Second { nanoseconds } else { 0 },
    )
}

/// Digits only, so that no sign slips in.
fn number(digits: &str) -> Option<u32> {
    if digits.bytes().all(|byte| byte.is_ascii_digit()) { digits.parse().ok() } else { None }
}

/// A time of day without an offset.
struct Clock {
    time: NaiveTime,
    precision: Precision,
    fraction_digits: u8,
}

impl Clock {
    fn parse(text: &str) -> Option<Self> {
        let (clock, fraction) = match text.split_once('.') {
            Some((clock, fraction)) => (clock, Some(fraction)),
            None => (text, None),
        };
        let mut parts = clock.split(':');
        let mut next = || parts.next().map(|part| if part.len() == 2 { number(part) } else { None });
        let hour = next()??;
        let (minute, second) = (next(), next());
        if parts.next().is_some() || (fraction.is_some() && second.is_none()) {
            return None;
        }
        let (precision, minute, second) = match (minute, second) {
            (None, _) => (Precision::Hour, 0, 0),
            (Some(minute), None) => (Precision::Minute, minute?, 0),
            (Some(minute), Some(second)) => (Precision::Second, minute?, second?),
        };
        let nanoseconds = fraction.map_or(Some(0), read_fraction)?;
        // A leap second is read as the second before it.
        let time = NaiveTime::from_hms_nano_opt(hour, minute, if second == 60 { 59 } else { second }, nanoseconds)?;
        let fraction_digits = u8::try_from(fraction.unwrap_or_default().len()).ok()?;
        Some(Self { time, precision, fraction_digits })
    }
}

/// The fraction of a second in nanoseconds; finer digits are dropped.
fn read_fraction(digits: &str) -> Option<u32> {
    number(digits.get(..digits.len().min(9))?).filter(|_| !digits.is_empty())?;
    if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    number(&format!("{digits:0<9}")[..9])
}

/// Parts `14:30+02:00` or `14:30Z` into the clock and the minutes east of UTC.
fn split_offset(text: &str) -> Option<(&str, Option<i16>)> {
    if let Some(clock) = text.strip_suffix('Z') {
        return Some((clock, Some(0)));
    }
    let Some(at) = text.find(['+', '-']) else { return Some((text, None)) };
    let (clock, offset) = (text.get(..at)?, text.get(at..)?);
    let (hours, minutes) = offset.get(1..)?.split_once(':')?;
    if hours.len() != 2 || minutes.len() != 2 {
        return None;
    }
    let minutes = i16::try_from(number(hours)? * 60 + number(minutes)?).ok()?;
    let minutes = if offset.starts_with('-') { -minutes } else { minutes };
    (minutes.abs() < MINUTES_A_DAY).then_some((clock, Some(minutes)))
}

impl fmt::Display for Temporal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let at = self.local;
        if self.kind != TemporalKind::Time {
            write!(f, "{:04}", at.year())?;
            if self.precision >= Precision::Month {
                write!(f, "-{:02}", at.month())?;
            }
            if self.precision >= Precision::Day {
                write!(f, "-{:02}", at.day())?;
            }
        }
        if self.kind == TemporalKind::DateTime && self.precision >= Precision::Hour {
            f.write_str("T")?;
        }
        if self.precision >= Precision::Hour {
            write!(f, "{:02}", at.hour())?;
        }
        if self.precision >= Precision::Minute {
            write!(f, ":{:02}", at.minute())?;
        }
        if self.precision >= Precision::Second {
            write!(f, ":{:02}", at.second())?;
            if self.fraction_digits > 0 {
                let digits = format!("{:09}", at.nanosecond());
                write!(f, ".{}", digits.get(..usize::from(self.fraction_digits)).unwrap_or(&digits))?;
            }
        }
        match self.offset {
            None => Ok(()),
            Some(0) => f.write_str("Z"),
            Some(offset) => {
                let sign = if offset < 0 { '-' } else { '+' };
                write!(f, "{sign}{:02}:{:02}", offset.abs() / 60, offset.abs() % 60)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn moment(text: &str) -> Temporal {
        Temporal::parse(text).unwrap()
    }

    fn days(count: &str) -> Number {
        Number::parse(count).unwrap()
    }

    #[test]
    fn a_date_is_written_as_it_was_read() {
        for text in ["2024", "2024-02", "2024-02-29", "2024-02-29T10:11:12.345+02:00", "2024-02-29T10:11Z", "2024-02-29T10"] {
            assert_eq!(moment(text).to_string(), text);
        }
        assert_eq!(Temporal::parse_time("10:11:12.5").unwrap().to_string(), "10:11:12.5");
    }

    #[test]
    fn what_is_no_date_is_refused() {
        for text in
            ["", "24", "2024-13", "2023-02-29", "2024-1-1", "2024-02T10:00", "2024-02-29T25:00", "+024", "2024-02-29T10:00+99:00"]
        {
            assert!(Temporal::parse(text).is_none(), "{text}");
        }
    }

    #[test]
    fn values_of_different_precision_are_ordered_only_where_they_differ() {
        assert_eq!(moment("2024").compare(moment("2023-12"), 0), Some(Ordering::Greater));
        assert_eq!(moment("2024").compare(moment("2024-01"), 0), None);
        assert_eq!(moment("2024-01-01T10:00:00").compare(moment("2024-01-01T10:00:00.000"), 0), Some(Ordering::Equal));
        assert_eq!(moment("2024-01-01T10").compare(moment("2024-01-01T10:30"), 0), None);
    }

    #[test]
    fn offsets_are_weighed_and_a_missing_one_is_the_zones() {
        assert_eq!(moment("2024-01-01T10:00+02:00").compare(moment("2024-01-01T08:00Z"), 0), Some(Ordering::Equal));
        assert_eq!(moment("2024-01-01T10:00").compare(moment("2024-01-01T08:00Z"), 120), Some(Ordering::Equal));
    }

    #[test]
    fn a_month_added_to_the_last_of_january_stays_in_february() {
        assert_eq!(moment("2024-01-31").add(days("1"), CalendarUnit::Month).unwrap().to_string(), "2024-02-29");
        assert_eq!(moment("2024-02-29").add(days("-1"), CalendarUnit::Year).unwrap().to_string(), "2023-02-28");
    }

    #[test]
    fn a_unit_finer_than_the_value_is_made_coarser_first() {
        assert_eq!(moment("2016").add(days("400"), CalendarUnit::Day).unwrap().to_string(), "2017");
        assert_eq!(moment("2016-05").add(days("59"), CalendarUnit::Day).unwrap().to_string(), "2016-06");
        assert_eq!(moment("2016-05-01").add(days("25"), CalendarUnit::Hour).unwrap().to_string(), "2016-05-02");
    }

    #[test]
    fn a_time_of_day_wraps_at_midnight() {
        let late = Temporal::parse_time("23:30").unwrap();
        assert_eq!(late.add(days("45"), CalendarUnit::Minute).unwrap().to_string(), "00:15");
        assert!(late.add(days("1"), CalendarUnit::Day).is_none());
    }
}
