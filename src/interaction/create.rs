//! create: `POST [base]/[type]` (R4 http.html §create).

use super::call::{Call, MAX_ATTEMPTS};
use super::write::{Receipt, Target, customary};
use super::{Response, Status, body};
use crate::outcome::{Failure, Kind, Outcome};
use crate::store::change::Method;

pub(super) async fn create(call: &Call<'_>) -> Outcome<Response> {
    let kind = call.request.kind()?;
    let json = body::json_of(call.request, kind)?;
    let tree = body::parse(&json)?;
    body::check_type(&tree, kind)?;
    body::check_form(call.engine, &tree, kind)?;
    for _ in 0..MAX_ATTEMPTS {
        let write = Target::new(call.engine, kind, &tree).filled(call.engine, &tree, Method::Post, call.request.staged())?;
        let receipt = Receipt::of(&write, Status::Created, (call.request.prefer.returns, customary(kind)))?;
        if call.commit(vec![write]).await? {
            return Ok(receipt.response());
        }
    }
    Err(Failure::new(Kind::Conflict, "no free id was found"))
}
