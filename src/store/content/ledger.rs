//! What the database knows of contents: under which generation of its name each rests, how many versions name it, the checksums of
//! its chunks.
//!
//! No object that a version names is ever removed, whatever uploads and sweeps run at the same time, on however many servers, and
//! wherever one of them stalls or dies:
//!
//! 1. A version that names a content is committed only while the content has the generation under which its object was put
//!    ([`name`]); the same statement counts the version.
//! 2. A generation is retired only while no version is counted ([`retire`]). Both statements concern one row, so the database lets
//!    one happen after the other: either the version is counted first and the generation stays, or it is retired first and the
//!    version is refused, whereupon its content is put again, under the next generation.
//! 3. An object is removed only after its generation was retired durably, and a retired generation never comes back.

use bytes::Bytes;
use diesel::result::{Error, QueryResult};

use super::naming::Named;
use super::objects::Name;
use super::text::Digest;
use crate::fhir::{InstanceKey, Part};
use crate::store::change::{Change, Write};
use crate::store::commit::Refusal;
use crate::store::connection::Connection;
use crate::store::row::Columns;
use crate::store::statement::Statement;

const FIND: &str = "SELECT generation, uses, chunks FROM content WHERE part = ? AND digest = ?";

const NAME: &str = "INSERT INTO content (part, digest, generation, uses, size, chunks) VALUES (?, ?, ?, ?, ?, ?) \
     ON CONFLICT (part, digest) DO UPDATE SET uses = content.uses + excluded.uses, size = excluded.size, \
     chunks = excluded.chunks WHERE content.generation = excluded.generation";

const RELEASE: &str = "UPDATE content SET uses = uses - ? WHERE part = ? AND digest = ?";

const RETIRE: &str = "INSERT INTO content (part, digest, generation, uses, size, chunks) VALUES (?, ?, ?, 0, 0, ?) \
     ON CONFLICT (part, digest) DO UPDATE SET generation = excluded.generation \
     WHERE content.uses = 0 AND content.generation = excluded.generation - 1";

const IS_EMPTY: &str = "SELECT part FROM content WHERE uses > 0 LIMIT 1";

const CURRENT: &str = "SELECT body FROM instance WHERE part = ? AND rid = ?";

const SUPERSEDED: &str = "SELECT body FROM version WHERE part = ? AND rid = ?";

/// What is known of a content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) generation: i64,
    pub(super) uses: i64,
    pub(super) chunks: Vec<u8>,
}

/// What is known of the content `digest` of the dossier `part`.
pub(super) fn find(connection: &mut Connection, part: Part, digest: Digest) -> QueryResult<Option<Entry>> {
    let statement = Statement::new(FIND).bind(part.0).bind(digest.0.as_slice());
    connection.first(&statement, |row: &dyn Columns| {
        let chunks = row.optional_binary(2)?.unwrap_or_default();
        Ok(Entry { generation: row.bigint(0)?, uses: row.bigint(1)?, chunks })
    })
}

/// The versions of an instance as they rest.
pub(super) fn versions(connection: &mut Connection, key: InstanceKey) -> QueryResult<Vec<Bytes>> {
    let mut bodies = Vec::new();
    for text in [CURRENT, SUPERSEDED] {
        let statement = Statement::new(text).bind(key.part.0).bind(key.rid);
        bodies.extend(connection.load(&statement, |row| row.optional_body(0))?.into_iter().flatten());
    }
    Ok(bodies)
}

/// Whether no version names any content.
pub(super) fn is_empty(connection: &mut Connection) -> QueryResult<bool> {
    connection.first(&Statement::new(IS_EMPTY), |row| row.bigint(0)).map(|found| found.is_none())
}

/// Counts what the versions of `change` name and no longer name, and retires what it retires.
pub(in crate::store) fn write(connection: &mut Connection, change: &Change) -> Result<(), Refusal> {
    for write in &change.writes {
        for named in &write.content.named {
            if !name(connection, write, named)? {
                return Err(Refusal::Swept);
            }
        }
        for released in &write.content.released {
            let (count, part, digest) = (released.count, released.part.0, released.digest.0.as_slice());
            connection.execute(&Statement::new(RELEASE).bind(count).bind(part).bind(digest))?;
        }
    }
    match &change.retired {
        Some(retired) if !retire(connection, retired)? => Err(Refusal::Stale(0)),
        Some(_) | None => Ok(()),
    }
}

fn name(connection: &mut Connection, write: &Write, named: &Named) -> Result<bool, Error> {
    let sum = &named.sum;
    let statement = Statement::new(NAME)
        .bind(write.key.part.0)
        .bind(sum.digest.0.as_slice())
        .bind(named.generation)
        .bind(named.count)
        .bind(i64::try_from(sum.size).unwrap_or(i64::MAX))
        .bind(sum.chunks.as_slice());
    Ok(connection.execute(&statement)? == 1)
}

fn retire(connection: &mut Connection, retired: &Retired) -> Result<bool, Error> {
    let name = retired.0;
    let statement = Statement::new(RETIRE).bind(name.part.0).bind(name.digest.0.as_slice());
    Ok(connection.execute(&statement.bind(name.generation + 1).bind(b"".as_slice()))? == 1)
}

/// A name that nobody may use any more.
#[derive(Clone, Copy, Debug)]
pub struct Retired(pub(super) Name);

/// Whether `retired` is so already.
pub(in crate::store) fn is_retired(connection: &mut Connection, retired: &Retired) -> QueryResult<bool> {
    let entry = find(connection, retired.0.part, retired.0.digest)?;
    Ok(entry.is_some_and(|entry| entry.generation > retired.0.generation))
}
