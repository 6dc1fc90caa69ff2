//! Pages in the order of age of what terms lead to, without a look at what comes after the page: the entries of each term are in that
//! order, so those of all of them are drawn in turn, a few at a time, and held against what else is asked.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};

use diesel::result::QueryResult;

use super::condition::{Asked, condition, needs_row};
use super::drive::{at_places, of_kinds};
use super::lead::{Lead, Leads};
use super::several::{NOWHERE, filled, rows};
use super::text::{ALWAYS, Sql};
use super::{Match, Page, order};
use crate::fhir::{InstanceKey, Part, ResourceType};
use crate::search::plan::{Condition, Plan, Position};
use crate::store::connection::Connection;
use crate::store::snapshot::{stored, stored_columns};

/// More terms, each in each type, are not drawn in turn.
const MAX_STREAMS: usize = 1_024;
/// Entries that are read of one of many terms at first; twice as many each time after that.
const FIRST_ENTRIES: usize = 4;
const MAX_ENTRIES: usize = 512;
/// Candidates that are held at once against what else is asked.
const MAX_CANDIDATES: usize = 1_024;

/// Whether a page of `plan` can be drawn from `leads`.
pub(super) fn is_possible(plan: &Plan, leads: &Leads) -> bool {
    plan.count > 0 && plan.order.is_empty() && leads.leads.len().saturating_mul(plan.kinds.len()) <= MAX_STREAMS
}

/// The page of `plan` among what `leads` lead to; `open` is what they do not cover of its condition.
pub(super) fn page(connection: &mut Connection, plan: &Plan, leads: &Leads, open: &[&Condition]) -> QueryResult<Page> {
    let wanted = plan.count as usize + 1;
    let mut drawn = Drawn::of(plan, leads, if open.is_empty() { wanted } else { FIRST_ENTRIES });
    let (mut matches, mut candidates) = (Vec::new(), wanted);
    while matches.len() < wanted {
        let keys = drawn.next(connection, candidates)?;
        if keys.is_empty() {
            break;
        }
        matches.extend(fulfilling(connection, plan, open, keys)?);
        candidates = (candidates * 2).min(MAX_CANDIDATES);
    }
    matches.truncate(wanted);
    if plan.backward {
        matches.reverse();
    }
    let more = order::cut(plan, &mut matches);
    Ok(Page { matches, more, total: None })
}

