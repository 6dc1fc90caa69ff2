//! References as terms (R4 search.html §reference).

use crate::definition::ParameterId;
use crate::fhir::{InstanceId, Reference, ResourceType};
use crate::search::extract::Indexer;
use crate::search::index::Term;
use crate::search::query::ReferenceValue;

/// The term an instance carries whose `parameter` points at `value`.
pub(super) fn term(indexer: &Indexer, parameter: ParameterId, value: &ReferenceValue) -> Term {
    let terms = indexer.terms();
    match value {
        ReferenceValue::Id(id) => terms.instance_id(parameter, id.as_str()),
        ReferenceValue::Instance { kind, id, version } => instance(indexer, parameter, (*kind, id.as_str(), version.as_deref())),
        ReferenceValue::Url { url, version: Some(version) } => terms.url_version(parameter, url, version),
        ReferenceValue::Url { url, version: None } => match local(indexer, url) {
            Some(Reference::Instance { kind, id, version }) => instance(indexer, parameter, (kind, id.as_str(), version)),
            _ => terms.url(parameter, url),
        },
    }
}

fn instance(indexer: &Indexer, parameter: ParameterId, (kind, id, version): (ResourceType, &str, Option<&str>)) -> Term {
    match version {
        Some(version) => indexer.terms().instance_version(parameter, (kind, id, version)),
        None => indexer.terms().instance(parameter, kind, id),
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
