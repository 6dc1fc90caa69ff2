//! The threads that read: each owns a connection and does one piece of work at a time.

use std::panic::{AssertUnwindSafe, catch_unwind};

use super::connection::{Connection, Source};
use super::dialect::Use;
use super::queue::Queue;
use crate::outcome::Outcome;

/// A piece of reading; it answers whoever waits for it itself.
pub(super) type Job = Box<dyn FnOnce(Outcome<&mut Connection>) + Send>;

/// Reads until the queue is closed and empty.
pub(super) fn run(source: &Source, queue: &Queue<Job>) {
    let mut kept = None;
    while let Some(job) = queue.pop() {
        let mut connection = match kept.take().map_or_else(|| source.connect(Use::Reading), Ok) {
            Ok(connection) => connection,
            Err(away) => {
                job(Err(away));
                continue;
            }
        };
        // After a panic the connection may be in the middle of anything; the next piece of work gets a new one.
        if catch_unwind(AssertUnwindSafe(|| job(Ok(&mut connection)))).is_ok() {
            kept = Some(connection);
        }
    }
}
