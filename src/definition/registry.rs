//! The registry itself.

use std::sync::{Arc, OnceLock};

use super::build;
use super::compartment::{self, Compartment, Links};
use super::core::{self, Lazy};
use super::custom::CustomParameter;
use super::error::LoadError;
use super::expression;
use super::invariant::{self, Invariant, InvariantId};
use super::operation::Operation;
use super::parameter::{self, Parameter, ParameterKind};
use super::profile::Profile;
use super::structure::Structure;
use super::terminology::{CodeSystem, ValueSet};
use crate::fhir::ResourceType;
use crate::fhirpath::model::{ModelId, TypeId};

/// Everything R4 4.0.1 defines, and perhaps search parameters beside. What the standard says is shared by all registries that
/// differ in those alone, so that one is made and cloned at little cost.
#[derive(Clone, Debug)]
pub struct Registry {
    standard: Arc<Standard>,
    /// By the number of the type.
    parameters: Arc<[Arc<[Parameter]>]>,
}

/// What R4 4.0.1 itself defines, but for its search parameters.
#[derive(Debug)]
struct Standard {
    structures: Box<[Structure]>,
    named: Box<[(&'static str, TypeId)]>,
    resources: Box<[TypeId]>,
    invariants: Box<[Invariant]>,
    compartments: Box<[Links]>,
    operations: OnceLock<Box<[Operation]>>,
    profiles: OnceLock<Lazy>,
    code_systems: OnceLock<Lazy>,
    value_sets: OnceLock<Lazy>,
    /// What tells it from other models of types.
    model_id: Option<ModelId>,
    /// What [`Registry::structure`] gives for a number that is none of its own.
    nothing: Structure,
}

impl Registry {
    /// Builds the registry from the facts in the binary.
    ///
    /// # Errors
    /// Where the embedded facts contradict themselves.
    pub fn embedded() -> Result<Self, LoadError> {
        let invariants = invariant::load()?;
        let types = build::load(&invariants)?;
        let resources =
            ResourceType::ALL.iter().map(|kind| find(&types.named, kind.name()).ok_or(*kind)).collect::<Result<_, _>>();
        let resources =
            resources.map_err(|kind| LoadError::Undefined { place: core::TYPES.file, name: kind.name().to_owned() })?;
        let standard = Standard {
            structures: types.structures,
            named: types.named,
            resources,
            invariants,
            compartments: compartment::load()?,
            operations: OnceLock::new(),
            profiles: OnceLock::new(),
            code_systems: OnceLock::new(),
            value_sets: OnceLock::new(),
            model_id: ModelId::fresh(),
            nothing: Structure::nothing(),
        };
        Ok(Self { standard: Arc::new(standard), parameters: parameter::load()?.into() })
    }

    /// The same registry with `custom` search parameters beside those it has.
    #[must_use]
    pub fn with<'c>(&self, custom: impl IntoIterator<Item = &'c CustomParameter>) -> Self {
        let mut lists: Vec<Option<Vec<Parameter>>> = self.parameters.iter().map(|_| None).collect();
        for (kind, parameter) in custom.into_iter().flat_map(CustomParameter::parameters) {
            let at = kind as usize;
            if let (Some(list), Some(known)) = (lists.get_mut(at), self.parameters.get(at)) {
                list.get_or_insert_with(|| known.to_vec()).push(parameter);
            }
        }
        let parameters = self.parameters.iter().zip(lists).map(|(known, extended)| match extended {
            Some(mut list) => {
                list.sort_by(|one, other| one.code.cmp(&other.code));
                list.into()
            }
            None => Arc::clone(known),
        });
        Self { standard: Arc::clone(&self.standard), parameters: parameters.collect() }
    }

    /// Whether `other` has the same search parameters of a type as this one, because neither was given any since they parted.
    pub fn shares_parameters(&self, other: &Self, kind: ResourceType) -> bool {
        match (self.parameters.get(kind as usize), other.parameters.get(kind as usize)) {
            (Some(own), Some(theirs)) => Arc::ptr_eq(own, theirs),
            _ => false,
        }
    }

    /// The registry of this process, built when it is first asked for.
    ///
    /// # Errors
    /// As [`Registry::embedded`].
    pub fn shared() -> Result<&'static Self, LoadError> {
        static SHARED: OnceLock<Registry> = OnceLock::new();
        if let Some(registry) = SHARED.get() {
            return Ok(registry);
        }
        let registry = Self::embedded()?;
        Ok(SHARED.get_or_init(|| registry))
    }

    /// The type of a resource.
    pub fn resource(&self, kind: ResourceType) -> TypeId {
        self.standard.resources.get(kind as usize).copied().unwrap_or(TypeId(u16::MAX))
    }

    /// What a type consists of.
    pub fn structure(&self, type_id: TypeId) -> &Structure {
        self.standard.structures.get(usize::from(type_id.0)).unwrap_or(&self.standard.nothing)
    }

