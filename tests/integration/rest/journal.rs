//! The journal of accesses: whatever is answered has been recorded.

use serde_json::{Value, json};

use crate::support::place::Record;
use crate::support::server::Server;

fn recording() -> Server {
    Server::start_with(|settings| settings.audit.record = Some(true))
}

/// Every record: its part, and what it says without the id of the request.
fn records(server: &Server) -> Vec<(i64, Value)> {
    let read = |row: Record| {
        let mut entry: Value = serde_json::from_slice(&row.entry).unwrap();
        assert!(entry.as_object_mut().unwrap().remove("request").is_some());
        (row.part, entry)
    };
    server.place.journal().into_iter().map(read).collect()
}

fn record(subtype: &str, action: &str, outcome: &str, what: &str) -> Value {
    json!({"who": "open", "subtype": subtype, "action": action, "outcome": outcome, "what": what})
}

#[test]
fn every_access_is_recorded_in_the_dossier_it_concerns() {
    let server = recording();
    let patient = json!({"resourceType": "Patient", "id": "p1"});
    server.put("/Patient/p1", &patient);
    server.get("/Patient/p1");
    server.delete("/Patient/p1");
    server.get("/Patient/p1");
    server.get("/Patient?_id=p1");
    server.get("/metadata");
    let found = records(&server);
    let entries: Vec<Value> = found.iter().map(|(_, entry)| entry.clone()).collect();
    let expected = [
        record("update", "U", "0", "Patient/p1/_history/1"),
        record("read", "R", "0", "Patient/p1/_history/1"),
        record("delete", "D", "0", "Patient/p1/_history/2"),
        record("read", "R", "4", "Patient/p1"),
        record("search-type", "E", "0", "Patient"),
    ];
    assert_eq!(entries, expected);
    let dossier = found[0].0;
    assert_ne!(dossier, 0);
    assert!(found[..4].iter().all(|(part, _)| *part == dossier));
}

#[test]
fn each_write_of_a_transaction_is_recorded_and_so_is_one_that_was_refused() {
    let server = recording();
    let entry = |id: &str| json!({"resource": {"resourceType": "Patient", "id": id}, "request": {"method": "PUT", "url": format!("Patient/{id}")}});
    let bundle = |entries: &[Value]| json!({"resourceType": "Bundle", "type": "transaction", "entry": entries});
    assert_eq!(server.post("", &bundle(&[entry("a"), entry("b")])).status, 200);
    assert_eq!(server.post("", &bundle(&[entry("c"), entry("c")])).status, 400);
    let entries: Vec<Value> = records(&server).into_iter().map(|(_, entry)| entry).collect();
    let refused = json!({"who": "open", "subtype": "transaction", "action": "E", "outcome": "4"});
    assert_eq!(entries.len(), 3);
    for expected in
        [record("update", "U", "0", "Patient/a/_history/1"), record("update", "U", "0", "Patient/b/_history/1"), refused]
    {
        assert!(entries.contains(&expected), "{entries:?}");
    }
}

#[test]
fn who_is_refused_before_the_body_is_read_is_recorded_once() {
    let server = Server::start_with(|settings| settings.security.mode = carnet::config::SecurityMode::Enforced);
    assert_eq!(server.put("/Patient/p1", &json!({"resourceType": "Patient", "id": "p1"})).status, 401);
    let entries: Vec<Value> = records(&server).into_iter().map(|(_, entry)| entry).collect();
    let refused = json!({"who": "unknown", "subtype": "update", "action": "U", "outcome": "4", "what": "Patient/p1"});
    assert_eq!(entries, [refused]);
}

#[test]
fn what_cannot_be_recorded_is_neither_answered_nor_done() {
    let server = recording();
    server.put("/Patient/p1", &json!({"resourceType": "Patient", "id": "p1"}));
    server.place.execute("ALTER TABLE audit RENAME TO away");
    let read = server.get("/Patient/p1");
    assert_eq!((read.status, read.issue().as_str()), (503, "transient"));
    assert!(read.header("retry-after").is_some());
    assert!(server.put("/Patient/p2", &json!({"resourceType": "Patient", "id": "p2"})).status >= 500);
    server.place.execute("ALTER TABLE away RENAME TO audit");
    assert_eq!(server.get("/Patient/p2").status, 404);
    assert_eq!(server.get("/Patient/p1").status, 200);
}

#[test]
fn an_open_server_records_nothing_unless_told_to() {
    let server = Server::start();
    server.put("/Patient/p1", &json!({"resourceType": "Patient", "id": "p1"}));
    assert!(records(&server).is_empty());
}

#[test]
fn an_update_that_changes_nothing_is_recorded_alone_and_in_a_transaction() {
    let server = recording();
    let patient = json!({"resourceType": "Patient", "id": "p1"});
    server.put("/Patient/p1", &patient);
    server.put("/Patient/p1", &patient);
    let entry = json!({"resource": patient, "request": {"method": "PUT", "url": "Patient/p1"}});
    server.post("", &json!({"resourceType": "Bundle", "type": "transaction", "entry": [entry]}));
    let entries: Vec<Value> = records(&server).into_iter().map(|(_, entry)| entry).collect();
    assert_eq!(entries, vec![record("update", "U", "0", "Patient/p1/_history/1"); 3]);
}
