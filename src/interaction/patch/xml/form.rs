//! The XML form of a resource (R4 xml.html), as far as a patch needs it: made of the JSON that rests, and made into JSON again.
//!
//! Elements stand in the order of their definition; the value of a primitive is its attribute `value`, `id` and `Extension.url` are
//! attributes too, a narrative is XHTML. Numbers keep their digits, and a narrative that was not touched its very text.

use super::document::{self, Element, Node as Xml};
use crate::definition::{Element as Definition, Found, Primitive, Registry, Structure, StructureKind};
use crate::fhir::ResourceType;
use crate::fhir::json::{JsonKind, Node, Tree};
use crate::interaction::patch::element::{Slot, members, pairs};
use crate::interaction::text::{object, quoted};

const FHIR: &str = "http://hl7.org/fhir";
const XHTML: &str = "http://www.w3.org/1999/xhtml";

/// Makes one resource into XML and back.
pub(super) struct Form<'r> {
    registry: &'r Registry,
    /// The narratives as XML and, as it was written, as JSON.
    narratives: Vec<(String, String)>,
}

impl<'r> Form<'r> {
    pub(super) fn new(registry: &'r Registry) -> Self {
        Self { registry, narratives: Vec::new() }
    }

    /// The resource `node` in XML.
    pub(super) fn xml(&mut self, node: Node<'_>) -> Result<Element, &'static str> {
        let mut root = self.resource(node)?;
        root.attributes.insert(0, ("xmlns".to_owned(), FHIR.to_owned()));
        Ok(root)
    }

    fn resource(&mut self, node: Node<'_>) -> Result<Element, &'static str> {
        let name = node.member("resourceType").and_then(Node::string).ok_or("a resource has no type")?.into_owned();
        let kind: ResourceType = name.parse().map_err(|_| "a resource has no type of R4")?;
        let mut element = element(name);
        self.fill(&mut element, node, self.registry.structure(self.registry.resource(kind)))?;
        Ok(element)
    }

    /// The elements of `node`, in the order of their definition.
    fn fill(&mut self, element: &mut Element, node: Node<'_>, structure: &Structure) -> Result<(), &'static str> {
        for definition in &*structure.elements {
            for property in properties(structure, definition) {
                let Some(found) = structure.property(&property) else { continue };
                for (value, sibling) in pairs(node, &property) {
                    if is_attribute(structure, &property) {
                        let value = value.ok_or("an attribute has no value")?;
                        element.attributes.push((property.clone(), attribute_of(value)));
                    } else {
                        element.children.push(Xml::Element(self.child(&property, (value, sibling), found)?));
                    }
                }
            }
        }
        Ok(())
    }

    fn child(
        &mut self,
        property: &str,
        (value, sibling): (Option<Node<'_>>, Option<Node<'_>>),
        found: Found<'_>,
    ) -> Result<Element, &'static str> {
        let structure = self.registry.structure(found.type_id);
        let mut child = element(property.to_owned());
        match (structure.kind, value) {
            (StructureKind::Primitive(Primitive::Xhtml), Some(value)) => {
                let div = document::read(&value.string().unwrap_or_default()).map_err(|_| "its narrative is no XML")?;
                self.narratives.push((document::written(&div.clone().adopted("")), value.raw().to_owned()));
                return Ok(div);
            }
            (StructureKind::Primitive(_), _) => {
                child.attributes.extend(value.map(|value| ("value".to_owned(), attribute_of(value))));
                if let Some(sibling) = sibling {
                    self.fill(&mut child, sibling, structure)?;
                }
            }
            (StructureKind::Resource, Some(value)) => child.children.push(Xml::Element(self.resource(value)?)),
            (StructureKind::Complex | StructureKind::Backbone, Some(value)) => self.fill(&mut child, value, structure)?,
            (_, None) => return Err("an element has no value"),
        }
        Ok(child)
    }

    /// The resource `root` in JSON.
    pub(super) fn json(&self, root: &Element) -> Result<String, &'static str> {
        let kind = Some(root.local()).filter(|_| root.space == FHIR).and_then(|name| name.parse::<ResourceType>().ok());
        let kind = kind.ok_or("an element that should be a resource is none")?;
        let structure = self.registry.structure(self.registry.resource(kind));
        let mut all = vec![("resourceType".to_owned(), Some(quoted(kind.name())))];
        all.extend(self.members(root, structure)?);
        Ok(written(&all))
    }

    /// What `element` holds, as members of an object of the type `structure`.
    fn members(&self, element: &Element, structure: &Structure) -> Result<Vec<(String, Option<String>)>, &'static str> {
        let mut lists: Vec<(String, Vec<Slot>, bool)> = Vec::new();
        for (name, _) in &element.attributes {
            if name == "xmlns" || name.starts_with("xmlns:") || name == "value" && structure.primitive().is_some() {
                continue;
            }
            if !is_attribute(structure, name) {
                return Err("an attribute that FHIR does not have");
            }
            let value = element.attribute(name).ok_or("an attribute is not well formed")?;
            lists.push((name.clone(), vec![Slot { value: Some(quoted(&value)), sibling: None }], false));
        }
        for child in &element.children {
            let child = match child {
                Xml::Element(child) => child,
                Xml::Text(text) if !text.trim().is_empty() => return Err("text stands between elements"),
                Xml::Text(_) | Xml::Comment(_) | Xml::Instruction(_) => continue,
            };
            let found = structure.property(child.local()).ok_or("an element that the type there does not have")?;
            let slot = self.slot(child, found)?;
            match lists.iter_mut().find(|(name, ..)| name == child.local()) {
                Some((_, _, false)) => return Err("an element that does not repeat is there twice"),
                Some((_, slots, true)) => slots.push(slot),
                None => lists.push((child.local().to_owned(), vec![slot], found.element.repeats())),
            }
        }
        Ok(lists.iter().flat_map(|(name, slots, repeats)| members(name, slots, *repeats)).collect())
    }