    /// Every type: data types, resource types, and the types of backbone elements.
    pub fn structures(&self) -> &[Structure] {
        &self.standard.structures
    }

    pub(super) fn model_id(&self) -> Option<ModelId> {
        self.standard.model_id
    }

    pub(super) fn named(&self, name: &str) -> Option<TypeId> {
        find(&self.standard.named, name)
    }

    /// An invariant.
    pub fn invariant(&self, id: InvariantId) -> Option<&Invariant> {
        self.standard.invariants.get(usize::from(id.0))
    }

    /// Every invariant, sorted by key.
    pub fn invariants(&self) -> &[Invariant] {
        &self.standard.invariants
    }

    /// The search parameters of a type, those of `Resource` and `DomainResource` included, sorted by code.
    pub fn parameters(&self, kind: ResourceType) -> &[Parameter] {
        self.parameters.get(kind as usize).map_or(&[], |list| list)
    }

    /// The search parameter of a type that a query calls `code`.
    pub fn parameter(&self, kind: ResourceType, code: &str) -> Option<&Parameter> {
        let list = self.parameters(kind);
        list.get(list.binary_search_by(|parameter| (*parameter.code).cmp(code)).ok()?)
    }

    /// The type's main date: the standard's parameter called `date`, where that is one element that does not repeat.
    pub fn main_date(&self, kind: ResourceType) -> Option<&Parameter> {
        self.parameter(kind, "date").filter(|parameter| {
            let path = parameter.expression.as_deref().unwrap_or_default();
            !parameter.is_custom && parameter.kind == ParameterKind::Date && self.element_repeats(kind, path) == Some(false)
        })
    }

    /// Whether a path such as `Encounter.period` or `(Observation.value as Quantity)` can give more than one value; `None`
    /// where it is not a plain path of elements.
    pub fn element_repeats(&self, kind: ResourceType, path: &str) -> Option<bool> {
        let mut steps = expression::path(path)?;
        if steps.next()? != kind.name() {
            return None;
        }
        let (mut at, mut repeats) = (self.resource(kind), false);
        for step in steps {
            let structure = self.structure(at);
            let element = structure.elements.iter().find(|element| element.name == step)?;
            repeats |= element.repeats();
            // Nothing follows a choice in a plain path, so its first type will do.
            at = element.types.first()?.type_id;
        }
        Some(repeats)
    }

    /// The codes of the search parameters that link a type into a compartment; empty for a type outside it. The focus
    /// of a compartment is in it besides, whatever its parameters say.
    pub fn compartment(&self, compartment: Compartment, kind: ResourceType) -> &[Box<str>] {
        let links = self.standard.compartments.get(compartment as usize);
        links.and_then(|links| links.get(kind as usize)).map_or(&[], |codes| codes)
    }

    /// Whether instances of a type may be in a compartment, be it as its focus.
    pub fn is_in(&self, compartment: Compartment, kind: ResourceType) -> bool {
        kind == compartment.focus() || !self.compartment(compartment, kind).is_empty()
    }

    /// The operations R4 defines, sorted by URL.
    pub fn operations(&self) -> &[Operation] {
        self.standard.operations.get_or_init(|| core::OPERATIONS.read().unwrap_or_default().into())
    }

    /// The profile with that canonical URL, read from the embedded text at each call.
    pub fn profile(&self, url: &str) -> Option<Profile> {
        self.profiles().get(url)
    }

    /// The canonical URLs of all profiles, sorted.
    pub fn profile_urls(&self) -> impl Iterator<Item = &'static str> {
        self.profiles().urls()
    }

    /// The code system with that canonical URL, read from the embedded text at each call.
    pub fn code_system(&self, url: &str) -> Option<CodeSystem> {
        self.code_systems().get(url)
    }

    /// The value set with that canonical URL, with or without a version, read from the embedded text at each call.
    pub fn value_set(&self, url: &str) -> Option<ValueSet> {
        self.value_sets().get(url)
    }

    /// The canonical URLs of all code systems, sorted.
    pub fn code_system_urls(&self) -> impl Iterator<Item = &'static str> {
        self.code_systems().urls()
    }

    /// The canonical URLs of all value sets, sorted.
    pub fn value_set_urls(&self) -> impl Iterator<Item = &'static str> {
        self.value_sets().urls()
    }

    fn profiles(&self) -> &Lazy {
        self.standard.profiles.get_or_init(|| Lazy::of(core::PROFILES))
    }

    fn code_systems(&self) -> &Lazy {
        self.standard.code_systems.get_or_init(|| Lazy::of(core::CODE_SYSTEMS))
    }

    fn value_sets(&self) -> &Lazy {
        self.standard.value_sets.get_or_init(|| Lazy::of(core::VALUE_SETS))
    }
}

fn find(named: &[(&'static str, TypeId)], name: &str) -> Option<TypeId> {
    let at = named.binary_search_by(|(candidate, _)| (*candidate).cmp(name)).ok()?;
    named.get(at).map(|(_, type_id)| *type_id)
}
