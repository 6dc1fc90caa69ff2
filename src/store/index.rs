//! Writing what an instance is found by: terms, dates, strings, quantities.

use diesel::result::QueryResult;

use super::change::Write;
use super::connection::Connection;
use super::statement::Statement;
use crate::fhir::{InstanceKey, ResourceType};
use crate::search::index::Term;

const INSERT_TERM: &str = "INSERT INTO term (term, kind, rid, part) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING";
const DELETE_TERM: &str = "DELETE FROM term WHERE term = ? AND kind = ? AND rid = ? AND part = ?";

const INSERT_DATE: &str =
    "INSERT INTO date_value (part, rid, parameter, low, high) VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING";
const INSERT_STRING: &str = "INSERT INTO string_value (part, rid, parameter, folded) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING";
const INSERT_QUANTITY: &str =
    "INSERT INTO quantity_value (part, rid, parameter, unit, low, high) VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING";

const DELETE_VALUES: [&str; 3] = [
    "DELETE FROM date_value WHERE part = ? AND rid = ?",
    "DELETE FROM string_value WHERE part = ? AND rid = ?",
    "DELETE FROM quantity_value WHERE part = ? AND rid = ?",
];

/// The unit kept for a plain number.
const NO_UNIT: i64 = 0;

/// The entries of a new instance.
pub(super) fn insert(connection: &mut Connection, write: &Write) -> QueryResult<()> {
    for term in write.index.terms.iter().filter(|term| term.leads()) {
        connection.execute(&term_at(INSERT_TERM, *term, write.kind, write.key))?;
    }
    insert_values(connection, write)
}

/// The entries of a new version in place of those of the one before, which had `terms`.
pub(super) fn replace(connection: &mut Connection, write: &Write, terms: &[Term]) -> QueryResult<()> {
    let new = &write.index.terms;
    for term in terms.iter().filter(|term| term.leads() && new.binary_search(term).is_err()) {
        connection.execute(&term_at(DELETE_TERM, *term, write.kind, write.key))?;
    }
    for term in new.iter().filter(|term| term.leads() && terms.binary_search(term).is_err()) {
        connection.execute(&term_at(INSERT_TERM, *term, write.kind, write.key))?;
    }
    delete_values(connection, write.key)?;
    insert_values(connection, write)
}

/// No entries any more.
pub(super) fn delete(connection: &mut Connection, (kind, key): (ResourceType, InstanceKey), terms: &[Term]) -> QueryResult<()> {
    for term in terms.iter().filter(|term| term.leads()) {
        connection.execute(&term_at(DELETE_TERM, *term, kind, key))?;
    }
    delete_values(connection, key)
}

fn insert_values(connection: &mut Connection, write: &Write) -> QueryResult<()> {
    let value = |text, parameter: i32| Statement::new(text).bind(write.key.part.0).bind(write.key.rid).bind(parameter);
    for date in &write.index.dates {
        connection.execute(&value(INSERT_DATE, date.parameter.0).bind(date.range.low).bind(date.range.high))?;
    }
    for string in &write.index.strings {
        connection.execute(&value(INSERT_STRING, string.parameter.0).bind(&*string.folded))?;
    }
    for quantity in &write.index.quantities {
        let statement = value(INSERT_QUANTITY, quantity.parameter.0).bind(unit(quantity.unit));
        connection.execute(&statement.bind(quantity.low).bind(quantity.high))?;
    }
    Ok(())
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

fn term_at(text: &'static str, term: Term, kind: ResourceType, key: InstanceKey) -> Statement<'static> {
    Statement::new(text).bind(term.0).bind(kind.code()).bind(key.rid).bind(key.part.0)
}
