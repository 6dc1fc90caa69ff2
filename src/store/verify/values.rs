//! The index tables of a stretch of places: what is there, and what ought to be.

use std::collections::{BTreeMap, BTreeSet};

use diesel::result::QueryResult;

use crate::search::index::{IndexEntries, StringEntry};
use crate::store::connection::Connection;
use crate::store::index::unit;
use crate::store::statement::Statement;

/// A place: part and rid.
pub(in crate::store) type Key = (i64, i64);

/// Places above the first, up to the second.
pub(in crate::store) type Stretch = (Key, Key);

/// What the index tables hold of one instance, beside its terms. Numbers by their bits, which tell more apart than `=`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::store) struct Values {
    dates: BTreeSet<(i32, i64, i64)>,
    /// And whether it is a later word.
    strings: BTreeSet<(i32, String, bool)>,
    quantities: BTreeSet<(i32, i64, u64, u64)>,
}

const DATES: &str = "SELECT part, rid, parameter, low, high FROM date_value WHERE (part, rid) > (?, ?) AND (part, rid) <= (?, ?)";
const STRINGS: &str =
    "SELECT part, rid, parameter, folded, entry FROM string_value WHERE (part, rid) > (?, ?) AND (part, rid) <= (?, ?)";
const QUANTITIES: &str =
    "SELECT part, rid, parameter, unit, low, high FROM quantity_value WHERE (part, rid) > (?, ?) AND (part, rid) <= (?, ?)";

const DATES_AT: &str = "SELECT parameter, low, high FROM date_value WHERE part = ? AND rid = ?";
const STRINGS_AT: &str = "SELECT parameter, folded, entry FROM string_value WHERE part = ? AND rid = ?";
const QUANTITIES_AT: &str = "SELECT parameter, unit, low, high FROM quantity_value WHERE part = ? AND rid = ?";

/// A statement over a stretch of places.
pub(in crate::store) fn over(text: &'static str, (after, last): Stretch) -> Statement<'static> {
    Statement::new(text).bind(after.0).bind(after.1).bind(last.0).bind(last.1)
}

/// Everything the tables hold of a stretch.
pub(in crate::store) fn held(connection: &mut Connection, stretch: Stretch) -> QueryResult<BTreeMap<Key, Values>> {
    let mut held: BTreeMap<Key, Values> = BTreeMap::new();
    let dates = connection.load(&over(DATES, stretch), |row| {
        Ok(((row.bigint(0)?, row.bigint(1)?), (row.integer(2)?, row.bigint(3)?, row.bigint(4)?)))
    })?;
    for (key, date) in dates {
        held.entry(key).or_default().dates.insert(date);
    }
    let strings = connection.load(&over(STRINGS, stretch), |row| {
        Ok(((row.bigint(0)?, row.bigint(1)?), (row.integer(2)?, row.text(3)?, row.integer(4)? < 0)))
    })?;
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

/// What they hold of one instance, found by its place.
pub(in crate::store) fn of_one(connection: &mut Connection, (part, rid): Key) -> QueryResult<Values> {
    let at = |text| Statement::new(text).bind(part).bind(rid);
    let dates = connection.load(&at(DATES_AT), |row| Ok((row.integer(0)?, row.bigint(1)?, row.bigint(2)?)))?;
    let strings = connection.load(&at(STRINGS_AT), |row| Ok((row.integer(0)?, row.text(1)?, row.integer(2)? < 0)))?;
    let quantities = connection
        .load(&at(QUANTITIES_AT), |row| Ok((row.integer(0)?, row.bigint(1)?, bits(row.double(2)?), bits(row.double(3)?))))?;
    Ok(Values {
        dates: dates.into_iter().collect(),
        strings: strings.into_iter().collect(),
        quantities: quantities.into_iter().collect(),
    })
}

/// Zero has two forms, which are one number to a database.
fn bits(number: f64) -> u64 {
    (number + 0.0).to_bits()
}

impl Values {
    /// What there must be for a resource with these entries.
    pub(in crate::store) fn of(entries: &IndexEntries) -> Self {
        let quantity =
            |one: &crate::search::index::QuantityEntry| (one.parameter.0, unit(one.unit), bits(one.low), bits(one.high));
        let string = |one: &StringEntry| (one.parameter.0, one.folded.to_string(), one.is_later_word);
        Self {
            dates: entries.dates.iter().map(|date| (date.parameter.0, date.range.low, date.range.high)).collect(),
            strings: entries.strings.iter().map(string).collect(),
            quantities: entries.quantities.iter().map(quantity).collect(),
        }
    }

    /// In which tables `self`, which is there, lacks what must be there or has what may not.
    pub(in crate::store) fn differences(&self, must: &Self, may: &Self) -> Vec<String> {
        let table = [
            ("date_value", !(must.dates.is_subset(&self.dates) && self.dates.is_subset(&may.dates))),
            ("string_value", !(must.strings.is_subset(&self.strings) && self.strings.is_subset(&may.strings))),
            ("quantity_value", !(must.quantities.is_subset(&self.quantities) && self.quantities.is_subset(&may.quantities))),
        ];
        let wrong = table.into_iter().filter(|(_, differs)| *differs);
        wrong.map(|(name, _)| format!("{name} does not hold what the resource says")).collect()
    }
}
