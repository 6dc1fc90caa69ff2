//! Contents as those see them who look after a store: each held against its name, or copied to another place.

use bytes::Bytes;
use diesel::result::{Error, QueryResult};
use futures_util::StreamExt as _;
use tokio::runtime::{Builder, Runtime};

use super::incoming::Incoming;
use super::objects::{Name, Objects};
use super::reading::{Source, pieces};
use super::sum::Summing;
use super::text::Digest;
use super::{Contents, Text, foreign};
use crate::config::{ContentPlace, ContentSettings};
use crate::fhir::Part;
use crate::outcome::{Failure, Outcome};
use crate::store::connection::Connection;
use crate::store::statement::Statement;

/// Rows of `content` that are read at once.
const PAGE_CONTENTS: i64 = 256;

const PAGE: &str = "SELECT part, digest, generation, uses, size, chunks FROM content \
     WHERE (part, digest) > (?, ?) ORDER BY part, digest LIMIT ?";

/// A row of `content`.
#[derive(Clone, Debug)]
pub(in crate::store) struct Known {
    name: Name,
    pub(in crate::store) uses: i64,
    size: u64,
    chunks: Vec<u8>,
}

impl Known {
    /// Which content of which dossier.
    pub(in crate::store) fn key(&self) -> (i64, Digest) {
        (self.name.part.0, self.name.digest)
    }

    /// What its object is called.
    pub(in crate::store) fn name(&self) -> String {
        self.name.to_string()
    }
}

/// The rows that follow `after`, or the first ones.
pub(in crate::store) fn page(connection: &mut Connection, after: Option<(i64, Digest)>) -> QueryResult<Vec<Known>> {
    let (part, digest) = after.map_or((i64::MIN, Vec::new()), |(part, digest)| (part, digest.0.to_vec()));
    let statement = Statement::new(PAGE).bind(part).bind(digest).bind(PAGE_CONTENTS);
    connection.load(&statement, |row| {
        let digest = row.optional_binary(1)?.and_then(|bytes| bytes.try_into().ok()).map(Digest);
        let digest = digest.ok_or_else(|| Error::DeserializationError("a content has no digest".into()))?;
        Ok(Known {
            name: Name { part: Part(row.bigint(0)?), digest, generation: row.bigint(2)? },
            uses: row.bigint(3)?,
            size: row.bigint(4)?.unsigned_abs(),
            chunks: row.optional_binary(5)?.unwrap_or_default(),
        })
    })
}

/// How many versions are counted that name a content; `None`: it is not known.
pub(in crate::store) fn uses(connection: &mut Connection, part: i64, digest: Digest) -> QueryResult<Option<i64>> {
    Ok(super::ledger::find(connection, Part(part), digest)?.map(|entry| entry.uses))
}

/// The contents that a version of the dossier `part` names, which rests as `body`; each once.
pub(in crate::store) fn named(body: &Bytes, part: i64) -> Vec<Digest> {
    let mut named: Vec<Digest> = match Text::at_rest(body, Part(part)) {
        Ok(text) => text.holes().iter().map(|hole| hole.digest).collect(),
        Err(_) => Vec::new(),
    };
    named.sort_unstable();
    named.dedup();
    named
}

/// The place of the contents of a store, looked at by one thread that waits for it.
pub(in crate::store) struct Keeping {
    runtime: Runtime,
    objects: Objects,
}

impl Keeping {
    /// The contents of the store with `term_key` at `place`, which need not be theirs yet if `is_new`.
    ///
    /// # Errors
    /// The place is away, or belongs to another store.
    pub(in crate::store) fn at(place: ContentPlace, settings: &ContentSettings, term_key: &[u8], is_new: bool) -> Outcome<Self> {
        let runtime = Builder::new_current_thread().enable_all().build().map_err(Failure::fault)?;
        let contents = Contents::new(place, settings, term_key);
        let objects = Objects::at(&contents.place, &contents.s3)?;
        match runtime.block_on(objects.owner())? {
            Some(owner) if *owner == *contents.owner.as_bytes() => {}
            Some(_) => return Err(foreign(&contents, "belongs to another store")),
            None if is_new => runtime.block_on(objects.claim(&contents.owner))?,
            None => return Err(foreign(&contents, "is not where the contents of this store rest")),
        }
        Ok(Self { runtime, objects })
    }

    /// Reads a content to its end and holds it against its name.
    ///
    /// # Errors
    /// It is missing or damaged, or its place is away.
    pub(in crate::store) fn check(&self, known: &Known) -> Outcome<()> {
        self.runtime.block_on(async {
            let mut summing = Summing::default();
            let mut pieces = pieces(self.source(known), 0..known.size).await?;
            while let Some(piece) = pieces.next().await {
                summing.add(&piece?);
            }
            if summing.finish().digest == known.name.digest { Ok(()) } else { Err(other(known)) }
        })
    }

    /// Copies a content to the same name in another place, unless it is there.
    ///
    /// # Errors
    /// As [`check`](Self::check).
    pub(in crate::store) fn copy(&self, known: &Known, to: &Self) -> Outcome<()> {
        self.runtime.block_on(async {
            if to.objects.has(known.name, known.size).await? {
                return Ok(());
            }
            let mut incoming = Incoming::default();
            incoming.place(to.objects.clone());
            let mut pieces = pieces(self.source(known), 0..known.size).await?;
            while let Some(piece) = pieces.next().await {
                incoming.take(piece?).await?;
            }
            let staged = incoming.finish().await?;
            if staged.sum().digest != known.name.digest {
                return Err(other(known));
            }
            staged.settle(&to.objects, known.name).await
        })
    }

    fn source(&self, known: &Known) -> Source {
        let (name, size) = (known.name, known.size);
        Source { objects: self.objects.clone(), name, size, digest: name.digest, chunks: known.chunks.as_slice().into() }
    }
}

fn other(known: &Known) -> Failure {
    super::objects::damaged(known.name, "is another content than its name says")
}
