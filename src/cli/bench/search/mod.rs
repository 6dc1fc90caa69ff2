//! `carnet bench search`: what searches take in stores of one size after the other, inside a dossier and across dossiers, and how many
//! pages of the database those inside a dossier touch, which must not grow with the store.

mod asked;
mod pages;
mod population;

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio::task::JoinSet;

use self::asked::Asked;
use super::child::Server;
use super::client::Connection;
use super::limit::Recorded;
use super::scenario::Scenario;
use super::seed::Service;
use super::statistics::Sample;
use super::{Folder, Place, drive, service, start, text};
use crate::cli::arguments::{SearchBenchArguments, Switch};
use crate::cli::load::{Request, Target};
use crate::cli::output;
use crate::config::{self, Settings, Sources};
use crate::store::yardstick;

/// Resources that are written at once, as a load into a store does.
const AT_ONCE: usize = 512;
const LIMIT_LOG_FILE: &str = "limit.log";
const HEADING: &str =
    "dossiers  search               matches    per s   p50 ms   p99 ms  aim ms   raw HTTP p99 ms  pages  errors";

/// Measures as `arguments` say; true: every answer was as expected.
pub(in crate::cli) async fn run(arguments: &SearchBenchArguments) -> Result<bool, String> {
    let mut figures = Vec::new();
    for dossiers in arguments.dossiers.iter().map(|dossiers| (*dossiers).max(1)) {
        let folder = Folder::new(arguments.folder.as_deref())?;
        let place = place(arguments, &folder.0, dossiers)?;
        let settings = settings(&place)?;
        let kept = arguments.keep.as_ref().is_some_and(|_| place.file().is_some_and(|file| file.exists()));
        if !kept {
            populate(&settings, dossiers).await?;
        }
        yardstick::settle(&settings.store).map_err(|failure| super::told(&failure))?;
        figures.extend(measured(arguments, (&folder.0, &place, &settings), dossiers).await?);
    }
    report(&figures, arguments.ndjson);
    Ok(figures.iter().all(|figure| figure.server.errors == 0))
}

/// Where the store of this size is: kept, or of this run alone.
fn place(arguments: &SearchBenchArguments, folder: &Path, dossiers: u64) -> Result<Place, String> {
    match &arguments.keep {
        Some(keep) => {
            std::fs::create_dir_all(keep).map_err(|error| format!("{}: {error}", keep.display()))?;
            Ok(Place::of_file(&keep.join(format!("search-{dossiers}.sqlite"))))
        }
        None => Place::new(arguments.store.as_deref(), folder),
    }
}

fn settings(place: &Place) -> Result<Settings, String> {
    let flags = vec![("--store", "store", place.store.clone())];
    let sources = Sources { file: None, environment: Vec::new(), flags };
    config::load(&sources).map(|effective| effective.settings).map_err(|faults| faults.to_string())
}

/// Fills an empty store, through the interactions of a server but without one.
async fn populate(settings: &Settings, dossiers: u64) -> Result<(), String> {
    output::warn(format_args!("writing {} resources", dossiers * population::DOSSIER_RESOURCES + population::PRACTITIONERS));
    let begun = Instant::now();
    let mut writing = Writing { target: Target::store(settings)?, under_way: JoinSet::new(), made: Vec::new() };
    for number in 0..population::PRACTITIONERS {
        writing.create(population::practitioner(number)).await?;
    }
    let practitioners = writing.finish().await?;
    for number in 0..dossiers {
        writing.create(population::patient(number)).await?;
    }
    let patients = writing.finish().await?;
    for (number, patient) in patients.iter().enumerate() {
        for resource in population::content(number as u64, patient, &practitioners) {
            writing.create(resource).await?;
        }
    }
    let written = practitioners.len() + patients.len() + writing.finish().await?.len();
    writing.target.close();
    output::warn(format_args!("{:.0} resources written a second", written as f64 / begun.elapsed().as_secs_f64()));
    Ok(())
}

/// Resources on their way into a store.
struct Writing {
    target: Target,
    under_way: JoinSet<Result<String, String>>,
    made: Vec<String>,
}

