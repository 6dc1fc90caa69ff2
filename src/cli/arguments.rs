//! The words of the command line.

use std::path::PathBuf;

use crate::config::{ContentPlace, ContentSettings, StoreSettings};
use crate::store::Holding;
use clap::{Args, Parser, Subcommand, ValueEnum};

const EXAMPLES: &str = "\
Examples:
  carnet
      Serve http://127.0.0.1:8080/fhir from ./data/carnet.sqlite.
  carnet --listen 127.0.0.1:0 --store sqlite:/tmp/try.sqlite
      Serve another file on a free port; the last line printed names the base URL.
  carnet load examples/patient.json examples/lab-result-bundle.json
      Store files through the server that listens on http://127.0.0.1:8080/fhir.
  carnet config check --config carnet.toml
      Show every setting in force and where it comes from.

Every setting can also stand in a file (--config) or in the environment (CARNET_LISTEN,
CARNET_STORE, …). A flag rules over the environment, the environment over the file.";

const SERVE_EXAMPLES: &str = "\
Examples:
  carnet serve
  carnet serve --listen 0.0.0.0:8080 --base-url https://carnet.example/fhir --security enforced
  CARNET_LOG_FORMAT=json carnet serve --config /etc/carnet.toml

Once ready, one line on standard output ends in 'listening on <base URL>'.
Stop it with Ctrl-C or SIGTERM: what was accepted is finished first.";

const LOAD_EXAMPLES: &str = "\
Examples:
  carnet load examples
      A folder: every .json and .ndjson file under it, to http://127.0.0.1:8080/fhir.
  carnet load --to https://carnet.example/fhir patient.json observations.ndjson
  carnet load --store sqlite:./data/carnet.sqlite export/
      Straight into a store, without a server (none may be running on it).

Transactions and batches are sent as they are; the entries of any other Bundle become one
transaction. A resource with an id is stored under it (PUT), one without gets one (POST).
The exit status is 1 if anything was refused.";

const MIGRATE_EXAMPLES: &str = "\
Examples:
  carnet migrate
  carnet migrate --store sqlite:/var/lib/carnet/carnet.sqlite";

const VERIFY_EXAMPLES: &str = "\
Examples:
  carnet verify
  carnet verify --store postgres://carnet@db/carnet --config /etc/carnet.toml

Give the settings of the server (base URL, time zone): the index depends on them. A file
must not be in use; a store on a server of PostgreSQL may be. Nothing is changed. Each fault
is one line on standard error; the exit status is 1 if there is any.";

const COPY_EXAMPLES: &str = "\
Examples:
  carnet copy --from sqlite:./data/carnet.sqlite --to postgres://carnet@db/carnet
  carnet copy --from postgres://carnet@db/carnet --to sqlite:/backup/carnet.sqlite

The copy has the same ids, versions, contents, index and journal. Stop what writes to the first store.
The second must be empty; after an interruption the same command goes on where it was.";

const REINDEX_EXAMPLES: &str = "\
Examples:
  carnet reindex
      Have the server on http://127.0.0.1:8080/fhir index everything anew, while it goes on serving.
  carnet reindex --to https://carnet.example/fhir --parameter eye-colour
      Only the types on which SearchParameter/eye-colour is defined.
  carnet reindex --store sqlite:./data/carnet.sqlite
      In a store, without a server (none may be running on a file). Give the settings of the server.

A search parameter finds new resources at once, older ones once they are indexed anew. What was interrupted
goes on with the next server that opens the store.";

const EXPLAIN_EXAMPLES: &str = "\
Examples:
  carnet explain 'DocumentReference?patient=Patient/p1&type=http://loinc.org|11502-2&_sort=-date'
  carnet explain 'Patient?name=durand&_total=accurate' --store postgres://carnet@db/carnet

The search is carried out. Shown are the statements, how long each took, and the database's own plan with the
indexes it uses; of what was found, only how many. A file must not be in use by a server.";

const CHECK_EXAMPLES: &str = "\
Examples:
  carnet config check
  CARNET_LIMITS_BODY_BYTES=1048576 carnet config check --config carnet.toml";

const BENCH_EXAMPLES: &str = "\
Examples:
  carnet bench
      Everything: six interactions at 1, 16 and 64 connections, three rounds.
  carnet bench --only read,create --connections 64 --duration 5
  carnet bench --audit on --ndjson > bench.ndjson

Each figure stands beside raw limits of the same run: an HTTP handler that does nothing but
answer the same bytes, and the same rows written and read by plain SQL.";

const BENCH_SEARCH_EXAMPLES: &str = "\
Examples:
  carnet bench search
      Stores of 100,000 and 1,000,000 resources, every kind of search at 16 connections.
  carnet bench search --dossiers 20000 --keep data/bench --only list-of-200,chain
      Writes the store once and measures it again and again.

