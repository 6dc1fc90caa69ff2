//! `carnet bench`: what this server does on this machine, beside what the machine can do at most.
//!
//! A store is seeded through a server of its own, the same in every run. Each interaction is then driven over HTTP at each
//! number of connections, in turn with two yardsticks: a server that only answers the same bytes, and plain SQL that reads
//! and writes the same rows in a copy of the store. Everything shares the machine, the driver too, so ratios count.

mod child;
mod client;
mod drive;
mod limit;
mod plain;
mod random;
mod report;
mod resource;
mod scenario;
pub(super) mod search;
mod seed;
mod statistics;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::json;

use self::child::Server;
use self::client::Connection;
use self::limit::Recorded;
use self::plain::Plain;
use self::report::{Figure, HEADING};
use self::scenario::Scenario;
use self::seed::{Dossiers, SOUGHT_DOCUMENTS, Service};
use self::statistics::{Sample, median};
use super::arguments::{BenchArguments, Measured, Switch};
use super::output;
use crate::config::StoreSettings;
use crate::outcome::Failure;
use crate::store::raw::Work;
use crate::store::yardstick;

const STORE_FILE: &str = "store.sqlite";
const LOG_FILE: &str = "server.log";
const LIMIT_LOG_FILE: &str = "limit.log";
const COPY_FILE: &str = "copy.sqlite";
/// Where a store rests that nothing else is said of: a folder for temporary files might be no disk at all.
const DEFAULT_FOLDER: &str = "data";
const ANY_PORT: &str = "127.0.0.1:0";
/// A file of SQLite in WAL mode is two files; the index of the log is made anew.
const FILE_PARTS: [&str; 2] = ["", "-wal"];

/// Serves the yardstick's answers that are kept in `folder`.
pub(super) async fn serve_limit(folder: &Path) -> Result<(), String> {
    limit::serve(folder).await
}

/// Measures as `arguments` say; true: every answer was as expected.
pub(super) async fn run(arguments: &BenchArguments) -> Result<bool, String> {
    let folder = Folder::new(arguments.folder.as_deref())?;
    let place = Place::new(arguments.store.as_deref(), &folder.0)?;
    let bench = Bench::prepare(arguments, &folder.0, &place).await?;
    let mut samples = Samples::new();
    for round in 1..=arguments.rounds.max(1) {
        for server in &bench.scenarios {
            for connections in &arguments.connections {
                output::warn(format_args!("round {round}: {} at {connections}", server.measured.name()));
                let turn = bench.turn(server, (*connections).max(1)).await?;
                samples.entry((server.measured.name(), *connections)).or_default().push(turn);
            }
        }
    }
    let figures = bench.scenarios.iter().flat_map(|both| {
        let measured = both.measured;
        let of = |connections: &usize| Some(figure(measured, *connections, samples.get(&(measured.name(), *connections))?));
        arguments.connections.iter().filter_map(of).collect::<Vec<_>>()
    });
    let figures: Vec<Figure> = figures.collect();
    report(&figures, &bench.standing, arguments.ndjson);
    Ok(figures.iter().all(|figure| figure.server.errors == 0))
}

