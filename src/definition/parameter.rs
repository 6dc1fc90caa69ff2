//! Search parameters as one resource type sees them.

use crate::fhir::ResourceType;

/// The number of a search parameter in an index: a hash of its canonical URL, the same on every start and every server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ParameterId(pub i32);

/// `http://hl7.org/fhir/search-param-type`
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs, reason = "each variant is a code of the standard")]
pub enum ParameterKind {
    Number,
    Date,
    String,
    Token,
    Reference,
    Composite,
    Quantity,
    Uri,
    Special,
}

/// A search parameter on one resource type, its expression narrowed to that type and compiled.
#[derive(Debug)]
pub struct Parameter {
    /// Its number in an index.
    pub id: ParameterId,
    /// Its canonical URL.
    pub url: Box<str>,
    /// The name used in a query.
    pub code: Box<str>,
    /// How its values are compared.
    pub kind: ParameterKind,
    /// The expression as the standard states it for this type alone; `None` where the standard gives none.
    pub expression: Option<Box<str>>,
    /// The types a reference parameter may point at; empty: any.
    pub targets: Vec<ResourceType>,
}
