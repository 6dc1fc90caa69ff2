//! The index tables of a stretch of places: what is there, and what ought to be.

use std::collections::{BTreeMap, BTreeSet};

use diesel::result::QueryResult;

use crate::search::index::IndexEntries;
use crate::store::connection::Connection;
use crate::store::index::unit;
use crate::store::statement::Statement;

/// A place: part and rid.
pub(super) type Key = (i64, i64);

/// Places above the first, up to the second.
pub(super) type Stretch = (Key, Key);

/// What the index tables hold of one instance, beside its terms. Numbers by their bits, which tell more apart than `=`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Values {
    dates: BTreeSet<(i32, i64, i64)>,
    strings: BTreeSet<(i32, String)>,
    quantities: BTreeSet<(i32, i64, u64, u64)>,
}

const DATES: &str = "SELECT part, rid, parameter, low, high FROM date_value WHERE (part, rid) > (?, ?) AND (part, rid) <= (?, ?)";
const STRINGS: &str =
    "SELECT part, rid, parameter, folded FROM string_value WHERE (part, rid) > (?, ?) AND (part, rid) <= (?, ?)";
const QUANTITIES: &str =
    "SELECT part, rid, parameter, unit, low, high FROM quantity_value WHERE (part, rid) > (?, ?) AND (part, rid) <= (?, ?)";

/// A statement over a stretch of places.
pub(super) fn over(text: &'static str, (after, last): Stretch) -> Statement<'static> {
    Statement::new(text).bind(after.0).bind(after.1).bind(last.0).bind(last.1)
}

/// Everything the tables hold of a stretch.
pub(super) fn held(connection: &mut Connection, stretch: Stretch) -> QueryResult<BTreeMap<Key, Values>> {
    let mut held: BTreeMap<Key, Values> = BTreeMap::new();
    let dates = connection.load(&over(DATES, stretch), |row| {
        Ok(((row.bigint(0)?, row.bigint(1)?), (row.integer(2)?, row.bigint(3)?, row.bigint(4)?)))
    })?;
    for (key, date) in dates {
        held.entry(key).or_default().dates.insert(date);
    }
    let strings = connection
        .load(&over(STRINGS, stretch), |row| Ok(((row.bigint(0)?, row.bigint(1)?), (row.integer(2)?, row.text(3)?))))?;
    for (key, string) in strings {
        held.entry(key).or_default().strings.insert(string);
    }
    let quantities = connection.load(&over(QUANTITIES, stretch), |row| {
        let (low, high) = (bits(row.double(4)?), bits(row.double(5)?));
        Ok(((row.bigint(0)?, row.bigint(1)?), (row.integer(2)?, row.bigint(3)?, low, high)))
    })?;
    for (key, quantity) in quantities {
        held.entry(key).or_default().quantities.insert(quantity);
    }
    Ok(held)
}

/// Zero has two forms, which are one number to a database.
fn bits(number: f64) -> u64 {
    (number + 0.0).to_bits()
}

impl Values {
    /// What there must be for a resource with these entries.
    pub(super) fn of(entries: &IndexEntries) -> Self {
        let quantity =
            |one: &crate::search::index::QuantityEntry| (one.parameter.0, unit(one.unit), bits(one.low), bits(one.high));
        Self {
            dates: entries.dates.iter().map(|date| (date.parameter.0, date.range.low, date.range.high)).collect(),
            strings: entries.strings.iter().map(|string| (string.parameter.0, string.folded.to_string())).collect(),
            quantities: entries.quantities.iter().map(quantity).collect(),
        }
    }

    /// In which tables `self`, which is there, is not what ought to be.
    pub(super) fn differences(&self, ought: &Self) -> Vec<String> {
        let table = [
            ("date_value", self.dates != ought.dates),
            ("string_value", self.strings != ought.strings),
            ("quantity_value", self.quantities != ought.quantities),
        ];
        let wrong = table.into_iter().filter(|(_, differs)| *differs);
        wrong.map(|(name, _)| format!("{name} does not hold what the resource says")).collect()
    }
}
