//! A statement written by hand: its text once, with `?` where a value goes, for both back ends; its values always bound.

use std::borrow::Cow;

use diesel::pg::Pg;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::result::{Error, QueryResult};
use diesel::sql_types::{Array, BigInt, Binary, Double, Integer, Nullable, SmallInt, Text, Untyped};
use diesel::sqlite::Sqlite;
use smallvec::SmallVec;

/// Values that most statements have at most, kept without an allocation.
const INLINE_VALUES: usize = 12;

/// A value bound to a statement.
#[derive(Clone, Debug)]
pub(super) enum Value<'a> {
    BigInt(i64),
    OptionalBigInt(Option<i64>),
    Integer(i32),
    SmallInt(i16),
    Double(f64),
    Text(Cow<'a, str>),
    Binary(Cow<'a, [u8]>),
    OptionalBinary(Option<Cow<'a, [u8]>>),
    /// Columns of rows that are written together; PostgreSQL only.
    BigInts(Vec<i64>),
    OptionalBigInts(Vec<Option<i64>>),
    Integers(Vec<i32>),
    SmallInts(Vec<i16>),
    Doubles(Vec<f64>),
    Texts(Vec<&'a str>),
    Binaries(Vec<Cow<'a, [u8]>>),
    OptionalBinaries(Vec<Option<Cow<'a, [u8]>>>),
}

/// A text and the values of its `?`, in their order. The prepared form is kept by text unless it is made for [`once`](Self::once).
#[derive(Clone, Debug)]
pub(super) struct Statement<'a> {
    text: Cow<'static, str>,
    values: SmallVec<[Value<'a>; INLINE_VALUES]>,
    once: bool,
}

impl<'a> Statement<'a> {
    /// A statement of this program.
    pub(super) fn new(text: &'static str) -> Self {
        Self { text: Cow::Borrowed(text), values: SmallVec::new(), once: false }
    }

    /// A statement composed for a query.
    pub(super) fn composed(text: String, values: Vec<Value<'a>>) -> Self {
        Self { text: Cow::Owned(text), values: SmallVec::from_vec(values), once: false }
    }

    /// The same statement, its prepared form not kept.
    #[must_use]
    pub(super) fn once(mut self) -> Self {
        self.once = true;
        self
    }

    /// The same statement with one value more.
    #[must_use]
    pub(super) fn bind(mut self, value: impl Into<Value<'a>>) -> Self {
        self.values.push(value.into());
        self
    }

    /// Whether its prepared form is not to be kept.
    pub(super) const fn is_once(&self) -> bool {
        self.once
    }

    /// The values of its `?`, in their order.
    pub(super) fn values(&self) -> &[Value<'a>] {
        &self.values
    }

    /// The text, as the key of what is kept.
    pub(super) fn text(&self) -> &str {
        &self.text
    }
}

macro_rules! value_from {
    ($($variant:ident($rust:ty),)+) => {
        $(impl<'a> From<$rust> for Value<'a> {
            fn from(value: $rust) -> Self {
                Self::$variant(value.into())
            }
        })+
    };
}

value_from! {
    BigInt(i64),
    OptionalBigInt(Option<i64>),
    Integer(i32),
    SmallInt(i16),
    Double(f64),
    Text(String),
    Binary(&'a [u8]),
    Binary(Vec<u8>),
    OptionalBinary(Option<Cow<'a, [u8]>>),
    BigInts(Vec<i64>),
    OptionalBigInts(Vec<Option<i64>>),
    Integers(Vec<i32>),
    SmallInts(Vec<i16>),
    Doubles(Vec<f64>),
    Texts(Vec<&'a str>),
    Binaries(Vec<Cow<'a, [u8]>>),
    OptionalBinaries(Vec<Option<Cow<'a, [u8]>>>),
}

impl<'a> From<&'a str> for Value<'a> {
    /// The text. PostgreSQL keeps no character of code 0, and nothing that is stored has one; the one in its place is as absent.
    fn from(text: &'a str) -> Self {
        Self::Text(if text.contains('\0') { text.replace('\0', "\u{FFFD}").into() } else { text.into() })
    }
}

impl QueryId for Statement<'_> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl Query for Statement<'_> {
    type SqlType = Untyped;
}

/// One back end's reading of a statement.
macro_rules! fragment {
    ($backend:ty, $columns:ident) => {
        impl QueryFragment<$backend> for Statement<'_> {
            fn walk_ast<'b>(&'b self, mut pass: AstPass<'_, 'b, $backend>) -> QueryResult<()> {
                if self.once {
                    pass.unsafe_to_cache_prepared();
                }
                let mut pieces = self.text.split('?');
                for value in &self.values {
                    pass.push_sql(pieces.next().unwrap_or_default());
                    match value {
                        Value::BigInt(value) => pass.push_bind_param::<BigInt, i64>(value)?,
                        Value::OptionalBigInt(value) => pass.push_bind_param::<Nullable<BigInt>, Option<i64>>(value)?,
                        Value::Integer(value) => pass.push_bind_param::<Integer, i32>(value)?,
                        Value::SmallInt(value) => pass.push_bind_param::<SmallInt, i16>(value)?,
                        Value::Double(value) => pass.push_bind_param::<Double, f64>(value)?,
                        Value::Text(value) => pass.push_bind_param::<Text, str>(value)?,
                        Value::Binary(value) => pass.push_bind_param::<Binary, [u8]>(value)?,
                        Value::OptionalBinary(value) => pass.push_bind_param::<Nullable<Binary>, Option<Cow<'_, [u8]>>>(value)?,
                        column => $columns(column, &mut pass)?,
                    }
                }
                pass.push_sql(pieces.next().unwrap_or_default());
                Ok(())
            }
        }
    };
}

fragment!(Sqlite, no_columns);
fragment!(Pg, columns);

fn no_columns(_: &Value<'_>, _: &mut AstPass<'_, '_, Sqlite>) -> QueryResult<()> {
    Err(Error::QueryBuilderError("SQLite takes no columns of values".into()))
}

fn columns<'b>(value: &'b Value<'_>, pass: &mut AstPass<'_, 'b, Pg>) -> QueryResult<()> {
    match value {
        Value::BigInts(column) => pass.push_bind_param::<Array<BigInt>, _>(column),
        Value::OptionalBigInts(column) => pass.push_bind_param::<Array<Nullable<BigInt>>, _>(column),
        Value::Integers(column) => pass.push_bind_param::<Array<Integer>, _>(column),
        Value::SmallInts(column) => pass.push_bind_param::<Array<SmallInt>, _>(column),
        Value::Doubles(column) => pass.push_bind_param::<Array<Double>, _>(column),
        Value::Texts(column) => pass.push_bind_param::<Array<Text>, _>(column),
        Value::Binaries(column) => pass.push_bind_param::<Array<Binary>, _>(column),
        Value::OptionalBinaries(column) => pass.push_bind_param::<Array<Nullable<Binary>>, _>(column),
        Value::BigInt(_)
        | Value::OptionalBigInt(_)
        | Value::Integer(_)
        | Value::SmallInt(_)
        | Value::Double(_)
        | Value::Text(_)
        | Value::Binary(_)
        | Value::OptionalBinary(_) => Err(Error::QueryBuilderError("one value is no column of values".into())),
    }
}
