//! Removing what nobody came to name: contents whose version was never committed or has left the dossier, and what was left on
//! its way when a server died. Age spares work, not safety: what is young is probably still to be named.

use futures_util::StreamExt as _;

use super::objects::{Found, Name, away};
use super::{Retired, ledger};
use crate::fhir::Instant;
use crate::outcome::{Failure, Outcome};
use crate::store::change::Change;
use crate::store::{CommitFailure, Store};

/// What a sweep did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Swept {
    /// Objects it looked at.
    pub seen: u64,
    /// Objects it removed.
    pub removed: u64,
}

impl Store {
    /// Removes every object that no version names and that was last written before `before`.
    ///
    /// # Errors
    /// The database or the place of the contents is away; what was removed so far stays removed.
    pub async fn sweep(&self, before: Instant) -> Outcome<Swept> {
        let torn = self.objects().await?.remove_torn(before).await?;
        let swept = self.sweep_objects(before).await?;
        Ok(Swept { seen: swept.seen + torn, removed: swept.removed + torn })
    }

    /// Those of them that are whole.
    pub(in crate::store) async fn sweep_objects(&self, before: Instant) -> Outcome<Swept> {
        let objects = self.objects().await?;
        let (mut swept, mut all) = (Swept::default(), objects.all());
        while let Some(object) = all.next().await {
            let object = object.map_err(away)?;
            swept.seen += 1;
            if object.last_modified.timestamp_micros() >= before.micros() {
                continue;
            }
            let is_orphan = match objects.what(&object.location) {
                Found::Content(name) => self.is_orphan(name).await?,
                Found::Incoming => true,
                Found::Foreign => false,
            };
            if is_orphan {
                objects.remove_at(&object.location).await?;
                swept.removed += 1;
            }
        }
        Ok(swept)
    }

    /// Whether nobody names, and from now on nobody can name, the object called `name`.
    async fn is_orphan(&self, name: Name) -> Outcome<bool> {
        match self.ask(move |connection| ledger::find(connection, name.part, name.digest)).await? {
            Some(entry) if entry.generation > name.generation => Ok(true),
            Some(entry) if entry.uses > 0 => Ok(false),
            Some(_) | None => self.retire(name).await,
        }
    }

    async fn retire(&self, name: Name) -> Outcome<bool> {
        match self.write(Change::retiring(Retired(name))).await {
            Ok(()) => Ok(true),
            Err(CommitFailure::Stale(_)) => Ok(false),
            Err(CommitFailure::Failed(failure)) => Err(failure),
            Err(CommitFailure::Unmet | CommitFailure::Swept | CommitFailure::Outdated) => {
                Err(Failure::fault("a name that is retired names nothing"))
            }
        }
    }
}
