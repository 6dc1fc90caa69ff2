//! Reading instances by name: the current version, an older one, all of them.
//!
//! A server-assigned id says where its instance rests, so the usual read is one look-up by primary key. Only where that place
//! holds no such instance, or the id was chosen by a client, an alias is asked.

use bytes::Bytes;
use diesel::result::{Error, QueryResult};

use super::change::Method;
use super::connection::Connection;
use super::content::Text;
use super::dialect::Dialect;
use super::row::Columns;
use super::statement::Statement;
use crate::dossier::Access;
use crate::fhir::key::name_hash;
use crate::fhir::{InstanceId, InstanceKey, Instant, Part, ResourceType, VersionId};
use crate::outcome::Outcome;
use crate::search::Name;

/// A version of an instance as it rests.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stored {
    /// Its type.
    pub kind: ResourceType,
    /// Its logical id.
    pub id: InstanceId,
    /// Where the instance rests.
    pub key: InstanceKey,
    /// Which version it is.
    pub version: VersionId,
    /// When it was made.
    pub updated: Instant,
    /// The interaction that made it.
    pub method: Method,
    /// The bytes under which it rests, whose [`text`](Self::text) is served; `None` for a deletion.
    pub body: Option<Bytes>,
}

impl Stored {
    /// The JSON to be served, its holes still to be filled; `None` for a deletion.
    ///
    /// # Errors
    /// A damaged row.
    pub fn text(&self) -> Outcome<Option<Text>> {
        self.body.as_ref().map(|body| Text::at_rest(body, self.key.part)).transpose()
    }
}

/// The columns of a stored version, in the order in which [`stored`] reads them.
macro_rules! stored_columns {
    () => {
        "i.part, i.rid, i.kind, i.id, i.version, i.updated, i.method, i.body"
    };
}
pub(super) use stored_columns;

/// How many columns these are.
pub(super) const STORED_COLUMNS: usize = 8;

const AT_KEY: &str = concat!("SELECT ", stored_columns!(), " FROM instance i WHERE i.part = ? AND i.rid = ?");

const BY_ALIAS: &str = concat!(
    "SELECT ",
    stored_columns!(),
    " FROM alias a JOIN instance i ON i.part = a.part AND i.rid = a.rid WHERE a.name = ? AND a.kind = ? AND a.id = ?"
);

/// So often is an alias read anew whose instance has just moved away from where it said.
const MOVES: usize = 3;

const ALIAS: &str = "SELECT a.part, a.rid FROM alias a WHERE a.name = ? AND a.kind = ? AND a.id = ?";

const SUPERSEDED: &str = "SELECT v.version, v.updated, v.method, v.body FROM version v \
     WHERE v.part = ? AND v.rid = ? AND v.version = ?";

/// Asks for nothing that needs to be there, where the cheapest read would ask for it.
pub(super) fn probe(connection: &mut Connection) -> QueryResult<()> {
    at(connection, InstanceKey { part: Part::DIRECTORY, rid: 0 }).map(drop)
}

/// The current version.
pub(super) fn read(
    connection: &mut Connection,
    access: &Access,
    kind: ResourceType,
    id: &InstanceId,
) -> QueryResult<Option<Stored>> {
    Ok(find(connection, kind, id)?.filter(|found| access.covers(found.key.part)))
}

/// The current version of an instance, whoever may see it.
pub(super) fn find(connection: &mut Connection, kind: ResourceType, id: &InstanceId) -> QueryResult<Option<Stored>> {
    if let Some(key) = InstanceKey::read(id)
        && let Some(found) = at(connection, key)?.filter(|found| found.kind == kind && found.id == *id)
    {
        return Ok(Some(found));
    }
    let by_name = |text| Statement::new(text).bind(name_hash(kind, id).cast_signed()).bind(kind.code()).bind(id.as_str());
    match connection.dialect() {
        Dialect::Sqlite => connection.first(&by_name(BY_ALIAS), stored),
        Dialect::Postgres => by_alias(connection, &by_name(ALIAS), (kind, id)),
    }
}

/// In two steps, each by its own key: aliases and instances may rest on different servers.
fn by_alias(
    connection: &mut Connection,
    alias: &Statement<'_>,
    (kind, id): (ResourceType, &InstanceId),
) -> QueryResult<Option<Stored>> {
    for _ in 0..MOVES {
        let place = connection.first(alias, |row| Ok(InstanceKey { part: Part(row.bigint(0)?), rid: row.bigint(1)? }))?;
        let Some(place) = place else { return Ok(None) };
        if let Some(found) = at(connection, place)?.filter(|found| found.kind == kind && found.id == *id) {
            return Ok(Some(found));
        }
    }
    Ok(None)
}

fn at(connection: &mut Connection, key: InstanceKey) -> QueryResult<Option<Stored>> {
    connection.first(&Statement::new(AT_KEY).bind(key.part.0).bind(key.rid), stored)
}

/// The version numbered `version`.
pub(super) fn version(
    connection: &mut Connection,
    access: &Access,
    (kind, id): (ResourceType, &InstanceId),
    version: VersionId,
) -> QueryResult<Option<Stored>> {
    let Some(current) = read(connection, access, kind, id)? else { return Ok(None) };
    if current.version == version {
        return Ok(Some(current));
    }
    let statement = Statement::new(SUPERSEDED).bind(current.key.part.0).bind(current.key.rid).bind(version.0);
    connection.first(&statement, |row| superseded(&current, row))
}

/// Reads the columns of [`stored_columns`].
pub(super) fn stored(row: &dyn Columns) -> QueryResult<Stored> {
    let (kind, id) = name(row, 2)?;
    Ok(Stored {
        key: InstanceKey { part: Part(row.bigint(0)?), rid: row.bigint(1)? },
        kind,
        id,
        version: VersionId(row.bigint(4)?),
        updated: Instant::from_micros(row.bigint(5)?),
        method: method(row.smallint(6)?)?,
        body: row.optional_body(7)?,
    })
}

/// Reads the columns `kind` and `id`, of which the first is `column`.
pub(super) fn name(row: &dyn Columns, column: usize) -> QueryResult<Name> {
    let kind = ResourceType::from_code(row.smallint(column)?).ok_or_else(|| damaged("an unknown resource type"))?;
    Ok((kind, row.text(column + 1)?.parse().map_err(|_| damaged("an id that is none"))?))
}

/// The older version of `current` in the columns of [`SUPERSEDED`].
pub(super) fn superseded(current: &Stored, row: &dyn Columns) -> QueryResult<Stored> {
    Ok(Stored {
        kind: current.kind,
        id: current.id.clone(),
        key: current.key,
        version: VersionId(row.bigint(0)?),
        updated: Instant::from_micros(row.bigint(1)?),
        method: method(row.smallint(2)?)?,
        body: row.optional_body(3)?,
    })
}

fn method(code: i16) -> QueryResult<Method> {
    Method::from_code(code).ok_or_else(|| damaged("an unknown method"))
}

/// The database holds what this program never wrote.
fn damaged(what: &str) -> Error {
    Error::DeserializationError(format!("the store holds {what}").into())
}
