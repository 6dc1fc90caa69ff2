//! The table of types, from the lines of `types.ndjson`: named types first, then the backbone elements inside them.

use std::borrow::Cow;
use std::collections::HashMap;

use super::core;
use super::error::LoadError;
use super::facts::{ElementFacts, StructureFacts, TypeFacts};
use super::invariant::{Invariant, InvariantId};
use super::primitive::Primitive;
use super::structure::{
    Binding, BindingStrength, Element, ElementSet, ElementType, NamedChoices, NamedProperty, Structure, StructureKind,
};
use crate::fhirpath::model::{Choice, TypeId};

/// What the canonical URLs of the core types begin with.
pub(super) const CORE_URL: &str = "http://hl7.org/fhir/StructureDefinition/";

/// What stands before the name of a FHIRPath system type where an element says it holds one.
const SYSTEM_TYPE: &str = "http://hl7.org/fhirpath/System.";

/// What ends the name of a choice element.
const CHOICE: &str = "[x]";

/// The types and the numbers of the named ones, sorted by name.
pub(super) struct Types {
    pub(super) structures: Box<[Structure]>,
    pub(super) named: Box<[(&'static str, TypeId)]>,
}

pub(super) fn load(invariants: &[Invariant]) -> Result<Types, LoadError> {
    let mut lines: Vec<StructureFacts> = core::TYPES.read()?;
    lines.retain(|line| line.kind != "logical");
    let mut builder = Builder { numbers: HashMap::new(), paths: Vec::new(), invariants, built: Vec::new() };
    builder.number(&lines)?;
    for line in &lines {
        builder.add(line)?;
    }
    builder.built.sort_by_key(|(type_id, _)| *type_id);
    let mut named: Vec<_> = lines.iter().filter_map(|line| Some((line.name, *builder.numbers.get(line.name)?))).collect();
    named.sort_unstable();
    Ok(Types { structures: builder.built.into_iter().map(|(_, structure)| structure).collect(), named: named.into() })
}

struct Builder<'i> {
    /// Types by name and backbone elements by path; a name has no dot, a backbone path has one.
    numbers: HashMap<&'static str, TypeId>,
    /// The name or path of each number.
    paths: Vec<&'static str>,
    /// Sorted by key.
    invariants: &'i [Invariant],
    built: Vec<(TypeId, Structure)>,
}

impl Builder<'_> {
    fn number(&mut self, lines: &[StructureFacts]) -> Result<(), LoadError> {
        for line in lines {
            self.next(line.name)?;
        }
        for line in lines {
            for (element, after) in line.element.iter().zip(line.element.iter().skip(1)) {
                if is_child(after.path, element.path) && element.path.contains('.') {
                    self.next(element.path)?;
                }
            }
        }
        Ok(())
    }

    fn next(&mut self, path: &'static str) -> Result<(), LoadError> {
        let number = u16::try_from(self.paths.len()).map_err(|_| LoadError::TooMany("types"))?;
        self.numbers.insert(path, TypeId(number));
        self.paths.push(path);
        Ok(())
    }

    fn type_id(&self, place: &'static str, name: &str) -> Result<TypeId, LoadError> {
        self.numbers.get(name).copied().ok_or_else(|| LoadError::Undefined { place, name: name.to_owned() })
    }

    /// Adds a type and the backbone elements inside it.
    fn add(&mut self, line: &StructureFacts) -> Result<(), LoadError> {
        for (index, owner) in line.element.iter().enumerate() {
            let Some(&type_id) = self.numbers.get(owner.path) else { continue };
            // Children follow their parent until an element that is not inside it.
            let inside = line.element.iter().skip(index + 1).take_while(|element| is_inside(element.path, owner.path));
            let children: Vec<&ElementFacts> = inside.filter(|element| is_child(element.path, owner.path)).collect();
            let mut structure = if index == 0 { self.named_type(line)? } else { self.backbone(owner)? };
            structure.constraints = self.constraints(owner, line)?;
            self.fill(&mut structure, &children, line)?;
            self.built.push((type_id, structure));
        }
        Ok(())
    }

