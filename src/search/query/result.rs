//! Parameters that shape the answer and not the matches (R4 search.html §results).

use super::fault::Fault;
use super::include::Inclusion;
use super::split::Piece;
use super::{MAX_INCLUSIONS, MAX_PAGE_TOKEN_BYTES, MAX_SORT_KEYS};
use crate::definition::{ParameterId, ParameterKind, Registry};
use crate::fhir::ResourceType;
use crate::outcome::{Issue, IssueCode};

/// Every name read here, for proposals.
pub(super) const NAMES: &[&str] =
    &["_count", "_elements", "_format", "_include", "_pretty", "_revinclude", "_sort", "_summary", "_total"];

/// The name of the parameter that carries a place in the matches.
pub const PAGE_PARAMETER: &str = "_page";

/// One key of `_sort`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SortBy {
    /// What is compared.
    pub value: SortedValue,
    /// Largest first.
    pub descending: bool,
}

/// What a key of `_sort` names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SortedValue {
    /// `_lastUpdated`
    Updated,
    /// `_id`
    Id,
    /// A parameter, as each type that is searched has it.
    Parameter(Vec<SortedParameter>),
}

/// A parameter that one type is sorted by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SortedParameter {
    /// The type.
    pub kind: ResourceType,
    /// The parameter.
    pub parameter: ParameterId,
    /// How its values are compared.
    pub values: ParameterKind,
}

/// `_total`
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Total {
    /// No wish was said.
    #[default]
    Unsaid,
    /// `none`
    None,
    /// `estimate`
    Estimate,
    /// `accurate`
    Accurate,
}

/// `_summary`
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Summary {
    /// `false`: everything.
    #[default]
    False,
    /// `true`
    True,
    /// `text`
    Text,
    /// `data`
    Data,
    /// `count`: the number of matches alone.
    Count,
}

/// What the parameters of the answer said.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ResultParameters {
    /// `_sort`, most significant key first.
    pub sort: Vec<SortBy>,
    /// `_count`
    pub count: Option<u32>,
    /// `_total`
    pub total: Total,
    /// `_summary`
    pub summary: Summary,
    /// `_elements`
    pub elements: Vec<Box<str>>,
    /// `_include` and `_revinclude`
    pub inclusions: Vec<Inclusion>,
    pub(in crate::search) page: Option<Box<str>>,
}

/// What became of a parameter.
pub(super) enum Taken {
    /// It is none of these.
    NotMine,
    /// It was understood and shows in the self link.
    Used,
}

impl ResultParameters {
    /// Reads `name=value` where it is one of these.
    pub(super) fn take(
        &mut self,
        registry: &Registry,
        kinds: &[ResourceType],
        (name, value): (&str, &str),
    ) -> Result<Taken, Fault> {
        match name {
            "_sort" => self.take_sort(registry, kinds, value)?,
            "_count" => {
                let count = value.parse::<u32>().map_err(|_| Fault::value(value, 1, "a number from 0 on"))?;
                once(&mut self.count, count)?;
            }
            "_total" => self.total = total(value)?,
            "_summary" => self.summary = summary(value)?,
            "_elements" => self.take_elements(registry, kinds, value)?,
            "_format" | "_pretty" => {}
            "_contained" if value == "false" => {}
            PAGE_PARAMETER => {
                if value.len() > MAX_PAGE_TOKEN_BYTES {
                    return Err(Fault::too_many("bytes of a page token", MAX_PAGE_TOKEN_BYTES));
                }
                once(&mut self.page, value.into())?;
            }
            other => match Inclusion::read(registry, (other, value))? {
                Some(_) if self.inclusions.len() >= MAX_INCLUSIONS => {
                    return Err(Fault::too_many("inclusions", MAX_INCLUSIONS));
                }
                Some(inclusion) => self.inclusions.push(inclusion),
                None => return not_offered(other),
            },
        }
        Ok(Taken::Used)
    }

    /// An element that none of the types has is none.
    fn take_elements(&mut self, registry: &Registry, kinds: &[ResourceType], value: &str) -> Result<(), Fault> {
        for piece in Piece::whole(value).split(b',').filter(|piece| !piece.raw.trim().is_empty()) {
            let name = piece.raw.trim();
            let name = name.strip_suffix("[x]").unwrap_or(name);
            let is_of = |kind: &ResourceType| {
                let structure = registry.structure(registry.resource(*kind));
                structure.property(name).is_some() || !structure.choices(name).is_empty()
            };
            if !kinds.is_empty() && !kinds.iter().any(is_of) {
                return Err(Fault::value(piece.raw, piece.position, "an element of what is searched").softly());
            }
            self.elements.push(name.into());
        }
        Ok(())
    }

