//! Making the index of instances that rest already anew: by parameters that are younger than they, and without those that are
//! gone.
//!
//! It is a job in steps. Each reads a few instances, makes their entries, and writes those that differ in one transaction with how
//! far it came; what was written to meanwhile is left alone, since whoever wrote it indexed it. So it may be ended at any moment
//! and goes on where it was, and two servers that take the same step do not get in each other's way: one of them comes too late.

use std::sync::Arc;

use diesel::result::QueryResult;
use serde::{Deserialize, Serialize};

use super::change::{Change, Expected, Write};
use super::commit::{self, CommitFailure, Refusal};
use super::connection::Connection;
use super::content::{Naming, Text};
use super::dialect::Dialect;
use super::snapshot::{STORED_COLUMNS, Stored, stored, stored_columns};
use super::statement::Statement;
use super::terms::Resting;
use super::verify::values::{self, Values};
use super::{Store, vocabulary};
use crate::fhir::json::Tree;
use crate::fhir::{Instant, ResourceType};
use crate::outcome::{Failure, Kind, Outcome};
use crate::search::Indexer;
use crate::search::index::{DateRange, Epoch, IndexEntries};

/// Instances of one step: so few that no writer waits long.
const STEP_INSTANCES: i64 = 64;
/// A server that took no step for so long has left the job to others.
const LEASE_MICROS: i64 = 10_000_000;
/// So often is a job begun anew that others begin at the same moment.
const ATTEMPTS: usize = 8;

/// Under this name the job is kept.
const NAME: &str = "reindex";

const SELECT_JOB: &str = "SELECT state FROM job WHERE name = ?";
const INSERT_JOB: &str = "INSERT INTO job (name, state) VALUES (?, ?) ON CONFLICT DO NOTHING";
const UPDATE_JOB: &str = "UPDATE job SET state = ? WHERE name = ? AND state = ?";

const COUNT: &str = "SELECT count(*), max(rid) FROM instance WHERE kind = ? AND body IS NOT NULL";

const PAGE: &str = concat!(
    "SELECT ",
    stored_columns!(),
    ", i.date_low, i.date_high, i.terms FROM instance i \
     WHERE i.kind = ? AND i.body IS NOT NULL AND (i.rid, i.part) > (?, ?) AND i.rid <= ? ORDER BY i.rid, i.part LIMIT ?"
);

const PAGE_WITH_LEADS: &str = concat!(
    "SELECT ",
    stored_columns!(),
    ", i.date_low, i.date_high, i.terms, i.leads FROM instance i \
     WHERE i.kind = ? AND i.body IS NOT NULL AND (i.rid, i.part) > (?, ?) AND i.rid <= ? ORDER BY i.rid, i.part LIMIT ?"
);

/// Before every place.
const FIRST: (i64, i64) = (i64::MIN, i64::MIN);

/// How far the index is made anew.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reindexing {
    /// The numbers of the types, in order.
    kinds: Vec<i16>,
    /// The parameters by which it is made at least.
    epoch: i64,
    /// Instances above this place were written since.
    last: i64,
    /// The type whose turn it is, and the place of the last instance done.
    kind: i16,
    place: (i64, i64),
    /// Who took the last step, and when.
    worker: u64,
    touched: i64,
    /// Instances looked at.
    pub done: u64,
    /// Instances there were when it began.
    pub total: u64,
    /// Instances whose entries were not what they ought to be.
    pub changed: u64,
    /// When it began, in microseconds since the Unix epoch.
    pub begun: i64,
    /// When it ended.
    pub ended: Option<i64>,
}

impl Reindexing {
    /// The types whose instances are indexed.
    pub fn kinds(&self) -> Vec<ResourceType> {
        self.kinds.iter().filter_map(|code| ResourceType::from_code(*code)).collect()
    }

    fn text(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }

    /// The type after the one whose turn it is.
    fn next_kind(&self) -> Option<i16> {
        self.kinds.iter().copied().find(|kind| *kind > self.kind)
    }
}

/// Who takes a step, and when.
#[derive(Clone, Copy, Debug)]
pub struct Worker {
    /// A number no other server has.
    pub number: u64,
    /// The present moment.
    pub now: Instant,
}

