//! The meaning of a condition, in memory.

use crate::definition::ParameterId;
use crate::fhir::{InstanceId, Instant, ResourceType};
use crate::search::index::{DateRange, IndexEntries, QuantityEntry};
use crate::search::plan::{Bound, Condition, QuantityBound};

/// An instance as the store would see it.
pub(super) struct Candidate {
    pub(super) kind: ResourceType,
    pub(super) id: InstanceId,
    pub(super) updated: Instant,
    pub(super) entries: IndexEntries,
}

impl Candidate {
    pub(super) fn fulfils(&self, condition: &Condition) -> bool {
        let entries = &self.entries;
        match condition {
            Condition::All(all) => all.iter().all(|condition| self.fulfils(condition)),
            Condition::Any(any) => any.iter().any(|condition| self.fulfils(condition)),
            Condition::Not(condition) => !self.fulfils(condition),
            Condition::Term(term) => entries.terms.binary_search(term).is_ok(),
            Condition::InDossier(own) => own.iter().any(|(_, term)| entries.terms.binary_search(term).is_ok()),
            Condition::Kind(kinds) => kinds.contains(&self.kind),
            Condition::Linked(_) => panic!("a link is decided by the store"),
            Condition::Id(ids) => ids.contains(&self.id),
            Condition::Date(None, bounds) => entries.main_date.is_some_and(|range| lies_within(range, bounds)),
            Condition::Date(Some(parameter), bounds) => {
                entries.dates.iter().any(|date| date.parameter == *parameter && lies_within(date.range, bounds))
            }
            Condition::Updated(bounds) => {
                let low = self.updated.micros();
                lies_within(DateRange { low, high: low + 1 }, bounds)
            }
            Condition::StringPrefix(parameter, text) => self.strings(*parameter).any(|folded| folded.starts_with(&**text)),
            Condition::StringContains(parameter, text) => self.strings(*parameter).any(|folded| folded.contains(&**text)),
            Condition::Quantity(parameter, unit, bounds) => entries.quantities.iter().any(|quantity| {
                let unit_fits = unit.is_none() || quantity.unit == *unit;
                quantity.parameter == *parameter && unit_fits && bounds.iter().all(|bound| stands(quantity, *bound))
            }),
        }
    }

    fn strings(&self, parameter: ParameterId) -> impl Iterator<Item = &str> {
        self.entries.strings.iter().filter(move |string| string.parameter == parameter).map(|string| &*string.folded)
    }
}

fn lies_within(range: DateRange, bounds: &[Bound]) -> bool {
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
