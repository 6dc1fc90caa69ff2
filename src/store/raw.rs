//! The yardstick of `carnet bench`: the same rows written and read by plain SQL, with nothing of this store in between.
//!
//! It works through another library than the store does, on a copy of a seeded file that nobody else uses, with the same
//! settings of the database. What it does in a second is what this machine's disk and SQLite allow at most.

use std::path::Path;
use std::time::{Duration, Instant};

use rusqlite::{Connection, Result, Statement, params};

use super::dialect::{Dialect, Use};
use super::terms::{unpack, ways};
use crate::fhir::{InstanceKey, Part, ResourceType};

/// What plain SQL does, again and again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Work {
    /// Reads a current version by key.
    Read,
    /// Reads a superseded version by key.
    Version,
    /// Reads the newest documents of a dossier, as many as a page holds.
    Search {
        /// How many.
        page: u32,
    },
    /// Writes the rows of a new document.
    Insert,
    /// Keeps the current version of a document as a superseded one and writes the next.
    Update,
    /// Writes the rows of a submission set, a document and its content.
    Push,
}

/// How many places are read.
const READ_PLACES: u32 = 9_000;
/// How many rows of each type are copied.
const SAMPLE_ROWS: u32 = 500;
/// Larger than any number the store gave, so that copies collide with nothing.
const FIRST_COPY: i64 = 1 << 62;
/// A step through a sample that visits all of it in no obvious order.
const STRIDE: usize = 257;

// The oldest instances are read, the youngest copied and updated: a bench seeds dossiers that it reads before those that it
// writes, and what is read must not grow.
const SELECT_PLACES: &str = "SELECT part, rid, kind FROM instance WHERE kind = ? AND body IS NOT NULL ORDER BY rid LIMIT ?";
const SELECT_SAMPLE: &str = "SELECT part, rid, kind, version, updated, method, date_low, date_high, terms, body \
     FROM instance WHERE kind = ? AND body IS NOT NULL ORDER BY rid DESC LIMIT ?";
const SELECT_DATES: &str = "SELECT parameter, low, high FROM date_value WHERE part = ? AND rid = ?";
const SELECT_STRINGS: &str = "SELECT parameter, folded FROM string_value WHERE part = ? AND rid = ?";
const SELECT_READ: &str = "SELECT part, rid, kind, id, version, updated, method, body FROM instance WHERE part = ? AND rid = ?";
const SELECT_KEYS: &str = "SELECT part, rid, version FROM version LIMIT ?";
const SELECT_VERSION: &str = "SELECT version, updated, method, body FROM version WHERE part = ? AND rid = ? AND version = ?";
// The plus keeps SQLite from the index over all dossiers; bodies are read once the page is known.
const SELECT_PAGE: &str = "SELECT i.version, i.updated, i.method, i.body FROM (SELECT part, rid FROM instance \
     WHERE part = ? AND +kind = ? AND body IS NOT NULL ORDER BY date_high DESC LIMIT ?) p \
     CROSS JOIN instance i ON i.part = p.part AND i.rid = p.rid";
const INSERT_INSTANCE: &str = "INSERT INTO instance \
     (part, rid, kind, id, version, updated, method, date_low, date_high, terms, body) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";
const INSERT_TERM: &str = "INSERT INTO term (term, kind, rid, part, qualifier) VALUES (?, ?, ?, ?, ?)";
const INSERT_DATE: &str = "INSERT INTO date_value (part, rid, entry, parameter, low, high) VALUES (?, ?, ?, ?, ?, ?)";
const INSERT_STRING: &str = "INSERT INTO string_value (part, rid, entry, parameter, folded) VALUES (?, ?, ?, ?, ?)";
const SUPERSEDE: &str = "INSERT INTO version (part, rid, version, updated, kind, method, body) \
     SELECT part, rid, version, updated, kind, method, body FROM instance WHERE part = ? AND rid = ?";
const UPDATE: &str = "UPDATE instance SET version = version + 1, updated = ?, terms = ?, body = ? WHERE part = ? AND rid = ?";

