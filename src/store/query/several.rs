//! Reading many versions by name, in a few statements however many they are.

use std::collections::{HashMap, HashSet};

use diesel::result::QueryResult;

use super::text::Sql;
use crate::dossier::Access;
use crate::fhir::key::name_hash;
use crate::fhir::{InstanceId, InstanceKey, Part, ResourceType, VersionId};
use crate::search::Name;
use crate::store::connection::Connection;
use crate::store::snapshot::{Stored, stored, stored_columns, superseded as older_version};

/// The most names one statement asks for. Lists are filled up to a power of two, so that few statements have to be prepared.
const NAMES_OF_STATEMENT: usize = 256;

/// A version by its name.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct VersionName {
    /// The type.
    pub kind: ResourceType,
    /// The logical id.
    pub id: InstanceId,
    /// The version; `None`: the current one.
    pub version: Option<VersionId>,
}

/// No instance rests there.
pub(super) const NOWHERE: InstanceKey = InstanceKey { part: Part::DIRECTORY, rid: i64::MIN };

/// The versions that `names` name: current ones in the order of `names`, then older ones; what does not exist or is not covered by `access` is left out, deletions are not.
pub(in crate::store) fn several(connection: &mut Connection, access: &Access, names: &[VersionName]) -> QueryResult<Vec<Stored>> {
    let current = current(connection, names)?;
    let seen = |name: &VersionName| current.get(&(name.kind, name.id.clone())).filter(|found| access.covers(found.key.part));
    let (mut found, mut older) = (Vec::with_capacity(names.len()), Vec::new());
    for (name, latest) in names.iter().filter_map(|name| Some((name, seen(name)?))) {
        match name.version {
            Some(version) if version != latest.version => older.push((latest, version)),
            Some(_) | None => found.push(latest.clone()),
        }
    }
    let mut older = superseded(connection, &older)?;
    older.sort_unstable_by_key(|stored| (stored.key, stored.version));
    found.extend(older);
    Ok(found)
}

type ByName = HashMap<(ResourceType, InstanceId), Stored>;

/// The current versions, first where their ids say they rest, then where an alias does.
fn current(connection: &mut Connection, names: &[VersionName]) -> QueryResult<ByName> {
    let mut found = ByName::with_capacity(names.len());
    let said: Vec<InstanceKey> = names.iter().filter_map(|name| InstanceKey::read(&name.id)).collect();
    take(connection, &said, &mut found)?;
    let unfound = |name: &&VersionName| !found.contains_key(&(name.kind, name.id.clone()));
    let rest: Vec<i64> = names.iter().filter(unfound).map(|name| name_hash(name.kind, &name.id).cast_signed()).collect();
    let keys = aliased(connection, &rest)?;
    take(connection, &keys, &mut found)?;
    Ok(found)
}

/// Where the instances rest that `names` name and `access` lets be seen, in order.
pub(super) fn keys_of(connection: &mut Connection, access: &Access, names: &[Name]) -> QueryResult<Vec<InstanceKey>> {
    let name = |(kind, id): &Name| VersionName { kind: *kind, id: id.clone(), version: None };
    let found = current(connection, &names.iter().map(name).collect::<Vec<_>>())?;
    let wanted: HashSet<&Name> = names.iter().collect();
    let seen = found.iter().filter(|(name, stored)| wanted.contains(name) && access.covers(stored.key.part));
    let mut keys: Vec<InstanceKey> = seen.map(|(_, stored)| stored.key).collect();
    keys.sort_unstable();
    Ok(keys)
}

/// Where instances rest whose names have these hashes and whose ids do not say it.
pub(super) fn aliased(connection: &mut Connection, names: &[i64]) -> QueryResult<Vec<InstanceKey>> {
    let mut keys = Vec::with_capacity(names.len());
    for hashes in names.chunks(NAMES_OF_STATEMENT) {
        let hashes = filled(hashes, hashes.first().copied().unwrap_or_default());
        let statement =
            Sql::new("SELECT a.part, a.rid FROM alias a WHERE ").append(Sql::is_one_of("a.name", hashes.into_iter())).statement();
        connection.admit(&statement);
        keys.extend(connection.load(&statement, |row| Ok(InstanceKey { part: Part(row.bigint(0)?), rid: row.bigint(1)? }))?);
    }
    Ok(keys)
}

/// Adds what rests at `keys`.
fn take(connection: &mut Connection, keys: &[InstanceKey], found: &mut ByName) -> QueryResult<()> {
    let loaded = at(connection, keys)?;
    found.extend(loaded.into_iter().map(|stored| ((stored.kind, stored.id.clone()), stored)));
    Ok(())
}

/// What rests at `keys`, in no order.
pub(super) fn at(connection: &mut Connection, keys: &[InstanceKey]) -> QueryResult<Vec<Stored>> {
    let mut found = Vec::with_capacity(keys.len());
    for keys in keys.chunks(NAMES_OF_STATEMENT) {
        let places = filled(keys, NOWHERE).into_iter().map(|key| vec![key.part.0, key.rid]);
        let statement = Sql::new(concat!("SELECT ", stored_columns!(), " FROM ("))
            .append(rows(places))
            .push(") k CROSS JOIN instance i WHERE i.part = k.column1 AND i.rid = k.column2")
            .statement();
        connection.admit(&statement);
        found.extend(connection.load(&statement, stored)?);
    }
    Ok(found)
}

/// Older versions of instances whose current ones are known.
fn superseded(connection: &mut Connection, wanted: &[(&Stored, VersionId)]) -> QueryResult<Vec<Stored>> {
    let mut found = Vec::with_capacity(wanted.len());
    let latest: HashMap<InstanceKey, &Stored> = wanted.iter().map(|(stored, _)| (stored.key, *stored)).collect();
    for wanted in wanted.chunks(NAMES_OF_STATEMENT) {
        let places: Vec<_> = wanted.iter().map(|(stored, version)| (stored.key, version.0)).collect();
        let places = filled(&places, (NOWHERE, 0)).into_iter().map(|(key, version)| vec![key.part.0, key.rid, version]);
        let statement = Sql::new("SELECT v.version, v.updated, v.method, v.body, v.part, v.rid FROM (")
            .append(rows(places))
            .push(") k CROSS JOIN version v WHERE v.part = k.column1 AND v.rid = k.column2 AND v.version = k.column3")
            .statement();
        connection.admit(&statement);
        let loaded = connection.load(&statement, |row| {
            let key = InstanceKey { part: Part(row.bigint(4)?), rid: row.bigint(5)? };
            latest.get(&key).map(|latest| older_version(latest, row)).transpose()
        })?;
        found.extend(loaded.into_iter().flatten());
    }
    Ok(found)
}

/// `values`, as often `filler` after them as makes their number a power of two.
pub(super) fn filled<T: Clone>(values: &[T], filler: T) -> Vec<T> {
    let mut values = values.to_vec();
    values.resize(values.len().next_power_of_two(), filler);
    values
}

/// Rows of numbers. On both back ends the columns of such a table are called `column1`, `column2`, …
pub(super) fn rows<'a>(rows: impl Iterator<Item = Vec<i64>>) -> Sql<'a> {
    rows.enumerate().fold(Sql::new("VALUES "), |sql, (index, row)| {
        let sql = sql.push(if index == 0 { "(" } else { ", (" });
        let bound = |(column, sql): (usize, Sql<'a>), value| {
            (column + 1, if column == 0 { sql.bind(value) } else { sql.push(", ").bind(value) })
        };
        row.into_iter().fold((0, sql), bound).1.push(")")
    })
}
