//! How the values of a data type are read for the index.

use crate::fhirpath::Element;

/// The data types a search parameter can meet, as far as they are read differently.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    Boolean,
    /// `string`, `markdown`, `code`, `id`: text.
    Text,
    /// `uri`, `url`, `oid`, `uuid`.
    Uri,
    Canonical,
    Number,
    /// `date`, `dateTime`, `instant`.
    Date,
    Period,
    Timing,
    Coding,
    CodeableConcept,
    Identifier,
    ContactPoint,
    Reference,
    HumanName,
    Address,
    /// `Quantity` and its specialisations.
    Quantity,
    Money,
    Range,
    /// A resource inside another one.
    Resource,
    /// Nothing the index reads.
    Other,
}

impl Shape {
    /// How the values of an element are read; `shapes` are those of all types, by number.
    pub(super) fn of_element(shapes: &[Self], element: &Element<'_>) -> Self {
        let own = element.type_id().and_then(|id| shapes.get(usize::from(id.0)).copied());
        own.unwrap_or(Self::Other)
    }

    /// How values of the FHIR type called `name` are read.
    pub(super) fn of(name: &str) -> Self {
        match name {
            "boolean" => Self::Boolean,
            "string" | "markdown" | "code" | "id" | "base64Binary" => Self::Text,
            "uri" | "url" | "oid" | "uuid" => Self::Uri,
            "canonical" => Self::Canonical,
            "decimal" | "integer" | "positiveInt" | "unsignedInt" => Self::Number,
            "date" | "dateTime" | "instant" => Self::Date,
            "Period" => Self::Period,
            "Timing" => Self::Timing,
            "Coding" => Self::Coding,
            "CodeableConcept" => Self::CodeableConcept,
            "Identifier" => Self::Identifier,
            "ContactPoint" => Self::ContactPoint,
            "Reference" => Self::Reference,
            "HumanName" => Self::HumanName,
            "Address" => Self::Address,
            "Quantity" | "SimpleQuantity" | "Age" | "Count" | "Distance" | "Duration" | "MoneyQuantity" => Self::Quantity,
            "Money" => Self::Money,
            "Range" => Self::Range,
            resource if resource.parse::<crate::fhir::ResourceType>().is_ok() => Self::Resource,
            _ => Self::Other,
        }
    }
}
