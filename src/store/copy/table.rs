//! The tables as they are copied: their columns, the keys of their rows, and how rows are read from one back end and written to the
//! other.

use std::borrow::Cow;

use diesel::result::{Error, QueryResult};

use crate::fhir::{InstanceKey, Part};
use crate::store::connection::Connection;
use crate::store::dialect::Dialect;
use crate::store::index;
use crate::store::row::Columns;
use crate::store::statement::{Statement, Value};
use crate::store::terms::Resting;

/// Rows of a table that may hold bodies that are read at once.
const LARGE_ROWS: usize = 64;
/// Rows of any other table that are read at once.
const SMALL_ROWS: usize = 1_024;

/// A table, its rows ordered by their key.
#[derive(Debug)]
pub(in crate::store) struct Table {
    pub(in crate::store) name: &'static str,
    columns: &'static [(&'static str, Sort)],
    /// The columns of the primary key of each back end, in its order.
    keys: Keys,
    page_rows: usize,
}

/// Positions of columns.
#[derive(Debug)]
struct Keys {
    sqlite: &'static [usize],
    postgres: &'static [usize],
}

impl Keys {
    const fn same(columns: &'static [usize]) -> Self {
        Self { sqlite: columns, postgres: columns }
    }
}

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sort {
    BigInt,
    OptionalBigInt,
    Integer,
    SmallInt,
    Double,
    Text,
    Binary,
    OptionalBinary,
    /// The terms of an instance, which rest differently; the last column.
    Terms,
}

/// A value of a row.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::store) enum Cell {
    BigInt(i64),
    OptionalBigInt(Option<i64>),
    Integer(i32),
    SmallInt(i16),
    Double(f64),
    Text(String),
    Binary(Vec<u8>),
    OptionalBinary(Option<Vec<u8>>),
    Terms(Resting),
}

/// A row, in the order of the columns.
pub(in crate::store) type Row = Vec<Cell>;

use Sort::{BigInt, Binary, Double, Integer, OptionalBigInt, OptionalBinary, SmallInt, Terms, Text};

/// Every table but `setting`, and `term`, whose rows follow from those of `instance`. What others point at comes first.
pub(in crate::store) const TABLES: &[Table] = &[
    Table {
        name: "instance",
        columns: &[
            ("part", BigInt),
            ("rid", BigInt),
            ("kind", SmallInt),
            ("id", Text),
            ("version", BigInt),
            ("updated", BigInt),
            ("method", SmallInt),
            ("date_low", OptionalBigInt),
            ("date_high", OptionalBigInt),
            ("body", OptionalBinary),
            ("terms", Terms),
        ],
        keys: Keys::same(&[0, 1]),
        page_rows: LARGE_ROWS,
    },
    Table {
        name: "version",
        columns: &[
            ("part", BigInt),
            ("rid", BigInt),
            ("version", BigInt),
            ("updated", BigInt),
            ("kind", SmallInt),
            ("method", SmallInt),
            ("body", OptionalBinary),
        ],
        keys: Keys::same(&[0, 1, 2]),
        page_rows: LARGE_ROWS,
    },
    Table {
        name: "content",
        columns: &[
            ("part", BigInt),
            ("digest", Binary),
            ("generation", BigInt),
            ("uses", BigInt),
            ("size", BigInt),
            ("chunks", Binary),
        ],
        keys: Keys::same(&[0, 1]),
        page_rows: LARGE_ROWS,
    },
    Table {
        name: "alias",
        columns: &[("name", BigInt), ("kind", SmallInt), ("id", Text), ("part", BigInt), ("rid", BigInt)],
        keys: Keys::same(&[0, 1, 2]),
        page_rows: SMALL_ROWS,
    },
    Table {
        name: "date_value",
        columns: &[
            ("part", BigInt),
            ("rid", BigInt),
            ("entry", Integer),
            ("parameter", Integer),
            ("low", BigInt),
            ("high", BigInt),
        ],
        keys: Keys::same(&[0, 1, 2]),
        page_rows: SMALL_ROWS,
    },
    Table {
        name: "string_value",
        columns: &[("part", BigInt), ("rid", BigInt), ("entry", Integer), ("parameter", Integer), ("folded", Text)],
        keys: Keys::same(&[0, 1, 2]),
        page_rows: SMALL_ROWS,
    },
    Table {
        name: "quantity_value",
        columns: &[
            ("part", BigInt),
            ("rid", BigInt),
            ("entry", Integer),
            ("parameter", Integer),
            ("unit", BigInt),
            ("low", Double),
            ("high", Double),
        ],
        keys: Keys::same(&[0, 1, 2]),
        page_rows: SMALL_ROWS,
    },
    Table {
        name: "parameter",
        columns: &[("id", Integer), ("state", SmallInt), ("since", BigInt), ("definition", Text)],
        keys: Keys::same(&[0]),
        page_rows: SMALL_ROWS,
    },
    Table { name: "job", columns: &[("name", Text), ("state", Text)], keys: Keys::same(&[0]), page_rows: SMALL_ROWS },
    Table {
        name: "audit_head",
        columns: &[("part", BigInt), ("seq", BigInt), ("recorded", BigInt), ("preceding", OptionalBigInt)],
        keys: Keys::same(&[0]),
        page_rows: SMALL_ROWS,
    },
    Table {
        name: "audit",
        columns: &[("recorded", BigInt), ("part", BigInt), ("seq", BigInt), ("preceding", OptionalBigInt), ("entry", Binary)],
        keys: Keys { sqlite: &[2, 0, 1], postgres: &[0, 1] },
        page_rows: SMALL_ROWS,
    },
];

