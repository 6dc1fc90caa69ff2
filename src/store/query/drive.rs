//! Where the candidates of a search come from.
//!
//! Inside dossiers: their few rows, which carry what is needed. Across dossiers SQLite begins with the entries of the most selective
//! condition that has entries to begin with; without one, with every instance of the type. PostgreSQL, which knows how frequent
//! values are, chooses itself.

use diesel::result::QueryResult;

use super::condition::{alternatives, listed, places, values_of};
use super::several;
use super::text::{NEVER, Sql};
use super::ways::Ways;
use crate::fhir::key::name_hash;
use crate::fhir::{InstanceId, InstanceKey, Part, ResourceType};
use crate::search::index::Term;
use crate::search::plan::{Condition, Plan, SortKey};
use crate::store::connection::Connection;
use crate::store::dialect::Dialect;

/// As many entries are counted of a condition at most; one that has as many is not selective.
const COUNTED_ENTRIES: i64 = 1_000;

/// Where the candidates come from.
pub(super) struct Candidates<'a> {
    /// ` FROM … WHERE …`, to which conditions on `i` are appended.
    pub(super) from: Sql<'a>,
    /// The part of the condition that every candidate fulfils.
    pub(super) covered: Option<&'a Condition>,
    /// The columns of the candidate's own place, by age, then by dossier, as the source of the candidates has them in order.
    pub(super) place: Place,
    /// Whether the database chooses by the values where to begin, so that how it went about others says nothing.
    pub(super) by_values: bool,
}

/// The names of two columns.
#[derive(Clone, Copy)]
pub(super) struct Place {
    pub(super) rid: &'static str,
    pub(super) part: &'static str,
}

const OF_INSTANCE: Place = Place { rid: "i.rid", part: "i.part" };
const OF_ENTRY: Place = Place { rid: "d.rid", part: "d.part" };

/// The candidates of `plan`.
pub(super) fn candidates<'a>(
    connection: &mut Connection,
    plan: &'a Plan,
    dossiers: Option<&[Part]>,
) -> QueryResult<Candidates<'a>> {
    if let Some(parts) = dossiers {
        return Ok(among(plan, Sql::is_one_of("i.part", parts.iter().map(|part| part.0))));
    }
    let by_values = connection.dialect() == Dialect::Postgres;
    let drive = if by_values { named(connection, plan)? } else { most_selective(connection, plan)? };
    Ok(match drive {
        Some((_, Drive::Keys(keys))) => {
            let from = Sql::new(" FROM ").append(at_places(&plan.kinds, &keys));
            Candidates { from, covered: None, place: OF_INSTANCE, by_values: false }
        }
        Some((part, Drive::Terms(terms))) => {
            let entries = entries_of_terms(&plan.kinds, &terms);
            let entries = if terms.len() == 1 { entries } else { once(entries) };
            Candidates { covered: is_of_leading_terms(part).then_some(part), ..named_by(plan, entries) }
        }
        Some((_, Drive::Values(values))) => named_by(plan, once(values)),
        Some((_, Drive::Ways(places))) => named_by(plan, once(places)),
        Some((covered, Drive::Places(keys))) => {
            let from = Sql::new(" FROM ").append(at_places(&plan.kinds, keys));
            Candidates { from, covered: Some(covered), place: OF_INSTANCE, by_values: false }
        }
        Some((covered, Drive::Dossiers(own))) => {
            let from = Sql::new(" FROM ").append(in_dossiers(connection, &plan.kinds, own));
            Candidates { from, covered: Some(covered), place: OF_INSTANCE, by_values: false }
        }
        None => {
            let from = Sql::new(" FROM instance i WHERE ").append(of_kinds("i.kind", &plan.kinds));
            Candidates { from, covered: None, place: OF_INSTANCE, by_values }
        }
    })
}

