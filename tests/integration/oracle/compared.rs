//! Values compared as the standard defines it.

use chrono::{DateTime, Datelike as _, Days, MappedLocalTime, Months, NaiveDate, NaiveDateTime, TimeDelta, TimeZone as _};
use chrono_tz::Europe::Paris;
use serde_json::Value;

use super::vocabulary::UCUM;

/// A range of microseconds, the end excluded.
pub(super) type Range = (i128, i128);

const BEFORE_ALL: i128 = i128::MIN / 4;
const AFTER_ALL: i128 = i128::MAX / 4;
/// When every test begins: 2026-01-01T00:00:00Z. What is about now, no test asks to the minute.
const NOW_MICROS: i128 = 1_767_225_600_000_000;

pub(super) const PREFIXES: &[&str] = &["", "eq", "ne", "gt", "lt", "ge", "le", "sa", "eb", "ap"];

/// The values at a path through lists.
pub(super) fn at<'v>(value: &'v Value, path: &str) -> Vec<&'v Value> {
    path.split('.').fold(vec![value], |found, step| {
        let members = found.into_iter().filter_map(|value| value.get(step));
        members.flat_map(|value| value.as_array().map_or_else(|| vec![value], |items| items.iter().collect())).collect()
    })
}

pub(super) fn text<'v>(value: &'v Value, member: &str) -> Option<&'v str> {
    value.get(member).and_then(Value::as_str)
}

/// Without case, accents and punctuation.
pub(super) fn folded(text: &str) -> String {
    let plain = text.to_lowercase().replace(['é', 'è', 'ê'], "e").replace('à', "a").replace('\'', "");
    plain.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ")
}

/// What a date of this precision covers; without a zone that of Paris.
pub(super) fn covered(text: &str) -> Range {
    match text.split_once('T') {
        Some((day, time)) => moment(day, time),
        None => days(text),
    }
}

fn days(text: &str) -> Range {
    let mut parts = text.split('-').map(|part| part.parse::<u32>().unwrap());
    let (year, month, day) = (parts.next().unwrap(), parts.next(), parts.next());
    let first = NaiveDate::from_ymd_opt(i32::try_from(year).unwrap(), month.unwrap_or(1), day.unwrap_or(1)).unwrap();
    let next = match (month, day) {
        (None, _) => NaiveDate::from_ymd_opt(first.year() + 1, 1, 1).unwrap(),
        (Some(_), None) => first.checked_add_months(Months::new(1)).unwrap(),
        (Some(_), Some(_)) => first.checked_add_days(Days::new(1)).unwrap(),
    };
    let midnight = |day: NaiveDate| in_paris(day.and_hms_opt(0, 0, 0).unwrap()).0;
    (midnight(first), midnight(next))
}

/// A minute, a second or a part of one.
fn moment(day: &str, time: &str) -> Range {
    let (clock, zone) = match time.find(['Z', '+', '-']) {
        Some(at) => time.split_at(at),
        None => (time, ""),
    };
    let length = match (clock.split(':').count(), clock.split_once('.')) {
        (2, _) => 60_000_000,
        (_, None) => 1_000_000,
        (_, Some((_, fraction))) => 10_i64.pow(6 - u32::try_from(fraction.len()).unwrap()),
    };
    let whole = if length == 60_000_000 { format!("{day}T{clock}:00") } else { format!("{day}T{clock}") };
    if zone.is_empty() {
        let start: NaiveDateTime = whole.parse().unwrap();
        return (in_paris(start).0, in_paris(start + TimeDelta::microseconds(length)).1);
    }
    let low = i128::from(DateTime::parse_from_rfc3339(&format!("{whole}{zone}")).unwrap().timestamp_micros());
    (low, low + i128::from(length))
}

/// When the clocks of Paris show this first and last. What they leap over falls where it would be without the leap.
fn in_paris(local: NaiveDateTime) -> Range {
    let micros = |moment: DateTime<chrono_tz::Tz>| i128::from(moment.timestamp_micros());
    match Paris.from_local_datetime(&local) {
        MappedLocalTime::Single(moment) => (micros(moment), micros(moment)),
        MappedLocalTime::Ambiguous(first, last) => (micros(first), micros(last)),
        MappedLocalTime::None => {
            let winter = i128::from((local - TimeDelta::hours(1)).and_utc().timestamp_micros());
            (winter, winter)
        }
    }
}

/// What a date, a Period or a Timing covers: of a Timing its outer limits alone.
pub(super) fn time(value: &Value) -> Option<Range> {
    let whole = |one: Range, other: Range| (one.0.min(other.0), one.1.max(other.1));
    match value {
        Value::String(text) => Some(covered(text)),
        Value::Object(timing) if timing.contains_key("event") || timing.contains_key("repeat") => {
            let parts = at(value, "event").into_iter().chain(at(value, "repeat.boundsPeriod"));
            parts.filter_map(time).reduce(whole)
        }
        Value::Object(_) => {
            let (start, end) = (text(value, "start"), text(value, "end"));
            let range = (start.map_or(BEFORE_ALL, |start| covered(start).0), end.map_or(AFTER_ALL, |end| covered(end).1));
            (start.is_some() || end.is_some()).then_some(range)
        }
        _ => None,
    }
}

pub(super) fn overlap(one: Range, other: Range) -> bool {
    one.0 < other.1 && other.0 < one.1
}

