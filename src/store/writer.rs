//! A thread that writes: it takes every change that waits into one transaction, so that one synchronisation of the disk
//! makes all of them durable, and answers only then.
//!
//! With SQLite there is one writer, and each change of a group is written row by row; with PostgreSQL there are several, and a
//! group is written column by column ([`group`]), which saves the way there and back for each row.
//!
//! A change that cannot be written takes no other down with it. What it expects is checked before it writes anything, so it
//! usually just steps aside. Should it fail half-way all the same, the group is rolled back and done again with a savepoint
//! around each change; savepoints for every group would cost a copy of each page that is written twice.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use diesel::result::Error;
use tokio::sync::oneshot;

use super::change::Change;
use super::commit::{self, CommitFailure, Refusal};
use super::connection::{Connection, Source};
use super::dialect::{Dialect, Use};
use super::failure::{Remedy, failure, is_away, remedy, unavailable};
use super::group;
use super::patience::Patience;
use super::premise;
use super::queue::Queue;
use super::recent::Recent;
use super::touched;
use crate::outcome::Failure;

/// The most changes in one transaction.
const GROUP_CHANGES: usize = 256;

/// A change on its way, and who waits for it.
pub(super) struct Job {
    pub(super) change: Change,
    pub(super) since: Instant,
    pub(super) reply: oneshot::Sender<Result<(), CommitFailure>>,
}

/// How much was written since the start.
#[derive(Debug, Default)]
pub(super) struct Written {
    pub(super) changes: AtomicU64,
    pub(super) transactions: AtomicU64,
}

/// One answer a change of the group, as far as there is one.
type Answers = Vec<Option<Result<(), Refusal>>>;

/// What a thread that writes works with.
pub(super) struct Writer {
    pub(super) source: Source,
    pub(super) queue: Arc<Queue<Job>>,
    pub(super) recent: Option<Arc<Recent>>,
    pub(super) written: Arc<Written>,
}

/// How the writing of a group ended.
enum Ended {
    /// Each change has its answer; the connection is good.
    Done(Connection),
    /// The database is away, for this reason.
    Away(String),
    /// A panic.
    Panicked,
}

impl Writer {
    /// Writes until the queue is closed and empty.
    pub(super) fn run(&self, first: Option<Connection>) {
        let mut kept = first;
        while let Some(jobs) = self.queue.pop_waiting(GROUP_CHANGES) {
            kept = self.commit_group(kept, jobs);
        }
    }

    /// Commits a group and answers it; the connection back, if it is still good.
    fn commit_group(&self, kept: Option<Connection>, jobs: Vec<Job>) -> Option<Connection> {
        let mut answers = Answers::from_iter(jobs.iter().map(|_| None));
        let parts = jobs.iter().flat_map(|job| touched(&job.change));
        let writing = self.recent.as_ref().map(|recent| recent.writing(parts));
        let ended = self.write_jobs(kept, &jobs, &mut answers);
        // Before anybody is answered: what was kept of the parts written to no longer counts.
        drop(writing);
        match ended {
            Ended::Done(connection) => {
                answer_each(jobs, answers, || Failure::fault("the writer of the store left a change out"));
                Some(connection)
            }
            Ended::Away(why) => {
                answer_each(jobs, answers, || unavailable(why.clone()));
                None
            }
            Ended::Panicked => {
                answer_each(jobs, answers, || Failure::fault("the writer of the store panicked"));
                None
            }
        }
    }

    /// Writes a group, again and again as long as patience lasts where the database goes away.
    fn write_jobs(&self, mut kept: Option<Connection>, jobs: &[Job], answers: &mut Answers) -> Ended {
        let since = jobs.iter().map(|job| job.since).min().unwrap_or_else(Instant::now);
        let (mut patience, mut in_doubt) = (Patience::new(self.source.wait(), since), false);
        let changes: Vec<&Change> = jobs.iter().map(|job| &job.change).collect();
        loop {
            let (remedy, why) = match kept.take().map_or_else(|| self.source.connect(Use::Writing), Ok) {
                Err(away) => (Remedy::AnotherConnection, away.cause().map_or_else(|| away.to_string(), ToString::to_string)),
                Ok(mut connection) => {
                    let mut work = Work { changes: &changes, answers, written: &self.written };
                    match catch_unwind(AssertUnwindSafe(|| write_group(&mut connection, &mut work, in_doubt))) {
                        Ok(Ok(())) => return Ended::Done(connection),
                        Ok(Err(error)) => {
                            in_doubt |= connection.is_in_doubt();
                            (remedy(&error), error.to_string())
                        }
                        Err(_panic) => return Ended::Panicked,
                    }
                }
            };
            if self.queue.is_closed() || !patience.lasts(remedy) {
                return Ended::Away(why);
            }
        }
    }
}

/// A group on its way: what was answered already is committed, and stays so whatever happens to the rest.
struct Work<'a> {
    changes: &'a [&'a Change],
    answers: &'a mut Answers,
    written: &'a Written,
}

impl<'a> Work<'a> {
    /// Those that have no answer yet.
    fn waiting(&self) -> Vec<usize> {
        let unanswered = self.answers.iter().enumerate().filter(|(_, answer)| answer.is_none());
        unanswered.map(|(index, _)| index).collect()
    }

    /// Takes the answers to changes whose transaction is committed.
    fn committed(&mut self, answers: impl IntoIterator<Item = (usize, Result<(), Refusal>)>) {
        self.written.transactions.fetch_add(1, Ordering::Relaxed);
        for (index, answer) in answers {
            if answer.is_ok() {
                self.written.changes.fetch_add(1, Ordering::Relaxed);
            }
            if let Some(place) = self.answers.get_mut(index) {
                *place = Some(answer);
            }
        }
    }

