//! Where the store of a test rests: a file, or, where `CARNET_TEST_POSTGRES` names a server of PostgreSQL, a schema there.

use std::fs::read_to_string;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};

use carnet::config::StoreSettings;
use carnet::store::migrate;
use diesel::connection::SimpleConnection as _;
use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::{BigInt, Binary, Integer, Text};
use diesel::sqlite::SqliteConnection;
use tempfile::TempDir;

use super::cluster::Cluster;

const SERVER: &str = "CARNET_TEST_POSTGRES";

/// Who the server is for the database: not one who may do everything.
const ROLE: &str = "DO $$ BEGIN CREATE ROLE carnet_server; \
     EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$; \
     DO $$ BEGIN CREATE ROLE carnet_operator IN ROLE carnet_server; \
     EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$;";

/// Into how many partitions each table is divided that a cluster would distribute.
const PARTITIONS: u32 = 2;

/// A place that nobody else uses and that is thrown away at the end.
pub(crate) enum Place {
    Folder(TempDir),
    Schema { server: String, name: String, contents: TempDir },
}

/// A record of the journal.
#[derive(QueryableByName)]
pub(crate) struct Record {
    #[diesel(sql_type = BigInt)]
    pub(crate) part: i64,
    #[diesel(sql_type = Binary)]
    pub(crate) entry: Vec<u8>,
}

/// A process of PostgreSQL.
#[derive(QueryableByName)]
struct Backend {
    #[diesel(sql_type = Integer)]
    pid: i32,
}

/// A statement that was sent.
#[derive(QueryableByName)]
struct Said {
    #[diesel(sql_type = Text)]
    text: String,
}

impl Place {
    /// On the server if there is one.
    pub(crate) fn new() -> Self {
        server().map_or_else(Self::folder, Self::schema)
    }

    pub(crate) fn folder() -> Self {
        Self::Folder(TempDir::new().unwrap())
    }

    /// On the server that there must be.
    pub(crate) fn on_the_server() -> Self {
        Self::schema(server().unwrap_or_else(|| panic!("{SERVER} must name a server: postgres://USER@HOST/DATABASE")))
    }

    /// What statements were sent to the server by servers of tests, each once, with `$1` for each value.
    pub(crate) fn statements() -> Vec<String> {
        let query = "SELECT DISTINCT regexp_replace(query, '\\s+', ' ', 'g') AS text FROM pg_stat_statements s \
             JOIN pg_roles r ON r.oid = s.userid WHERE r.rolname = 'carnet_server' ORDER BY 1";
        let url = server().unwrap_or_else(|| panic!("{SERVER} must name a server: postgres://USER@HOST/DATABASE"));
        let mut connection = PgConnection::establish(&url).unwrap();
        // Two tests may come here at once.
        let made = "DO $$ BEGIN CREATE EXTENSION pg_stat_statements; \
             EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$;";
        connection.batch_execute(made).unwrap();
        let texts: Vec<Said> = sql_query(query).load(&mut connection).unwrap();
        texts.into_iter().map(|said| said.text).collect()
    }

    /// On `cluster`.
    pub(crate) fn on(cluster: &Cluster) -> Self {
        Self::schema(cluster.url().to_owned())
    }

    fn schema(server: String) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let name = format!("server_{}_{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let made = format!("DROP SCHEMA IF EXISTS {name} CASCADE; {ROLE} CREATE SCHEMA {name} AUTHORIZATION carnet_server");
        PgConnection::establish(&server).unwrap().batch_execute(&made).unwrap();
        let place = Self::Schema { server, name, contents: TempDir::new().unwrap() };
        migrate(&place.store()).unwrap();
        PgConnection::establish(&place.argument()).unwrap().batch_execute(&partitioned()).unwrap();
        place
    }

    pub(crate) fn store(&self) -> StoreSettings {
        self.argument().parse().unwrap()
    }

    /// Where content rests that is too long for the database.
    pub(crate) fn contents(&self) -> PathBuf {
        match self {
            Self::Folder(folder) => folder.path().join("contents"),
            Self::Schema { contents, .. } => contents.path().to_owned(),
        }
    }

    /// The store as the command line names it.
    pub(crate) fn argument(&self) -> String {
        match self {
            Self::Folder(folder) => format!("sqlite:{}", folder.path().join("store.sqlite").display()),
            Self::Schema { name, .. } => self.url() + "%20-crole%3Dcarnet_server&application_name=" + name,
        }
    }

