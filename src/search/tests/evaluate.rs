//! The meaning of a condition, in memory.

use crate::fhir::{InstanceId, Instant, ResourceType};
use crate::search::index::{DateRange, IndexEntries};
use crate::search::plan::{Condition, lies_within};

/// An instance as the store would see it.
pub(super) struct Candidate {
    pub(super) kind: ResourceType,
    pub(super) id: InstanceId,
    pub(super) updated: Instant,
    pub(super) entries: IndexEntries,
    pub(super) body: String,
}

impl Candidate {
    pub(super) fn fulfils(&self, condition: &Condition) -> bool {
        match condition {
            Condition::All(all) => all.iter().all(|condition| self.fulfils(condition)),
            Condition::Any(any) => any.iter().any(|condition| self.fulfils(condition)),
            Condition::Not(condition) => !self.fulfils(condition),
            Condition::Kind(kinds) => kinds.contains(&self.kind),
            Condition::InDossier(own) => own.iter().any(|(_, term)| self.entries.terms.binary_search(term).is_ok()),
            Condition::Linked(_) | Condition::At(_) => panic!("a link is decided by the store"),
            Condition::Examined(examination) => {
                let passes = examination.passes(self.body.as_bytes()).unwrap();
                assert!(
                    !passes || self.fulfils(&examination.necessary),
                    "what passes fulfils what is necessary: {examination:?}"
                );
                passes
            }
            Condition::Id(ids) => ids.contains(&self.id),
            Condition::Updated(bounds) => {
                let low = self.updated.micros();
                lies_within(DateRange { low, high: low + 1 }, bounds)
            }
            of_entries => of_entries.holds(&self.entries),
        }
    }
}
