//! capabilities, batch and transaction.

use std::collections::HashSet;

use serde_json::{Value, json};

use crate::support::server::Server;

fn put(kind: &str, id: &str) -> Value {
    json!({"resource": {"resourceType": kind, "id": id}, "request": {"method": "PUT", "url": format!("{kind}/{id}")}})
}

fn bundle(kind: &str, entries: &[Value]) -> Value {
    json!({"resourceType": "Bundle", "type": kind, "entry": entries})
}

#[test]
fn the_capability_statement_names_what_is_served_and_has_a_tag() {
    let server = Server::start();
    let answer = server.get("/metadata");
    let statement = answer.json();
    assert_eq!((&statement["resourceType"], &statement["fhirVersion"]), (&json!("CapabilityStatement"), &json!("4.0.1")));
    assert_eq!((&statement["kind"], &statement["implementation"]["url"]), (&json!("instance"), &json!(server.base_url)));
    let rest = &statement["rest"][0];
    assert!(rest["security"]["description"].as_str().unwrap().contains("open"));
    let documents = rest["resource"].as_array().unwrap().iter().find(|resource| resource["type"] == "DocumentReference").unwrap();
    let codes: HashSet<&str> =
        documents["searchParam"].as_array().unwrap().iter().map(|one| one["name"].as_str().unwrap()).collect();
    assert!(["patient", "type", "date", "_id", "_lastUpdated"].iter().all(|code| codes.contains(code)), "{codes:?}");
    let tag = answer.header("etag").unwrap();
    assert_eq!(server.send("GET", "/metadata", &[("if-none-match", tag)], b"").status, 304);
    assert_eq!(server.get("/metadata?mode=partial").status, 400);
}

#[test]
fn a_transaction_names_its_entries_to_each_other_wherever_they_stand() {
    let server = Server::start();
    let sent = bundle(
        "transaction",
        &[
            json!({"fullUrl": "urn:uuid:doc", "request": {"method": "POST", "url": "DocumentReference"}, "resource": {
            "resourceType": "DocumentReference", "status": "current", "subject": {"reference": "urn:uuid:pat"},
            "text": {"status": "generated", "div": "<div xmlns=\"http://www.w3.org/1999/xhtml\"><a href=\"urn:uuid:bin\">urn:uuid:bin</a></div>"},
            "identifier": [{"system": "urn:ietf:rfc:3986", "value": "urn:uuid:doc"}],
            "content": [{"attachment": {"contentType": "text/plain", "url": "urn:uuid:bin"}}],
            "relatesTo": [{"code": "appends", "target": {"reference": "DocumentReference/old/_history/1"}}]}}),
            json!({"fullUrl": "urn:uuid:bin", "request": {"method": "POST", "url": "Binary"},
            "resource": {"resourceType": "Binary", "contentType": "text/plain", "data": "aGk="}}),
            json!({"fullUrl": "urn:uuid:pat", "request": {"method": "POST", "url": "Patient"}, "resource": {"resourceType": "Patient",
            "link": [{"type": "seealso", "other": {"reference": "urn:uuid:pat"}}]}}),
            json!({"request": {"method": "GET", "url": "Patient/known"}}),
            put("Patient", "known"),
        ],
    );
    let answer = server.post("", &sent);
    assert_eq!(answer.status, 200, "{}", answer.json());
    let replies = answer.json();
    assert_eq!((&replies["type"], replies["entry"].as_array().unwrap().len()), (&json!("transaction-response"), 5));
    let name = |at: usize| {
        let location = replies["entry"][at]["response"]["location"].as_str().unwrap();
        let mut parts = location.strip_prefix(&server.base_url).unwrap().split('/').skip(1);
        format!("{}/{}", parts.next().unwrap(), parts.next().unwrap())
    };
    let document = server.get(&format!("/{}", name(0))).json();
    assert_eq!(document["subject"]["reference"], name(2));
    assert_eq!(document["content"][0]["attachment"]["url"], name(1));
    assert_eq!(document["identifier"][0]["value"], "urn:uuid:doc");
    assert_eq!(document["relatesTo"][0]["target"]["reference"], "DocumentReference/old/_history/1");
    let div = format!("<div xmlns=\"http://www.w3.org/1999/xhtml\"><a href=\"{}\">urn:uuid:bin</a></div>", name(1));
    assert_eq!(document["text"]["div"], div);
    assert_eq!(server.get(&format!("/{}", name(2))).json()["link"][0]["other"]["reference"], name(2));
    assert_eq!(server.get(&format!("/{}", name(1))).body, b"hi");
    assert_eq!(
        (&replies["entry"][3]["response"]["status"], &replies["entry"][3]["resource"]["id"]),
        (&json!("200 OK"), &json!("known"))
    );
    assert_eq!(replies["entry"][4]["response"]["status"], "201 Created");
    assert_eq!(replies["entry"][4]["response"]["etag"], "W/\"1\"");
}

#[test]
fn relative_references_are_read_under_the_full_url_of_their_entry() {
    let server = Server::start();
    let sent = bundle(
        "transaction",
        &[
            json!({"fullUrl": "http://lab.example/fhir/Patient/7", "request": {"method": "POST", "url": "Patient"}, "resource": {"resourceType": "Patient"}}),
            json!({"fullUrl": "http://lab.example/fhir/Observation/8", "request": {"method": "POST", "url": "Observation"}, "resource": {
            "resourceType": "Observation", "status": "final", "code": {"text": "x"}, "subject": {"reference": "Patient/7"},
            "performer": [{"reference": "Practitioner/9"}]}}),
        ],
    );
    let replies = server.post("", &sent).json();
    let path = |at: usize| {
        replies["entry"][at]["response"]["location"].as_str().unwrap().strip_prefix(&server.base_url).unwrap().to_owned()
    };
    let observation = server.get(&path(1)).json();
    assert!(path(0).contains(observation["subject"]["reference"].as_str().unwrap()));
    assert_eq!(observation["performer"][0]["reference"], "Practitioner/9");
}

