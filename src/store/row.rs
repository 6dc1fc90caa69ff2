//! A row that was loaded, its columns read by position, whichever the back end.

use bytes::Bytes;
use diesel::backend::Backend;
use diesel::connection::LoadConnection;
use diesel::deserialize::FromSql;
use diesel::pg::{Pg, PgConnection};
use diesel::result::{Error, QueryResult};
use diesel::row::Row;
use diesel::sql_types::{Array, BigInt, Binary, Double, Integer, SmallInt, Text};
use diesel::sqlite::{Sqlite, SqliteConnection};

use super::compression::expanded;

/// The columns of a row, read by position. NULL where a value is needed is an error.
pub(super) trait Columns {
    fn bigint(&self, column: usize) -> QueryResult<i64>;
    fn optional_bigint(&self, column: usize) -> QueryResult<Option<i64>>;
    fn smallint(&self, column: usize) -> QueryResult<i16>;
    fn integer(&self, column: usize) -> QueryResult<i32>;
    fn double(&self, column: usize) -> QueryResult<f64>;
    fn optional_double(&self, column: usize) -> QueryResult<Option<f64>>;
    fn text(&self, column: usize) -> QueryResult<String>;
    fn optional_text(&self, column: usize) -> QueryResult<Option<String>>;
    fn optional_binary(&self, column: usize) -> QueryResult<Option<Vec<u8>>>;
    fn bigints(&self, column: usize) -> QueryResult<Vec<i64>>;

    /// The body of a version, which rests compressed.
    fn optional_body(&self, column: usize) -> QueryResult<Option<Bytes>> {
        self.optional_binary(column)?.map(|bytes| expanded(&Bytes::from(bytes))).transpose()
    }
}

/// A row of SQLite.
pub(super) struct SqliteRow<R>(pub(super) R);

/// A row of PostgreSQL.
pub(super) struct PostgresRow<R>(pub(super) R);

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

fn bigints<'row>(row: &impl Row<'row, Pg>, column: usize) -> QueryResult<Vec<i64>> {
    value::<Vec<i64>, Array<BigInt>, Pg, _>(row, column)
}

fn no_bigints<R>(_: &R, _: usize) -> QueryResult<Vec<i64>> {
    Err(Error::DeserializationError("SQLite has no arrays".into()))
}

/// One back end's reading of a row.
macro_rules! columns {
    ($row:ident, $connection:ty, $backend:ty, $bigints:ident) => {
        impl Columns for $row<<$connection as LoadConnection>::Row<'_, '_>> {
            fn bigint(&self, column: usize) -> QueryResult<i64> {
                value::<i64, BigInt, $backend, _>(&self.0, column)
            }

            fn optional_bigint(&self, column: usize) -> QueryResult<Option<i64>> {
                optional::<i64, BigInt, $backend, _>(&self.0, column)
            }

            fn smallint(&self, column: usize) -> QueryResult<i16> {
                value::<i16, SmallInt, $backend, _>(&self.0, column)
            }

            fn integer(&self, column: usize) -> QueryResult<i32> {
                value::<i32, Integer, $backend, _>(&self.0, column)
            }

            fn double(&self, column: usize) -> QueryResult<f64> {
                value::<f64, Double, $backend, _>(&self.0, column)
            }

            fn optional_double(&self, column: usize) -> QueryResult<Option<f64>> {
                optional::<f64, Double, $backend, _>(&self.0, column)
            }

            fn text(&self, column: usize) -> QueryResult<String> {
                value::<String, Text, $backend, _>(&self.0, column)
            }

            fn optional_text(&self, column: usize) -> QueryResult<Option<String>> {
                optional::<String, Text, $backend, _>(&self.0, column)
            }

            fn optional_binary(&self, column: usize) -> QueryResult<Option<Vec<u8>>> {
                optional::<Vec<u8>, Binary, $backend, _>(&self.0, column)
            }

            fn bigints(&self, column: usize) -> QueryResult<Vec<i64>> {
                $bigints(&self.0, column)
            }
        }
    };
}

columns!(SqliteRow, SqliteConnection, Sqlite, no_bigints);
columns!(PostgresRow, PgConnection, Pg, bigints);
