//! Writing a group of changes with PostgreSQL: what they expect is read in two statements for all of them, and what they write is
//! written column by column.
//!
//! Nothing is locked beforehand. What was read may change until it is replaced, so a version is replaced only where it still is
//! the one that was read, a new place or name only taken where it is free; where fewer rows are written than there should be, the
//! whole group is undone and done again change by change, each in a savepoint, which finds out whose fault it was.

use std::collections::{HashMap, HashSet};

use diesel::result::{Error, QueryResult};

use super::bulk;
use super::change::{Change, Expected, Method, Premise, Write};
use super::commit::{self, Refusal, Replaced, names_its_place};
use super::connection::Connection;
use super::premise;
use super::statement::{Statement, Value};
use super::vocabulary;
use super::writer::Late;
use crate::fhir::key::name_hash;
use crate::fhir::{InstanceId, InstanceKey, Part, ResourceType};
use crate::search::index::Epoch;

/// An answer each, none for those that must wait for the next round: they concern what another change of this one concerns.
type Answers = Vec<Option<Result<(), Refusal>>>;

const SELECT_AT: &str = "SELECT i.part, i.rid, i.version, i.kind, i.id \
     FROM unnest(?, ?) u (part, rid) JOIN instance i ON i.part = u.part AND i.rid = u.rid";

const SELECT_NAMES: &str = "SELECT a.kind, a.id FROM unnest(?, ?, ?) u (name, kind, id) \
     JOIN alias a ON a.name = u.name AND a.kind = u.kind AND a.id = u.id";

/// Writes those of `changes` that can be written and do not depend on each other.
pub(super) fn write(connection: &mut Connection, changes: &[&Change]) -> Result<Answers, Late> {
    if let Some(first) = changes.iter().position(|change| change.stands_alone()) {
        return write_first(connection, changes, first);
    }
    premise::lock(connection, changes)?;
    let is_indexed = changes.iter().any(|change| change.epoch().is_some());
    let epoch = if is_indexed { vocabulary::epoch(connection)? } else { Epoch::default() };
    let there = There::of(connection, changes)?;
    let mut concerned = Concerned::default();
    let (mut answers, mut rows) = (Answers::with_capacity(changes.len()), bulk::Rows::default());
    for change in changes {
        if change.epoch().is_some_and(|made_in| made_in != epoch) {
            answers.push(Some(Err(Refusal::Outdated)));
            continue;
        }
        let replaced = match there.replaced(change) {
            Ok(replaced) => replaced,
            Err(index) => {
                answers.push(Some(Err(Refusal::Stale(index))));
                continue;
            }
        };
        if !concerned.take(change) {
            answers.push(None);
            continue;
        }
        if !premise::hold(connection, change)? {
            answers.push(Some(Err(Refusal::Unmet)));
            continue;
        }
        let moves = change.writes.iter().zip(&replaced).any(|(write, replaced)| moves(write, replaced));
        if moves || change.concerns_content() {
            write_alone(connection, change)?;
        } else {
            rows.add(change, &replaced);
        }
        answers.push(Some(Ok(())));
    }
    bulk::write(connection, &mut rows)?;
    Ok(answers)
}

/// Writes the change number `first`, which stands alone; the others wait for the next round.
fn write_first(connection: &mut Connection, changes: &[&Change], first: usize) -> Result<Answers, Late> {
    let mut answers: Answers = changes.iter().map(|_| None).collect();
    if let (Some(change), Some(answer)) = (changes.get(first), answers.get_mut(first)) {
        premise::lock(connection, &[change])?;
        write_alone(connection, change)?;
        *answer = Some(Ok(()));
    }
    Ok(answers)
}

fn moves(write: &Write, replaced: &Replaced) -> bool {
    match replaced {
        Replaced::Nothing => false,
        Replaced::Version(old, _) => *old != write.key,
    }
}

/// Row by row, what it expects locked first.
fn write_alone(connection: &mut Connection, change: &Change) -> Result<(), Late> {
    let written = commit::check(connection, change).and_then(|replaced| commit::write(connection, change, &replaced));
    written.map_err(|refusal| match refusal {
        Refusal::Stale(_) | Refusal::Unmet | Refusal::Swept | Refusal::Outdated => Late(Error::RollbackTransaction),
        Refusal::Database(error) => Late(error),
    })
}

/// What was found of that which changes expect.
struct There {
    instances: HashMap<InstanceKey, Instance>,
    names: HashSet<(ResourceType, Box<str>)>,
}

struct Instance {
    version: i64,
    kind: i16,
    id: String,
}

