//! A thread that writes: it takes every change that waits into one transaction, so that one synchronisation of the disk
//! makes all of them durable, and answers only then.
//!
//! A change that cannot be written takes no other down with it. What it expects is checked before it writes anything, so it
//! usually just steps aside. Should it fail half-way all the same, the group is rolled back and done again with a savepoint
//! around each change; savepoints for every group would cost a copy of each page that is written twice.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use diesel::result::Error;
use tokio::sync::oneshot;

use super::change::Change;
use super::commit::{self, CommitFailure, Refusal};
use super::connection::{Connection, Source};
use super::dialect::Use;
use super::failure::{Remedy, failure, is_away, remedy, unavailable};
use super::patience::Patience;
use super::queue::Queue;
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

/// One answer a change of the group.
type Answers = Vec<Result<(), Refusal>>;

/// Writes until the queue is closed and empty.
pub(super) fn run(source: &Source, queue: &Queue<Job>, written: &Written, first: Option<Connection>) {
    let mut kept = first;
    while let Some(jobs) = queue.pop_waiting(GROUP_CHANGES) {
        kept = commit_group(source, queue, kept, jobs, written);
    }
}

/// Commits a group and answers it; the connection back, if it is still good.
fn commit_group(
    source: &Source,
    queue: &Queue<Job>,
    mut kept: Option<Connection>,
    jobs: Vec<Job>,
    written: &Written,
) -> Option<Connection> {
    let since = jobs.iter().map(|job| job.since).min().unwrap_or_else(Instant::now);
    let (mut patience, mut in_doubt) = (Patience::new(source.dialect(), since), false);
    loop {
        let (remedy, why) = match kept.take().map_or_else(|| source.connect(Use::Writing), Ok) {
            Err(away) => (Remedy::AnotherConnection, away.cause().map_or_else(|| away.to_string(), ToString::to_string)),
            Ok(mut connection) => {
                let changes: Vec<&Change> = jobs.iter().map(|job| &job.change).collect();
                match catch_unwind(AssertUnwindSafe(|| write_group(&mut connection, &changes, in_doubt))) {
                    Ok(Ok(answers)) => {
                        answer_each(jobs, answers, written);
                        return Some(connection);
                    }
                    Ok(Err(error)) => {
                        in_doubt |= connection.is_in_doubt();
                        (remedy(&error), error.to_string())
                    }
                    Err(_panic) => {
                        answer_all(jobs, || Failure::fault("the writer of the store panicked"));
                        return None;
                    }
                }
            }
        };
        if queue.is_closed() || !patience.lasts(remedy) {
            answer_all(jobs, || unavailable(why.clone()));
            return None;
        }
    }
}

fn answer_each(jobs: Vec<Job>, answers: Answers, written: &Written) {
    written.transactions.fetch_add(1, Ordering::Relaxed);
    for (job, answer) in jobs.into_iter().zip(answers) {
        if answer.is_ok() {
            written.changes.fetch_add(1, Ordering::Relaxed);
        }
        // Who waited may have gone; the change is written all the same.
        let _ = job.reply.send(answer.map_err(told));
    }
}

fn write_group(connection: &mut Connection, changes: &[&Change], in_doubt: bool) -> Result<Answers, Error> {
    if in_doubt {
        return changes.iter().map(|change| write_unless_done(connection, change)).collect();
    }
    match connection.writing(|connection| write_together(connection, changes)) {
        Ok(answers) => Ok(answers),
        Err(Late(error)) if is_away(&error) => Err(error),
        Err(Late(_)) => connection.writing(|connection| write_apart(connection, changes)),
    }
}

/// Writes a change that may have been written: the connection was lost while it was being committed. Should that commit still
/// be under way, what is to be written meets it and waits for it.
fn write_unless_done(connection: &mut Connection, change: &Change) -> Result<Result<(), Refusal>, Error> {
    let answer = connection.writing(|connection| {
        if commit::is_done(connection, change)? {
            return Ok(());
        }
        let replaced = commit::check(connection, change)?;
        commit::write(connection, change, &replaced)
    });
    match answer {
        Err(Refusal::Stale(_)) if commit::is_done(connection, change)? => Ok(Ok(())),
        Err(Refusal::Database(error)) if is_away(&error) => Err(error),
        answer => Ok(answer),
    }
}

/// A change failed after it had begun to write.
struct Late(Error);

impl From<Error> for Late {
    fn from(error: Error) -> Self {
        Self(error)
    }
}

fn write_together(connection: &mut Connection, changes: &[&Change]) -> Result<Answers, Late> {
    let mut answers = Answers::with_capacity(changes.len());
    for change in changes {
        match commit::check(connection, change) {
            Ok(replaced) => match commit::write(connection, change, &replaced) {
                Ok(()) => answers.push(Ok(())),
                Err(Refusal::Stale(_)) => return Err(Late(Error::RollbackTransaction)),
                Err(Refusal::Database(error)) => return Err(Late(error)),
            },
            Err(Refusal::Stale(index)) => answers.push(Err(Refusal::Stale(index))),
            Err(Refusal::Database(error)) => return Err(Late(error)),
        }
    }
    Ok(answers)
}

fn write_apart(connection: &mut Connection, changes: &[&Change]) -> Result<Answers, Error> {
    let mut answers = Answers::with_capacity(changes.len());
    for change in changes {
        let answer = connection.apart(|connection| {
            let replaced = commit::check(connection, change)?;
            commit::write(connection, change, &replaced)
        });
        match answer {
            // The database may have ended the transaction itself; whatever follows would not be part of it.
            Err(Refusal::Database(error)) if is_away(&error) => return Err(error),
            answer => answers.push(answer),
        }
    }
    Ok(answers)
}

fn told(refusal: Refusal) -> CommitFailure {
    match refusal {
        Refusal::Stale(index) => CommitFailure::Stale(index),
        Refusal::Database(error) => CommitFailure::Failed(failure(error)),
    }
}

fn answer_all(jobs: Vec<Job>, failure: impl Fn() -> Failure) {
    for job in jobs {
        // Who waited may have gone.
        let _ = job.reply.send(Err(CommitFailure::Failed(failure())));
    }
}