    fn named_type(&self, line: &StructureFacts) -> Result<Structure, LoadError> {
        let word = |what| LoadError::Word { place: line.url, word: line.kind, what };
        let kind = match line.kind {
            "primitive-type" => StructureKind::Primitive(Primitive::named(line.name).ok_or_else(|| word("primitive type"))?),
            "complex-type" => StructureKind::Complex,
            "resource" => StructureKind::Resource,
            _ => return Err(word("kind of structure")),
        };
        let base = match line.base.map(|url| url.strip_prefix(CORE_URL).unwrap_or(url)) {
            Some(name) => Some(self.type_id(line.url, name)?),
            None => None,
        };
        Ok(Structure {
            name: line.name,
            path: line.name,
            url: Some(line.url),
            kind,
            is_abstract: line.is_abstract,
            base,
            regex: line.regex.as_ref().map(|regex| regex.0.clone()),
            ..Structure::backbone(line.name)
        })
    }

    fn backbone(&self, owner: &ElementFacts) -> Result<Structure, LoadError> {
        let name = owner.types.first().map_or("BackboneElement", |kind| kind.code);
        Ok(Structure { name, base: Some(self.type_id(owner.path, name)?), ..Structure::backbone(owner.path) })
    }

    fn fill(&self, structure: &mut Structure, children: &[&ElementFacts], line: &StructureFacts) -> Result<(), LoadError> {
        let is_primitive = structure.primitive().is_some();
        // The value of a primitive is the JSON value itself, not a property.
        let children = children.iter().filter(|child| !(is_primitive && child.path.ends_with(".value")));
        let elements = children.map(|child| self.element(child, line)).collect::<Result<Box<[Element]>, _>>()?;
        if elements.len() > ElementSet::LIMIT {
            return Err(LoadError::TooMany("elements of a type"));
        }
        let (mut properties, mut choices) = (Vec::with_capacity(elements.len()), Vec::new());
        for (element, index) in elements.iter().zip(0_u8..) {
            if element.min > 0 {
                structure.required.insert(index);
            }
            let mut add = |name, type_id| properties.push(NamedProperty { name, type_id, element: index });
            if element.is_choice {
                let found: Box<[Choice]> = element.types.iter().map(|kind| self.choice(element.name, kind.type_id)).collect();
                found.iter().for_each(|choice| add(Cow::Owned(choice.property.to_string()), choice.type_id));
                choices.push(NamedChoices { stem: element.name, choices: found });
            } else if let Some(kind) = element.types.first() {
                add(Cow::Borrowed(element.name), kind.type_id);
            }
        }
        properties.sort_unstable_by(|one, other| one.name.cmp(&other.name));
        structure.properties = properties.into();
        structure.choices = choices.into();
        structure.elements = elements;
        Ok(())
    }

    fn choice(&self, stem: &str, type_id: TypeId) -> Choice {
        let name = self.paths.get(usize::from(type_id.0)).copied().unwrap_or_default();
        let mut letters = name.chars();
        let first = letters.next().map(|letter| letter.to_ascii_uppercase());
        let property: String = stem.chars().chain(first).chain(letters).collect();
        Choice { property: property.into(), type_id }
    }

    fn element(&self, facts: &ElementFacts, line: &StructureFacts) -> Result<Element, LoadError> {
        let last = facts.path.rsplit('.').next().unwrap_or(facts.path);
        let binding = facts.binding.map(|(strength, value_set)| binding(facts.path, strength, value_set)).transpose()?;
        Ok(Element {
            name: last.strip_suffix(CHOICE).unwrap_or(last),
            path: facts.path,
            min: facts.min,
            max: facts.max.parse().ok(),
            is_choice: last.ends_with(CHOICE),
            is_modifier: facts.is_modifier,
            is_summary: facts.is_summary,
            types: self.types(facts)?,
            binding,
            constraints: self.constraints(facts, line)?,
        })
    }