/// What can lead to the candidates.
enum Drive<'a> {
    /// Their names.
    Keys(Vec<InstanceKey>),
    /// The entries of any of these terms.
    Terms(Vec<Term>),
    /// Their places.
    Places(&'a [InstanceKey]),
    /// What carries the term beside each dossier.
    Dossiers(&'a [(Part, Term)]),
    /// Entries in a side table: `SELECT part, rid …`.
    Values(Sql<'a>),
    /// Where several ways lead: `SELECT part, rid …`.
    Ways(Sql<'a>),
}

/// What says by names or by dossiers which instances there are.
fn named<'a>(connection: &mut Connection, plan: &'a Plan) -> QueryResult<Option<(&'a Condition, Drive<'a>)>> {
    let named = conjuncts(&plan.condition).into_iter().find(|part| match part {
        Condition::Id(_) | Condition::At(_) => true,
        // What only values lead to is left to the database.
        Condition::Any(_) => alternatives(part).is_none() && Ways::to(part, &plan.kinds).is_some(),
        _ => false,
    });
    let Some(part) = named else { return Ok(None) };
    Ok(drive(connection, &plan.kinds, part)?.map(|drive| (part, drive)))
}

/// Where the instances of these names may rest; the names themselves are still asked of what is there.
pub(super) fn keys(connection: &mut Connection, kinds: &[ResourceType], ids: &[InstanceId]) -> QueryResult<Vec<InstanceKey>> {
    let names = kinds.iter().flat_map(|kind| ids.iter().map(move |id| name_hash(*kind, id).cast_signed()));
    let mut keys = several::aliased(connection, &names.collect::<Vec<_>>())?;
    keys.extend(ids.iter().filter_map(InstanceKey::read));
    keys.sort_unstable();
    keys.dedup();
    Ok(keys)
}

/// Whether a condition is that one of some leading terms is carried, and nothing more.
fn is_of_leading_terms(condition: &Condition) -> bool {
    match condition {
        Condition::Term(term) => term.leads(),
        Condition::Any(parts) => parts.iter().all(is_of_leading_terms),
        _ => false,
    }
}

/// The condition with the fewest entries among those that all must hold.
fn most_selective<'a>(connection: &mut Connection, plan: &'a Plan) -> QueryResult<Option<(&'a Condition, Drive<'a>)>> {
    let mut best: Option<(i64, &'a Condition, Drive<'a>)> = None;
    for part in conjuncts(&plan.condition) {
        let Some(drive) = drive(connection, &plan.kinds, part)? else { continue };
        let entries = count(connection, &plan.kinds, &drive)?;
        if best.as_ref().is_none_or(|(least, ..)| entries < *least) {
            best = Some((entries, part, drive));
        }
    }
    let selective = best.filter(|(entries, ..)| *entries < COUNTED_ENTRIES || !newest_first(plan));
    Ok(selective.map(|(_, part, drive)| (part, drive)))
}

/// Where the order is that of an index on all instances of the type, many entries are worse than none.
fn newest_first(plan: &Plan) -> bool {
    plan.order.first().is_some_and(|order| order.by == SortKey::Updated)
}

fn drive<'a>(connection: &mut Connection, kinds: &[ResourceType], part: &'a Condition) -> QueryResult<Option<Drive<'a>>> {
    Ok(match part {
        Condition::Id(ids) => Some(Drive::Keys(keys(connection, kinds, ids)?)),
        Condition::At(keys) => (!keys.is_empty()).then_some(Drive::Places(keys)),
        Condition::Any(parts) if let [Condition::InDossier(own)] = parts.as_slice() => {
            is_one_a_dossier(own).then_some(Drive::Dossiers(own))
        }
        Condition::Term(_) => alternatives(part).map(Drive::Terms),
        Condition::Any(_) => match (alternatives(part), Ways::to(part, kinds)) {
            (Some(terms), _) => Some(Drive::Terms(terms)),
            (None, Some(ways)) => Some(Drive::Ways(ways.places(connection, kinds)?)),
            (None, None) => None,
        },
        Condition::Date(Some(_), _) | Condition::StringPrefix(..) | Condition::Quantity(..) => {
            let values = values_of(connection.dialect(), part);
            values.map(|values| Drive::Values(Sql::new("SELECT v.part, v.rid").append(values)))
        }
        Condition::InDossier(_)
        | Condition::Examined(_)
        | Condition::Linked(_)
        | Condition::Kind(_)
        | Condition::StringContains(..)
        | Condition::Date(None, _)
        | Condition::Updated(_)
        | Condition::Not(_)
        | Condition::All(_) => None,
    })
}

/// How many entries lead to candidates, counted up to a limit.
fn count(connection: &mut Connection, kinds: &[ResourceType], drive: &Drive<'_>) -> QueryResult<i64> {
    let entries = match drive {
        Drive::Keys(keys) => return Ok(i64::try_from(keys.len()).unwrap_or(i64::MAX)),
        Drive::Places(keys) => return Ok(i64::try_from(keys.len()).unwrap_or(i64::MAX)),
        Drive::Terms(terms) => entries_of_terms(kinds, terms),
        Drive::Values(places) | Drive::Ways(places) => places.clone(),
        Drive::Dossiers(own) => Sql::new("SELECT 1 FROM ").append(in_dossiers(connection, kinds, own)),
    };
    let limited = Sql::new("SELECT count(*) FROM (").append(entries).push(" LIMIT ").bind(COUNTED_ENTRIES).push(") c");
    let statement = limited.statement();
    connection.admit(&statement);
    Ok(connection.first(&statement, |row| row.bigint(0))?.unwrap_or(0))
}

