//! The value that a FHIRPath Patch supplies, and whether it may stand where it is to stand (R4 fhirpatch.html): `value[x]`, a resource,
//! or parts named after the elements of a type that has no name (FP-07).

use super::element::{Slot, borrowed, members, slots};
use crate::definition::{Primitive, Registry, Structure, StructureKind};
use crate::fhir::ResourceType;
use crate::fhir::json::{Node, Tree};
use crate::fhirpath::model::{Model as _, TypeId};
use crate::interaction::text::with_members;

/// What stands in a part of a Parameters resource.
#[derive(Clone)]
pub(super) enum Supplied<'p> {
    /// A value of a type that has a name, or a resource.
    Typed(TypeId, Slot),
    /// The elements of one that has none.
    Parts(Node<'p>),
}

const WRONG_TYPE: &str = "the value is not of a type that may stand there";

/// The value that `part` holds; `None`: none.
pub(super) fn supplied<'p>(registry: &Registry, part: Node<'p>) -> Option<Supplied<'p>> {
    if let Some(resource) = part.member("resource") {
        let kind: ResourceType = resource.member("resourceType")?.string()?.parse().ok()?;
        return Some(Supplied::Typed(registry.resource(kind), Slot { value: Some(resource.raw().to_owned()), sibling: None }));
    }
    let parameters = registry.structure(registry.resource(ResourceType::Parameters));
    let parameter = registry.structure(parameters.property("parameter")?.type_id);
    for member in part.children() {
        let key = member.key().unwrap_or_default();
        let property = key.strip_prefix('_').unwrap_or(&key);
        if let Some(found) = parameter.property(property).filter(|found| found.element.is_choice) {
            return slots(part, property).into_iter().next().map(|slot| Supplied::Typed(found.type_id, slot));
        }
    }
    part.member("part").map(Supplied::Parts)
}

/// Where a value is to stand: the property of the object `structure`, which may be a choice.
pub(super) struct Seat<'s> {
    /// The JSON property, by the type of the value where it is a choice.
    pub(super) property: String,
    /// Whether the element may repeat.
    pub(super) repeats: bool,
    /// The properties under which it may stand already: all of a choice.
    pub(super) rivals: Vec<&'s str>,
    type_id: TypeId,
}

impl<'s> Seat<'s> {
    /// The seat of `value` under `name` in `structure`: the name of an element, of a choice with or without its type.
    pub(super) fn named(
        registry: &Registry,
        structure: &'s Structure,
        name: &str,
        value: &Supplied<'_>,
    ) -> Result<Self, &'static str> {
        let choices = structure.choices(name);
        let Some(first) = choices.first() else {
            let found = structure.property(name).ok_or("the type there has no element of that name")?;
            let rivals = match structure.choices(found.element.name) {
                [] => Vec::new(),
                choices => choices.iter().map(|choice| &*choice.property).collect(),
            };
            return Ok(Self { property: name.to_owned(), repeats: found.element.repeats(), rivals, type_id: found.type_id });
        };
        let repeats = structure.property(&first.property).is_some_and(|found| found.element.repeats());
        let Supplied::Typed(own, _) = value else { return Err(WRONG_TYPE) };
        let exact = choices.iter().find(|choice| choice.type_id == *own);
        let chosen = exact.or_else(|| choices.iter().find(|choice| fits(registry, *own, choice.type_id))).ok_or(WRONG_TYPE)?;
        let rivals = choices.iter().map(|choice| &*choice.property).collect();
        Ok(Self { property: chosen.property.to_string(), repeats, rivals, type_id: chosen.type_id })
    }

    /// Whether something stands there, under any of its names.
    pub(super) fn is_taken(&self, object: Node<'_>) -> bool {
        let stands = |name: &str| object.member(name).is_some() || object.member(&format!("_{name}")).is_some();
        stands(&self.property) || self.rivals.iter().any(|name| stands(name))
    }

    /// `value` as it is written there.
    pub(super) fn slot(&self, registry: &Registry, value: &Supplied<'_>) -> Result<Slot, &'static str> {
        match value {
            Supplied::Typed(own, slot) if fits(registry, *own, self.type_id) => Ok(slot.clone()),
            Supplied::Typed(..) => Err(WRONG_TYPE),
            Supplied::Parts(parts) => {
                let structure = registry.structure(self.type_id);
                if !matches!(structure.kind, StructureKind::Backbone | StructureKind::Complex) {
                    return Err(WRONG_TYPE);
                }
                Ok(Slot { value: Some(assembled(registry, structure, *parts)?), sibling: None })
            }
        }
    }
}

/// The object of the type `structure` whose elements `parts` name.
fn assembled(registry: &Registry, structure: &Structure, parts: Node<'_>) -> Result<String, &'static str> {
    let mut object = String::from("{}");
    for part in parts.items() {
        let name = part.member("name").and_then(Node::string).ok_or("a part of the value has no name")?;
        let value = supplied(registry, part).ok_or("a part of the value has no value")?;
        object = with_added(registry, structure, &object, (&name, &value))?;
    }
    Ok(object)
}

/// `object`, of the type `structure`, with `value` added under `name`: at the end where the element repeats, and where it does not,
/// only if it is not there (FP-01).
pub(super) fn with_added(
    registry: &Registry,
    structure: &Structure,
    object: &str,
    (name, value): (&str, &Supplied<'_>),
) -> Result<String, &'static str> {
    let tree = Tree::parse_plain(object.as_bytes()).map_err(|_| "what is to hold it is no object")?;
    let seat = Seat::named(registry, structure, name, value)?;
    if !seat.repeats && seat.is_taken(tree.root()) {
        return Err("the element is there already and does not repeat");
    }
    let mut all = slots(tree.root(), &seat.property);
    all.push(seat.slot(registry, value)?);
    Ok(with_members(tree.root(), &borrowed(&members(&seat.property, &all, seat.repeats))))
}

/// Whether every value of the type `own` can be one of `place`, or can be told to be one by its form: a string may be a code, and the
/// text of a narrative is a string, for want of a `valueXhtml`.
fn fits(registry: &Registry, own: TypeId, place: TypeId) -> bool {
    let primitive = |type_id| registry.structure(type_id).primitive();
    match (primitive(own), primitive(place)) {
        (Some(Primitive::Date | Primitive::Instant), Some(Primitive::DateTime)) => true,
        (Some(Primitive::String), Some(Primitive::Xhtml)) => true,
        (Some(own_form), Some(place_form)) => own_form == place_form || registry.is_a(own, place) || registry.is_a(place, own),
        (None, None) => registry.is_a(own, place),
        _ => false,
    }
}
