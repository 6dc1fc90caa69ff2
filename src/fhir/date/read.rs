//! The lexical forms (R4 datatypes.html §primitive, search.html §date, FHIRPath N1 §literals).

use chrono::{NaiveDate, NaiveTime};

use super::{PartialDate, Precision, Time};

/// Which forms are accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// R4 `date`: year, month or day.
    Date,
    /// R4 `dateTime`: year, month, day, or a time with seconds and an offset.
    DateTime,
    /// R4 `instant`: a time with seconds and an offset.
    Instant,
    /// A search value: minutes may be the end, the offset may be missing.
    Search,
    /// A FHIRPath literal without `@`: hours may be the end too.
    Literal,
}

/// A text that is no date, no time or not in the form asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a date or time of the calendar in the form of R4")]
pub struct InvalidDate;

/// The longest offset R4 can write, in minutes.
const MAX_OFFSET_MINUTES: i16 = 14 * 60;

impl Form {
    fn accepts(self, date: &PartialDate) -> bool {
        let timed = date.precision > Precision::Day;
        match self {
            Self::Date => !timed,
            Self::DateTime => !timed || Self::Instant.accepts(date),
            Self::Instant => date.precision == Precision::Second && date.offset.is_some(),
            Self::Search => date.precision != Precision::Hour,
            Self::Literal => true,
        }
    }
}

pub(super) fn partial_date(text: &str, form: Form) -> Result<PartialDate, InvalidDate> {
    let mut cursor = Cursor { rest: text.as_bytes() };
    let date = cursor.partial_date().ok_or(InvalidDate)?;
    if cursor.rest.is_empty() && form.accepts(&date) { Ok(date) } else { Err(InvalidDate) }
}

pub(super) fn time(text: &str) -> Result<Time, InvalidDate> {
    let mut cursor = Cursor { rest: text.as_bytes() };
    let time = cursor.time().ok_or(InvalidDate)?;
    if cursor.rest.is_empty() { Ok(time) } else { Err(InvalidDate) }
}

struct Cursor<'t> {
    rest: &'t [u8],
}

impl Cursor<'_> {
    fn partial_date(&mut self) -> Option<PartialDate> {
        let year = i32::try_from(self.number(4)?).ok().filter(|year| *year > 0)?;
        let (mut month, mut day, mut precision) = (1, 1, Precision::Year);
        if self.takes(b'-') {
            (month, precision) = (self.number(2)?, Precision::Month);
            if self.takes(b'-') {
                (day, precision) = (self.number(2)?, Precision::Day);
            }
        }
        let date = NaiveDate::from_ymd_opt(year, month, day)?;
        let start = date.and_time(NaiveTime::MIN);
        if precision < Precision::Day || !self.takes(b'T') {
            return Some(PartialDate { start, precision, fraction_digits: 0, offset: None });
        }
        let Time { clock, precision, fraction_digits } = self.time()?;
        let offset = if self.rest.is_empty() { None } else { Some(self.offset()?) };
        Some(PartialDate { start: date.and_time(clock), precision, fraction_digits, offset })
    }

    fn time(&mut self) -> Option<Time> {
        let (hour, mut minute, mut second) = (self.number(2)?, 0, 0);
        let (mut micros, mut fraction_digits, mut precision) = (0, 0, Precision::Hour);
        if self.takes(b':') {
            (minute, precision) = (self.number(2)?, Precision::Minute);
            if self.takes(b':') {
                (second, precision) = (self.number(2)?, Precision::Second);
                if self.takes(b'.') {
                    (micros, fraction_digits) = self.fraction()?;
                }
            }
        }
        // A leap second; no clock of ours has one.
        let second = if second == 60 { 59 } else { second };
        let clock = NaiveTime::from_hms_micro_opt(hour, minute, second, micros)?;
        Some(Time { clock, precision, fraction_digits })
    }

    /// The digits after the point: their worth in microseconds, and how many of them count.
    fn fraction(&mut self) -> Option<(u32, u8)> {
        let (mut micros, mut counted, mut any) = (0, 0_u8, false);
        while let Some(digit) = self.digit() {
            any = true;
            if counted < 6 {
                micros = micros * 10 + digit;
                counted += 1;
            }
        }
        any.then(|| (micros * 10_u32.pow(6 - u32::from(counted)), counted))
    }

    fn offset(&mut self) -> Option<i16> {
        if self.takes(b'Z') {
            return Some(0);
        }
        let sign = if self.takes(b'-') { -1 } else { self.takes(b'+').then_some(1)? };
        let hours = i16::try_from(self.number(2)?).ok()?;
        let minutes = self.takes(b':').then(|| self.number(2))??;
        let size = hours * 60 + i16::try_from(minutes).ok().filter(|minutes| *minutes < 60)?;
        (size <= MAX_OFFSET_MINUTES).then_some(sign * size)
    }

    fn takes(&mut self, wanted: u8) -> bool {
        match self.rest.split_first() {
            Some((byte, rest)) if *byte == wanted => {
                self.rest = rest;
                true
            }
            _ => false,
        }
    }

    fn number(&mut self, digits: usize) -> Option<u32> {
        let mut number = 0;
        for _ in 0..digits {
            number = number * 10 + self.digit()?;
        }
        Some(number)
    }

    fn digit(&mut self) -> Option<u32> {
        let (byte, rest) = self.rest.split_first().filter(|(byte, _)| byte.is_ascii_digit())?;
        self.rest = rest;
        Some(u32::from(byte - b'0'))
    }
}
