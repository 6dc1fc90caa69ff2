//! Content that is too long for the database: the data of a Binary, of an Attachment, of a Signature.
//!
//! A version that has such content rests as a [`Text`] with a [`Hole`] for each; the content itself rests as an object whose name is its
//! dossier and its SHA-256 (`objects`), in a folder or in a bucket (`bucket`). It is put there and synchronised before the version
//! that names it is committed; what no version came to name is swept when it is old (`sweep`); why no sweep ever takes what a
//! version names stands in `ledger`. What is read is verified before it is served, chunk by chunk (`reading`).
//!
//! Not here: which strings of a resource are content (`interaction`), ranges as HTTP asks for them (`http`).

mod bucket;
mod incoming;
mod keeping;
mod ledger;
mod naming;
mod objects;
mod reading;
mod sum;
mod sweep;
mod text;

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::stream::{self, StreamExt as _, TryStreamExt as _};
use openssl::sha::sha256;
use tokio::sync::OnceCell;

pub use incoming::{Incoming, Staged};
pub(super) use keeping::{Keeping, Known, named, page, uses};
pub use ledger::Retired;
pub(super) use ledger::{is_retired, write};
pub use naming::Naming;
pub use reading::Pieces;
pub use sweep::Swept;
pub use text::{Digest, Form, Hole, Text};

use super::change::{Change, Expected, Write};
use super::{CommitFailure, Store};
use crate::config::{ContentPlace, ContentSettings, S3Settings};
use crate::fhir::{InstanceKey, Part};
use crate::outcome::{Failure, Kind, Outcome};
use naming::{Named, Origin, Released};
use objects::{Name, Objects};
use sum::Sum;

/// How many contents of one change are put in their places at once.
const SETTLED_AT_ONCE: usize = 8;
/// How often contents are put again because the sweep retired their names in the meantime.
const SETTLING_ATTEMPTS: usize = 8;

/// Where the contents of a store rest. The place is looked at when it is needed for the first time.
#[derive(Debug)]
pub(super) struct Contents {
    place: ContentPlace,
    s3: S3Settings,
    inline_bytes: usize,
    owner: String,
    objects: OnceCell<Objects>,
}

impl Contents {
    /// The contents of the store with this key of its own.
    pub(super) fn new(place: ContentPlace, settings: &ContentSettings, key: &[u8]) -> Self {
        let digest = Digest(sha256(&[b"whose contents these are".as_slice(), key].concat()));
        Self {
            place,
            s3: settings.s3.clone(),
            inline_bytes: settings.inline_bytes,
            owner: digest.to_string(),
            objects: OnceCell::new(),
        }
    }
}

/// A content that is to be put where it will be named.
struct Pending {
    origin: Origin,
    sum: Arc<Sum>,
    count: i64,
}

impl Store {
    /// The same store with its contents where `settings` say.
    #[must_use]
    pub fn with_content(mut self, place: ContentPlace, settings: &ContentSettings) -> Self {
        self.contents = Contents::new(place, settings, &self.term_key);
        self
    }

    /// The longest content that rests in the database, in bytes.
    pub fn inline_bytes(&self) -> usize {
        self.contents.inline_bytes
    }

    /// Takes what comes next of a content.
    ///
    /// # Errors
    /// Where contents rest is away, or belongs to another store ([`Kind::Unavailable`]); so for every method that concerns content.
    pub async fn take(&self, incoming: &mut Incoming, bytes: Bytes) -> Outcome<()> {
        if incoming.needs_place(bytes.len()) {
            incoming.place(self.objects().await?.clone());
        }
        incoming.take(bytes).await
    }

    /// The bytes that `hole` was made for, or those of them in `range`. The first chunk is verified when this returns.
    ///
    /// # Errors
    /// They are missing or damaged: a fault that names the object.
    pub async fn content(&self, hole: &Hole, range: Option<Range<u64>>) -> Outcome<Pieces> {
        let objects = self.objects().await?.clone();
        let (part, digest) = (hole.part, hole.digest);
        let entry = self.ask(move |connection| ledger::find(connection, part, digest)).await?;
        let entry = entry.ok_or_else(|| Failure::fault(format!("content {:016x}/{digest} is not known", part.0)))?;
        let name = Name { part, digest, generation: entry.generation };
        let source = reading::Source { objects, name, size: hole.size, digest, chunks: entry.chunks.into() };
        reading::pieces(source, range.unwrap_or(0..hole.size)).await
    }

