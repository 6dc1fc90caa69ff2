//! Copying a store row by row into an empty one of either back end: the same ids, versions, index and journal.
//!
//! Rows go over in the order of their keys, so what is there already says where an interrupted copy goes on. Until the copy is
//! complete a mark in its settings says of which store it is one; nobody serves a store that carries it.

mod table;

use diesel::result::QueryResult;

use super::connection::{Connection, Source};
use super::content::{self, Keeping};
use super::dialect::{Dialect, Use};
use super::failure::{failure, unavailable};
use super::row::Columns;
use super::schema::{self, TERM_KEY};
use super::statement::Statement;
use crate::config::{ContentPlace, ContentSettings, Limits, StoreSettings};
use crate::outcome::{Failure, Kind, Outcome};
pub(super) use table::TABLES;
use table::{Row, Table};

/// About how many bytes go over in one transaction.
const COMMITTED_BYTES: usize = 8 * 1024 * 1024;

/// Under this name a copy keeps the term key of the store it is one of, as long as it is not complete.
const COPIED_FROM: &str = "copied-from";

const SETTING: &str = "SELECT value FROM setting WHERE name = ?";
const SET: &str = "INSERT INTO setting (name, value) VALUES (?, ?)";
const UNSET: &str = "DELETE FROM setting WHERE name = ?";

/// How far a copy is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Copied {
    /// Rows that are there.
    pub rows: u64,
    /// Rows there will be.
    pub of: u64,
}

/// A store and where its contents rest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holding {
    /// Where its instances rest.
    pub store: StoreSettings,
    /// Where its contents rest.
    pub contents: ContentPlace,
}

/// Copies the store `from` into `to`, which is empty or holds a part of the same copy; tells how far it is. Nobody may write to
/// `from` meanwhile.
///
/// # Errors
/// One of them is away or in use ([`Kind::Unavailable`]); `to` holds something else, or `from` was written to ([`Kind::Conflict`]).
pub fn copy(from: &Holding, to: &Holding, content: &ContentSettings, tell: &mut dyn FnMut(Copied)) -> Outcome<Copied> {
    if from.store == to.store || from.contents == to.contents {
        return Err(Failure::new(Kind::Conflict, "a store is not copied into itself"));
    }
    let (source, target) = (existing(&from.store)?, Source::of(&to.store, &Limits::default()));
    let _holds = (source.hold()?, target.hold()?);
    let mut rows = opened(&source)?;
    let mut written = opened(&target)?;
    check_complete(&mut rows)?;
    mark(&mut written, &settings(&mut rows).map_err(failure)?)?;
    copy_contents(&mut rows, (&from.contents, &to.contents), content)?;
    let copied = rows.together(|rows| copy_tables(rows, &mut written, tell)).map_err(failure)?;
    complete(&mut written, copied)?;
    Ok(copied)
}

/// Copies the contents that versions name, which must be there before those.
fn copy_contents(rows: &mut Connection, (from, to): (&ContentPlace, &ContentPlace), content: &ContentSettings) -> Outcome<()> {
    let (mut after, mut places) = (None, None);
    loop {
        let page = content::page(rows, after).map_err(failure)?;
        let Some(last) = page.last() else { return Ok(()) };
        after = Some(last.key());
        for known in page.iter().filter(|known| known.uses > 0) {
            let (from, to) = match &places {
                Some(places) => places,
                None => {
                    let key = schema::term_key(rows)?;
                    let place = |place: &ContentPlace, is_new| Keeping::at(place.clone(), content, &key, is_new);
                    places.insert((place(from, false)?, place(to, true)?))
                }
            };
            from.copy(known, to)?;
        }
    }
}

/// The place of a store that is there already: nothing is made where a name was mistyped.
pub(super) fn existing(settings: &StoreSettings) -> Outcome<Source> {
    match settings {
        StoreSettings::Sqlite { path } if !path.is_file() => {
            Err(Failure::new(Kind::Unavailable, format!("there is no store at {settings}")))
        }
        StoreSettings::Sqlite { .. } | StoreSettings::Postgres { .. } => Ok(Source::of(settings, &Limits::default())),
    }
}

/// A connection that may take its time.
fn opened(source: &Source) -> Outcome<Connection> {
    let mut connection = source.connect(Use::Migrating)?;
    schema::ready(&mut connection)?;
    Ok(connection)
}

