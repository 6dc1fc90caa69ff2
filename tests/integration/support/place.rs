//! Where the store of a test rests: a file, or, where `CARNET_TEST_POSTGRES` names a server of PostgreSQL, a schema there.

use std::sync::atomic::{AtomicU32, Ordering};

use carnet::config::StoreSettings;
use diesel::connection::SimpleConnection as _;
use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::{BigInt, Binary};
use diesel::sqlite::SqliteConnection;
use tempfile::TempDir;

use super::cluster::Cluster;

const SERVER: &str = "CARNET_TEST_POSTGRES";

/// A place that nobody else uses and that is thrown away at the end.
pub(crate) enum Place {
    Folder(TempDir),
    Schema { server: String, name: String },
}

/// A record of the journal.
#[derive(QueryableByName)]
pub(crate) struct Record {
    #[diesel(sql_type = BigInt)]
    pub(crate) part: i64,
    #[diesel(sql_type = Binary)]
    pub(crate) entry: Vec<u8>,
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

    /// On `cluster`.
    pub(crate) fn on(cluster: &Cluster) -> Self {
        Self::schema(cluster.url().to_owned())
    }

    fn schema(server: String) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let name = format!("server_{}_{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let made = format!("DROP SCHEMA IF EXISTS {name} CASCADE; CREATE SCHEMA {name}");
        PgConnection::establish(&server).unwrap().batch_execute(&made).unwrap();
        Self::Schema { server, name }
    }

    pub(crate) fn store(&self) -> StoreSettings {
        self.argument().parse().unwrap()
    }

    /// The store as the command line names it.
    pub(crate) fn argument(&self) -> String {
        match self {
            Self::Folder(folder) => format!("sqlite:{}", folder.path().join("store.sqlite").display()),
            Self::Schema { .. } => self.url(),
        }
    }

    /// Executes `text` on the database behind the back of the server.
    pub(crate) fn execute(&self, text: &str) {
        match self {
            Self::Folder(_) => self.file().batch_execute(text).unwrap(),
            Self::Schema { .. } => PgConnection::establish(&self.url()).unwrap().batch_execute(text).unwrap(),
        }
    }

    /// The whole journal, in the order of its times.
    pub(crate) fn journal(&self) -> Vec<Record> {
        let query = sql_query("SELECT part, entry FROM audit ORDER BY recorded, seq");
        match self {
            Self::Folder(_) => query.load(&mut self.file()).unwrap(),
            Self::Schema { .. } => query.load(&mut PgConnection::establish(&self.url()).unwrap()).unwrap(),
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

    fn url(&self) -> String {
        let Self::Schema { server, name } = self else { panic!("a server") };
        let separator = if server.contains('?') { '&' } else { '?' };
        format!("{server}{separator}options=-csearch_path%3D{name}")
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if let Self::Schema { server, name } = self {
            PgConnection::establish(server).unwrap().batch_execute(&format!("DROP SCHEMA {name} CASCADE")).unwrap();
        }
    }
}

#[allow(clippy::disallowed_methods, reason = "tests are told by their environment")]
fn server() -> Option<String> {
    std::env::var(SERVER).ok()
}
