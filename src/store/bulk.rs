//! Rows of many changes as columns: one statement a table, whose text never changes and stays prepared.
//!
//! Rows are written in the order of their keys, so that two writers who meet wait for each other in one direction only.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};

use diesel::result::{Error, QueryResult};

use super::change::{Change, Expected, Write};
use super::commit::{Replaced, names_its_place};
use super::connection::Connection;
use super::dialect::Dialect;
use super::index::{number, unit};
use super::statement::{Statement, Value};
use super::terms::Resting;
use crate::audit::AuditRecord;
use crate::fhir::InstanceKey;
use crate::fhir::key::name_hash;

// The leading terms of all rows come as one array, since arrays of different lengths make none together.
const INSERT_INSTANCES: &str = "INSERT INTO instance \
     (part, rid, kind, id, version, updated, method, date_low, date_high, body, terms, leads) \
     SELECT u.part, u.rid, u.kind, u.id, u.version, u.updated, u.method, u.date_low, u.date_high, u.body, u.terms, \
     l.leads[u.first:u.last] FROM unnest(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) \
     u (part, rid, kind, id, version, updated, method, date_low, date_high, body, terms, first, last) \
     CROSS JOIN (SELECT ?) l (leads)";

const SUPERSEDE: &str = "INSERT INTO version (part, rid, version, updated, kind, method, body) \
     SELECT i.part, i.rid, i.version, i.updated, i.kind, i.method, i.body FROM unnest(?, ?, ?) u (part, rid, version) \
     JOIN instance i ON i.part = u.part AND i.rid = u.rid AND i.version = u.version";

const UPDATE_INSTANCES: &str = "UPDATE instance i SET version = u.version, updated = u.updated, method = u.method, \
     date_low = u.date_low, date_high = u.date_high, body = u.body, terms = u.terms, leads = l.leads[u.first:u.last] \
     FROM unnest(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) \
     u (part, rid, expected, version, updated, method, date_low, date_high, body, terms, first, last) \
     CROSS JOIN (SELECT ?) l (leads) \
     WHERE i.part = u.part AND i.rid = u.rid AND i.version = u.expected";

const INSERT_ALIASES: &str = "INSERT INTO alias (name, kind, id, part, rid) SELECT * FROM unnest(?, ?, ?, ?, ?)";

const INSERT_DATES: &str = "INSERT INTO date_value (part, rid, entry, parameter, low, high) \
     SELECT * FROM unnest(?, ?, ?, ?, ?, ?)";

const INSERT_STRINGS: &str = "INSERT INTO string_value (part, rid, entry, parameter, folded) \
     SELECT * FROM unnest(?, ?, ?, ?, ?)";

const INSERT_QUANTITIES: &str = "INSERT INTO quantity_value (part, rid, entry, parameter, unit, low, high) \
     SELECT * FROM unnest(?, ?, ?, ?, ?, ?, ?)";

const DELETE_VALUES: [&str; 3] = [
    "DELETE FROM date_value v USING unnest(?, ?) u (part, rid) WHERE v.part = u.part AND v.rid = u.rid",
    "DELETE FROM string_value v USING unnest(?, ?) u (part, rid) WHERE v.part = u.part AND v.rid = u.rid",
    "DELETE FROM quantity_value v USING unnest(?, ?) u (part, rid) WHERE v.part = u.part AND v.rid = u.rid",
];

const ADVANCE_HEADS: &str = "INSERT INTO audit_head (part, seq, recorded, preceding) \
     SELECT u.part, u.seq, u.recorded, NULL FROM unnest(?, ?, ?) u (part, seq, recorded) \
     ON CONFLICT (part) DO UPDATE SET seq = audit_head.seq + excluded.seq, preceding = audit_head.recorded, \
     recorded = excluded.recorded RETURNING part, seq, preceding";

const APPEND_RECORDS: &str = "INSERT INTO audit (part, seq, recorded, preceding, entry) SELECT * FROM unnest(?, ?, ?, ?, ?)";

/// What is to be written for many changes.
#[derive(Default)]
pub(super) struct Rows<'a> {
    created: Vec<&'a Write>,
    updated: Vec<&'a Write>,
    records: Vec<&'a AuditRecord>,
}

impl<'a> Rows<'a> {
    /// Adds what `change` writes, whose writes replace `replaced` in its place.
    pub(super) fn add(&mut self, change: &'a Change, replaced: &[Replaced]) {
        for (write, replaced) in change.writes.iter().zip(replaced) {
            match replaced {
                Replaced::Nothing => self.created.push(write),
                Replaced::Version(..) => self.updated.push(write),
            }
        }
        self.records.extend(&change.audit);
    }

    fn sort(&mut self) {
        self.created.sort_unstable_by_key(|write| order(write.key));
        self.updated.sort_unstable_by_key(|write| order(write.key));
    }

    /// Every write that has values, in the order of the keys.
    fn written(&self) -> impl Iterator<Item = &'a Write> + '_ {
        self.created.iter().chain(&self.updated).copied()
    }
}

fn order(key: InstanceKey) -> (i64, i64) {
    (key.part.0, key.rid)
}

