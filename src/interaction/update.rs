//! update, which also creates: `PUT [base]/[type]/[id]`, and `PUT [base]/[type]?…` for the one instance that fulfils criteria (R4
//! http.html §update, §upsert, §cond-update). One that says what the current version says makes none (V-09).

use super::call::{Call, MAX_ATTEMPTS, Standing, Work, contended};
use super::condition::{Aim, Aimed};
use super::write::{Receipt, Target, customary, repeated};
use super::{Response, Status, body, labels, precondition};
use crate::fhir::json::Tree;
use crate::fhir::{InstanceId, ResourceType};
use crate::outcome::{Failure, Kind, Outcome};
use crate::store::Stored;
use crate::store::change::{Method, Premise, Write};

pub(super) async fn update(call: &Call<'_>) -> Outcome<Response> {
    let (kind, aim) = (call.request.kind()?, Aim::of(call)?);
    let json = body::json_of(call.request, kind)?;
    let tree = body::parse(&json)?;
    body::check_type(&tree, kind)?;
    if let Some(id) = aim.id() {
        body::check_id(&tree, kind, id)?;
    }
    body::check_form(call.engine, &tree, kind)?;
    let own = body::own_id(&tree);
    for attempt in 0..MAX_ATTEMPTS {
        let _turn = aim.turn(call, attempt).await;
        let Aimed { latest, premises } = aim.ground(call).await?;
        let (id, latest) = meant(call, (kind, own.as_ref()), (&aim, latest)).await?;
        precondition::check_write(&call.request.preconditions, latest.as_ref())?;
        let merged = labels::merged(&tree, latest.as_ref())?;
        let (write, status) = match &merged {
            Some(json) => version(call, (kind, id.as_ref()), &body::parse(json)?, latest.as_ref()),
            None => version(call, (kind, id.as_ref()), &tree, latest.as_ref()),
        }?;
        if let Some(response) = kept(call, (write, status), latest.as_ref(), premises).await? {
            return Ok(response);
        }
    }
    Err(contended())
}

/// The id of the instance that is meant and the last version of it: that of the URL or the one found; where none was found that
/// of the resource itself, which is new then; without one the server chooses it (U-05).
pub(super) fn agreed<'i>(
    kind: ResourceType,
    own: Option<&'i InstanceId>,
    found: Option<&'i Stored>,
) -> Outcome<Option<&'i InstanceId>> {
    match (own, found) {
        (Some(own), Some(stored)) if *own != stored.id => {
            let text = "the instance that fulfils the criteria has another id than the resource";
            Err(Failure::new(Kind::Malformed, text).at(format!("{kind}.id")))
        }
        (own, found) => Ok(found.map(|stored| &stored.id).or(own)),
    }
}

/// A resource whose criteria nothing fulfils, with an id that is taken.
pub(super) fn check_free(kind: ResourceType, latest: Option<&Stored>) -> Outcome<()> {
    if latest.is_none_or(|stored| stored.body.is_none()) {
        return Ok(());
    }
    let text = "nothing fulfils the criteria, and an instance with the id of the resource is there already";
    Err(Failure::new(Kind::Conflict, text).at(format!("{kind}.id")))
}

async fn meant(
    call: &Call<'_>,
    (kind, own): (ResourceType, Option<&InstanceId>),
    (aim, latest): (&Aim, Option<Stored>),
) -> Outcome<(Option<InstanceId>, Option<Stored>)> {
    if let Some(id) = aim.id() {
        return Ok((Some(id.clone()), latest));
    }
    let id = agreed(kind, own, latest.as_ref())?.cloned();
    match (&id, latest) {
        (Some(id), None) => {
            let latest = call.engine.store.read(call.access, kind, id).await?;
            check_free(kind, latest.as_ref())?;
            Ok((Some(id.clone()), latest))
        }
        (_, latest) => Ok((id, latest)),
    }
}

fn version(
    call: &Call<'_>,
    (kind, id): (ResourceType, Option<&InstanceId>),
    tree: &Tree<'_>,
    latest: Option<&Stored>,
) -> Outcome<(Write, Status)> {
    let target = match id {
        Some(id) => {
            let part = Target::part(call.engine, (kind, id), tree, latest);
            Target::named(call.engine, (kind, id.clone()), part, latest)
        }
        None => Target::new(call.engine, kind, tree),
    };
    let status = target.status();
    Ok((target.filled(call.engine, tree, Method::Put, call.request.staged())?, status))
}

/// Writes a version, unless it says what `latest` says. `None`: the ground moved.
pub(super) async fn kept(
    call: &Call<'_>,
    (write, status): (Write, Status),
    latest: Option<&Stored>,
    premises: Vec<Premise>,
) -> Outcome<Option<Response>> {
    let prefer = (call.request.prefer.returns, customary(write.kind));
    let (receipt, work) = match repeated(&write, latest)? {
        Some(stored) => {
            let standing = vec![Standing { stored, asked: call.request.interaction }];
            (Receipt::standing(stored, prefer)?, Work { standing, premises, ..Work::default() })
        }
        None => (Receipt::of(&write, status, prefer)?, Work { premises, ..Work::from(vec![write]) }),
    };
    Ok(call.commit(work).await?.then(|| receipt.response()))
}
