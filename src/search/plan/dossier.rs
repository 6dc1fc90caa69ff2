//! Which dossiers a query can find anything in: a search of one dossier must not look into all of them.

use super::condition::ids;
use super::reference;
use crate::fhir::{Part, ResourceType};
use crate::search::extract::Indexer;
use crate::search::query::{Criterion, Filter, PathMatch, Query, ReferenceValue, Test, TokenMatch};

/// The parts in which every match rests; `None` where the query does not say. The first criterion that says so is enough.
pub(super) fn of(query: &Query, indexer: &Indexer) -> Option<Vec<Part>> {
    query.criteria().iter().find_map(|criteria| {
        let parts = query.kinds().iter().zip(criteria).map(|(kind, criterion)| of_criterion(*kind, criterion, indexer));
        Some(distinct(parts.collect::<Option<Vec<_>>>()?.concat()))
    })
}

/// The same of one criterion of instances of `kind`.
pub(super) fn of_criterion(kind: ResourceType, criterion: &Criterion, indexer: &Indexer) -> Option<Vec<Part>> {
    match criterion {
        Criterion::Own(filter) => of_filter(kind, filter, indexer),
        Criterion::All(parts) => parts.iter().find_map(|part| of_criterion(kind, part, indexer)),
        Criterion::Chain(_) | Criterion::Has(_) | Criterion::Any(_) | Criterion::Not(_) => None,
    }
}

fn of_filter(kind: ResourceType, filter: &Filter, indexer: &Indexer) -> Option<Vec<Part>> {
    match &filter.test {
        Test::Reference(PathMatch::Is, values) if indexer.decides_dossier(kind, filter.parameter) => {
            of_references(values, indexer)
        }
        // A patient rests in its own dossier.
        Test::Token(TokenMatch::Is, values) if kind == ResourceType::Patient && &*filter.code == "_id" => {
            Some(distinct(ids(values).iter().map(Part::of_patient).collect()))
        }
        _ => None,
    }
}

/// One value that is no patient of this server is enough to say nothing: what has it may rest anywhere.
fn of_references(values: &[ReferenceValue], indexer: &Indexer) -> Option<Vec<Part>> {
    let part = |value| reference::patient(indexer, value).as_ref().map(Part::of_patient);
    Some(distinct(values.iter().map(part).collect::<Option<_>>()?))
}

fn distinct(mut parts: Vec<Part>) -> Vec<Part> {
    parts.sort_unstable();
    parts.dedup();
    parts
}
