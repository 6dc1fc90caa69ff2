//! read: `GET [base]/[type]/[id]` (R4 http.html §read).

use super::{Body, Call, Response, Status, binary, precondition};
use crate::fhir::ResourceType;
use crate::outcome::{Failure, Kind, Outcome};
use crate::store::Stored;

pub(super) async fn read(call: &Call<'_>) -> Outcome<Response> {
    let (kind, id) = call.request.instance()?;
    call.refuse_parameters(&[])?;
    let stored = call.engine.store.read(call.access, kind, id).await?.ok_or_else(absent)?;
    rendered(call, &stored).await
}

/// The answer that shows one version.
///
/// # Errors
/// 410 where the version is a deletion.
pub(super) async fn rendered(call: &Call<'_>, stored: &Stored) -> Outcome<Response> {
    let Some(text) = stored.text()? else {
        return Err(Failure::new(Kind::Deleted, "the instance is deleted").due_to(stored.version));
    };
    let about = |response: Response| Response { part: Some(stored.key.part), ..response.about(stored.version, stored.updated) };
    if precondition::is_unmodified(&call.request.preconditions, stored) {
        return Ok(about(Response::empty(Status::NotModified)));
    }
    let body = match stored.kind {
        ResourceType::Binary => binary::as_bytes(call.engine, binary::rendered(text, &call.request.wanted)?).await?,
        _ => Body::Resource(text),
    };
    Ok(about(Response { body, ..Response::empty(Status::Ok) }))
}

/// Nothing there, or nothing that may be revealed.
pub(super) fn absent() -> Failure {
    Failure::new(Kind::Absent, "there is no such instance")
}