    fn types(&self, facts: &ElementFacts) -> Result<Box<[ElementType]>, LoadError> {
        if let Some(path) = facts.reference.and_then(|reference| reference.strip_prefix('#')) {
            return Ok([self.plain(self.type_id(facts.path, path)?)].into());
        }
        if let Some(&type_id) = self.numbers.get(facts.path) {
            return Ok([self.plain(type_id)].into());
        }
        facts.types.iter().map(|kind| self.element_type(facts.path, kind)).collect()
    }

    fn plain(&self, type_id: TypeId) -> ElementType {
        ElementType { type_id, profiles: [].into(), targets: [].into() }
    }

    fn element_type(&self, path: &'static str, kind: &TypeFacts) -> Result<ElementType, LoadError> {
        let name = if kind.code.starts_with(SYSTEM_TYPE) { system_type(path) } else { kind.code };
        let (profiles, targets) = (kind.profile.as_slice().into(), kind.target_profile.as_slice().into());
        Ok(ElementType { type_id: self.type_id(path, name)?, profiles, targets })
    }

    fn constraints(&self, facts: &ElementFacts, line: &StructureFacts) -> Result<Box<[InvariantId]>, LoadError> {
        facts.constraint.iter().map(|key| self.invariant(key, facts.path, line)).collect()
    }

    /// The invariant that `key` means of the element at `path`: where several have that key, the one that speaks of its children.
    fn invariant(&self, key: &str, path: &'static str, line: &StructureFacts) -> Result<InvariantId, LoadError> {
        let start = self.invariants.partition_point(|invariant| invariant.key < key);
        let same_key = || self.invariants.iter().enumerate().skip(start).take_while(|(_, invariant)| invariant.key == key);
        let is_named = |child: &&ElementFacts, name: &str| child.path.rsplit('.').next() == Some(name);
        let has_child =
            |name: &str| line.element.iter().filter(|child| is_child(child.path, path)).any(|child| is_named(&child, name));
        let is_meant = |(_, invariant): &(usize, &Invariant)| same_key().count() == 1 || has_child(invariant.first_element());
        let found = same_key().find(is_meant).and_then(|(index, _)| u16::try_from(index).ok());
        found.map(InvariantId).ok_or_else(|| LoadError::Undefined { place: path, name: key.to_owned() })
    }
}

impl Structure {
    /// A type without a name or an element.
    pub(super) fn nothing() -> Self {
        Self::backbone("")
    }

    /// A backbone element at `path`, as yet without elements.
    fn backbone(path: &'static str) -> Self {
        Self {
            name: "BackboneElement",
            path,
            url: None,
            kind: StructureKind::Backbone,
            is_abstract: false,
            base: None,
            regex: None,
            constraints: [].into(),
            elements: [].into(),
            required: ElementSet::default(),
            properties: [].into(),
            choices: [].into(),
        }
    }
}

/// The FHIR type of an element that the definitions give a FHIRPath system type: the id of a resource is an `id`, the URL of
/// an extension a `uri`, any other id a `string`.
fn system_type(path: &str) -> &'static str {
    match path.split_once('.') {
        Some(("Extension", "url")) => "uri",
        Some((owner, "id")) if owner == "Resource" || owner.parse::<crate::fhir::ResourceType>().is_ok() => "id",
        Some(_) | None => "string",
    }
}

fn is_inside(path: &str, owner: &str) -> bool {
    path.strip_prefix(owner).is_some_and(|rest| rest.starts_with('.'))
}

fn is_child(path: &str, owner: &str) -> bool {
    path.strip_prefix(owner).and_then(|rest| rest.strip_prefix('.')).is_some_and(|rest| !rest.contains('.'))
}

fn binding(place: &'static str, strength: &'static str, value_set: &'static str) -> Result<Binding, LoadError> {
    let strength = match strength {
        "required" => BindingStrength::Required,
        "extensible" => BindingStrength::Extensible,
        "preferred" => BindingStrength::Preferred,
        "example" => BindingStrength::Example,
        _ => return Err(LoadError::Word { place, word: strength, what: "binding strength" }),
    };
    Ok(Binding { strength, value_set })
}
