//! delete: `DELETE [base]/[type]/[id]` (R4 http.html §delete). Deleting what is not there is done already (D-02).

use bytes::Bytes;

use super::call::{Call, MAX_ATTEMPTS, contended};
use super::write::Target;
use super::{Applied, Prefer, Response, Return, Status, precondition};
use crate::outcome::{Issue, IssueCode, Outcome, operation_outcome};

pub(super) async fn delete(call: &Call<'_>) -> Outcome<Response> {
    let (kind, id) = call.request.instance()?;
    call.refuse_parameters(&[])?;
    for attempt in 0..MAX_ATTEMPTS {
        let _turn = call.engine.turns.take(attempt, Some((kind, id))).await;
        let latest = call.engine.store.read(call.access, kind, id).await?;
        precondition::check_write(&call.request.preconditions, latest.as_ref())?;
        let prefer = call.request.prefer;
        let Some(stored) = latest.as_ref() else { return Ok(answer(prefer)) };
        if stored.body.is_none() {
            return Ok(Response { part: Some(stored.key.part), ..answer(prefer).about(stored.version, stored.updated) });
        }
        let write = Target { kind, id: id.clone(), key: stored.key, latest: Some(stored) }.emptied(call.engine);
        let (version, updated) = (write.version, write.updated);
        if call.commit(vec![write]).await? {
            return Ok(Response { is_journaled: true, ..answer(prefer).about(version, updated) });
        }
    }
    Err(contended())
}

/// What a deletion answers: nothing, or that it is done. There is no representation of what is gone.
pub(super) fn answer(prefer: Prefer) -> Response {
    let applied = |returns| Applied { returns: Some(returns), handling: None };
    match prefer.returns {
        Some(Return::OperationOutcome) => {
            let issue = Issue::information(IssueCode::Informational, "the instance is deleted");
            let outcome = Bytes::from(operation_outcome(&[issue]).to_string());
            Response { applied: applied(Return::OperationOutcome), ..Response::of(outcome) }
        }
        Some(Return::Minimal) => Response { applied: applied(Return::Minimal), ..Response::empty(Status::NoContent) },
        Some(Return::Representation) | None => Response::empty(Status::NoContent),
    }
}