/// Writes `rows`.
///
/// # Errors
/// [`Error::RollbackTransaction`] where a version was replaced by somebody else in the meantime.
pub(super) fn write(connection: &mut Connection, rows: &mut Rows<'_>) -> QueryResult<()> {
    rows.sort();
    supersede(connection, &rows.updated)?;
    create(connection, &rows.created)?;
    delete_values(connection, &rows.updated)?;
    insert_values(connection, rows)?;
    append(connection, &rows.records)
}

fn supersede(connection: &mut Connection, updated: &[&Write]) -> QueryResult<()> {
    if updated.is_empty() {
        return Ok(());
    }
    let superseded = connection.execute(&at(SUPERSEDE, updated).bind(expected(updated)))?;
    let replaced = connection.execute(&with_content(at(UPDATE_INSTANCES, updated).bind(expected(updated)), updated))?;
    if superseded == updated.len() && replaced == updated.len() { Ok(()) } else { Err(Error::RollbackTransaction) }
}

fn create(connection: &mut Connection, created: &[&Write]) -> QueryResult<()> {
    if created.is_empty() {
        return Ok(());
    }
    let statement = at(INSERT_INSTANCES, created).bind(kinds(created)).bind(ids(created));
    connection.execute(&with_content(statement, created))?;
    let named: Vec<&Write> = created.iter().copied().filter(|write| !names_its_place(write)).collect();
    if named.is_empty() {
        return Ok(());
    }
    let names = named.iter().map(|write| name_hash(write.kind, &write.id).cast_signed()).collect();
    let statement = Statement::new(INSERT_ALIASES).bind(Value::BigInts(names)).bind(kinds(&named)).bind(ids(&named));
    connection.execute(&statement.bind(parts(&named)).bind(rids(&named)))?;
    Ok(())
}

fn delete_values(connection: &mut Connection, updated: &[&Write]) -> QueryResult<()> {
    if updated.is_empty() {
        return Ok(());
    }
    for text in DELETE_VALUES {
        connection.execute(&at(text, updated))?;
    }
    Ok(())
}

fn insert_values(connection: &mut Connection, rows: &Rows<'_>) -> QueryResult<()> {
    let dates = numbered(rows, |write| &write.index.dates);
    if !dates.is_empty() {
        let statement = of_parameters(INSERT_DATES, &dates, |date| date.parameter.0)
            .bind(Value::BigInts(dates.iter().map(|(.., date)| date.range.low).collect()))
            .bind(Value::BigInts(dates.iter().map(|(.., date)| date.range.high).collect()));
        connection.execute(&statement)?;
    }
    let mut strings = numbered(rows, |write| &write.index.strings);
    strings.iter_mut().for_each(|(_, entry, string)| *entry = number(*entry, string));
    if !strings.is_empty() {
        let statement = of_parameters(INSERT_STRINGS, &strings, |string| string.parameter.0)
            .bind(Value::Texts(strings.iter().map(|(.., string)| &*string.folded).collect()));
        connection.execute(&statement)?;
    }
    let quantities = numbered(rows, |write| &write.index.quantities);
    if !quantities.is_empty() {
        let statement = of_parameters(INSERT_QUANTITIES, &quantities, |quantity| quantity.parameter.0)
            .bind(Value::BigInts(quantities.iter().map(|(.., quantity)| unit(quantity.unit)).collect()))
            .bind(Value::Doubles(quantities.iter().map(|(.., quantity)| quantity.low).collect()))
            .bind(Value::Doubles(quantities.iter().map(|(.., quantity)| quantity.high).collect()));
        connection.execute(&statement)?;
    }
    Ok(())
}

/// A value of an instance and which of its values it is.
type Numbered<'a, T> = (&'a Write, i32, &'a T);

/// The values of every write.
fn numbered<'a, T>(rows: &Rows<'a>, values: impl Fn(&'a Write) -> &'a [T]) -> Vec<Numbered<'a, T>> {
    rows.written().flat_map(|write| (0..).zip(values(write)).map(move |(entry, value)| (write, entry, value))).collect()
}

