//! Kill -9 under load loses nothing acknowledged; SIGTERM finishes what was accepted.

use std::sync::{Arc, Mutex};

use tokio::sync::Semaphore;

use crate::support::client::{Client, FHIR_JSON};
use crate::support::place::Place;
use crate::support::process::Process;
use crate::support::resources::{patient_called, patient_saying, post_entry, put_entry, transaction, weight};
use crate::support::wire::Wire;

const WRITERS: usize = 16;
/// How many writes are acknowledged before the process is killed.
const ACKNOWLEDGED_WRITES: u32 = 400;

/// What a client was told: a place and the version that is there.
type Acknowledged = Arc<Mutex<Vec<(String, u64)>>>;

/// Creates, updates and pushes transactions until the server is no more.
async fn write_until_the_end(client: Client, writer: usize, told: Acknowledged, count: Arc<Semaphore>) {
    let own = format!("w{writer}");
    for round in 0.. {
        let created = format!("w{writer}-{round}");
        let bundle = transaction(&[
            put_entry(&patient_called(&format!("{created}-t"))),
            post_entry("urn:uuid:00000000-0000-4000-8000-000000000001", &weight(&format!("Patient/{created}-t"), 1)),
        ]);
        let Some(update) = client.put(&format!("Patient/{own}"), &patient_saying(&own, round)).answered().await else { return };
        assert!(matches!(update.status, 200 | 201), "{}", update.status);
        let version = update.header("ETag").trim_matches(|c: char| !c.is_ascii_digit()).parse().unwrap();
        told.lock().unwrap().push((format!("Patient/{own}"), version));
        let Some(create) = client.put(&format!("Patient/{created}"), &patient_called(&created)).answered().await else { return };
        assert_eq!(create.status, 201);
        told.lock().unwrap().push((format!("Patient/{created}"), 1));
        let Some(pushed) = client.post("", &bundle).answered().await else { return };
        let entries = pushed.expect(200).json()["entry"].clone();
        for entry in entries.as_array().unwrap() {
            let location = entry["response"]["location"].as_str().unwrap().split("/_history").next().unwrap().to_owned();
            let mut parts = location.rsplit('/');
            let (id, kind) = (parts.next().unwrap(), parts.next().unwrap());
            told.lock().unwrap().push((format!("{kind}/{id}"), 1));
        }
        count.add_permits(3);
    }
}

#[tokio::test]
async fn kill_9_under_load_loses_nothing_that_was_acknowledged() {
    let store = Place::new();
    let server = Process::start(&store, &[]);
    let (told, count) = (Acknowledged::default(), Arc::new(Semaphore::new(0)));
    let writers: Vec<_> = (0..WRITERS)
        .map(|writer| {
            let client = Client::new(server.base());
            tokio::spawn(write_until_the_end(client, writer, Arc::clone(&told), Arc::clone(&count)))
        })
        .collect();
    let _ = count.acquire_many(ACKNOWLEDGED_WRITES).await.unwrap();
    server.kill();
    for writer in writers {
        writer.await.unwrap();
    }

    let server = Process::start(&store, &[]);
    let client = Client::new(server.base());
    let told = told.lock().unwrap().clone();
    assert!(told.len() >= ACKNOWLEDGED_WRITES as usize);
    for (place, version) in told {
        let answer = client.get(&format!("{place}/_history/{version}")).await;
        assert_eq!(answer.status, 200, "{place} in version {version} was acknowledged and is lost");
        client.get(&place).await.expect(200);
    }
    // The index survived with the instances.
    assert_eq!(client.get("Patient?_id=w0").await.expect(200).resources().len(), 1);
    client.put("Patient/after", &patient_called("after")).await.expect(201);
}

/// Returns once the server has begun with `count` requests.
async fn all_under_way(server: &Process, count: usize) {
    let operators = Client::new(&format!("http://{}", server.address()));
    let in_flight = |metrics: &str| {
        let value = metrics.lines().find_map(|line| line.strip_prefix("carnet_requests_in_flight "));
        value.unwrap().parse::<usize>().unwrap()
    };
    while in_flight(std::str::from_utf8(&operators.get("metrics").await.expect(200).body).unwrap()) < count {}
}

#[tokio::test]
async fn sigterm_finishes_what_was_accepted_and_then_ends() {
    let store = Place::new();
    let server = Process::start(&store, &[]);
    let mut wires = Vec::new();
    for number in 0..8 {
        let body = patient_called(&format!("p{number}")).to_string();
        let (first, rest) = body.split_at(body.len() / 2);
        let mut wire = Wire::to(server.address());
        let head = format!(
            "PUT /fhir/Patient/p{number} HTTP/1.1\r\nHost: a\r\nContent-Type: {FHIR_JSON}\r\nContent-Length: {}\r\nExpect: 100-continue\r\n\r\n",
            body.len()
        );
        assert!(wire.send(head.as_bytes()));
        // From here on the request is accepted, whichever thread has it.
        assert!(wire.head().starts_with("HTTP/1.1 100"));
        assert!(wire.send(first.as_bytes()));
        wires.push((wire, rest.to_owned()));
    }
    all_under_way(&server, wires.len()).await;
    server.terminate();
    for (wire, rest) in &mut wires {
        assert!(wire.send(rest.as_bytes()));
        let head = wire.head();
        assert!(head.starts_with("HTTP/1.1 201"), "{head:?}");
    }
    let (status, said) = server.ended();
    assert_eq!(status, Some(0), "{said}");

    let server = Process::start(&store, &[]);
    let client = Client::new(server.base());
    for number in 0..8 {
        client.get(&format!("Patient/p{number}")).await.expect(200);
    }
}

#[tokio::test]
async fn a_restart_keeps_ids_versions_and_what_is_found() {
    let store = Place::new();
    let server = Process::start(&store, &[]);
    let client = Client::new(server.base());
    let created = client.post("Patient", &crate::support::resources::patient()).await.expect(201);
    let observation = client.post("Observation", &weight(&created.place(), 70)).await.expect(201);
    client.delete(&observation.place()).await.expect(204);
    let before = client.get(&created.place()).await.expect(200);
    server.terminate();
    server.ended();

    let server = Process::start(&store, &[]);
    let client = Client::new(server.base());
    let after = client.get(&created.place()).await.expect(200);
    assert_eq!((after.body, after.headers.get("ETag")), (before.body, before.headers.get("ETag")));
    client.get(&observation.place()).await.refused(410);
    let id = created.json()["id"].as_str().unwrap().to_owned();
    assert_eq!(client.get(&format!("Patient?_id={id}")).await.expect(200).resources().len(), 1);
}
