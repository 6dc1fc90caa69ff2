//! What each of many plans means, set by set: the criteria of a transaction are thousands, and each by itself would be a way there
//! and back. Instances that any of them may mean are read together, and each plan is held against the terms that come with them.

use std::collections::HashMap;

use diesel::result::QueryResult;

use super::link::Stop;
use super::{in_steps, some};
use crate::dossier::Access;
use crate::fhir::ResourceType;
use crate::search::index::{DateRange, IndexEntries, Term};
use crate::search::plan::{Condition, Plan};
use crate::store::connection::Connection;
use crate::store::dialect::Dialect;
use crate::store::snapshot::{STORED_COLUMNS, Stored, stored, stored_columns};
use crate::store::terms::Resting;

/// The most plans that are answered together.
const PLANS_OF_SET: usize = 256;
/// The most instances that are read for them: where more may be meant, each plan is asked by itself.
const INSTANCES_OF_SET: usize = 2_048;

const WITH_TERMS: &str = concat!("SELECT ", stored_columns!(), ", i.date_low, i.date_high, i.terms");
const WITH_LEADS: &str = concat!("SELECT ", stored_columns!(), ", i.date_low, i.date_high, i.terms, i.leads");

/// Up to `most` instances that each of `plans` means, in their order. The caller sees to it that all are read in one state.
pub(in crate::store) fn matching(
    connection: &mut Connection,
    access: &Access,
    plans: &[&Plan],
    most: usize,
) -> Result<Vec<Vec<Stored>>, Stop> {
    let mut found: Vec<Option<Vec<Stored>>> = vec![None; plans.len()];
    for (kind, members) in sets(plans) {
        for members in members.chunks(PLANS_OF_SET).filter(|members| members.len() > 1) {
            let Some(candidates) = candidates(connection, access, (kind, members))? else { continue };
            for member in members {
                let meant = candidates.iter().filter(|(_, entries)| member.plan.condition.holds(entries));
                let meant = meant.take(most).map(|(stored, _)| stored.clone()).collect();
                if let Some(place) = found.get_mut(member.at) {
                    *place = Some(meant);
                }
            }
        }
    }
    let each = plans.iter().zip(found).map(|(plan, found)| match found {
        Some(found) => Ok(found),
        None => alone(connection, access, plan, most),
    });
    each.collect()
}

/// A plan that is judged by terms, and those that lead to what it means.
struct Member<'p> {
    at: usize,
    plan: &'p Plan,
    terms: Vec<Term>,
}

/// The plans that can be answered together, by type.
fn sets<'p>(plans: &[&'p Plan]) -> HashMap<ResourceType, Vec<Member<'p>>> {
    let mut sets: HashMap<ResourceType, Vec<Member<'p>>> = HashMap::new();
    for (at, plan) in plans.iter().copied().enumerate() {
        let ([kind], None) = (plan.kinds.as_slice(), &plan.dossiers) else { continue };
        let Some(terms) = plan.condition.terms_one_of().filter(|_| plan.condition.stands_among_terms()) else { continue };
        sets.entry(*kind).or_default().push(Member { at, plan, terms });
    }
    sets
}

/// Everything that one of `members` may mean; `None`: too much.
fn candidates(
    connection: &mut Connection,
    access: &Access,
    (kind, members): (ResourceType, &[Member<'_>]),
) -> QueryResult<Option<Vec<(Stored, IndexEntries)>>> {
    let mut terms: Vec<Term> = members.iter().flat_map(|member| member.terms.iter().copied()).collect();
    terms.sort_unstable();
    terms.dedup();
    let any = Plan {
        kinds: vec![kind],
        dossiers: None,
        condition: Condition::Any(terms.into_iter().map(Condition::Term).collect()),
        order: Vec::new(),
        count: 0,
        after: None,
        backward: false,
        total: false,
    };
    let dialect = connection.dialect();
    let columns = match dialect {
        Dialect::Sqlite => WITH_TERMS,
        Dialect::Postgres => WITH_LEADS,
    };
    let statement = some(connection, access, &any, (columns, INSTANCES_OF_SET + 1))?;
    let rows = connection.load(&statement, |row| {
        let date = row.optional_bigint(STORED_COLUMNS)?.zip(row.optional_bigint(STORED_COLUMNS + 1)?);
        let main_date = date.map(|(low, high)| DateRange { low, high });
        let terms = Resting::read(dialect, row, STORED_COLUMNS + 2)?.terms(kind.code());
        Ok((stored(row)?, IndexEntries { terms, main_date, ..IndexEntries::default() }))
    })?;
    Ok((rows.len() <= INSTANCES_OF_SET).then_some(rows))
}

fn alone(connection: &mut Connection, access: &Access, plan: &Plan, most: usize) -> Result<Vec<Stored>, Stop> {
    let count = u32::try_from(most).unwrap_or(u32::MAX);
    let page = in_steps(connection, access, &Plan { count, ..plan.clone() })?;
    Ok(page.matches.into_iter().map(|found| found.stored).collect())
}
