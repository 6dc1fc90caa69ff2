//! The walk over a resource: which elements it has, in which shape, how often.

use super::MAX_ISSUES;
use super::place::{element_name, is_presentable, named_type, place};
use super::primitive::{self, Fault};
use super::sibling;
use crate::definition::{Element, ElementSet, Found, Registry, Structure, StructureKind};
use crate::fhir::ResourceType;
use crate::fhir::json::{JsonKind, Node, Tree};
use crate::outcome::{Issue, IssueCode};

/// The member by which a resource says its type.
const RESOURCE_TYPE: &str = "resourceType";

/// The element that holds resources without an existence of their own.
const CONTAINED: &str = "contained";

/// The type that has a value or other extensions, never both.
const EXTENSION: &str = "Extension";

pub(super) fn check(registry: &Registry, kind: ResourceType, tree: &Tree<'_>) -> Vec<Issue> {
    let mut walk = Walk { registry, kind, root: tree.root(), is_contained: false, issues: Vec::new() };
    walk.resource(tree.root(), Some(kind));
    walk.issues
}

/// One walk over one resource.
pub(super) struct Walk<'r, 't> {
    pub(super) registry: &'r Registry,
    kind: ResourceType,
    root: Node<'t>,
    /// Whether the resource at hand is contained in another.
    is_contained: bool,
    issues: Vec<Issue>,
}

impl<'t> Walk<'_, 't> {
    /// A resource, of the type `wanted` where only that one may stand here.
    fn resource(&mut self, node: Node<'t>, wanted: Option<ResourceType>) {
        if node.kind() != JsonKind::Object {
            return self.misshapen(node, "must be a resource, which is an object");
        }
        match named_type(node) {
            None => self.misshapen(node, "resourceType must name a resource type of R4"),
            Some(kind) if wanted.is_some_and(|wanted| wanted != kind) => {
                self.misshapen(node, "resourceType names another type than the one expected here");
            }
            Some(kind) => {
                let registry = self.registry;
                self.object(node, registry.structure(registry.resource(kind)));
            }
        }
    }

    /// The members of an object, against the elements of its type.
    pub(super) fn object(&mut self, node: Node<'t>, structure: &Structure) {
        let mut seen = ElementSet::default();
        for member in node.children() {
            if self.is_full() {
                return;
            }
            let Some(key) = member.key() else { continue };
            let name = element_name(&key);
            match structure.property(name) {
                Some(found) => {
                    if !seen.insert(found.index) {
                        self.second(node, structure, name, found);
                    }
                    if name.len() == key.len() { self.values(node, member, found) } else { self.extensions(node, member, found) }
                }
                None if key == RESOURCE_TYPE && structure.kind == StructureKind::Resource => {}
                None => self.unknown(member, &key),
            }
        }
        self.cardinality(node, structure, seen);
    }

    /// An element that occurs under a second property: `_name` beside `name` is right, `valueString` beside `valueCode` is not.
    fn second(&mut self, node: Node<'t>, structure: &Structure, name: &str, found: Found<'_>) {
        let is_rival = |member: Node<'t>| {
            let key = member.key().unwrap_or_default();
            let other = element_name(&key);
            other != name && structure.property(other).is_some_and(|property| property.index == found.index)
        };
        if found.element.is_choice && node.children().any(is_rival) {
            self.element_fault(node, found.element, IssueCode::Structure, "a choice has one value of one type");
        }
    }

    /// What stands under the name of an element.
    fn values(&mut self, parent: Node<'t>, member: Node<'t>, found: Found<'_>) {
        let structure = self.registry.structure(found.type_id);
        let is_array = member.kind() == JsonKind::Array;
        match (found.element.repeats(), is_array) {
            (true, true) => {
                let has_contents = std::cell::LazyCell::new(|| sibling::has_contents(parent, member));
                for item in member.children() {
                    let is_absent = item.kind() == JsonKind::Null && structure.primitive().is_some() && *has_contents;
                    if !is_absent {
                        self.value(item, found, structure);
                    }
                }
            }
            (false, false) => self.value(member, found, structure),
            (true, false) => self.misshapen(member, "must be an array: the element may repeat"),
            (false, true) => self.misshapen(member, "must not be an array: the element does not repeat"),
        }
    }

    fn value(&mut self, item: Node<'t>, found: Found<'_>, structure: &Structure) {
        match structure.kind {
            StructureKind::Primitive(primitive) => match primitive::fault(primitive, item) {
                None => {}
                Some(Fault::Shape(rule)) => self.misshapen(item, rule),
                Some(Fault::Form(rule)) => self.fault(item, IssueCode::Value, rule),
            },
            StructureKind::Complex | StructureKind::Backbone => {
                if item.kind() == JsonKind::Object {
                    self.object(item, structure);
                } else {
                    self.misshapen(item, "must be an object");
                }
            }
            StructureKind::Resource => self.inner(item, found.element.name == CONTAINED),
        }
    }

    /// A resource inside another.
    fn inner(&mut self, item: Node<'t>, is_contained: bool) {
        if is_contained && self.is_contained {
            self.fault(item, IssueCode::Invariant, "a contained resource must not contain another (dom-2)");
        }
        let outside = std::mem::replace(&mut self.is_contained, is_contained);
        self.resource(item, None);
        self.is_contained = outside;
    }

    /// What an object lacks, or has although it must not.
    fn cardinality(&mut self, node: Node<'t>, structure: &Structure, seen: ElementSet) {
        let missing = structure.required.without(seen);
        if !missing.is_empty() {
            for element in structure.elements_of(missing) {
                self.element_fault(node, element, IssueCode::Required, "an element that must occur is missing");
            }
        }
        if structure.name == EXTENSION {
            let has = |name| structure.index_of(name).is_some_and(|index| seen.contains(index));
            if has("value") == has("extension") {
                self.fault(node, IssueCode::Invariant, "an extension has either a value or extensions (ext-1)");
            }
        }
    }

    fn unknown(&mut self, member: Node<'t>, key: &str) {
        let is_presentable = is_presentable(element_name(key));
        let rule = if is_presentable { "there is no such element here" } else { "no element has a name like that" };
        self.misshapen(member, rule);
    }

    /// Tells of a JSON value that cannot stand where it stands.
    pub(super) fn misshapen(&mut self, node: Node<'t>, rule: &'static str) {
        self.fault(node, IssueCode::Structure, rule);
    }

    /// Tells of a rule that `node` breaks.
    pub(super) fn fault(&mut self, node: Node<'t>, code: IssueCode, rule: &'static str) {
        if !self.is_full() {
            let place = place(self.registry, self.kind, self.root, node);
            self.issues.push(Issue::error(code, rule).at(place));
        }
    }

    /// Tells of a rule that an element of `node` breaks, which is not there or there twice.
    fn element_fault(&mut self, node: Node<'t>, element: &Element, code: IssueCode, rule: &'static str) {
        if !self.is_full() {
            let place = format!("{}.{}", place(self.registry, self.kind, self.root, node), element.name);
            self.issues.push(Issue::error(code, rule).at(place));
        }
    }

    fn is_full(&self) -> bool {
        self.issues.len() >= MAX_ISSUES
    }
}