    /// The same for a command that walks through the whole store: another user of the database, whose statements are not those
    /// of requests.
    pub(crate) fn for_operator(&self) -> String {
        self.argument().replace("carnet_server", "carnet_operator")
    }

    /// Executes `text` on the database behind the back of the server.
    pub(crate) fn execute(&self, text: &str) {
        match self {
            Self::Folder(_) => self.file().batch_execute(text).unwrap(),
            Self::Schema { .. } => self.connection().batch_execute(text).unwrap(),
        }
    }

    /// The whole journal, in the order of its times.
    pub(crate) fn journal(&self) -> Vec<Record> {
        let query = sql_query("SELECT part, entry FROM audit ORDER BY recorded, seq");
        match self {
            Self::Folder(_) => query.load(&mut self.file()).unwrap(),
            Self::Schema { .. } => query.load(&mut self.connection()).unwrap(),
        }
    }

    /// Every row of every table of a file, as text.
    pub(crate) fn dump(&self) -> Vec<String> {
        #[derive(QueryableByName)]
        struct Line {
            #[diesel(sql_type = diesel::sql_types::Text)]
            line: String,
        }
        let mut file = self.file();
        let mut lines = |text: String| -> Vec<String> {
            sql_query(text).load::<Line>(&mut file).unwrap().into_iter().map(|line| line.line).collect()
        };
        let tables =
            "SELECT name AS line FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE '\\_\\_%' ESCAPE '\\' ORDER BY name";
        let mut dump = Vec::new();
        for table in lines(tables.to_owned()) {
            let row = format!(
                "SELECT group_concat('quote(' || name || ')', ' || '',''  || ') AS line FROM pragma_table_info('{table}')"
            );
            let row = lines(row).pop().unwrap();
            dump.extend(lines(format!("SELECT '{table}: ' || {row} AS line FROM {table} ORDER BY line")));
        }
        assert!(dump.len() > 100, "{dump:?}");
        dump
    }

    fn file(&self) -> SqliteConnection {
        let StoreSettings::Sqlite { path } = self.store() else { panic!("a file") };
        SqliteConnection::establish(path.to_str().unwrap()).unwrap()
    }

    /// A connection behind the back of the server, for a user who may do everything.
    pub(crate) fn connection(&self) -> PgConnection {
        PgConnection::establish(&self.url()).unwrap()
    }

    /// The processes of PostgreSQL that work for the server.
    pub(crate) fn backends(&self) -> Vec<i32> {
        let Self::Schema { name, .. } = self else { return Vec::new() };
        let query = sql_query("SELECT pid FROM pg_stat_activity WHERE application_name = $1").bind::<Text, _>(name);
        let backends: Vec<Backend> = query.load(&mut self.connection()).unwrap();
        backends.into_iter().map(|backend| backend.pid).collect()
    }

    fn url(&self) -> String {
        let Self::Schema { server, name, .. } = self else { panic!("a server") };
        let separator = if server.contains('?') { '&' } else { '?' };
        format!("{server}{separator}options=-csearch_path%3D{name}")
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if let Self::Schema { server, name, .. } = self {
            // A server of the test's own may be gone already.
            let Ok(mut connection) = PgConnection::establish(server) else { return };
            connection.batch_execute(&format!("DROP SCHEMA {name} CASCADE")).unwrap();
        }
    }
}

/// What divides the tables that a cluster would distribute, by the same column: a key that does not contain it is refused.
fn partitioned() -> String {
    let distributed = read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/deploy/citus.sql")).unwrap();
    let calls = distributed.lines().filter_map(|line| line.strip_prefix("SELECT create_distributed_table('"));
    let divided = calls.map(|call| {
        let mut words = call.split('\'');
        let (table, key) = (words.next().unwrap(), words.nth(1).unwrap());
        let partition = |number| {
            format!(
                "CREATE TABLE {table}_{number} PARTITION OF {table} FOR VALUES WITH (MODULUS {PARTITIONS}, REMAINDER {number});"
            )
        };
        let whole = format!(
            "ALTER TABLE {table} RENAME TO {table}_whole; \
             CREATE TABLE {table} (LIKE {table}_whole INCLUDING ALL) PARTITION BY HASH ({key}); DROP TABLE {table}_whole;"
        );
        (0..PARTITIONS).fold(whole, |text, number| text + &partition(number))
    });
    divided.collect()
}

#[allow(clippy::disallowed_methods, reason = "tests are told by their environment")]
fn server() -> Option<String> {
    std::env::var(SERVER).ok()
}
