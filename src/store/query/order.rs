//! The order of the answers: the keys of the plan, an instance without the value last in either direction, then the instance's
//! own place (by age, then by dossier), so that the order is total and a page can go on after any position.

use std::cmp::Ordering;

use diesel::result::QueryResult;

use super::drive::Place;
use super::text::{ALWAYS, NEVER, Sql};
use crate::fhir::InstanceKey;
use crate::search::plan::{Order, Position, SortKey, SortValue};
use crate::store::row::Columns;

/// The expression a key compares.
fn expression<'a>(order: Order) -> Sql<'a> {
    match order.by {
        SortKey::Updated => Sql::new("i.updated"),
        SortKey::Id => Sql::new("i.id"),
        SortKey::MainDate => Sql::new(if order.descending { "i.date_high" } else { "i.date_low" }),
        SortKey::Date(parameter) => {
            let end = if order.descending { "max(s.high)" } else { "min(s.low)" };
            value_of(end, "date_value", parameter.0)
        }
        SortKey::String(parameter) => value_of("min(s.folded)", "string_value", parameter.0),
    }
}

fn value_of<'a>(what: &str, table: &str, parameter: i32) -> Sql<'a> {
    Sql::new("(SELECT ")
        .push(what)
        .push(" FROM ")
        .push(table)
        .push(" s WHERE s.part = i.part AND s.rid = i.rid AND s.parameter = ")
        .bind(parameter)
        .push(")")
}

/// Whether an instance may lack the value.
const fn may_lack(key: SortKey) -> bool {
    match key {
        SortKey::Updated | SortKey::Id => false,
        SortKey::MainDate | SortKey::Date(_) | SortKey::String(_) => true,
    }
}

/// `, expression AS k0, …`
pub(super) fn columns<'a>(orders: &[Order]) -> Sql<'a> {
    orders
        .iter()
        .enumerate()
        .fold(Sql::default(), |sql, (index, order)| sql.push(", ").append(expression(*order)).push(&format!(" AS k{index}")))
}

/// `, k0, …`: what [`columns`] named, seen from outside.
pub(super) fn names<'a>(orders: &[Order]) -> Sql<'a> {
    (0..orders.len()).fold(Sql::default(), |sql, index| sql.push(&format!(", o.k{index}")))
}

/// ` ORDER BY …`, over the columns named by [`columns`].
pub(super) fn clause<'a>(orders: &[Order], place: Place) -> Sql<'a> {
    let keys = orders.iter().enumerate().fold(Sql::new(" ORDER BY "), |sql, (index, order)| {
        let direction = if order.descending { " DESC" } else { "" };
        let lacking = if may_lack(order.by) { " NULLS LAST" } else { "" };
        sql.push(&format!("k{index}{direction}{lacking}, "))
    });
    keys.push(place.rid).push(", ").push(place.part)
}

/// Which of two positions comes first.
pub(in crate::store) fn compare(orders: &[Order], left: &Position, right: &Position) -> Ordering {
    let keys = orders.iter().zip(left.values.iter().zip(&right.values));
    let by_keys = keys.map(|(order, (left, right))| compare_values(*order, left, right)).find(|ordering| ordering.is_ne());
    by_keys.unwrap_or_else(|| (left.key.rid, left.key.part).cmp(&(right.key.rid, right.key.part)))
}

/// A missing value comes last in either direction.
fn compare_values(order: Order, left: &SortValue, right: &SortValue) -> Ordering {
    let ascending = match (left, right) {
        (SortValue::Missing, SortValue::Missing) => return Ordering::Equal,
        (SortValue::Missing, _) => return Ordering::Greater,
        (_, SortValue::Missing) => return Ordering::Less,
        (SortValue::Time(left), SortValue::Time(right)) => left.cmp(right),
        (SortValue::Text(left), SortValue::Text(right)) => left.cmp(right),
        (SortValue::Time(_), SortValue::Text(_)) => Ordering::Less,
        (SortValue::Text(_), SortValue::Time(_)) => Ordering::Greater,
    };
    if order.descending { ascending.reverse() } else { ascending }
}

/// The condition that `i` comes after `position`.
pub(super) fn after<'a>(orders: &[Order], position: &'a Position, place: Place) -> Sql<'a> {
    let InstanceKey { part, rid } = position.key;
    let last =
        Sql::new("(").push(place.rid).push(", ").push(place.part).push(") > (").bind(rid).push(", ").bind(part.0).push(")");
    orders.iter().zip(&position.values).rev().fold(last, |rest, (order, value)| {
        Sql::new("(")
            .append(beyond(*order, value))
            .push(" OR (")
            .append(equal(*order, value))
            .push(" AND ")
            .append(rest)
            .push("))")
    })
}

/// The key of `i` comes after `value`.
fn beyond<'a>(order: Order, value: &'a SortValue) -> Sql<'a> {
    let comparison = if order.descending { " < " } else { " > " };
    let further = expression(order).push(comparison);
    let further = match value {
        SortValue::Missing => return Sql::new(NEVER),
        SortValue::Time(time) => further.bind(*time),
        SortValue::Text(text) => further.bind(&**text),
    };
    if may_lack(order.by) { further.push(" OR ").append(expression(order)).push(" IS NULL") } else { further }
}

/// The key of `i` is `value`.
fn equal<'a>(order: Order, value: &'a SortValue) -> Sql<'a> {
    match value {
        SortValue::Missing if may_lack(order.by) => expression(order).push(" IS NULL"),
        SortValue::Missing => Sql::new(ALWAYS),
        SortValue::Time(time) => expression(order).push(" = ").bind(*time),
        SortValue::Text(text) => expression(order).push(" = ").bind(&**text),
    }
}

/// The values of the keys in a row, whose first column is `first`.
pub(super) fn values(orders: &[Order], row: &dyn Columns, first: usize) -> QueryResult<Vec<SortValue>> {
    let value = |(index, order): (usize, &Order)| {
        let column = first + index;
        Ok(match order.by {
            SortKey::Updated | SortKey::MainDate | SortKey::Date(_) => row.optional_bigint(column)?.map(SortValue::Time),
            SortKey::Id | SortKey::String(_) => row.optional_text(column)?.map(|text| SortValue::Text(text.into())),
        }
        .unwrap_or(SortValue::Missing))
    };
    orders.iter().enumerate().map(value).collect()
}
