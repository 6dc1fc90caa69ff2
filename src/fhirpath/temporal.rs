//! Dates, moments and times of day as System values (N1 §Date, §DateTime, §Time), and the lengths of time added to them.
//!
//! How they are read, ordered and moved is the business of `fhir::date`; here they are told apart.

use std::cmp::Ordering;
use std::fmt;

use chrono::TimeDelta;

use super::value::SystemType;
use crate::fhir::Instant;
use crate::fhir::date::{PartialDate, Span, Time};
use crate::fhir::decimal::Decimal;

const MILLISECOND_MICROS: i64 = 1000;

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
pub enum Temporal {
    /// `System.Date`
    Date(PartialDate),
    /// `System.DateTime`
    DateTime(PartialDate),
    /// `System.Time`
    Time(Time),
}

impl Temporal {
    /// Reads a date or moment, or a literal without its `@`; it is a moment if a `T` stands in it, even at its end.
    pub fn parse(text: &str) -> Option<Self> {
        let date = PartialDate::parse(text.strip_suffix('T').unwrap_or(text)).ok()?;
        Some(if text.contains('T') { Self::DateTime(date) } else { Self::Date(date) })
    }

    /// Reads `14`, `14:30`, `14:30:10.5`.
    pub fn parse_time(text: &str) -> Option<Self> {
        Time::parse(text).ok().map(Self::Time)
    }

    /// The moment on a clock `offset` minutes east of UTC.
    pub fn moment(at: Instant, offset: i16) -> Option<Self> {
        PartialDate::moment(at.micros(), offset).map(Self::DateTime)
    }

    /// The time of day on that clock.
    pub fn time_of_day(at: Instant, offset: i16) -> Option<Self> {
        let local = at.to_chrono().naive_utc().checked_add_signed(TimeDelta::minutes(offset.into()))?;
        Some(Self::Time(Time::of_clock(local.time())))
    }

    /// Its type.
    pub fn system_type(self) -> SystemType {
        match self {
            Self::Date(_) => SystemType::Date,
            Self::DateTime(_) => SystemType::DateTime,
            Self::Time(_) => SystemType::Time,
        }
    }

    /// The day alone, of a date or a moment.
    pub fn date(self) -> Option<Self> {
        match self {
            Self::Date(date) | Self::DateTime(date) => Some(Self::Date(date.to_date())),
            Self::Time(_) => None,
        }
    }

    /// The same as a moment that states no more than it did.
    pub fn date_time(self) -> Option<Self> {
        match self {
            Self::Date(date) | Self::DateTime(date) => Some(Self::DateTime(date)),
            Self::Time(_) => None,
        }
    }

    /// The order of two values; `None` if one states too little to tell, or only one of them is a time of day.
    pub fn compare(self, other: Self) -> Option<Ordering> {
        match (self, other) {
            (Self::Time(left), Self::Time(right)) => left.compare(right),
            (Self::Date(left) | Self::DateTime(left), Self::Date(right) | Self::DateTime(right)) => left.compare(right),
            (Self::Time(_), Self::Date(_) | Self::DateTime(_)) | (Self::Date(_) | Self::DateTime(_), Self::Time(_)) => None,
        }
    }

    /// Adds `amount` units, fractions of a unit cut off unless it is a second or less (N1 §Date/Time Arithmetic). Days and
    /// what is longer cannot be added to a time of day.
    pub fn plus(self, amount: &Decimal, unit: CalendarUnit) -> Option<Self> {
        let micros = || {
            let length = unit.milliseconds()?.checked_mul(MILLISECOND_MICROS)?;
            if matches!(unit, CalendarUnit::Second | CalendarUnit::Millisecond) {
                return amount.checked_mul(&Decimal::from(length))?.to_integer();
            }
            amount.to_integer()?.checked_mul(length)
        };
        match self {
            Self::Date(date) | Self::DateTime(date) => {
                let span = match unit.months() {
                    Some(months) => Span::Months(amount.to_integer()?.checked_mul(months)?),
                    None => Span::Micros(micros()?),
                };
                let moved = date.plus(span)?;
                Some(if matches!(self, Self::Date(_)) { Self::Date(moved) } else { Self::DateTime(moved) })
            }
            Self::Time(_) if matches!(unit, CalendarUnit::Week | CalendarUnit::Day) => None,
            Self::Time(time) => Some(Self::Time(time.plus(micros()?))),
        }
    }
}

impl fmt::Display for Temporal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Date(date) | Self::DateTime(date) => date.fmt(f),
            Self::Time(time) => time.fmt(f),
        }
    }
}
