//! A file belongs to one process at a time: what a store keeps in memory of it would otherwise go stale unnoticed.

use std::fs::{File, TryLockError};
use std::path::Path;

use super::failure::unavailable;
use crate::outcome::{Failure, Kind, Outcome};

const ENDING: &str = ".lock";

/// The right to a database file, given back when it is dropped or the process ends, however it ends.
#[derive(Debug)]
pub(super) struct Hold(File);

impl Hold {
    /// The right to the database file at `path`.
    ///
    /// # Errors
    /// Somebody else has it, or the folder cannot be written to ([`Kind::Unavailable`]).
    pub(super) fn of(path: &Path) -> Outcome<Self> {
        let mut name = path.as_os_str().to_owned();
        name.push(ENDING);
        let file = File::create(name).map_err(unavailable)?;
        match file.try_lock() {
            Ok(()) => Ok(Self(file)),
            Err(TryLockError::WouldBlock) => Err(in_use()),
            Err(TryLockError::Error(error)) => Err(unavailable(error)),
        }
    }

    /// Gives the right back.
    pub(super) fn release(&self) -> Outcome<()> {
        self.0.unlock().map_err(unavailable)
    }
}

fn in_use() -> Failure {
    Failure::new(Kind::Unavailable, "another process has this store open; stop it, or ask it over HTTP (carnet load --to URL)")
}
