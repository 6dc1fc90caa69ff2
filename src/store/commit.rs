//! Writing a change: what it expects is checked before anything is written, then its rows are written, all in the one
//! transaction that holds the right to write.

use diesel::result::{DatabaseErrorKind, Error};

use super::amend;
use super::change::{Change, Expected, Method, Write};
use super::connection::Connection;
use super::content;
use super::dialect::Dialect;
use super::index;
use super::journal;
use super::premise;
use super::reindex;
use super::snapshot;
use super::statement::Statement;
use super::task;
use super::terms::{Resting, unpack};
use super::vocabulary;
use crate::fhir::key::name_hash;
use crate::fhir::{InstanceKey, ResourceType};
use crate::outcome::Failure;
use crate::search::index::Term;

/// Why a change was not committed. Nothing of it was written.
#[derive(Debug)]
pub enum CommitFailure {
    /// The write with this index expected of its instance what is no longer so.
    Stale(usize),
    /// What it takes for granted does not hold any more.
    Unmet,
    /// The name of a content was retired since the content was put there. Never leaves the store.
    Swept,
    /// The search parameters that the store defines itself have changed since the entries were made.
    Outdated,
    /// The store could not write, or may not.
    Failed(Failure),
}

/// Why a change cannot be written.
#[derive(Debug)]
pub(super) enum Refusal {
    /// The write with this index expected of its instance what is no longer so.
    Stale(usize),
    /// What it takes for granted does not hold any more.
    Unmet,
    /// The name of a content was retired since the content was put there.
    Swept,
    /// The search parameters that the store defines itself have changed since the entries were made.
    Outdated,
    /// The database refused.
    Database(Error),
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        Self::Database(error)
    }
}

/// What a write replaces.
pub(super) enum Replaced {
    /// Nothing: it creates.
    Nothing,
    /// The version at this place, with these terms, where entries elsewhere lead from them.
    Version(InstanceKey, Vec<Term>),
}

const DELETE_INSTANCE: &str = "DELETE FROM instance WHERE part = ? AND rid = ?";

const SELECT_CURRENT: &str =
    "SELECT body FROM instance WHERE part = ? AND rid = ? AND version = ? AND updated = ? AND method = ?";

const SELECT_SUPERSEDED: &str =
    "SELECT body FROM version WHERE part = ? AND rid = ? AND version = ? AND updated = ? AND method = ?";

const SUPERSEDE: &str = "INSERT INTO version (part, rid, version, updated, kind, method, body) \
     SELECT ?, ?, version, updated, kind, method, body FROM instance WHERE part = ? AND rid = ?";

const MOVE_VERSIONS: &str = "INSERT INTO version (part, rid, version, updated, kind, method, body) \
     SELECT ?, ?, version, updated, kind, method, body FROM version WHERE part = ? AND rid = ?";

const DELETE_VERSIONS: &str = "DELETE FROM version WHERE part = ? AND rid = ?";

const INSERT_ALIAS: &str = "INSERT INTO alias (name, kind, id, part, rid) VALUES (?, ?, ?, ?, ?)";

const SET_ALIAS: &str = "INSERT INTO alias (name, kind, id, part, rid) VALUES (?, ?, ?, ?, ?) \
     ON CONFLICT (name, kind, id) DO UPDATE SET part = excluded.part, rid = excluded.rid";

/// What each write of `change` replaces, if all that it expects is so. Writes nothing.
pub(super) fn check(connection: &mut Connection, change: &Change) -> Result<Vec<Replaced>, Refusal> {
    if let Some(made_in) = change.epoch()
        && vocabulary::epoch(connection)? != made_in
    {
        return Err(Refusal::Outdated);
    }
    if !premise::hold(connection, change)? {
        return Err(Refusal::Unmet);
    }
    let checked = change.writes.iter().enumerate().map(|(index, write)| {
        let replaced = match write.expected {
            Expected::Nothing => nothing_there(connection, write)?.then_some(Replaced::Nothing),
            Expected::Version(..) => version_there(connection, write)?,
        };
        replaced.ok_or(Refusal::Stale(index))
    });
    checked.collect()
}

