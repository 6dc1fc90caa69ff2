//! Driving a server: so many connections, each sending its next request when the last one is answered, for so long.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::task::JoinSet;

use super::client::Connection;
use super::random::Sequence;
use super::scenario::Scenario;
use super::statistics::Sample;

/// Driven before anything is counted: caches fill, threads wake.
const WARM_UP: Duration = Duration::from_millis(200);

/// Drives the server at `address` with `scenario` over `connections` for `duration`.
pub(super) async fn drive(
    address: SocketAddr,
    scenario: &Arc<Scenario>,
    connections: usize,
    duration: Duration,
) -> Result<Sample, String> {
    let mut workers = Vec::with_capacity(connections);
    for index in 0..connections {
        let connection = Connection::open(address).await.map_err(|error| error.to_string())?;
        let mut own: Vec<usize> = (index..scenario.requests.len()).step_by(connections).collect();
        if own.is_empty() {
            own = (0..scenario.requests.len()).collect();
        }
        workers.push(Worker { connection, scenario: Arc::clone(scenario), own, random: Sequence::new(index as u64) });
    }
    let begin = Instant::now() + WARM_UP;
    let mut running = JoinSet::new();
    for worker in workers {
        running.spawn(worker.run(begin, begin + duration));
    }
    let (mut latencies, mut errors) = (Vec::new(), 0);
    while let Some(ended) = running.join_next().await {
        let tally = ended.map_err(|error| error.to_string())?.map_err(|error| error.to_string())?;
        latencies.extend(tally.latencies_micros);
        errors += tally.errors;
    }
    Ok(Sample::of(latencies, duration, errors))
}

struct Worker {
    connection: Connection,
    scenario: Arc<Scenario>,
    /// Which of the requests are this worker's.
    own: Vec<usize>,
    random: Sequence,
}

#[derive(Default)]
struct Tally {
    latencies_micros: Vec<u32>,
    errors: u64,
}

impl Worker {
    async fn run(mut self, begin: Instant, end: Instant) -> std::io::Result<Tally> {
        let mut tally = Tally::default();
        let mut sent = Instant::now();
        while sent < end {
            let index = self.random.one_of(&self.own).copied().unwrap_or_default();
            let request = self.scenario.request(index, self.random.next());
            let status = self.connection.exchange(&request).await?.status;
            let answered = Instant::now();
            if status != self.scenario.expected {
                tally.errors += 1;
            } else if sent >= begin && answered <= end {
                tally.latencies_micros.push(u32::try_from((answered - sent).as_micros()).unwrap_or(u32::MAX));
            }
            sent = answered;
        }
        Ok(tally)
    }
}
