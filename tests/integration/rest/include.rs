//! `_include` and `_revinclude` (R4 search.html §include, S-52 to S-55).

use serde_json::{Value, json};

use crate::support::server::{Answer, Server};

/// `Type/id` of the entries with that mode, in order.
fn entries(answer: &Answer, mode: &str) -> Vec<String> {
    let bundle = answer.json();
    let found = bundle["entry"].as_array().into_iter().flatten().filter(|entry| entry["search"]["mode"] == mode);
    found.map(|entry| format!("{}/{}", entry["resource"]["resourceType"], entry["resource"]["id"]).replace('"', "")).collect()
}

fn sorted(answer: &Answer, mode: &str) -> Vec<String> {
    let mut found = entries(answer, mode);
    found.sort();
    found
}

fn put(server: &Server, resource: &Value) {
    let path = format!("/{}/{}", resource["resourceType"], resource["id"]).replace('"', "");
    let answer = server.put(&path, resource);
    assert!(answer.status < 300, "{path}: {}", String::from_utf8_lossy(&answer.body));
}

fn document(id: &str, patient: &str, author: &str) -> Value {
    json!({"resourceType": "DocumentReference", "id": id, "status": "current", "subject": {"reference": format!("Patient/{patient}")},
        "author": [{"reference": author}], "content": [{"attachment": {"title": "x"}}]})
}

fn patient(id: &str, organization: &str) -> Value {
    json!({"resourceType": "Patient", "id": id, "managingOrganization": {"reference": format!("Organization/{organization}")}})
}

fn organization(id: &str, parent: Option<&str>) -> Value {
    let mut organization = json!({"resourceType": "Organization", "id": id, "name": id});
    if let Some(parent) = parent {
        organization["partOf"] = json!({"reference": format!("Organization/{parent}")});
    }
    organization
}

fn filled() -> Server {
    filled_with(|_| {})
}

fn filled_with(change: impl FnOnce(&mut carnet::config::Settings)) -> Server {
    let server = Server::start_with(change);
    for resource in [
        organization("o1", Some("o2")),
        organization("o2", Some("o3")),
        // A cycle.
        organization("o3", Some("o1")),
        patient("p1", "o1"),
        patient("p2", "o1"),
        json!({"resourceType": "Practitioner", "id": "a1"}),
        document("d1", "p1", "Practitioner/a1"),
        document("d2", "p1", "Practitioner/a1"),
        document("d3", "p2", "Practitioner/nobody"),
        document("d4", "p2", "Patient/p1"),
    ] {
        put(&server, &resource);
    }
    server
}

#[test]
fn what_a_match_points_at_comes_along_once_and_not_in_the_total() {
    let server = filled();
    let answer = server.get(
        "/DocumentReference?patient=p1&_include=DocumentReference:subject&_include=DocumentReference:author&_total=accurate",
    );
    assert_eq!(sorted(&answer, "match"), ["DocumentReference/d1", "DocumentReference/d2"]);
    assert_eq!(sorted(&answer, "include"), ["Patient/p1", "Practitioner/a1"]);
    assert_eq!(answer.json()["total"], 2);
    let included = &answer.json()["entry"][2];
    assert!(included["fullUrl"].as_str().unwrap().starts_with(&server.base_url));
}

#[test]
fn a_target_type_keeps_others_out_and_what_is_not_there_is_silently_absent() {
    let server = filled();
    let only = server.get("/DocumentReference?patient=p2&_include=DocumentReference:author:Patient");
    assert_eq!(sorted(&only, "include"), ["Patient/p1"]);
    let none = server.get("/DocumentReference?patient=p2&_include=DocumentReference:author:Practitioner");
    assert_eq!((none.status, entries(&none, "include"), entries(&none, "outcome")), (200, vec![], vec![]));
}

#[test]
fn a_star_follows_every_reference() {
    let server = filled();
    for star in ["*", "DocumentReference:*"] {
        let answer = server.get(&format!("/DocumentReference?_id=d1,d4&_include={star}"));
        assert_eq!(sorted(&answer, "include"), ["Patient/p1", "Patient/p2", "Practitioner/a1"], "{star}");
    }
    let against = server.get("/Patient?_id=p2&_revinclude=*");
    assert_eq!(sorted(&against, "include"), ["DocumentReference/d3", "DocumentReference/d4"]);
}

#[test]
fn references_are_followed_from_what_was_included_only_where_the_query_says_so_and_cycles_end() {
    let server = filled();
    let once = server.get("/DocumentReference?_id=d1&_include=DocumentReference:subject&_include=Patient:organization");
    assert_eq!(sorted(&once, "include"), ["Patient/p1"]);
    let further = "/DocumentReference?_id=d1&_include=DocumentReference:subject&_include:iterate=Patient:organization\
        &_include:iterate=Organization:partof";
    let answer = server.get(further);
    assert_eq!(sorted(&answer, "include"), ["Organization/o1", "Organization/o2", "Organization/o3", "Patient/p1"]);
    assert_eq!(entries(&answer, "outcome"), Vec::<String>::new());
    let itself = server.get("/Organization?_id=o1&_include:iterate=Organization:partof");
    assert_eq!(
        (entries(&itself, "match"), sorted(&itself, "include")),
        (vec!["Organization/o1".to_owned()], vec!["Organization/o2".to_owned(), "Organization/o3".to_owned()])
    );
}

