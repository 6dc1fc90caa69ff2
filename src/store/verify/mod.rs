//! Holding a store against what it promises: every index entry agrees with its resource, every chain of versions is whole, every
//! name leads to its instance, the journal has no gap.
//!
//! Everything is read, nothing is changed. Each page is looked at in one state of the database, so that a store on a server may
//! be in use meanwhile.

mod content;
mod instance;
mod journal;
mod name;
mod resource;
mod stray;
pub(super) mod values;

use std::fmt;

use diesel::result::QueryResult;

use super::connection::Connection;
use super::content::Keeping;
use super::copy::{check_complete, existing};
use super::dialect::Use;
use super::failure::failure;
use super::schema;
use super::statement::Statement;
use super::vocabulary;
use crate::config::{ContentPlace, ContentSettings, StoreSettings};
use crate::fhir::ResourceType;
use crate::outcome::Outcome;
use crate::search::vocabulary::{Bounds, Vocabulary};
use content::Named;

/// What is told while a store is verified.
#[derive(Clone, Copy, Debug)]
pub enum Step<'a> {
    /// Something is wrong.
    Fault(&'a Fault),
    /// So many rows were looked at since this was told last.
    Checked(u64),
}

/// Something that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Where.
    pub place: String,
    /// What does not hold.
    pub rule: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.rule)
    }
}

/// What was looked at, and how much of it was wrong.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Verified {
    /// Instances, deleted ones too.
    pub instances: u64,
    /// Superseded versions.
    pub versions: u64,
    /// Contents outside the database.
    pub contents: u64,
    /// Records of the journal.
    pub records: u64,
    /// What was wrong.
    pub faults: u64,
}

/// A store that can be verified.
pub struct Verification {
    connection: Connection,
    term_key: [u8; 16],
    /// Where its contents are, or why they cannot be looked at.
    keeping: Outcome<Keeping>,
    _hold: Option<super::hold::Hold>,
}

impl Verification {
    /// Opens the store that `settings` names, whose contents rest at `place`.
    ///
    /// # Errors
    /// There is none, it is in use by another process that may not share it, or its schema is not that of this program.
    pub fn of(settings: &StoreSettings, place: ContentPlace, content: &ContentSettings) -> Outcome<Self> {
        let source = existing(settings)?;
        let hold = source.hold()?;
        let mut connection = source.connect(Use::Migrating)?;
        schema::ready(&mut connection)?;
        check_complete(&mut connection)?;
        let term_key = schema::term_key(&mut connection)?;
        let keeping = Keeping::at(place, content, &term_key, false);
        Ok(Self { connection, term_key, keeping, _hold: hold })
    }

    /// The key of the term hashes in this store.
    pub const fn term_key(&self) -> [u8; 16] {
        self.term_key
    }

    /// How many rows will be looked at.
    ///
    /// # Errors
    /// The database is away.
    pub fn size(&mut self) -> Outcome<u64> {
        let text = "SELECT (SELECT count(*) FROM instance) + (SELECT count(*) FROM version) \
             + (SELECT count(*) FROM content) + (SELECT count(*) FROM audit)";
        let count = self.connection.first(&Statement::new(text).once(), |row| row.bigint(0)).map_err(failure)?;
        Ok(count.unwrap_or_default().unsigned_abs())
    }

    /// The search parameters that the store defines itself.
    ///
    /// # Errors
    /// The database is away.
    pub fn vocabulary(&mut self) -> Outcome<Vocabulary> {
        vocabulary::read(&mut self.connection).map_err(failure)
    }

    /// Looks at everything; `bounds` say what there must be in the index.
    ///
    /// # Errors
    /// The database is away. What is wrong in it is told, not an error.
    pub fn run(&mut self, bounds: &Bounds, tell: &mut dyn FnMut(Step<'_>)) -> Outcome<Verified> {
        let mut look = Look {
            connection: &mut self.connection,
            bounds,
            keeping: &self.keeping,
            tell,
            verified: Verified::default(),
            named: Named::new(),
        };
        look.everything().map_err(failure)?;
        Ok(look.verified)
    }
}

/// A look at a store.
struct Look<'a> {
    connection: &'a mut Connection,
    bounds: &'a Bounds,
    keeping: &'a Outcome<Keeping>,
    tell: &'a mut dyn FnMut(Step<'_>),
    verified: Verified,
    named: Named,
}

impl Look<'_> {
    fn everything(&mut self) -> QueryResult<()> {
        let leading_terms = self.instances()?;
        self.versions()?;
        self.contents()?;
        self.names()?;
        self.terms(leading_terms)?;
        self.journal()
    }

    fn fault(&mut self, place: impl Into<String>, rule: impl Into<String>) {
        let fault = Fault { place: place.into(), rule: rule.into() };
        self.verified.faults += 1;
        (self.tell)(Step::Fault(&fault));
    }

    fn faults(&mut self, place: &str, rules: Vec<String>) {
        for rule in rules {
            self.fault(place, rule);
        }
    }

    fn checked(&mut self, rows: usize) {
        (self.tell)(Step::Checked(rows as u64));
    }
}

/// How a place in the database is called.
fn place((part, rid): (i64, i64)) -> String {
    format!("part {part}, rid {rid}")
}

/// How an instance at such a place is called.
fn place_of(kind: i16, id: &str, key: (i64, i64)) -> String {
    match ResourceType::from_code(kind) {
        Some(kind) => format!("{kind}/{id} ({})", place(key)),
        None => format!("{id} ({})", place(key)),
    }
}
