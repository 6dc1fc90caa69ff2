//! Codes expanded: what a code subsumes or is subsumed by, and what a value set holds, as far as this server knows the code systems.

use std::collections::{BTreeSet, HashSet};

use crate::definition::{CodeSystem, Concept, Registry, ValueSetPart};
use crate::fhir::ResourceType;
use crate::outcome::{Failure, Issue, IssueCode, Kind, Outcome};
use crate::search::query::{TokenMatch, TokenValue};

/// The most codes a query is expanded to.
const MAX_EXPANDED_CODES: usize = 5_000;
/// How deep value sets are included by others.
const MAX_INCLUSIONS: usize = 8;

/// `system` and `code`.
type Code = (Box<str>, Box<str>);

/// The codes that `value` stands for above or below itself; the value alone where its code system is not known or has no hierarchy.
pub(super) fn hierarchy(registry: &Registry, how: TokenMatch, value: &TokenValue, implied: Option<&str>) -> Vec<TokenValue> {
    let (system, code): (&str, &str) = match (value, implied) {
        (TokenValue::SystemCode(system, code), _) => (system, code),
        (TokenValue::Code(code), Some(system)) => (system, code),
        _ => return vec![value.clone()],
    };
    let Some(found) = registry.code_system(system) else { return vec![value.clone()] };
    let mut codes = BTreeSet::new();
    match how {
        TokenMatch::Above => above(&found.concept, code, &mut codes),
        TokenMatch::Below => below(&found.concept, code, false, &mut codes),
        TokenMatch::Is | TokenMatch::IsNot => {}
    }
    let named = |code: &str| match value {
        TokenValue::Code(_) => TokenValue::Code(code.into()),
        _ => TokenValue::SystemCode(system.into(), code.into()),
    };
    codes.insert(code.to_owned());
    codes.iter().map(|code| named(code)).collect()
}

/// The code and everything under it.
fn below(concepts: &[Concept], code: &str, is_under: bool, codes: &mut BTreeSet<String>) {
    for concept in concepts {
        let is_under = is_under || concept.code == code;
        if is_under {
            codes.insert(concept.code.as_ref().to_owned());
        }
        below(&concept.below, code, is_under, codes);
    }
}

/// The code and everything over it; whether it stands here.
fn above(concepts: &[Concept], code: &str, codes: &mut BTreeSet<String>) {
    for concept in concepts {
        if holds(concept, code) {
            codes.insert(concept.code.as_ref().to_owned());
            above(&concept.below, code, codes);
        }
    }
}

fn holds(concept: &Concept, code: &str) -> bool {
    concept.code == code || concept.below.iter().any(|below| holds(below, code))
}

/// The codes of the value set with that canonical URL.
///
/// # Errors
/// `InvalidParameter` where it is not known here, or where it is not said by codes this server knows.
pub(super) fn value_set(registry: &Registry, (kind, parameter): (ResourceType, &str), url: &str) -> Outcome<Vec<TokenValue>> {
    let mut expansion = Expansion { registry, depth: 0 };
    let codes = expansion.value_set(url).ok_or_else(|| {
        let text =
            format!("{kind}: the value set `{}` is not known here or cannot be expanded", crate::search::query::quoted(url));
        let issue = Issue::error(IssueCode::NotSupported, text).at(format!("http.{parameter}"));
        Failure::with_issues(Kind::InvalidParameter, vec![issue])
    })?;
    Ok(codes.into_iter().map(|(system, code)| TokenValue::SystemCode(system, code)).collect())
}

struct Expansion<'r> {
    registry: &'r Registry,
    depth: usize,
}

impl Expansion<'_> {
    fn value_set(&mut self, url: &str) -> Option<HashSet<Code>> {
        if self.depth >= MAX_INCLUSIONS {
            return None;
        }
        self.depth += 1;
        let found = self.registry.value_set(url)?;
        let mut codes = HashSet::new();
        for part in &found.include {
            codes.extend(self.part(part)?);
            if codes.len() > MAX_EXPANDED_CODES {
                return None;
            }
        }
        for part in &found.exclude {
            let excluded = self.part(part)?;
            codes.retain(|code| !excluded.contains(code));
        }
        self.depth -= 1;
        Some(codes)
    }

    /// What fulfils all that a part says.
    fn part(&mut self, part: &ValueSetPart) -> Option<HashSet<Code>> {
        let mut codes = match part.system {
            Some(system) => Some(self.of_system(part, system)?),
            None => None,
        };
        for url in &part.value_set {
            let others = self.value_set(url)?;
            codes = Some(match codes {
                None => others,
                Some(codes) => codes.into_iter().filter(|code| others.contains(code)).collect(),
            });
        }
        codes
    }

    fn of_system(&self, part: &ValueSetPart, system: &str) -> Option<HashSet<Code>> {
        let named = |code: &str| (Box::from(system), Box::from(code));
        if !part.code.is_empty() {
            return Some(part.code.iter().map(|code| named(code)).collect());
        }
        let found = self.registry.code_system(system).filter(|found| found.content == "complete")?;
        let mut codes = BTreeSet::new();
        every(&found.concept, &mut codes);
        for (property, operator, value) in &part.filter {
            let kept = filtered(&found, (property, operator, value))?;
            codes.retain(|code| kept.contains(code));
        }
        Some(codes.iter().map(|code| named(code)).collect())
    }
}

fn every(concepts: &[Concept], codes: &mut BTreeSet<String>) {
    for concept in concepts {
        codes.insert(concept.code.as_ref().to_owned());
        every(&concept.below, codes);
    }
}

/// What a condition on the hierarchy keeps; nothing is known of other properties.
fn filtered(system: &CodeSystem, (property, operator, value): (&str, &str, &str)) -> Option<BTreeSet<String>> {
    let mut codes = BTreeSet::new();
    match (property, operator) {
        ("concept", "is-a") => below(&system.concept, value, false, &mut codes),
        ("concept", "descendent-of") => {
            below(&system.concept, value, false, &mut codes);
            codes.remove(value);
        }
        ("concept", "is-not-a") => {
            let mut under = BTreeSet::new();
            every(&system.concept, &mut codes);
            below(&system.concept, value, false, &mut under);
            codes.retain(|code| !under.contains(code));
        }
        _ => return None,
    }
    Some(codes)
}
