//! Searching: a plan carried out in one statement, a second one for the total, a few small ones to see where to begin.
//! Every value is bound.

mod condition;
mod drive;
mod link;
pub(super) mod order;
mod several;
mod text;

use std::ptr;

use diesel::result::QueryResult;

use super::connection::Connection;
use super::snapshot::{STORED_COLUMNS, Stored, name, stored, stored_columns};
use crate::dossier::Access;
use crate::fhir::Part;
use crate::outcome::Outcome;
use crate::search::Name;
use crate::search::plan::{Plan, Position};
use drive::{Candidates, Place};
pub use several::VersionName;
pub(super) use several::several;
use text::{ALWAYS, Sql};

/// One page of the answers to a search.
#[derive(Clone, Debug, PartialEq)]
pub struct Page {
    /// The matches, in the order of the plan.
    pub matches: Vec<Match>,
    /// Whether there are more after the last of them.
    pub more: bool,
    /// How many there are in all, where the plan asked for it.
    pub total: Option<u64>,
}

/// One match.
#[derive(Clone, Debug, PartialEq)]
pub struct Match {
    /// The current version of the instance.
    pub stored: Stored,
    /// Its place in the order: a page that begins after it begins with the next match.
    pub position: Position,
}

/// The page of `plan`, as far as `access` lets it be seen.
///
/// # Errors
/// The database is away; within the answer, a search that would cost too much.
pub(super) fn search(connection: &mut Connection, access: &Access, plan: &Plan) -> QueryResult<Outcome<Page>> {
    if !plan.condition.has_links() {
        return page(connection, access, plan).map(Ok);
    }
    connection.together(|connection| match link::decided(connection, access, plan) {
        Ok(decided) => page(connection, access, &decided).map(Ok),
        Err(stop) => stop.answer(),
    })
}

/// The names of up to `most` instances that `plan` means, in no order.
fn names(connection: &mut Connection, access: &Access, plan: &Plan, most: usize) -> QueryResult<Vec<Name>> {
    let statement = some(connection, access, plan, ("SELECT i.kind, i.id", most))?.statement();
    connection.admit(&statement);
    connection.load(&statement, |row| name(row, 0))
}

/// Up to `most` instances that `plan` means, in no order.
fn found(connection: &mut Connection, access: &Access, plan: &Plan, most: usize) -> QueryResult<Vec<Stored>> {
    let statement = some(connection, access, plan, (concat!("SELECT ", stored_columns!()), most))?.statement();
    connection.admit(&statement);
    connection.load(&statement, stored)
}

fn some<'a>(connection: &mut Connection, access: &Access, plan: &'a Plan, (select, most): (&str, usize)) -> QueryResult<Sql<'a>> {
    let matching = matching(connection, access, plan)?.0;
    Ok(Sql::new(select).append(matching).push(" LIMIT ").bind(i64::try_from(most).unwrap_or(i64::MAX)))
}

/// Everything that `access` lets be seen and that fulfils the condition of `plan`: ` FROM … WHERE …`.
fn matching<'a>(connection: &mut Connection, access: &Access, plan: &'a Plan) -> QueryResult<(Sql<'a>, Place)> {
    let dossiers = searched(access, plan);
    let Candidates { from, covered, place } = drive::candidates(connection, plan, dossiers.as_deref())?;
    let dialect = connection.dialect();
    let open =
        drive::conjuncts(&plan.condition).into_iter().filter(|part| !covered.is_some_and(|covered| ptr::eq(covered, *part)));
    let open = open.map(|part| condition::condition(dialect, part)).collect();
    Ok((from.push(" AND i.body IS NOT NULL AND ").append(Sql::joined(open, " AND ", ALWAYS)), place))
}

fn page(connection: &mut Connection, access: &Access, plan: &Plan) -> QueryResult<Page> {
    let (matching, place) = matching(connection, access, plan)?;
    let total = if plan.total { Some(total(connection, &matching)?) } else { None };
    let mut matches = if plan.count == 0 { Vec::new() } else { matches(connection, plan, matching, place)? };
    let more = matches.len() > plan.count as usize;
    matches.truncate(plan.count as usize);
    Ok(Page { matches, more, total })
}

/// The dossiers of the plan that may be seen; `None`: all there are.
fn searched(access: &Access, plan: &Plan) -> Option<Vec<Part>> {
    match (&plan.dossiers, access.dossiers()) {
        (Some(named), _) => Some(named.iter().copied().filter(|part| access.covers(*part)).collect()),
        (None, Some(covered)) => Some(covered.to_vec()),
        (None, None) => None,
    }
}

fn total(connection: &mut Connection, matching: &Sql<'_>) -> QueryResult<u64> {
    let statement = Sql::new("SELECT count(*)").append(matching.clone()).statement();
    connection.admit(&statement);
    let count = connection.first(&statement, |row| row.bigint(0))?.unwrap_or(0);
    Ok(u64::try_from(count).unwrap_or(0))
}

/// One match more than the page has room for, if there is one.
fn matches<'a>(connection: &mut Connection, plan: &'a Plan, matching: Sql<'a>, place: Place) -> QueryResult<Vec<Match>> {
    let beginning = match &plan.after {
        Some(position) => matching.push(" AND ").append(order::after(&plan.order, position, place)),
        None => matching,
    };
    // The places are put in order first, the bodies fetched for those that are answered: what is sorted stays small.
    let places = Sql::new("SELECT i.part, i.rid")
        .append(order::columns(&plan.order))
        .append(beginning)
        .append(order::clause(&plan.order, place))
        .push(" LIMIT ")
        .bind(i64::from(plan.count) + 1);
    let statement = Sql::new(concat!("SELECT ", stored_columns!()))
        .append(order::names(&plan.order))
        .push(" FROM (")
        .append(places)
        .push(") o CROSS JOIN instance i WHERE i.part = o.part AND i.rid = o.rid")
        .statement();
    connection.admit(&statement);
    let mut matches = connection.load(&statement, |row| {
        let stored = stored(row)?;
        let values = order::values(&plan.order, row, STORED_COLUMNS)?;
        let position = Position { values, key: stored.key };
        Ok(Match { stored, position })
    })?;
    // They come in this order as it is, but no database promises it of a join; ordering them there would carry the bodies along.
    matches.sort_by(|left, right| order::compare(&plan.order, &left.position, &right.position));
    Ok(matches)
}