    /// The changes at `indexes`.
    fn at(&self, indexes: &[usize]) -> Vec<&'a Change> {
        indexes.iter().filter_map(|index| self.changes.get(*index).copied()).collect()
    }
}

fn write_group(connection: &mut Connection, work: &mut Work<'_>, in_doubt: bool) -> Result<(), Error> {
    if in_doubt {
        for index in work.waiting() {
            let Some(change) = work.changes.get(index).copied() else { continue };
            let answer = write_unless_done(connection, change)?;
            work.committed([(index, answer)]);
        }
        return Ok(());
    }
    match connection.dialect() {
        Dialect::Sqlite => write_waiting(connection, work),
        Dialect::Postgres => {
            while !work.waiting().is_empty() {
                write_round(connection, work)?;
            }
            Ok(())
        }
    }
}

fn write_waiting(connection: &mut Connection, work: &mut Work<'_>) -> Result<(), Error> {
    let waiting = work.waiting();
    let changes = work.at(&waiting);
    let answers = match connection.writing(|connection| write_together(connection, &changes)) {
        Ok(answers) => answers,
        Err(Late(error)) if is_away(&error) => return Err(error),
        Err(Late(_)) => connection.writing(|connection| write_apart(connection, &changes))?,
    };
    work.committed(waiting.into_iter().zip(answers));
    Ok(())
}

/// Writes as many of the waiting changes as do not depend on each other.
fn write_round(connection: &mut Connection, work: &mut Work<'_>) -> Result<(), Error> {
    let waiting = work.waiting();
    let changes = work.at(&waiting);
    let answers = match connection.writing(|connection| group::write(connection, &changes)) {
        Ok(answers) => answers,
        Err(Late(error)) if is_away(&error) => return Err(error),
        Err(Late(_)) => connection.writing(|connection| write_apart(connection, &changes))?.into_iter().map(Some).collect(),
    };
    let answered = waiting.into_iter().zip(answers).filter_map(|(index, answer)| Some((index, answer?)));
    work.committed(answered.collect::<Vec<_>>());
    Ok(())
}

/// Writes a change that may have been written: the connection was lost while it was being committed. Should that commit still
/// be under way, what is to be written meets it and waits for it.
fn write_unless_done(connection: &mut Connection, change: &Change) -> Result<Result<(), Refusal>, Error> {
    let answer = connection.writing(|connection| {
        if commit::is_done(connection, change)? {
            return Ok(());
        }
        premise::lock(connection, &[change])?;
        let replaced = commit::check(connection, change)?;
        commit::write(connection, change, &replaced)
    });
    match answer {
        Err(Refusal::Stale(_) | Refusal::Unmet) if commit::is_done(connection, change)? => Ok(Ok(())),
        Err(Refusal::Database(error)) if is_away(&error) || remedy(&error) != Remedy::None => Err(error),
        answer => Ok(answer),
    }
}

/// A change failed after it had begun to write.
pub(super) struct Late(pub(super) Error);

impl From<Error> for Late {
    fn from(error: Error) -> Self {
        Self(error)
    }
}

fn write_together(connection: &mut Connection, changes: &[&Change]) -> Result<Vec<Result<(), Refusal>>, Late> {
    let mut answers = Vec::with_capacity(changes.len());
    for change in changes {
        match commit::check(connection, change) {
            Ok(replaced) => match commit::write(connection, change, &replaced) {
                Ok(()) => answers.push(Ok(())),
                Err(Refusal::Stale(_) | Refusal::Unmet | Refusal::Swept | Refusal::Outdated) => {
                    return Err(Late(Error::RollbackTransaction));
                }
                Err(Refusal::Database(error)) => return Err(Late(error)),
            },
            Err(Refusal::Database(error)) => return Err(Late(error)),
            Err(refusal @ (Refusal::Stale(_) | Refusal::Unmet | Refusal::Swept | Refusal::Outdated)) => {
                answers.push(Err(refusal))
            }
        }
    }
    Ok(answers)
}

fn write_apart(connection: &mut Connection, changes: &[&Change]) -> Result<Vec<Result<(), Refusal>>, Error> {
    premise::lock(connection, changes)?;
    let mut answers = Vec::with_capacity(changes.len());
    for change in changes {
        let answer = connection.apart(|connection| {
            let replaced = commit::check(connection, change)?;
            commit::write(connection, change, &replaced)
        });
        match answer {
            // The database may have ended the transaction itself; whatever follows would not be part of it.
            Err(Refusal::Database(error)) if is_away(&error) || remedy(&error) != Remedy::None => return Err(error),
            answer => answers.push(answer),
        }
    }
    Ok(answers)
}

fn told(refusal: Refusal) -> CommitFailure {
    match refusal {
        Refusal::Stale(index) => CommitFailure::Stale(index),
        Refusal::Unmet => CommitFailure::Unmet,
        Refusal::Swept => CommitFailure::Swept,
        Refusal::Outdated => CommitFailure::Outdated,
        Refusal::Database(error) => CommitFailure::Failed(failure(error)),
    }
}

/// Answers each; those that have no answer, with a failure.
fn answer_each(jobs: Vec<Job>, answers: Answers, failure: impl Fn() -> Failure) {
    for (job, answer) in jobs.into_iter().zip(answers) {
        let answer = answer.map_or_else(|| Err(CommitFailure::Failed(failure())), |answer| answer.map_err(told));
        // Who waited may have gone; the change is written all the same.
        let _ = job.reply.send(answer);
    }
}
