//! The order of the answers: the keys of the plan, an instance without the value last in either direction, then the instance's
//! own place (by age, then by dossier), so that the order is total and a page can go on after any position, or end before it.

use std::cmp::Ordering;

use diesel::result::QueryResult;

use super::drive::Place;
use super::text::{ALWAYS, NEVER, Sql};
use crate::fhir::InstanceKey;
use crate::search::index::in_base_units;
use crate::search::plan::{Order, Plan, Position, SortKey, SortValue};
use crate::store::row::Columns;

/// The order of a plan, as SQL says it.
#[derive(Clone, Copy)]
pub(super) struct Keys<'p> {
    orders: &'p [Order],
    /// Whether what comes last is wanted first.
    backward: bool,
    place: Place,
}

/// Whether an instance may lack the value.
const fn may_lack(key: &SortKey) -> bool {
    match key {
        SortKey::Updated | SortKey::Id => false,
        SortKey::MainDate | SortKey::Date(_) | SortKey::String(_) | SortKey::Number(_) => true,
        SortKey::Read(_) => true,
    }
}

impl<'p> Keys<'p> {
    pub(super) fn of(plan: &'p Plan, place: Place) -> Self {
        Self { orders: &plan.order, backward: plan.backward, place }
    }

    /// `, expression AS k0, …`
    pub(super) fn columns<'a>(self) -> Sql<'a> {
        self.orders.iter().enumerate().fold(Sql::default(), |sql, (index, order)| {
            sql.push(", ").append(self.expression(order)).push(&format!(" AS k{index}"))
        })
    }

    /// `, k0, …`: what [`columns`](Self::columns) named, seen from outside.
    pub(super) fn names<'a>(self) -> Sql<'a> {
        (0..self.orders.len()).fold(Sql::default(), |sql, index| sql.push(&format!(", o.k{index}")))
    }

    /// ` ORDER BY …`, over the columns named by [`columns`](Self::columns).
    pub(super) fn clause<'a>(self) -> Sql<'a> {
        let keys = self.orders.iter().enumerate().fold(Sql::new(" ORDER BY "), |sql, (index, order)| {
            let direction = if order.descending == self.backward { "" } else { " DESC" };
            let lacking = match (may_lack(&order.by), self.backward) {
                (false, _) => "",
                (true, false) => " NULLS LAST",
                (true, true) => " NULLS FIRST",
            };
            sql.push(&format!("k{index}{direction}{lacking}, "))
        });
        let direction = if self.backward { " DESC" } else { "" };
        keys.push(self.place.rid).push(direction).push(", ").push(self.place.part).push(direction)
    }