impl Writing {
    async fn create(&mut self, resource: Value) -> Result<(), String> {
        if self.under_way.len() >= AT_ONCE {
            self.finish_one().await?;
        }
        let path = resource.get("resourceType").and_then(Value::as_str).unwrap_or_default().to_owned();
        let (target, request) = (self.target.clone(), Request { put: false, path, body: resource.to_string().into_bytes() });
        self.under_way.spawn(async move { created(&target, request).await });
        Ok(())
    }

    async fn finish_one(&mut self) -> Result<bool, String> {
        let Some(ended) = self.under_way.join_next().await else { return Ok(false) };
        self.made.push(ended.map_err(|error| error.to_string())??);
        Ok(true)
    }

    /// Waits for everything; the references of what was made since the last time.
    async fn finish(&mut self) -> Result<Vec<String>, String> {
        while self.finish_one().await? {}
        Ok(std::mem::take(&mut self.made))
    }
}

/// The reference of what `request` makes.
async fn created(target: &Target, request: Request) -> Result<String, String> {
    let kind = request.path.clone();
    let answer = target.send(request).await?;
    let body: Value = serde_json::from_slice(&answer.body).map_err(|error| error.to_string())?;
    match (answer.status, body.get("id").and_then(Value::as_str)) {
        (201, Some(id)) => Ok(format!("{kind}/{id}")),
        (status, _) => Err(format!("a {kind} was answered {status}: {body}")),
    }
}

/// One line of the report.
struct Figure {
    dossiers: u64,
    asked: Asked,
    connections: usize,
    /// How many matches the first of the searches has on its page, and in all where it says so.
    matches: (u64, Option<u64>),
    server: Sample,
    http: Sample,
    /// The pages of the database it touches, inside a dossier.
    pages: Option<f64>,
}

/// Every kind of search in turn, beside a handler that answers the same bytes.
async fn measured(
    arguments: &SearchBenchArguments,
    (folder, place, settings): (&Path, &Place, &Settings),
    dossiers: u64,
) -> Result<Vec<Figure>, String> {
    let mut server = start(folder, place, Switch::Off)?;
    let patients = patients(&service(&server)).await?;
    let asked: Vec<Asked> = Asked::ALL
        .into_iter()
        .filter(|asked| arguments.only.is_empty() || arguments.only.iter().any(|one| one == asked.name()))
        .collect();
    let mut matches = Vec::with_capacity(asked.len());
    for asked in &asked {
        matches.push(sampled(&service(&server), *asked, &patients, folder).await?);
    }
    drop(server);
    let mut pages = Vec::with_capacity(asked.len());
    for asked in &asked {
        pages.push(if asked.is_of_a_dossier() { pages::touched(settings, *asked, &patients).await? } else { None });
    }
    server = start(folder, place, Switch::Off)?;
    let limit = Server::start(&["bench-limit", &text(folder)], &[], &folder.join(LIMIT_LOG_FILE))?;
    let duration = Duration::try_from_secs_f64(arguments.duration).map_err(|error| error.to_string())?;
    let mut figures = Vec::with_capacity(asked.len());
    for ((asked, matches), pages) in asked.into_iter().zip(matches).zip(pages) {
        output::warn(format_args!("{dossiers} dossiers: {}", asked.name()));
        let of_server = scenario(&service(&server), asked, &patients);
        let of_limit = scenario(&Service { address: limit.address, path: format!("/{}", asked.name()) }, asked, &patients);
        let (mut served, mut answered) = (Vec::new(), Vec::new());
        for _ in 0..arguments.rounds.max(1) {
            served.push(drive::drive(server.address, &of_server, arguments.connections.max(1), duration).await?);
            answered.push(drive::drive(limit.address, &of_limit, arguments.connections.max(1), duration).await?);
        }
        let (server, http) = (Sample::median(&served), Sample::median(&answered));
        figures.push(Figure { dossiers, asked, connections: arguments.connections, matches, server, http, pages });
    }
    Ok(figures)
}

