//! Elements as JSON writes them: a primitive under its name and, beside it, its id and extensions under `_name`; a list as an array,
//! or two of the same length.

use super::draft::way;
use crate::definition::{Registry, Structure, StructureKind};
use crate::fhir::ResourceType;
use crate::fhir::json::{JsonKind, Node, Tree};
use crate::interaction::text::{NULL, array, replaced, with_members};

/// One repetition of an element.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Slot {
    /// What stands under its name, as written.
    pub(super) value: Option<String>,
    /// What stands under `_name`.
    pub(super) sibling: Option<String>,
}

/// An element of the resource: the object that holds it, the property it stands under, and which of its repetitions is meant.
#[derive(Clone)]
pub(super) struct Spot<'t> {
    /// The object.
    pub(super) holder: Node<'t>,
    /// What the object is.
    pub(super) structure: &'t Structure,
    /// The JSON property, without underscore.
    pub(super) property: String,
    /// From 0.
    pub(super) index: usize,
    /// The properties on the way from the resource.
    path: Vec<String>,
}

impl<'t> Spot<'t> {
    /// The element that `node` is; `None` for the resource itself, and for what no definition knows.
    pub(super) fn of(registry: &'t Registry, kind: ResourceType, tree: &'t Tree<'_>, node: Node<'t>) -> Option<Self> {
        let mut structure = registry.structure(registry.resource(kind));
        let (mut spot, mut holder): (Option<Self>, Node<'t>) = (None, tree.root());
        let mut path = Vec::new();
        for at in way(tree, node).into_iter().skip(1) {
            match at.key() {
                Some(key) => {
                    if let Some(before) = &spot {
                        structure =
                            narrowed(registry, registry.structure(before.structure.property(&before.property)?.type_id), holder);
                    }
                    let property = key.strip_prefix('_').unwrap_or(&key).to_owned();
                    path.push(property.clone());
                    spot = Some(Self { holder, structure, property, index: 0, path: path.clone() });
                }
                None => {
                    let list = spot.as_mut()?;
                    list.index = position_of(list.holder, &list.property, at)?;
                }
            }
            holder = at;
        }
        spot
    }

    /// The properties on the way from the resource.
    pub(super) fn path(&self) -> Vec<&str> {
        self.path.iter().map(String::as_str).collect()
    }

    /// Whether it is an element of the same object, under the same property.
    pub(super) fn is_beside(&self, other: &Self) -> bool {
        self.holder == other.holder && self.property == other.property
    }

    /// All its repetitions.
    pub(super) fn slots(&self) -> Vec<Slot> {
        slots(self.holder, &self.property)
    }

    /// Whether it may repeat.
    pub(super) fn repeats(&self) -> bool {
        self.structure.property(&self.property).is_some_and(|found| found.element.repeats())
    }

    /// `tree` with these repetitions in the place of those it has.
    pub(super) fn set(&self, tree: &Tree<'_>, slots: &[Slot]) -> String {
        let members = members(&self.property, slots, self.repeats());
        replaced(tree, self.holder, &with_members(self.holder, &borrowed(&members)))
    }

    /// `tree` with its only repetition under another property: a choice that takes another type.
    pub(super) fn exchanged(&self, tree: &Tree<'_>, property: &str, slot: Slot) -> String {
        let mut members = members(&self.property, &[], false);
        members.extend(self::members(property, &[slot], self.repeats()));
        replaced(tree, self.holder, &with_members(self.holder, &borrowed(&members)))
    }
}

/// The type of what stands in `value`: a resource says itself what it is.
pub(super) fn narrowed<'r>(registry: &'r Registry, structure: &'r Structure, value: Node<'_>) -> &'r Structure {
    let name = value.member("resourceType").and_then(Node::string);
    match name.and_then(|name| name.parse::<ResourceType>().ok()) {
        Some(kind) if structure.kind == StructureKind::Resource => registry.structure(registry.resource(kind)),
        _ => structure,
    }
}

fn position_of(holder: Node<'_>, property: &str, item: Node<'_>) -> Option<usize> {
    let lists = [holder.member(property), holder.member(&format!("_{property}"))];
    lists.into_iter().flatten().find_map(|list| list.children().position(|other| other == item))
}

/// What stands under `property` and under `_property` in `object`, repetition by repetition.
pub(super) fn pairs<'t>(object: Node<'t>, property: &str) -> Vec<(Option<Node<'t>>, Option<Node<'t>>)> {
    let nodes = |name: &str| -> Vec<Option<Node<'t>>> {
        let items = object.member(name).map(Node::items).into_iter().flatten();
        items.map(|item| Some(item).filter(|item| item.kind() != JsonKind::Null)).collect()
    };
    let (values, siblings) = (nodes(property), nodes(&format!("_{property}")));
    let at = |nodes: &[Option<Node<'t>>], at: usize| nodes.get(at).copied().flatten();
    (0..values.len().max(siblings.len())).map(|index| (at(&values, index), at(&siblings, index))).collect()
}

/// The repetitions of the element that stands under `property` in `object`.
pub(super) fn slots(object: Node<'_>, property: &str) -> Vec<Slot> {
    let text = |node: Option<Node<'_>>| node.map(|node| node.raw().to_owned());
    let pairs = pairs(object, property).into_iter();
    pairs.map(|(value, sibling)| Slot { value: text(value), sibling: text(sibling) }).collect()
}

/// The two members that hold `slots` under `property`; `None`: the member is not there.
pub(super) fn members(property: &str, slots: &[Slot], repeats: bool) -> Vec<(String, Option<String>)> {
    let text = |half: fn(&Slot) -> Option<&String>| -> Option<String> {
        let halves: Vec<Option<&String>> = slots.iter().map(half).collect();
        halves.iter().flatten().next()?;
        if repeats {
            return Some(array(&halves.iter().map(|half| half.map_or(NULL, |text| text)).collect::<Vec<_>>()));
        }
        halves.first().copied().flatten().cloned()
    };
    let (value, sibling) = (text(|slot| slot.value.as_ref()), text(|slot| slot.sibling.as_ref()));
    vec![(property.to_owned(), value), (format!("_{property}"), sibling)]
}

/// Members as [`with_members`] takes them.
pub(super) fn borrowed(members: &[(String, Option<String>)]) -> Vec<(&str, Option<String>)> {
    members.iter().map(|(name, value)| (name.as_str(), value.clone())).collect()
}
