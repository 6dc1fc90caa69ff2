//! `X-Provenance`: a Provenance that comes with a write and is stored together with it (R4 provenance.html §header).
//!
//! It is JSON whatever the body is, and says no target: that is what the request writes, by its versions. An update that leaves a
//! version as it is attests that version. It is one write more of the same `Change`, so neither is ever there without the other.

use bytes::Bytes;

use super::Interaction;
use super::call::Standing;
use super::text::{array, quoted, with_members};
use super::write::Target;
use super::{Engine, Request, body};
use crate::fhir::json::Tree;
use crate::fhir::{InstanceId, Part, ResourceType, VersionId};
use crate::outcome::{Failure, Issue, IssueCode, Kind, Outcome};
use crate::store::change::{Method, Write};

const HEADER: &str = "http.X-Provenance";
const TARGET: &str = "target";
/// Stands for the target until there is one.
const SOMETHING: &str = "[{\"reference\":\"Basic/something\"}]";

/// Judges the Provenance that comes with `request`, if one does.
///
/// # Errors
/// 400 that names the header.
pub(super) fn check(engine: &Engine, request: &Request) -> Outcome<()> {
    let Some(header) = &request.provenance else { return Ok(()) };
    let most = engine.limits.provenance_bytes;
    if header.len() > most {
        return Err(refused(IssueCode::TooLong, format!("an X-Provenance may have at most {most} bytes")));
    }
    let tree = Tree::parse(header).map_err(|error| refused(IssueCode::Structure, error.to_string()))?;
    body::check_type(&tree, ResourceType::Provenance).map_err(|failure| renamed(&failure))?;
    if tree.root().member(TARGET).is_some() {
        return Err(refused(IssueCode::BusinessRule, "an X-Provenance has no target: what is written is its target"));
    }
    let whole = with_members(tree.root(), &[(TARGET, Some(SOMETHING.to_owned()))]);
    body::check_form(engine, &body::parse(whole.as_bytes())?, ResourceType::Provenance).map_err(|failure| renamed(&failure))
}

fn refused(code: IssueCode, diagnostics: impl Into<String>) -> Failure {
    Failure::with_issues(Kind::Malformed, vec![Issue::error(code, diagnostics).at(HEADER)])
}

/// `failure` said of the header: what it says of places in the Provenance is told in words.
fn renamed(failure: &Failure) -> Failure {
    let of_header = |issue: &Issue| {
        let place = issue.expression.as_deref().map(|place| format!("{place}: ")).unwrap_or_default();
        Issue::error(issue.code, format!("{place}{}", issue.diagnostics)).at(HEADER)
    };
    Failure::with_issues(Kind::Malformed, failure.issues().iter().map(of_header).collect())
}

/// The write of the Provenance that came with `request`, about `writes` and the versions that updates left `standing`; `None` where
/// none came, or nothing is there to be attested. It rests in the dossier it is about, otherwise in that of its first target.
///
/// # Errors
/// A Provenance that cannot be indexed: a bug.
pub(super) fn write_of(
    engine: &Engine,
    request: &Request,
    writes: &[Write],
    standing: &[Standing<'_>],
) -> Outcome<Option<Write>> {
    let Some(header) = &request.provenance else { return Ok(None) };
    let written = writes.iter().map(|write| (reference(write.kind, &write.id, write.version), write.key.part));
    let repeated = standing.iter().filter(|standing| standing.asked != Interaction::Create);
    let left = repeated.map(|Standing { stored, .. }| (reference(stored.kind, &stored.id, stored.version), stored.key.part));
    let (targets, parts): (Vec<String>, Vec<Part>) = written.chain(left).unzip();
    let Some(first) = parts.first().copied() else { return Ok(None) };
    let json = targeted(header, &targets)?;
    let tree = body::parse(json.as_bytes())?;
    let part = Some(engine.indexer().part(ResourceType::Provenance, &tree)).filter(|part| *part != Part::DIRECTORY);
    let key = engine.context.new_key(part.unwrap_or(first));
    let target = Target { kind: ResourceType::Provenance, id: key.id(), key, latest: None };
    target.filled(engine, &tree, Method::Post, None).map(Some)
}

fn reference(kind: ResourceType, id: &InstanceId, version: VersionId) -> String {
    format!("{{\"reference\":{}}}", quoted(&format!("{kind}/{id}/_history/{version}")))
}

fn targeted(header: &Bytes, targets: &[String]) -> Outcome<String> {
    let targets = array(&targets.iter().map(String::as_str).collect::<Vec<_>>());
    Ok(with_members(body::parse(header)?.root(), &[(TARGET, Some(targets))]))
}
