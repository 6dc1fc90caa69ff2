//! read: `GET [base]/[type]/[id]` (R4 http.html §read).

use super::subset::Subset;
use super::{Body, Call, Engine, Request, Response, Status, binary, precondition};
use crate::fhir::ResourceType;
use crate::outcome::{Failure, Kind, Outcome};
use crate::search::query::ResultParameters;
use crate::search::{Query, Scope};
use crate::store::{Stored, Text};

pub(super) async fn read(call: &Call<'_>) -> Outcome<Response> {
    let (kind, id) = call.request.instance()?;
    let shape = shape(call)?;
    let stored = call.engine.store.read(call.access, kind, id).await?.ok_or_else(absent)?;
    rendered(call, &stored, &shape).await
}

/// What a read may say of its answer.
const SHAPING: [&str; 2] = ["_summary", "_elements"];

/// What of a version is to be shown.
///
/// # Errors
/// 400 for parameters that a read has not, or that cannot be read.
pub(super) fn shape(call: &Call<'_>) -> Outcome<ResultParameters> {
    call.refuse_parameters(&SHAPING)?;
    shape_of(call.engine, call.request, call.request.kind()?)
}

/// What of a resource of type `kind` is to be shown.
///
/// # Errors
/// 400 where that cannot be read.
pub(super) fn shape_of(engine: &Engine, request: &Request, kind: ResourceType) -> Outcome<ResultParameters> {
    let mut shaping = request.parameters.iter().filter(|(name, _)| SHAPING.contains(&name.as_str())).peekable();
    if shaping.peek().is_none() {
        return Ok(ResultParameters::default());
    }
    let shaping: Vec<_> = shaping.cloned().collect();
    let shape = Query::parse(engine.registry, Scope::of_type(kind), &shaping, request.prefer.handling())?.result().clone();
    Subset::of_read(&shape)?;
    Ok(shape)
}

/// The answer that shows one version.
///
/// # Errors
/// 410 where the version is a deletion.
pub(super) async fn rendered(call: &Call<'_>, stored: &Stored, shape: &ResultParameters) -> Outcome<Response> {
    let text = present(stored)?;
    let about = |response: Response| Response { part: Some(stored.key.part), ..response.about(stored.version, stored.updated) };
    if precondition::is_unmodified(&call.request.preconditions, stored) {
        return Ok(about(Response::empty(Status::NotModified)));
    }
    let body = match stored.kind {
        ResourceType::Binary => binary::as_bytes(call.engine, binary::rendered(text, &call.request.wanted)?).await?,
        _ => Body::Resource(text),
    };
    let body = match (body, Subset::of(shape)) {
        (Body::Resource(text), Some(subset)) => Body::Resource(subset.taken(call.engine.registry, stored.kind, &text)?),
        (body, _) => body,
    };
    Ok(about(Response { body, ..Response::empty(Status::Ok) }))
}

/// What a version shows, its holes still to be filled.
///
/// # Errors
/// 410 where it is a deletion.
pub(super) fn present(stored: &Stored) -> Outcome<Text> {
    stored.text()?.ok_or_else(|| Failure::new(Kind::Deleted, "the instance is deleted").due_to(stored.version))
}

/// Nothing there, or nothing that may be revealed.
pub(super) fn absent() -> Failure {
    Failure::new(Kind::Absent, "there is no such instance")
}
