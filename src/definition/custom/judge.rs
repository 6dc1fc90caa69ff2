//! Whether a search parameter can be used: its code and its types are legal, its expression compiles and yields values of its
//! type, and it takes nothing away from another parameter.

use super::CustomParameter;
use crate::definition::expression;
use crate::definition::parameter::ParameterKind;
use crate::definition::registry::Registry;
use crate::fhir::ResourceType;
use crate::fhirpath::{Expression, SystemType, Yields};
use crate::outcome::{Issue, IssueCode};

/// The most parameters of its own that a store uses at once.
const MAX_PARAMETERS: usize = 1_000;
/// The longest code, in bytes.
const MAX_CODE_BYTES: usize = 64;
/// The longest expression, in bytes.
const MAX_EXPRESSION_BYTES: usize = 4_096;

/// Whether `own` is to be used; false: the standard defines the same parameter already.
///
/// # Errors
/// Why it cannot be used, each fault with its place.
pub(super) fn judge(registry: &Registry, own: &CustomParameter, others: &[CustomParameter]) -> Result<bool, Vec<Issue>> {
    if is_the_standards(registry, own) {
        return Ok(false);
    }
    let mut issues = Vec::new();
    issues.extend(code(own));
    issues.extend(names(own));
    let kind = ParameterKind::from_code(&own.kind).ok_or_else(|| invalid("type", "it is no type of search parameter"));
    match kind.and_then(offered) {
        Ok(kind) if issues.is_empty() => {
            issues.extend(clash(registry, own, others));
            issues.extend(values(registry, own, kind));
        }
        Ok(_) => {}
        Err(issue) => issues.push(issue),
    }
    if issues.is_empty() { Ok(true) } else { Err(issues) }
}

fn invalid(element: &str, diagnostics: impl Into<String>) -> Issue {
    Issue::error(IssueCode::Invalid, diagnostics).at(format!("SearchParameter.{element}"))
}

/// A SearchParameter of the specification itself, stored among others as a document.
fn is_the_standards(registry: &Registry, own: &CustomParameter) -> bool {
    let is_same = |kind| {
        let known = registry.parameter(kind, &own.code).filter(|known| !known.is_custom);
        known.is_some_and(|known| *known.url == *own.url && known.kind.code() == &*own.kind)
    };
    let mut kinds = own.kinds().peekable();
    kinds.peek().is_some() && kinds.all(is_same)
}

fn offered(kind: ParameterKind) -> Result<ParameterKind, Issue> {
    match kind {
        ParameterKind::Number | ParameterKind::Date | ParameterKind::String | ParameterKind::Token => Ok(kind),
        ParameterKind::Reference | ParameterKind::Quantity | ParameterKind::Uri => Ok(kind),
        ParameterKind::Composite | ParameterKind::Special => {
            let told = format!("search parameters of type {} cannot be defined here", kind.code());
            Err(Issue::error(IssueCode::NotSupported, told).at("SearchParameter.type"))
        }
    }
}

/// A name that a query can write: names with an underscore at their beginning are the standard's.
fn code(own: &CustomParameter) -> Option<Issue> {
    let mut letters = own.code.chars();
    let begins = letters.next().is_some_and(|first| first.is_ascii_alphabetic());
    let is_name = begins && letters.all(|letter| letter.is_ascii_alphanumeric() || matches!(letter, '-' | '_'));
    let told = "it is a letter, followed by letters, digits, hyphens and underscores, 64 at most";
    (!is_name || own.code.len() > MAX_CODE_BYTES).then(|| invalid("code", told))
}

/// The types that are named where only types may be.
fn names(own: &CustomParameter) -> Vec<Issue> {
    let is_type = |name: &str| name.parse::<ResourceType>().is_ok();
    let base =
        own.base.iter().enumerate().filter(|(_, name)| !(is_type(name) || matches!(&***name, "Resource" | "DomainResource")));
    let target = own.target.iter().enumerate().filter(|(_, name)| !is_type(name));
    let wrong = |list: &str, at: usize| invalid(&format!("{list}[{at}]"), "it is no resource type of R4");
    let mut issues: Vec<Issue> = base.map(|(at, _)| wrong("base", at)).chain(target.map(|(at, _)| wrong("target", at))).collect();
    if own.base.is_empty() {
        issues.push(invalid("base", "it is defined on no type"));
    }
    issues
}

