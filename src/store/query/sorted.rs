//! Pages in an order that no table has: every instance that comes into question is read, put in order here, and the page cut out.

use super::link::Stop;
use super::order::{self, is_beyond};
use super::text::Sql;
use super::{Match, Page, fulfilling, page, prepared, several};
use crate::dossier::Access;
use crate::fhir::InstanceKey;
use crate::outcome::{Failure, Issue, IssueCode, Kind, Outcome};
use crate::search::plan::{Order, Plan, Position, SortKey, SortValue};
use crate::store::connection::Connection;
use crate::store::snapshot::Stored;

/// The most instances that are read to be put in order.
const MAX_SORTED_INSTANCES: usize = 10_000;
/// As many are read at once.
const READ_AT_ONCE: u32 = 500;

/// Whether `plan` has such an order. To count needs none.
pub(super) fn is_needed(plan: &Plan) -> bool {
    plan.count > 0 && plan.order.iter().any(|order| matches!(order.by, SortKey::Read(_)))
}

/// The page of `plan`, which asks for no more links.
pub(super) fn sorted(connection: &mut Connection, access: &Access, plan: &Plan) -> Result<Page, Stop> {
    if !is_bounded(connection, access, plan)? {
        return Err(Stop::Failed(too_many()));
    }
    let mut positions = positions(connection, access, plan)?;
    let total = plan.total.then_some(positions.len() as u64);
    positions.retain(|position| is_beyond(plan, position));
    positions.sort_unstable_by(|left, right| order::compare(&plan.order, left, right));
    let more = order::cut(plan, &mut positions);
    let keys: Vec<InstanceKey> = positions.iter().map(|position| position.key).collect();
    let found = several::at(connection, &keys)?;
    let matches = positions.into_iter().filter_map(|position| {
        let stored = found.iter().find(|stored| stored.key == position.key)?.clone();
        Some(Match { stored, position })
    });
    Ok(Page { matches: matches.collect(), more, total })
}

fn too_many() -> Failure {
    let text = format!(
        "an order by what the index keeps as hashes is made of at most {MAX_SORTED_INSTANCES} resources; ask more of what is searched"
    );
    Failure::with_issues(Kind::TooCostly, vec![Issue::error(IssueCode::TooCostly, text).at("http._sort")])
}

fn is_bounded(connection: &mut Connection, access: &Access, plan: &Plan) -> Result<bool, Stop> {
    let candidates = fulfilling(connection, access, plan)?;
    let some = Sql::new("SELECT count(*) FROM (SELECT 1")
        .append(candidates.from)
        .push(" LIMIT ")
        .bind(MAX_SORTED_INSTANCES as i64 + 1)
        .push(") c");
    let statement = prepared(connection, some, candidates.by_values);
    let count = connection.first(&statement, |row| row.bigint(0))?.unwrap_or(0);
    Ok(count <= MAX_SORTED_INSTANCES as i64)
}

/// Where every instance that `plan` means stands in its order.
fn positions(connection: &mut Connection, access: &Access, plan: &Plan) -> Result<Vec<Position>, Stop> {
    let mut part = Plan { order: Vec::new(), after: None, backward: false, count: READ_AT_ONCE, total: false, ..plan.clone() };
    let mut positions = Vec::new();
    loop {
        let page = page(connection, access, &part)?;
        for found in &page.matches {
            let values = plan.order.iter().map(|order| value(order, &found.stored));
            let values = values.collect::<Outcome<_>>().map_err(Stop::Failed)?;
            positions.push(Position { values, key: found.stored.key });
        }
        match page.matches.last() {
            Some(last) if page.more => part.after = Some(last.position.clone()),
            _ => return Ok(positions),
        }
    }
}

fn value(order: &Order, stored: &Stored) -> Outcome<SortValue> {
    Ok(match &order.by {
        SortKey::Updated => SortValue::Time(stored.updated.micros()),
        SortKey::Id => SortValue::Text(stored.id.as_str().into()),
        SortKey::Read(reading) => match stored.text()? {
            Some(text) => reading.value(stored.kind, text.json())?,
            None => SortValue::Missing,
        },
        // What a table keeps is read from the bodies where anything is.
        SortKey::MainDate | SortKey::Date(_) | SortKey::String(_) | SortKey::Number(_) => SortValue::Missing,
    })
}
