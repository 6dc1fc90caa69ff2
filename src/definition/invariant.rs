//! Invariants: the rules a type or an element carries beside its cardinality and types.

use std::borrow::Cow;

use super::core;
use super::error::LoadError;
use super::facts::InvariantFacts;
use super::fault;

/// The place of an invariant in the registry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct InvariantId(pub(super) u16);

/// A rule that must hold of every value of a type or an element.
#[derive(Debug)]
pub struct Invariant {
    /// Such as `dom-3`. One key of R4 (`inv-1`) names a different rule in each place that has it; each is an invariant of its own.
    pub key: &'static str,
    /// Whether a breach is an error; a warning otherwise.
    pub is_error: bool,
    /// The FHIRPath expression that must hold.
    pub expression: Cow<'static, str>,
}

impl Invariant {
    /// The first element its expression names.
    pub(super) fn first_element(&self) -> &str {
        let mut words = self.expression.split(|letter: char| !letter.is_ascii_alphanumeric());
        words.find(|word| !word.is_empty()).unwrap_or_default()
    }
}

/// Every invariant, sorted by key.
pub(super) fn load() -> Result<Box<[Invariant]>, LoadError> {
    let lines: Vec<InvariantFacts> = core::INVARIANTS.read()?;
    let all: Box<[Invariant]> = lines.into_iter().flat_map(invariants).collect();
    if u16::try_from(all.len()).is_err() {
        return Err(LoadError::TooMany("invariants"));
    }
    Ok(all)
}

fn invariants(facts: InvariantFacts) -> impl Iterator<Item = Invariant> {
    let rules = facts.variants.into_iter();
    rules.map(move |(severity, expression)| Invariant {
        key: facts.key,
        is_error: severity == "error",
        expression: fault::meant(facts.key, expression.0),
    })
}
