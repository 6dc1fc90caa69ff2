//! The values of a query as types.

use super::criterion::Filter;
use super::number::{NumberValue, Prefix};
use crate::fhir::date::PartialDate;
use crate::fhir::{InstanceId, ResourceType};

/// A value and how it is compared.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Compared<T> {
    /// How.
    pub prefix: Prefix,
    /// With what.
    pub value: T,
}

/// The value of a token parameter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TokenValue {
    /// `code`: in any system or none.
    Code(Box<str>),
    /// `system|code`
    SystemCode(Box<str>, Box<str>),
    /// `|code`: in no system.
    CodeWithoutSystem(Box<str>),
    /// `system|`: any code of that system.
    System(Box<str>),
}

/// The value of a reference parameter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ReferenceValue {
    /// `id`: of any type the parameter may point at.
    Id(InstanceId),
    /// `Type/id` or `Type/id/_history/version`
    Instance {
        /// The type.
        kind: ResourceType,
        /// The logical id.
        id: InstanceId,
        /// The version, where that alone is meant.
        version: Option<Box<str>>,
    },
    /// An absolute URL, here or elsewhere, a `urn:`, or a canonical URL with its version.
    Url {
        /// The URL.
        url: Box<str>,
        /// What follows the bar.
        version: Option<Box<str>>,
    },
}

/// The value of a quantity parameter.
#[derive(Clone, Debug, PartialEq)]
pub struct QuantityValue {
    /// The number and how it is compared.
    pub number: Compared<NumberValue>,
    /// The unit; `None`: any.
    pub unit: Option<UnitValue>,
}

/// The unit of a quantity in a query.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum UnitValue {
    /// `|system|code`
    Coded(Box<str>, Box<str>),
    /// `||code`: a code in any system, or the words of the unit.
    Plain(Box<str>),
}

/// The value of a string parameter, and what of it must agree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TextMatch {
    /// The beginning, without case and accents.
    Starts,
    /// Any part, without case and accents.
    Contains,
    /// Everything.
    Exact,
}

/// What of a token must agree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenMatch {
    /// One of the values.
    Is,
    /// None of the values: `:not`.
    IsNot,
    /// One of the values, or a concept that subsumes one: `:above`.
    Above,
    /// One of the values, or a concept that one subsumes: `:below`.
    Below,
}

/// An identifier and what kind of identifier it is: `:of-type`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TypedIdentifier {
    /// The system of the code of its type.
    pub system: Box<str>,
    /// The code of its type.
    pub code: Box<str>,
    /// Its value.
    pub value: Box<str>,
}

/// A place and how far around it is searched: `near`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Near {
    /// Degrees north.
    pub latitude: f64,
    /// Degrees east.
    pub longitude: f64,
    /// Kilometres.
    pub distance: f64,
}

/// What of a `uri`, or of a reference in a hierarchy, must agree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PathMatch {
    /// Everything.
    Is,
    /// `:above`
    Above,
    /// `:below`
    Below,
}

/// What of a string must agree in a filter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// Everything.
    Is,
    /// Something: there is a value that is another.
    IsNot,
    /// The end.
    Ends,
}

/// Where words are looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// In the narrative: `_text`.
    Narrative,
    /// In any text of the resource: `_content`.
    Resource,
}

/// What a value of the parameter must be. Several values: one of them is enough.
#[derive(Clone, Debug, PartialEq)]
pub enum Test {
    /// That there is none, or that there is one.
    Missing(bool),
    /// `number`
    Number(Vec<Compared<NumberValue>>),
    /// `date`
    Date(Vec<Compared<PartialDate>>),
    /// `string`
    String(TextMatch, Vec<Box<str>>),
    /// `token`
    Token(TokenMatch, Vec<TokenValue>),
    /// `reference`
    Reference(PathMatch, Vec<ReferenceValue>),
    /// `reference` by `Reference.identifier`
    Identifier(Vec<TokenValue>),
    /// `composite`: for each value what is asked of the components, in their order.
    Composite(Vec<Vec<Filter>>),
    /// `quantity`
    Quantity(Vec<QuantityValue>),
    /// `uri`
    Uri(PathMatch, Vec<Box<str>>),
    /// `token`: the beginning of a text that goes with the code.
    Text(Vec<Box<str>>),
    /// `token`: a code in one of these value sets; in none of them where it is negated.
    ValueSet {
        /// `:not-in`
        negated: bool,
        /// Their canonical URLs.
        urls: Vec<Box<str>>,
    },
    /// `token`: an identifier of a type.
    OfType(Vec<TypedIdentifier>),
    /// `string`, in a filter: everything, without case and accents, or the end.
    Ending(Ending, Box<str>),
    /// In a filter: that a value is there of which the test does not hold.
    Unequal(Box<Test>),
    /// `date`, in a filter: that a value overlaps with this one.
    Overlaps(PartialDate),
    /// Positions on earth.
    Near(Vec<Near>),
    /// Words of the narrative, or of the whole resource.
    Words(Place, Vec<Box<str>>),
}

impl Test {
    /// What of it this server cannot search.
    pub(super) fn unsupported(&self) -> Option<&'static str> {
        match self {
            Self::Reference(PathMatch::Above, _) => Some("the modifier `above` of a reference"),
            Self::Reference(PathMatch::Below, _) => Some("the modifier `below` of a reference"),
            Self::Missing(_) | Self::Number(_) | Self::Date(_) | Self::Identifier(_) | Self::Quantity(_) => None,
            Self::String(..) | Self::Token(..) | Self::Uri(..) | Self::Reference(PathMatch::Is, _) => None,
            Self::Composite(_) | Self::Text(_) | Self::ValueSet { .. } | Self::OfType(_) | Self::Near(_) => None,
            Self::Words(..) | Self::Ending(..) | Self::Unequal(_) | Self::Overlaps(_) => None,
        }
    }
}
