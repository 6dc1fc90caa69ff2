//! A query, parsed and meant: every parameter becomes a type, and no text of it is looked at again.
//!
//! What R4 knows and this server cannot search yet (composites, some modifiers) is understood and then refused, never half done. Repeated parameters must all hold, values parted by commas are alternatives, an empty value asks nothing.

mod criterion;
mod fault;
mod filter;
mod include;
mod name;
mod number;
mod read;
mod result;
mod scope;
mod split;
mod value;

#[cfg(test)]
mod tests;

pub use criterion::{Chain, Criterion, Filter, ReverseChain};
pub use include::{Direction, Inclusion};
pub use name::Modifier;
pub use number::{NumberValue, Prefix};
pub use result::{PAGE_PARAMETER, ResultParameters, SortBy, SortedParameter, SortedValue, Summary, Total};
pub use scope::{Scope, Within};
pub use value::{
    Compared, Ending, Near, PathMatch, Place, QuantityValue, ReferenceValue, Test, TextMatch, TokenMatch, TokenValue,
    TypedIdentifier, UnitValue,
};

use crate::definition::Registry;
use crate::fhir::ResourceType;
use crate::outcome::{Failure, Issue, Kind, Outcome};
use fault::Fault;
pub(in crate::search) use fault::quoted;
use result::Taken;

/// The most parameters of one query.
pub const MAX_PARAMETERS: usize = 200;
/// The most values of one parameter, which are alternatives.
pub const MAX_VALUES: usize = 1_000;
/// The longest value of one parameter.
pub const MAX_VALUE_BYTES: usize = 65_536;
/// The most values of one parameter, times the types that are searched by it.
pub const MAX_VALUES_OF_TYPES: usize = 20_000;
/// The most links of one chain.
pub const MAX_LINKS: usize = 10;
/// The most types that one chain goes through, counted at each link.
pub const MAX_BRANCHES: usize = 1_000;
/// The most keys of one order.
pub const MAX_SORT_KEYS: usize = 8;
/// The most `_include`s and `_revinclude`s of one query.
pub const MAX_INCLUSIONS: usize = 50;
/// The longest page token.
pub const MAX_PAGE_TOKEN_BYTES: usize = 8_192;

/// What becomes of a parameter this server does not know (`Prefer: handling=…`, RFC 7240).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Handling {
    /// It is refused.
    #[default]
    Strict,
    /// It is left out and the client is told.
    Lenient,
}

impl Handling {
    /// The preference as its header writes it.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Strict => "strict",
            Self::Lenient => "lenient",
        }
    }

    /// The handling called `name`.
    pub fn named(name: &str) -> Option<Self> {
        [Self::Strict, Self::Lenient].into_iter().find(|handling| handling.code() == name)
    }
}

/// A query, understood.
#[derive(Clone, Debug, PartialEq)]
pub struct Query {
    scope: Scope,
    /// For each parameter what it asks of each type of the scope.
    criteria: Vec<Vec<Criterion>>,
    result: ResultParameters,
    ignored: Vec<Issue>,
    /// Parameters that took part, as they were written.
    used: Vec<(String, String)>,
    /// Whose query it is.
    asker: Box<str>,
}

impl Query {
    /// Understands the decoded `parameters` of a search in `scope`. Several types are searched by parameters that all of them have.
    ///
    /// # Errors
    /// `InvalidParameter` with one issue for each parameter that is unknown, unreadable or not supported; `Lenient` leaves out
    /// the unknown and unsupported ones instead ([`Query::ignored`]).
    pub fn parse(registry: &Registry, scope: Scope, parameters: &[(String, String)], handling: Handling) -> Outcome<Self> {
        if parameters.len() > MAX_PARAMETERS {
            return Err(Failure::new(Kind::InvalidParameter, format!("a search has at most {MAX_PARAMETERS} parameters")));
        }
        let mut query = Self {
            scope,
            criteria: Vec::new(),
            result: ResultParameters::default(),
            ignored: Vec::new(),
            used: Vec::new(),
            asker: Box::default(),
        };
        let mut refused = Vec::new();
        // The types come first: they decide which parameters there are.
        let (types, others): (Vec<_>, Vec<_>) =
            parameters.iter().filter(|(_, value)| !value.trim().is_empty()).partition(|(name, _)| name == scope::TYPE_PARAMETER);
        for (name, value) in types.into_iter().chain(others) {
            match query.take(registry, name, value) {
                Ok(()) => {}
                Err(fault) if fault.may_be_ignored && handling == Handling::Lenient => query.ignored.push(left_out(fault, name)),
                Err(fault) => refused.push(fault.at(code_of(name))),
            }
        }
        refused.extend(query.result.contradiction());
        if refused.is_empty() { Ok(query) } else { Err(Failure::with_issues(Kind::InvalidParameter, refused)) }
    }