/// R4 search.html §prefix.
pub(super) fn date_matches(prefix: &str, search: Range, target: Range) -> bool {
    let contains = |outer: Range, inner: Range| outer.0 <= inner.0 && inner.1 <= outer.1;
    let (above, below) = ((search.1, AFTER_ALL * 2), (BEFORE_ALL * 2, search.0));
    match prefix {
        "" | "eq" => contains(search, target),
        "ne" => !contains(search, target),
        "gt" => overlap(above, target),
        "lt" => overlap(below, target),
        "ge" => overlap(above, target) || contains(search, target),
        "le" => overlap(below, target) || contains(search, target),
        "sa" => contains(above, target),
        "eb" => contains(below, target),
        "ap" => {
            let margin = ((search.0 + search.1) / 2 - NOW_MICROS).abs() / 10;
            overlap((search.0 - margin, search.1 + margin), target)
        }
        other => panic!("{other}"),
    }
}

/// Numbers by their ends, and whether each belongs. So many billionths of a thousandth, so that nothing is rounded.
pub(super) type Ends = ((i128, bool), (i128, bool));

const LEAST: i128 = i128::MIN / 4;
const MOST: i128 = i128::MAX / 4;
const DIGITS: i32 = 12;

/// A decimal, and half of what one unit of its last digit is worth.
pub(super) fn exact(text: &str) -> (i128, i128) {
    let (mantissa, exponent) = text.split_once('e').unwrap_or((text, "0"));
    let exponent: i32 = exponent.parse().unwrap();
    let fraction = mantissa.split_once('.').map_or(0, |(_, fraction)| i32::try_from(fraction.len()).unwrap());
    let digits: i128 = mantissa.replace('.', "").parse().unwrap();
    let unit = 10_i128.pow(u32::try_from(DIGITS + exponent - fraction).unwrap());
    // The standard's own example: 1e2 is written to the ten.
    let precision = if exponent != 0 && fraction == 0 { unit / 10 } else { unit };
    (digits * unit, precision / 2)
}

/// How many of the base unit a unit is, and which.
fn base(unit: &str) -> (i128, &str) {
    match unit {
        "mg" => (1, "mg"),
        "g" => (1_000, "mg"),
        "kg" => (1_000_000, "mg"),
        other => (1, other),
    }
}

/// The unit that a query names.
#[derive(Clone, Copy)]
pub(super) enum Unit {
    Any,
    /// The code or the words, whatever the system.
    Plain(&'static str),
    Coded(&'static str, &'static str),
}

impl Unit {
    /// By what the number of a query in this unit is multiplied.
    pub(super) fn factor(self) -> i128 {
        match self {
            Self::Coded(UCUM, unit) => base(unit).0,
            _ => 1,
        }
    }

    /// The same of a quantity; `None` where it is measured in something else.
    fn of(self, quantity: &Value) -> Option<i128> {
        let (code, currency) = (text(quantity, "code"), text(quantity, "currency"));
        match self {
            Self::Any => Some(1),
            Self::Plain(unit) => [code, text(quantity, "unit"), currency].contains(&Some(unit)).then_some(1),
            Self::Coded(UCUM, unit) => {
                let (factor, own) = base(code?);
                (text(quantity, "system") == Some(UCUM) && own == base(unit).1).then_some(factor)
            }
            // A system that has money alone.
            Self::Coded(_, unit) => (currency == Some(unit)).then_some(1),
        }
    }
}

/// What a number, a Quantity, a Range or Money says, as the base unit has it.
pub(super) fn numbers(value: &Value, unit: Unit) -> Option<Ends> {
    let amount = |value: &Value| match value {
        Value::Number(number) => Some(exact(&number.to_string()).0),
        quantity => Some(exact(&quantity.get("value")?.to_string()).0 * unit.of(quantity)?),
    };
    if value.get("low").or(value.get("high")).is_some() {
        let end = |name| value.get(name).map(&amount);
        let low = end("low").map_or(Some(LEAST), |low| low)?;
        let high = end("high").map_or(Some(MOST), |high| high)?;
        return Some(((low, true), (high, true)));
    }
    let number = amount(value)?;
    Some(match text(value, "comparator") {
        Some("<") => ((LEAST, true), (number, false)),
        Some("<=") => ((LEAST, true), (number, true)),
        Some(">") => ((number, false), (MOST, true)),
        Some(">=") => ((number, true), (MOST, true)),
        _ => ((number, true), (number, true)),
    })
}

/// R4 search.html §number: equality by the precision in which the search is written.
pub(super) fn number_matches(
    prefix: &str,
    (value, half): (i128, i128),
    ((low, low_belongs), (high, high_belongs)): Ends,
) -> bool {
    let inside = low >= value - half && (high < value + half || high == value + half && !high_belongs);
    let reaches = |least: i128, most: i128| {
        let from_below = low < most || low == most && low_belongs;
        from_below && (high > least || high == least && high_belongs)
    };
    match prefix {
        "" | "eq" => inside,
        "ne" => !inside,
        "gt" => high > value,
        "lt" => low < value,
        "ge" => high > value || high == value && high_belongs,
        "le" => low < value || low == value && low_belongs,
        "sa" => low > value || low == value && !low_belongs,
        "eb" => high < value || high == value && !high_belongs,
        "ap" => reaches(value - value.abs() / 10, value + value.abs() / 10),
        other => panic!("{other}"),
    }
}

/// The way over the surface of the earth in kilometres, by the law of cosines.
pub(super) fn distance(one: (f64, f64), other: (f64, f64)) -> f64 {
    let ((north, east), (other_north, other_east)) = (one, other);
    let radians = f64::to_radians;
    let (sines, cosines) = (radians(north).sin() * radians(other_north).sin(), radians(north).cos() * radians(other_north).cos());
    6_371.0 * (sines + cosines * radians(east - other_east).cos()).clamp(-1.0, 1.0).acos()
}
