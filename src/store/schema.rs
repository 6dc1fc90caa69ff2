//! The tables, as the embedded migrations make them, and the settings that the store keeps of itself.

use std::error::Error;

use diesel::migration::MigrationSource;
use diesel::sqlite::Sqlite;
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};

use super::connection::{Connection, Source};
use super::dialect::{Dialect, Use};
use super::failure::{failure, unavailable};
use super::statement::Statement;
use crate::config::StoreSettings;
use crate::outcome::{Failure, Kind, Outcome};

pub(super) const SQLITE: EmbeddedMigrations = embed_migrations!("migrations/sqlite");

/// Under this name the key of the term hashes is kept.
const TERM_KEY: &str = "term-key";
const TERM_KEY_BYTES: usize = 16;

/// Brings the database that `settings` names to the schema of this program; the names of the migrations that it took.
///
/// # Errors
/// The database is away ([`Kind::Unavailable`]), or its schema is newer than this program ([`Kind::Fault`]).
pub fn migrate(settings: &StoreSettings) -> Outcome<Vec<String>> {
    let source = Source::of(settings)?;
    source.prepare()?;
    ready(&mut source.connect(Use::Writing)?)
}

/// Brings the database to the schema of this program; the names of the migrations that it took.
pub(super) fn ready(connection: &mut Connection) -> Outcome<Vec<String>> {
    match connection.dialect() {
        Dialect::Sqlite => {
            let sqlite = connection.sqlite();
            let known = MigrationSource::<Sqlite>::migrations(&SQLITE).map_err(away)?;
            let known: Vec<_> = known.iter().map(|migration| migration.name().version().as_owned()).collect();
            let applied = sqlite.applied_migrations().map_err(away)?;
            if let Some(unknown) = applied.iter().find(|version| !known.contains(version)) {
                return Err(newer(&unknown.to_string()));
            }
            let taken = sqlite.run_pending_migrations(SQLITE).map_err(away)?;
            Ok(taken.iter().map(ToString::to_string).collect())
        }
    }
}

/// The key of the term hashes, made at random when it is asked for the first time.
pub(super) fn term_key(connection: &mut Connection) -> Outcome<[u8; TERM_KEY_BYTES]> {
    let mut fresh = [0; TERM_KEY_BYTES];
    openssl::rand::rand_bytes(&mut fresh).map_err(Failure::fault)?;
    let insert = Statement::new("INSERT INTO setting (name, value) VALUES (?, ?) ON CONFLICT DO NOTHING").once();
    connection.execute(&insert.bind(TERM_KEY).bind(fresh.as_slice())).map_err(failure)?;
    let select = Statement::new("SELECT value FROM setting WHERE name = ?").once().bind(TERM_KEY);
    let kept = connection.first(&select, |row| row.optional_binary(0)).map_err(failure)?.flatten().unwrap_or_default();
    kept.try_into().map_err(|_| Failure::fault("the key of the term hashes is damaged"))
}

fn away(cause: Box<dyn Error + Send + Sync>) -> Failure {
    unavailable(cause)
}

fn newer(version: &str) -> Failure {
    let told = format!("the store was made by a newer version of this program (migration {version}); use that one");
    Failure::new(Kind::Fault, told)
}
