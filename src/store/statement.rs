//! A statement written by hand: its text once, with `?` where a value goes, for both back ends; its values always bound.

use std::borrow::Cow;

use diesel::pg::Pg;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::result::QueryResult;
use diesel::sql_types::{BigInt, Binary, Double, Integer, Nullable, SmallInt, Text, Untyped};
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
    OptionalBinary(Option<&'a [u8]>),
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
    Text(&'a str),
    Text(String),
    Binary(&'a [u8]),
    Binary(Vec<u8>),
    OptionalBinary(Option<&'a [u8]>),
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
    ($backend:ty) => {
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
                        Value::OptionalBinary(value) => pass.push_bind_param::<Nullable<Binary>, Option<&[u8]>>(value)?,
                    }
                }
                pass.push_sql(pieces.next().unwrap_or_default());
                Ok(())
            }
        }
    };
}

fragment!(Sqlite);
fragment!(Pg);
