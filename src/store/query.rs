//! Searching: a plan carried out in one statement, a second one for the total, a few small ones to see where to begin.
//! Every value is bound.

mod condition;
mod drive;
mod history;
mod lead;
mod link;
mod matching;
pub(super) mod order;
mod several;
mod sorted;
mod stream;
mod text;
mod ways;

use std::ptr;

use diesel::result::QueryResult;

use super::connection::Connection;
use super::snapshot::{STORED_COLUMNS, Stored, name, stored, stored_columns};
use super::statement::Statement;
use crate::dossier::Access;
use crate::fhir::Part;
use crate::outcome::Outcome;
use crate::search::Name;
use crate::search::plan::{Condition, Plan, Position};
use condition::{Asked, needs_row};
use drive::{Candidates, Chosen, Drive};
pub(super) use history::history;
pub use history::{Moment, Stretch, Versions, Whose};
pub(super) use link::Stop;
pub(super) use matching::matching;
use order::Keys;
pub use several::VersionName;
pub(super) use several::several;
use text::{ALWAYS, Sql};

/// One page of the answers to a search.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Page {
    /// The matches, in the order of the plan.
    pub matches: Vec<Match>,
    /// Whether there are more after the last of them; before the first, where the page ends before a position.
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
    if !needs_one_state(access, plan) {
        return page(connection, access, plan).map(Ok);
    }
    connection.together(|connection| match in_steps(connection, access, plan) {
        Ok(page) => Ok(Ok(page)),
        Err(stop) => stop.answer(),
    })
}

/// Whether one statement builds on what another one found, so that all must see one state of the store: what a stream drew from entries
/// is not asked again of the instances, and a total is that of the page beside it.
fn needs_one_state(access: &Access, plan: &Plan) -> bool {
    plan.total || plan.condition.takes_steps() || sorted::is_needed(plan) || searched(access, plan).is_none()
}

fn in_steps(connection: &mut Connection, access: &Access, plan: &Plan) -> Result<Page, Stop> {
    let decided = if plan.condition.takes_steps() { Some(link::decided(connection, access, plan)?) } else { None };
    let plan = decided.as_ref().unwrap_or(plan);
    if sorted::is_needed(plan) { sorted::sorted(connection, access, plan) } else { Ok(page(connection, access, plan)?) }
}

/// The names of up to `most` instances that `plan` means, in no order.
fn names(connection: &mut Connection, access: &Access, plan: &Plan, most: usize) -> QueryResult<Vec<Name>> {
    let statement = some(connection, access, plan, ("SELECT i.kind, i.id", most))?;
    connection.load(&statement, |row| name(row, 0))
}

/// Up to `most` instances that `plan` means, in no order.
fn found(connection: &mut Connection, access: &Access, plan: &Plan, most: usize) -> QueryResult<Vec<Stored>> {
    let statement = some(connection, access, plan, (concat!("SELECT ", stored_columns!()), most))?;
    connection.load(&statement, stored)
}

fn some<'a>(
    connection: &mut Connection,
    access: &Access,
    plan: &'a Plan,
    (select, most): (&str, usize),
) -> QueryResult<Statement<'a>> {
    let Candidates { from, by_values, .. } = fulfilling(connection, access, plan)?;
    let some = Sql::new(select).append(from).push(" LIMIT ").bind(i64::try_from(most).unwrap_or(i64::MAX));
    Ok(prepared(connection, some, by_values))
}

/// Everything that `access` lets be seen and that fulfils the condition of `plan`: ` FROM … WHERE …`.
fn fulfilling<'a>(connection: &mut Connection, access: &Access, plan: &'a Plan) -> QueryResult<Candidates<'a>> {
    let dossiers = searched(access, plan);
    let chosen = if dossiers.is_none() { drive::chosen(connection, plan)? } else { None };
    let candidates = drive::candidates(connection, plan, dossiers.as_deref(), chosen);
    Ok(filtered(connection, plan, candidates))
}

/// Those of the candidates that fulfil the condition of `plan`.
fn filtered<'a>(connection: &Connection, plan: &'a Plan, candidates: Candidates<'a>) -> Candidates<'a> {
    let open = conditions((connection, plan, candidates.by_values), &open(plan, &candidates.covered));
    let from = candidates.from.push(" AND i.body IS NOT NULL AND ").append(open);
    Candidates { from, ..candidates }
}

