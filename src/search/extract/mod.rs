//! The index entries of a resource, found by the official expressions of its type's search parameters.

mod collect;
mod date;
mod examination;
mod facet;
mod focus;
mod pointer;
mod quantity;
mod reference;
mod shape;
mod sorting;
mod text;
mod token;

#[cfg(test)]
mod tests;

use std::sync::{Arc, OnceLock};

use chrono_tz::Tz;

use super::index::{DateRange, Epoch, IndexEntries};
use super::parameter;
use super::plan::Condition;
use super::term::Terms;
use crate::definition::{ParameterId, ParameterKind, Registry};
use crate::fhir::date::PartialDate;
use crate::fhir::json::{Node, Tree};
use crate::fhir::{InstanceKey, Part, Reference, ResourceType};
use crate::fhirpath::model::Model;
use crate::fhirpath::{Element, Expression, Item};
use crate::outcome::{Failure, Outcome};
use collect::{Collector, text_of};
pub use examination::Examination;
pub(in crate::search) use examination::{Asked, Repetitions, words_of};
use facet::{Facet, TypeIndex};
pub use focus::focused;
pub use pointer::{Name, Pointer};
pub(crate) use quantity::in_base_units;
use shape::Shape;
pub use sorting::Reading;

/// Writes the entries of one store. Cheap to share, made once; the expressions of a type are compiled when the first resource of
/// that type comes.
#[derive(Debug)]
pub struct Indexer {
    registry: Registry,
    /// In which state of the store's own parameters it was made.
    epoch: Epoch,
    /// The parameters by which older instances may not be found yet.
    pending: Vec<ParameterId>,
    base: Arc<str>,
    terms: Terms,
    zone: Tz,
    /// By the number of the type.
    types: Box<[OnceLock<Arc<TypeIndex>>]>,
    /// By the number of the FHIR type in the registry.
    shapes: Arc<[Shape]>,
}

impl Indexer {
    /// An indexer for a server at `base_url` (no final slash), under the store's own key; `zone` is that of dates that name none.
    pub fn new(registry: &Registry, base_url: &str, term_key: [u8; 16], zone: Tz) -> Self {
        let shape = |(id, _)| Shape::of(registry.type_name(crate::fhirpath::model::TypeId(id)));
        Self {
            registry: registry.clone(),
            epoch: Epoch::default(),
            pending: Vec::new(),
            base: base_url.trim_end_matches('/').into(),
            terms: Terms::new(term_key),
            zone,
            types: ResourceType::ALL.iter().map(|_| OnceLock::new()).collect(),
            shapes: (0_u16..).zip(registry.structures()).map(shape).collect(),
        }
    }

    /// An indexer of the same store by the parameters of `registry`, in the state `epoch` of those that are its own; by those that
    /// are `pending`, older instances may not be found yet.
    #[must_use]
    pub fn by(&self, registry: Registry, epoch: Epoch, pending: Vec<ParameterId>) -> Self {
        let kept = |(kind, place): (&ResourceType, &OnceLock<Arc<TypeIndex>>)| {
            let known = place.get().filter(|_| registry.shares_parameters(&self.registry, *kind));
            known.map_or_else(OnceLock::new, |known| OnceLock::from(Arc::clone(known)))
        };
        Self {
            epoch,
            pending,
            base: self.base.clone(),
            terms: self.terms.clone(),
            zone: self.zone,
            types: ResourceType::ALL.iter().zip(&self.types).map(kept).collect(),
            shapes: Arc::clone(&self.shapes),
            registry,
        }
    }

    /// The definitions by which it works.
    pub fn registry(&self) -> &Registry {
        &self.registry
    }

    /// In which state of the store's own parameters it was made.
    pub fn epoch(&self) -> Epoch {
        self.epoch
    }

    /// Whether older instances may not be found yet by `parameter`.
    pub(super) fn is_pending(&self, parameter: ParameterId) -> bool {
        self.pending.contains(&parameter)
    }

    /// Everything `tree`, a resource of type `kind`, is found by.
    ///
    /// # Errors
    /// `Fault` where an expression of the standard does not compile; a resource alone cannot make it fail.
    pub fn entries(&self, kind: ResourceType, tree: &Tree<'_>) -> Outcome<IndexEntries> {
        let index = self.of_type(kind)?;
        let (focus, environment) = focused(&self.registry, kind, tree);
        let mut collector = Collector { terms: &self.terms, base: &self.base, zone: self.zone, entries: IndexEntries::default() };
        for facet in &index.facets {
            let mut found = false;
            // Where an expression stops at a fault of the resource, what it had found counts.
            let _ =
                facet.expression.visit(focus.clone(), &environment, &mut |item| found |= self.take(&mut collector, facet, &item));
            if found {
                collector.present(facet);
            }
        }
        Ok(collector.finish())
    }

