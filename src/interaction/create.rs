//! create: `POST [base]/[type]` (R4 http.html §create), with `If-None-Exist` unless there is one already (§ccreate).

use super::call::{Call, MAX_ATTEMPTS, Standing, Work, contended};
use super::condition::{self, Criteria};
use super::write::{Receipt, Target, customary};
use super::{Response, Status, body};
use crate::outcome::Outcome;
use crate::store::change::{Method, Premise};

pub(super) async fn create(call: &Call<'_>) -> Outcome<Response> {
    let (kind, criteria) = (call.request.kind()?, Criteria::of(call, call.request)?);
    let json = body::json_of(call.request, kind)?;
    let tree = body::parse(&json)?;
    body::check_type(&tree, kind)?;
    body::check_form(call.engine, &tree, kind)?;
    for attempt in 0..MAX_ATTEMPTS {
        let _turn = match &criteria {
            Some(criteria) => call.engine.turns.take(attempt, criteria.mark()).await,
            None => None,
        };
        let premises = match &criteria {
            Some(criteria) => match unless_there(call, criteria).await? {
                Found::There(response) => return Ok(response),
                Found::Nothing(premise) => vec![premise],
            },
            None => Vec::new(),
        };
        let write = Target::new(call.engine, kind, &tree).filled(call.engine, &tree, Method::Post, call.request.staged())?;
        let receipt = Receipt::of(&write, Status::Created, (call.request.prefer.returns, customary(kind)))?;
        if call.commit(Work { premises, ..Work::from(vec![write]) }).await? {
            return Ok(receipt.response());
        }
    }
    Err(contended())
}

/// What criteria mean to a create.
enum Found {
    /// There is one: it is told instead of another one being made.
    There(Response),
    /// There is none, as long as this holds.
    Nothing(Premise),
}

async fn unless_there(call: &Call<'_>, criteria: &Criteria) -> Outcome<Found> {
    let found = criteria.found(call, 1).await?;
    let premise = criteria.premise(call, &found);
    let Some(stored) = condition::single(found)? else { return Ok(Found::Nothing(premise)) };
    let receipt = Receipt::there(&stored, (call.request.prefer.returns, customary(stored.kind)))?;
    let standing = vec![Standing { stored: &stored, asked: call.request.interaction }];
    call.commit(Work { standing, ..Work::default() }).await?;
    Ok(Found::There(receipt.response()))
}
