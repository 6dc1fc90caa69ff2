//! One connection to the database, whichever it is, and what can be done with it: load rows, execute, keep a transaction.

use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use diesel::connection::{
    AnsiTransactionManager, CacheSize, Connection as _, DefaultLoadingMode, LoadConnection, SimpleConnection, TransactionManager,
    TransactionManagerStatus,
};
use diesel::pg::PgConnection;
use diesel::result::{DatabaseErrorKind, Error, QueryResult};
use diesel::sqlite::SqliteConnection;

use super::address;
use super::dialect::{Dialect, Use};
use super::embedded::Embedded;
use super::explain::{self, Said};
use super::failure::{TooLong, is_conflict, is_lost, unavailable};
use super::hold::Hold;
use super::row::{Columns, PostgresRow, SqliteRow};
use super::statement::Statement;
use crate::config::{Limits, StoreSettings};
use crate::outcome::{Failure, Outcome};

/// Composed statements whose prepared form is kept at once; with one more, all are let go and the keeping begins anew.
const KEPT_SHAPES: usize = 256;

/// Where connections come from.
#[derive(Clone)]
pub(super) enum Source {
    /// A file of this machine.
    Sqlite(PathBuf, Limit),
    /// A server, by its complete URL, and how long it is waited for.
    Postgres(Box<str>, Duration, Limit),
}

/// How long a statement that only reads may take.
type Limit = Duration;

/// A connection that one thread owns.
pub(super) struct Connection {
    backend: Database,
    shapes: HashSet<Box<str>>,
    /// How long a statement may take on a server, where one only reads.
    limit: Option<Limit>,
    /// What was said since somebody wanted to know.
    watched: Option<Vec<Said>>,
    lost: bool,
    in_doubt: bool,
}

enum Database {
    Sqlite(Box<SqliteConnection>),
    /// The same file, read only.
    Embedded(Box<Embedded>),
    Postgres(Box<PgConnection>),
}

/// The same with the connection of either back end.
macro_rules! on_either {
    ($database:expr, $connection:ident => $work:expr, $embedded:ident => $other:expr) => {
        match &mut $database {
            Database::Sqlite($connection) => $work,
            Database::Postgres($connection) => $work,
            Database::Embedded($embedded) => $other,
        }
    };
}

impl Source {
    /// The source that the settings name; a server is waited for as long as `limits` say.
    pub(super) fn of(settings: &StoreSettings, limits: &Limits) -> Self {
        let limit = Duration::from_secs(limits.search_seconds);
        match settings {
            // A relative path never looks like a URI this way.
            StoreSettings::Sqlite { path } => Self::Sqlite(Path::new(".").join(path), limit),
            StoreSettings::Postgres { url } => {
                let wait = Duration::from_secs(limits.store_wait_seconds);
                Self::Postgres(address::complete(url.expose()).into(), wait, limit)
            }
        }
    }

    /// What is spoken there.
    pub(super) const fn dialect(&self) -> Dialect {
        match self {
            Self::Sqlite(..) => Dialect::Sqlite,
            Self::Postgres(..) => Dialect::Postgres,
        }
    }

    /// How long a request waits for a database that is away: long enough for another server to take over; a file that is away
    /// stays away.
    pub(super) const fn wait(&self) -> Duration {
        match self {
            Self::Sqlite(..) => Duration::ZERO,
            Self::Postgres(_, wait, _) => *wait,
        }
    }

    /// When a request gives up that got no answer at all, from a database that neither works nor breaks its connections.
    pub(super) fn deadline(&self) -> Option<Duration> {
        match self {
            Self::Sqlite(..) => None,
            Self::Postgres(_, wait, _) => Some(*wait * 2),
        }
    }

    /// Takes the database for this process alone, where that is how it is used, and makes the place where it will be.
    ///
    /// # Errors
    /// Another process has it.
    pub(super) fn hold(&self) -> Outcome<Option<Hold>> {
        match self {
            Self::Sqlite(path, _) => {
                if let Some(folder) = path.parent() {
                    fs::create_dir_all(folder).map_err(unavailable)?;
                }
                Hold::of(path).map(Some)
            }
            Self::Postgres(..) => Ok(None),
        }
    }

    /// How long a statement may take on a server of its own accord, where it is used so.
    const fn limit(&self, purpose: Use) -> Option<Limit> {
        match (self, purpose) {
            (Self::Postgres(_, _, limit), Use::Reading) => Some(*limit),
            (Self::Postgres(..), Use::Glancing | Use::Writing | Use::Migrating) | (Self::Sqlite(..), _) => None,
        }
    }

