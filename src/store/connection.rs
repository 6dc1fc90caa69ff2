//! One connection to the database, whichever it is, and what can be done with it: load rows, execute, keep a transaction.

use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};

use diesel::backend::Backend;
use diesel::connection::{
    AnsiTransactionManager, CacheSize, Connection as _, LoadConnection, SimpleConnection, TransactionManager,
};
use diesel::deserialize::FromSql;
use diesel::result::{Error, QueryResult};
use diesel::row::Row;
use diesel::sql_types::{BigInt, Binary, SmallInt, Text};
use diesel::sqlite::{Sqlite, SqliteConnection};

use super::dialect::{Dialect, Use};
use super::failure::unavailable;
use super::statement::Statement;
use crate::config::StoreSettings;
use crate::outcome::{Failure, Kind, Outcome};

/// Composed statements whose prepared form is kept at once; with one more, all are let go and the keeping begins anew.
const KEPT_SHAPES: usize = 256;

/// Where connections come from.
#[derive(Clone, Debug)]
pub(super) enum Source {
    /// A file of this machine.
    Sqlite(PathBuf),
}

/// A connection that one thread owns.
pub(super) struct Connection {
    backend: Database,
    shapes: HashSet<Box<str>>,
}

enum Database {
    Sqlite(Box<SqliteConnection>),
}

/// The columns of a row, read by position. NULL where a value is needed is an error.
pub(super) trait Columns {
    fn bigint(&self, column: usize) -> QueryResult<i64>;
    fn optional_bigint(&self, column: usize) -> QueryResult<Option<i64>>;
    fn smallint(&self, column: usize) -> QueryResult<i16>;
    fn text(&self, column: usize) -> QueryResult<String>;
    fn optional_text(&self, column: usize) -> QueryResult<Option<String>>;
    fn optional_binary(&self, column: usize) -> QueryResult<Option<Vec<u8>>>;
}

impl Source {
    /// The source that the settings name.
    ///
    /// # Errors
    /// The back end is not served yet.
    pub(super) fn of(settings: &StoreSettings) -> Outcome<Self> {
        match settings {
            // A relative path never looks like a URI this way.
            StoreSettings::Sqlite { path } => Ok(Self::Sqlite(Path::new(".").join(path))),
            StoreSettings::Postgres { .. } => {
                Err(Failure::new(Kind::Unavailable, "this version keeps its instances in SQLite only (store = sqlite:PATH)"))
            }
        }
    }

    /// Makes the place where the database will be, if the database makes itself.
    pub(super) fn prepare(&self) -> Outcome<()> {
        match self {
            Self::Sqlite(path) => match path.parent() {
                Some(folder) => fs::create_dir_all(folder).map_err(unavailable),
                None => Ok(()),
            },
        }
    }

    /// A new connection.
    pub(super) fn connect(&self, purpose: Use) -> Outcome<Connection> {
        let backend = match self {
            Self::Sqlite(path) => {
                let path = path.to_str().ok_or_else(|| unavailable("the path of the database is not UTF-8"))?;
                Database::Sqlite(Box::new(SqliteConnection::establish(path).map_err(unavailable)?))
            }
        };
        let mut connection = Connection { backend, shapes: HashSet::new() };
        for text in connection.dialect().session(purpose) {
            connection.batch(text).map_err(unavailable)?;
        }
        Ok(connection)
    }
}

impl Connection {
    /// What it speaks.
    pub(super) const fn dialect(&self) -> Dialect {
        match self.backend {
            Database::Sqlite(_) => Dialect::Sqlite,
        }
    }

    /// The SQLite connection, for what only the schema does.
    pub(super) fn sqlite(&mut self) -> &mut SqliteConnection {
        match &mut self.backend {
            Database::Sqlite(connection) => connection,
        }
    }

    /// Executes a text without values.
    pub(super) fn batch(&mut self, text: &str) -> QueryResult<()> {
        match &mut self.backend {
            Database::Sqlite(connection) => connection.batch_execute(text),
        }
    }