impl Table {
    /// What its columns are called.
    #[cfg(test)]
    pub(in crate::store) fn column_names(&self) -> std::collections::BTreeSet<&'static str> {
        self.columns.iter().map(|(name, _)| *name).collect()
    }

    /// How many rows there are.
    pub(in crate::store) fn count(&self, connection: &mut Connection) -> QueryResult<u64> {
        let statement = Statement::composed(format!("SELECT count(*) FROM {}", self.name), Vec::new());
        let count = connection.first(&statement, |row| row.bigint(0))?;
        Ok(count.unwrap_or_default().unsigned_abs())
    }

    /// The key of the last row, in the order of `dialect`; `None` where there is none.
    pub(in crate::store) fn last_key(&self, connection: &mut Connection, dialect: Dialect) -> QueryResult<Option<Row>> {
        let key = self.key_columns(dialect);
        let own = connection.dialect();
        let order: Vec<String> = key.iter().map(|(name, _)| format!("{name} DESC")).collect();
        let text = format!("SELECT {} FROM {} ORDER BY {} LIMIT 1", names(&key), self.name, order.join(", "));
        connection.first(&Statement::composed(text, Vec::new()), |row| read(&key, own, row))
    }

    /// The rows that follow the one with this key, or the first ones; none at the end.
    pub(in crate::store) fn page(&self, connection: &mut Connection, after: Option<&[Cell]>) -> QueryResult<Vec<Row>> {
        let key = names(&self.key_columns(connection.dialect()));
        let dialect = connection.dialect();
        let leading = if self.has_leading(dialect) { ", leads" } else { "" };
        let mut text = format!("SELECT {}{leading} FROM {}", names(self.columns), self.name);
        if let Some(after) = after {
            text.push_str(&format!(" WHERE ({key}) > ({})", places(after.len())));
        }
        text.push_str(&format!(" ORDER BY {key} LIMIT {}", self.page_rows));
        let values = after.unwrap_or_default().iter().map(value).collect();
        connection.load(&Statement::composed(text, values), |row| read(self.columns, dialect, row))
    }

    /// Whether the leading terms are a column of their own, after all others.
    fn has_leading(&self, dialect: Dialect) -> bool {
        dialect == Dialect::Postgres && self.columns.iter().any(|(_, sort)| *sort == Terms)
    }

    /// The key of a row in the order of `dialect`.
    pub(super) fn key(&self, row: &Row, dialect: Dialect) -> Row {
        self.key_positions(dialect).iter().filter_map(|at| row.get(*at).cloned()).collect()
    }

    fn key_columns(&self, dialect: Dialect) -> Vec<(&'static str, Sort)> {
        self.key_positions(dialect).iter().filter_map(|at| self.columns.get(*at).copied()).collect()
    }

    const fn key_positions(&self, dialect: Dialect) -> &'static [usize] {
        match dialect {
            Dialect::Sqlite => self.keys.sqlite,
            Dialect::Postgres => self.keys.postgres,
        }
    }

    /// Writes rows that are not there yet: one by one into a file, column by column over a network.
    pub(super) fn insert(&self, connection: &mut Connection, mut rows: Vec<Row>) -> QueryResult<()> {
        let dialect = connection.dialect();
        rows.iter_mut().for_each(|row| rest(row, dialect));
        match dialect {
            Dialect::Sqlite => {
                let text = format!("INSERT INTO {} ({}) VALUES ({})", self.name, names(self.columns), places(self.columns.len()));
                for row in &rows {
                    connection.execute(&Statement::composed(text.clone(), row.iter().map(value).collect()))?;
                    if let [Cell::BigInt(part), Cell::BigInt(rid), Cell::SmallInt(kind), .., Cell::Terms(terms)] = row.as_slice()
                    {
                        index::lead(connection, (*kind, InstanceKey { part: Part(*part), rid: *rid }), &terms.terms(*kind))?;
                    }
                }
                Ok(())
            }
            Dialect::Postgres => self.insert_columns(connection, &rows),
        }
    }

    /// Arrays of different lengths make none together, so each comes as its text.
    fn insert_columns(&self, connection: &mut Connection, rows: &[Row]) -> QueryResult<()> {
        let mut columns = (0..self.columns.len()).map(|at| column(rows, at)).collect::<QueryResult<Vec<_>>>()?;
        let leading: Vec<String> = rows.iter().filter_map(leading_text).collect();
        let (also, cast) = if leading.is_empty() { ("", "") } else { (", leads", ", CAST(u.leads AS BIGINT[])") };
        if !leading.is_empty() {
            columns.push(Value::Texts(leading.iter().map(String::as_str).collect()));
        }
        let (name, names, places) = (self.name, names(self.columns), places(columns.len()));
        let from = names.replace(", ", ", u.");
        let text = format!("INSERT INTO {name} ({names}{also}) SELECT u.{from}{cast} FROM unnest({places}) u ({names}{also})");
        connection.execute(&Statement::composed(text, columns)).map(drop)
    }
}