fn scenario(service: &Service, asked: Asked, patients: &[String]) -> Arc<Scenario> {
    let requests = asked.searches(patients).into_iter().map(|search| service.request("GET", &format!("/{search}"), None));
    Arc::new(Scenario { expected: 200, varies: false, requests: requests.collect() })
}

/// Keeps the answer to one search of `asked` for the yardstick; its matches on the page and in all.
async fn sampled(service: &Service, asked: Asked, patients: &[String], folder: &Path) -> Result<(u64, Option<u64>), String> {
    let search = asked.searches(patients).into_iter().next().unwrap_or_default();
    let mut connection = Connection::open(service.address).await.map_err(|error| error.to_string())?;
    let request = service.request("GET", &format!("/{search}"), None);
    let answer = connection.exchange(&request).await.map_err(|error| error.to_string())?;
    if answer.status != 200 {
        return Err(format!("{} was answered {}: {}", asked.name(), answer.status, String::from_utf8_lossy(answer.body)));
    }
    Recorded::of(&answer).keep(folder, asked.name())?;
    let bundle: Value = serde_json::from_slice(answer.body).map_err(|error| error.to_string())?;
    let entries = bundle.get("entry").and_then(Value::as_array).map_or(0, Vec::len);
    Ok((entries as u64, bundle.get("total").and_then(Value::as_u64)))
}

/// References of all patients, page by page.
async fn patients(service: &Service) -> Result<Vec<String>, String> {
    let mut connection = Connection::open(service.address).await.map_err(|error| error.to_string())?;
    let (mut patients, mut next) = (Vec::new(), Some(String::from("/Patient?_elements=id&_count=1000")));
    while let Some(path) = next {
        let answer = connection.exchange(&service.request("GET", &path, None)).await.map_err(|error| error.to_string())?;
        let bundle: Value = serde_json::from_slice(answer.body).map_err(|error| error.to_string())?;
        let entries = bundle.get("entry").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        patients.extend(entries.iter().filter_map(|entry| Some(format!("Patient/{}", entry.pointer("/resource/id")?.as_str()?))));
        next = next_page(&bundle, service);
    }
    Ok(patients)
}

/// The link to the next page, as after the base URL.
fn next_page(bundle: &Value, service: &Service) -> Option<String> {
    let links = bundle.get("link")?.as_array()?;
    let next = links.iter().find(|link| link.get("relation").and_then(Value::as_str) == Some("next"))?;
    let (_, path) = next.get("url")?.as_str()?.split_once(&service.path)?;
    Some(path.to_owned())
}

fn report(figures: &[Figure], ndjson: bool) {
    if ndjson {
        return figures.iter().for_each(|figure| output::say(figure.json()));
    }
    output::say(HEADING);
    figures.iter().for_each(|figure| output::say(figure.line()));
}

impl Figure {
    fn line(&self) -> String {
        let (found, total) = self.matches;
        let matches = total.map_or_else(|| found.to_string(), |total| format!("{found}/{total}"));
        let millis = |micros: f64| micros / 1_000.0;
        let pages = self.pages.map_or_else(|| "-".to_owned(), |pages| format!("{pages:.0}"));
        let Sample { throughput, p50, p99, errors, .. } = &self.server;
        format!(
            "{:>8}  {:<19}  {matches:>8}  {throughput:>7.0}  {:>7.2}  {:>7.2}  {:>6}  {:>16.2}  {pages:>5}  {errors:>6}",
            self.dossiers,
            self.asked.name(),
            millis(*p50),
            millis(*p99),
            self.asked.aim_millis(),
            millis(self.http.p99),
        )
    }

    /// The same as one JSON object; every unit in the name.
    fn json(&self) -> Value {
        json!({
            "dossiers": self.dossiers,
            "search": self.asked.name(),
            "connections": self.connections,
            "matches": self.matches.0,
            "total": self.matches.1,
            "per_second": self.server.throughput,
            "p50_micros": self.server.p50,
            "p99_micros": self.server.p99,
            "aim_p99_micros": self.asked.aim_millis() * 1_000,
            "raw_http_p99_micros": self.http.p99,
            "pages": self.pages,
            "errors": self.server.errors,
        })
    }
}