/// Those of the instances at `keys` that are open to view and fulfil `open`, in the order of the keys.
fn fulfilling<'a>(
    connection: &mut Connection,
    plan: &Plan,
    open: &[&'a Condition],
    keys: Vec<InstanceKey>,
) -> QueryResult<Vec<Match>> {
    let asked = Asked { dialect: connection.dialect(), kinds: &plan.kinds, everywhere: false };
    let (of_row, of_place): (Vec<&'a Condition>, Vec<&'a Condition>) = open.iter().partition(|part| needs_row(part));
    let all = |parts: &[&'a Condition]| Sql::joined(parts.iter().map(|part| condition(asked, part)).collect(), " AND ", ALWAYS);
    let keys = if of_place.is_empty() { keys } else { narrowed(connection, &keys, all(&of_place))? };
    if keys.is_empty() {
        return Ok(Vec::new());
    }
    let statement = Sql::new(concat!("SELECT ", stored_columns!(), " FROM "))
        .append(at_places(&plan.kinds, &keys))
        .push(" AND i.body IS NOT NULL AND ")
        .append(all(&of_row))
        .statement();
    connection.admit(&statement);
    let mut found = connection.load(&statement, stored)?;
    found.sort_unstable_by_key(|stored| by_age(stored.key));
    if plan.backward {
        found.reverse();
    }
    Ok(found.into_iter().map(|stored| Match { position: Position { values: Vec::new(), key: stored.key }, stored }).collect())
}

/// Those of the places of which `fulfilled` holds, which asks nothing of the instance itself.
fn narrowed(connection: &mut Connection, keys: &[InstanceKey], fulfilled: Sql<'_>) -> QueryResult<Vec<InstanceKey>> {
    let places = rows(filled(keys, NOWHERE).into_iter().map(|key| vec![key.part.0, key.rid]));
    let statement = Sql::new("SELECT i.part, i.rid FROM (SELECT o.column1 AS part, o.column2 AS rid FROM (")
        .append(places)
        .push(") o) i WHERE ")
        .append(fulfilled)
        .statement();
    connection.admit(&statement);
    connection.load(&statement, |row| Ok(InstanceKey { part: Part(row.bigint(0)?), rid: row.bigint(1)? }))
}

fn by_age(key: InstanceKey) -> (i64, i64) {
    (key.rid, key.part.0)
}

/// The entries of several terms, drawn in one order.
struct Drawn {
    streams: Vec<Stream>,
    /// The next entry of each stream that has one, the first in the order on top.
    heads: BinaryHeap<Head>,
    backward: bool,
    last: Option<InstanceKey>,
    is_begun: bool,
}

/// An entry's place in the order, and its stream. Backwards each place is turned round, which keeps the heap the same.
type Head = Reverse<((i64, i64), usize)>;

/// The entries of one term in one type.
struct Stream {
    lead: Lead,
    kind: ResourceType,
    after: Option<InstanceKey>,
    read: VecDeque<InstanceKey>,
    at_once: usize,
    is_over: bool,
}

impl Drawn {
    fn of(plan: &Plan, leads: &Leads, first: usize) -> Self {
        let after = plan.after.as_ref().map(|position| position.key);
        let pairs = leads.leads.iter().flat_map(|lead| plan.kinds.iter().map(move |kind| (*lead, *kind)));
        let is_single = leads.leads.len() * plan.kinds.len() == 1;
        let at_once = if is_single { first.max(FIRST_ENTRIES) } else { FIRST_ENTRIES };
        let stream = |(lead, kind)| Stream { lead, kind, after, read: VecDeque::new(), at_once, is_over: false };
        Self {
            streams: pairs.map(stream).collect(),
            heads: BinaryHeap::new(),
            backward: plan.backward,
            last: None,
            is_begun: false,
        }
    }

    /// Up to `most` places more, each once.
    fn next(&mut self, connection: &mut Connection, most: usize) -> QueryResult<Vec<InstanceKey>> {
        if !std::mem::replace(&mut self.is_begun, true) {
            for index in 0..self.streams.len() {
                self.advance(connection, index)?;
            }
        }
        let mut keys = Vec::with_capacity(most);
        while keys.len() < most {
            let Some(Reverse((place, index))) = self.heads.pop() else { break };
            let (rid, part) = if self.backward { (!place.0, !place.1) } else { place };
            let key = InstanceKey { part: Part(part), rid };
            self.advance(connection, index)?;
            if self.last.replace(key) != Some(key) {
                keys.push(key);
            }
        }
        Ok(keys)
    }

    /// Puts the next entry of a stream among the heads.
    fn advance(&mut self, connection: &mut Connection, index: usize) -> QueryResult<()> {
        let Some(stream) = self.streams.get_mut(index) else { return Ok(()) };
        if let Some(key) = stream.next(connection, self.backward)? {
            let (rid, part) = by_age(key);
            // The complement turns the order of numbers round and loses none of them.
            self.heads.push(Reverse((if self.backward { (!rid, !part) } else { (rid, part) }, index)));
        }
        Ok(())
    }
}

impl Stream {
    fn next(&mut self, connection: &mut Connection, backward: bool) -> QueryResult<Option<InstanceKey>> {
        if self.read.is_empty() && !self.is_over {
            let statement = self.entries(backward).statement();
            connection.admit(&statement);
            self.read =
                connection.load(&statement, |row| Ok(InstanceKey { part: Part(row.bigint(0)?), rid: row.bigint(1)? }))?.into();
            self.is_over = self.read.len() < self.at_once;
            self.after = self.read.back().copied().or(self.after);
            self.at_once = (self.at_once * 2).min(MAX_ENTRIES);
        }
        Ok(self.read.pop_front())
    }

    fn entries<'a>(&self, backward: bool) -> Sql<'a> {
        let (comparison, direction) = if backward { (" < (", " DESC") } else { (" > (", "") };
        let of_term = Sql::new("SELECT v.part, v.rid FROM term v WHERE v.term = ").bind(self.lead.term.0).push(" AND ");
        let mut sql = of_term.append(of_kinds("v.kind", &[self.kind]));
        if let Some(qualifier) = self.lead.qualifier {
            sql = sql.push(" AND v.qualifier = ").bind(i64::from(qualifier));
        }
        if let Some(InstanceKey { part, rid }) = self.after {
            sql = sql.push(" AND (v.rid, v.part)").push(comparison).bind(rid).push(", ").bind(part.0).push(")");
        }
        let order = format!(" ORDER BY v.rid{direction}, v.part{direction} LIMIT ");
        sql.push(&order).bind(i64::try_from(self.at_once).unwrap_or(i64::MAX))
    }
}