    /// A new connection.
    pub(super) fn connect(&self, purpose: Use) -> Outcome<Connection> {
        let backend = match self {
            Self::Sqlite(path, limit) => {
                let path = path.to_str().ok_or_else(|| unavailable("the path of the database is not UTF-8"))?;
                match purpose {
                    Use::Reading => Database::Embedded(Box::new(Embedded::open(path, *limit, KEPT_SHAPES).map_err(unavailable)?)),
                    Use::Glancing | Use::Writing | Use::Migrating => {
                        Database::Sqlite(Box::new(SqliteConnection::establish(path).map_err(unavailable)?))
                    }
                }
            }
            Self::Postgres(url, ..) => Database::Postgres(Box::new(PgConnection::establish(url).map_err(unavailable)?)),
        };
        let limit = self.limit(purpose);
        let mut connection = Connection { backend, shapes: HashSet::new(), limit, watched: None, lost: false, in_doubt: false };
        for text in connection.dialect().session(purpose) {
            connection.batch(text).map_err(unavailable)?;
        }
        if let Some(text) = connection.dialect().timeouts(purpose, self.wait(), limit) {
            connection.batch(&text).map_err(unavailable)?;
        }
        Ok(connection)
    }
}

impl Connection {
    /// What it speaks.
    pub(super) const fn dialect(&self) -> Dialect {
        match self.backend {
            Database::Sqlite(_) | Database::Embedded(_) => Dialect::Sqlite,
            Database::Postgres(_) => Dialect::Postgres,
        }
    }

    /// Does what only the schema does, with the connection of the back end.
    pub(super) fn either<T>(
        &mut self,
        sqlite: impl FnOnce(&mut SqliteConnection) -> Outcome<T>,
        postgres: impl FnOnce(&mut PgConnection) -> Outcome<T>,
    ) -> Outcome<T> {
        match &mut self.backend {
            Database::Sqlite(connection) => sqlite(connection),
            Database::Postgres(connection) => postgres(connection),
            Database::Embedded(_) => Err(Failure::fault("a connection that only reads changes no schema")),
        }
    }

    /// Whether it leads nowhere any more, and another one may.
    pub(super) const fn is_lost(&self) -> bool {
        self.lost
    }

    /// Whether a commit failed other than by a conflict, so that nobody knows whether it was done: the connection was lost, or not
    /// every server of several did its part.
    pub(super) const fn is_in_doubt(&self) -> bool {
        self.in_doubt
    }

    /// Executes a text without values.
    pub(super) fn batch(&mut self, text: &str) -> QueryResult<()> {
        let done = on_either!(self.backend, connection => connection.batch_execute(text), embedded => embedded.batch(text));
        self.noted(done)
    }

    /// Executes a statement; how many rows it changed.
    pub(super) fn execute(&mut self, statement: &Statement<'_>) -> QueryResult<usize> {
        let done = on_either!(
            self.backend,
            connection => connection.execute_returning_count(statement),
            _embedded => Err(Error::DatabaseError(DatabaseErrorKind::ReadOnlyTransaction, Box::new(String::from("it only reads"))))
        );
        self.noted(done)
    }

    /// Every row of a statement.
    pub(super) fn load<T>(
        &mut self,
        statement: &Statement<'_>,
        read: impl Fn(&dyn Columns) -> QueryResult<T>,
    ) -> QueryResult<Vec<T>> {
        let Some(mut watched) = self.watched.take() else { return self.load_unwatched(statement, read) };
        let began = Instant::now();
        let loaded = self.load_unwatched(statement, read)?;
        let took = began.elapsed();
        let (text, values, steps) = (statement.text().to_owned(), statement.values().len(), self.steps());
        let plan = explain::plan_of(self, statement)?;
        watched.push(Said { text, values, rows: loaded.len(), took, steps, plan });
        self.watched = Some(watched);
        Ok(loaded)
    }

    /// From now on what is said is written down, until it is asked for.
    pub(super) fn watch(&mut self) {
        self.watched = Some(Vec::new());
    }

    /// What was said since [`watch`](Self::watch).
    pub(super) fn watched(&mut self) -> Vec<Said> {
        self.watched.take().unwrap_or_default()
    }

    /// The steps that the last statement took, where they are counted.
    const fn steps(&self) -> Option<u64> {
        match &self.backend {
            Database::Embedded(connection) => Some(connection.steps()),
            Database::Sqlite(_) | Database::Postgres(_) => None,
        }
    }

    fn load_unwatched<T>(
        &mut self,
        statement: &Statement<'_>,
        read: impl Fn(&dyn Columns) -> QueryResult<T>,
    ) -> QueryResult<Vec<T>> {
        let began = Instant::now();
        let loaded = match &mut self.backend {
            Database::Sqlite(connection) => sqlite_rows(connection, statement, read),
            Database::Embedded(connection) => connection.load(statement, read),
            Database::Postgres(connection) => postgres_rows(connection, statement, read),
        };
        self.noted(loaded).map_err(|error| self.stopped(error, began.elapsed()))
    }