/// A step: what is written of the index, and how far the job is before and after it.
#[derive(Clone, Debug)]
pub(super) struct Step {
    /// The job as it was read; `None`: there was none.
    before: Option<String>,
    after: Reindexing,
    /// The epoch in which the entries were made.
    pub(super) made_in: Option<Epoch>,
    /// Instances whose entries differ, as they are: nothing but their entries is written.
    pub(super) writes: Vec<Write>,
}

impl Store {
    /// How far the index is made anew, or was the last time; `None`: it never was.
    ///
    /// # Errors
    /// The database is away, or too many wait for it ([`Kind::Unavailable`]).
    pub async fn reindexing(&self) -> Outcome<Option<Reindexing>> {
        self.ask(|connection| Ok(job(connection)?.map(|(_, job)| job))).await
    }

    /// Begins to make the index of all instances of `kinds` anew. What is under way already begins again, for those types too.
    ///
    /// # Errors
    /// As [`reindexing`](Self::reindexing).
    pub async fn begin_reindexing(&self, kinds: Vec<ResourceType>, now: Instant) -> Outcome<Reindexing> {
        for _ in 0..ATTEMPTS {
            let kinds = kinds.clone();
            let begun = self.ask(move |connection| connection.together(|connection| beginning(connection, &kinds, now))).await?;
            let after = begun.after.clone();
            if self.step(begun).await? {
                return Ok(after);
            }
        }
        Err(Failure::new(Kind::Conflict, "others begin to make the index anew at the same time"))
    }

    /// Takes one step; `None` where there is none to be taken here.
    ///
    /// # Errors
    /// As [`reindexing`](Self::reindexing); a resource that cannot be indexed: a bug.
    pub async fn reindex_some(&self, indexer: &Arc<Indexer>, worker: Worker) -> Outcome<Option<Reindexing>> {
        let indexer = Arc::clone(indexer);
        let next = self.ask(move |connection| connection.together(|connection| next(connection, &indexer, worker))).await?;
        let Some(step) = next? else { return Ok(None) };
        let after = step.after.clone();
        // Where another server was faster, or the parameters have changed, the next attempt sees it.
        self.step(step).await?;
        Ok(Some(after))
    }

    /// Writes a step; false: it is no longer the next one.
    async fn step(&self, step: Step) -> Outcome<bool> {
        match self.write(Change::reindexing(step)).await {
            Ok(()) => Ok(true),
            Err(CommitFailure::Stale(_) | CommitFailure::Unmet | CommitFailure::Swept | CommitFailure::Outdated) => Ok(false),
            Err(CommitFailure::Failed(failure)) => Err(failure),
        }
    }
}

/// The job, and the text under which it rests.
fn job(connection: &mut Connection) -> QueryResult<Option<(String, Reindexing)>> {
    let text = connection.first(&Statement::new(SELECT_JOB).bind(NAME), |row| row.text(0))?;
    Ok(text.and_then(|text| Some((text.clone(), serde_json::from_str(&text).ok()?))))
}

fn beginning(connection: &mut Connection, kinds: &[ResourceType], now: Instant) -> QueryResult<Step> {
    let known = job(connection)?;
    let unfinished = known.as_ref().filter(|(_, job)| job.ended.is_none());
    let mut kinds: Vec<i16> = kinds.iter().map(|kind| kind.code()).collect();
    kinds.extend(unfinished.iter().flat_map(|(_, job)| job.kinds.iter().copied()));
    kinds.sort_unstable();
    kinds.dedup();
    let (mut total, mut last) = (0, 0);
    for kind in &kinds {
        let row = connection.first(&Statement::new(COUNT).bind(*kind), |row| Ok((row.bigint(0)?, row.optional_bigint(1)?)))?;
        let (count, greatest) = row.unwrap_or_default();
        total += count.unsigned_abs();
        last = last.max(greatest.unwrap_or_default());
    }
    let after = Reindexing {
        kind: kinds.first().copied().unwrap_or_default(),
        kinds,
        epoch: vocabulary::epoch(connection)?.0,
        last,
        place: FIRST,
        worker: 0,
        touched: 0,
        done: 0,
        total,
        changed: 0,
        begun: now.micros(),
        ended: None,
    };
    Ok(Step { before: known.map(|(text, _)| text), after, made_in: None, writes: Vec::new() })
}