    /// The dossier a resource belongs to: that of the first patient it points at, the parameters of the Patient compartment in
    /// their order; the directory where it points at none. A Patient belongs to its own, which the caller knows. A Binary, which no
    /// compartment holds, belongs where its security context does.
    pub fn part(&self, kind: ResourceType, tree: &Tree<'_>) -> Part {
        let Ok(index) = self.of_type(kind) else { return Part::DIRECTORY };
        let (focus, environment) = focused(&self.registry, kind, tree);
        let links = index.links.iter().filter_map(|link| index.facets.get(*link));
        let found = links.flat_map(|facet| facet.expression.evaluate(focus.clone(), &environment).unwrap_or_default());
        let part = |item: Item<'_>| self.patient_part(item.element().and_then(Element::value)?);
        found.into_iter().find_map(part).or_else(|| self.security_part(kind, tree)).unwrap_or(Part::DIRECTORY)
    }

    /// The dossier of the resource whose rules those of a Binary are, where its id says it.
    fn security_part(&self, kind: ResourceType, tree: &Tree<'_>) -> Option<Part> {
        let context = tree.root().member("securityContext").filter(|_| kind == ResourceType::Binary)?;
        let named = |context| match Reference::read(&text_of(context, "reference")?, &self.base) {
            Reference::Instance { id, .. } => InstanceKey::read(&id).map(|key| key.part),
            _ => None,
        };
        self.patient_part(context).or_else(|| named(context))
    }

    /// Whether `parameter` is the main date of `kind`, kept on the instance's own row.
    pub(super) fn is_main_date(&self, kind: ResourceType, parameter: ParameterId) -> bool {
        self.registry.main_date(kind).is_some_and(|main| main.id == parameter)
    }

    pub(super) fn decides_dossier(&self, kind: ResourceType, parameter: ParameterId) -> bool {
        parameter::decides_dossier(&self.registry, kind, parameter)
    }

    pub(super) fn is_own_patient(&self, kind: ResourceType, parameter: ParameterId) -> bool {
        parameter::is_own_patient(&self.registry, kind, parameter)
    }

    pub(super) fn targets(&self, kind: ResourceType, parameter: ParameterId) -> &[ResourceType] {
        parameter::targets(&self.registry, kind, parameter)
    }

