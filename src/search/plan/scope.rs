//! Where a plan looks: what differs from type to type, and what belongs to a compartment (R4 compartmentdefinition.html).

use super::Condition;
use crate::definition::ParameterKind;
use crate::fhir::{Part, ResourceType};
use crate::outcome::Outcome;
use crate::search::extract::Indexer;
use crate::search::query::Within;

/// The condition that holds of an instance if that of its type does.
pub(super) fn each(kinds: &[ResourceType], conditions: Vec<Condition>) -> Condition {
    let mut groups: Vec<(Vec<ResourceType>, Condition)> = Vec::new();
    for (kind, condition) in kinds.iter().zip(conditions) {
        match groups.iter_mut().find(|(_, known)| *known == condition) {
            Some((kinds, _)) => kinds.push(*kind),
            None => groups.push((vec![*kind], condition)),
        }
    }
    match groups.pop() {
        Some((_, only)) if groups.is_empty() => only,
        last => {
            let of_kinds = |(kinds, condition)| Condition::All(vec![Condition::Kind(kinds), condition]);
            Condition::Any(groups.into_iter().chain(last).map(of_kinds).collect())
        }
    }
}

/// That an instance of one of `kinds` belongs to a compartment; and the dossiers in which all that does rests, where that is said.
pub(super) fn within(kinds: &[ResourceType], within: &Within, indexer: &Indexer) -> Outcome<(Condition, Option<Vec<Part>>)> {
    let conditions = kinds.iter().map(|kind| belongs(*kind, within, indexer)).collect::<Outcome<Vec<_>>>()?;
    let mut parts = Vec::new();
    let is_all_here = conditions.iter().all(|condition| rests_in(condition, &mut parts));
    parts.sort_unstable();
    parts.dedup();
    Ok((each(kinds, conditions), is_all_here.then_some(parts)))
}

/// That an instance of `kind` is the focus of a compartment, or points at it as the compartment wants.
fn belongs(kind: ResourceType, Within { compartment, id }: &Within, indexer: &Indexer) -> Outcome<Condition> {
    let focus = [(compartment.focus(), id.clone())];
    let mut ways = Vec::new();
    if kind == compartment.focus() {
        ways.push(Condition::Id(vec![id.clone()]));
    }
    let registry = indexer.registry();
    for code in registry.compartment(*compartment, kind) {
        let link = registry.parameter(kind, code);
        let link = link.filter(|link| link.kind == ParameterKind::Reference && link.expression.is_some());
        let Some(link) = link else { continue };
        match indexer.pointer(kind, link.id)?.at_any(&focus) {
            Condition::Any(alternatives) => ways.extend(alternatives),
            other => ways.push(other),
        }
    }
    ways.retain(|way| *way != Condition::InDossier(Vec::new()));
    Ok(Condition::Any(ways))
}

/// Whether all that fulfils `condition` rests in dossiers it names, which are added to `parts`.
fn rests_in(condition: &Condition, parts: &mut Vec<Part>) -> bool {
    match condition {
        Condition::Any(ways) => ways.iter().all(|way| rests_in(way, parts)),
        Condition::InDossier(own) => {
            parts.extend(own.iter().map(|(part, _)| *part));
            true
        }
        _ => false,
    }
}
