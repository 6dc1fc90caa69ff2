//! The tables, as the embedded migrations make them, and the settings that the store keeps of itself.

use std::error::Error;
use std::thread;
use std::time::Duration;

use diesel::backend::Backend;
use diesel::connection::{AnsiTransactionManager, SimpleConnection, TransactionManager};
use diesel::migration::MigrationSource;
use diesel::pg::{Pg, PgConnection};
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};

use super::connection::{Connection, Source};
use super::dialect::{Dialect, Use};
use super::failure::{failure, unavailable};
use super::statement::Statement;
use crate::config::{Limits, StoreSettings};
use crate::outcome::{Failure, Kind, Outcome};

pub(super) const SQLITE: EmbeddedMigrations = embed_migrations!("migrations/sqlite");
pub(super) const POSTGRES: EmbeddedMigrations = embed_migrations!("migrations/postgres");

/// How often migrating is tried: two who start at once may meet where the table of the migrations is made.
const ATTEMPTS: u32 = 5;
const PAUSE: Duration = Duration::from_millis(200);

const LOCK_MIGRATIONS: &str = "LOCK TABLE __diesel_schema_migrations IN SHARE ROW EXCLUSIVE MODE";
const ARE_MIGRATIONS_THERE: &str =
    "SELECT count(*) FROM pg_catalog.pg_class WHERE oid = to_regclass('__diesel_schema_migrations')";

/// Under this name the key of the term hashes is kept.
pub(super) const TERM_KEY: &str = "term-key";
const TERM_KEY_BYTES: usize = 16;

/// Brings the database that `settings` names to the schema of this program; the names of the migrations that it took.
///
/// # Errors
/// The database is away ([`Kind::Unavailable`]), or its schema is newer than this program ([`Kind::Fault`]).
pub fn migrate(settings: &StoreSettings) -> Outcome<Vec<String>> {
    let source = Source::of(settings, &Limits::default());
    let _hold = source.hold()?;
    ready(&mut source.connect(Use::Migrating)?)
}

/// Brings the database to the schema of this program; the names of the migrations that it took.
pub(super) fn ready(connection: &mut Connection) -> Outcome<Vec<String>> {
    match connection.dialect() {
        Dialect::Sqlite => connection.either(|sqlite| upwards(sqlite, SQLITE), |_| Ok(Vec::new())),
        Dialect::Postgres => {
            if is_ready(connection)? {
                return Ok(Vec::new());
            }
            let mut attempt = || connection.either(|_| Ok(Vec::new()), alone);
            let mut taken = attempt();
            for _ in 1..ATTEMPTS {
                if taken.as_ref().map_or_else(|failure| failure.kind() == Kind::Fault, |_| true) {
                    break;
                }
                thread::sleep(PAUSE);
                taken = attempt();
            }
            taken
        }
    }
}

/// Takes what is missing while nobody else does: several instances may start at once.
fn alone(postgres: &mut PgConnection) -> Outcome<Vec<String>> {
    // Makes the table of the migrations if there is none.
    MigrationHarness::<Pg>::applied_migrations(postgres).map_err(older)?;
    AnsiTransactionManager::begin_transaction(postgres).map_err(unavailable)?;
    let taken = postgres.batch_execute(LOCK_MIGRATIONS).map_err(unavailable).and_then(|()| upwards(postgres, POSTGRES));
    let ended = match &taken {
        Ok(_) => AnsiTransactionManager::commit_transaction(postgres),
        Err(_) => AnsiTransactionManager::rollback_transaction(postgres),
    };
    ended.map_err(unavailable)?;
    taken
}

fn upwards<DB: Backend>(connection: &mut impl MigrationHarness<DB>, known: EmbeddedMigrations) -> Outcome<Vec<String>> {
    let names = names_of::<DB>(&known)?;
    let applied = connection.applied_migrations().map_err(older)?;
    if let Some(unknown) = applied.iter().map(ToString::to_string).find(|version| !names.contains(version)) {
        return Err(newer(&unknown));
    }
    let taken = connection.run_pending_migrations(known).map_err(older)?;
    Ok(taken.iter().map(ToString::to_string).collect())
}

fn names_of<DB: Backend>(known: &EmbeddedMigrations) -> Outcome<Vec<String>> {
    let known = MigrationSource::<DB>::migrations(known).map_err(Failure::fault)?;
    Ok(known.iter().map(|migration| migration.name().version().to_string()).collect())
}

/// Whether every migration was taken, found out with no more right than to read.
fn is_ready(connection: &mut Connection) -> Outcome<bool> {
    let is_there = Statement::new(ARE_MIGRATIONS_THERE).once();
    if connection.first(&is_there, |row| row.bigint(0)).map_err(failure)? != Some(1) {
        return Ok(false);
    }
    let select = Statement::new("SELECT version FROM __diesel_schema_migrations").once();
    let applied = connection.load(&select, |row| row.text(0)).map_err(failure)?;
    let names = names_of::<Pg>(&POSTGRES)?;
    match applied.iter().find(|version| !names.contains(version)) {
        Some(unknown) => Err(newer(unknown)),
        None => Ok(names.iter().all(|name| applied.contains(name))),
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

fn older(cause: Box<dyn Error + Send + Sync>) -> Failure {
    let told = "the store was made by an older version of this program and could not be brought to this one; \
                run `carnet migrate` as a user of the database who may make tables";
    Failure::new(Kind::Unavailable, told).because(cause)
}

fn newer(version: &str) -> Failure {
    let told = format!(
        "the store was made by a newer version of this program (migration {version}); \
         serve it with that version, or restore it as it was before and run `carnet migrate`"
    );
    Failure::new(Kind::Fault, told)
}
