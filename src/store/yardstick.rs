//! The yardstick of `carnet bench` on PostgreSQL: scripts by which `pgbench` reads and writes rows like those of the store.

use std::fmt::Write as _;

use diesel::result::QueryResult;

use super::connection::{Connection, Source};
use super::dialect::Use;
use super::failure::failure;
use super::raw::Work;
use super::row::Columns;
use super::statement::Statement;
use crate::config::{Limits, StoreSettings};
use crate::fhir::{InstanceKey, Part, ResourceType};
use crate::outcome::{Failure, Outcome};

/// How many rows are read or copied; so many scripts `pgbench` may be given.
const SAMPLE_ROWS: i64 = 100;

// The oldest instances are read, the youngest copied and updated, as the yardstick on SQLite does.
const SELECT_OLDEST: &str = "SELECT part, rid, kind FROM instance WHERE kind = ? AND body IS NOT NULL ORDER BY rid LIMIT ?";
const SELECT_YOUNGEST: &str = "SELECT part, rid, version, updated, method, date_low, date_high, body, terms, leads FROM instance \
     WHERE kind = ? AND body IS NOT NULL ORDER BY rid DESC LIMIT ?";
const SELECT_VERSIONS: &str = "SELECT part, rid, version FROM version LIMIT ?";
const SELECT_DATES: &str =
    "SELECT CAST(parameter AS BIGINT), low, high, CAST(entry AS BIGINT) FROM date_value WHERE part = ? AND rid = ?";
const SELECT_STRINGS: &str =
    "SELECT CAST(parameter AS BIGINT), folded, CAST(entry AS BIGINT) FROM string_value WHERE part = ? AND rid = ?";

const READ: &str =
    "SELECT part, rid, kind, id, version, updated, method, body FROM instance WHERE part = :part AND rid = :rid;\n";
const READ_VERSION: &str =
    "SELECT version, updated, method, body FROM version WHERE part = :part AND rid = :rid AND version = :third;\n";
const UPDATE: &str = "BEGIN;\n\
     UPDATE instance SET version = version + 1, updated = :third WHERE part = :part AND rid = :rid;\n\
     INSERT INTO version (part, rid, version, updated, kind, method, body) \
     SELECT part, rid, version - 1, updated, kind, method, body FROM instance WHERE part = :part AND rid = :rid;\nCOMMIT;\n";

/// A schema of its own in the database that a store's settings name.
///
/// # Errors
/// There is no PostgreSQL, or it may not be made.
pub fn make_schema(settings: &StoreSettings, name: &str) -> Outcome<StoreSettings> {
    let StoreSettings::Postgres { url } = settings else { return Err(Failure::fault("only a server has schemas")) };
    execute(settings, &format!("CREATE SCHEMA {name}"))?;
    let separator = if url.expose().contains('?') { '&' } else { '?' };
    format!("{}{separator}options=-csearch_path%3D{name}", url.expose()).parse().map_err(Failure::fault)
}

/// Removes a schema with all that is in it.
///
/// # Errors
/// It may not be removed.
pub fn remove_schema(settings: &StoreSettings, name: &str) -> Outcome<()> {
    execute(settings, &format!("DROP SCHEMA {name} CASCADE"))
}

/// Lets the database look at what was written, as it does by itself in time.
///
/// # Errors
/// The database is away.
pub fn settle(settings: &StoreSettings) -> Outcome<()> {
    match settings {
        StoreSettings::Sqlite { .. } => execute(settings, "PRAGMA wal_checkpoint(TRUNCATE)"),
        StoreSettings::Postgres { .. } => execute(settings, "VACUUM ANALYZE"),
    }
}

fn execute(settings: &StoreSettings, text: &str) -> Outcome<()> {
    Source::of(settings, &Limits::default()).connect(Use::Migrating)?.batch(text).map_err(failure)
}

/// What `pgbench` does, again and again, for `work`: one of these scripts, drawn by chance.
///
/// # Errors
/// The store cannot be read.
pub fn scripts(settings: &StoreSettings, work: Work) -> Outcome<Vec<String>> {
    let mut connection = Source::of(settings, &Limits::default()).connect(Use::Reading)?;
    scripts_from(&mut connection, work).map_err(failure)
}

fn scripts_from(connection: &mut Connection, work: Work) -> QueryResult<Vec<String>> {
    let document = ResourceType::DocumentReference;
    let kinds = [ResourceType::List, document, ResourceType::Binary];
    match work {
        Work::Read => places(connection, Statement::new(SELECT_OLDEST).bind(document.code()), READ),
        Work::Version => places(connection, Statement::new(SELECT_VERSIONS), READ_VERSION),
        Work::Search { page } => places(connection, Statement::new(SELECT_OLDEST).bind(document.code()), &search(page)),
        Work::Update => places(connection, Statement::new(SELECT_YOUNGEST).bind(document.code()), UPDATE),
        Work::Insert => creations(connection, &[document]),
        Work::Push => creations(connection, &kinds),
    }
}