/// What another parameter has already: its URL, its place in the index, or its name on one of the types.
fn clash(registry: &Registry, own: &CustomParameter, others: &[CustomParameter]) -> Vec<Issue> {
    let others = || others.iter().filter(|other| other.source != own.source);
    let duplicate =
        |element: &str, told: String| Issue::error(IssueCode::Duplicate, told).at(format!("SearchParameter.{element}"));
    let standard = || own.kinds().flat_map(|kind| registry.parameters(kind)).filter(|known| !known.is_custom);
    let mut issues = Vec::new();
    if others().count() >= MAX_PARAMETERS {
        let told = format!("{MAX_PARAMETERS} search parameters are defined here, more are not taken");
        issues.push(Issue::error(IssueCode::TooLong, told));
    }
    if let Some(other) = others().find(|other| other.url == own.url || other.id() == own.id()) {
        issues.push(duplicate("url", format!("SearchParameter/{} has this URL", other.source)));
    } else if standard().any(|known| known.url == *own.url || known.id == own.id()) {
        issues.push(duplicate("url", String::from("a search parameter of the standard has this URL")));
    }
    let kinds: Vec<ResourceType> = own.kinds().collect();
    let same_name = |other: &&CustomParameter| other.code == own.code && other.kinds().any(|kind| kinds.contains(&kind));
    if let Some(kind) = kinds.iter().find(|kind| registry.parameter(**kind, &own.code).is_some_and(|known| !known.is_custom)) {
        issues.push(duplicate("code", format!("{kind} has a search parameter of this name in the standard")));
    } else if let Some(other) = others().find(same_name) {
        issues.push(duplicate("code", format!("SearchParameter/{} has this name on the same type", other.source)));
    }
    issues
}

/// Whether the expression gives values that the type of the parameter can compare, on every type it is defined on.
fn values(registry: &Registry, own: &CustomParameter, kind: ParameterKind) -> Option<Issue> {
    let fault = |told: String| Some(invalid("expression", told));
    if own.expression.is_empty() {
        return Some(Issue::error(IssueCode::Required, "without it nothing can be found").at("SearchParameter.expression"));
    }
    if own.expression.len() > MAX_EXPRESSION_BYTES {
        let told = format!("it is longer than {MAX_EXPRESSION_BYTES} bytes");
        return Some(Issue::error(IssueCode::TooLong, told).at("SearchParameter.expression"));
    }
    if let Err(error) = Expression::parse(&own.expression) {
        return fault(error.to_string());
    }
    own.kinds().find_map(|of| {
        let Some(narrowed) = expression::narrowed(&own.expression, of) else {
            return fault(format!("it says nothing of {of}"));
        };
        match Expression::parse(&narrowed) {
            Ok(compiled) => of_type(registry, of, kind, &compiled.yields(registry, registry.resource(of))),
            Err(error) => fault(error.to_string()),
        }
    })
}

fn of_type(registry: &Registry, of: ResourceType, kind: ParameterKind, yields: &Yields) -> Option<Issue> {
    if let Some(name) = &yields.nowhere {
        return Some(invalid("expression", format!("on {of}, `{name}` leads nowhere")));
    }
    let fits = yields.anything
        || yields.types.iter().any(|found| compares(kind, registry.structure(*found).name))
        || yields.values.iter().any(|value| compares_value(kind, *value));
    let found: Vec<&str> = yields.types.iter().map(|found| registry.structure(*found).name).collect();
    let told = || format!("on {of} it yields {}, which no search parameter of type {} compares", found.join(", "), kind.code());
    (!fits).then(|| invalid("type", told()))
}

/// Whether values of the FHIR type called `name` are compared by parameters of type `kind` (R4 search.html, the table of each).
fn compares(kind: ParameterKind, name: &str) -> bool {
    let is_text = matches!(name, "string" | "markdown" | "code" | "id");
    let is_uri = matches!(name, "uri" | "url" | "oid" | "uuid" | "canonical");
    let is_number = matches!(name, "decimal" | "integer" | "positiveInt" | "unsignedInt");
    let is_coded = matches!(name, "Coding" | "CodeableConcept");
    match kind {
        ParameterKind::Number => is_number || name == "Range",
        ParameterKind::Date => matches!(name, "date" | "dateTime" | "instant" | "Period" | "Timing"),
        ParameterKind::String => is_text || is_uri || is_coded || matches!(name, "HumanName" | "Address"),
        ParameterKind::Token => {
            is_text || is_uri || is_coded || is_number || matches!(name, "Identifier" | "ContactPoint" | "boolean")
        }
        ParameterKind::Reference => is_uri || matches!(name, "Reference" | "Resource") || name.parse::<ResourceType>().is_ok(),
        ParameterKind::Quantity => {
            let is_quantity = matches!(name, "Quantity" | "SimpleQuantity" | "Age" | "Count" | "Distance" | "Duration");
            is_quantity || matches!(name, "MoneyQuantity" | "Money" | "Range")
        }
        ParameterKind::Uri => is_uri,
        ParameterKind::Composite | ParameterKind::Special => false,
    }
}

/// The same of values that an expression computes: a token takes each as its text.
fn compares_value(kind: ParameterKind, value: SystemType) -> bool {
    kind == ParameterKind::Token && value != SystemType::Quantity
}
