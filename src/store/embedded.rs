//! Reading the embedded database through a driver that can tell it to stop: a statement that takes longer than it may ends, and
//! the connection is as good as before.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use diesel::result::{DatabaseErrorKind, Error, QueryResult};
use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{ErrorCode, StatementStatus, ToSql};

use super::failure::TooLong;
use super::row::Columns;
use super::statement::{Statement, Value};

/// After so many steps of its machine the database asks whether to go on: often enough to be stopped in milliseconds.
const STEPS_BETWEEN: i32 = 10_000;
/// No end of time.
const NEVER: u64 = u64::MAX;

/// A connection that reads.
pub(super) struct Embedded {
    connection: rusqlite::Connection,
    limit: Duration,
    began: Instant,
    /// When the statement under way has to end, in milliseconds since `began`.
    end: Arc<AtomicU64>,
    /// Steps of the last statement.
    steps: u64,
}

impl Embedded {
    /// Opens the file at `path`; a statement may take as long as `limit`, and `kept` are kept in their prepared form.
    pub(super) fn open(path: &str, limit: Duration, kept: usize) -> rusqlite::Result<Self> {
        let connection = rusqlite::Connection::open(path)?;
        connection.set_prepared_statement_cache_capacity(kept);
        let (began, end) = (Instant::now(), Arc::new(AtomicU64::new(NEVER)));
        let watched = Arc::clone(&end);
        connection.progress_handler(STEPS_BETWEEN, Some(move || millis(began) > watched.load(Ordering::Relaxed)))?;
        Ok(Self { connection, limit, began, end, steps: 0 })
    }

    /// Executes a text without values.
    pub(super) fn batch(&mut self, text: &str) -> QueryResult<()> {
        self.connection.execute_batch(text).map_err(|error| self.error(error))
    }

    /// Lets go of the prepared forms of all statements.
    pub(super) fn forget_statements(&mut self) {
        self.connection.flush_prepared_statement_cache();
    }

    /// Every row of a statement.
    pub(super) fn load<T>(
        &mut self,
        statement: &Statement<'_>,
        read: impl Fn(&dyn Columns) -> QueryResult<T>,
    ) -> QueryResult<Vec<T>> {
        let end = millis(self.began).saturating_add(u64::try_from(self.limit.as_millis()).unwrap_or(NEVER));
        self.end.store(end, Ordering::Relaxed);
        let loaded = self.rows(statement, read);
        self.end.store(NEVER, Ordering::Relaxed);
        let (loaded, steps) = loaded?;
        self.steps = steps;
        Ok(loaded)
    }

    /// The steps of its machine that the last statement took.
    pub(super) const fn steps(&self) -> u64 {
        self.steps
    }

    fn rows<T>(&self, statement: &Statement<'_>, read: impl Fn(&dyn Columns) -> QueryResult<T>) -> QueryResult<(Vec<T>, u64)> {
        let failed = |error| self.error(error);
        if statement.is_once() {
            let mut prepared = self.connection.prepare(statement.text()).map_err(failed)?;
            return self.run(&mut prepared, statement, read);
        }
        let mut prepared = self.connection.prepare_cached(statement.text()).map_err(failed)?;
        self.run(&mut prepared, statement, read)
    }

    fn run<T>(
        &self,
        prepared: &mut rusqlite::Statement<'_>,
        statement: &Statement<'_>,
        read: impl Fn(&dyn Columns) -> QueryResult<T>,
    ) -> QueryResult<(Vec<T>, u64)> {
        for (place, value) in (1_usize..).zip(statement.values()) {
            prepared.raw_bind_parameter(place, value).map_err(|error| self.error(error))?;
        }
        let (mut rows, mut loaded) = (prepared.raw_query(), Vec::new());
        while let Some(row) = rows.next().map_err(|error| self.error(error))? {
            loaded.push(read(&EmbeddedRow(row))?);
        }
        drop(rows);
        Ok((loaded, u64::from(prepared.reset_status(StatementStatus::VmStep).unsigned_abs())))
    }

    fn error(&self, error: rusqlite::Error) -> Error {
        match error {
            rusqlite::Error::SqliteFailure(told, _) if told.code == ErrorCode::OperationInterrupted => TooLong(self.limit).into(),
            other => Error::DatabaseError(DatabaseErrorKind::Unknown, Box::new(other.to_string())),
        }
    }
}

fn millis(since: Instant) -> u64 {
    u64::try_from(since.elapsed().as_millis()).unwrap_or(NEVER)
}

impl ToSql for Value<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self {
            Value::BigInt(value) | Value::OptionalBigInt(Some(value)) => ValueRef::Integer(*value),
            Value::Integer(value) => ValueRef::Integer(i64::from(*value)),
            Value::SmallInt(value) => ValueRef::Integer(i64::from(*value)),
            Value::Double(value) => ValueRef::Real(*value),
            Value::Text(value) => ValueRef::Text(value.as_bytes()),
            Value::Binary(value) | Value::OptionalBinary(Some(value)) => ValueRef::Blob(value),
            Value::OptionalBigInt(None) | Value::OptionalBinary(None) => ValueRef::Null,
            Value::BigInts(_)
            | Value::OptionalBigInts(_)
            | Value::Integers(_)
            | Value::SmallInts(_)
            | Value::Doubles(_)
            | Value::Texts(_)
            | Value::Binaries(_)
            | Value::OptionalBinaries(_) => return Err(rusqlite::Error::ToSqlConversionFailure(NO_COLUMNS.into())),
        }))
    }
}

const NO_COLUMNS: &str = "SQLite takes no columns of values";

/// A row of the embedded database.
struct EmbeddedRow<'r>(&'r rusqlite::Row<'r>);

impl EmbeddedRow<'_> {
    fn value<T: rusqlite::types::FromSql>(&self, column: usize) -> QueryResult<T> {
        self.0.get(column).map_err(|error| Error::DeserializationError(error.into()))
    }
}

impl Columns for EmbeddedRow<'_> {
    fn bigint(&self, column: usize) -> QueryResult<i64> {
        self.value(column)
    }

    fn optional_bigint(&self, column: usize) -> QueryResult<Option<i64>> {
        self.value(column)
    }

    fn smallint(&self, column: usize) -> QueryResult<i16> {
        self.value(column)
    }

    fn integer(&self, column: usize) -> QueryResult<i32> {
        self.value(column)
    }

    fn double(&self, column: usize) -> QueryResult<f64> {
        self.value(column)
    }

    fn optional_double(&self, column: usize) -> QueryResult<Option<f64>> {
        self.value(column)
    }

    fn text(&self, column: usize) -> QueryResult<String> {
        self.value(column)
    }

    fn optional_text(&self, column: usize) -> QueryResult<Option<String>> {
        self.value(column)
    }

    fn optional_binary(&self, column: usize) -> QueryResult<Option<Vec<u8>>> {
        self.value(column)
    }

    fn bigints(&self, _: usize) -> QueryResult<Vec<i64>> {
        Err(Error::DeserializationError(NO_COLUMNS.into()))
    }
}