fn search(page: u32) -> String {
    format!(
        "SELECT i.version, i.updated, i.method, i.body FROM (SELECT part, rid FROM instance WHERE part = :part \
         AND kind + 0 = :third AND body IS NOT NULL ORDER BY date_high DESC LIMIT {page}) p \
         JOIN instance i ON i.part = p.part AND i.rid = p.rid;\n"
    )
}

/// `text` for each of the places that `select` finds.
fn places(connection: &mut Connection, select: Statement<'_>, text: &str) -> QueryResult<Vec<String>> {
    let third = |row: &dyn Columns| row.bigint(2).or_else(|_| row.smallint(2).map(i64::from));
    connection.load(&select.bind(SAMPLE_ROWS), |row| {
        let (part, rid, third) = (row.bigint(0)?, row.bigint(1)?, third(row)?);
        Ok(format!("\\set part {part}\n\\set rid {rid}\n\\set third {third}\n{text}"))
    })
}

/// Each writes a copy of one instance of each of `kinds`, in one transaction.
fn creations(connection: &mut Connection, kinds: &[ResourceType]) -> QueryResult<Vec<String>> {
    let mut scripts = Vec::new();
    for kind in kinds {
        for (index, copy) in copies(connection, *kind)?.into_iter().enumerate() {
            let whole = |script: &mut String| script.push_str(&copy);
            match scripts.get_mut(index) {
                Some(script) => whole(script),
                None => scripts.push(format!("BEGIN;\n{copy}")),
            }
        }
    }
    Ok(scripts.into_iter().map(|script| script + "COMMIT;\n").collect())
}

/// The insertion of all rows of each sampled instance, under a number drawn by chance.
fn copies(connection: &mut Connection, kind: ResourceType) -> QueryResult<Vec<String>> {
    let select = Statement::new(SELECT_YOUNGEST).bind(kind.code()).bind(SAMPLE_ROWS);
    let rows = connection.load(&select, |row| {
        let key = InstanceKey { part: Part(row.bigint(0)?), rid: row.bigint(1)? };
        let date =
            |column| Ok::<_, diesel::result::Error>(row.optional_bigint(column)?.map_or("NULL".into(), |at| at.to_string()));
        let (body, terms) = (row.optional_binary(7)?.unwrap_or_default(), row.optional_binary(8)?.unwrap_or_default());
        let leading: Vec<String> = row.bigints(9)?.iter().map(ToString::to_string).collect();
        let text = format!(
            "\\set rid random(1, 4611686018427387904)\n\
             INSERT INTO instance (part, rid, kind, id, version, updated, method, date_low, date_high, body, terms, leads) \
             VALUES ({}, :rid, {}, '{}', {}, {}, {}, {}, {}, '{}', '{}', '{{{}}}');\n",
            key.part.0,
            kind.code(),
            key.id().as_str(),
            row.bigint(2)?,
            row.bigint(3)?,
            row.smallint(4)?,
            date(5)?,
            date(6)?,
            hexadecimal(&body),
            hexadecimal(&terms),
            leading.join(",")
        );
        Ok((key, text))
    })?;
    rows.into_iter().map(|(key, text)| with_values(connection, key, text)).collect()
}

fn with_values(connection: &mut Connection, key: InstanceKey, mut text: String) -> QueryResult<String> {
    let of = |select| Statement::new(select).bind(key.part.0).bind(key.rid);
    let part = key.part.0;
    let dates = connection.load(&of(SELECT_DATES), |row| {
        Ok(format!("({part}, :rid, {}, {}, {}, {})", row.bigint(3)?, row.bigint(0)?, row.bigint(1)?, row.bigint(2)?))
    })?;
    insertion(&mut text, "date_value (part, rid, entry, parameter, low, high)", &dates);
    let strings = connection.load(&of(SELECT_STRINGS), |row| {
        Ok(format!("({part}, :rid, {}, {}, '{}')", row.bigint(2)?, row.bigint(0)?, row.text(1)?.replace('\'', "''")))
    })?;
    insertion(&mut text, "string_value (part, rid, entry, parameter, folded)", &strings);
    Ok(text)
}

fn insertion(text: &mut String, table: &str, values: &[String]) {
    if !values.is_empty() {
        // Writing to a text cannot fail.
        let _ = writeln!(text, "INSERT INTO {table} VALUES {};", values.join(", "));
    }
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().fold("\\x".to_owned(), |mut text, byte| {
        // Writing to a text cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_script_says_the_bytes_and_what_there_is_to_insert() {
        assert_eq!(hexadecimal(&[0, 255]), "\\x00ff");
        let mut text = String::new();
        insertion(&mut text, "term (term)", &[]);
        insertion(&mut text, "term (term)", &["(1)".to_owned(), "(2)".to_owned()]);
        assert_eq!(text, "INSERT INTO term (term) VALUES (1), (2);\n");
    }
}