/// One instance and its index, as the store wrote it.
struct Row {
    part: i64,
    rid: i64,
    kind: i16,
    version: i64,
    updated: i64,
    method: i16,
    dates: (Option<i64>, Option<i64>),
    terms: Vec<u8>,
    ways: Vec<(i64, u32)>,
    body: Vec<u8>,
    date_values: Vec<(i32, i64, i64)>,
    string_values: Vec<(i32, String)>,
}

/// How often a second `work` is done on the database at `path` by `threads` at once; what is written, `group` at a time in one
/// durable transaction, is written by one thread whatever `threads` says.
///
/// # Errors
/// The database cannot be used, or holds nothing to work with.
pub fn measure(path: &Path, work: Work, (threads, group): (usize, usize), duration: Duration) -> Result<f64> {
    match work {
        Work::Insert => writes(path, &[ResourceType::DocumentReference], group, duration),
        Work::Push => writes(path, &[ResourceType::List, ResourceType::DocumentReference, ResourceType::Binary], group, duration),
        Work::Update => updates(path, group, duration),
        Work::Read | Work::Version | Work::Search { .. } => std::thread::scope(|scope| {
            let running: Vec<_> = (0..threads.max(1)).map(|_| scope.spawn(|| reads(path, work, duration))).collect();
            running.into_iter().map(|thread| thread.join().unwrap_or(Ok(0.0))).sum::<Result<f64>>()
        }),
    }
}

fn open(path: &Path, purpose: Use) -> Result<Connection> {
    let connection = Connection::open(path)?;
    for text in Dialect::Sqlite.session(purpose) {
        connection.execute_batch(text)?;
    }
    Ok(connection)
}

/// Calls `once` until `duration` is over; how often a second, each call counting `each`.
fn repeated(duration: Duration, each: usize, mut once: impl FnMut(usize) -> Result<()>) -> Result<f64> {
    let (begun, mut done) = (Instant::now(), 0);
    while begun.elapsed() < duration {
        once(done)?;
        done += 1;
    }
    Ok((done * each) as f64 / begun.elapsed().as_secs_f64())
}

/// One of `rows`, a different one for most values of `turn`.
fn one_of<T>(rows: &[T], turn: usize) -> Result<&T> {
    let index = turn.wrapping_mul(STRIDE).checked_rem(rows.len()).unwrap_or_default();
    rows.get(index).ok_or(rusqlite::Error::QueryReturnedNoRows)
}

fn reads(path: &Path, work: Work, duration: Duration) -> Result<f64> {
    let connection = open(path, Use::Reading)?;
    let keys = match work {
        Work::Version => keys(&connection, SELECT_KEYS, params![READ_PLACES])?,
        Work::Read | Work::Search { .. } | Work::Insert | Work::Update | Work::Push => {
            keys(&connection, SELECT_PLACES, params![ResourceType::DocumentReference.code(), READ_PLACES])?
        }
    };
    let text = match work {
        Work::Version => SELECT_VERSION,
        Work::Search { .. } => SELECT_PAGE,
        Work::Read | Work::Insert | Work::Update | Work::Push => SELECT_READ,
    };
    let mut select = connection.prepare(text)?;
    repeated(duration, 1, |turn| {
        let [part, rid, third] = one_of(&keys, turn)?;
        let mut rows = match work {
            Work::Version => select.query(params![part, rid, third])?,
            Work::Search { page } => select.query(params![part, third, page])?,
            Work::Read | Work::Insert | Work::Update | Work::Push => select.query(params![part, rid])?,
        };
        while let Some(row) = rows.next()? {
            std::hint::black_box(row.get::<_, Vec<u8>>("body")?);
        }
        Ok(())
    })
}

/// Part, number and a third value of what is read.
fn keys(connection: &Connection, text: &str, values: &[&dyn rusqlite::ToSql]) -> Result<Vec<[i64; 3]>> {
    let mut select = connection.prepare(text)?;
    select.query_map(values, |row| Ok([row.get(0)?, row.get(1)?, row.get(2)?]))?.collect()
}