    /// Writes `change`, its contents first.
    pub(super) async fn write_with_content(&self, mut change: Change) -> Result<(), CommitFailure> {
        if change.writes.iter().all(|write| write.content.is_empty() && moved_from(write).is_none()) {
            return self.write(change).await;
        }
        for _ in 0..SETTLING_ATTEMPTS {
            for write in &mut change.writes {
                self.settle(write).await.map_err(CommitFailure::Failed)?;
            }
            match self.write(change.clone()).await {
                Err(CommitFailure::Swept) => {}
                answer => return answer,
            }
        }
        Err(CommitFailure::Failed(Failure::new(Kind::Unavailable, "the content store is busy; try again")))
    }

    /// Puts the contents that `write` names where it will name them.
    pub(super) async fn settle(&self, write: &mut Write) -> Outcome<()> {
        let part = write.key.part;
        let staged = write.content.staged.iter();
        let mut pending: Vec<Pending> = staged
            .map(|staged| Pending { origin: Origin::Staged(staged.clone()), sum: Arc::clone(staged.sum()), count: 1 })
            .collect();
        write.content.released = match moved_from(write) {
            Some(old) => self.leave(old, &mut pending).await?,
            None => Vec::new(),
        };
        pending.sort_by_key(|pending| pending.sum.digest);
        let named = stream::iter(pending).map(|pending| self.settle_one(pending, part)).buffered(SETTLED_AT_ONCE);
        write.content.named = named.try_collect().await?;
        Ok(())
    }

    async fn settle_one(&self, pending: Pending, part: Part) -> Outcome<Named> {
        let digest = pending.sum.digest;
        let entry = self.ask(move |connection| ledger::find(connection, part, digest)).await?;
        let generation = entry.map_or(0, |entry| entry.generation);
        pending.origin.settle(self.objects().await?, Name { part, digest, generation }).await?;
        Ok(Named { sum: pending.sum, generation, count: pending.count })
    }

    /// What the versions at `old` name, which leave for another dossier: to be named there, and released here.
    async fn leave(&self, old: InstanceKey, pending: &mut Vec<Pending>) -> Outcome<Vec<Released>> {
        let part = old.part;
        let versions = self.ask(move |connection| ledger::versions(connection, old)).await?;
        let mut counts = BTreeMap::<(Digest, u64), i64>::new();
        for version in &versions {
            let text = Text::at_rest(version, part)?;
            let named: BTreeSet<_> = text.holes().iter().map(|hole| (hole.digest, hole.size)).collect();
            named.into_iter().for_each(|named| *counts.entry(named).or_default() += 1);
        }
        let mut released = Vec::with_capacity(counts.len());
        for ((digest, size), count) in counts {
            let entry = self.ask(move |connection| ledger::find(connection, part, digest)).await?;
            let entry = entry.ok_or_else(|| Failure::fault(format!("content {:016x}/{digest} is not known", part.0)))?;
            let origin = Origin::Moved(Name { part, digest, generation: entry.generation });
            pending.push(Pending { origin, sum: Arc::new(Sum { digest, size, chunks: entry.chunks }), count });
            released.push(Released { part, digest, count });
        }
        Ok(released)
    }

    /// The place of the contents, once it is known to be that of this store.
    async fn objects(&self) -> Outcome<&Objects> {
        let contents = &self.contents;
        let open = async || {
            let objects = Objects::at(&contents.place, &contents.s3)?;
            match objects.owner().await? {
                Some(owner) if *owner == *contents.owner.as_bytes() => Ok(objects),
                Some(_) => Err(foreign(contents, "belongs to another store")),
                None if self.ask(ledger::is_empty).await? => objects.claim(&contents.owner).await.map(|()| objects),
                None => Err(foreign(contents, "is not where the contents of this store rest")),
            }
        };
        contents.objects.get_or_try_init(open).await
    }
}

fn foreign(contents: &Contents, what: &str) -> Failure {
    objects::away(format!("content.store: {} {what}", contents.place))
}

/// Where the instance rests that `write` takes to another dossier.
fn moved_from(write: &Write) -> Option<InstanceKey> {
    match write.expected {
        Expected::Version(_, old) if old.part != write.key.part => Some(old),
        Expected::Version(..) | Expected::Nothing => None,
    }
}
