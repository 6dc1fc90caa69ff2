//! What a change takes for granted of the whole store: which instances its criteria mean. The transaction that writes asks again.
//!
//! With SQLite there is one writer, and what it has read stays so until its transaction ends. With PostgreSQL whoever writes under
//! the same criteria waits for the other, because each transaction first takes the slots of all its premises, in their order.
//! What is written without criteria waits for nobody: it is as if it came a moment later.

use diesel::result::QueryResult;

use super::change::Change;
use super::connection::Connection;
use super::dialect::Dialect;
use super::query::{Stop, matching};
use super::snapshot::Stored;
use super::statement::{Statement, Value};
use crate::dossier::Access;
use crate::search::Name;
use crate::search::plan::Plan;

/// Holds the rows of slots, in their order, so that no two transactions wait for each other.
const TAKE: &str = "INSERT INTO premise (slot, taken) SELECT u.slot, 1 FROM unnest(?) u (slot) ORDER BY u.slot \
     ON CONFLICT (slot) DO UPDATE SET taken = premise.taken + 1";

/// How many slots there are.
const SLOTS: i64 = 4_096;

/// That criteria mean these instances and no others.
#[derive(Clone, Debug)]
pub struct Premise {
    access: Access,
    plan: Plan,
    mark: i64,
    /// In ascending order.
    names: Vec<Name>,
}

impl Premise {
    /// That whoever has `access` finds just `found` by `plan`. Equal criteria have the same `mark`.
    pub fn new(access: &Access, (plan, mark): (&Plan, u64), found: &[Stored]) -> Self {
        Self { access: access.clone(), plan: plan.clone(), mark: mark.cast_signed(), names: names(found) }
    }

    /// Under which it is locked.
    pub(super) fn mark(&self) -> i64 {
        self.mark
    }
}

/// Holds off everybody else who writes under the criteria of `changes`, until the transaction ends.
pub(super) fn lock(connection: &mut Connection, changes: &[&Change]) -> QueryResult<()> {
    let premises = changes.iter().flat_map(|change| &change.premises);
    let mut slots: Vec<i16> = premises.map(|premise| premise.mark.rem_euclid(SLOTS) as i16).collect();
    if slots.is_empty() || connection.dialect() == Dialect::Sqlite {
        return Ok(());
    }
    slots.sort_unstable();
    slots.dedup();
    connection.execute(&Statement::new(TAKE).bind(Value::SmallInts(slots))).map(drop)
}

/// Whether all that `change` takes for granted is so.
pub(super) fn hold(connection: &mut Connection, change: &Change) -> QueryResult<bool> {
    let Some(first) = change.premises.first() else { return Ok(true) };
    let most = change.premises.iter().map(|premise| premise.names.len()).max().unwrap_or_default() + 1;
    let plans: Vec<&Plan> = change.premises.iter().map(|premise| &premise.plan).collect();
    let found = match matching(connection, &first.access, &plans, most) {
        Ok(found) => found,
        Err(Stop::Database(error)) => return Err(error),
        // It could be answered before: whoever asked finds out what has become of it.
        Err(Stop::TooCostly | Stop::TooManyExamined | Stop::Failed(_)) => return Ok(false),
    };
    Ok(change.premises.iter().zip(found).all(|(premise, found)| names(&found) == premise.names))
}

/// The names of `found`, in ascending order.
fn names(found: &[Stored]) -> Vec<Name> {
    let mut names: Vec<Name> = found.iter().map(|stored| (stored.kind, stored.id.clone())).collect();
    names.sort_unstable();
    names
}