    pub(super) fn implied_system(&self, kind: ResourceType, parameter: ParameterId) -> Option<&'static str> {
        parameter::implied_system(&self.registry, kind, parameter)
    }

    /// A reference parameter of `kind`, to be followed.
    ///
    /// # Errors
    /// `Fault` where the index keeps no such parameter, or one that does not compile: a bug.
    pub(super) fn pointer(&self, kind: ResourceType, parameter: ParameterId) -> Outcome<Pointer> {
        let facet = self.of_type(kind)?.facets.iter().find(|facet| facet.id == parameter);
        let facet = facet.ok_or_else(|| Failure::fault("a reference that the index does not keep"))?;
        Ok(Pointer::new(self, kind, facet))
    }

    /// Shows `visit` the literal references that `tree` holds in `parameter`, or in every reference parameter of its type.
    ///
    /// # Errors
    /// As [`entries`](Self::entries).
    pub(super) fn visit_references(
        &self,
        kind: ResourceType,
        tree: &Tree<'_>,
        parameter: Option<ParameterId>,
        visit: &mut dyn FnMut(&str),
    ) -> Outcome<()> {
        let index = self.of_type(kind)?;
        let (focus, environment) = focused(&self.registry, kind, tree);
        let wanted = |facet: &&Facet| facet.kind == ParameterKind::Reference && parameter.is_none_or(|id| facet.id == id);
        for facet in index.facets.iter().filter(wanted) {
            // Where an expression stops at a fault of the resource, what it had found counts.
            let _ = facet.expression.visit(focus.clone(), &environment, &mut |item| {
                let Some(node) = item.element().and_then(Element::value) else { return };
                if let Some(text) = text_of(node, "reference").or_else(|| node.string()) {
                    visit(&text);
                }
            });
        }
        Ok(())
    }

    /// A question to the bodies of instances of `kind` that fulfil what is `necessary`.
    pub(super) fn examination(&self, kind: ResourceType, necessary: Condition, asked: Asked) -> Examination {
        Examination::new(self, kind, necessary, asked)
    }

    /// The expression of a parameter of `kind`.
    ///
    /// # Errors
    /// `Fault` where it has none or does not compile: a bug.
    pub(super) fn expression(&self, kind: ResourceType, parameter: ParameterId) -> Outcome<Arc<Expression>> {
        if let Some(facet) = self.of_type(kind)?.facets.iter().find(|facet| facet.id == parameter) {
            return Ok(Arc::clone(&facet.expression));
        }
        let found = self.registry.parameters(kind).iter().find(|candidate| candidate.id == parameter);
        let text = found.and_then(|found| found.expression.as_deref()).ok_or_else(|| Failure::fault("no expression"))?;
        Expression::parse(text).map(Arc::new).map_err(Failure::fault)
    }

    /// The repetitions of a composite parameter of `kind`.
    ///
    /// # Errors
    /// `Fault` where an expression of it does not compile: a bug.
    pub(super) fn repetitions(&self, kind: ResourceType, parameter: ParameterId) -> Outcome<Repetitions> {
        let composite = self.registry.parameters(kind).iter().find(|candidate| candidate.id == parameter);
        let composite = composite.ok_or_else(|| Failure::fault("a composite that the registry does not know"))?;
        let whole = Expression::parse(composite.expression.as_deref().unwrap_or_default()).map_err(Failure::fault)?;
        let component = |component| Facet::of_component(&self.registry, kind, component);
        Ok(Repetitions { whole, components: composite.components.iter().map(component).collect::<Outcome<_>>()? })
    }

    /// The values of a parameter of `kind`, each by itself.
    ///
    /// # Errors
    /// As [`repetitions`](Self::repetitions).
    pub(super) fn items(&self, kind: ResourceType, parameter: ParameterId) -> Outcome<Repetitions> {
        let found = self.registry.parameters(kind).iter().find(|candidate| candidate.id == parameter);
        let found = found.ok_or_else(|| Failure::fault("a parameter that the registry does not know"))?;
        let whole = Expression::parse(found.expression.as_deref().unwrap_or_default()).map_err(Failure::fault)?;
        Ok(Repetitions { whole, components: vec![Facet::of_item(&self.registry, kind, found)?] })
    }

    /// Whether the index keeps `parameter` of `kind`.
    pub(super) fn keeps(&self, kind: ResourceType, parameter: ParameterId) -> bool {
        self.of_type(kind).is_ok_and(|index| index.facets.iter().any(|facet| facet.id == parameter))
    }

    pub(super) fn terms(&self) -> &Terms {
        &self.terms
    }

    pub(super) fn base(&self) -> &str {
        &self.base
    }

    pub(super) fn zone(&self) -> Tz {
        self.zone
    }

    /// The time that a date covers, written in any form; `None`: it is none.
    pub fn range(&self, date: &str) -> Option<DateRange> {
        let (low, high) = PartialDate::parse(date).ok()?.range(self.zone);
        Some(DateRange { low, high })
    }

    fn of_type(&self, kind: ResourceType) -> Outcome<&TypeIndex> {
        let place = self.types.get(kind as usize).ok_or_else(|| Failure::fault("a type without a place"))?;
        if let Some(index) = place.get() {
            return Ok(index);
        }
        let index = TypeIndex::compile(&self.registry, kind)?;
        Ok(place.get_or_init(|| Arc::new(index)))
    }

    /// Takes one item; whether it is a value at all.
    fn take(&self, collector: &mut Collector<'_>, facet: &Facet, item: &Item<'_>) -> bool {
        match item {
            Item::Element(element) => {
                let Some(node) = element.value() else { return false };
                collector.element(facet, Shape::of_element(&self.shapes, element), node);
            }
            Item::Value(value) => collector.computed(facet, &value.to_string()),
        }
        true
    }

    fn patient_part(&self, reference: Node<'_>) -> Option<Part> {
        match Reference::read(&text_of(reference, "reference")?, &self.base) {
            Reference::Instance { kind: ResourceType::Patient, id, .. } => Some(Part::of_patient(&id)),
            _ => None,
        }
    }
}
