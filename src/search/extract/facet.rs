//! The search parameters of one type, their expressions compiled.

use std::sync::Arc;

use crate::definition::{Compartment, Component, Parameter, ParameterId, ParameterKind, Registry};
use crate::fhir::ResourceType;
use crate::fhirpath::Expression;
use crate::outcome::{Failure, Outcome};
use crate::search::parameter;

/// One search parameter of one type.
#[derive(Debug)]
pub(super) struct Facet {
    pub(super) id: ParameterId,
    pub(super) kind: ParameterKind,
    pub(super) expression: Arc<Expression>,
    /// Whether it is the type's main date.
    pub(super) is_main_date: bool,
    /// Whether each word of a family name begins an entry.
    pub(super) by_word: bool,
    /// Whether a patient it points at is the one in whose dossier the instance rests, and a search by it says so.
    pub(super) is_own_patient: bool,
}

/// What the index keeps of one type.
#[derive(Debug)]
pub(super) struct TypeIndex {
    pub(super) facets: Vec<Facet>,
    /// The facets by which the Patient compartment takes the type, in its order.
    pub(super) links: Vec<usize>,
}

impl TypeIndex {
    /// Compiles the parameters of `kind`.
    pub(super) fn compile(registry: &Registry, kind: ResourceType) -> Outcome<Self> {
        let indexed: Vec<&Parameter> = registry.parameters(kind).iter().filter(|parameter| is_indexed(parameter)).collect();
        let facets = indexed.iter().map(|parameter| Facet::compile(registry, kind, parameter)).collect::<Outcome<_>>()?;
        let codes = registry.compartment(Compartment::Patient, kind).iter();
        let place = |code: &str| indexed.iter().position(|parameter| parameter.code == code);
        Ok(Self { facets, links: codes.filter_map(|code| place(code)).collect() })
    }
}

impl Facet {
    /// A component of a composite parameter; its values are those of the parameter whose URL it names.
    pub(super) fn of_component(registry: &Registry, kind: ResourceType, component: &Component) -> Outcome<Self> {
        let id = ParameterId::of_url(component.url);
        let named = registry.parameters(kind).iter().find(|parameter| parameter.id == id);
        Ok(Self {
            id,
            kind: component.kind,
            expression: Arc::new(Expression::parse(&component.expression).map_err(Failure::fault)?),
            is_main_date: registry.main_date(kind).is_some_and(|main| main.id == id),
            by_word: named.is_some_and(|named| parameter::is_by_word(&named.code, named.kind)),
            is_own_patient: parameter::is_own_patient(registry, kind, id),
        })
    }

    /// One value of a parameter, which is the focus itself.
    pub(super) fn of_item(registry: &Registry, kind: ResourceType, parameter: &Parameter) -> Outcome<Self> {
        let expression = Arc::new(Expression::parse("$this").map_err(Failure::fault)?);
        Ok(Self { expression, by_word: false, ..Self::compile(registry, kind, parameter)? })
    }

    fn compile(registry: &Registry, kind: ResourceType, parameter: &Parameter) -> Outcome<Self> {
        let text = parameter.expression.as_deref().unwrap_or_default();
        let expression = Expression::parse(text).map_err(|error| Failure::fault(format!("{}: {error}", parameter.url)))?;
        Ok(Self {
            id: parameter.id,
            kind: parameter.kind,
            expression: Arc::new(expression),
            is_main_date: registry.main_date(kind).is_some_and(|main| main.id == parameter.id),
            by_word: parameter::is_by_word(&parameter.code, parameter.kind),
            is_own_patient: parameter::is_own_patient(registry, kind, parameter.id),
        })
    }
}

/// `_id` and `_lastUpdated` stand on the instance's own row; composites and special parameters are not indexed yet.
fn is_indexed(parameter: &Parameter) -> bool {
    let indexed_kind = !matches!(parameter.kind, ParameterKind::Composite | ParameterKind::Special);
    indexed_kind && parameter.expression.is_some() && !matches!(&*parameter.code, "_id" | "_lastUpdated")
}