/// The terms of an instance as they rest in a store of `dialect`.
fn rest(row: &mut Row, dialect: Dialect) {
    if let [_, _, Cell::SmallInt(kind), .., Cell::Terms(terms)] = row.as_mut_slice() {
        *terms = Resting::of(dialect, *kind, &terms.terms(*kind));
    }
}

fn leading_text(row: &Row) -> Option<String> {
    match row.last() {
        Some(Cell::Terms(Resting { leading: Some(leading), .. })) => {
            let leading: Vec<String> = leading.iter().map(ToString::to_string).collect();
            Some(format!("{{{}}}", leading.join(",")))
        }
        _ => None,
    }
}

/// About how much memory a row takes, in bytes.
pub(super) fn size(row: &Row) -> usize {
    let of_cell = |cell: &Cell| match cell {
        Cell::Text(text) => text.len(),
        Cell::Binary(bytes) | Cell::OptionalBinary(Some(bytes)) => bytes.len(),
        Cell::Terms(terms) => terms.packed.len() + terms.leading.as_ref().map_or(0, |leading| size_of_val(leading.as_slice())),
        Cell::OptionalBinary(None)
        | Cell::BigInt(_)
        | Cell::OptionalBigInt(_)
        | Cell::Integer(_)
        | Cell::SmallInt(_)
        | Cell::Double(_) => 0,
    };
    row.iter().map(|cell| size_of::<Cell>() + of_cell(cell)).sum()
}

fn names(columns: &[(&str, Sort)]) -> String {
    columns.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ")
}

fn places(count: usize) -> String {
    vec!["?"; count].join(", ")
}

fn read(columns: &[(&str, Sort)], dialect: Dialect, row: &dyn Columns) -> QueryResult<Row> {
    let cell = |(at, (_, sort)): (usize, &(&str, Sort))| {
        Ok(match sort {
            BigInt => Cell::BigInt(row.bigint(at)?),
            OptionalBigInt => Cell::OptionalBigInt(row.optional_bigint(at)?),
            Integer => Cell::Integer(row.integer(at)?),
            SmallInt => Cell::SmallInt(row.smallint(at)?),
            Double => Cell::Double(row.double(at)?),
            Text => Cell::Text(row.text(at)?),
            Binary => Cell::Binary(row.optional_binary(at)?.unwrap_or_default()),
            OptionalBinary => Cell::OptionalBinary(row.optional_binary(at)?),
            Terms => Cell::Terms(Resting::read(dialect, row, at)?),
        })
    };
    columns.iter().enumerate().map(cell).collect()
}

fn value(cell: &Cell) -> Value<'_> {
    match cell {
        Cell::BigInt(value) => Value::BigInt(*value),
        Cell::OptionalBigInt(value) => Value::OptionalBigInt(*value),
        Cell::Integer(value) => Value::Integer(*value),
        Cell::SmallInt(value) => Value::SmallInt(*value),
        Cell::Double(value) => Value::Double(*value),
        Cell::Text(value) => Value::Text(Cow::Borrowed(value)),
        Cell::Binary(value) => Value::Binary(Cow::Borrowed(value)),
        Cell::OptionalBinary(value) => Value::OptionalBinary(value.as_deref().map(Cow::Borrowed)),
        Cell::Terms(terms) => Value::Binary(Cow::Borrowed(&terms.packed)),
    }
}

/// The values of one column of `rows`.
fn column(rows: &[Row], at: usize) -> QueryResult<Value<'_>> {
    macro_rules! gathered {
        ($rows:ident, $at:ident, $($cell:ident($value:ident) => $column:ident($kept:expr),)+) => {
            match $rows.first().and_then(|row| row.get($at)) {
                $(Some(Cell::$cell(_)) => Value::$column(
                    $rows.iter().filter_map(|row| match row.get($at) { Some(Cell::$cell($value)) => Some($kept), _ => None }).collect(),
                ),)+
                None => return Err(Error::QueryBuilderError("there are no rows to be written".into())),
            }
        };
    }
    Ok(gathered! { rows, at,
        BigInt(value) => BigInts(*value),
        OptionalBigInt(value) => OptionalBigInts(*value),
        Integer(value) => Integers(*value),
        SmallInt(value) => SmallInts(*value),
        Double(value) => Doubles(*value),
        Text(value) => Texts(value.as_str()),
        Binary(value) => Binaries(Cow::Borrowed(value.as_slice())),
        OptionalBinary(value) => OptionalBinaries(value.as_deref().map(Cow::Borrowed)),
        Terms(terms) => Binaries(Cow::Borrowed(terms.packed.as_slice())),
    })
}
