//! Invariants: the rules a type or an element carries beside its cardinality and types.

use std::borrow::Cow;

use super::core;
use super::error::LoadError;
use super::facts::InvariantFacts;

/// The place of an invariant in the registry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct InvariantId(pub(super) u16);

/// An invariant, known by its key. Two keys of R4 (`inv-1`, `inv-2`) name several rules, each for a place of its own; the elements
/// they speak of tell which one is meant.
#[derive(Debug)]
pub struct Invariant {
    /// Such as `dom-3`.
    pub key: &'static str,
    /// Its rules; one, but for the two keys above.
    pub rules: Box<[Rule]>,
}

/// What an invariant demands.
#[derive(Debug)]
pub struct Rule {
    /// Whether a breach is an error; a warning otherwise.
    pub is_error: bool,
    /// The FHIRPath expression that must hold.
    pub expression: Cow<'static, str>,
}

pub(super) fn load() -> Result<Box<[Invariant]>, LoadError> {
    let lines: Vec<InvariantFacts> = core::INVARIANTS.read()?;
    if u16::try_from(lines.len()).is_err() {
        return Err(LoadError::TooMany("invariants"));
    }
    Ok(lines.into_iter().map(invariant).collect())
}

fn invariant(facts: InvariantFacts) -> Invariant {
    let rules = facts
        .variants
        .into_iter()
        .map(|(severity, expression)| Rule { is_error: severity == "error", expression: expression.0 })
        .collect();
    Invariant { key: facts.key, rules }
}