#[test]
fn a_transaction_with_one_bad_entry_stores_nothing_and_says_which() {
    let server = Server::start();
    let refused = |bad: Value| {
        let answer = server.post("", &bundle("transaction", &[put("Patient", "good"), bad]));
        assert_eq!(server.get("/Patient/good").status, 404);
        (answer.status, answer.json()["issue"][0]["expression"][0].as_str().unwrap().to_owned())
    };
    let at = |place: &str| format!("Bundle.entry[1].{place}");
    assert_eq!(refused(json!({"request": {"method": "PUT", "url": "Patient/x"}})), (400, at("resource")));
    assert_eq!(refused(json!({"resource": {"resourceType": "Patient"}})), (400, at("request")));
    assert_eq!(refused(json!({"request": {"method": "FETCH", "url": "Patient/x"}})), (400, at("request.method")));
    assert_eq!(refused(json!({"request": {"method": "GET", "url": "Nothing/x"}})), (404, at("request.url")));
    assert_eq!(refused(put("Patient", "good")), (400, at("request.url")));
    let stale = json!({"resource": {"resourceType": "Patient", "id": "y"}, "request": {"method": "PUT", "url": "Patient/y", "ifMatch": "W/\"3\""}});
    assert_eq!(refused(stale).0, 412);
    let other_id = json!({"resource": {"resourceType": "Patient", "id": "z"}, "request": {"method": "PUT", "url": "Patient/y"}});
    assert_eq!(refused(other_id), (400, at("resource.id")));
    let conditional =
        json!({"resource": {"resourceType": "Patient"}, "request": {"method": "POST", "url": "Patient", "ifNoneExist": "a=b"}});
    assert_eq!(refused(conditional), (400, at("request.ifNoneExist")));
    let reference = json!({"request": {"method": "POST", "url": "Observation"}, "resource": {"resourceType": "Observation",
        "status": "final", "code": {"text": "x"}, "subject": {"reference": "Patient?identifier=1"}}});
    assert_eq!(refused(reference), (400, at("resource.subject.reference")));
}

#[test]
fn an_instance_is_deleted_and_another_updated_in_one_transaction() {
    let server = Server::start();
    server.put("/Patient/a", &json!({"resourceType": "Patient", "id": "a"}));
    server.put("/Patient/b", &json!({"resourceType": "Patient", "id": "b", "active": true}));
    let entries = [
        json!({"request": {"method": "DELETE", "url": "Patient/a"}}),
        put("Patient", "b"),
        json!({"request": {"method": "DELETE", "url": "Patient/nobody"}}),
    ];
    let replies = server.post("", &bundle("transaction", &entries)).json();
    let statuses: Vec<_> = replies["entry"].as_array().unwrap().iter().map(|entry| entry["response"]["status"].clone()).collect();
    assert_eq!(statuses, ["204 No Content", "200 OK", "204 No Content"]);
    assert_eq!((server.get("/Patient/a").status, server.get("/Patient/b").header("etag")), (410, Some("W/\"2\"")));
}

#[test]
fn the_entries_of_a_batch_succeed_and_fail_each_for_itself() {
    let server = Server::start();
    let entries = [
        put("Patient", "a"),
        json!({"request": {"method": "GET", "url": "Patient/nobody"}}),
        json!({"request": {"method": "GET", "url": "Patient/a"}}),
        json!({"request": {"method": "PUT", "url": "Patient/b"}}),
    ];
    let answer = server.post("", &bundle("batch", &entries));
    let replies = answer.json();
    let statuses: Vec<_> = replies["entry"].as_array().unwrap().iter().map(|entry| entry["response"]["status"].clone()).collect();
    assert_eq!((answer.status, statuses), (200, vec![json!("201 Created"), json!("404"), json!("200 OK"), json!("400")]));
    assert_eq!(replies["type"], "batch-response");
    assert_eq!(replies["entry"][2]["resource"]["id"], "a");
    assert_eq!(replies["entry"][1]["response"]["outcome"]["issue"][0]["code"], "not-found");
}

#[test]
fn only_batches_and_transactions_are_sent_to_the_system() {
    let server = Server::start();
    assert_eq!(server.post("", &bundle("transaction", &[put("Patient", "a")])).status, 200);
    assert_eq!(server.post("/", &json!({"resourceType": "Bundle", "type": "transaction"})).status, 200);
    assert_eq!(server.post("", &json!({"resourceType": "Bundle", "type": "collection"})).status, 400);
    assert_eq!(server.post("", &json!({"resourceType": "Patient"})).status, 400);
    assert_eq!(server.put("", &json!({})).status, 405);
}

#[test]
fn a_thousand_entries_are_one_transaction_and_too_many_are_none() {
    let server = Server::start_with(|settings| settings.limits.bundle_entries = 1_000);
    let mut entries: Vec<_> = (0..1_000).map(|number| put("Patient", &format!("p{number}"))).collect();
    let answer = server.post("", &bundle("transaction", &entries));
    assert_eq!((answer.status, answer.json()["entry"].as_array().unwrap().len()), (200, 1_000));
    assert_eq!(server.get("/Patient/p999").status, 200);
    entries.push(put("Patient", "p1000"));
    assert_eq!(server.post("", &bundle("transaction", &entries)).status, 413);
}
