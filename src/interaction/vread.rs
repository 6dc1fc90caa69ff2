//! vread: `GET [base]/[type]/[id]/_history/[vid]` (R4 http.html §vread).

use super::{Call, Response, read};
use crate::outcome::{Failure, Kind, Outcome};

pub(super) async fn vread(call: &Call<'_>) -> Outcome<Response> {
    let (kind, id) = call.request.instance()?;
    let version = call.request.version.ok_or_else(|| Failure::fault("a vread came without its version"))?;
    let shape = read::shape(call)?;
    let stored = call.engine.store.version(call.access, kind, id, version).await?;
    let stored = stored.ok_or_else(|| Failure::new(Kind::Absent, "there is no such version"))?;
    read::rendered(call, &stored, &shape).await
}
