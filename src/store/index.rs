//! Writing what an instance is found by: terms, dates, strings, quantities.

use diesel::result::QueryResult;

use super::change::Write;
use super::connection::Connection;
use super::dialect::Dialect;
use super::statement::Statement;
use super::terms::ways;
use crate::fhir::{InstanceKey, ResourceType};
use crate::search::index::{StringEntry, Term};

const INSERT_TERM: &str = "INSERT INTO term (term, kind, rid, part, qualifier) VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING";
const DELETE_TERM: &str = "DELETE FROM term WHERE term = ? AND kind = ? AND rid = ? AND part = ? AND qualifier = ?";

const INSERT_DATE: &str = "INSERT INTO date_value (part, rid, entry, parameter, low, high) VALUES (?, ?, ?, ?, ?, ?)";
const INSERT_STRING: &str = "INSERT INTO string_value (part, rid, entry, parameter, folded) VALUES (?, ?, ?, ?, ?)";
const INSERT_QUANTITY: &str =
    "INSERT INTO quantity_value (part, rid, entry, parameter, unit, low, high) VALUES (?, ?, ?, ?, ?, ?, ?)";

const DELETE_VALUES: [&str; 3] = [
    "DELETE FROM date_value WHERE part = ? AND rid = ?",
    "DELETE FROM string_value WHERE part = ? AND rid = ?",
    "DELETE FROM quantity_value WHERE part = ? AND rid = ?",
];

/// The unit kept for a plain number.
const NO_UNIT: i64 = 0;

/// The entries of a new instance.
pub(super) fn insert(connection: &mut Connection, write: &Write) -> QueryResult<()> {
    lead(connection, (write.kind.code(), write.key), &write.index.terms)?;
    insert_values(connection, write)
}

/// The rows that lead from `terms` to the instance at `key`, where terms have rows.
pub(super) fn lead(connection: &mut Connection, at: (i16, InstanceKey), terms: &[Term]) -> QueryResult<()> {
    change_terms(connection, INSERT_TERM, at, (terms, &[]))
}

/// The entries of a new version in place of those of the one before, which had `terms`.
pub(super) fn replace(connection: &mut Connection, write: &Write, terms: &[Term]) -> QueryResult<()> {
    let (at, new) = ((write.kind.code(), write.key), &write.index.terms);
    change_terms(connection, DELETE_TERM, at, (terms, new))?;
    change_terms(connection, INSERT_TERM, at, (new, terms))?;
    delete_values(connection, write.key)?;
    insert_values(connection, write)
}

/// No entries any more.
pub(super) fn delete(connection: &mut Connection, (kind, key): (ResourceType, InstanceKey), terms: &[Term]) -> QueryResult<()> {
    change_terms(connection, DELETE_TERM, (kind.code(), key), (terms, &[]))?;
    delete_values(connection, key)
}

fn insert_values(connection: &mut Connection, write: &Write) -> QueryResult<()> {
    let value = |text, entry: i32, parameter: i32| {
        Statement::new(text).bind(write.key.part.0).bind(write.key.rid).bind(entry).bind(parameter)
    };
    for (entry, date) in (0..).zip(&write.index.dates) {
        connection.execute(&value(INSERT_DATE, entry, date.parameter.0).bind(date.range.low).bind(date.range.high))?;
    }
    for (entry, string) in (0..).zip(&write.index.strings) {
        connection.execute(&value(INSERT_STRING, number(entry, string), string.parameter.0).bind(&*string.folded))?;
    }
    for (entry, quantity) in (0..).zip(&write.index.quantities) {
        let statement = value(INSERT_QUANTITY, entry, quantity.parameter.0).bind(unit(quantity.unit));
        connection.execute(&statement.bind(quantity.low).bind(quantity.high))?;
    }
    Ok(())
}

/// The number kept for a string, of which `entry` are before it: what is no value to sort by is told by its sign.
pub(super) fn number(entry: i32, string: &StringEntry) -> i32 {
    if string.is_later_word { -1 - entry } else { entry }
}

fn delete_values(connection: &mut Connection, key: InstanceKey) -> QueryResult<()> {
    for text in DELETE_VALUES {
        connection.execute(&Statement::new(text).bind(key.part.0).bind(key.rid))?;
    }
    Ok(())
}

/// The number kept for a unit. The one hash that is that of a plain number shares the next, no likelier than any two hashes to
/// be the same.
pub(super) fn unit(unit: Option<Term>) -> i64 {
    match unit {
        None => NO_UNIT,
        Some(Term(NO_UNIT)) => NO_UNIT + 1,
        Some(Term(hash)) => hash,
    }
}

/// Inserts or deletes the rows of those ways of `terms` that are not ways of the `others`, where terms have rows.
fn change_terms(
    connection: &mut Connection,
    text: &'static str,
    (kind, key): (i16, InstanceKey),
    (terms, others): (&[Term], &[Term]),
) -> QueryResult<()> {
    match connection.dialect() {
        Dialect::Sqlite => {
            let others = ways(others);
            for (term, qualifier) in ways(terms).into_iter().filter(|way| others.binary_search(way).is_err()) {
                let row = Statement::new(text).bind(term.0).bind(kind).bind(key.rid).bind(key.part.0);
                connection.execute(&row.bind(i64::from(qualifier)))?;
            }
            Ok(())
        }
        Dialect::Postgres => Ok(()),
    }
}
