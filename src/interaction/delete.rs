//! delete: `DELETE [base]/[type]/[id]`, and `DELETE [base]/[type]?…` for what fulfils criteria (R4 http.html §delete, §3.1.0.7.1).
//! Deleting what is not there is done already (D-02).

use bytes::Bytes;

use super::call::{Call, MAX_ATTEMPTS, Work, contended};
use super::condition::Aim;
use super::write::Target;
use super::{Applied, Prefer, Response, Return, Status, precondition};
use crate::outcome::{Issue, IssueCode, Outcome, operation_outcome};

pub(super) async fn delete(call: &Call<'_>) -> Outcome<Response> {
    let aim = Aim::of(call)?;
    if aim.id().is_some() {
        call.refuse_parameters(&[])?;
    }
    let most = call.engine.limits.conditional_delete_resources;
    for attempt in 0..MAX_ATTEMPTS {
        let _turn = aim.turn(call, attempt).await;
        let (found, premises) = aim.all(call, most).await?;
        precondition::check_each(&call.request.preconditions, &found)?;
        let prefer = call.request.prefer;
        let there = found.iter().filter(|stored| stored.body.is_some());
        let writes: Vec<_> = there.map(|stored| Target::of(stored).emptied(call.engine)).collect();
        match (writes.as_slice(), found.as_slice()) {
            ([], []) => return Ok(answer(prefer)),
            ([], [stored, ..]) => {
                return Ok(Response { part: Some(stored.key.part), ..answer(prefer).about(stored.version, stored.updated) });
            }
            _ => {}
        }
        let answer = match writes.as_slice() {
            [write] => answer(prefer).about(write.version, write.updated),
            _ => answer(prefer),
        };
        if call.commit(Work { premises, ..Work::from(writes) }).await? {
            return Ok(Response { is_journaled: true, ..answer });
        }
    }
    Err(contended())
}

/// What a deletion answers: nothing, or that it is done. There is no representation of what is gone.
pub(super) fn answer(prefer: Prefer) -> Response {
    let applied = |returns| Applied { returns: Some(returns), handling: None, is_later: false };
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
