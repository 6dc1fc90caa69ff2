//! Where the candidates of a search come from.
//!
//! Inside dossiers: their few rows, which carry what is needed. Across dossiers SQLite begins with the entries of the most selective
//! condition that has entries to begin with; without one, with every instance of the type. Where these entries and other side tables
//! say all that is asked, instances are not looked at before the page is known. PostgreSQL, which knows how frequent values are,
//! chooses itself.

use diesel::result::QueryResult;

use super::condition::{listed, main_dates, places, values_of};
use super::lead::Leads;
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
/// As many entries in the order of values are rather sorted than all instances of the type walked through.
const SORTED_ENTRIES: i64 = 20_000;

/// Where the candidates come from.
pub(super) struct Candidates<'a> {
    /// ` FROM … WHERE …`, to which conditions on `i` are appended.
    pub(super) from: Sql<'a>,
    /// The parts of the condition that every candidate fulfils.
    pub(super) covered: Vec<&'a Condition>,
    /// Entries that name every candidate once, and nothing that is not there: `SELECT part, rid …`.
    pub(super) entries: Option<Sql<'a>>,
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

pub(super) const OF_INSTANCE: Place = Place { rid: "i.rid", part: "i.part" };
const OF_ENTRY: Place = Place { rid: "d.rid", part: "d.part" };

/// What leads to the candidates of `plan` across dossiers, if anything does, and the parts of its condition that this covers.
pub(super) fn chosen<'a>(connection: &mut Connection, plan: &'a Plan) -> QueryResult<Option<Chosen<'a>>> {
    match connection.dialect() {
        Dialect::Postgres => named(connection, plan),
        Dialect::Sqlite => most_selective(connection, plan),
    }
}

/// The candidates of `plan` in `dossiers`, or those to which `chosen` leads.
pub(super) fn candidates<'a>(
    connection: &Connection,
    plan: &Plan,
    dossiers: Option<&[Part]>,
    chosen: Option<Chosen<'a>>,
) -> Candidates<'a> {
    if let Some(parts) = dossiers {
        return among(plan, Sql::is_one_of("i.part", parts.iter().map(|part| part.0)));
    }
    let here = |from: Sql<'a>, covered| Candidates {
        from: Sql::new(" FROM ").append(from),
        covered,
        entries: None,
        place: OF_INSTANCE,
        by_values: false,
    };
    let Some(Chosen { drive, covered }) = chosen else {
        let by_values = connection.dialect() == Dialect::Postgres;
        let all = Sql::new("instance i WHERE ").append(of_kinds("i.kind", &plan.kinds));
        return Candidates { by_values, ..here(all, Vec::new()) };
    };
    match drive {
        Drive::Keys(keys) => here(at_places(&plan.kinds, &keys), Vec::new()),
        Drive::Leads(leads) => named_by(plan, leads.entries(&plan.kinds), (covered, true)),
        Drive::MainDate(entries) => named_by(plan, entries, (covered, true)),
        Drive::NewestDate => {
            here(Sql::new("instance i INDEXED BY instance_date WHERE ").append(of_kinds("i.kind", &plan.kinds)), covered)
        }
        Drive::Values(entries) | Drive::Ways(entries) => named_by(plan, once(entries), (covered, false)),
        Drive::Places(keys) => here(at_places(&plan.kinds, keys), covered),
        Drive::Dossiers(own) => here(in_dossiers(connection, &plan.kinds, own), covered),
    }
}

/// What leads to candidates, and the parts of a condition that all of them fulfil.
pub(super) struct Chosen<'a> {
    pub(super) drive: Drive<'a>,
    pub(super) covered: Vec<&'a Condition>,
}