/// Whether `change`, or at least its first write or record, was written already.
pub(super) fn is_done(connection: &mut Connection, change: &Change) -> Result<bool, Error> {
    if let Some(retired) = &change.retired {
        return content::is_retired(connection, retired);
    }
    if let Some(amendment) = &change.amendment {
        return amend::is_written(connection, amendment);
    }
    if let Some(step) = &change.task {
        return task::is_written(connection, step);
    }
    match (change.writes.first(), change.audit.first()) {
        (Some(write), _) => is_written(connection, write),
        (None, Some(record)) => journal::holds(connection, record),
        (None, None) => Ok(true),
    }
}

fn is_written(connection: &mut Connection, write: &Write) -> Result<bool, Error> {
    for text in [SELECT_CURRENT, SELECT_SUPERSEDED] {
        let statement = at(text, write.key).bind(write.version.0).bind(write.updated.micros()).bind(write.method.code());
        let bodies = connection.load(&statement, |row| row.optional_body(0))?;
        if bodies.iter().any(|body| body.as_deref() == write.body.as_deref()) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Writes `change`, whose writes replace `replaced`.
pub(super) fn write(connection: &mut Connection, change: &Change, replaced: &[Replaced]) -> Result<(), Refusal> {
    for (index, (write, replaced)) in change.writes.iter().zip(replaced).enumerate() {
        write_version(connection, write, replaced).map_err(|error| taken(index, error))?;
    }
    content::write(connection, change)?;
    if let Some(vocabulary) = &change.vocabulary {
        vocabulary::write(connection, vocabulary)?;
    }
    if let Some(amendment) = &change.amendment {
        amend::write(connection, amendment)?;
    }
    if let Some(step) = &change.reindexing {
        reindex::write(connection, step)?;
    }
    if let Some(step) = &change.task {
        task::write(connection, step)?;
    }
    journal::append(connection, &change.audit)?;
    Ok(())
}

/// A place or a name that somebody else took in the meantime.
fn taken(index: usize, error: Error) -> Refusal {
    match error {
        Error::DatabaseError(DatabaseErrorKind::UniqueViolation, _) => Refusal::Stale(index),
        other => Refusal::Database(other),
    }
}

fn nothing_there(connection: &mut Connection, write: &Write) -> Result<bool, Error> {
    // The server has just drawn this place; should it not be free, the insertion finds out.
    if write.method == Method::Post && names_its_place(write) {
        return Ok(true);
    }
    Ok(snapshot::find(connection, write.kind, &write.id)?.is_none())
}

fn version_there(connection: &mut Connection, write: &Write) -> Result<Option<Replaced>, Error> {
    let Expected::Version(version, key) = write.expected else { return Ok(None) };
    let statement = Statement::new(connection.dialect().select_replaced()).bind(key.part.0).bind(key.rid);
    let found = connection.first(&statement, |row| {
        let same = row.bigint(0)? == version.0
            && ResourceType::from_code(row.smallint(1)?) == Some(write.kind)
            && row.text(2)? == write.id.as_str();
        Ok(same.then(|| row.optional_binary(3)).transpose()?.map(Option::unwrap_or_default))
    })?;
    Ok(found.flatten().map(|terms| Replaced::Version(key, unpack(&terms))))
}

fn write_version(connection: &mut Connection, write: &Write, replaced: &Replaced) -> Result<(), Error> {
    match replaced {
        Replaced::Nothing => {
            insert_instance(connection, write)?;
            if !names_its_place(write) {
                connection.execute(&alias(INSERT_ALIAS, write))?;
            }
            index::insert(connection, write)
        }
        Replaced::Version(old, terms) if *old == write.key => {
            connection.execute(&at_two(SUPERSEDE, write.key, *old))?;
            update_instance(connection, write)?;
            index::replace(connection, write, terms)
        }
        Replaced::Version(old, terms) => {
            move_instance(connection, write, *old)?;
            index::delete(connection, (write.kind, *old), terms)?;
            index::insert(connection, write)
        }
    }
}

/// Writes the entries of an instance that stays as it is, unless it was written to since they were made.
pub(super) fn write_entries(connection: &mut Connection, write: &Write) -> Result<(), Error> {
    let Some(Replaced::Version(_, terms)) = version_there(connection, write)? else { return Ok(()) };
    let dialect = connection.dialect();
    let statement = with_entries(Statement::new(dialect.update_entries()), dialect, write);
    connection.execute(&statement.bind(write.key.part.0).bind(write.key.rid))?;
    index::replace(connection, write, &terms)
}

fn move_instance(connection: &mut Connection, write: &Write, old: InstanceKey) -> Result<(), Error> {
    connection.execute(&at_two(MOVE_VERSIONS, write.key, old))?;
    connection.execute(&at_two(SUPERSEDE, write.key, old))?;
    connection.execute(&at(DELETE_VERSIONS, old))?;
    connection.execute(&at(DELETE_INSTANCE, old))?;
    insert_instance(connection, write)?;
    connection.execute(&alias(SET_ALIAS, write))?;
    Ok(())
}

fn insert_instance(connection: &mut Connection, write: &Write) -> Result<(), Error> {
    let dialect = connection.dialect();
    let statement = at(dialect.insert_instance(), write.key).bind(write.kind.code()).bind(write.id.as_str());
    connection.execute(&with_content(statement, dialect, write))?;
    Ok(())
}

fn update_instance(connection: &mut Connection, write: &Write) -> Result<(), Error> {
    let dialect = connection.dialect();
    let statement = with_content(Statement::new(dialect.update_instance()), dialect, write);
    connection.execute(&statement.bind(write.key.part.0).bind(write.key.rid))?;
    Ok(())
}

fn with_content<'a>(statement: Statement<'a>, dialect: Dialect, write: &'a Write) -> Statement<'a> {
    let date = write.index.main_date;
    let statement = statement
        .bind(write.version.0)
        .bind(write.updated.micros())
        .bind(write.method.code())
        .bind(date.map(|range| range.low))
        .bind(date.map(|range| range.high))
        .bind(write.compressed());
    with_terms(statement, dialect, write)
}

fn with_entries<'a>(statement: Statement<'a>, dialect: Dialect, write: &'a Write) -> Statement<'a> {
    let date = write.index.main_date;
    with_terms(statement.bind(date.map(|range| range.low)).bind(date.map(|range| range.high)), dialect, write)
}

fn with_terms<'a>(statement: Statement<'a>, dialect: Dialect, write: &'a Write) -> Statement<'a> {
    let terms = Resting::of(dialect, write.kind.code(), &write.index.terms);
    let statement = statement.bind(terms.packed);
    match terms.leading {
        Some(leading) => statement.bind(leading),
        None => statement,
    }
}

fn at<'a>(text: &'static str, key: InstanceKey) -> Statement<'a> {
    Statement::new(text).bind(key.part.0).bind(key.rid)
}

fn at_two<'a>(text: &'static str, first: InstanceKey, second: InstanceKey) -> Statement<'a> {
    at(text, first).bind(second.part.0).bind(second.rid)
}

fn alias<'a>(text: &'static str, write: &'a Write) -> Statement<'a> {
    let name = name_hash(write.kind, &write.id).cast_signed();
    Statement::new(text).bind(name).bind(write.kind.code()).bind(write.id.as_str()).bind(write.key.part.0).bind(write.key.rid)
}

/// Whether the logical id itself says where the instance rests.
pub(super) fn names_its_place(write: &Write) -> bool {
    InstanceKey::read(&write.id) == Some(write.key)
}