/// The same by places alone, where entries and side tables say everything that is asked: no instance is looked at.
fn placed<'a>(connection: &Connection, plan: &'a Plan, candidates: Candidates<'a>) -> Candidates<'a> {
    let open = open(plan, &candidates.covered);
    match candidates.entries {
        Some(entries) if plan.order.is_empty() && !open.iter().any(|part| needs_row(part)) => {
            let open = conditions((connection, plan, false), &open);
            let from = Sql::new(" FROM (").append(entries).push(") i WHERE ").append(open);
            Candidates { from, entries: None, place: drive::OF_INSTANCE, ..candidates }
        }
        entries => filtered(connection, plan, Candidates { entries, ..candidates }),
    }
}

/// What of the condition of `plan` is still to be asked of what fulfils `covered`.
fn open<'a>(plan: &'a Plan, covered: &[&'a Condition]) -> Vec<&'a Condition> {
    let is_open = |part: &&Condition| !covered.iter().any(|covered| ptr::eq(*covered, *part));
    drive::conjuncts(&plan.condition).into_iter().filter(is_open).collect()
}

fn conditions<'a>((connection, plan, everywhere): (&Connection, &Plan, bool), parts: &[&'a Condition]) -> Sql<'a> {
    let asked = Asked { dialect: connection.dialect(), kinds: &plan.kinds, everywhere };
    Sql::joined(parts.iter().map(|part| condition::condition(asked, part)).collect(), " AND ", ALWAYS)
}

fn page(connection: &mut Connection, access: &Access, plan: &Plan) -> QueryResult<Page> {
    let dossiers = searched(access, plan);
    let chosen = if dossiers.is_none() { drive::chosen(connection, plan)? } else { None };
    let streamed = match &chosen {
        Some(Chosen { drive: Drive::Leads(leads), covered }) if stream::is_possible(plan, leads) => {
            Some(stream::page(connection, plan, leads, &open(plan, covered))?)
        }
        _ => None,
    };
    if streamed.is_some() && !plan.total {
        return Ok(streamed.unwrap_or_default());
    }
    let candidates = drive::candidates(connection, plan, dossiers.as_deref(), chosen);
    let matching = placed(connection, plan, candidates);
    let total = if plan.total { Some(total(connection, &matching)?) } else { None };
    if let Some(page) = streamed {
        return Ok(Page { total, ..page });
    }
    let mut matches = if plan.count == 0 { Vec::new() } else { matches(connection, plan, matching)? };
    let more = order::cut(plan, &mut matches);
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

/// A statement that is prepared anew where the database begins by the values, and else kept.
fn prepared<'a>(connection: &mut Connection, sql: Sql<'a>, by_values: bool) -> Statement<'a> {
    let statement = sql.statement();
    if by_values {
        return statement.once();
    }
    connection.admit(&statement);
    statement
}

fn total(connection: &mut Connection, matching: &Candidates<'_>) -> QueryResult<u64> {
    let statement = prepared(connection, Sql::new("SELECT count(*)").append(matching.from.clone()), matching.by_values);
    let count = connection.first(&statement, |row| row.bigint(0))?.unwrap_or(0);
    Ok(u64::try_from(count).unwrap_or(0))
}

/// One match more than the page has room for, if there is one.
fn matches<'a>(connection: &mut Connection, plan: &'a Plan, matching: Candidates<'a>) -> QueryResult<Vec<Match>> {
    let Candidates { from: matching, place, by_values, .. } = matching;
    let keys = Keys::of(plan, place);
    let beginning = match &plan.after {
        Some(position) => matching.push(" AND ").append(keys.beyond(position)),
        None => matching,
    };
    // The places are put in order first, the bodies fetched for those that are answered: what is sorted stays small.
    let places = Sql::new("SELECT i.part, i.rid")
        .append(keys.columns())
        .append(beginning)
        .append(keys.clause())
        .push(" LIMIT ")
        .bind(i64::from(plan.count) + 1);
    let statement = Sql::new(concat!("SELECT ", stored_columns!()))
        .append(keys.names())
        .push(" FROM (")
        .append(places)
        .push(") o CROSS JOIN instance i WHERE i.part = o.part AND i.rid = o.rid");
    let statement = prepared(connection, statement, by_values);
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
