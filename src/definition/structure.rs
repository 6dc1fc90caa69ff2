//! A type as its definition draws it: its elements, and the JSON properties they stand under.

use std::borrow::Cow;

use super::invariant::InvariantId;
use super::primitive::Primitive;
use crate::fhir::ResourceType;
use crate::fhirpath::model::{Choice, TypeId};

/// What kind of type it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum StructureKind {
    /// Written as a JSON string, number or boolean.
    Primitive(Primitive),
    /// A data type with elements of its own.
    Complex,
    /// Elements inside a resource or data type, under no name of their own.
    Backbone,
    /// A resource type, or the abstract `Resource` and `DomainResource`.
    Resource,
}

/// A type: a data type, a resource type, or the type of a backbone element.
#[derive(Debug)]
pub struct Structure {
    /// Its name in the FHIR namespace; `BackboneElement` or `Element` for elements inside another type.
    pub name: &'static str,
    /// Where it stands: its name, or the path of the backbone element, such as `Patient.contact`.
    pub path: &'static str,
    /// The canonical URL of its definition; `None` for a backbone element.
    pub url: Option<&'static str>,
    /// What kind it is.
    pub kind: StructureKind,
    /// Whether no instance can be of it without being of a type that specialises it.
    pub is_abstract: bool,
    /// The type it specialises.
    pub base: Option<TypeId>,
    /// The pattern a primitive must match, anchored at both ends.
    pub regex: Option<Cow<'static, str>>,
    /// Invariants of the type itself, whatever element has it.
    pub constraints: Box<[InvariantId]>,
    /// Its elements in their order, inherited ones included; at most [`ElementSet::LIMIT`].
    pub elements: Box<[Element]>,
    /// The elements that must occur.
    pub required: ElementSet,
    /// Every JSON property, sorted by name.
    pub(super) properties: Box<[NamedProperty]>,
    /// The choice elements, by their stem.
    pub(super) choices: Box<[NamedChoices]>,
}

/// An element of a type.
#[derive(Debug)]
pub struct Element {
    /// Its name without `[x]`: `value`.
    pub name: &'static str,
    /// Its path: `Observation.value[x]`.
    pub path: &'static str,
    /// How often it must occur.
    pub min: u8,
    /// How often it may occur; `None`: without limit. 0 occurs only where a type forbids what it inherits.
    pub max: Option<u8>,
    /// Whether its name in JSON is followed by the name of its type.
    pub is_choice: bool,
    /// Whether it changes the meaning of what it stands in.
    pub is_modifier: bool,
    /// Whether it is part of a summary.
    pub is_summary: bool,
    /// The types its value may have.
    pub types: Box<[ElementType]>,
    /// The codes it may or should hold.
    pub binding: Option<Binding>,
    /// Its invariants, those of its type included.
    pub constraints: Box<[InvariantId]>,
}

impl Element {
    /// Whether it may occur more than once, so that it is an array in JSON.
    pub fn repeats(&self) -> bool {
        self.max != Some(1) && self.max != Some(0)
    }
}

/// One of the types an element may have.
#[derive(Debug)]
pub struct ElementType {
    /// The type.
    pub type_id: TypeId,
    /// Profiles its value must fulfil one of; none: any value.
    pub profiles: Box<[&'static str]>,
    /// Profiles what a reference or canonical points at must fulfil one of; none: anything.
    pub targets: Box<[&'static str]>,
}

impl ElementType {
    /// The resource types a reference may point at; none: any.
    pub fn target_types(&self) -> impl Iterator<Item = ResourceType> {
        self.targets.iter().filter_map(|url| url.strip_prefix(super::build::CORE_URL)?.parse().ok())
    }
}

/// A value set an element draws its codes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Binding {
    /// How firmly.
    pub strength: BindingStrength,
    /// The canonical URL of the value set, its version after `|` where one is given.
    pub value_set: &'static str,
}

/// `http://hl7.org/fhir/binding-strength`
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[allow(missing_docs, reason = "each variant is a code of the standard")]
pub enum BindingStrength {
    Required,
    Extensible,
    Preferred,
    Example,
}

/// A JSON property found in a type.
#[derive(Clone, Copy, Debug)]
pub struct Found<'r> {
    /// The place of the element in [`Structure::elements`].
    pub index: u8,
    /// The element.
    pub element: &'r Element,
    /// The type of the value under this property.
    pub type_id: TypeId,
}

/// Some of the elements of one type, by their place in [`Structure::elements`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ElementSet(u64);

impl ElementSet {
    /// The most elements a type may have.
    pub const LIMIT: usize = u64::BITS as usize;

    /// Adds an element; tells whether it was not yet there.
    pub fn insert(&mut self, index: u8) -> bool {
        let before = self.0;
        self.0 |= 1_u64.checked_shl(u32::from(index)).unwrap_or(0);
        self.0 != before
    }

    /// Whether the element is there.
    pub fn contains(self, index: u8) -> bool {
        self.0 & 1_u64.checked_shl(u32::from(index)).unwrap_or(0) != 0
    }

    /// The elements of this set that are not in `other`.
    #[must_use]
    pub fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// Whether no element is there.
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }
}

#[derive(Debug)]
pub(super) struct NamedProperty {
    pub(super) name: Cow<'static, str>,
    pub(super) type_id: TypeId,
    pub(super) element: u8,
}

#[derive(Debug)]
pub(super) struct NamedChoices {
    pub(super) stem: &'static str,
    pub(super) choices: Box<[Choice]>,
}

impl Structure {
    /// The element and type the JSON property `name` stands for, choices by their full name.
    pub fn property(&self, name: &str) -> Option<Found<'_>> {
        let at = self.properties.binary_search_by(|property| property.name.as_ref().cmp(name)).ok()?;
        let property = self.properties.get(at)?;
        let element = self.elements.get(usize::from(property.element))?;
        Some(Found { index: property.element, element, type_id: property.type_id })
    }

    /// The properties of the choice element with that stem; nothing where there is none.
    pub fn choices(&self, stem: &str) -> &[Choice] {
        self.choices.iter().find(|named| named.stem == stem).map_or(&[], |named| &named.choices)
    }

    /// The elements of `set`, in order.
    pub fn elements_of(&self, set: ElementSet) -> impl Iterator<Item = &Element> {
        let indexed = self.elements.iter().zip(0_u8..);
        indexed.filter(move |(_, index)| set.contains(*index)).map(|(element, _)| element)
    }

    /// The place of the element called `name`.
    pub fn index_of(&self, name: &str) -> Option<u8> {
        self.elements.iter().zip(0_u8..).find(|(element, _)| element.name == name).map(|(_, index)| index)
    }

    /// The primitive type this is, if it is one.
    pub fn primitive(&self) -> Option<Primitive> {
        match self.kind {
            StructureKind::Primitive(primitive) => Some(primitive),
            StructureKind::Complex | StructureKind::Backbone | StructureKind::Resource => None,
        }
    }
}
