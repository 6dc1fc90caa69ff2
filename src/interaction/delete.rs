//! delete: `DELETE [base]/[type]/[id]` (R4 http.html §delete). Deleting what is not there is done already (D-02).

use super::call::{Call, MAX_ATTEMPTS, contended};
use super::write::Target;
use super::{Response, Status, precondition};
use crate::outcome::Outcome;
use crate::store::Stored;

pub(super) async fn delete(call: &Call<'_>) -> Outcome<Response> {
    let (kind, id) = call.request.instance()?;
    call.refuse_parameters(&[])?;
    for attempt in 0..MAX_ATTEMPTS {
        let _turn = call.engine.turns.take(attempt, Some((kind, id))).await;
        let latest = call.engine.store.read(call.access, kind, id).await?;
        precondition::check_write(&call.request.preconditions, latest.as_ref())?;
        let Some(stored) = latest.as_ref() else { return Ok(Response::empty(Status::NoContent)) };
        if stored.body.is_none() {
            return Ok(gone(stored));
        }
        let write = Target { kind, id: id.clone(), key: stored.key, latest: Some(stored) }.emptied(call.engine);
        let (version, updated) = (write.version, write.updated);
        if call.commit(vec![write]).await? {
            return Ok(Response { is_journaled: true, ..Response::empty(Status::NoContent).about(version, updated) });
        }
    }
    Err(contended())
}

fn gone(stored: &Stored) -> Response {
    Response { part: Some(stored.key.part), ..Response::empty(Status::NoContent).about(stored.version, stored.updated) }
}
