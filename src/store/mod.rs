//! Where it rests: versions of instances, their index, the journal. The only module that knows diesel.
//!
//! A [`Store`] is asked and answers asynchronously; the work is done by threads of its own, each owning its connection. Readers
//! see the last committed state; a writer takes all waiting [`change`]s into one durable transaction. What is answered as
//! committed is on the disk. Everything is asked against an [`Access`]: what it does not cover is as absent.
//!
//! Not here: what a query means (`search`), who may see what (`dossier`), what a record of the journal says (`audit`).

mod address;
mod amend;
mod bulk;
pub mod change;
mod commit;
mod compression;
mod connection;
mod content;
mod copy;
mod dialect;
mod embedded;
mod explain;
mod failure;
mod glance;
mod group;
mod hold;
mod index;
mod journal;
mod patience;
mod premise;
mod query;
mod queue;
pub mod raw;
mod reader;
mod recent;
mod reindex;
mod row;
mod schema;
mod snapshot;
mod statement;
mod task;
mod terms;
mod verify;
mod vocabulary;
mod writer;
pub mod yardstick;
#[cfg(test)]
mod tests;

use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use diesel::result::QueryResult;
use tokio::sync::oneshot;
use tokio::time::timeout;

pub use commit::CommitFailure;
pub use content::{Digest, Form, Hole, Incoming, Naming, Pieces, Staged, Swept, Text};
pub use copy::{Copied, Holding, copy};
pub use explain::Said;
pub use query::{Match, Moment, Page, Stretch, VersionName, Versions, Whose};
pub use reindex::{Reindexing, Worker};
pub use schema::migrate;
pub use snapshot::Stored;
pub use task::{End, Task};
pub use verify::{Fault, Step, Verification, Verified};

use crate::audit::AuditRecord;
use crate::config::{ContentSettings, Limits, StoreSettings};
use crate::dossier::Access;
use crate::fhir::{InstanceId, Part, ResourceType, VersionId};
use crate::outcome::{Failure, Kind, Outcome};
use crate::search::plan::Plan;
use crate::search::vocabulary::Vocabulary;
use change::{Change, Expected};
use connection::{Connection, Source};
use content::Contents;
use dialect::Use;
use failure::{failure, refused, unavailable};
use glance::Glances;
use hold::Hold;
use queue::{Queue, Refused};
use recent::Recent;

/// The store of a server.
pub struct Store {
    term_key: [u8; 16],
    readers: usize,
    queue_limit: usize,
    contents: Contents,
    glances: Glances,
    /// Only where this process has the database for itself.
    recent: Option<Arc<Recent>>,
    reads: Arc<Queue<reader::Job>>,
    /// One a writer.
    writes: Vec<Arc<Queue<writer::Job>>>,
    written: Arc<writer::Written>,
    deadline: Option<Duration>,
    threads: Mutex<Vec<JoinHandle<()>>>,
    /// Given back last, when nothing of this store touches the database any more.
    hold: Option<Hold>,
    first_vocabulary: Vocabulary,
}

/// What a store has done and has to do, at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Statistics {
    /// What is read by threads; a single read may do without.
    pub reading: Work,
    /// What is written.
    pub writing: Work,
    /// What was written.
    pub grouping: Grouping,
}

/// The threads that do one kind of work, and what waits for them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Work {
    /// The threads; each has a connection of its own.
    pub threads: usize,
    /// Those that have nothing to do.
    pub idle: usize,
    /// Pieces of work that wait.
    pub waiting: usize,
    /// How many may wait before more are refused.
    pub limit: usize,
}

/// How much a store has written since it was opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Grouping {
    /// Changes committed.
    pub changes: u64,
    /// Transactions in which they were.
    pub transactions: u64,
}

