//! The XML form of resources (R4 xml.html), from and to their JSON form: both say the same, digit for digit.
//!
//! Which elements a type has, in which order and of which form, comes in through [`Elements`]. Narratives are copied as they were
//! written. What is not FHIR is refused where it stands: document types, entities, other namespaces, unknown elements and
//! attributes, elements out of their order. This is no validator: what the values are is judged in JSON.

mod fault;
mod read;
mod write;

pub use fault::Fault;
pub use read::{is_called, to_json};
pub use write::{Unwritable, Written, to_xml};

/// The namespace of resources.
const FHIR: &str = "http://hl7.org/fhir";
/// The namespace of narratives.
const XHTML: &str = "http://www.w3.org/1999/xhtml";
/// The namespace of hints for tools, which mean nothing here.
const SCHEMA_INSTANCE: &str = "http://www.w3.org/2001/XMLSchema-instance";
/// The member by which a resource says its type in JSON; in XML its name does.
const RESOURCE_TYPE: &str = "resourceType";
/// How deep elements may lie in others.
const MAX_DEPTH: usize = 64;

/// How a text is laid out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Layout {
    /// Without a blank that means nothing.
    #[default]
    Compact,
    /// Each element on a line of its own.
    Indented,
}

/// What the codec is told of the types of FHIR.
pub trait Elements {
    /// A type: of a resource, of a data type, of elements inside another, of a primitive.
    type Type: Copy;

    /// The resource type called `name`, if an instance can be of it.
    fn resource(&self, name: &str) -> Option<Self::Type>;

    /// The element of `of` that stands under `name`, which is the same in JSON and in XML.
    fn element(&self, of: Self::Type, name: &str) -> Option<Element<Self::Type>>;
}

/// An element of a type, under one of its names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Element<T> {
    /// Its place among the elements of its type.
    pub order: u8,
    /// Its name in paths: that of a choice without the type.
    pub name: &'static str,
    /// Whether it is an array in JSON.
    pub repeats: bool,
    /// How it is written.
    pub form: Form,
    /// The type of what it holds.
    pub holds: T,
}

/// How an element is written in either form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// In XML an attribute of what it stands in; a string in JSON.
    Attribute,
    /// A primitive that is a string in JSON.
    Text,
    /// A primitive that is a number in JSON.
    Number,
    /// A primitive that is `true` or `false` in JSON.
    Boolean,
    /// XHTML.
    Narrative,
    /// Elements of its own.
    Object,
    /// A resource of any type.
    Resource,
}

#[cfg(test)]
mod tests;
