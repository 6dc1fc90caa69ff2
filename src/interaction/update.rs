//! update, which also creates: `PUT [base]/[type]/[id]` (R4 http.html §update, §upsert). One that says what the current version
//! says makes none (V-09).

use super::call::{Call, MAX_ATTEMPTS, contended};
use super::write::{Receipt, Target, customary, repeated};
use super::{Response, Status, body, labels, precondition};
use crate::fhir::json::Tree;
use crate::outcome::Outcome;
use crate::store::Stored;
use crate::store::change::{Method, Write};

pub(super) async fn update(call: &Call<'_>) -> Outcome<Response> {
    let (kind, id) = call.request.instance()?;
    let json = body::json_of(call.request, kind)?;
    let tree = body::parse(&json)?;
    body::check_type(&tree, kind)?;
    body::check_id(&tree, kind, id)?;
    body::check_form(call.engine, &tree, kind)?;
    for attempt in 0..MAX_ATTEMPTS {
        let _turn = call.engine.turns.take(attempt, Some((kind, id))).await;
        let latest = call.engine.store.read(call.access, kind, id).await?;
        precondition::check_write(&call.request.preconditions, latest.as_ref())?;
        let merged = labels::merged(&tree, latest.as_ref())?;
        let (write, status) = match &merged {
            Some(json) => version(call, &body::parse(json)?, latest.as_ref()),
            None => version(call, &tree, latest.as_ref()),
        }?;
        let prefer = (call.request.prefer.returns, customary(kind));
        let (receipt, is_done) = match repeated(&write, latest.as_ref())? {
            Some(stored) => (Receipt::standing(stored, prefer)?, call.commit_beside(Vec::new(), &[stored]).await?),
            None => (Receipt::of(&write, status, prefer)?, call.commit(vec![write]).await?),
        };
        if is_done {
            return Ok(receipt.response());
        }
    }
    Err(contended())
}

fn version(call: &Call<'_>, tree: &Tree<'_>, latest: Option<&Stored>) -> Outcome<(Write, Status)> {
    let (kind, id) = call.request.instance()?;
    let part = Target::part(call.engine, (kind, id), tree, latest);
    let target = Target::named(call.engine, (kind, id.clone()), part, latest);
    let status = target.status();
    Ok((target.filled(call.engine, tree, Method::Put, call.request.staged())?, status))
}