/// Refuses a store that is a copy not yet complete.
///
/// # Errors
/// As said ([`Kind::Fault`]).
pub(super) fn check_complete(connection: &mut Connection) -> Outcome<()> {
    match setting(connection, COPIED_FROM).map_err(failure)? {
        None => Ok(()),
        Some(_) => {
            Err(Failure::new(Kind::Fault, "this store is a copy that was interrupted; finish it with the same `carnet copy`"))
        }
    }
}

fn setting(connection: &mut Connection, name: &str) -> QueryResult<Option<Vec<u8>>> {
    let found = connection.first(&Statement::new(SETTING).once().bind(name), |row| row.optional_binary(0))?;
    Ok(found.flatten())
}

/// Everything the store remembers of itself.
fn settings(connection: &mut Connection) -> QueryResult<Vec<(String, Vec<u8>)>> {
    let row = |row: &dyn Columns| Ok((row.text(0)?, row.optional_binary(1)?.unwrap_or_default()));
    connection.load(&Statement::new("SELECT name, value FROM setting").once(), row)
}

/// Marks `to` as a copy of the store with these settings, or finds it marked so.
fn mark(to: &mut Connection, settings: &[(String, Vec<u8>)]) -> Outcome<()> {
    let refused = |why: &str| Err(Failure::new(Kind::Conflict, why));
    let Some((_, key)) = settings.iter().find(|(name, _)| name == TERM_KEY) else {
        return refused("there is no store to be copied");
    };
    match setting(to, COPIED_FROM).map_err(failure)? {
        Some(known) if known == *key => return Ok(()),
        Some(_) => return refused("the store to be written holds a part of a copy of another store"),
        None => {}
    }
    for table in TABLES {
        if table.last_key(to, to.dialect()).map_err(failure)?.is_some() {
            return refused("the store to be written is not empty");
        }
    }
    let marked: QueryResult<()> = to.writing(|to| {
        to.execute(&Statement::new("DELETE FROM setting").once())?;
        for (name, value) in settings {
            to.execute(&Statement::new(SET).once().bind(name.as_str()).bind(value.as_slice()))?;
        }
        to.execute(&Statement::new(SET).once().bind(COPIED_FROM).bind(key.as_slice())).map(drop)
    });
    marked.map_err(failure)
}

fn copy_tables(from: &mut Connection, to: &mut Connection, tell: &mut dyn FnMut(Copied)) -> QueryResult<Copied> {
    if from.dialect() == Dialect::Postgres {
        from.batch("SET LOCAL idle_in_transaction_session_timeout = 0")?;
    }
    let mut copied = Copied { rows: 0, of: 0 };
    for table in TABLES {
        copied.of += table.count(from)?;
        copied.rows += table.count(to)?;
    }
    tell(copied);
    for table in TABLES {
        let mut after = table.last_key(to, from.dialect())?;
        while let Some(rows) = to.writing(|to| copy_some(table, from, to, &mut after))? {
            copied.rows += rows;
            tell(copied);
        }
    }
    Ok(copied)
}

/// Copies the next rows of `table`, as many as go over in one transaction; `None` where there are none.
fn copy_some(table: &Table, from: &mut Connection, to: &mut Connection, after: &mut Option<Row>) -> QueryResult<Option<u64>> {
    let (mut bytes, mut count) = (0, 0);
    while bytes < COMMITTED_BYTES {
        let rows = table.page(from, after.as_deref())?;
        let Some(last) = rows.last() else { break };
        *after = Some(table.key(last, from.dialect()));
        bytes += rows.iter().map(table::size).sum::<usize>();
        count += rows.len() as u64;
        table.insert(to, rows)?;
    }
    Ok((count > 0).then_some(count))
}

/// Takes the mark away, if everything is there.
fn complete(to: &mut Connection, copied: Copied) -> Outcome<()> {
    if copied.rows != copied.of {
        let told = "the store was written to while it was copied; stop what writes to it, empty the other one and begin again";
        return Err(Failure::new(Kind::Conflict, told));
    }
    to.execute(&Statement::new(UNSET).once().bind(COPIED_FROM)).map(drop).map_err(unavailable)
}