impl Store {
    /// Opens the store that `settings` names, made and brought to the schema of this program if need be, and starts its threads.
    ///
    /// # Errors
    /// The database is away ([`Kind::Unavailable`]), or was made by a newer version of this program.
    pub fn open(settings: &StoreSettings, limits: &Limits) -> Outcome<Self> {
        let source = Source::of(settings, limits);
        let hold = source.hold()?;
        schema::ready(&mut source.connect(Use::Migrating)?)?;
        let mut connection = source.connect(Use::Writing)?;
        copy::check_complete(&mut connection)?;
        let readers = match limits.reader_threads {
            0 => source.dialect().reader_threads(),
            set => set,
        };
        let queue = || Arc::new(Queue::new(limits.store_queue_requests));
        let (term_key, content) = (schema::term_key(&mut connection)?, ContentSettings::default());
        let store = Self {
            term_key,
            contents: Contents::new(content.place_beside(settings), &content, &term_key),
            readers,
            queue_limit: limits.store_queue_requests,
            glances: Glances::new(source.clone(), source.dialect().glances(readers)),
            recent: hold.is_some().then(|| Arc::new(Recent::new(limits.recent_bytes))),
            reads: Arc::new(Queue::new(limits.store_queue_requests)),
            writes: std::iter::repeat_with(queue).take(source.dialect().writer_threads()).collect(),
            written: Arc::default(),
            deadline: source.deadline(),
            first_vocabulary: vocabulary::read(&mut connection).map_err(failure)?,
            threads: Mutex::default(),
            hold,
        };
        store.start(&source, connection, readers)?;
        Ok(store)
    }

    /// The key of the term hashes in this store.
    pub fn term_key(&self) -> [u8; 16] {
        self.term_key
    }

    /// The current version of an instance.
    ///
    /// # Errors
    /// The database is away, or too many wait for it ([`Kind::Unavailable`]); so for every method that reads.
    pub async fn read(&self, access: &Access, kind: ResourceType, id: &InstanceId) -> Outcome<Option<Stored>> {
        let Some(recent) = &self.recent else { return self.read_stored(access, kind, id).await };
        if let Some(found) = recent.instance(access, kind, id) {
            return Ok(Some(found));
        }
        let calm = recent.calm_around(kind, id);
        let found = self.read_stored(access, kind, id).await?;
        if let Some(found) = &found {
            recent.keep(calm, found);
        }
        Ok(found)
    }

    async fn read_stored(&self, access: &Access, kind: ResourceType, id: &InstanceId) -> Outcome<Option<Stored>> {
        if let Some(found) = self.glances.take(|connection| snapshot::read(connection, access, kind, id)) {
            return Ok(found);
        }
        let (access, id) = (access.clone(), id.clone());
        self.ask(move |connection| snapshot::read(connection, &access, kind, &id)).await
    }

