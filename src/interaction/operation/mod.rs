//! The operations of the API (R4 operations.html): what is asked by a name that begins with `$`.

mod definition;
mod docref;
mod document;
mod everything;
mod input;
mod lastn;
mod meta;

use super::{Call, Response, job, reindex};
use crate::outcome::{Failure, Outcome};
pub use definition::{Definition, Level};
pub(super) use input::Input;

/// An operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    /// `$meta`
    Meta,
    /// `$meta-add`
    MetaAdd,
    /// `$meta-delete`
    MetaDelete,
    /// `$reindex`
    Reindex,
    /// `$everything`
    Everything,
    /// `$docref`
    Docref,
    /// `$lastn`
    Lastn,
    /// `$document`
    Document,
    /// `$job`
    Job,
}

impl Operation {
    /// Every operation.
    pub const ALL: [Self; 9] = [
        Self::Meta,
        Self::MetaAdd,
        Self::MetaDelete,
        Self::Reindex,
        Self::Everything,
        Self::Docref,
        Self::Lastn,
        Self::Document,
        Self::Job,
    ];
}

pub(super) async fn operation(call: &Call<'_>) -> Outcome<Response> {
    let operation = call.request.operation.ok_or_else(|| Failure::fault("an operation without its name"))?;
    let read = || Input::read(call, operation.definition());
    match operation {
        Operation::Meta => {
            read()?;
            meta::meta(call).await
        }
        Operation::MetaAdd => meta::changed(call, meta::Sense::Add).await,
        Operation::MetaDelete => meta::changed(call, meta::Sense::Delete).await,
        Operation::Reindex => {
            read()?;
            reindex::reindex(call).await
        }
        Operation::Everything => everything::everything(call, &read()?).await,
        Operation::Docref => docref::docref(call, &read()?).await,
        Operation::Lastn => lastn::lastn(call, &read()?).await,
        Operation::Document => document::document(call, &read()?).await,
        Operation::Job => job::job(call, &read()?).await,
    }
}
