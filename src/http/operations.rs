//! What operators and their machines ask, outside the FHIR service: is it alive, is it ready, what has it counted. Nobody needs
//! credentials for it, since nothing of a dossier is in the answers.
//!
//! `/health/live`: the process answers. `/health/ready`: the store answers too, otherwise 503. `/metrics`: counts in the text
//! format of Prometheus.

use std::time::Duration;

use actix_web::http::{Method, StatusCode, header};
use actix_web::rt::time::timeout;
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};

use super::door::Door;
use super::exposition::{Exposition, MEDIA_TYPE, Sort, seconds};
use super::metrics::{BOUNDS_MICROS, Metrics};
use super::process;

/// How long the store has to answer before it counts as away.
const READY_PATIENCE: Duration = Duration::from_secs(5);

const OFFERED: &str = "GET, HEAD";

/// What is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operation {
    Live,
    Ready,
    Metrics,
}

impl Operation {
    /// The operation at `path`.
    pub(super) fn at(path: &str) -> Option<Self> {
        match path {
            "/health/live" => Some(Self::Live),
            "/health/ready" => Some(Self::Ready),
            "/metrics" => Some(Self::Metrics),
            _ => None,
        }
    }
}

/// Answers a request to the address that is for operators alone.
pub(super) async fn answer(http: HttpRequest) -> HttpResponse {
    let (door, operation) = (http.app_data::<Data<Door>>(), Operation::at(http.uri().path()));
    match door.zip(operation) {
        Some((door, operation)) => perform(door, operation, http.method()).await,
        None => said(StatusCode::NOT_FOUND, "here are /metrics, /health/live and /health/ready"),
    }
}

/// Does `operation`.
pub(super) async fn perform(door: &Door, operation: Operation, method: &Method) -> HttpResponse {
    if !matches!(*method, Method::GET | Method::HEAD) {
        let mut refused = said(StatusCode::METHOD_NOT_ALLOWED, "this is only read");
        refused.headers_mut().insert(header::ALLOW, header::HeaderValue::from_static(OFFERED));
        return refused;
    }
    match operation {
        Operation::Live => said(StatusCode::OK, "live"),
        Operation::Ready => ready(door).await,
        Operation::Metrics => HttpResponse::Ok()
            .insert_header((header::CONTENT_TYPE, MEDIA_TYPE))
            .insert_header((header::CACHE_CONTROL, "no-store"))
            .body(exposition(door)),
    }
}

async fn ready(door: &Door) -> HttpResponse {
    match timeout(READY_PATIENCE, door.engine.ready()).await {
        Ok(Ok(())) => said(StatusCode::OK, "ready"),
        Ok(Err(failure)) => {
            tracing::warn!(target: "carnet::failure", kind = %failure.kind(), cause = failure.cause().map(tracing::field::display), "not ready");
            said(StatusCode::SERVICE_UNAVAILABLE, "the store does not answer")
        }
        Err(_) => said(StatusCode::SERVICE_UNAVAILABLE, "the store does not answer in time"),
    }
}

fn said(status: StatusCode, what: &str) -> HttpResponse {
    HttpResponse::build(status)
        .insert_header((header::CONTENT_TYPE, "text/plain; charset=utf-8"))
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .body(format!("{what}\n"))
}

fn exposition(door: &Door) -> String {
    let mut text = Exposition::default();
    let version = env!("CARGO_PKG_VERSION");
    text.family("carnet_build_info", Sort::Gauge, "The version that runs.").labelled(&[("version", version)], 1);
    requests(&mut text, &door.metrics);
    connections(&mut text, door);
    store(&mut text, door);
    of_the_process(&mut text, door);
    text.finish()
}

fn requests(text: &mut Exposition, metrics: &Metrics) {
    let observed: Vec<_> = metrics.observed().collect();
    let mut family = text.family("carnet_requests_total", Sort::Counter, "Requests answered, by interaction and HTTP status.");
    for one in &observed {
        for (status, count) in &one.statuses {
            let status = if *status == 0 { "other".to_owned() } else { status.to_string() };
            family.labelled(&[("interaction", one.interaction), ("status", &status)], count);
        }
    }
    let help = "Time from the head of a request to its answer, by interaction.";
    let mut family = text.family("carnet_request_duration_seconds", Sort::Histogram, help);
    for one in &observed {
        let interaction = ("interaction", one.interaction);
        for (bound, within) in BOUNDS_MICROS.iter().zip(&one.within) {
            family.sample("_bucket", &[interaction, ("le", &seconds(*bound))], within);
        }
        family.sample("_bucket", &[interaction, ("le", "+Inf")], one.count);
        family.sample("_sum", &[interaction], seconds(one.micros));
        family.sample("_count", &[interaction], one.count);
    }
    text.family("carnet_requests_in_flight", Sort::Gauge, "Requests that wait for their answer.").value(metrics.in_flight());
}

fn connections(text: &mut Exposition, door: &Door) {
    text.family("carnet_connections", Sort::Gauge, "Open HTTP connections.").value(door.metrics.connections());
    text.family("carnet_connections_limit", Sort::Gauge, "HTTP connections that may be open (limits.connections).")
        .value(door.connections);
}

fn store(text: &mut Exposition, door: &Door) {
    let store = door.engine.statistics();
    let both = [("read", store.reading), ("write", store.writing)];
    let mut family = text.family("carnet_store_threads", Sort::Gauge, "Threads of the store; each has a connection of its own.");
    both.iter().for_each(|(queue, work)| family.labelled(&[("queue", queue)], work.threads));
    let mut family = text.family("carnet_store_threads_idle", Sort::Gauge, "Threads of the store that have nothing to do.");
    both.iter().for_each(|(queue, work)| family.labelled(&[("queue", queue)], work.idle));
    let mut family = text.family("carnet_store_queue_depth", Sort::Gauge, "Work that waits for a thread of the store.");
    both.iter().for_each(|(queue, work)| family.labelled(&[("queue", queue)], work.waiting));
    let mut family = text.family("carnet_store_queue_limit", Sort::Gauge, "Work that may wait; more is answered 503.");
    both.iter().for_each(|(queue, work)| family.labelled(&[("queue", queue)], work.limit));
    let grouping = store.grouping;
    text.family("carnet_store_changes_total", Sort::Counter, "Changes committed; one is everything a request writes.")
        .value(grouping.changes);
    text.family("carnet_store_commits_total", Sort::Counter, "Transactions in which changes were committed together.")
        .value(grouping.transactions);
}

fn of_the_process(text: &mut Exposition, door: &Door) {
    text.family("process_start_time_seconds", Sort::Gauge, "When the server started, in seconds since 1970.")
        .value(seconds(door.started_micros));
    let spent = u64::try_from(process::processor_time().as_micros()).unwrap_or(u64::MAX);
    text.family("process_cpu_seconds_total", Sort::Counter, "Time the processors spent on it.").value(seconds(spent));
    if let Some(memory) = process::memory() {
        text.family("process_resident_memory_bytes", Sort::Gauge, "Memory held in the machine.").value(memory.resident);
        text.family("process_virtual_memory_bytes", Sort::Gauge, "Memory addressed.").value(memory.virtual_size);
    }
    if let Some(files) = process::open_files() {
        text.family("process_open_fds", Sort::Gauge, "Open files, connections included.").value(files);
    }
    if let Some(most) = process::most_files() {
        text.family("process_max_fds", Sort::Gauge, "Files that may be open.").value(most);
    }
}