fn of_parameters<'a, T>(text: &'static str, values: &[Numbered<'_, T>], parameter: impl Fn(&T) -> i32) -> Statement<'a> {
    Statement::new(text)
        .bind(Value::BigInts(values.iter().map(|(write, ..)| write.key.part.0).collect()))
        .bind(Value::BigInts(values.iter().map(|(write, ..)| write.key.rid).collect()))
        .bind(Value::Integers(values.iter().map(|(_, entry, _)| *entry).collect()))
        .bind(Value::Integers(values.iter().map(|(.., value)| parameter(value)).collect()))
}

/// Appends `records`, those of one dossier in their order; the heads are moved in the order of the dossiers.
fn append(connection: &mut Connection, records: &[&AuditRecord]) -> QueryResult<()> {
    if records.is_empty() {
        return Ok(());
    }
    let mut journals: BTreeMap<i64, Vec<&AuditRecord>> = BTreeMap::new();
    for record in records {
        journals.entry(record.part.0).or_default().push(record);
    }
    let heads = advance(connection, &journals)?;
    let mut rows = Columns::default();
    for (part, records) in &journals {
        let (last, mut preceding) = *heads.get(part).ok_or(Error::NotFound)?;
        for (seq, record) in (last - length(records) + 1..).zip(records) {
            rows.parts.push(*part);
            rows.seqs.push(seq);
            rows.recorded.push(record.recorded.micros());
            rows.preceding.push(preceding.replace(record.recorded.micros()));
            rows.entries.push(Cow::Borrowed(&*record.entry));
        }
    }
    let statement = Statement::new(APPEND_RECORDS).bind(rows.parts).bind(rows.seqs).bind(rows.recorded);
    connection.execute(&statement.bind(rows.preceding).bind(rows.entries))?;
    Ok(())
}

/// Rows of the journal, column by column.
#[derive(Default)]
struct Columns<'a> {
    parts: Vec<i64>,
    seqs: Vec<i64>,
    recorded: Vec<i64>,
    preceding: Vec<Option<i64>>,
    entries: Vec<Cow<'a, [u8]>>,
}

/// Moves the heads of the dossiers beyond `journals`; the number of the last record of each, and when the one before them was made.
fn advance(
    connection: &mut Connection,
    journals: &BTreeMap<i64, Vec<&AuditRecord>>,
) -> QueryResult<HashMap<i64, (i64, Option<i64>)>> {
    let last = |records: &Vec<&AuditRecord>| records.last().map_or(0, |record| record.recorded.micros());
    let statement = Statement::new(ADVANCE_HEADS)
        .bind(journals.keys().copied().collect::<Vec<i64>>())
        .bind(journals.values().map(|records| length(records)).collect::<Vec<i64>>())
        .bind(journals.values().map(last).collect::<Vec<i64>>());
    let heads = connection.load(&statement, |row| Ok((row.bigint(0)?, (row.bigint(1)?, row.optional_bigint(2)?))))?;
    Ok(heads.into_iter().collect())
}

fn length(records: &[&AuditRecord]) -> i64 {
    i64::try_from(records.len()).unwrap_or(i64::MAX)
}

fn at<'a>(text: &'static str, writes: &[&'a Write]) -> Statement<'a> {
    Statement::new(text).bind(parts(writes)).bind(rids(writes))
}

fn with_content<'a>(statement: Statement<'a>, writes: &[&'a Write]) -> Statement<'a> {
    let dates = || writes.iter().map(|write| write.index.main_date);
    let terms = Terms::of(writes);
    statement
        .bind(Value::BigInts(writes.iter().map(|write| write.version.0).collect()))
        .bind(Value::BigInts(writes.iter().map(|write| write.updated.micros()).collect()))
        .bind(Value::SmallInts(writes.iter().map(|write| write.method.code()).collect()))
        .bind(Value::OptionalBigInts(dates().map(|date| date.map(|range| range.low)).collect()))
        .bind(Value::OptionalBigInts(dates().map(|date| date.map(|range| range.high)).collect()))
        .bind(Value::OptionalBinaries(writes.iter().map(|write| write.compressed()).collect()))
        .bind(Value::Binaries(terms.packed))
        .bind(Value::Integers(terms.first))
        .bind(Value::Integers(terms.last))
        .bind(Value::BigInts(terms.leading))
}

/// The terms of many rows: those of one lead from `first` to `last` among all of them, counted from one.
#[derive(Default)]
struct Terms<'a> {
    packed: Vec<Cow<'a, [u8]>>,
    first: Vec<i32>,
    last: Vec<i32>,
    leading: Vec<i64>,
}

impl Terms<'_> {
    fn of(writes: &[&Write]) -> Self {
        let mut all = Self::default();
        let place = |leading: &[i64]| i32::try_from(leading.len()).unwrap_or(i32::MAX);
        for write in writes {
            let resting = Resting::of(Dialect::Postgres, write.kind.code(), &write.index.terms);
            all.packed.push(Cow::Owned(resting.packed));
            all.first.push(place(&all.leading).saturating_add(1));
            all.leading.extend(resting.leading.into_iter().flatten());
            all.last.push(place(&all.leading));
        }
        all
    }
}

fn parts<'a>(writes: &[&Write]) -> Value<'a> {
    Value::BigInts(writes.iter().map(|write| write.key.part.0).collect())
}

fn rids<'a>(writes: &[&Write]) -> Value<'a> {
    Value::BigInts(writes.iter().map(|write| write.key.rid).collect())
}

/// The versions that are replaced.
fn expected<'a>(writes: &[&Write]) -> Value<'a> {
    let version = |write: &&Write| match write.expected {
        Expected::Nothing => 0,
        Expected::Version(version, _) => version.0,
    };
    Value::BigInts(writes.iter().map(version).collect())
}

fn kinds<'a>(writes: &[&Write]) -> Value<'a> {
    Value::SmallInts(writes.iter().map(|write| write.kind.code()).collect())
}

fn ids<'a>(writes: &[&'a Write]) -> Value<'a> {
    Value::Texts(writes.iter().map(|write| write.id.as_str()).collect())
}