    /// What of it cannot be had together.
    pub(super) fn contradiction(&self) -> Option<Issue> {
        let says = |text: &str, place: &str| Some(Issue::error(IssueCode::Invalid, text).at(place));
        match self.summary {
            Summary::Text if !self.inclusions.is_empty() => {
                says("_summary=text goes without _include and _revinclude", "http._summary")
            }
            Summary::True | Summary::Text | Summary::Data if !self.elements.is_empty() => {
                says("an answer is shaped by _summary or by _elements, not by both", "http._elements")
            }
            Summary::True | Summary::Text | Summary::Data | Summary::Count | Summary::False => None,
        }
    }

    fn take_sort(&mut self, registry: &Registry, kinds: &[ResourceType], value: &str) -> Result<(), Fault> {
        let keys = Piece::whole(value).split(b',').filter(|key| !key.raw.is_empty()).take(MAX_SORT_KEYS + 1);
        let keys = keys.map(|key| sort_by(registry, kinds, key)).collect::<Result<Vec<SortBy>, Fault>>()?;
        if self.sort.len() + keys.len() > MAX_SORT_KEYS {
            return Err(Fault::too_many("keys of an order", MAX_SORT_KEYS));
        }
        self.sort.extend(keys);
        Ok(())
    }
}

/// Parameters of the standard that no type has and this server has not.
fn not_offered(name: &str) -> Result<Taken, Fault> {
    let code = name.split_once([':', '.']).map_or(name, |(code, _)| code);
    match code {
        "_contained" | "_containedType" | "_score" | "_query" => Err(Fault::unsupported(&format!("`{code}`"))),
        _ => Ok(Taken::NotMine),
    }
}

fn once<T>(place: &mut Option<T>, value: T) -> Result<(), Fault> {
    if place.replace(value).is_some() { Err(Fault::wrong("it is given twice")) } else { Ok(()) }
}

fn sort_by(registry: &Registry, kinds: &[ResourceType], key: Piece<'_>) -> Result<SortBy, Fault> {
    let (code, descending) = match key.raw.strip_prefix('-') {
        Some(_) => (key.skip(1), true),
        None => (key, false),
    };
    let value = match code.raw {
        "_lastUpdated" => SortedValue::Updated,
        "_id" => SortedValue::Id,
        _ => SortedValue::Parameter(kinds.iter().map(|kind| sorted(registry, *kind, code)).collect::<Result<_, _>>()?),
    };
    Ok(SortBy { value, descending })
}

fn sorted(registry: &Registry, kind: ResourceType, code: Piece<'_>) -> Result<SortedParameter, Fault> {
    let known = || registry.parameters(kind).iter().map(|parameter| &*parameter.code);
    let unknown = || Fault::unknown(code.raw, kind.name(), known()).from(code.position);
    let parameter = registry.parameter(kind, code.raw).ok_or_else(unknown)?;
    let is_sortable = match parameter.kind {
        ParameterKind::Composite | ParameterKind::Special => false,
        ParameterKind::Number | ParameterKind::Date | ParameterKind::String | ParameterKind::Token => true,
        ParameterKind::Reference | ParameterKind::Quantity | ParameterKind::Uri => true,
    };
    if !is_sortable || parameter.expression.is_none() {
        let text = format!("`{}` at character {} has no order", code.raw, code.position);
        return Err(Fault::wrong(text).softly());
    }
    Ok(SortedParameter { kind, parameter: parameter.id, values: parameter.kind })
}

fn total(value: &str) -> Result<Total, Fault> {
    match value {
        "none" => Ok(Total::None),
        "estimate" => Ok(Total::Estimate),
        "accurate" => Ok(Total::Accurate),
        other => Err(Fault::value(other, 1, "one of none, estimate, accurate")),
    }
}

fn summary(value: &str) -> Result<Summary, Fault> {
    match value {
        "true" => Ok(Summary::True),
        "text" => Ok(Summary::Text),
        "data" => Ok(Summary::Data),
        "count" => Ok(Summary::Count),
        "false" => Ok(Summary::False),
        other => Err(Fault::value(other, 1, "one of true, text, data, count, false")),
    }
}