Each figure stands beside a handler that does nothing but answer the same bytes. Pages are those of the
database that a search inside a dossier touches.";

/// The command line.
#[derive(Debug, Parser)]
#[command(name = "carnet", version, about = "FHIR R4 server of the shared health dossier", after_help = EXAMPLES)]
#[command(args_conflicts_with_subcommands = true, max_term_width = 120)]
pub(super) struct CommandLine {
    #[command(subcommand)]
    pub(super) command: Option<Command>,
    #[command(flatten)]
    pub(super) serve: SettingFlags,
}

/// What is to be done; `serve` where nothing is said.
#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Serve FHIR (the default command)
    #[command(after_help = SERVE_EXAMPLES)]
    Serve(SettingFlags),
    /// Store files: Bundles, single resources, NDJSON, folders of them
    #[command(after_help = LOAD_EXAMPLES)]
    Load(LoadArguments),
    /// Bring the store to the schema of this version
    #[command(after_help = MIGRATE_EXAMPLES)]
    Migrate(StoreFlags),
    /// Find whatever is wrong in the store
    #[command(after_help = VERIFY_EXAMPLES)]
    Verify(VerifyFlags),
    /// Copy a store into an empty one, of either back end
    #[command(after_help = COPY_EXAMPLES)]
    Copy(CopyArguments),
    /// Index anew what rests already, by the search parameters in use now
    #[command(after_help = REINDEX_EXAMPLES)]
    Reindex(ReindexArguments),
    /// Show what a search costs: its statements, their time, the indexes they use
    #[command(after_help = EXPLAIN_EXAMPLES)]
    Explain(ExplainArguments),
    /// Look at the configuration
    #[command(subcommand)]
    Config(ConfigCommand),
    /// Measure this server beside what its machine can do at most
    #[command(after_help = BENCH_EXAMPLES)]
    Bench(BenchArguments),
    /// Answer fixed bytes: the yardstick of `bench`
    #[command(hide = true)]
    BenchLimit {
        /// The folder of the answers.
        folder: PathBuf,
    },
}

/// What can be done with the configuration.
#[derive(Debug, Subcommand)]
pub(super) enum ConfigCommand {
    /// Print every setting in force with its origin; exit status 1 if one is wrong
    #[command(after_help = CHECK_EXAMPLES)]
    Check(SettingFlags),
}

/// Flags that are settings.
#[derive(Args, Debug, Default)]
pub(super) struct SettingFlags {
    /// The address to listen on; port 0 picks a free one [default: 127.0.0.1:8080]
    #[arg(long, value_name = "ADDR:PORT")]
    listen: Option<String>,
    /// The service base URL that clients use [default: http://ADDR:PORT/fhir]
    #[arg(long, value_name = "URL")]
    base_url: Option<String>,
    /// Whether the rules of the dossier are enforced: open or enforced [default: open]
    #[arg(long, value_name = "MODE")]
    security: Option<String>,
    #[command(flatten)]
    store: StoreFlags,
}

