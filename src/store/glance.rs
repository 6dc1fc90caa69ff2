//! Reading one instance on the thread of whoever asks, where the database is a file of this machine.
//!
//! Such a read takes a few microseconds, less than the way to another thread and back. It is only tried: where no connection is
//! free at once, or anything at all goes wrong, the reader threads are asked as usual and their answer counts.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError, TryLockError};

use diesel::result::QueryResult;

use super::connection::{Connection, Source};
use super::dialect::Use;

/// Connections for those who ask.
pub(super) struct Glances {
    source: Source,
    connections: Vec<Mutex<Option<Connection>>>,
    closed: AtomicBool,
}

impl Glances {
    /// Room for `count` reads at once.
    pub(super) fn new(source: Source, count: usize) -> Self {
        let connections = std::iter::repeat_with(Mutex::default).take(count).collect();
        Self { source, connections, closed: AtomicBool::new(false) }
    }

    /// The answer to `work`, if it could be had here and now.
    pub(super) fn take<T>(&self, work: impl FnOnce(&mut Connection) -> QueryResult<T>) -> Option<T> {
        let mut place = self.connections.iter().find_map(|connection| match connection.try_lock() {
            Ok(place) => Some(place),
            Err(TryLockError::Poisoned(place)) => Some(place.into_inner()),
            Err(TryLockError::WouldBlock) => None,
        })?;
        if self.closed.load(Ordering::Acquire) {
            return None;
        }
        let mut connection = match place.take() {
            Some(connection) => connection,
            None => self.source.connect(Use::Glancing).ok()?,
        };
        let answer = catch_unwind(AssertUnwindSafe(|| work(&mut connection))).ok()?.ok()?;
        *place = Some(connection);
        Some(answer)
    }

    /// Takes no more and lets the database go.
    pub(super) fn close(&self) {
        self.closed.store(true, Ordering::Release);
        for connection in &self.connections {
            drop(connection.lock().unwrap_or_else(PoisonError::into_inner).take());
        }
    }
}