    /// Executes a statement; how many rows it changed.
    pub(super) fn execute(&mut self, statement: &Statement<'_>) -> QueryResult<usize> {
        match &mut self.backend {
            Database::Sqlite(connection) => connection.execute_returning_count(statement),
        }
    }

    /// Every row of a statement.
    pub(super) fn load<T>(
        &mut self,
        statement: &Statement<'_>,
        read: impl Fn(&dyn Columns) -> QueryResult<T>,
    ) -> QueryResult<Vec<T>> {
        match &mut self.backend {
            Database::Sqlite(connection) => {
                let rows = LoadConnection::load(connection.as_mut(), statement)?;
                rows.map(|row| read(&SqliteRow(row?))).collect()
            }
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
        let begin = self.dialect().begin_writing();
        match &mut self.backend {
            Database::Sqlite(connection) => AnsiTransactionManager::begin_transaction_sql(connection.as_mut(), begin)?,
        }
        self.concluded(work)
    }

    /// Does `work` in a transaction that sees one state of the database; inside another transaction: in a savepoint.
    pub(super) fn together<T, E: From<Error>>(&mut self, work: impl FnOnce(&mut Self) -> Result<T, E>) -> Result<T, E> {
        match &mut self.backend {
            Database::Sqlite(connection) => AnsiTransactionManager::begin_transaction(connection.as_mut())?,
        }
        self.concluded(work)
    }

    fn concluded<T, E: From<Error>>(&mut self, work: impl FnOnce(&mut Self) -> Result<T, E>) -> Result<T, E> {
        let done = work(self);
        match &mut self.backend {
            Database::Sqlite(connection) => match done {
                Ok(_) => AnsiTransactionManager::commit_transaction(connection.as_mut())?,
                Err(_) => AnsiTransactionManager::rollback_transaction(connection.as_mut())?,
            },
        }
        done
    }

    fn forget_statements(&mut self) {
        self.shapes.clear();
        match &mut self.backend {
            Database::Sqlite(connection) => {
                connection.set_prepared_statement_cache_size(CacheSize::Disabled);
                connection.set_prepared_statement_cache_size(CacheSize::Unbounded);
            }
        }
    }
}

/// A row of SQLite.
struct SqliteRow<R>(R);

fn value<'row, T, ST, DB, R>(row: &R, column: usize) -> QueryResult<T>
where
    DB: Backend,
    R: Row<'row, DB>,
    T: FromSql<ST, DB>,
{
    row.get_value::<ST, T, usize>(column).map_err(Error::DeserializationError)
}

fn optional<'row, T, ST, DB, R>(row: &R, column: usize) -> QueryResult<Option<T>>
where
    DB: Backend,
    R: Row<'row, DB>,
    T: FromSql<ST, DB>,
{
    use diesel::row::Field as _;
    let field = row.get(column).ok_or_else(|| Error::DeserializationError("a column is missing".into()))?;
    field.value().map(T::from_sql).transpose().map_err(Error::DeserializationError)
}

impl Columns for SqliteRow<<SqliteConnection as LoadConnection>::Row<'_, '_>> {
    fn bigint(&self, column: usize) -> QueryResult<i64> {
        value::<i64, BigInt, Sqlite, _>(&self.0, column)
    }

    fn optional_bigint(&self, column: usize) -> QueryResult<Option<i64>> {
        optional::<i64, BigInt, Sqlite, _>(&self.0, column)
    }

    fn smallint(&self, column: usize) -> QueryResult<i16> {
        value::<i16, SmallInt, Sqlite, _>(&self.0, column)
    }

    fn text(&self, column: usize) -> QueryResult<String> {
        value::<String, Text, Sqlite, _>(&self.0, column)
    }

    fn optional_text(&self, column: usize) -> QueryResult<Option<String>> {
        optional::<String, Text, Sqlite, _>(&self.0, column)
    }

    fn optional_binary(&self, column: usize) -> QueryResult<Option<Vec<u8>>> {
        optional::<Vec<u8>, Binary, Sqlite, _>(&self.0, column)
    }
}
