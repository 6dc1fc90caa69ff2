//! read, vread, create, update, delete, history of an instance.

use serde_json::json;

use crate::support::server::Server;

#[test]
fn a_created_instance_is_read_as_it_was_answered() {
    let server = Server::start();
    let sent = json!({"resourceType": "Patient", "id": "ignored", "meta": {"versionId": "99", "profile": ["http://p"]},
        "name": [{"family": "Évrard"}]});
    let created = server.post("/Patient", &sent);
    assert_eq!(created.status, 201);
    let id = created.id();
    assert_ne!(id, "ignored");
    assert_eq!(created.header("location").unwrap(), format!("{}/Patient/{id}/_history/1", server.base_url));
    assert_eq!(created.header("etag"), Some("W/\"1\""));
    assert_eq!(created.header("last-modified"), Some("Thu, 01 Jan 2026 00:00:00 GMT"));
    assert_eq!(created.header("content-type"), Some("application/fhir+json"));
    let resource = created.json();
    assert_eq!((&resource["id"], &resource["meta"]["versionId"]), (&json!(id), &json!("1")));
    assert_eq!(resource["meta"]["profile"][0], "http://p");
    let read = server.get(&format!("/Patient/{id}"));
    assert_eq!((read.status, &read.body), (200, &created.body));
    assert_eq!(read.header("etag"), Some("W/\"1\""));
}

#[test]
fn an_update_makes_a_version_and_the_old_one_stays() {
    let server = Server::start();
    let first = server.put("/Patient/p1", &json!({"resourceType": "Patient", "id": "p1", "gender": "male"}));
    assert_eq!((first.status, first.id().as_str()), (201, "p1"));
    let second = server.put("/Patient/p1", &json!({"resourceType": "Patient", "id": "p1", "gender": "female"}));
    assert_eq!((second.status, second.header("etag"), second.header("location")), (200, Some("W/\"2\""), None));
    assert!(first.json()["meta"]["lastUpdated"].as_str() < second.json()["meta"]["lastUpdated"].as_str());
    assert_eq!(server.get("/Patient/p1/_history/1").body, first.body);
    assert_eq!(server.get("/Patient/p1/_history/2").body, second.body);
    assert_eq!(server.get("/Patient/p1/_history/3").status, 404);
    assert_eq!(server.get("/Patient/p1").body, second.body);
}

#[test]
fn a_deleted_instance_answers_gone_with_its_version_until_an_update_brings_it_back() {
    let server = Server::start();
    let patient = json!({"resourceType": "Patient", "id": "p1"});
    server.put("/Patient/p1", &patient);
    let deleted = server.delete("/Patient/p1");
    assert_eq!((deleted.status, deleted.header("etag"), deleted.body.len()), (204, Some("W/\"2\""), 0));
    assert_eq!(server.delete("/Patient/p1").status, 204);
    let gone = server.get("/Patient/p1");
    assert_eq!((gone.status, gone.header("etag"), gone.issue().as_str()), (410, Some("W/\"2\""), "deleted"));
    assert_eq!(server.get("/Patient/p1/_history/2").status, 410);
    assert_eq!(server.get("/Patient/p1/_history/1").status, 200);
    let back = server.put("/Patient/p1", &patient);
    assert_eq!((back.status, back.header("etag")), (201, Some("W/\"3\"")));
    assert_eq!(server.get("/Patient/p1").status, 200);
}

#[test]
fn deleting_what_never_was_is_done_already() {
    let server = Server::start();
    assert_eq!(server.delete("/Patient/nobody").status, 204);
    assert_eq!(server.get("/Patient/nobody").status, 404);
}

