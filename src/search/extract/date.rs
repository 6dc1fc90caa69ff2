//! Dates, periods and timings as ranges of time (R4 search.html §date).

use chrono_tz::Tz;

use super::collect::ALWAYS;
use super::shape::Shape;
use crate::fhir::date::PartialDate;
use crate::fhir::json::Node;
use crate::search::index::DateRange;

/// The time a value covers; `None` where it says none.
pub(super) fn range(shape: Shape, node: Node<'_>, zone: Tz) -> Option<DateRange> {
    match shape {
        Shape::Date => moment(node, zone),
        Shape::Period => period(node, zone),
        Shape::Timing => timing(node, zone),
        _ => None,
    }
}

fn moment(node: Node<'_>, zone: Tz) -> Option<DateRange> {
    let (low, high) = PartialDate::parse(&node.string()?).ok()?.range(zone);
    Some(DateRange { low, high })
}

/// A missing end is open: a period that has begun and not ended lasts for ever.
fn period(node: Node<'_>, zone: Tz) -> Option<DateRange> {
    let end_of = |name| node.member(name).and_then(|end| moment(end, zone));
    let (start, end) = (end_of("start"), end_of("end"));
    if start.is_none() && end.is_none() {
        return None;
    }
    Some(DateRange { low: start.map_or(ALWAYS.low, |start| start.low), high: end.map_or(ALWAYS.high, |end| end.high) })
}

/// From the first event to the last, the bounds included: what happens between is not looked at.
fn timing(node: Node<'_>, zone: Tz) -> Option<DateRange> {
    let events = node.member("event").into_iter().flat_map(Node::items).filter_map(|event| moment(event, zone));
    let bounds = node.member("repeat").and_then(|repeat| repeat.member("boundsPeriod")).and_then(|bounds| period(bounds, zone));
    events.chain(bounds).reduce(|whole, part| DateRange { low: whole.low.min(part.low), high: whole.high.max(part.high) })
}