fn sample(connection: &Connection, kind: i16) -> Result<Vec<Row>> {
    let mut select = connection.prepare(SELECT_SAMPLE)?;
    let (mut dates, mut strings) = (connection.prepare(SELECT_DATES)?, connection.prepare(SELECT_STRINGS)?);
    let rows = select.query_map(params![kind, SAMPLE_ROWS], |row| {
        let terms: Vec<u8> = row.get(8)?;
        Ok(Row {
            part: row.get(0)?,
            rid: row.get(1)?,
            kind: row.get(2)?,
            version: row.get(3)?,
            updated: row.get(4)?,
            method: row.get(5)?,
            dates: (row.get(6)?, row.get(7)?),
            ways: ways(&unpack(&terms)).into_iter().map(|(term, qualifier)| (term.0, qualifier)).collect(),
            terms,
            body: row.get(9)?,
            date_values: Vec::new(),
            string_values: Vec::new(),
        })
    })?;
    let mut rows: Vec<Row> = rows.collect::<Result<_>>()?;
    for row in &mut rows {
        let values = dates.query_map([row.part, row.rid], |date| Ok((date.get(0)?, date.get(1)?, date.get(2)?)))?;
        row.date_values = values.collect::<Result<_>>()?;
        let values = strings.query_map([row.part, row.rid], |string| Ok((string.get(0)?, string.get(1)?)))?;
        row.string_values = values.collect::<Result<_>>()?;
    }
    Ok(rows)
}

/// The statements that write one instance.
struct Insert<'c> {
    instance: Statement<'c>,
    term: Statement<'c>,
    date: Statement<'c>,
    string: Statement<'c>,
}

impl<'c> Insert<'c> {
    fn prepare(connection: &'c Connection) -> Result<Self> {
        Ok(Self {
            instance: connection.prepare(INSERT_INSTANCE)?,
            term: connection.prepare(INSERT_TERM)?,
            date: connection.prepare(INSERT_DATE)?,
            string: connection.prepare(INSERT_STRING)?,
        })
    }

    /// Writes a copy of `row` under the number `rid`.
    fn copy(&mut self, row: &Row, rid: i64) -> Result<()> {
        let id = InstanceKey { part: Part(row.part), rid }.id();
        let (low, high) = row.dates;
        self.instance.execute(params![
            row.part,
            rid,
            row.kind,
            id.as_str(),
            row.version,
            row.updated,
            row.method,
            low,
            high,
            row.terms,
            row.body
        ])?;
        for (term, qualifier) in &row.ways {
            self.term.execute(params![term, row.kind, rid, row.part, qualifier])?;
        }
        for (entry, (parameter, low, high)) in (0_i32..).zip(&row.date_values) {
            self.date.execute(params![row.part, rid, entry, parameter, low, high])?;
        }
        for (entry, (parameter, folded)) in (0_i32..).zip(&row.string_values) {
            self.string.execute(params![row.part, rid, entry, parameter, folded])?;
        }
        Ok(())
    }
}

fn writes(path: &Path, kinds: &[ResourceType], group: usize, duration: Duration) -> Result<f64> {
    let connection = open(path, Use::Writing)?;
    let samples: Vec<Vec<Row>> = kinds.iter().map(|kind| sample(&connection, kind.code())).collect::<Result<_>>()?;
    let last: i64 = connection.query_row("SELECT max(rid) FROM instance", [], |row| row.get(0))?;
    let mut rid = last.max(FIRST_COPY);
    let mut insert = Insert::prepare(&connection)?;
    repeated(duration, group, |turn| {
        connection.execute_batch(Dialect::Sqlite.begin_writing())?;
        for index in 0..group {
            for rows in &samples {
                rid += 1;
                insert.copy(one_of(rows, turn * group + index)?, rid)?;
            }
        }
        connection.execute_batch("COMMIT")
    })
}

