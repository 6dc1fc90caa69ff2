//! The resource a request carries: read once, and held against the URL it was sent to.

use std::borrow::Cow;

use super::{Content, Engine, Format, Request, binary};
use crate::definition::CustomParameter;
use crate::fhir::json::{JsonKind, SyntaxError, Tree};
use crate::fhir::{InstanceId, ResourceType};
use crate::outcome::{Failure, Issue, IssueCode, Kind, Outcome, Severity};
use crate::validation::{Validator, is_shape_fault};

/// The JSON of the resource that `request` carries for `kind`; the raw content of a Binary as the Binary that holds it.
///
/// # Errors
/// 400 where there is no body, 415 where it is not FHIR.
pub(super) fn json_of(request: &Request, kind: ResourceType) -> Outcome<Cow<'_, [u8]>> {
    let content = request.body.as_ref().filter(|content| !content.is_empty());
    let content = content.ok_or_else(|| Failure::new(Kind::Malformed, "the body that should hold a resource is empty"))?;
    if kind == ResourceType::Binary && content.format != Format::Entry {
        return Ok(binary::wrapped(content, request.id.as_ref()));
    }
    json_only(content).map(Cow::Borrowed)
}

/// The bytes of a body that can only be FHIR in JSON.
///
/// # Errors
/// 415 where it is not.
pub(super) fn json_only(content: &Content) -> Outcome<&[u8]> {
    match &content.format {
        Format::Json { .. } | Format::Entry => Ok(&content.bytes),
        Format::Raw { .. } => {
            Err(Failure::new(Kind::UnsupportedFormat, "a resource is read in application/fhir+json").at("http.Content-Type"))
        }
    }
}

/// Reads the JSON of a resource.
///
/// # Errors
/// 400 with the place of the first fault.
pub(super) fn parse(json: &[u8]) -> Outcome<Tree<'_>> {
    Tree::parse(json).map_err(|error| unreadable(&error))
}

fn unreadable(error: &SyntaxError) -> Failure {
    let diagnostics = format!("{} (line {}, column {})", error.reason, error.line, error.column);
    Failure::with_issues(Kind::Malformed, vec![Issue::error(IssueCode::Structure, diagnostics).at(error.expression.clone())])
}

/// Holds the resource's own `resourceType` against the type it was sent to (C-03).
///
/// # Errors
/// 400 where they differ.
pub(super) fn check_type(tree: &Tree<'_>, kind: ResourceType) -> Outcome<()> {
    let root = tree.root();
    if root.kind() != JsonKind::Object {
        return Err(Failure::new(Kind::Malformed, "a resource is a JSON object"));
    }
    match root.member("resourceType").and_then(|node| node.string()) {
        Some(name) if name == kind.name() => Ok(()),
        Some(_) => Err(wrong_type(format!("the URL is that of a {kind}, the resource is of another type"))),
        None => Err(wrong_type(String::from("resourceType is missing"))),
    }
}

/// Holds the resource against its definition in R4.
///
/// # Errors
/// 400 where it has not the shape of a resource of this type, 422 where it breaks another rule; each fault with its place.
pub(super) fn check_form(engine: &Engine, tree: &Tree<'_>, kind: ResourceType) -> Outcome<()> {
    let mut issues = Validator::new(engine.registry).check(kind, tree);
    if issues.is_empty() && kind == ResourceType::SearchParameter {
        issues.extend(CustomParameter::read(engine.registry, "", tree, &[]).err().unwrap_or_default());
    }
    if !issues.iter().any(|issue| matches!(issue.severity, Severity::Error | Severity::Fatal)) {
        return Ok(());
    }
    let kind = if issues.iter().any(is_shape_fault) { Kind::Malformed } else { Kind::Invalid };
    Err(Failure::with_issues(kind, issues))
}

fn wrong_type(diagnostics: String) -> Failure {
    Failure::with_issues(Kind::Malformed, vec![Issue::error(IssueCode::Invalid, diagnostics).at("resourceType")])
}

/// The resource's own `id`, where it has one that is one.
pub(super) fn own_id(tree: &Tree<'_>) -> Option<InstanceId> {
    tree.root().member("id").and_then(|node| node.string())?.parse().ok()
}

/// Holds the resource's own `id` against the one it was sent to (U-01).
///
/// # Errors
/// 400 where it is missing or differs.
pub(super) fn check_id(tree: &Tree<'_>, kind: ResourceType, id: &InstanceId) -> Outcome<()> {
    let own = tree.root().member("id").and_then(|node| node.string());
    let (code, diagnostics) = match own {
        Some(own) if own == id.as_str() => return Ok(()),
        Some(_) => (IssueCode::Invalid, "the id of the resource is not the id of the URL"),
        None => (IssueCode::Required, "an update needs the id of the URL in the resource too"),
    };
    Err(Failure::with_issues(Kind::Malformed, vec![Issue::error(code, diagnostics).at(format!("{kind}.id"))]))
}
