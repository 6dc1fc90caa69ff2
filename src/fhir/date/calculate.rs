//! Adding time to dates and times (FHIRPath N1 §date/time arithmetic).

use chrono::{Days, Months, NaiveDateTime, TimeDelta};

use super::{PartialDate, Precision, Time};

/// A length of time to add; negative to subtract.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Span {
    /// Calendar months; a year has twelve.
    Months(i64),
    /// Microseconds; a week has 604,800,000,000 of them, a day 86,400,000,000.
    Micros(i64),
}

const SECOND_MICROS: i64 = 1_000_000;
const MINUTE_MICROS: i64 = 60 * SECOND_MICROS;
const HOUR_MICROS: i64 = 60 * MINUTE_MICROS;
const DAY_MICROS: i64 = 24 * HOUR_MICROS;
/// What FHIRPath counts for a month where the days of the calendar are not known.
const MONTH_DAYS: i64 = 30;
/// What FHIRPath counts for a year where the days of the calendar are not known.
const YEAR_DAYS: i64 = 365;

impl PartialDate {
    /// The value `span` later. A span finer than the value is first cut to the value's own precision: 2014 and 25 months is 2016.
    /// The last day of a month stays inside the month reached. `None` outside of the years 1 to 9999.
    pub fn plus(self, span: Span) -> Option<Self> {
        let start = match (span, self.precision) {
            (Span::Months(months), Precision::Year) => plus_months(self.start, months / 12 * 12)?,
            (Span::Months(months), _) => plus_months(self.start, months)?,
            (Span::Micros(micros), Precision::Year) => plus_months(self.start, micros / (YEAR_DAYS * DAY_MICROS) * 12)?,
            (Span::Micros(micros), Precision::Month) => plus_months(self.start, micros / (MONTH_DAYS * DAY_MICROS))?,
            (Span::Micros(micros), Precision::Day) => plus_days(self.start, micros / DAY_MICROS)?,
            (Span::Micros(micros), Precision::Hour | Precision::Minute | Precision::Second) => {
                self.start.checked_add_signed(TimeDelta::microseconds(whole(micros, self.precision)))?
            }
        };
        let fraction_digits = digits_after(self.fraction_digits, span, self.precision);
        Self { start, fraction_digits, ..self }.in_years()
    }
}

impl Time {
    /// The time `micros` microseconds later, around the clock. What is finer than the value's own precision is cut first.
    #[must_use]
    pub fn plus(self, micros: i64) -> Self {
        let (clock, _) = self.clock.overflowing_add_signed(TimeDelta::microseconds(whole(micros, self.precision)));
        let fraction_digits = digits_after(self.fraction_digits, Span::Micros(micros), self.precision);
        Self { clock, fraction_digits, ..self }
    }
}

/// `micros` cut to whole hours or minutes where the value has no more than these.
fn whole(micros: i64, precision: Precision) -> i64 {
    let unit = match precision {
        Precision::Hour => HOUR_MICROS,
        Precision::Minute => MINUTE_MICROS,
        Precision::Year | Precision::Month | Precision::Day | Precision::Second => 1,
    };
    micros / unit * unit
}

/// The fraction digits needed to show the sum: those written, and those the span brings.
fn digits_after(digits: u8, span: Span, precision: Precision) -> u8 {
    let needed = match span {
        Span::Micros(micros) if precision == Precision::Second && micros % 1_000 != 0 => 6,
        Span::Micros(micros) if precision == Precision::Second && micros % SECOND_MICROS != 0 => 3,
        Span::Micros(_) | Span::Months(_) => 0,
    };
    digits.max(needed)
}

fn plus_months(start: NaiveDateTime, months: i64) -> Option<NaiveDateTime> {
    let size = Months::new(u32::try_from(months.unsigned_abs()).ok()?);
    if months < 0 { start.checked_sub_months(size) } else { start.checked_add_months(size) }
}

fn plus_days(start: NaiveDateTime, days: i64) -> Option<NaiveDateTime> {
    let size = Days::new(days.unsigned_abs());
    if days < 0 { start.checked_sub_days(size) } else { start.checked_add_days(size) }
}