    /// The current versions of several instances, in the order of `names`.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    pub async fn read_many(&self, access: &Access, names: Vec<(ResourceType, InstanceId)>) -> Outcome<Vec<Option<Stored>>> {
        let access = access.clone();
        self.ask(move |connection| {
            connection
                .together(|connection| names.iter().map(|(kind, id)| snapshot::read(connection, &access, *kind, id)).collect())
        })
        .await
    }

    /// The versions that `names` name, current ones in their order, then older ones; what is not there is left out, deletions are not.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    pub async fn several(&self, access: &Access, names: Vec<VersionName>) -> Outcome<Vec<Stored>> {
        if names.is_empty() {
            return Ok(Vec::new());
        }
        let access = access.clone();
        self.ask(move |connection| connection.together(|connection| query::several(connection, &access, &names))).await
    }

    /// The version of an instance numbered `version`, deleted or not.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    pub async fn version(
        &self,
        access: &Access,
        kind: ResourceType,
        id: &InstanceId,
        version: VersionId,
    ) -> Outcome<Option<Stored>> {
        let (access, id) = (access.clone(), id.clone());
        self.ask(move |connection| connection.together(|connection| snapshot::version(connection, &access, (kind, &id), version)))
            .await
    }

    /// A stretch of a history, newest first.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    pub async fn history(&self, access: &Access, whose: Whose, stretch: Stretch) -> Outcome<Versions> {
        let access = access.clone();
        self.ask(move |connection| connection.together(|connection| query::history(connection, &access, &whose, &stretch))).await
    }

    /// A page of the instances that a plan means.
    ///
    /// # Errors
    /// As [`read`](Self::read); [`Kind::TooCostly`] where too many instances stand on both sides of a link.
    pub async fn search(&self, access: &Access, plan: Plan) -> Outcome<Page> {
        let kept = self.recent.as_ref().zip(Recent::searched(access, &plan));
        if let Some(page) = kept.and_then(|(recent, part)| recent.in_dossier(part, |dossier| dossier.page(&plan))) {
            return Ok(page);
        }
        let wanted = kept.and_then(|(recent, part)| Some((Arc::clone(recent), recent.calm_of_dossier(part)?)));
        let access = access.clone();
        self.ask(move |connection| {
            if let Some((recent, calm)) = &wanted
                && let Some(page) = recent.read_dossier(connection, *calm, |dossier| dossier.page(&plan))?
            {
                return Ok(Ok(page));
            }
            query::search(connection, &access, &plan)
        })
        .await?
    }

    /// Up to `most` instances that each of `plans` means, in one state of the store.
    ///
    /// # Errors
    /// As [`search`](Self::search).
    pub async fn matching(&self, access: &Access, plans: Vec<Plan>, most: usize) -> Outcome<Vec<Vec<Stored>>> {
        if plans.is_empty() {
            return Ok(Vec::new());
        }
        let access = access.clone();
        self.ask(move |connection| {
            let plans: Vec<&Plan> = plans.iter().collect();
            connection.together(|connection| match query::matching(connection, &access, &plans, most) {
                Ok(found) => Ok(Ok(found)),
                Err(stop) => stop.answer(),
            })
        })
        .await?
    }

    /// Writes `change`, all of it or nothing; it is on the disk when this returns.
    ///
    /// # Errors
    /// [`CommitFailure::Stale`] where an instance is no longer what a write expects, [`CommitFailure::Unmet`] where a premise does
    /// not hold any more; otherwise the database is away or too many
    /// wait for it.
    pub async fn commit(&self, access: &Access, change: Change) -> Result<(), CommitFailure> {
        if touched(&change).any(|part| !access.covers(part)) {
            return Err(CommitFailure::Failed(Failure::new(Kind::Concealed, "not found")));
        }
        self.write_with_content(change).await
    }

    /// Appends `records` to the journal; they are on the disk when this returns.
    ///
    /// # Errors
    /// The database is away, or too many wait for it ([`Kind::Unavailable`]).
    pub async fn record(&self, records: Vec<AuditRecord>) -> Outcome<()> {
        match self.write(Change::new(Vec::new(), records)).await {
            Ok(()) => Ok(()),
            Err(CommitFailure::Failed(failure)) => Err(failure),
            Err(CommitFailure::Stale(_) | CommitFailure::Unmet | CommitFailure::Swept | CommitFailure::Outdated) => {
                Err(Failure::fault("a record of the journal expects nothing"))
            }
        }
    }

    /// The search parameters that the store defines itself.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    pub async fn vocabulary(&self) -> Outcome<Vocabulary> {
        self.ask(vocabulary::read).await
    }

    /// Whether other processes may write to the same database.
    pub fn is_shared(&self) -> bool {
        self.hold.is_none()
    }

    /// What the store itself defined of search parameters when it was opened.
    pub fn first_vocabulary(&self) -> &Vocabulary {
        &self.first_vocabulary
    }

    /// Finds out whether the database answers.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    pub async fn ready(&self) -> Outcome<()> {
        self.ask(snapshot::probe).await
    }

    /// What was done and what waits.
    pub fn statistics(&self) -> Statistics {
        let limit = self.queue_limit;
        let (waiting, idle) = self.reads.waiting();
        let reading = Work { threads: self.readers, idle, waiting, limit };
        let writers = self.writes.iter().map(|queue| queue.waiting());
        let (waiting, idle) = writers.fold((0, 0), |all, one| (all.0 + one.0, all.1 + one.1));
        let threads = self.writes.len();
        Statistics { reading, writing: Work { threads, idle, waiting, limit: limit * threads }, grouping: self.grouping() }
    }

    /// How changes were grouped so far.
    pub fn grouping(&self) -> Grouping {
        Grouping {
            changes: self.written.changes.load(Ordering::Relaxed),
            transactions: self.written.transactions.load(Ordering::Relaxed),
        }
    }

    /// Takes nothing in any more, finishes what was accepted and lets the database go.
    pub fn close(&self) {
        self.reads.close();
        self.writes.iter().for_each(|queue| queue.close());
        self.glances.close();
        let threads = std::mem::take(&mut *self.threads.lock().unwrap_or_else(PoisonError::into_inner));
        for thread in threads {
            if thread.join().is_err() {
                tracing::error!("a thread of the store panicked");
            }
        }
        if let Some(Err(failure)) = self.hold.as_ref().map(Hold::release) {
            tracing::error!(cause = failure.cause(), "the file of the store could not be given back");
        }
    }

    fn start(&self, source: &Source, connection: Connection, readers: usize) -> Outcome<()> {
        let mut threads = Vec::with_capacity(readers + self.writes.len());
        let mut first = Some(connection);
        for queue in &self.writes {
            let writer = writer::Writer {
                source: source.clone(),
                queue: Arc::clone(queue),
                recent: self.recent.clone(),
                written: Arc::clone(&self.written),
            };
            let first = first.take();
            threads.push(spawn("store-writer", move || writer.run(first))?);
        }
        for _ in 0..readers {
            let (from, queue) = (source.clone(), Arc::clone(&self.reads));
            threads.push(spawn("store-reader", move || reader::run(&from, &queue))?);
        }
        self.threads.lock().unwrap_or_else(PoisonError::into_inner).extend(threads);
        Ok(())
    }

    async fn ask<T: Send + 'static>(&self, work: impl Fn(&mut Connection) -> QueryResult<T> + Send + 'static) -> Outcome<T> {
        let (reply, answer) = oneshot::channel();
        self.reads.push(Box::new(reader::Asked { work, reply, since: Instant::now() })).map_err(refused)?;
        self.in_time(answer).await?.map_err(|_| Failure::fault("a reader of the store panicked"))?
    }

    async fn write(&self, change: Change) -> Result<(), CommitFailure> {
        if change.is_empty() {
            return Ok(());
        }
        let (reply, answer) = oneshot::channel();
        let Some(queue) = self.writer_of(&change) else { return Err(CommitFailure::Failed(refused(Refused::Closed))) };
        queue.push(writer::Job { change, since: Instant::now(), reply }).map_err(|why| CommitFailure::Failed(refused(why)))?;
        let answered = self.in_time(answer).await.map_err(CommitFailure::Failed)?;
        answered.map_err(|_| CommitFailure::Failed(Failure::fault("the writer of the store is gone")))?
    }

    /// What `answer` comes to, unless the deadline passes first.
    async fn in_time<T>(&self, answer: impl Future<Output = T>) -> Outcome<T> {
        match self.deadline {
            None => Ok(answer.await),
            Some(deadline) => timeout(deadline, answer).await.map_err(|_| unavailable("the database does not answer")),
        }
    }

    /// What concerns one dossier goes through one writer, so that writers seldom meet.
    fn writer_of(&self, change: &Change) -> Option<&Queue<writer::Job>> {
        let amended = change.amendment.as_ref().map(|amendment| amendment.key.part);
        // Whoever writes under the same criteria waits there for nobody else.
        let marked = change.premises.first().map(|premise| Part(premise.mark()));
        let written = marked.or_else(|| change.writes.first().map(|write| write.key.part)).or(amended);
        let part = written.or_else(|| change.audit.first().map(|record| record.part)).unwrap_or(Part::DIRECTORY);
        let turn = part.0.cast_unsigned() % self.writes.len().max(1) as u64;
        self.writes.get(usize::try_from(turn).ok()?).map(AsRef::as_ref)
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        self.close();
    }
}

/// Every part that `change` reads or writes.
fn touched(change: &Change) -> impl Iterator<Item = Part> + '_ {
    let reindexed = change.reindexing.iter().flat_map(|step| &step.writes);
    let written = change.writes.iter().chain(reindexed).flat_map(|write| {
        let old = match write.expected {
            Expected::Nothing => None,
            Expected::Version(_, key) => Some(key.part),
        };
        [Some(write.key.part), old].into_iter().flatten()
    });
    written.chain(change.amendment.iter().map(|amendment| amendment.key.part))
}

fn spawn(name: &str, work: impl FnOnce() + Send + 'static) -> Outcome<JoinHandle<()>> {
    thread::Builder::new().name(name.to_owned()).spawn(work).map_err(unavailable)
}
