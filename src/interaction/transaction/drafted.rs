//! What the resources of a transaction will be found by, before they are there: criteria mean them too (B-09).

use std::collections::{HashMap, HashSet};

use super::prepare::Page;
use crate::fhir::ResourceType;
use crate::interaction::condition::Criteria;
use crate::outcome::Outcome;
use crate::search::Indexer;
use crate::search::index::{IndexEntries, Term};

/// The drafts of some types.
#[derive(Debug, Default)]
pub(super) struct Drafted {
    drafts: Vec<Draft>,
    /// The numbers of those that carry a leading term, in order.
    by_term: HashMap<(ResourceType, Term), Vec<usize>>,
}

#[derive(Debug)]
struct Draft {
    at: usize,
    kind: ResourceType,
    entries: IndexEntries,
}

impl Drafted {
    /// What those of `pages` will be found by that are of one of `kinds`.
    ///
    /// # Errors
    /// An expression of the standard that does not compile: a bug.
    pub(super) fn of(indexer: &Indexer, pages: &[Page<'_>], kinds: &HashSet<ResourceType>) -> Outcome<Self> {
        let mut drafted = Self::default();
        for page in pages.iter().filter(|page| kinds.contains(&page.kind())) {
            let (number, kind, entries) = (drafted.drafts.len(), page.kind(), indexer.entries(page.kind(), page.tree())?);
            for term in entries.terms.iter().filter(|term| term.leads()) {
                drafted.by_term.entry((kind, *term)).or_default().push(number);
            }
            drafted.drafts.push(Draft { at: page.at(), kind, entries });
        }
        Ok(drafted)
    }

    /// The positions of the entries whose drafts fulfil `criteria`, in order. What leads over other instances, or what no index
    /// says, is asked of the store alone.
    pub(super) fn meant(&self, criteria: &Criteria) -> Vec<usize> {
        let condition = &criteria.plan().condition;
        let numbers: Vec<usize> = match condition.terms_one_of() {
            Some(terms) => {
                let of_term = |term| self.by_term.get(&(criteria.kind(), term)).into_iter().flatten().copied();
                terms.into_iter().flat_map(of_term).collect()
            }
            None => (0..self.drafts.len()).collect(),
        };
        let drafts = numbers.into_iter().filter_map(|number| self.drafts.get(number));
        let meant = drafts.filter(|draft| draft.kind == criteria.kind() && condition.holds(&draft.entries));
        let mut meant: Vec<usize> = meant.map(|draft| draft.at).collect();
        meant.sort_unstable();
        meant.dedup();
        meant
    }
}