    /// The condition that `i` comes after `position`, or before it where the page ends there.
    pub(super) fn beyond(self, position: &'p Position) -> Sql<'p> {
        let InstanceKey { part, rid } = position.key;
        let comparison = if self.backward { ") < (" } else { ") > (" };
        let last = Sql::new("(").push(self.place.rid).push(", ").push(self.place.part).push(comparison);
        let last = last.bind(rid).push(", ").bind(part.0).push(")");
        self.orders.iter().zip(&position.values).rev().fold(last, |rest, (order, value)| {
            Sql::new("(")
                .append(self.further(order, value))
                .push(" OR (")
                .append(self.equal(order, value))
                .push(" AND ")
                .append(rest)
                .push("))")
        })
    }

    /// The key of `i` comes after `value`; before it where the page ends there.
    fn further(self, order: &Order, value: &'p SortValue) -> Sql<'p> {
        let comparison = if order.descending == self.backward { " > " } else { " < " };
        let further = self.expression(order).push(comparison);
        let further = match value {
            // Nothing comes after what is missing, and everything else before it.
            SortValue::Missing if self.backward && may_lack(&order.by) => {
                return self.expression(order).push(" IS NOT NULL");
            }
            SortValue::Missing => return Sql::new(NEVER),
            SortValue::Time(time) => further.bind(*time),
            SortValue::Number(number) => further.bind(*number),
            SortValue::Text(text) => further.bind(&**text),
        };
        if may_lack(&order.by) && !self.backward {
            return further.push(" OR ").append(self.expression(order)).push(" IS NULL");
        }
        further
    }

    /// The key of `i` is `value`.
    fn equal(self, order: &Order, value: &'p SortValue) -> Sql<'p> {
        match value {
            SortValue::Missing if may_lack(&order.by) => self.expression(order).push(" IS NULL"),
            SortValue::Missing => Sql::new(ALWAYS),
            SortValue::Time(time) => self.expression(order).push(" = ").bind(*time),
            SortValue::Number(number) => self.expression(order).push(" = ").bind(*number),
            SortValue::Text(text) => self.expression(order).push(" = ").bind(&**text),
        }
    }

    /// What a key compares: of several values the one that comes first in its direction.
    fn expression<'a>(self, order: &Order) -> Sql<'a> {
        let (first, end) = if order.descending { ("max", "high") } else { ("min", "low") };
        match &order.by {
            SortKey::Updated => Sql::new("i.updated"),
            SortKey::Id => Sql::new("i.id"),
            SortKey::MainDate => Sql::new("i.date_").push(end),
            SortKey::Date(parameter) => value_of((first, end), "date_value", parameter.0).push(")"),
            // The later words of a value have negative numbers: they are no values.
            SortKey::String(parameter) => value_of((first, "folded"), "string_value", parameter.0).push(" AND s.entry >= 0)"),
            SortKey::Number(parameter) => Sql::new("coalesce(")
                .append(value_of((first, end), "quantity_value", in_base_units(*parameter).0))
                .push("), ")
                .append(value_of((first, end), "quantity_value", parameter.0))
                .push("))"),
            SortKey::Read(_) => Sql::new("NULL"),
        }
    }
}

/// `(SELECT first(s.column) FROM table s WHERE …`, to be closed.
fn value_of<'a>((first, column): (&str, &str), table: &str, parameter: i32) -> Sql<'a> {
    Sql::new("(SELECT ")
        .push(first)
        .push("(s.")
        .push(column)
        .push(") FROM ")
        .push(table)
        .push(" s WHERE s.part = i.part AND s.rid = i.rid AND s.parameter = ")
        .bind(parameter)
}

/// Which of two positions comes first.
pub(in crate::store) fn compare(orders: &[Order], left: &Position, right: &Position) -> Ordering {
    let keys = orders.iter().zip(left.values.iter().zip(&right.values));
    let by_keys = keys.map(|(order, (left, right))| compare_values(order, left, right)).find(|ordering| ordering.is_ne());
    by_keys.unwrap_or_else(|| (left.key.rid, left.key.part).cmp(&(right.key.rid, right.key.part)))
}

/// A missing value comes last in either direction.
fn compare_values(order: &Order, left: &SortValue, right: &SortValue) -> Ordering {
    let ascending = match (left, right) {
        (SortValue::Missing, SortValue::Missing) => return Ordering::Equal,
        (SortValue::Missing, _) => return Ordering::Greater,
        (_, SortValue::Missing) => return Ordering::Less,
        (SortValue::Time(left), SortValue::Time(right)) => left.cmp(right),
        (SortValue::Number(left), SortValue::Number(right)) => left.partial_cmp(right).unwrap_or(Ordering::Equal),
        (SortValue::Text(left), SortValue::Text(right)) => left.cmp(right),
        // One key has one type of values.
        (SortValue::Time(_) | SortValue::Number(_) | SortValue::Text(_), _) => Ordering::Equal,
    };
    if order.descending { ascending.reverse() } else { ascending }
}

/// Whether a position lies on the page of `plan` or beyond it.
pub(in crate::store) fn is_beyond(plan: &Plan, position: &Position) -> bool {
    match &plan.after {
        None => true,
        Some(after) if plan.backward => compare(&plan.order, position, after).is_lt(),
        Some(after) => compare(&plan.order, position, after).is_gt(),
    }
}

/// Cuts what is in order, and all on the page of `plan` or beyond it, down to that page; whether there was more.
pub(in crate::store) fn cut<T>(plan: &Plan, ordered: &mut Vec<T>) -> bool {
    let count = plan.count as usize;
    let more = ordered.len() > count;
    if plan.backward {
        ordered.drain(..ordered.len().saturating_sub(count));
    } else {
        ordered.truncate(count);
    }
    more
}

/// The values of the keys in a row, whose first column is `first`.
pub(super) fn values(orders: &[Order], row: &dyn Columns, first: usize) -> QueryResult<Vec<SortValue>> {
    let value = |(index, order): (usize, &Order)| {
        let column = first + index;
        Ok(match order.by {
            SortKey::Updated | SortKey::MainDate | SortKey::Date(_) => row.optional_bigint(column)?.map(SortValue::Time),
            SortKey::Number(_) => row.optional_double(column)?.map(SortValue::Number),
            SortKey::Id | SortKey::String(_) => row.optional_text(column)?.map(|text| SortValue::Text(text.into())),
            SortKey::Read(_) => None,
        }
        .unwrap_or(SortValue::Missing))
    };
    orders.iter().enumerate().map(value).collect()
}