impl There {
    fn of(connection: &mut Connection, changes: &[&Change]) -> QueryResult<Self> {
        let writes = || changes.iter().flat_map(|change| &change.writes);
        let keys: Vec<InstanceKey> = writes().filter_map(place_to_look_at).collect();
        let names: Vec<&Write> = writes().filter(|write| expects_a_free_name(write)).collect();
        Ok(Self { instances: instances(connection, &keys)?, names: taken_names(connection, &names)? })
    }

    /// What each write of `change` replaces; the index of a write that expects what is not so.
    fn replaced(&self, change: &Change) -> Result<Vec<Replaced>, usize> {
        let found = |write: &Write| match write.expected {
            Expected::Nothing => self.is_free(write).then_some(Replaced::Nothing),
            Expected::Version(version, key) => {
                self.named(key, write.kind, &write.id).filter(|instance| instance.version == version.0)?;
                Some(Replaced::Version(key, Vec::new()))
            }
        };
        change.writes.iter().enumerate().map(|(index, write)| found(write).ok_or(index)).collect()
    }

    fn named(&self, key: InstanceKey, kind: ResourceType, id: &InstanceId) -> Option<&Instance> {
        self.instances.get(&key).filter(|instance| instance.kind == kind.code() && instance.id == id.as_str())
    }

    fn is_free(&self, write: &Write) -> bool {
        let at_its_place = InstanceKey::read(&write.id).and_then(|key| self.named(key, write.kind, &write.id));
        at_its_place.is_none() && !self.names.contains(&(write.kind, write.id.as_str().into()))
    }
}

/// Where the instance would be that a write replaces or must not find.
fn place_to_look_at(write: &Write) -> Option<InstanceKey> {
    match write.expected {
        Expected::Version(_, key) => Some(key),
        Expected::Nothing if expects_a_free_name(write) => InstanceKey::read(&write.id),
        Expected::Nothing => None,
    }
}

/// Whether a name was chosen that may be taken. A place that the server has just drawn is not asked for; should it not be free,
/// the insertion finds out.
fn expects_a_free_name(write: &Write) -> bool {
    write.expected == Expected::Nothing && !(write.method == Method::Post && names_its_place(write))
}

fn instances(connection: &mut Connection, keys: &[InstanceKey]) -> QueryResult<HashMap<InstanceKey, Instance>> {
    if keys.is_empty() {
        return Ok(HashMap::new());
    }
    let (parts, rids) = keys.iter().map(|key| (key.part.0, key.rid)).unzip();
    let statement = Statement::new(SELECT_AT).bind(Value::BigInts(parts)).bind(Value::BigInts(rids));
    let rows = connection.load(&statement, |row| {
        let key = InstanceKey { part: Part(row.bigint(0)?), rid: row.bigint(1)? };
        Ok((key, Instance { version: row.bigint(2)?, kind: row.smallint(3)?, id: row.text(4)? }))
    })?;
    Ok(rows.into_iter().collect())
}

fn taken_names(connection: &mut Connection, writes: &[&Write]) -> QueryResult<HashSet<(ResourceType, Box<str>)>> {
    if writes.is_empty() {
        return Ok(HashSet::new());
    }
    let statement = Statement::new(SELECT_NAMES)
        .bind(Value::BigInts(writes.iter().map(|write| name_hash(write.kind, &write.id).cast_signed()).collect()))
        .bind(Value::SmallInts(writes.iter().map(|write| write.kind.code()).collect()))
        .bind(Value::Texts(writes.iter().map(|write| write.id.as_str()).collect()));
    let rows = connection.load(&statement, |row| Ok((ResourceType::from_code(row.smallint(0)?), row.text(1)?)))?;
    Ok(rows.into_iter().filter_map(|(kind, id)| Some((kind?, id.into()))).collect())
}

/// What the changes taken so far concern.
#[derive(Default)]
struct Concerned<'a> {
    places: HashSet<InstanceKey>,
    names: HashSet<(ResourceType, &'a str)>,
    /// Of premises: a round writes what it has checked at its end, so one of two with the same criteria would not see the other.
    marks: HashSet<i64>,
}

impl<'a> Concerned<'a> {
    /// Takes `change`, unless it concerns what another one concerns.
    fn take(&mut self, change: &'a Change) -> bool {
        let is_free = change.writes.iter().all(|write| {
            !self.places.contains(&write.key)
                && place_to_look_at(write).is_none_or(|key| !self.places.contains(&key))
                && !self.names.contains(&(write.kind, write.id.as_str()))
        });
        let is_free = is_free && change.premises.iter().all(|premise| !self.marks.contains(&premise.mark()));
        if is_free {
            self.marks.extend(change.premises.iter().map(Premise::mark));
            for write in &change.writes {
                self.places.extend([Some(write.key), place_to_look_at(write)].into_iter().flatten());
                self.names.insert((write.kind, write.id.as_str()));
            }
        }
        is_free
    }
}
