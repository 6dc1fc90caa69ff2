//! References as terms (R4 search.html §reference).

use crate::definition::ParameterId;
use crate::fhir::{InstanceId, Reference, ResourceType};
use crate::search::extract::Indexer;
use crate::search::index::Term;
use crate::search::query::ReferenceValue;

/// The terms of which an instance of `kind` carries one whose `parameter` points at `value`: several for an id that says no type.
pub(in crate::search) fn terms(
    kind: ResourceType,
    parameter: ParameterId,
    value: &ReferenceValue,
    indexer: &Indexer,
) -> Vec<Term> {
    let terms = indexer.terms();
    let is_own = indexer.is_own_patient(kind, parameter);
    let instance = |target, id: &str, version: Option<&str>| match version {
        Some(version) => terms.instance_version(parameter, (target, id, version)),
        None if target == ResourceType::Patient && is_own => terms.own_patient(parameter, id),
        None => terms.instance(parameter, target, id),
    };
    match value {
        ReferenceValue::Id(id) => {
            indexer.targets(kind, parameter).iter().map(|target| instance(*target, id.as_str(), None)).collect()
        }
        ReferenceValue::Instance { kind, id, version } => vec![instance(*kind, id.as_str(), version.as_deref())],
        ReferenceValue::Url { url, version: Some(version) } => vec![terms.url_version(parameter, url, version)],
        ReferenceValue::Url { url, version: None } => match local(indexer, url) {
            Some(Reference::Instance { kind, id, version }) => vec![instance(kind, id.as_str(), version)],
            _ => vec![terms.url(parameter, url)],
        },
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
