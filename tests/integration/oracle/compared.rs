//! Values compared as the standard defines it.

use chrono::{DateTime, Datelike as _, Days, Months, NaiveDate, TimeZone as _, Utc};
use chrono_tz::Europe::Paris;
use serde_json::Value;

/// A range of microseconds, the end excluded.
pub(super) type Range = (i128, i128);

const BEFORE_ALL: i128 = i128::MIN / 4;
const AFTER_ALL: i128 = i128::MAX / 4;
/// No test asks for what is about now.
pub(super) const PREFIXES: &[&str] = &["", "eq", "ne", "gt", "lt", "ge", "le", "sa", "eb"];

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
    if let Ok(moment) = DateTime::parse_from_rfc3339(text) {
        let low = i128::from(moment.timestamp_micros());
        let digits = text.split_once('.').map_or(0, |(_, fraction)| fraction.bytes().take_while(u8::is_ascii_digit).count());
        return (low, low + 10_i128.pow(6 - u32::try_from(digits).unwrap()));
    }
    let mut parts = text.split('-').map(|part| part.parse::<u32>().unwrap());
    let (year, month, day) = (parts.next().unwrap(), parts.next(), parts.next());
    let first = NaiveDate::from_ymd_opt(i32::try_from(year).unwrap(), month.unwrap_or(1), day.unwrap_or(1)).unwrap();
    let next = match (month, day) {
        (None, _) => NaiveDate::from_ymd_opt(first.year() + 1, 1, 1).unwrap(),
        (Some(_), None) => first.checked_add_months(Months::new(1)).unwrap(),
        (Some(_), Some(_)) => first.checked_add_days(Days::new(1)).unwrap(),
    };
    let micros = |day: NaiveDate| {
        let midnight = Paris.from_local_datetime(&day.and_hms_opt(0, 0, 0).unwrap()).unwrap();
        i128::from(midnight.with_timezone(&Utc).timestamp_micros())
    };
    (micros(first), micros(next))
}

/// What a date or a Period covers.
pub(super) fn time(value: &Value) -> Option<Range> {
    match value {
        Value::String(text) => Some(covered(text)),
        Value::Object(_) => {
            let (start, end) = (text(value, "start"), text(value, "end"));
            let range = (start.map_or(BEFORE_ALL, |start| covered(start).0), end.map_or(AFTER_ALL, |end| covered(end).1));
            (start.is_some() || end.is_some()).then_some(range)
        }
        _ => None,
    }
}

/// R4 search.html §prefix.
pub(super) fn date_matches(prefix: &str, search: Range, target: Range) -> bool {
    let contains = |outer: Range, inner: Range| outer.0 <= inner.0 && inner.1 <= outer.1;
    let overlap = |one: Range, other: Range| one.0 < other.1 && other.0 < one.1;
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
        other => panic!("{other}"),
    }
}

/// Numbers by their ends, and whether each belongs.
pub(super) type Ends = ((f64, bool), (f64, bool));

/// How many of the base unit a unit is, and which.
fn base(unit: &str) -> (i64, &str) {
    match unit {
        "mg" => (1, "mg"),
        "g" => (1_000, "mg"),
        "kg" => (1_000_000, "mg"),
        other => (1, other),
    }
}

/// What a number or a Quantity says, as so many of `unit`; `None` where it is measured in something else.
pub(super) fn numbers(value: &Value, unit: Option<&str>) -> Option<Ends> {
    let number = value.as_f64().or_else(|| value.get("value").and_then(Value::as_f64))?;
    let number = match unit {
        None => number,
        Some(unit) => {
            let ((own, own_base), (wanted, wanted_base)) = (base(text(value, "code")?), base(unit));
            if own_base != wanted_base {
                return None;
            }
            if own >= wanted { number * (own / wanted) as f64 } else { number / (wanted / own) as f64 }
        }
    };
    Some(match text(value, "comparator") {
        Some("<") => ((f64::NEG_INFINITY, true), (number, false)),
        Some("<=") => ((f64::NEG_INFINITY, true), (number, true)),
        Some(">") => ((number, false), (f64::INFINITY, true)),
        Some(">=") => ((number, true), (f64::INFINITY, true)),
        _ => ((number, true), (number, true)),
    })
}

/// R4 search.html §number: equality by the precision in which the search is written.
pub(super) fn number_matches(prefix: &str, search: &str, ((low, low_belongs), (high, high_belongs)): Ends) -> bool {
    let value: f64 = search.parse().unwrap();
    let half = if search.contains('.') { 0.05 } else { 0.5 };
    let inside = low >= value - half && (high < value + half || high == value + half && !high_belongs);
    match prefix {
        "" | "eq" => inside,
        "ne" => !inside,
        "gt" => high > value,
        "lt" => low < value,
        "ge" => high > value || high == value && high_belongs,
        "le" => low < value || low == value && low_belongs,
        "sa" => low > value || low == value && !low_belongs,
        "eb" => high < value || high == value && !high_belongs,
        other => panic!("{other}"),
    }
}