    /// What a server says of a statement that it ended is said in its own language; the time tells.
    fn stopped(&self, error: Error, took: Duration) -> Error {
        match (self.limit, &error) {
            (Some(limit), Error::DatabaseError(DatabaseErrorKind::Unknown, _)) if took >= limit => TooLong(limit).into(),
            _ => error,
        }
    }

    /// The first row of a statement that has at most one.
    pub(super) fn first<T>(
        &mut self,
        statement: &Statement<'_>,
        read: impl Fn(&dyn Columns) -> QueryResult<T>,
    ) -> QueryResult<Option<T>> {
        Ok(self.load(statement, read)?.pop())
    }

    /// Admits a composed statement to those whose prepared form is kept, so that clients cannot make this grow without bound.
    pub(super) fn admit(&mut self, statement: &Statement<'_>) {
        if self.shapes.contains(statement.text()) {
            return;
        }
        if self.shapes.len() >= KEPT_SHAPES {
            self.forget_statements();
        }
        self.shapes.insert(statement.text().into());
    }

    /// Does `work` in a transaction that may write.
    pub(super) fn writing<T, E: From<Error>>(&mut self, work: impl FnOnce(&mut Self) -> Result<T, E>) -> Result<T, E> {
        self.begin(self.dialect().begin_writing())?;
        self.concluded(work)
    }

    /// Does `work` in a transaction that sees one state of the database.
    pub(super) fn together<T, E: From<Error>>(&mut self, work: impl FnOnce(&mut Self) -> Result<T, E>) -> Result<T, E> {
        self.begin(self.dialect().begin_reading())?;
        self.concluded(work)
    }

    /// Does `work` in a savepoint of the transaction that is under way.
    pub(super) fn apart<T, E: From<Error>>(&mut self, work: impl FnOnce(&mut Self) -> Result<T, E>) -> Result<T, E> {
        let begun = on_either!(
            self.backend,
            connection => AnsiTransactionManager::begin_transaction(connection.as_mut()),
            _embedded => Err(Error::NotInTransaction)
        );
        self.noted(begun)?;
        self.concluded(work)
    }

    fn begin(&mut self, text: &str) -> QueryResult<()> {
        let begun = on_either!(
            self.backend,
            connection => AnsiTransactionManager::begin_transaction_sql(connection.as_mut(), text),
            embedded => embedded.batch(text)
        );
        self.noted(begun)
    }

    fn concluded<T, E: From<Error>>(&mut self, work: impl FnOnce(&mut Self) -> Result<T, E>) -> Result<T, E> {
        match work(self) {
            Ok(done) => {
                let committed = on_either!(
                    self.backend,
                    connection => AnsiTransactionManager::commit_transaction(connection.as_mut()),
                    embedded => embedded.batch("COMMIT")
                );
                self.noted(committed).inspect_err(|error| self.in_doubt |= !is_conflict(error))?;
                Ok(done)
            }
            Err(why) => {
                let undone = on_either!(
                    self.backend,
                    connection => AnsiTransactionManager::rollback_transaction(connection.as_mut()),
                    embedded => embedded.batch("ROLLBACK")
                );
                // A database that is gone has undone it too, and why it was to be undone says more.
                self.lost |= undone.is_err();
                Err(why)
            }
        }
    }

    /// The same answer; should it say that the connection leads nowhere any more, that is remembered.
    fn noted<T>(&mut self, answer: QueryResult<T>) -> QueryResult<T> {
        if let Err(error) = &answer {
            self.lost |=
                is_lost(error) || on_either!(self.backend, connection => is_broken(connection.as_mut()), _embedded => false);
        }
        answer
    }

    fn forget_statements(&mut self) {
        self.shapes.clear();
        on_either!(self.backend, connection => {
            connection.set_prepared_statement_cache_size(CacheSize::Disabled);
            connection.set_prepared_statement_cache_size(CacheSize::Unbounded);
        }, embedded => embedded.forget_statements());
    }
}

fn sqlite_rows<T>(
    connection: &mut SqliteConnection,
    statement: &Statement<'_>,
    read: impl Fn(&dyn Columns) -> QueryResult<T>,
) -> QueryResult<Vec<T>> {
    let rows = LoadConnection::load(connection, statement)?;
    rows.map(|row| read(&SqliteRow(row?))).collect()
}

fn postgres_rows<T>(
    connection: &mut PgConnection,
    statement: &Statement<'_>,
    read: impl Fn(&dyn Columns) -> QueryResult<T>,
) -> QueryResult<Vec<T>> {
    let rows = LoadConnection::<DefaultLoadingMode>::load(connection, statement)?;
    rows.map(|row| read(&PostgresRow(row?))).collect()
}

/// Whether no transaction can be had through the connection any more.
fn is_broken<C: diesel::Connection<TransactionManager = AnsiTransactionManager>>(connection: &mut C) -> bool {
    matches!(AnsiTransactionManager::transaction_manager_status_mut(connection), TransactionManagerStatus::InError)
}