fn updates(path: &Path, group: usize, duration: Duration) -> Result<f64> {
    let connection = open(path, Use::Writing)?;
    let rows = sample(&connection, ResourceType::DocumentReference.code())?;
    let (mut supersede, mut update) = (connection.prepare(SUPERSEDE)?, connection.prepare(UPDATE)?);
    repeated(duration, group, |turn| {
        connection.execute_batch(Dialect::Sqlite.begin_writing())?;
        for index in 0..group {
            let row = one_of(&rows, turn * group + index)?;
            supersede.execute([row.part, row.rid])?;
            update.execute(params![row.updated, row.terms, row.body, row.part, row.rid])?;
        }
        connection.execute_batch("COMMIT")
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Limits, StoreSettings};
    use crate::definition::ParameterId;
    use crate::dossier::Access;
    use crate::fhir::{Instant, VersionId};
    use crate::search::index::{DateEntry, DateRange, IndexEntries, StringEntry, Term};
    use crate::store::Store;
    use crate::store::change::{Change, Expected, Method, Write};

    const SHORT: Duration = Duration::from_millis(5);

    fn creation(kind: ResourceType, rid: i64) -> Write {
        let key = InstanceKey { part: Part(1), rid };
        let date = DateEntry { parameter: ParameterId(3), range: DateRange { low: 1, high: 2 } };
        let string = StringEntry { parameter: ParameterId(4), folded: "a".into(), is_later_word: false };
        let terms = vec![Term::judging(1), Term(7)];
        let index = IndexEntries { terms, dates: vec![date], strings: vec![string], ..IndexEntries::default() };
        Write {
            kind,
            id: key.id(),
            key,
            expected: Expected::Nothing,
            version: VersionId::FIRST,
            updated: Instant::from_micros(rid),
            method: Method::Post,
            body: Some(b"{}".to_vec().into()),
            content: crate::store::Naming::default(),
            index,
            epoch: crate::search::index::Epoch::default(),
        }
    }

    async fn seeded(path: &Path) {
        let store = Store::open(&StoreSettings::Sqlite { path: path.to_owned() }, &Limits::default()).unwrap();
        let document = creation(ResourceType::DocumentReference, 1);
        let next = Write {
            expected: Expected::Version(VersionId::FIRST, document.key),
            version: VersionId::FIRST.next(),
            method: Method::Put,
            ..document.clone()
        };
        let others = vec![creation(ResourceType::List, 2), creation(ResourceType::Binary, 3), document];
        for writes in [others, vec![next]] {
            store.commit(&Access::to_everything(), Change::new(writes, Vec::new())).await.unwrap();
        }
    }

    fn count(path: &Path, table: &str) -> i64 {
        let connection = open(path, Use::Reading).unwrap();
        connection.query_row(&format!("SELECT count(*) FROM {table}"), [], |row| row.get(0)).unwrap()
    }

    #[tokio::test]
    async fn the_yardstick_reads_and_writes_the_rows_of_the_store() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.sqlite");
        seeded(&path).await;
        for work in [Work::Read, Work::Version, Work::Search { page: 20 }] {
            assert!(measure(&path, work, (2, 1), SHORT).unwrap() > 0.0, "{work:?}");
        }
        assert!(measure(&path, Work::Insert, (1, 2), SHORT).unwrap() > 0.0);
        let (instances, terms) = (count(&path, "instance"), count(&path, "term"));
        assert!(instances >= 5 && instances % 2 == 1, "{instances}");
        assert_eq!(terms, instances, "one of the two terms leads");
        assert_eq!((count(&path, "date_value"), count(&path, "string_value")), (instances, instances));
        assert!(measure(&path, Work::Push, (1, 1), SHORT).unwrap() > 0.0);
        assert_eq!((count(&path, "instance") - instances) % 3, 0);
        assert!(measure(&path, Work::Update, (1, 3), SHORT).unwrap() > 0.0);
        assert_eq!((count(&path, "version") - 1) % 3, 0);
    }

    #[test]
    fn a_place_without_a_store_is_told() {
        let folder = tempfile::tempdir().unwrap();
        assert!(measure(&folder.path().join("a.sqlite"), Work::Read, (1, 1), SHORT).is_err());
    }
}
