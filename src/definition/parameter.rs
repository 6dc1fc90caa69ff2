//! Search parameters as one resource type sees them.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;

use super::core;
use super::error::LoadError;
use super::facts::ParameterFacts;
use super::{expression, fault};
use crate::fhir::ResourceType;

/// The number of a search parameter in an index: a hash of its canonical URL, the same on every start and every server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ParameterId(pub i32);

impl ParameterId {
    /// The number of the parameter with that canonical URL: 31 bits of its FNV-1a hash, never negative.
    pub fn of_url(url: &str) -> Self {
        let hash = url
            .bytes()
            .fold(0xCBF2_9CE4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01B3));
        // Every bit takes part; the sign bit stays clear.
        Self((((hash >> 32) ^ hash) & 0x7FFF_FFFF) as i32)
    }
}

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

impl ParameterKind {
    /// The code as the standard writes it.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Number => "number",
            Self::Date => "date",
            Self::String => "string",
            Self::Token => "token",
            Self::Reference => "reference",
            Self::Composite => "composite",
            Self::Quantity => "quantity",
            Self::Uri => "uri",
            Self::Special => "special",
        }
    }

    /// The type whose code is `code`, if there is one.
    pub fn from_code(code: &str) -> Option<Self> {
        const ALL: [ParameterKind; 9] = [
            ParameterKind::Number,
            ParameterKind::Date,
            ParameterKind::String,
            ParameterKind::Token,
            ParameterKind::Reference,
            ParameterKind::Composite,
            ParameterKind::Quantity,
            ParameterKind::Uri,
            ParameterKind::Special,
        ];
        ALL.into_iter().find(|kind| kind.code() == code)
    }
}

/// A search parameter on one resource type, its expression narrowed to that type.
#[derive(Clone, Debug)]
pub struct Parameter {
    /// Its number in an index.
    pub id: ParameterId,
    /// Its canonical URL.
    pub url: Cow<'static, str>,
    /// The name used in a query.
    pub code: Cow<'static, str>,
    /// How its values are compared.
    pub kind: ParameterKind,
    /// The expression as the standard states it for this type alone; `None` where the standard gives none, so that the
    /// parameter cannot be searched by an index.
    pub expression: Option<Box<str>>,
    /// The types a reference parameter may point at; empty: any.
    pub targets: Vec<ResourceType>,
    /// What a composite combines; empty for any other kind.
    pub components: Vec<Component>,
    /// Whether a SearchParameter of the store defines it, not the standard.
    pub is_custom: bool,
}

/// One part of a composite parameter.
#[derive(Clone, Debug)]
pub struct Component {
    /// The canonical URL of the parameter whose values it holds.
    pub url: &'static str,
    /// How its values are compared.
    pub kind: ParameterKind,
    /// Its expression, evaluated on what the composite's own expression gives.
    pub expression: Cow<'static, str>,
    /// The types a reference may point at; empty: any.
    pub targets: Vec<ResourceType>,
}

/// A parameter with more targets than this may point at anything: the standard writes "any" as a list of all types.
const MOST_TARGETS: usize = 100;

/// The parameters of every type, in the order of [`ResourceType::ALL`], each list sorted by code.
pub(super) fn load() -> Result<Box<[Arc<[Parameter]>]>, LoadError> {
    let mut lines: Vec<ParameterFacts> = core::SEARCH_PARAMETERS.read()?;
    lines.extend(core::FRENCH_SEARCH_PARAMETERS.read::<ParameterFacts>()?);
    let by_url: HashMap<&str, &ParameterFacts> = lines.iter().map(|line| (line.url, line)).collect();
    let mut lists: Vec<Vec<Parameter>> = ResourceType::ALL.iter().map(|_| Vec::new()).collect();
    for line in &lines {
        let template = parameter(line, &by_url)?;
        for kind in kinds(|name| line.base.contains(&name)) {
            let expression = line.expression.as_ref().and_then(|whole| expression::narrowed(&whole.0, kind));
            if let Some(list) = lists.get_mut(kind as usize) {
                list.push(Parameter { expression, ..template.clone() });
            }
        }
    }
    Ok(lists
        .into_iter()
        .map(|mut list| {
            list.sort_unstable_by(|one, other| one.code.cmp(&other.code));
            list.into()
        })
        .collect())
}

/// The concrete types of a parameter that `has_base` says which types it is defined on.
pub(super) fn kinds(has_base: impl Fn(&str) -> bool) -> impl Iterator<Item = ResourceType> {
    let on_all = has_base("Resource");
    let on_domain = has_base("DomainResource");
    let is_concerned = move |kind: &ResourceType| on_all || (on_domain && is_domain_resource(*kind)) || has_base(kind.name());
    ResourceType::ALL.iter().copied().filter(is_concerned)
}

/// Every type has a narrative and extensions but these three (R4 resource.html).
fn is_domain_resource(kind: ResourceType) -> bool {
    !matches!(kind, ResourceType::Binary | ResourceType::Bundle | ResourceType::Parameters)
}

/// The parameter, as yet without an expression.
fn parameter(line: &ParameterFacts, by_url: &HashMap<&str, &ParameterFacts>) -> Result<Parameter, LoadError> {
    let expressions = line.component.iter().map(|(_, expression)| expression.0.clone()).collect();
    let components = line
        .component
        .iter()
        .zip(fault::corrected(line.url, expressions))
        .map(|((url, _), expression)| component(line, url, expression, by_url))
        .collect::<Result<_, _>>()?;
    let components = fault::in_order(line.url, components);
    Ok(Parameter {
        id: ParameterId::of_url(line.url),
        url: line.url.into(),
        code: line.code.into(),
        kind: kind(line)?,
        expression: None,
        targets: targets(line),
        components,
        is_custom: false,
    })
}

fn component(
    composite: &ParameterFacts,
    url: &'static str,
    expression: Cow<'static, str>,
    by_url: &HashMap<&str, &ParameterFacts>,
) -> Result<Component, LoadError> {
    let line = by_url.get(url).ok_or_else(|| LoadError::Undefined { place: composite.url, name: url.to_owned() })?;
    Ok(Component { url, kind: kind(line)?, expression, targets: targets(line) })
}

fn kind(line: &ParameterFacts) -> Result<ParameterKind, LoadError> {
    ParameterKind::from_code(line.kind).ok_or(LoadError::Word { place: line.url, word: line.kind, what: "search parameter type" })
}

fn targets(line: &ParameterFacts) -> Vec<ResourceType> {
    if line.target.len() > MOST_TARGETS {
        return Vec::new();
    }
    line.target.iter().filter_map(|name| name.parse().ok()).collect()
}
