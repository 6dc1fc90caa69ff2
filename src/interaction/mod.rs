//! What is asked: one file per FHIR interaction; the only conductor.
//!
//! [`execute`] takes a [`Request`] that knows nothing of HTTP, obtains an access from `dossier`, and lets the interaction's
//! own file do the rest: read it from the top and the steps stand in order. Every write ends in one `Change`, whether it came
//! alone or in a Bundle; the entries of a batch re-enter [`execute`]. No answer leaves before its journal record is durable.

mod binary;
mod body;
mod bundle;
mod call;
mod capabilities;
mod code;
mod condition;
mod context;
mod create;
mod cut;
mod delete;
mod engine;
mod explain;
mod fill;
mod history;
mod include;
mod job;
mod labels;
mod operation;
mod parameters;
mod patch;
mod place;
mod precondition;
mod provenance;
mod read;
mod reindex;
mod representation;
mod request;
mod response;
mod search;
mod subset;
mod text;
mod transaction;
mod turn;
mod update;
mod vocabulary;
mod vread;
mod write;

use crate::dossier;
pub use crate::fhir::xml::Layout;
use crate::outcome::Outcome;
use crate::security::Principal;
pub use crate::store::{Incoming, Pieces, Staged, Text};
use call::Call;

pub use crate::store::{Said, Statistics};
pub use code::{Action, Interaction};
pub use context::Context;
pub use engine::{Behaviour, Engine, Parts};
pub use explain::Explained;
pub use operation::{Definition, Level, Operation};
pub use parameters::read_parameters;
pub use patch::FORMATS as PATCH_FORMATS;
pub use place::{Place, Verb};
pub use representation::{from_xml, in_xml};
pub use request::{Content, EntityTags, Format, Handling, Preconditions, Prefer, Request, Return, Wanted};
pub use response::{Applied, Body, Data, Later, Location, Response, Status, Tag};

/// Does what `request` asks, on behalf of `principal`.
///
/// # Errors
/// Whatever the interaction refuses, by the table of `outcome`; 503 where the journal cannot be written.
pub async fn execute(engine: &Engine, principal: &Principal, request: &Request) -> Outcome<Response> {
    let outcome = decided(engine, principal, request).await;
    call::remember(engine, principal, request, &outcome).await?;
    outcome
}

/// Refuses what `principal` may not ask whatever its body says, before that is read. The refusal is journaled; what is admitted
/// is decided upon by [`execute`].
///
/// # Errors
/// 401 for one who is not known; 503 where the journal cannot be written.
pub async fn admit(engine: &Engine, principal: &Principal, request: &Request) -> Outcome<()> {
    let Err(refusal) = dossier::decide(principal) else { return Ok(()) };
    let refused = Err(refusal);
    call::remember(engine, principal, request, &refused).await?;
    refused.map(drop)
}

async fn decided(engine: &Engine, principal: &Principal, request: &Request) -> Outcome<Response> {
    if request.interaction == Interaction::Capabilities {
        return capabilities::capabilities(engine, request);
    }
    let access = dossier::decide(principal)?;
    let call = Call { engine, principal, access: &access, request };
    provenance::check(engine, request)?;
    if job::is_later(request) {
        return job::begin(&call).await;
    }
    let mut response = done(&call).await?;
    response.applied.handling = request.prefer.handling.filter(|_| judges_parameters(request.interaction));
    Ok(response)
}

async fn done(call: &Call<'_>) -> Outcome<Response> {
    match call.request.interaction {
        Interaction::Read => read::read(call).await,
        Interaction::Vread => vread::vread(call).await,
        Interaction::HistoryInstance | Interaction::HistoryType | Interaction::HistorySystem => history::history(call).await,
        Interaction::Create => create::create(call).await,
        Interaction::Update => update::update(call).await,
        Interaction::Delete if call.request.operation == Some(Operation::Job) => job::delete(call).await,
        Interaction::Delete => delete::delete(call).await,
        Interaction::SearchType | Interaction::SearchSystem => search::search(call).await,
        Interaction::Transaction | Interaction::Batch => transaction::bundle(call).await,
        Interaction::Capabilities => capabilities::capabilities(call.engine, call.request),
        Interaction::Operation => operation::operation(call).await,
        Interaction::Patch => patch::patch(call).await,
    }
}

/// Whether an interaction refuses parameters that it does not know, or those of what it holds do.
const fn judges_parameters(interaction: Interaction) -> bool {
    !matches!(interaction, Interaction::Create | Interaction::Update | Interaction::Patch | Interaction::Capabilities)
}