    fn take(&mut self, registry: &Registry, name: &str, value: &str) -> Result<(), Fault> {
        if value.len() > MAX_VALUE_BYTES {
            return Err(Fault::too_many("bytes in one value", MAX_VALUE_BYTES));
        }
        if name == scope::TYPE_PARAMETER {
            self.scope.narrow(value)?;
        } else if let Taken::NotMine = self.result.take(registry, &self.scope.kinds, (name, value))? {
            let Some(criteria) = self.criteria_of(registry, name, value)? else { return Ok(()) };
            self.criteria.push(criteria);
        }
        self.used.push((name.to_owned(), value.to_owned()));
        Ok(())
    }

    /// What a parameter asks of each type; `None` where it asks nothing.
    fn criteria_of(&self, registry: &Registry, name: &str, value: &str) -> Result<Option<Vec<Criterion>>, Fault> {
        let kinds = &self.scope.kinds;
        if kinds.len() > 1 && kinds.len() * value.split(',').count() > MAX_VALUES_OF_TYPES {
            return Err(Fault::too_many("values of one parameter times the types searched", MAX_VALUES_OF_TYPES));
        }
        let mut criteria = Vec::with_capacity(kinds.len());
        for kind in kinds {
            let Some(criterion) = criterion::read(registry, *kind, (name, value))? else { return Ok(None) };
            if let Some(fault) = criterion.unsupported() {
                return Err(fault);
            }
            criteria.push(criterion);
        }
        Ok(Some(criteria))
    }

    /// The same query, asked by `asker`: its pages serve nobody else.
    #[must_use]
    pub fn asked_by(self, asker: &str) -> Self {
        Self { asker: asker.into(), ..self }
    }

    /// The types searched; none where `_type` names none that the scope has.
    pub fn kinds(&self) -> &[ResourceType] {
        &self.scope.kinds
    }

    /// The compartment what is found belongs to.
    pub fn within(&self) -> Option<&Within> {
        self.scope.within.as_ref()
    }

    /// What every match fulfils: for each parameter the criterion of each type, in the order of [`kinds`](Self::kinds).
    pub fn criteria(&self) -> &[Vec<Criterion>] {
        &self.criteria
    }

    /// What the answer shall look like.
    pub fn result(&self) -> &ResultParameters {
        &self.result
    }

    /// One warning for each parameter that was left out; for an entry of mode `outcome`.
    pub fn ignored(&self) -> &[Issue] {
        &self.ignored
    }

    /// The parameters of the link `self`: those that took part.
    pub fn self_parameters(&self) -> &[(String, String)] {
        &self.used
    }

    /// What decides which instances match and in which order, as bytes: a page token belongs to it.
    pub(super) fn identity(&self) -> Vec<u8> {
        let mut bytes = self.scope.identity();
        bytes.extend_from_slice(&[0xFC]);
        bytes.extend_from_slice(self.asker.as_bytes());
        let decides = |name: &str| name == "_sort" || !(result::NAMES.contains(&name) || name == PAGE_PARAMETER);
        for (name, value) in self.used.iter().filter(|(name, _)| decides(name)) {
            bytes.extend_from_slice(&[0xFF]);
            bytes.extend_from_slice(name.as_bytes());
            bytes.extend_from_slice(&[0xFE]);
            bytes.extend_from_slice(value.as_bytes());
        }
        bytes
    }
}

/// The name without modifiers and links.
fn code_of(name: &str) -> &str {
    name.split([':', '.']).next().unwrap_or_default()
}

fn left_out(fault: Fault, name: &str) -> Issue {
    let issue = fault.at(code_of(name));
    let diagnostics = format!("the parameter `{}` was ignored: {}", quoted(name), issue.diagnostics);
    Issue { diagnostics, ..Issue::warning(issue.code, "") }.at(issue.expression.unwrap_or_default())
}
