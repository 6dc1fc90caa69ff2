//! A reference parameter, followed: from an instance to what it points at, and from an instance to what points at it.

use std::fmt;
use std::sync::Arc;

use super::Indexer;
use super::collect::text_of;
use super::facet::Facet;
use super::focus::focused;
use crate::definition::{ParameterId, Registry};
use crate::fhir::json::{Node, Tree};
use crate::fhir::{InstanceId, Part, Reference, ResourceType};
use crate::fhirpath::{Element, Expression};
use crate::outcome::{Failure, Outcome};
use crate::search::plan::Condition;
use crate::search::term::Terms;

/// The name of an instance on this server.
pub type Name = (ResourceType, InstanceId);

/// One reference parameter of one type.
#[derive(Clone)]
pub struct Pointer {
    registry: Registry,
    base: Arc<str>,
    terms: Terms,
    kind: ResourceType,
    parameter: ParameterId,
    expression: Arc<Expression>,
    is_own_patient: bool,
}

impl Pointer {
    pub(super) fn new(indexer: &Indexer, kind: ResourceType, facet: &Facet) -> Self {
        Self {
            registry: indexer.registry.clone(),
            base: Arc::clone(&indexer.base),
            terms: indexer.terms.clone(),
            kind,
            parameter: facet.id,
            expression: Arc::clone(&facet.expression),
            is_own_patient: facet.is_own_patient,
        }
    }

    /// The type that points.
    pub fn kind(&self) -> ResourceType {
        self.kind
    }

    /// The instances of this server that `json`, an instance of the type that points, points at. A version that a reference names
    /// does not count: its instance is meant as it is now.
    ///
    /// # Errors
    /// `Fault` where `json` is no resource: what is stored is one.
    pub fn targets(&self, json: &[u8]) -> Outcome<Vec<Name>> {
        let tree = Tree::parse(json).map_err(Failure::fault)?;
        let (focus, environment) = focused(&self.registry, self.kind, &tree);
        let mut names = Vec::new();
        // Where an expression stops at a fault of the resource, what it had found counts, as it does in the index.
        let _ = self.expression.visit(focus, &environment, &mut |item| {
            names.extend(item.element().and_then(Element::value).and_then(|node| self.name(node)));
        });
        Ok(names)
    }

    /// That an instance of the type that points does so at one of `names`.
    pub fn at_any(&self, names: &[Name]) -> Condition {
        if !self.is_own_patient {
            return Condition::Any(names.iter().map(|(kind, id)| self.at(*kind, id)).collect());
        }
        let (patients, others): (Vec<&Name>, Vec<&Name>) = names.iter().partition(|(kind, _)| *kind == ResourceType::Patient);
        let mut own: Vec<_> =
            patients.iter().map(|(_, id)| (Part::of_patient(id), self.terms.own_patient(self.parameter, id.as_str()))).collect();
        own.sort_unstable();
        own.dedup();
        let others = others.into_iter().map(|(kind, id)| self.at(*kind, id));
        Condition::Any(std::iter::once(Condition::InDossier(own)).chain(others).collect())
    }

    fn at(&self, kind: ResourceType, id: &InstanceId) -> Condition {
        Condition::Term(self.terms.instance(self.parameter, kind, id.as_str()))
    }

    fn name(&self, node: Node<'_>) -> Option<Name> {
        if let Some(kind) = text_of(node, "resourceType") {
            return Some((kind.parse().ok()?, text_of(node, "id")?.parse().ok()?));
        }
        let text = text_of(node, "reference").or_else(|| node.string())?;
        match Reference::read(&text, &self.base) {
            Reference::Instance { kind, id, .. } => Some((kind, id)),
            _ => None,
        }
    }
}

impl PartialEq for Pointer {
    fn eq(&self, other: &Self) -> bool {
        (self.kind, self.parameter) == (other.kind, other.parameter)
    }
}

impl fmt::Debug for Pointer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.kind, self.parameter.0)
    }
}
