//! Searches of several types and of compartments (R4 http.html §search, search.html §vssearch; S-11, S-12).

use serde_json::{Value, json};

use crate::support::server::{Answer, Server};

fn found(answer: &Answer) -> Vec<String> {
    let bundle = answer.json();
    assert_eq!((answer.status, &bundle["type"]), (200, &json!("searchset")), "{bundle}");
    let entries = bundle["entry"].as_array().into_iter().flatten().filter(|entry| entry["search"]["mode"] == "match");
    let mut names: Vec<String> = entries.map(|entry| name(&entry["resource"])).collect();
    names.sort();
    names
}

fn name(resource: &Value) -> String {
    format!("{}/{}", resource["resourceType"], resource["id"]).replace('"', "")
}

fn filled() -> Server {
    let server = Server::start();
    let to = |reference: &str| json!({"reference": reference});
    let observation = |id: &str, patient: &str, performer: &str| {
        json!({"resourceType": "Observation", "id": id, "status": "final", "code": {"text": "x"}, "subject": to(patient), "performer": [to(performer)],
            "encounter": to("Encounter/e1"), "effectiveDateTime": "2026-01-02"})
    };
    for resource in [
        json!({"resourceType": "Patient", "id": "p1", "birthDate": "1980-01-01"}),
        json!({"resourceType": "Patient", "id": "p2"}),
        json!({"resourceType": "Practitioner", "id": "a1"}),
        observation("o1", "Patient/p1", "Practitioner/a1"),
        observation("o2", "Patient/p2", "Practitioner/a1"),
        // About another patient, made by this one: in both compartments.
        observation("o3", "Patient/p2", "Patient/p1"),
        json!({"resourceType": "Condition", "id": "c1", "subject": to("Patient/p1"), "code": {"text": "x"}}),
        json!({"resourceType": "Encounter", "id": "e1", "status": "finished", "class": {"code": "AMB"}, "subject": to("Patient/p1")}),
        json!({"resourceType": "Device", "id": "d1", "patient": to("Patient/p1")}),
        json!({"resourceType": "Organization", "id": "g1", "name": "g"}),
    ] {
        let answer = server.put(&format!("/{}", name(&resource)), &resource);
        assert_eq!(answer.status, 201, "{}", String::from_utf8_lossy(&answer.body));
    }
    server
}

const FORM: [(&str, &str); 1] = [("content-type", "application/x-www-form-urlencoded")];

#[test]
fn several_types_are_searched_by_the_parameters_that_all_of_them_have() {
    let server = filled();
    let table: [(&str, &[&str]); 7] = [
        ("?_type=Patient,Condition", &["Condition/c1", "Patient/p1", "Patient/p2"]),
        ("?_id=p1,o1", &["Observation/o1", "Patient/p1"]),
        ("?_type=Observation,Condition,Encounter&patient=Patient/p1", &["Condition/c1", "Encounter/e1", "Observation/o1"]),
        ("?_type=Observation,Condition,Encounter&patient=p1&_count=1&_sort=_id", &["Condition/c1"]),
        (
            "?_type=Observation,Encounter&date=2026-01-02&_sort=-_lastUpdated",
            &["Observation/o1", "Observation/o2", "Observation/o3"],
        ),
        ("?_type=Observation,Encounter&status:not=final", &["Encounter/e1"]),
        ("?_type=Observation&_type=Patient", &[]),
    ];
    for (query, expected) in table {
        assert_eq!(found(&server.get(query)), expected, "{query}");
        assert_eq!(found(&server.send("POST", "/_search", &FORM, query.trim_start_matches('?').as_bytes())), expected, "{query}");
    }
    let merged = server.send("POST", "/_search?_type=Observation", &FORM, b"_id=p1,o1");
    assert_eq!(found(&merged), ["Observation/o1"]);
}

#[test]
fn pages_of_several_types_go_on_where_they_ended() {
    let server = filled();
    let mut seen = Vec::new();
    let mut next = Some("?_type=Observation,Condition,Encounter&_count=2&_sort=-_id".to_owned());
    while let Some(path) = next {
        let answer = server.get(&path);
        seen.extend(found(&answer));
        let bundle = answer.json();
        let link = bundle["link"].as_array().unwrap().iter().find(|link| link["relation"] == "next");
        next = link.map(|link| link["url"].as_str().unwrap().strip_prefix(&server.base_url).unwrap().to_owned());
    }
    seen.sort();
    assert_eq!(seen, ["Condition/c1", "Encounter/e1", "Observation/o1", "Observation/o2", "Observation/o3"]);
}

#[test]
fn what_several_types_cannot_be_asked_is_refused() {
    let server = filled();
    let table = [
        ("?_type=Patient,Nothing", "http._type"),
        ("?_type=Patient,Organization&birthdate=1980", "http.birthdate"),
        ("?birthdate=1980", "http.birthdate"),
        ("/Patient?_type=Patient", "http._type"),
        ("?_type=Patient,Observation&_sort=birthdate", "http._sort"),
    ];
    for (query, place) in table {
        let refused = server.get(query);
        assert_eq!((refused.status, &refused.json()["issue"][0]["expression"][0]), (400, &json!(place)), "{query}");
    }
}

#[test]
fn a_compartment_holds_what_points_at_its_focus_as_the_standard_says() {
    let server = filled();
    let table: [(&str, &[&str]); 12] = [
        ("/Patient/p1/Observation", &["Observation/o1", "Observation/o3"]),
        ("/Patient/p1/Observation?performer=Patient/p1", &["Observation/o3"]),
        ("/Patient/p1/Condition", &["Condition/c1"]),
        ("/Patient/p1/*", &["Condition/c1", "Encounter/e1", "Observation/o1", "Observation/o3", "Patient/p1"]),
        ("/Patient/p1/*?_type=Condition,Encounter", &["Condition/c1", "Encounter/e1"]),
        ("/Patient/p1/Patient", &["Patient/p1"]),
        ("/Patient/p1/Organization", &[]),
        ("/Patient/nobody/Observation", &[]),
        ("/Encounter/e1/Observation", &["Observation/o1", "Observation/o2", "Observation/o3"]),
        ("/Practitioner/a1/*", &["Observation/o1", "Observation/o2", "Practitioner/a1"]),
        ("/RelatedPerson/r1/*", &[]),
        ("/Device/d1/*", &["Device/d1"]),
    ];
    for (path, expected) in table {
        let answer = server.get(path);
        assert_eq!(found(&answer), expected, "{path}");
        let (place, query) = path.split_once('?').unwrap_or((path, ""));
        assert_eq!(found(&server.send("POST", &format!("{place}/_search"), &FORM, query.as_bytes())), expected, "{path}");
        let this = answer.json()["link"][0]["url"].as_str().unwrap().to_owned();
        assert!(this.starts_with(&format!("{}{place}", server.base_url)), "{this}");
        let count = server.get(&format!("{place}?_summary=count&{query}"));
        assert_eq!(count.json()["total"], expected.len(), "{path}");
    }
}

#[test]
fn only_a_compartment_is_searched_like_one() {
    let server = filled();
    assert_eq!(server.get("/Organization/g1/Observation").status, 404);
    assert_eq!(server.get("/Patient/p1/Nothing").status, 404);
    assert_eq!(server.get("/Patient/a%20b/Observation").status, 400);
    let posted = server.post("/Patient/p1/Observation", &json!({"resourceType": "Observation"}));
    assert_eq!((posted.status, posted.header("allow")), (405, Some("GET, HEAD")));
}