#[test]
fn a_write_under_if_match_happens_only_to_the_version_it_names() {
    let server = Server::start();
    server.put("/Patient/p1", &json!({"resourceType": "Patient", "id": "p1"}));
    let patient = json!({"resourceType": "Patient", "id": "p1", "active": true}).to_string();
    let put = |tag: &str| {
        let headers = [("content-type", "application/fhir+json"), ("if-match", tag)];
        server.send("PUT", "/Patient/p1", &headers, patient.as_bytes())
    };
    assert_eq!(put("W/\"1\"").status, 200);
    let stale = put("W/\"1\"");
    assert_eq!((stale.status, stale.header("etag"), stale.issue().as_str()), (412, Some("W/\"2\""), "conflict"));
    assert_eq!(put("1").status, 400);
    assert_eq!(server.send("DELETE", "/Patient/p1", &[("if-match", "W/\"1\"")], b"").status, 412);
    assert_eq!(server.send("DELETE", "/Patient/p1", &[("if-match", "W/\"2\"")], b"").status, 204);
    assert_eq!(put("*").status, 412);
    assert_eq!(server.send("DELETE", "/Patient/nobody", &[("if-match", "*")], b"").status, 412);
}

#[test]
fn if_none_match_any_only_creates() {
    let server = Server::start();
    let headers = [("content-type", "application/fhir+json"), ("if-none-match", "*")];
    let put = || server.send("PUT", "/Patient/p1", &headers, br#"{"resourceType":"Patient","id":"p1"}"#);
    assert_eq!(put().status, 201);
    assert_eq!(put().status, 412);
    server.delete("/Patient/p1");
    assert_eq!(put().status, 201);
}

#[test]
fn a_reader_who_has_the_version_is_told_so() {
    let server = Server::start();
    let created = server.put("/Patient/p1", &json!({"resourceType": "Patient", "id": "p1"}));
    let read = |name: &str, value: &str| server.send("GET", "/Patient/p1", &[(name, value)], b"");
    let unmodified = read("if-none-match", "W/\"1\"");
    assert_eq!((unmodified.status, unmodified.header("etag"), unmodified.body.len()), (304, Some("W/\"1\""), 0));
    assert_eq!(read("if-none-match", "W/\"7\"").status, 200);
    assert_eq!(read("if-modified-since", created.header("last-modified").unwrap()).status, 304);
    assert_eq!(read("if-modified-since", "Wed, 31 Dec 2025 23:59:59 GMT").status, 200);
}

#[test]
fn the_body_of_an_update_says_the_id_and_the_type_of_its_url() {
    let server = Server::start();
    let refused = |path: &str, body: &str| {
        let answer = server.send("PUT", path, &[("content-type", "application/fhir+json")], body.as_bytes());
        (answer.status, answer.json()["issue"][0]["expression"][0].clone())
    };
    assert_eq!(refused("/Patient/p1", r#"{"resourceType":"Patient","id":"p2"}"#), (400, json!("Patient.id")));
    assert_eq!(refused("/Patient/p1", r#"{"resourceType":"Patient"}"#), (400, json!("Patient.id")));
    assert_eq!(refused("/Patient/p1", r#"{"resourceType":"Group","id":"p1"}"#), (400, json!("resourceType")));
    assert_eq!(refused("/Patient/p1", r#"{"id":"p1"}"#), (400, json!("resourceType")));
    assert_eq!(refused("/Patient/p1", r#"{"resourceType":"Patient","id":"p1","name":[]}"#), (400, json!("Patient.name")));
    assert_eq!(server.get("/Patient/p1").status, 404);
}

#[test]
fn a_resource_that_breaks_a_rule_of_r4_is_refused_where_it_breaks_it() {
    let server = Server::start();
    let refused = |resource: serde_json::Value| {
        let answer = server.post("/Patient", &resource);
        (answer.status, answer.json()["issue"][0]["expression"][0].clone())
    };
    assert_eq!(refused(json!({"resourceType": "Patient", "nmae": []})).0, 400);
    assert_eq!(refused(json!({"resourceType": "Patient", "shoeSize": 43})), (400, json!("Patient.shoeSize")));
    assert_eq!(refused(json!({"resourceType": "Patient", "name": {"family": "x"}})), (400, json!("Patient.name")));
    assert_eq!(refused(json!({"resourceType": "Patient", "birthDate": "14/07/1980"})), (422, json!("Patient.birthDate")));
    assert_eq!(refused(json!({"resourceType": "Patient", "link": [{"type": "seealso"}]})), (422, json!("Patient.link[0].other")));
}

#[test]
fn prefer_chooses_what_a_write_answers_with() {
    let server = Server::start();
    let put = |prefer: &str| {
        let headers = [("content-type", "application/fhir+json"), ("prefer", prefer)];
        server.send("PUT", "/Patient/p1", &headers, br#"{"resourceType":"Patient","id":"p1"}"#)
    };
    let minimal = put("return=minimal");
    assert_eq!((minimal.body.len(), minimal.header("preference-applied")), (0, Some("return=minimal")));
    assert_eq!(put("return=representation").json()["resourceType"], "Patient");
    let outcome = put("return=OperationOutcome");
    assert_eq!((outcome.issue().as_str(), outcome.header("etag")), ("informational", Some("W/\"1\"")));
}

#[test]
fn tags_and_security_labels_survive_an_update_that_leaves_them_out() {
    let server = Server::start();
    let label = json!({"system": "http://terminology.hl7.org/CodeSystem/v3-Confidentiality", "code": "R"});
    server.put("/Patient/p1", &json!({"resourceType": "Patient", "id": "p1", "meta": {"security": [label]}}));
    let updated = server.put("/Patient/p1", &json!({"resourceType": "Patient", "id": "p1"}));
    assert_eq!(updated.json()["meta"]["security"], json!([label]));
}

#[test]
fn a_history_shows_every_version_newest_first_in_pages() {
    let server = Server::start();
    server.put("/Patient/p1", &json!({"resourceType": "Patient", "id": "p1"}));
    server.put("/Patient/p1", &json!({"resourceType": "Patient", "id": "p1", "active": true}));
    server.delete("/Patient/p1");
    let history = server.get("/Patient/p1/_history").json();
    assert_eq!((&history["type"], &history["total"]), (&json!("history"), &json!(3)));
    let seen: Vec<_> = history["entry"]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| {
            let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
            (
                text(&entry["request"]["method"]),
                text(&entry["response"]["status"]),
                text(&entry["response"]["etag"]),
                entry["resource"].is_object(),
            )
        })
        .collect();
    let expected = [
        ("DELETE", "204 No Content", "W/\"3\"", false),
        ("PUT", "200 OK", "W/\"2\"", true),
        ("PUT", "201 Created", "W/\"1\"", true),
    ];
    assert_eq!(seen, expected.map(|(a, b, c, d)| (a.to_owned(), b.to_owned(), c.to_owned(), d)));
    let page = server.get("/Patient/p1/_history?_count=2").json();
    assert_eq!(page["entry"].as_array().unwrap().len(), 2);
    let next = page["link"].as_array().unwrap().iter().find(|link| link["relation"] == "next").unwrap()["url"]
        .as_str()
        .unwrap()
        .to_owned();
    let rest = server.get(next.strip_prefix(&server.base_url).unwrap()).json();
    assert_eq!(rest["entry"].as_array().unwrap().len(), 1);
    assert_eq!(rest["entry"][0]["response"]["etag"], "W/\"1\"");
    assert!(rest["link"].as_array().unwrap().iter().all(|link| link["relation"] != "next"));
    assert_eq!(server.get("/Patient/nobody/_history").status, 404);
    assert!(server.get("/Patient/p1/_history?_since=2030-01-01T00:00:00Z").json().get("entry").is_none());
    assert_eq!(server.get("/Patient/p1/_history?_count=1&_count=2").status, 400);
}

#[test]
fn an_instance_that_changes_its_patient_keeps_its_id_and_its_history() {
    let server = Server::start();
    let note = |patient: &str| {
        json!({"resourceType": "DocumentReference", "id": "d1", "status": "current",
        "subject": {"reference": format!("Patient/{patient}")}, "content": [{"attachment": {"title": "x"}}]})
    };
    assert_eq!(server.put("/DocumentReference/d1", &note("a")).status, 201);
    assert_eq!(server.put("/DocumentReference/d1", &note("b")).status, 200);
    assert_eq!(server.get("/DocumentReference/d1").json()["subject"]["reference"], "Patient/b");
    assert_eq!(server.get("/DocumentReference/d1/_history/1").json()["subject"]["reference"], "Patient/a");
    assert_eq!(server.get("/DocumentReference/d1/_history").json()["total"], 2);
}
