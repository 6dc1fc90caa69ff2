//! References followed: from a resource to what it points at, and plans that find what points at it (R4 search.html §include).

use std::collections::{BTreeMap, BTreeSet};

use super::extract::Indexer;
use super::index::Term;
use super::plan::{Condition, Plan, pointing};
use super::query::Inclusion;
use crate::definition::{Parameter, ParameterKind, Registry};
use crate::fhir::json::Tree;
use crate::fhir::{InstanceId, Part, Reference, ResourceType, VersionId};
use crate::outcome::Outcome;

/// The most references that are looked for at once: so many parameters of so many types, times the instances they may point at.
pub const MAX_SOUGHT: usize = 20_000;

/// What a reference names on this server.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Target {
    /// The type.
    pub kind: ResourceType,
    /// The logical id.
    pub id: InstanceId,
    /// The version, where the reference names one.
    pub version: Option<VersionId>,
}

impl Inclusion {
    /// What of this server `tree`, a resource of type `kind`, points at in the sense of an `_include`.
    ///
    /// # Errors
    /// `Fault` where an expression of the standard does not compile.
    pub fn pointed_at(&self, indexer: &Indexer, kind: ResourceType, tree: &Tree<'_>) -> Outcome<Vec<Target>> {
        if self.source.is_some_and(|source| source != kind) {
            return Ok(Vec::new());
        }
        let mut pointers = Vec::new();
        indexer.visit_references(kind, tree, self.parameter, &mut |text| {
            let Reference::Instance { kind, id, version } = Reference::read(text, indexer.base()) else { return };
            if self.target.is_some_and(|target| target != kind) {
                return;
            }
            // A version that this server could not have given names nothing here.
            let version = version.map(str::parse).transpose();
            pointers.extend(version.map(|version| Target { kind, id, version }));
        })?;
        Ok(pointers)
    }

    /// The plans that find what points at one of `targets` in the sense of a `_revinclude`, `count` at most each; `None` where
    /// they would look for more than [`MAX_SOUGHT`]. What can only rest in the dossier of its patient is sought there, the rest everywhere.
    pub fn pointing(&self, indexer: &Indexer, targets: &[(ResourceType, InstanceId)], count: u32) -> Option<Vec<Plan>> {
        let mut sought: BTreeMap<(ResourceType, bool), Sought> = BTreeMap::new();
        let mut looked_for = 0;
        let wanted = |kind: ResourceType| self.target.is_none_or(|target| target == kind);
        for (kind, id) in targets.iter().filter(|(kind, _)| wanted(*kind)) {
            for (source, parameter) in self.references(indexer.registry(), *kind) {
                let stays = *kind == ResourceType::Patient && indexer.is_own_patient(source, parameter.id);
                let sought = sought.entry((source, stays)).or_default();
                sought.terms.insert(pointing((source, parameter.id), (*kind, id.as_str()), indexer));
                sought.parts.insert(Part::of_patient(id));
                looked_for += 1;
                if looked_for > MAX_SOUGHT {
                    return None;
                }
            }
        }
        Some(sought.into_iter().map(|((source, stays), sought)| sought.plan(source, stays, count)).collect())
    }

    /// The references by which this follows, of every type that may point at a `target`.
    fn references<'r>(
        &self,
        registry: &'r Registry,
        target: ResourceType,
    ) -> impl Iterator<Item = (ResourceType, &'r Parameter)> + use<'r> {
        let (source, parameter) = (self.source, self.parameter);
        let sources = ResourceType::ALL.iter().copied().filter(move |kind| source.is_none_or(|source| source == *kind));
        sources.flat_map(move |kind| references(registry, kind).map(move |found| (kind, found))).filter(move |(_, found)| {
            parameter.is_none_or(|id| found.id == id) && (found.targets.is_empty() || found.targets.contains(&target))
        })
    }
}

/// The reference parameters of a type that are searched by.
pub fn references(registry: &Registry, kind: ResourceType) -> impl Iterator<Item = &Parameter> {
    let is_followed = |found: &&Parameter| found.kind == ParameterKind::Reference && found.expression.is_some();
    registry.parameters(kind).iter().filter(is_followed)
}

#[derive(Default)]
struct Sought {
    terms: BTreeSet<Term>,
    parts: BTreeSet<Part>,
}

impl Sought {
    fn plan(self, source: ResourceType, stays: bool, count: u32) -> Plan {
        Plan {
            kinds: vec![source],
            dossiers: stays.then(|| self.parts.into_iter().collect()),
            condition: Condition::Any(self.terms.into_iter().map(Condition::Term).collect()),
            order: Vec::new(),
            count,
            after: None,
            backward: false,
            total: false,
        }
    }
}
