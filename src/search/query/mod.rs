//! A query, parsed and meant: every parameter becomes a type, and no text of it is looked at again.
//!
//! What R4 knows and this server cannot search yet (composites, some modifiers) is understood and then refused, never half done. Repeated parameters must all hold, values parted by commas are alternatives, an empty value asks nothing.

mod criterion;
mod fault;
mod include;
mod name;
mod number;
mod read;
mod result;
mod split;
mod value;

#[cfg(test)]
mod tests;

pub use criterion::{Chain, Criterion, Filter, ReverseChain};
pub use include::{Direction, Inclusion};
pub use name::Modifier;
pub use number::{NumberValue, Prefix};
pub use result::{PAGE_PARAMETER, ResultParameters, SortBy, SortedValue, Summary, Total};
pub use value::{Compared, PathMatch, QuantityValue, ReferenceValue, Test, TextMatch, TokenMatch, TokenValue, UnitValue};

use crate::definition::Registry;
use crate::fhir::ResourceType;
use crate::outcome::{Failure, Issue, Kind, Outcome};
use fault::{Fault, quoted};
use result::Taken;

/// The most parameters of one query.
pub const MAX_PARAMETERS: usize = 200;
/// The most values of one parameter, which are alternatives.
pub const MAX_VALUES: usize = 1_000;
/// The longest value of one parameter.
pub const MAX_VALUE_BYTES: usize = 65_536;
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

/// A query of one resource type, understood.
#[derive(Clone, Debug, PartialEq)]
pub struct Query {
    kind: ResourceType,
    criteria: Vec<Criterion>,
    result: ResultParameters,
    ignored: Vec<Issue>,
    /// Parameters that took part, as they were written.
    used: Vec<(String, String)>,
}

impl Query {
    /// Understands the decoded `parameters` of a search for instances of `kind`.
    ///
    /// # Errors
    /// `InvalidParameter` with one issue for each parameter that is unknown, unreadable or not supported; `Lenient` leaves out
    /// the unknown and unsupported ones instead ([`Query::ignored`]).
    pub fn parse(registry: &Registry, kind: ResourceType, parameters: &[(String, String)], handling: Handling) -> Outcome<Self> {
        if parameters.len() > MAX_PARAMETERS {
            return Err(Failure::new(Kind::InvalidParameter, format!("a search has at most {MAX_PARAMETERS} parameters")));
        }
        let mut query =
            Self { kind, criteria: Vec::new(), result: ResultParameters::default(), ignored: Vec::new(), used: Vec::new() };
        let mut refused = Vec::new();
        for (name, value) in parameters.iter().filter(|(_, value)| !value.trim().is_empty()) {
            match query.take(registry, name, value) {
                Ok(()) => {}
                Err(fault) if fault.may_be_ignored && handling == Handling::Lenient => query.ignored.push(left_out(fault, name)),
                Err(fault) => refused.push(fault.at(code_of(name))),
            }
        }
        if refused.is_empty() { Ok(query) } else { Err(Failure::with_issues(Kind::InvalidParameter, refused)) }
    }

    fn take(&mut self, registry: &Registry, name: &str, value: &str) -> Result<(), Fault> {
        if value.len() > MAX_VALUE_BYTES {
            return Err(Fault::too_many("bytes in one value", MAX_VALUE_BYTES));
        }
        match self.result.take(registry, self.kind, (name, value))? {
            Taken::Used => {}
            Taken::NotMine => {
                let Some(criterion) = criterion::read(registry, self.kind, (name, value))? else { return Ok(()) };
                if let Some(fault) = criterion.unsupported() {
                    return Err(fault);
                }
                self.criteria.push(criterion);
            }
        }
        self.used.push((name.to_owned(), value.to_owned()));
        Ok(())
    }

    /// The type searched.
    pub fn kind(&self) -> ResourceType {
        self.kind
    }

    /// What every match fulfils.
    pub fn criteria(&self) -> &[Criterion] {
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
        let mut bytes = self.kind.name().as_bytes().to_vec();
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
