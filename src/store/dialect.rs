//! Everything in which the back ends differ, side by side: one match an item, one arm a back end.

use std::time::Duration;

/// A back end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Dialect {
    /// The embedded one.
    Sqlite,
    /// The one on a server, or on many.
    Postgres,
}

/// What a connection is opened for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Use {
    /// Reading only.
    Reading,
    /// Reading one instance on the thread of whoever asks: it never waits for a lock.
    Glancing,
    /// Reading and writing.
    Writing,
    /// Making the tables, which takes the time it takes.
    Migrating,
}

impl Dialect {
    /// What is said to a new connection, in this order: the time to wait for a lock comes first, since the others may meet one.
    pub(super) const fn session(self, purpose: Use) -> &'static [&'static str] {
        match self {
            Self::Sqlite => match purpose {
                Use::Reading => &[
                    "PRAGMA busy_timeout = 5000",
                    "PRAGMA cache_size = -32768",
                    "PRAGMA temp_store = MEMORY",
                    "PRAGMA query_only = ON",
                ],
                Use::Glancing => &["PRAGMA busy_timeout = 0", "PRAGMA cache_size = -16384", "PRAGMA query_only = ON"],
                // The page size holds for a file that is made now. An instance rests whole in the tree that clusters its dossier
                // as long as it takes less than a quarter of a page; with 8 KB a document of 2 KB did not, and a dossier search
                // took half as long again. WAL and full synchronisation make a commit durable.
                Use::Writing | Use::Migrating => &[
                    "PRAGMA busy_timeout = 5000",
                    "PRAGMA page_size = 16384",
                    "PRAGMA journal_mode = WAL",
                    "PRAGMA synchronous = FULL",
                    "PRAGMA wal_autocheckpoint = 4000",
                    "PRAGMA journal_size_limit = 134217728",
                    "PRAGMA cache_size = -24576",
                    "PRAGMA temp_store = MEMORY",
                ],
            },
            // Short statements gain nothing from being compiled.
            Self::Postgres => match purpose {
                Use::Reading | Use::Glancing => &["SET jit = off; SET default_transaction_read_only = on"],
                Use::Writing => &["SET jit = off; SET default_transaction_isolation = 'read committed'"],
                Use::Migrating => &["SET default_transaction_isolation = 'read committed'"],
            },
        }
    }

    /// What is said to a new connection about the time a statement may take, where a request waits no longer than `wait` and a
    /// statement no longer than `limit`.
    pub(super) fn timeouts(self, purpose: Use, wait: Duration, limit: Option<Duration>) -> Option<String> {
        let (statement, lock) = match purpose {
            Use::Reading | Use::Glancing | Use::Writing => {
                let most = wait * 3 / 4;
                (limit.map_or(most, |limit| limit.min(most)), wait / 2)
            }
            Use::Migrating => (Duration::ZERO, Duration::ZERO),
        };
        match self {
            Self::Sqlite => None,
            Self::Postgres => Some(format!(
                "SET statement_timeout = {}; SET lock_timeout = {}; SET idle_in_transaction_session_timeout = {}",
                statement.as_millis(),
                lock.as_millis(),
                (statement * 2).as_millis()
            )),
        }
    }

    /// How many threads read where the settings leave it open: they work on a file, or wait for an answer.
    pub(super) fn reader_threads(self) -> usize {
        match self {
            Self::Sqlite => std::thread::available_parallelism().map_or(1, std::num::NonZero::get),
            Self::Postgres => 8,
        }
    }

    /// How many threads write: a file has one writer.
    pub(super) const fn writer_threads(self) -> usize {
        match self {
            Self::Sqlite => 1,
            Self::Postgres => 3,
        }
    }

    /// How many single reads may be done on the threads of those who ask: none that would have to wait for a network.
    pub(super) const fn glances(self, readers: usize) -> usize {
        match self {
            Self::Sqlite => readers,
            Self::Postgres => 0,
        }
    }

    /// How a transaction begins whose reads see one state.
    pub(super) const fn begin_reading(self) -> &'static str {
        match self {
            Self::Sqlite => "BEGIN",
            Self::Postgres => "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
        }
    }

    /// How a transaction that will write begins: where there is one writer, with the right to write, so that what it reads first
    /// stays true; elsewhere with the table of the search parameters shared, so that those stay as they are.
    pub(super) const fn begin_writing(self) -> &'static str {
        match self {
            Self::Sqlite => "BEGIN IMMEDIATE",
            Self::Postgres => "BEGIN ISOLATION LEVEL READ COMMITTED; LOCK TABLE parameter IN ROW SHARE MODE",
        }
    }

    /// What waits until no other transaction writes, and holds off those that want to; none where there is one writer.
    pub(super) const fn hold_parameters(self) -> Option<&'static str> {
        match self {
            Self::Sqlite => None,
            Self::Postgres => Some("LOCK TABLE parameter IN EXCLUSIVE MODE"),
        }
    }

    /// How an instance is written.
    pub(super) const fn insert_instance(self) -> &'static str {
        match self {
            Self::Sqlite => {
                "INSERT INTO instance (part, rid, kind, id, version, updated, method, date_low, date_high, body, terms) \
                 VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
            }
            Self::Postgres => {
                "INSERT INTO instance (part, rid, kind, id, version, updated, method, date_low, date_high, body, terms, leads) \
                 VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
            }
        }
    }

    /// How the next version of an instance is written.
    pub(super) const fn update_instance(self) -> &'static str {
        match self {
            Self::Sqlite => {
                "UPDATE instance SET version = ?, updated = ?, method = ?, date_low = ?, date_high = ?, body = ?, terms = ? \
                 WHERE part = ? AND rid = ?"
            }
            Self::Postgres => {
                "UPDATE instance SET version = ?, updated = ?, method = ?, date_low = ?, date_high = ?, body = ?, terms = ?, \
                 leads = ? WHERE part = ? AND rid = ?"
            }
        }
    }

    /// How the entries on the row of an instance that stays as it is are written.
    pub(super) const fn update_entries(self) -> &'static str {
        match self {
            Self::Sqlite => "UPDATE instance SET date_low = ?, date_high = ?, terms = ? WHERE part = ? AND rid = ?",
            Self::Postgres => "UPDATE instance SET date_low = ?, date_high = ?, terms = ?, leads = ? WHERE part = ? AND rid = ?",
        }
    }

    /// The condition that the packed terms of `i` contain the packed term `?`.
    pub(super) const fn has_packed_term(self) -> &'static str {
        match self {
            Self::Sqlite => "instr(i.terms, ?) > 0",
            Self::Postgres => "position(? IN i.terms) > 0",
        }
    }

    /// The condition that the packed terms of `i` contain that of the list `o`.
    pub(super) const fn has_packed_term_of_list(self) -> &'static str {
        match self {
            Self::Sqlite => "instr(i.terms, o.column2) > 0",
            Self::Postgres => "position(o.column2 IN i.terms) > 0",
        }
    }

    /// The condition that the folded text of `v` contains the text `?`.
    pub(super) const fn contains_text(self) -> &'static str {
        match self {
            Self::Sqlite => "instr(v.folded, ?) > 0",
            Self::Postgres => "strpos(v.folded, ?) > 0",
        }
    }

    /// What a write replaces, found by key: it stays so until the transaction ends. Its terms, where entries elsewhere lead from
    /// them.
    pub(super) const fn select_replaced(self) -> &'static str {
        match self {
            Self::Sqlite => "SELECT version, kind, id, terms FROM instance WHERE part = ? AND rid = ?",
            Self::Postgres => "SELECT version, kind, id, NULL::bytea FROM instance WHERE part = ? AND rid = ? FOR UPDATE",
        }
    }
}