#[test]
fn what_points_at_a_match_comes_along_whichever_dossier_it_rests_in() {
    let server = filled();
    let answer = server.get("/Patient?_id=p1&_revinclude=DocumentReference:subject&_revinclude=DocumentReference:author");
    assert_eq!(sorted(&answer, "include"), ["DocumentReference/d1", "DocumentReference/d2", "DocumentReference/d4"]);
    let further =
        server.get("/Organization?_id=o1&_revinclude=Patient:organization&_revinclude:iterate=DocumentReference:patient:Patient");
    assert_eq!(entries(&further, "include").len(), 6);
    let elsewhere = server.get("/Patient?_id=p1&_revinclude=DocumentReference:author:Practitioner");
    assert_eq!(entries(&elsewhere, "include"), Vec::<String>::new());
}

#[test]
fn a_versioned_reference_brings_that_version_along() {
    let server = filled();
    put(&server, &json!({"resourceType": "Practitioner", "id": "a1", "active": true}));
    put(&server, &document("d5", "p1", "Practitioner/a1/_history/1"));
    let versions = |path: &str| -> Vec<String> {
        let bundle = server.get(path).json();
        let included = bundle["entry"].as_array().unwrap().iter().filter(|entry| entry["search"]["mode"] == "include");
        included.map(|entry| entry["resource"]["meta"]["versionId"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(versions("/DocumentReference?_id=d5&_include=DocumentReference:author"), ["1"]);
    let mut both = versions("/DocumentReference?_id=d1,d5&_include=DocumentReference:author");
    both.sort();
    assert_eq!(both, ["1", "2"]);
    server.delete("/Practitioner/a1");
    assert_eq!(versions("/DocumentReference?_id=d1,d5&_include=DocumentReference:author"), ["1"]);
}

#[test]
fn inclusions_stand_on_the_page_of_their_match() {
    let server = filled();
    let first = server.get("/DocumentReference?_sort=_id&_count=1&_include=DocumentReference:subject");
    assert_eq!(
        (entries(&first, "match"), entries(&first, "include")),
        (vec!["DocumentReference/d1".to_owned()], vec!["Patient/p1".to_owned()])
    );
    let bundle = first.json();
    let next = bundle["link"].as_array().unwrap().iter().find(|link| link["relation"] == "next").unwrap();
    let next = next["url"].as_str().unwrap().strip_prefix(&server.base_url).unwrap().to_owned();
    let second = server.get(&next);
    assert_eq!(
        (entries(&second, "match"), entries(&second, "include")),
        (vec!["DocumentReference/d2".to_owned()], vec!["Patient/p1".to_owned()])
    );
}

#[test]
fn more_than_may_come_along_is_cut_and_told() {
    let server = filled_with(|settings| settings.limits.include_resources = 1);
    for query in ["/DocumentReference?_id=d1&_include=*", "/Patient?_id=p1&_revinclude=DocumentReference:subject"] {
        let answer = server.get(query);
        assert_eq!((entries(&answer, "include").len(), answer.json().get("total")), (1, None), "{query}");
        let bundle = answer.json();
        let outcome = bundle["entry"].as_array().unwrap().iter().find(|entry| entry["search"]["mode"] == "outcome").unwrap();
        let issue = &outcome["resource"]["issue"][0];
        assert_eq!((&issue["severity"], &issue["code"]), (&json!("warning"), &json!("incomplete")), "{query}");
        assert!(issue["diagnostics"].as_str().unwrap().contains("limits.include_resources"));
    }
    let enough = server.get("/DocumentReference?_id=d1&_include=DocumentReference:subject");
    assert_eq!((entries(&enough, "include").len(), entries(&enough, "outcome").len()), (1, 0));
}

#[test]
fn an_inclusion_that_means_nothing_is_refused_with_its_place_or_leniently_left_out() {
    let server = filled();
    let table = [
        ("_include=Nothing:subject", "http._include", true),
        ("_include=DocumentReference:sujet", "http._include", true),
        ("_include=DocumentReference:status", "http._include", true),
        ("_include=DocumentReference:subject:Nothing", "http._include", true),
        ("_revinclude=Nothing:subject", "http._revinclude", true),
        ("_include=DocumentReference", "http._include", false),
        ("_include:recurse=DocumentReference:subject", "http._include", false),
    ];
    let lenient = [("prefer", "handling=lenient")];
    for (query, place, may_be_ignored) in table {
        let refused = server.get(&format!("/DocumentReference?{query}"));
        assert_eq!((refused.status, refused.json()["issue"][0]["expression"][0].clone()), (400, json!(place)), "{query}");
        let answer = server.send("GET", &format!("/DocumentReference?_id=d1&{query}"), &lenient, b"");
        assert_eq!(answer.status, if may_be_ignored { 200 } else { 400 }, "{query}");
        if may_be_ignored {
            assert_eq!(entries(&answer, "outcome").len(), 1, "{query}");
        }
    }
    let refused = server.get("/DocumentReference?_include=DocumentReference:sujet").json();
    assert_eq!(
        refused["issue"][0]["diagnostics"],
        "at character 19: DocumentReference has no search parameter `sujet`; did you mean `subject`?"
    );
}