/// Flags of commands that only need the store.
#[derive(Args, Debug, Default)]
pub(super) struct StoreFlags {
    /// sqlite:PATH or postgres://USER:PASSWORD@HOST:PORT/DATABASE [default: sqlite:./data/carnet.sqlite]
    #[arg(long, value_name = "STORE")]
    store: Option<String>,
    /// A TOML file of settings [default: the file CARNET_CONFIG names, or none]
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

/// What `verify` is told.
#[derive(Args, Debug, Default)]
pub(super) struct VerifyFlags {
    /// The service base URL of the server [default: http://127.0.0.1:8080/fhir]
    #[arg(long, value_name = "URL")]
    base_url: Option<String>,
    #[command(flatten)]
    store: StoreFlags,
}

/// What `copy` is told.
#[derive(Args, Debug)]
pub(super) struct CopyArguments {
    /// The store to be copied: sqlite:PATH or postgres://…
    #[arg(long, value_name = "STORE")]
    pub(super) from: StoreSettings,
    /// The store to be written, which is empty
    #[arg(long, value_name = "STORE")]
    pub(super) to: StoreSettings,
    /// Where the contents of the first store rest: file:PATH or s3://BUCKET/PREFIX [default: beside it]
    #[arg(long, value_name = "PLACE")]
    from_content: Option<ContentPlace>,
    /// Where the contents of the second store are to rest [default: beside it]
    #[arg(long, value_name = "PLACE")]
    to_content: Option<ContentPlace>,
    /// A TOML file of settings, for the keys of buckets [default: the file CARNET_CONFIG names, or none]
    #[arg(long, value_name = "FILE")]
    pub(super) config: Option<PathBuf>,
}

/// What `load` is told.
#[derive(Args, Debug)]
pub(super) struct LoadArguments {
    /// The service base URL to send to
    #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:8080/fhir", conflicts_with = "store")]
    pub(super) to: String,
    /// Store without a server: sqlite:PATH or postgres://…
    #[arg(long, value_name = "STORE")]
    pub(super) store: Option<String>,
    /// A TOML file of settings, for --store
    #[arg(long, value_name = "FILE", requires = "store")]
    pub(super) config: Option<PathBuf>,
    /// The service base URL that references in the files may begin with, for --store
    #[arg(long, value_name = "URL", requires = "store")]
    pub(super) base_url: Option<String>,
    /// Files and folders
    #[arg(required = true, value_name = "PATH")]
    pub(super) paths: Vec<PathBuf>,
}

/// What `explain` is told.
#[derive(Args, Debug)]
pub(super) struct ExplainArguments {
    /// The search, as after the base URL
    #[arg(value_name = "SEARCH")]
    pub(super) search: String,
    /// The service base URL of the server [default: http://127.0.0.1:8080/fhir]
    #[arg(long, value_name = "URL")]
    base_url: Option<String>,
    #[command(flatten)]
    store: StoreFlags,
}

/// What `reindex` is told.
#[derive(Args, Debug)]
pub(super) struct ReindexArguments {
    /// The service base URL of the server that does it
    #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:8080/fhir", conflicts_with = "store")]
    pub(super) to: String,
    /// Do it without a server: sqlite:PATH or postgres://…
    #[arg(long, value_name = "STORE")]
    pub(super) store: Option<String>,
    /// A TOML file of settings, for --store
    #[arg(long, value_name = "FILE", requires = "store")]
    config: Option<PathBuf>,
    /// The service base URL of the server, for --store
    #[arg(long, value_name = "URL", requires = "store")]
    base_url: Option<String>,
    /// Only the types of the SearchParameter with this id
    #[arg(long, value_name = "ID")]
    pub(super) parameter: Option<String>,
}

/// What `bench` is told.
#[derive(Args, Debug)]
#[command(args_conflicts_with_subcommands = true)]
pub(super) struct BenchArguments {
    #[command(subcommand)]
    pub(super) only_searches: Option<BenchCommand>,
    /// How long one figure is measured, in seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 2.0)]
    pub(super) duration: f64,
    /// How often each figure is measured; the median is shown
    #[arg(long, value_name = "N", default_value_t = 3)]
    pub(super) rounds: usize,
    /// Which interactions
    #[arg(long, value_name = "LIST", value_delimiter = ',')]
    pub(super) only: Vec<Measured>,
    /// How many connections at once
    #[arg(long, value_name = "LIST", value_delimiter = ',', default_values_t = [1, 16, 64])]
    pub(super) connections: Vec<usize>,
    /// Whether the server journals every access
    #[arg(long, value_name = "on|off", default_value = "off")]
    pub(super) audit: Switch,
    /// One JSON object a figure instead of a table
    #[arg(long)]
    pub(super) ndjson: bool,
    /// A PostgreSQL to measure on, in a schema that is made and removed; needs pgbench [default: a file of SQLite]
    #[arg(long, value_name = "POSTGRES-URL")]
    pub(super) store: Option<String>,
    /// Where the store is seeded, and removed afterwards [default: data]
    #[arg(long, value_name = "FOLDER")]
    pub(super) folder: Option<PathBuf>,
}

/// What else `bench` measures.
#[derive(Debug, Subcommand)]
pub(super) enum BenchCommand {
    /// Searches inside a dossier and across dossiers, in stores of several sizes
    #[command(after_help = BENCH_SEARCH_EXAMPLES)]
    Search(SearchBenchArguments),
}

/// What `bench search` is told.
#[derive(Args, Debug)]
pub(super) struct SearchBenchArguments {
    /// How many dossiers of 50 resources a store has; one store after the other is measured
    #[arg(long, value_name = "LIST", value_delimiter = ',', default_values_t = [2_000, 20_000])]
    pub(super) dossiers: Vec<u64>,
    /// How long one figure is measured, in seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 2.0)]
    pub(super) duration: f64,
    /// How often each figure is measured; the median is shown
    #[arg(long, value_name = "N", default_value_t = 3)]
    pub(super) rounds: usize,
    /// How many connections at once
    #[arg(long, value_name = "N", default_value_t = 16)]
    pub(super) connections: usize,
    /// Which searches, by the names of the report
    #[arg(long, value_name = "LIST", value_delimiter = ',')]
    pub(super) only: Vec<String>,
    /// One JSON object a figure instead of a table
    #[arg(long)]
    pub(super) ndjson: bool,
    /// A PostgreSQL to measure on, in a schema that is made and removed [default: a file of SQLite]
    #[arg(long, value_name = "POSTGRES-URL")]
    pub(super) store: Option<String>,
    /// Keep the files of SQLite in this folder, and take what an earlier run left there
    #[arg(long, value_name = "FOLDER", conflicts_with = "store")]
    pub(super) keep: Option<PathBuf>,
    /// Where everything else rests, and is removed afterwards [default: data]
    #[arg(long, value_name = "FOLDER")]
    pub(super) folder: Option<PathBuf>,
}

/// An interaction that `bench` measures.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
#[allow(missing_docs, reason = "the names are the interactions of the standard")]
pub(super) enum Measured {
    Read,
    Vread,
    Create,
    Update,
    Search,
    Transaction,
}

/// On or off.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
#[allow(missing_docs, reason = "the names say it")]
pub(super) enum Switch {
    On,
    Off,
}

/// A flag as [`crate::config`] takes it: as written, the key it sets, the value.
type Flag = (&'static str, &'static str, String);

impl SettingFlags {
    /// The file named and the flags given.
    pub(super) fn sources(&self) -> (Option<PathBuf>, Vec<Flag>) {
        let (file, mut flags) = self.store.sources();
        flags.extend(flag("--listen", "listen", self.listen.as_ref()));
        flags.extend(flag("--base-url", "base_url", self.base_url.as_ref()));
        flags.extend(flag("--security", "security.mode", self.security.as_ref()));
        (file, flags)
    }
}

impl StoreFlags {
    /// The file named and the flags given.
    pub(super) fn sources(&self) -> (Option<PathBuf>, Vec<Flag>) {
        (self.config.clone(), flag("--store", "store", self.store.as_ref()).into_iter().collect())
    }
}

impl CopyArguments {
    /// The store to be copied and the one to be written.
    pub(super) fn holdings(&self) -> [Holding; 2] {
        let holding = |store: &StoreSettings, place: &Option<ContentPlace>| {
            let beside = || ContentSettings::default().place_beside(store);
            Holding { store: store.clone(), contents: place.clone().unwrap_or_else(beside) }
        };
        [holding(&self.from, &self.from_content), holding(&self.to, &self.to_content)]
    }
}

impl VerifyFlags {
    /// The file named and the flags given.
    pub(super) fn sources(&self) -> (Option<PathBuf>, Vec<Flag>) {
        let (file, mut flags) = self.store.sources();
        flags.extend(flag("--base-url", "base_url", self.base_url.as_ref()));
        (file, flags)
    }
}

impl ExplainArguments {
    /// The file named and the flags given.
    pub(super) fn sources(&self) -> (Option<PathBuf>, Vec<Flag>) {
        let (file, mut flags) = self.store.sources();
        flags.extend(flag("--base-url", "base_url", self.base_url.as_ref()));
        (file, flags)
    }
}

impl ReindexArguments {
    /// The file named and the flags given, for a store without a server.
    pub(super) fn sources(&self) -> (Option<PathBuf>, Vec<Flag>) {
        let store = flag("--store", "store", self.store.as_ref());
        let base_url = flag("--base-url", "base_url", self.base_url.as_ref());
        (self.config.clone(), store.into_iter().chain(base_url).collect())
    }
}

impl LoadArguments {
    /// The file named and the flags given, for a load without a server.
    pub(super) fn sources(&self) -> (Option<PathBuf>, Vec<Flag>) {
        let store = flag("--store", "store", self.store.as_ref());
        let base_url = flag("--base-url", "base_url", self.base_url.as_ref());
        (self.config.clone(), store.into_iter().chain(base_url).collect())
    }
}

fn flag(name: &'static str, key: &'static str, value: Option<&String>) -> Option<Flag> {
    value.map(|value| (name, key, value.clone()))
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        CommandLine::command().debug_assert();
    }

    #[test]
    fn serve_is_the_default_command() {
        let bare = CommandLine::try_parse_from(["carnet"]).unwrap();
        assert!(bare.command.is_none());
        let flagged = CommandLine::try_parse_from(["carnet", "--listen", "127.0.0.1:0", "--security", "open"]).unwrap();
        assert!(flagged.command.is_none());
        assert_eq!(
            flagged.serve.sources().1,
            [("--listen", "listen", "127.0.0.1:0".to_owned()), ("--security", "security.mode", "open".to_owned())]
        );
        let named = CommandLine::try_parse_from(["carnet", "serve", "--store", "sqlite:a"]).unwrap();
        assert!(matches!(named.command, Some(Command::Serve(_))));
    }

    #[test]
    fn load_goes_to_a_server_or_to_a_store_but_not_to_both() {
        assert!(CommandLine::try_parse_from(["carnet", "load", "--to", "http://h", "--store", "sqlite:a", "f"]).is_err());
        assert!(CommandLine::try_parse_from(["carnet", "load", "--store", "sqlite:a", "f"]).is_ok());
        assert!(CommandLine::try_parse_from(["carnet", "load"]).is_err());
    }
}
