//! Amending a superseded version where it rests: what is said of its labels later makes no version of it (R4 `$meta-add`,
//! `$meta-delete`). Its number, its moment and all else it says stay as they are.

use bytes::Bytes;

use super::commit::Refusal;
use super::compression::{compressed, expanded};
use super::connection::Connection;
use super::statement::Statement;
use crate::fhir::{InstanceKey, ResourceType, VersionId};

/// A superseded version that is to say something else.
#[derive(Clone, Debug)]
pub struct Amendment {
    /// Its type.
    pub kind: ResourceType,
    /// Where the instance rests.
    pub key: InstanceKey,
    /// Which version it is.
    pub version: VersionId,
    /// The bytes under which it must be found to rest.
    pub replaced: Bytes,
    /// Those under which it rests from now on, with the same contents outside the database.
    pub body: Bytes,
}

const SELECT: &str = "SELECT body FROM version WHERE part = ? AND rid = ? AND version = ?";

const AMEND: &str = "UPDATE version SET body = ? WHERE part = ? AND rid = ? AND version = ? AND body = ?";

/// Writes `amendment`, if the version is what it expects.
pub(super) fn write(connection: &mut Connection, amendment: &Amendment) -> Result<(), Refusal> {
    let Some(resting) = resting(connection, amendment)? else { return Err(Refusal::Stale(0)) };
    let resting = Bytes::from(resting);
    if expanded(&resting)? != amendment.replaced {
        return Err(Refusal::Stale(0));
    }
    let Amendment { kind, key, version, body, .. } = amendment;
    let statement = Statement::new(AMEND).bind(Some(compressed(*kind, body)));
    let statement = statement.bind(key.part.0).bind(key.rid).bind(version.0).bind(&*resting);
    // Whoever amended it in the meantime left other bytes.
    if connection.execute(&statement)? == 0 { Err(Refusal::Stale(0)) } else { Ok(()) }
}

/// Whether `amendment` was written already.
pub(super) fn is_written(connection: &mut Connection, amendment: &Amendment) -> Result<bool, diesel::result::Error> {
    let resting = resting(connection, amendment)?.map(Bytes::from);
    Ok(resting.map(|resting| expanded(&resting)).transpose()?.is_some_and(|body| body == amendment.body))
}

fn resting(connection: &mut Connection, amendment: &Amendment) -> Result<Option<Vec<u8>>, diesel::result::Error> {
    let Amendment { key, version, .. } = amendment;
    let statement = Statement::new(SELECT).bind(key.part.0).bind(key.rid).bind(version.0);
    Ok(connection.first(&statement, |row| row.optional_binary(0))?.flatten())
}
