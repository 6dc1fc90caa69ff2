//! Everything in which the back ends differ, side by side: one match an item, one arm a back end.

/// A back end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Dialect {
    /// The embedded one.
    Sqlite,
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
                Use::Writing => &[
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
        }
    }

    /// How a transaction that will write begins: with the right to write, so that what it reads first stays true.
    pub(super) const fn begin_writing(self) -> &'static str {
        match self {
            Self::Sqlite => "BEGIN IMMEDIATE",
        }
    }

    /// The condition that the packed terms of `i` contain the packed term `?`.
    pub(super) const fn has_packed_term(self) -> &'static str {
        match self {
            Self::Sqlite => "instr(i.terms, ?) > 0",
        }
    }

    /// The condition that the folded text of `v` contains the text `?`.
    pub(super) const fn contains_text(self) -> &'static str {
        match self {
            Self::Sqlite => "instr(v.folded, ?) > 0",
        }
    }
}