/// The conditions that all must hold.
pub(super) fn conjuncts(condition: &Condition) -> Vec<&Condition> {
    match condition {
        Condition::All(parts) => parts.iter().flat_map(conjuncts).collect(),
        Condition::Any(_)
        | Condition::Not(_)
        | Condition::Term(_)
        | Condition::InDossier(_)
        | Condition::At(_)
        | Condition::Examined(_)
        | Condition::Linked(_)
        | Condition::Kind(_)
        | Condition::Id(_)
        | Condition::Date(..)
        | Condition::Updated(_)
        | Condition::StringPrefix(..)
        | Condition::StringContains(..)
        | Condition::Quantity(..) => vec![condition],
    }
}

pub(super) fn of_kinds<'a>(column: &str, kinds: &[ResourceType]) -> Sql<'a> {
    Sql::is_one_of(column, kinds.iter().map(|kind| kind.code()))
}

pub(super) fn entries_of_terms<'a>(kinds: &[ResourceType], terms: &[Term]) -> Sql<'a> {
    Sql::new("SELECT v.part, v.rid FROM term v WHERE ")
        .append(Sql::is_one_of("v.term", terms.iter().map(|term| term.0)))
        .push(" AND ")
        .append(of_kinds("v.kind", kinds))
}

/// Each instance once that several entries may name.
fn once(entries: Sql<'_>) -> Sql<'_> {
    Sql::new("SELECT DISTINCT e.part, e.rid FROM (").append(entries).push(") e")
}

/// The instances in some places.
fn at_places<'a>(kinds: &[ResourceType], keys: &[InstanceKey]) -> Sql<'a> {
    Sql::new("(")
        .append(places(keys))
        .push(") o CROSS JOIN instance i WHERE i.part = o.column1 AND i.rid = o.column2 AND ")
        .append(of_kinds(UNINDEXED_KIND, kinds))
}

/// Whether the list says but one term of each dossier, so that it leads to each instance once.
fn is_one_a_dossier(own: &[(Part, Term)]) -> bool {
    !own.is_empty() && own.is_sorted_by(|(left, _), (right, _)| left < right)
}

/// The instances of some dossiers that carry the term beside it.
fn in_dossiers<'a>(connection: &Connection, kinds: &[ResourceType], own: &[(Part, Term)]) -> Sql<'a> {
    listed(own)
        .push(" CROSS JOIN instance i WHERE i.part = o.column1 AND ")
        .push(connection.dialect().has_packed_term_of_list())
        .push(" AND ")
        .append(of_kinds(UNINDEXED_KIND, kinds))
}

/// The instances that entries name. The entries come first, whatever the planner thinks (`CROSS JOIN`).
fn named_by<'a>(plan: &Plan, entries: Sql<'a>) -> Candidates<'a> {
    let from = Sql::new(" FROM (")
        .append(entries)
        .push(") d CROSS JOIN instance i WHERE i.part = d.part AND i.rid = d.rid AND ")
        .append(of_kinds(UNINDEXED_KIND, &plan.kinds));
    Candidates { from, covered: None, place: OF_ENTRY, by_values: false }
}

/// The instances whose places fulfil a condition.
fn among<'a>(plan: &Plan, places: Sql<'a>) -> Candidates<'a> {
    let from = Sql::new(" FROM instance i WHERE ").append(places).push(" AND ").append(of_kinds(UNINDEXED_KIND, &plan.kinds));
    Candidates { from, covered: None, place: OF_INSTANCE, by_values: false }
}

/// The type, written so that no planner prefers the index of all instances of that type to the few places known.
const UNINDEXED_KIND: &str = "+i.kind";

pub(super) fn at<'a>(keys: &[InstanceKey]) -> Sql<'a> {
    let one = |key: &InstanceKey| Sql::new("(i.part = ").bind(key.part.0).push(" AND i.rid = ").bind(key.rid).push(")");
    Sql::joined(keys.iter().map(one).collect(), " OR ", NEVER)
}
