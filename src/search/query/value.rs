//! The values of a query as types.

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
    /// `:text`
    FullText,
}

/// What of a token must agree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenMatch {
    /// One of the values.
    Is,
    /// None of the values: `:not`.
    IsNot,
    /// `:text`
    Text,
    /// `:in`
    In,
    /// `:not-in`
    NotIn,
    /// `:above`
    Above,
    /// `:below`
    Below,
    /// `:of-type`
    OfType,
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
    /// `composite`: the components of each value, in order.
    Composite(Vec<Vec<Box<str>>>),
    /// `quantity`
    Quantity(Vec<QuantityValue>),
    /// `uri`
    Uri(PathMatch, Vec<Box<str>>),
    /// `special`: the parameter's own grammar.
    Special(Box<str>),
}

impl Test {
    /// What of it this server cannot search yet.
    pub(super) fn unsupported(&self) -> Option<&'static str> {
        match self {
            Self::String(TextMatch::FullText, _) | Self::Token(TokenMatch::Text, _) => Some("the modifier `text`"),
            Self::Token(TokenMatch::In, _) => Some("the modifier `in`"),
            Self::Token(TokenMatch::NotIn, _) => Some("the modifier `not-in`"),
            Self::Token(TokenMatch::OfType, _) => Some("the modifier `of-type`"),
            Self::Token(TokenMatch::Above, _) => Some("the modifier `above`"),
            Self::Token(TokenMatch::Below, _) => Some("the modifier `below`"),
            Self::Reference(PathMatch::Above, _) | Self::Uri(PathMatch::Above, _) => Some("the modifier `above`"),
            Self::Reference(PathMatch::Below, _) | Self::Uri(PathMatch::Below, _) => Some("the modifier `below`"),
            Self::Composite(_) => Some("a composite parameter"),
            Self::Special(_) => Some("this parameter"),
            Self::Missing(_) | Self::Number(_) | Self::Date(_) | Self::Identifier(_) | Self::Quantity(_) => None,
            Self::String(TextMatch::Starts | TextMatch::Contains | TextMatch::Exact, _) => None,
            Self::Token(TokenMatch::Is | TokenMatch::IsNot, _) => None,
            Self::Reference(PathMatch::Is, _) | Self::Uri(PathMatch::Is, _) => None,
        }
    }
}
