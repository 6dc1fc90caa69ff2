//! Conditions judged by the entries of one instance.

use super::{Bound, Condition, QuantityBound};
use crate::definition::ParameterId;
use crate::search::index::{DateRange, IndexEntries, QuantityEntry};

impl Condition {
    /// Whether `entries` fulfil it; what stands elsewhere than among entries, they do not.
    pub(in crate::search) fn holds(&self, entries: &IndexEntries) -> bool {
        match self {
            Self::All(parts) => parts.iter().all(|part| part.holds(entries)),
            Self::Any(parts) => parts.iter().any(|part| part.holds(entries)),
            Self::Not(part) => !part.holds(entries),
            Self::Term(term) => entries.terms.binary_search(term).is_ok(),
            Self::Date(None, bounds) => entries.main_date.is_some_and(|range| lies_within(range, bounds)),
            Self::Date(Some(parameter), bounds) => {
                entries.dates.iter().any(|date| date.parameter == *parameter && lies_within(date.range, bounds))
            }
            Self::StringPrefix(parameter, text) => strings(entries, *parameter).any(|folded| folded.starts_with(&**text)),
            Self::StringContains(parameter, text) => strings(entries, *parameter).any(|folded| folded.contains(&**text)),
            Self::Quantity(parameter, unit, bounds) => entries.quantities.iter().any(|quantity| {
                let unit_fits = unit.is_none() || quantity.unit == *unit;
                quantity.parameter == *parameter && unit_fits && bounds.iter().all(|bound| stands(quantity, *bound))
            }),
            Self::Id(_)
            | Self::Kind(_)
            | Self::At(_)
            | Self::InDossier(_)
            | Self::Updated(_)
            | Self::Examined(_)
            | Self::Linked(_) => false,
        }
    }
}

fn strings(entries: &IndexEntries, parameter: ParameterId) -> impl Iterator<Item = &str> {
    entries.strings.iter().filter(move |string| string.parameter == parameter).map(|string| &*string.folded)
}

/// Whether every bound holds of a range.
pub(in crate::search) fn lies_within(range: DateRange, bounds: &[Bound]) -> bool {
    bounds.iter().all(|bound| match *bound {
        Bound::LowAtLeast(value) => range.low >= value,
        Bound::LowBelow(value) => range.low < value,
        Bound::HighAtMost(value) => range.high <= value,
        Bound::HighAbove(value) => range.high > value,
    })
}

fn stands(entry: &QuantityEntry, bound: QuantityBound) -> bool {
    match bound {
        QuantityBound::LowAtLeast(value) => entry.low >= value,
        QuantityBound::LowBelow(value) => entry.low < value,
        QuantityBound::HighAtMost(value) => entry.high <= value,
        QuantityBound::HighAbove(value) => entry.high > value,
    }
}
