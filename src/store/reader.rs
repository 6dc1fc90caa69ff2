//! The threads that read: each owns a connection and does one piece of work at a time.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Instant;

use diesel::result::QueryResult;
use tokio::sync::oneshot;

use super::connection::{Connection, Source};
use super::dialect::Use;
use super::failure::{Remedy, failure, remedy};
use super::patience::Patience;
use super::queue::Queue;
use crate::outcome::{Failure, Outcome};

/// A piece of reading that can be tried again.
pub(super) type Job = Box<dyn Reading>;

/// What is read, and who waits for it.
pub(super) struct Asked<T, W> {
    pub(super) work: W,
    pub(super) reply: oneshot::Sender<Outcome<T>>,
    pub(super) since: Instant,
}

/// A piece of reading.
pub(super) trait Reading: Send {
    /// Reads; answers if that succeeds.
    fn attempt(self: Box<Self>, connection: &mut Connection) -> Result<(), (Job, diesel::result::Error)>;
    /// Answers that it cannot be read.
    fn fail(self: Box<Self>, failure: Failure);
    /// Whether anybody still waits for it.
    fn is_wanted(&self) -> bool;
    /// When it was asked for.
    fn since(&self) -> Instant;
}

impl<T: Send + 'static, W: Fn(&mut Connection) -> QueryResult<T> + Send + 'static> Reading for Asked<T, W> {
    fn attempt(self: Box<Self>, connection: &mut Connection) -> Result<(), (Job, diesel::result::Error)> {
        match (self.work)(connection) {
            Ok(answer) => {
                // Who waited may have gone.
                let _ = self.reply.send(Ok(answer));
                Ok(())
            }
            Err(error) => Err((self, error)),
        }
    }

    fn fail(self: Box<Self>, failure: Failure) {
        // Who waited may have gone.
        let _ = self.reply.send(Err(failure));
    }

    fn is_wanted(&self) -> bool {
        !self.reply.is_closed()
    }

    fn since(&self) -> Instant {
        self.since
    }
}

/// Reads until the queue is closed and empty.
pub(super) fn run(source: &Source, queue: &Queue<Job>) {
    let mut kept = None;
    while let Some(job) = queue.pop() {
        if job.is_wanted() {
            kept = answer(source, queue, kept, job);
        }
    }
}

/// Answers one piece of work; the connection back, if it is still good.
fn answer(source: &Source, queue: &Queue<Job>, mut kept: Option<Connection>, mut job: Job) -> Option<Connection> {
    let mut patience = Patience::new(source.wait(), job.since());
    loop {
        let (remedy, why) = match kept.take().map_or_else(|| source.connect(Use::Reading), Ok) {
            Err(away) => (Remedy::AnotherConnection, away),
            Ok(mut connection) => {
                // After a panic the connection may be in the middle of anything; the next piece of work gets a new one.
                let attempted = catch_unwind(AssertUnwindSafe(|| job.attempt(&mut connection))).ok()?;
                kept = (!connection.is_lost()).then_some(connection);
                match attempted {
                    Ok(()) => return kept,
                    Err((same, error)) => {
                        job = same;
                        (remedy(&error), failure(error))
                    }
                }
            }
        };
        if !job.is_wanted() || queue.is_closed() || !patience.lasts(remedy) {
            job.fail(why);
            return kept;
        }
    }
}