/// What can lead to the candidates.
pub(super) enum Drive<'a> {
    /// Their names.
    Keys(Vec<InstanceKey>),
    /// The entries of leading terms.
    Leads(Leads),
    /// Their places.
    Places(&'a [InstanceKey]),
    /// What carries the term beside each dossier.
    Dossiers(&'a [(Part, Term)]),
    /// Entries in the index on main dates: `SELECT part, rid …`.
    MainDate(Sql<'a>),
    /// All instances of the type, by their main date.
    NewestDate,
    /// Entries in a side table: `SELECT part, rid …`.
    Values(Sql<'a>),
    /// Where several ways lead: `SELECT part, rid …`.
    Ways(Sql<'a>),
}

/// What says by names or by dossiers which instances there are.
fn named<'a>(connection: &mut Connection, plan: &'a Plan) -> QueryResult<Option<Chosen<'a>>> {
    let parts = conjuncts(&plan.condition);
    let named = parts.iter().find(|part| match part {
        Condition::Id(_) | Condition::At(_) => true,
        // What only values lead to is left to the database.
        Condition::Any(_) => Leads::of(part).is_none() && Ways::to(part, &plan.kinds).is_some(),
        _ => false,
    });
    let Some(part) = named else { return Ok(None) };
    drive(connection, plan, part, &parts)
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

/// The condition with the fewest entries among those that all must hold.
fn most_selective<'a>(connection: &mut Connection, plan: &'a Plan) -> QueryResult<Option<Chosen<'a>>> {
    let parts = conjuncts(&plan.condition);
    let mut drives = Vec::new();
    for part in &parts {
        drives.extend(drive(connection, plan, part, &parts)?);
    }
    // Entries that come in the order that is wanted, and are the only ones, need not be counted.
    if plan.order.is_empty() && drives.len() == 1 && matches!(drives.first(), Some(Chosen { drive: Drive::Leads(_), .. })) {
        return Ok(drives.pop());
    }
    let mut best: Option<(i64, Chosen<'a>)> = None;
    for chosen in drives {
        let entries = count(connection, &plan.kinds, (&chosen.drive, COUNTED_ENTRIES))?;
        if best.as_ref().is_none_or(|(least, ..)| entries < *least) {
            best = Some((entries, chosen));
        }
    }
    let is_few = best.as_ref().is_some_and(|(entries, _)| *entries < COUNTED_ENTRIES);
    if newest_date_first(plan) && !is_few {
        return Ok(Some(Chosen { drive: Drive::NewestDate, covered: Vec::new() }));
    }
    let Some((_, chosen)) = best else { return Ok(None) };
    let is_worth_it = is_few || !(newest_first(plan) || is_walked(connection, plan, &chosen)?);
    Ok(is_worth_it.then_some(chosen))
}

/// Where the order is that of an index on all instances of the type, many entries are worse than none.
fn newest_first(plan: &Plan) -> bool {
    plan.order.first().is_some_and(|order| order.by == SortKey::Updated)
}

/// Where the order is that of the index on main dates of a type, its entries come as they are wanted.
fn newest_date_first(plan: &Plan) -> bool {
    let is_by_date = plan.order.first().is_some_and(|order| order.by == SortKey::MainDate && order.descending);
    is_by_date && plan.count > 0 && plan.kinds.len() == 1
}

/// The same where nothing but one range of values is asked and the order is that of age: entries in the order of values would all
/// have to be sorted, where of all instances of the type a few say enough for a page.
fn is_walked(connection: &mut Connection, plan: &Plan, chosen: &Chosen<'_>) -> QueryResult<bool> {
    let is_of_values = matches!(chosen.drive, Drive::Values(_) | Drive::MainDate(_));
    if !is_of_values || plan.total || !plan.order.is_empty() || conjuncts(&plan.condition).len() > 1 {
        return Ok(false);
    }
    Ok(count(connection, &plan.kinds, (&chosen.drive, SORTED_ENTRIES))? == SORTED_ENTRIES)
}

fn drive<'a>(
    connection: &mut Connection,
    plan: &Plan,
    part: &'a Condition,
    whole: &[&'a Condition],
) -> QueryResult<Option<Chosen<'a>>> {
    let kinds = &plan.kinds;
    let covering = |drive| Some(Chosen { drive, covered: vec![part] });
    let uncovered = |drive| Some(Chosen { drive, covered: Vec::new() });
    Ok(match part {
        Condition::Id(ids) => uncovered(Drive::Keys(keys(connection, kinds, ids)?)),
        Condition::At(keys) => (!keys.is_empty()).then_some(Drive::Places(keys)).and_then(covering),
        Condition::Any(parts) if let [Condition::InDossier(own)] = parts.as_slice() => {
            is_one_a_dossier(own).then_some(Drive::Dossiers(own)).and_then(covering)
        }
        Condition::Term(_) | Condition::Any(_) => match (Leads::among(part, whole), Ways::to(part, kinds)) {
            (Some((leads, covered)), _) => Some(Chosen { drive: Drive::Leads(leads), covered }),
            (None, Some(ways)) => uncovered(Drive::Ways(ways.places(connection, kinds)?)),
            (None, None) => None,
        },
        Condition::Date(None, bounds) => covering(Drive::MainDate(main_dates(kinds, bounds))),
        Condition::Date(Some(_), _) | Condition::StringPrefix(..) | Condition::Quantity(..) => {
            let values = values_of(connection.dialect(), part);
            values.and_then(|values| covering(Drive::Values(Sql::new("SELECT v.part, v.rid").append(values))))
        }
        Condition::InDossier(_)
        | Condition::Examined(_)
        | Condition::Linked(_)
        | Condition::Kind(_)
        | Condition::StringContains(..)
        | Condition::Updated(_)
        | Condition::Not(_)
        | Condition::All(_) => None,
    })
}

/// How many entries lead to candidates, counted up to a limit.
fn count(connection: &mut Connection, kinds: &[ResourceType], (drive, most): (&Drive<'_>, i64)) -> QueryResult<i64> {
    let entries = match drive {
        Drive::Keys(keys) => return Ok(i64::try_from(keys.len()).unwrap_or(i64::MAX)),
        Drive::Places(keys) => return Ok(i64::try_from(keys.len()).unwrap_or(i64::MAX)),
        Drive::Leads(leads) => leads.entries(kinds),
        Drive::NewestDate => return Ok(i64::MAX),
        Drive::MainDate(places) | Drive::Values(places) | Drive::Ways(places) => places.clone(),
        Drive::Dossiers(own) => Sql::new("SELECT 1 FROM ").append(in_dossiers(connection, kinds, own)),
    };
    let limited = Sql::new("SELECT count(*) FROM (").append(entries).push(" LIMIT ").bind(most).push(") c");
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
pub(super) fn at_places<'a>(kinds: &[ResourceType], keys: &[InstanceKey]) -> Sql<'a> {
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

/// The instances that entries name, each once. The entries come first, whatever the planner thinks (`CROSS JOIN`). `is_whole`: they
/// name nothing that is deleted, or of another type.
fn named_by<'a>(plan: &Plan, entries: Sql<'a>, (covered, is_whole): (Vec<&'a Condition>, bool)) -> Candidates<'a> {
    let from = Sql::new(" FROM (")
        .append(entries.clone())
        .push(") d CROSS JOIN instance i WHERE i.part = d.part AND i.rid = d.rid AND ")
        .append(of_kinds(UNINDEXED_KIND, &plan.kinds));
    Candidates { from, covered, entries: is_whole.then_some(entries), place: OF_ENTRY, by_values: false }
}

/// The instances whose places fulfil a condition.
fn among<'a>(plan: &Plan, places: Sql<'a>) -> Candidates<'a> {
    let from = Sql::new(" FROM instance i WHERE ").append(places).push(" AND ").append(of_kinds(UNINDEXED_KIND, &plan.kinds));
    Candidates { from, covered: Vec::new(), entries: None, place: OF_INSTANCE, by_values: false }
}

/// The type, written so that no planner prefers the index of all instances of that type to the few places known.
const UNINDEXED_KIND: &str = "+i.kind";

pub(super) fn at<'a>(keys: &[InstanceKey]) -> Sql<'a> {
    let one = |key: &InstanceKey| Sql::new("(i.part = ").bind(key.part.0).push(" AND i.rid = ").bind(key.rid).push(")");
    Sql::joined(keys.iter().map(one).collect(), " OR ", NEVER)
}
