//! The server of the database is killed under load and comes back: nothing acknowledged is lost, and nobody has to help.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use tokio::sync::Semaphore;

use crate::support::client::Client;
use crate::support::cluster::Cluster;
use crate::support::place::Place;
use crate::support::process::Process;
use crate::support::resources::patient_saying;

const WRITERS: usize = 16;
/// Writes that are acknowledged before the database is killed, and as many after it came back.
const ACKNOWLEDGED_WRITES: u32 = 200;

/// What one writer was told: the last version of its instance, and how often the database was said to be away.
struct Told {
    name: String,
    version: u64,
    away: u32,
}

/// The version that is there after a write whose end nobody knows: the one before, or the next.
async fn there(client: &Client, place: &str, before: u64) -> u64 {
    loop {
        let answer = client.get(place).await;
        let version = match answer.status {
            503 => continue,
            404 => 0,
            _ => answer.expect(200).header("ETag").trim_matches(|c: char| !c.is_ascii_digit()).parse().unwrap(),
        };
        assert!(version == before || version == before + 1, "{place}: {version} after {before}");
        return version;
    }
}

/// Updates one instance, each time expecting the version it knows of, until enough was acknowledged.
async fn write(client: Client, writer: usize, left: Arc<AtomicU32>, count: Arc<Semaphore>) -> Told {
    let mut told = Told { name: format!("w{writer}"), version: 0, away: 0 };
    let place = format!("Patient/{}", told.name);
    while told.version == 0 || left.load(Ordering::Relaxed) > 0 {
        let expected = format!("W/\"{}\"", told.version);
        let update = client.put(&place, &patient_saying(&told.name, told.version));
        let answer = if told.version == 0 { update.await } else { update.header("If-Match", &expected).await };
        match answer.status {
            200 | 201 => {
                let version: u64 = answer.header("ETag").trim_matches(|c: char| !c.is_ascii_digit()).parse().unwrap();
                assert_eq!(version, told.version + 1, "{place}: a version nobody was told of, or one twice");
                told.version = version;
                count.add_permits(1);
                let _ = left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1));
            }
            503 => {
                assert!(answer.headers.contains_key("Retry-After"));
                told.away += 1;
                told.version = there(&client, &place, told.version).await;
            }
            status => panic!("{place}: {status}"),
        }
    }
    told
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "starts a server of PostgreSQL"]
async fn no_acknowledged_write_is_lost_when_the_database_is_killed() {
    let cluster = Cluster::start(&[]);
    let store = Place::on(&cluster);
    let server = Process::start(&store, &[]);
    let (left, count) = (Arc::new(AtomicU32::new(2 * ACKNOWLEDGED_WRITES)), Arc::new(Semaphore::new(0)));
    let writers: Vec<_> = (0..WRITERS)
        .map(|writer| tokio::spawn(write(Client::new(server.base()), writer, Arc::clone(&left), Arc::clone(&count))))
        .collect();
    let _ = count.acquire_many(ACKNOWLEDGED_WRITES).await.unwrap();
    cluster.restart();
    let client = Client::new(server.base());
    for writer in writers {
        let told = writer.await.unwrap();
        let place = format!("Patient/{}", told.name);
        let history = client.get(&format!("{place}/_history?_count=1000")).await.expect(200).json();
        assert_eq!(history["entry"].as_array().unwrap().len() as u64, told.version, "{place}: {} times away", told.away);
    }
}
