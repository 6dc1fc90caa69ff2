//! One dossier in memory, and searches of it: the same plan, condition and order that `query` turns into SQL.

use diesel::result::QueryResult;

use super::INSTANCE_BYTES;
use crate::fhir::Part;
use crate::search::index::{DateRange, Term};
use crate::search::plan::{Bound, Condition, Order, Plan, Position, SortKey, SortValue};
use crate::store::connection::Connection;
use crate::store::query::{Match, Page, order};
use crate::store::snapshot::{STORED_COLUMNS, Stored, stored, stored_columns};
use crate::store::statement::Statement;
use crate::store::terms::unpack;

/// The most instances a dossier has that is kept, deleted ones included.
const MAX_INSTANCES: i64 = 2_000;
/// The most bytes their bodies have together.
const MAX_BODIES_BYTES: i64 = 2 * 1_024 * 1_024;

const SIZE: &str =
    "SELECT count(*), sum(r.bytes) FROM (SELECT length(i.body) AS bytes FROM instance i WHERE i.part = ? LIMIT ?) r";

const ROWS: &str = concat!("SELECT ", stored_columns!(), ", i.date_low, i.date_high, i.terms FROM instance i WHERE i.part = ?");

/// The current versions in a dossier, with what they are found by.
pub(in crate::store) struct Dossier {
    rows: Vec<Row>,
}

struct Row {
    stored: Stored,
    date: Option<DateRange>,
    /// In ascending order.
    terms: Vec<Term>,
}

impl Dossier {
    /// All of a dossier; `None`: it is too large.
    pub(super) fn read(connection: &mut Connection, part: Part) -> QueryResult<Option<Self>> {
        connection.together(|connection| {
            let size = Statement::new(SIZE).bind(part.0).bind(MAX_INSTANCES + 1);
            let size = connection.first(&size, |row| Ok((row.bigint(0)?, row.optional_bigint(1)?.unwrap_or(0))))?;
            if size.is_none_or(|(instances, bytes)| instances > MAX_INSTANCES || bytes > MAX_BODIES_BYTES) {
                return Ok(None);
            }
            let rows = connection.load(&Statement::new(ROWS).bind(part.0), |row| {
                let range = (row.optional_bigint(STORED_COLUMNS)?, row.optional_bigint(STORED_COLUMNS + 1)?);
                let terms = row.optional_binary(STORED_COLUMNS + 2)?.unwrap_or_default();
                let date = match range {
                    (Some(low), Some(high)) => Some(DateRange { low, high }),
                    _ => None,
                };
                Ok(Row { stored: stored(row)?, date, terms: unpack(&terms) })
            })?;
            Ok(Some(Self { rows: rows.into_iter().filter(|row| row.stored.body.is_some()).collect() }))
        })
    }

    /// About as many bytes as it takes.
    pub(super) fn bytes(&self) -> u64 {
        let bytes = |row: &Row| row.stored.body.as_ref().map_or(0, bytes::Bytes::len) + size_of_val(row.terms.as_slice());
        self.rows.iter().map(|row| INSTANCE_BYTES + bytes(row) as u64).sum()
    }

    /// The page of a plan that searches this dossier and no other, and that [`can_answer`] accepts.
    pub(in crate::store) fn page(&self, plan: &Plan) -> Page {
        let rows = self.rows.iter().filter(|row| plan.kinds.contains(&row.stored.kind) && row.fulfils(&plan.condition));
        let mut found: Vec<(Position, &Row)> = rows.map(|row| (row.position(&plan.order), row)).collect();
        let total = plan.total.then_some(found.len() as u64);
        match &plan.after {
            _ if plan.count == 0 => found.clear(),
            Some(_) => found.retain(|(position, _)| order::is_beyond(plan, position)),
            None => {}
        }
        found.sort_unstable_by(|(left, _), (right, _)| order::compare(&plan.order, left, right));
        let more = order::cut(plan, &mut found);
        let matches = found.into_iter().map(|(position, row)| Match { stored: row.stored.clone(), position }).collect();
        Page { matches, more, total }
    }
}

/// Whether all that `plan` asks stands on the row of an instance.
pub(super) fn can_answer(plan: &Plan) -> bool {
    let orders = plan.order.iter().all(|order| match order.by {
        SortKey::Updated | SortKey::Id | SortKey::MainDate => true,
        SortKey::Date(_) | SortKey::String(_) | SortKey::Number(_) | SortKey::Read(_) => false,
    });
    orders && stands_on_row(&plan.condition)
}

fn stands_on_row(condition: &Condition) -> bool {
    match condition {
        Condition::All(parts) | Condition::Any(parts) => parts.iter().all(stands_on_row),
        Condition::Not(part) => stands_on_row(part),
        Condition::Term(_) | Condition::InDossier(_) | Condition::Kind(_) | Condition::Id(_) => true,
        Condition::Date(None, _) | Condition::Updated(_) => true,
        Condition::At(_) | Condition::Examined(_) | Condition::Linked(_) => false,
        Condition::Date(Some(_), _) | Condition::StringPrefix(..) | Condition::StringContains(..) | Condition::Quantity(..) => {
            false
        }
    }
}

impl Row {
    /// Whether the row fulfils a condition; of one that does not stand on the row: no.
    fn fulfils(&self, condition: &Condition) -> bool {
        match condition {
            Condition::All(parts) => parts.iter().all(|part| self.fulfils(part)),
            Condition::Any(parts) => parts.iter().any(|part| self.fulfils(part)),
            Condition::Not(part) => !self.fulfils(part),
            Condition::Term(term) => self.terms.binary_search(term).is_ok(),
            Condition::InDossier(own) => {
                let here = own.iter().filter(|(part, _)| *part == self.stored.key.part);
                here.into_iter().any(|(_, term)| self.terms.binary_search(term).is_ok())
            }
            Condition::Kind(kinds) => kinds.contains(&self.stored.kind),
            Condition::Id(ids) => ids.contains(&self.stored.id),
            Condition::Date(None, bounds) => self.date.is_some_and(|date| bounds.iter().all(|bound| holds(*bound, date))),
            Condition::Updated(bounds) => {
                let low = self.stored.updated.micros();
                // An instant covers one microsecond.
                bounds.iter().all(|bound| holds(*bound, DateRange { low, high: low.saturating_add(1) }))
            }
            Condition::At(_)
            | Condition::Examined(_)
            | Condition::Linked(_)
            | Condition::Date(Some(_), _)
            | Condition::StringPrefix(..)
            | Condition::StringContains(..)
            | Condition::Quantity(..) => false,
        }
    }

    fn position(&self, orders: &[Order]) -> Position {
        let value = |order: &Order| match order.by {
            SortKey::Updated => SortValue::Time(self.stored.updated.micros()),
            SortKey::Id => SortValue::Text(self.stored.id.as_str().into()),
            SortKey::MainDate => {
                self.date.map_or(SortValue::Missing, |date| SortValue::Time(if order.descending { date.high } else { date.low }))
            }
            SortKey::Date(_) | SortKey::String(_) => SortValue::Missing,
            SortKey::Number(_) | SortKey::Read(_) => SortValue::Missing,
        };
        Position { values: orders.iter().map(value).collect(), key: self.stored.key }
    }
}

fn holds(bound: Bound, range: DateRange) -> bool {
    match bound {
        Bound::LowAtLeast(value) => range.low >= value,
        Bound::LowBelow(value) => range.low < value,
        Bound::HighAtMost(value) => range.high <= value,
        Bound::HighAbove(value) => range.high > value,
    }
}
