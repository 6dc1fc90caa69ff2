//! Conditions judged by the entries of one instance.

use super::{Bound, Condition, QuantityBound};
use crate::definition::ParameterId;
use crate::search::index::{DateRange, IndexEntries, QuantityEntry, Term};

impl Condition {
    /// Whether `entries` fulfil it; what stands elsewhere than among entries, they do not.
    pub fn holds(&self, entries: &IndexEntries) -> bool {
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
            // What rests in a dossier says so by the term beside it.
            Self::InDossier(own) => own.iter().any(|(_, term)| entries.terms.binary_search(term).is_ok()),
            Self::Id(_) | Self::Kind(_) | Self::At(_) | Self::Updated(_) | Self::Examined(_) | Self::Linked(_) => false,
        }
    }

    /// Leading terms of which whatever fulfils it carries one, where it has such.
    pub fn terms_one_of(&self) -> Option<Vec<Term>> {
        match self {
            Self::Term(term) => term.leads().then(|| vec![*term]),
            Self::Any(parts) => Some(parts.iter().map(Self::terms_one_of).collect::<Option<Vec<_>>>()?.concat()),
            Self::All(parts) => parts.iter().filter_map(Self::terms_one_of).min_by_key(Vec::len),
            _ => None,
        }
    }

    /// Whether the terms of an instance and its main date say all it asks.
    pub fn stands_among_terms(&self) -> bool {
        match self {
            Self::All(parts) | Self::Any(parts) => parts.iter().all(Self::stands_among_terms),
            Self::Not(part) => part.stands_among_terms(),
            Self::Term(_) | Self::Date(None, _) => true,
            Self::Date(Some(_), _)
            | Self::StringPrefix(..)
            | Self::StringContains(..)
            | Self::Quantity(..)
            | Self::Id(_)
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
