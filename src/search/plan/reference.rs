//! References compared (R4 search.html §reference).

use super::Condition;
use super::condition::{any, both};
use crate::definition::ParameterId;
use crate::fhir::{InstanceId, Reference, ResourceType};
use crate::search::extract::Indexer;
use crate::search::index::Term;
use crate::search::query::ReferenceValue;

/// The term that an instance of `kind` carries whose `parameter` points at an instance of this server.
pub(in crate::search) fn pointing(
    (kind, parameter): (ResourceType, ParameterId),
    (target, id): (ResourceType, &str),
    indexer: &Indexer,
) -> Term {
    match target {
        ResourceType::Patient if indexer.is_own_patient(kind, parameter) => indexer.terms().own_patient(parameter, id),
        _ => indexer.terms().instance(parameter, target, id),
    }
}

/// That `parameter` of an instance of `kind` points at `value`: at one of several for an id that says no type.
pub(super) fn condition(kind: ResourceType, parameter: ParameterId, value: &ReferenceValue, indexer: &Indexer) -> Condition {
    let terms = indexer.terms();
    let instance = |target, id: &str, version: Option<&str>| {
        let at_any_version = pointing((kind, parameter), (target, id), indexer);
        match version {
            Some(version) => both(at_any_version, terms.instance_version(parameter, (target, id, version))),
            None => Condition::Term(at_any_version),
        }
    };
    match value {
        ReferenceValue::Id(id) => {
            let targets = indexer.targets(kind, parameter);
            any(targets, |kind| instance(*kind, id.as_str(), None))
        }
        ReferenceValue::Instance { kind, id, version } => instance(*kind, id.as_str(), version.as_deref()),
        ReferenceValue::Url { url, version } => {
            let url_alone = match local(indexer, url) {
                Some(Reference::Instance { kind, id, version }) => instance(kind, id.as_str(), version),
                _ => Condition::Term(terms.url(parameter, url)),
            };
            match version {
                Some(version) => Condition::All(vec![url_alone, Condition::Term(terms.url_version(parameter, url, version))]),
                None => url_alone,
            }
        }
    }
}

fn local<'u>(indexer: &Indexer, url: &'u str) -> Option<Reference<'u>> {
    match Reference::read(url, indexer.base()) {
        found @ Reference::Instance { .. } => Some(found),
        _ => None,
    }
}

/// The patient on this server that `value` names, if it names one.
pub(super) fn patient(indexer: &Indexer, value: &ReferenceValue) -> Option<InstanceId> {
    match value {
        ReferenceValue::Instance { kind: ResourceType::Patient, id, .. } => Some(id.clone()),
        ReferenceValue::Url { url, version: None } => match local(indexer, url) {
            Some(Reference::Instance { kind: ResourceType::Patient, id, .. }) => Some(id),
            _ => None,
        },
        ReferenceValue::Id(_) | ReferenceValue::Instance { .. } | ReferenceValue::Url { .. } => None,
    }
}