/// The next step, where there is one and nobody else is about to take it.
fn next(connection: &mut Connection, indexer: &Indexer, worker: Worker) -> QueryResult<Outcome<Option<Step>>> {
    let Some((text, job)) = job(connection)? else { return Ok(Ok(None)) };
    let is_left_to_others = job.worker != worker.number && worker.now.micros() < job.touched.saturating_add(LEASE_MICROS);
    if job.ended.is_some() || is_left_to_others {
        return Ok(Ok(None));
    }
    let page = page(connection, &job)?;
    let mut after = Reindexing { worker: worker.number, touched: worker.now.micros(), ..job };
    match page.last() {
        Some(last) => after.place = (last.stored.key.rid, last.stored.key.part.0),
        None => match after.next_kind() {
            Some(kind) => (after.kind, after.place) = (kind, FIRST),
            None => after.ended = Some(worker.now.micros()),
        },
    }
    let mut writes = Vec::new();
    for held in &page {
        match held.renewed(connection, indexer)? {
            Ok(write) => writes.extend(write),
            Err(failure) => return Ok(Err(failure)),
        }
    }
    // In the order in which other writers take the same rows.
    writes.sort_unstable_by_key(|write| (write.key.part, write.key.rid));
    after.done += page.len() as u64;
    after.changed += writes.len() as u64;
    Ok(Ok(Some(Step { before: Some(text), after, made_in: Some(indexer.epoch()), writes })))
}

/// An instance and what its row holds of the index.
struct Held {
    stored: Stored,
    main_date: Option<DateRange>,
    terms: Resting,
}

fn page(connection: &mut Connection, job: &Reindexing) -> QueryResult<Vec<Held>> {
    let (rid, part) = job.place;
    let dialect = connection.dialect();
    let text = match dialect {
        Dialect::Sqlite => PAGE,
        Dialect::Postgres => PAGE_WITH_LEADS,
    };
    let statement = Statement::new(text).bind(job.kind).bind(rid).bind(part).bind(job.last).bind(STEP_INSTANCES);
    connection.load(&statement, |row| {
        let date = row.optional_bigint(STORED_COLUMNS)?.zip(row.optional_bigint(STORED_COLUMNS + 1)?);
        Ok(Held {
            stored: stored(row)?,
            main_date: date.map(|(low, high)| DateRange { low, high }),
            terms: Resting::read(dialect, row, STORED_COLUMNS + 2)?,
        })
    })
}

impl Held {
    /// The instance with its entries made anew, where they are not those it has.
    fn renewed(&self, connection: &mut Connection, indexer: &Indexer) -> QueryResult<Outcome<Option<Write>>> {
        let Some(entries) = self.entries(indexer).transpose() else { return Ok(Ok(None)) };
        let entries = match entries {
            Ok(entries) => entries,
            Err(failure) => return Ok(Err(failure)),
        };
        let key = self.stored.key;
        let held = values::of_one(connection, (key.part.0, key.rid))?;
        let is_same = self.terms.terms(self.stored.kind.code()) == entries.terms
            && self.main_date == entries.main_date
            && held == Values::of(&entries);
        Ok(Ok((!is_same).then(|| self.write(entries, indexer.epoch()))))
    }

    fn entries(&self, indexer: &Indexer) -> Outcome<Option<IndexEntries>> {
        let Some(body) = &self.stored.body else { return Ok(None) };
        let text = Text::at_rest(body, self.stored.key.part)?;
        let tree = Tree::parse(text.json()).map_err(Failure::fault)?;
        indexer.entries(self.stored.kind, &tree).map(Some)
    }

    fn write(&self, index: IndexEntries, epoch: Epoch) -> Write {
        let Stored { kind, id, key, version, updated, method, body } = self.stored.clone();
        let expected = Expected::Version(version, key);
        Write { kind, id, key, expected, version, updated, method, body, content: Naming::default(), index, epoch }
    }
}

/// Writes a step, if it is still the next one.
pub(super) fn write(connection: &mut Connection, step: &Step) -> Result<(), Refusal> {
    let text = step.after.text();
    let statement = match &step.before {
        Some(before) => Statement::new(UPDATE_JOB).bind(text).bind(NAME).bind(before.as_str()),
        None => Statement::new(INSERT_JOB).bind(NAME).bind(text),
    };
    if connection.execute(&statement)? == 0 {
        return Err(Refusal::Stale(0));
    }
    for write in &step.writes {
        commit::write_entries(connection, write)?;
    }
    if step.after.ended.is_some() {
        vocabulary::settle(connection, Epoch(step.after.epoch), &step.after.kinds())?;
    }
    Ok(())
}