/// What one turn gave: server, HTTP yardstick, SQL yardstick.
type Turn = (Sample, Sample, f64);
type Samples = BTreeMap<(&'static str, usize), Vec<Turn>>;

fn figure(measured: Measured, connections: usize, turns: &[Turn]) -> Figure {
    let of = |pick: fn(&Turn) -> &Sample| Sample::median(&turns.iter().map(pick).cloned().collect::<Vec<_>>());
    let sql = median(turns.iter().map(|turn| turn.2).collect());
    Figure { measured, connections, server: of(|turn| &turn.0), http: of(|turn| &turn.1), sql }
}

fn report(figures: &[Figure], standing: &Standing, ndjson: bool) {
    if ndjson {
        figures.iter().for_each(|figure| output::say(figure.json()));
        return output::say(standing.json());
    }
    output::say(HEADING);
    figures.iter().for_each(|figure| output::say(figure.line()));
    output::say(standing.line());
}

/// The same requests to the server and to the yardstick.
struct Both {
    measured: Measured,
    of_server: Arc<Scenario>,
    of_limit: Arc<Scenario>,
}

/// Everything that stands ready to be measured.
struct Bench {
    server: Server,
    limit: Server,
    plain: Plain,
    folder: PathBuf,
    scenarios: Vec<Both>,
    duration: Duration,
    standing: Standing,
}

impl Bench {
    async fn prepare(arguments: &BenchArguments, folder: &Path, place: &Place) -> Result<Self, String> {
        let measured: Vec<Measured> =
            Measured::ALL.into_iter().filter(|one| arguments.only.is_empty() || arguments.only.contains(one)).collect();
        let dossiers = seeded(folder, place, &measured).await?;
        let plain = place.plain(folder)?;
        let begun = Instant::now();
        let server = start(folder, place, arguments.audit)?;
        let service = service(&server);
        answered(&service, "GET", "/metadata").await?;
        let standing = Standing { ready: begun.elapsed(), resident_kib: server.resident_kib() };
        let limit = Server::start(&["bench-limit", &text(folder)], &[], &folder.join(LIMIT_LOG_FILE))?;
        let both = |measured: Measured| {
            let of_limit = Service { address: limit.address, path: format!("/{}", measured.name()) };
            Both {
                measured,
                of_server: Arc::new(Scenario::new(measured, &service, &dossiers)),
                of_limit: Arc::new(Scenario::new(measured, &of_limit, &dossiers)),
            }
        };
        let scenarios = measured.iter().map(|measured| both(*measured)).collect();
        let duration = Duration::try_from_secs_f64(arguments.duration).map_err(|error| error.to_string())?;
        Ok(Self { server, limit, plain, folder: folder.to_owned(), scenarios, duration, standing })
    }

    /// Server and yardsticks, one after the other.
    async fn turn(&self, both: &Both, connections: usize) -> Result<Turn, String> {
        let server = drive::drive(self.server.address, &both.of_server, connections, self.duration).await?;
        let http = drive::drive(self.limit.address, &both.of_limit, connections, self.duration).await?;
        let sql = self.plain.measure(work(both.measured), connections, self.duration, &self.folder)?;
        Ok((server, http, sql))
    }
}

/// What plain SQL does for an interaction.
const fn work(measured: Measured) -> Work {
    match measured {
        Measured::Read => Work::Read,
        Measured::Vread => Work::Version,
        Measured::Create => Work::Insert,
        Measured::Update => Work::Update,
        Measured::Search => Work::Search { page: SOUGHT_DOCUMENTS as u32 },
        Measured::Transaction => Work::Push,
    }
}

fn start(folder: &Path, place: &Place, audit: Switch) -> Result<Server, String> {
    let record = match audit {
        Switch::On => "true",
        Switch::Off => "false",
    };
    // The URL of a server may hold a password, which the list of processes would show.
    let settings = [("CARNET_AUDIT_RECORD", record), ("CARNET_STORE", place.store.as_str())];
    Server::start(&["serve", "--listen", ANY_PORT], &settings, &folder.join(LOG_FILE))
}

fn service(server: &Server) -> Service {
    Service { address: server.address, path: server.path.clone() }
}

fn text(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

/// Seeds a new store, keeps one answer of each interaction for the yardstick, and ends the server.
async fn seeded(folder: &Path, place: &Place, measured: &[Measured]) -> Result<Dossiers, String> {
    output::warn("seeding");
    let server = start(folder, place, Switch::Off)?;
    let service = service(&server);
    let dossiers = seed::seed(&service).await?;
    let mut connection = Connection::open(service.address).await.map_err(|error| error.to_string())?;
    // A push leaves a submission set and a content, which the yardstick copies.
    for measured in measured.iter().copied().chain([Measured::Transaction]) {
        let scenario = Scenario::new(measured, &service, &dossiers);
        let request = scenario.requests.first().map(Vec::as_slice).unwrap_or_default();
        let answer = connection.exchange(request).await.map_err(|error| error.to_string())?;
        if answer.status != scenario.expected {
            return Err(format!("{} was answered {}", measured.name(), answer.status));
        }
        Recorded::of(&answer).keep(folder, measured.name())?;
    }
    Ok(dossiers)
}

async fn answered(service: &Service, method: &str, path: &str) -> Result<(), String> {
    let mut connection = Connection::open(service.address).await.map_err(|error| error.to_string())?;
    connection.exchange(&service.request(method, path, None)).await.map(drop).map_err(|error| error.to_string())
}

/// Copies the seeded store, which no server uses, for the yardstick.
fn copy(folder: &Path) -> Result<(), String> {
    for part in FILE_PARTS {
        let from = folder.join(format!("{STORE_FILE}{part}"));
        if from.exists() {
            std::fs::copy(&from, folder.join(format!("{COPY_FILE}{part}"))).map_err(|error| error.to_string())?;
        }
    }
    Ok(())
}

/// How the server stands before it is driven, on an existing store.
struct Standing {
    /// From its start to its first answer.
    ready: Duration,
    /// The memory it holds, where the system tells.
    resident_kib: Option<u64>,
}

impl Standing {
    fn line(&self) -> String {
        let memory = self.resident_kib.map_or_else(|| "unknown".to_owned(), |kib| format!("{:.1} MiB", kib as f64 / 1_024.0));
        format!("start to first answer {} ms, resident memory idle {memory}", self.ready.as_millis())
    }

    fn json(&self) -> serde_json::Value {
        json!({"start_to_first_answer_millis": self.ready.as_millis() as u64, "resident_idle_kib": self.resident_kib})
    }
}

/// Where the store of this run is.
struct Place {
    /// As the server is told.
    store: String,
    /// The database in which a schema was made, and the schema.
    schema: Option<(StoreSettings, String)>,
}

impl Place {
    /// In a schema of its own in the database at `url`; without one in a file in `folder`.
    fn new(url: Option<&str>, folder: &Path) -> Result<Self, String> {
        let Some(url) = url else { return Ok(Self::of_file(&folder.join(STORE_FILE))) };
        let database: StoreSettings = url.parse().map_err(|_| "a postgres:// URL is needed".to_owned())?;
        let name = format!("carnet_bench_{}", std::process::id());
        match yardstick::make_schema(&database, &name).map_err(|failure| told(&failure))? {
            StoreSettings::Postgres { url } => Ok(Self { store: url.expose().to_owned(), schema: Some((database, name)) }),
            StoreSettings::Sqlite { .. } => Err("a postgres:// URL is needed".to_owned()),
        }
    }

    fn of_file(path: &Path) -> Self {
        Self { store: format!("sqlite:{}", text(path)), schema: None }
    }

    /// The file, where it is one.
    fn file(&self) -> Option<&Path> {
        self.store.strip_prefix("sqlite:").map(Path::new)
    }

    /// Where plain SQL works, once the store is seeded and no server uses it.
    fn plain(&self, folder: &Path) -> Result<Plain, String> {
        if self.schema.is_none() {
            copy(folder)?;
            return Ok(Plain::Copy(folder.join(COPY_FILE)));
        }
        self.store.parse().map(Plain::Schema).map_err(|_| "a postgres:// URL is needed".to_owned())
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if let Some((database, name)) = &self.schema
            && let Err(failure) = yardstick::remove_schema(database, name)
        {
            output::warn(format_args!("the schema {name} is left behind: {}", told(&failure)));
        }
    }
}

fn told(failure: &Failure) -> String {
    failure.cause().map_or_else(|| failure.to_string(), ToString::to_string)
}

/// A folder of this run, removed with everything in it when the run ends.
struct Folder(PathBuf);

impl Folder {
    fn new(parent: Option<&Path>) -> Result<Self, String> {
        let folder = parent.unwrap_or(Path::new(DEFAULT_FOLDER)).join(format!("carnet-bench-{}", std::process::id()));
        std::fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
        Ok(Self(folder))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // What cannot be removed is left to the system's own cleaning.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
