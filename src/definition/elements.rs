//! What the codec of XML is told about the types of R4.

use super::Primitive;
use super::registry::Registry;
use super::structure::{Structure, StructureKind};
use crate::fhir::ResourceType;
use crate::fhir::json::JsonKind;
use crate::fhir::xml::{Element, Elements, Form};
use crate::fhirpath::model::TypeId;

/// The elements that are attributes: the id of whatever is no resource, and the URL of an extension (R4 xml.html).
const ID: &str = "id";
const URL: &str = "url";
const EXTENSION: &str = "Extension";

impl Elements for Registry {
    type Type = TypeId;

    fn resource(&self, name: &str) -> Option<TypeId> {
        name.parse::<ResourceType>().ok().map(|kind| Registry::resource(self, kind))
    }

    fn element(&self, of: TypeId, name: &str) -> Option<Element<TypeId>> {
        let structure = self.structure(of);
        let found = structure.property(name)?;
        let form = if is_attribute(structure, name) { Form::Attribute } else { form(self.structure(found.type_id)) };
        let repeats = found.element.repeats();
        Some(Element { order: found.index, name: found.element.name, repeats, form, holds: found.type_id })
    }
}

fn is_attribute(structure: &Structure, name: &str) -> bool {
    let is_resource = structure.kind == StructureKind::Resource;
    (name == ID && !is_resource) || (name == URL && structure.name == EXTENSION)
}

fn form(structure: &Structure) -> Form {
    match structure.kind {
        StructureKind::Primitive(Primitive::Xhtml) => Form::Narrative,
        StructureKind::Primitive(primitive) => match primitive.json() {
            JsonKind::Number => Form::Number,
            JsonKind::Boolean => Form::Boolean,
            JsonKind::String | JsonKind::Object | JsonKind::Array | JsonKind::Null => Form::Text,
        },
        StructureKind::Complex | StructureKind::Backbone => Form::Object,
        StructureKind::Resource => Form::Resource,
    }
}