    fn slot(&self, child: &Element, found: Found<'_>) -> Result<Slot, &'static str> {
        let structure = self.registry.structure(found.type_id);
        let is_narrative = structure.primitive() == Some(Primitive::Xhtml);
        if child.space != if is_narrative { XHTML } else { FHIR } {
            return Err("an element is of another namespace");
        }
        let value = match structure.kind {
            StructureKind::Primitive(Primitive::Xhtml) => return Ok(Slot { value: Some(self.narrative(child)), sibling: None }),
            StructureKind::Primitive(primitive) => {
                let rest = self.members(child, structure)?;
                let value = child.attribute("value").map(|text| literal(primitive, &text));
                let sibling = (!rest.is_empty()).then(|| written(&rest));
                return Ok(Slot { value, sibling });
            }
            StructureKind::Resource => {
                let mut held = child.elements();
                match (held.next(), held.next()) {
                    (Some((_, resource)), None) if resource.space == FHIR => self.json(resource)?,
                    _ => return Err("where a resource stands there is one"),
                }
            }
            StructureKind::Complex | StructureKind::Backbone => written(&self.members(child, structure)?),
        };
        Ok(Slot { value: Some(value), sibling: None })
    }

    /// A narrative as a JSON string: as it was written, if it is still the same.
    fn narrative(&self, div: &Element) -> String {
        let xml = document::written(&div.clone().adopted(""));
        match self.narratives.iter().find(|(same, _)| *same == xml) {
            Some((_, json)) => json.clone(),
            None => quoted(&xml),
        }
    }
}

fn element(name: String) -> Element {
    Element { name, space: FHIR.to_owned(), ..Element::default() }
}

/// The JSON properties an element may stand under.
fn properties(structure: &Structure, definition: &Definition) -> Vec<String> {
    if !definition.is_choice {
        return vec![definition.name.to_owned()];
    }
    structure.choices(definition.name).iter().map(|choice| choice.property.to_string()).collect()
}

/// Whether what stands under `name` is an attribute in XML: the id of what is no resource, and the URL of an extension.
fn is_attribute(structure: &Structure, name: &str) -> bool {
    (name == "id" && structure.kind != StructureKind::Resource) || (name == "url" && structure.name == "Extension")
}

/// The value of a primitive as an attribute writes it.
fn attribute_of(value: Node<'_>) -> String {
    super::escaped(&value.string().unwrap_or_else(|| value.raw().into()))
}

/// A primitive in JSON. What should be a number or a truth value and is none becomes a string, which is refused for what it is.
fn literal(primitive: Primitive, text: &str) -> String {
    let is_right = primitive.json() != JsonKind::String
        && Tree::parse_plain(text.as_bytes())
            .is_ok_and(|tree| tree.root().kind() == primitive.json() && tree.root().raw() == text);
    if is_right { text.to_owned() } else { quoted(text) }
}

fn written(members: &[(String, Option<String>)]) -> String {
    object(&members.iter().map(|(name, value)| (name.as_str(), value.clone())).collect::<Vec<_>>())
}
