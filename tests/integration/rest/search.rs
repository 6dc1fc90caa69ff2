//! search of one type.

use serde_json::{Value, json};

use crate::support::server::{Answer, Server};

fn document(id: &str, patient: &str, date: &str) -> Value {
    json!({"resourceType": "DocumentReference", "id": id, "status": "current", "date": date,
        "type": {"coding": [{"system": "http://loinc.org", "code": "11502-2"}]},
        "subject": {"reference": format!("Patient/{patient}")}, "content": [{"attachment": {"title": "x"}}]})
}

fn ids(answer: &Answer) -> Vec<String> {
    let bundle = answer.json();
    let matches = bundle["entry"].as_array().into_iter().flatten().filter(|entry| entry["search"]["mode"] == "match");
    matches.map(|entry| entry["resource"]["id"].as_str().unwrap().to_owned()).collect()
}

fn link(answer: &Answer, relation: &str) -> Option<String> {
    let bundle = answer.json();
    let found = bundle["link"].as_array().unwrap().iter().find(|link| link["relation"] == relation)?;
    Some(found["url"].as_str().unwrap().to_owned())
}

#[test]
fn a_hospital_finds_the_laboratory_reports_of_a_patient() {
    let server = Server::start();
    for (id, patient, date) in [
        ("a", "p1", "2026-02-01T08:00:00Z"),
        ("b", "p1", "2026-03-01T08:00:00Z"),
        ("c", "p2", "2026-03-01T08:00:00Z"),
        ("d", "p1", "2025-03-01T08:00:00Z"),
    ] {
        assert_eq!(server.put(&format!("/DocumentReference/{id}"), &document(id, patient, date)).status, 201);
    }
    let query = "patient=Patient/p1&type=http://loinc.org%7C11502-2&date=ge2026-01-01&_sort=-date";
    let by_get = server.get(&format!("/DocumentReference?{query}"));
    assert_eq!((by_get.status, ids(&by_get)), (200, vec![String::from("b"), String::from("a")]));
    assert_eq!(by_get.json()["entry"][0]["fullUrl"], format!("{}/DocumentReference/b", server.base_url));
    let form = [("content-type", "application/x-www-form-urlencoded")];
    let by_post = server.send("POST", "/DocumentReference/_search?_count=1", &form, query.as_bytes());
    assert_eq!(ids(&by_post), ["b"]);
    let next = link(&by_post, "next").unwrap();
    let rest = server.get(next.strip_prefix(&server.base_url).unwrap());
    assert_eq!((ids(&rest), link(&rest, "next")), (vec![String::from("a")], None));
    assert_eq!(server.send("POST", "/DocumentReference/_search", &[("content-type", "application/json")], b"{}").status, 415);
}

#[test]
fn an_unknown_parameter_is_refused_unless_the_client_is_lenient() {
    let server = Server::start();
    server.put("/Patient/p1", &json!({"resourceType": "Patient", "id": "p1"}));
    assert_eq!(server.get("/Patient?foo=bar").status, 400);
    let lenient = server.send("GET", "/Patient?foo=bar&_id=p1", &[("prefer", "handling=lenient")], b"");
    assert_eq!((lenient.status, ids(&lenient)), (200, vec![String::from("p1")]));
    let bundle = lenient.json();
    let told: Vec<_> = bundle["entry"].as_array().unwrap().iter().filter(|entry| entry["search"]["mode"] == "outcome").collect();
    assert_eq!(told.len(), 1);
    assert!(!link(&lenient, "self").unwrap().contains("foo"));
}

#[test]
fn an_unknown_parameter_is_refused_with_its_place_and_the_nearest_known_ones() {
    let server = Server::start();
    let told = |path: &str, headers: &[(&str, &str)]| {
        let answer = server.send("GET", path, headers, b"");
        let issue = answer.json()["issue"][0].clone();
        (answer.status, issue["expression"][0].clone(), issue["diagnostics"].as_str().unwrap_or_default().to_owned())
    };
    let (status, place, said) = told("/Patient?gendr=male", &[]);
    assert!(status == 400 && place == "http.gendr" && said.contains("did you mean `gender`"), "{place} {said}");
    let lenient = [("prefer", "handling=lenient")];
    // S-05: leniency is for parameters, not for modifiers or values.
    assert_eq!(told("/Patient?gender:exact=male", &lenient).0, 400);
    assert_eq!(told("/Patient?birthdate=soon", &lenient).0, 400);
    // S-07: an empty value asks nothing, whatever it is called.
    assert_eq!(told("/Patient?gendr=", &[]).0, 200);
}

#[test]
fn what_is_deleted_or_changed_is_no_longer_found() {
    let server = Server::start();
    server.put("/DocumentReference/a", &document("a", "p1", "2026-02-01T08:00:00Z"));
    assert_eq!(ids(&server.get("/DocumentReference?patient=p1")), ["a"]);
    server.put("/DocumentReference/a", &document("a", "p2", "2026-02-01T08:00:00Z"));
    assert!(ids(&server.get("/DocumentReference?patient=p1")).is_empty());
    assert_eq!(ids(&server.get("/DocumentReference?patient=p2")), ["a"]);
    server.delete("/DocumentReference/a");
    assert!(ids(&server.get("/DocumentReference?patient=p2")).is_empty());
    let count = server.get("/DocumentReference?_summary=count").json();
    assert_eq!((&count["total"], count.get("entry")), (&json!(0), None));
}

#[test]
fn a_chain_leads_through_references_of_any_number_and_either_direction() {
    let server = Server::start();
    let reference = |to: &str| json!({"reference": to});
    for resource in [
        json!({"resourceType": "Organization", "id": "chu", "name": "CHU de Lyon"}),
        json!({"resourceType": "Organization", "id": "unit", "name": "Cardiologie", "partOf": reference("Organization/chu")}),
        json!({"resourceType": "Patient", "id": "p1", "name": [{"family": "Martin"}], "managingOrganization": reference("Organization/unit")}),
        json!({"resourceType": "Patient", "id": "p2", "name": [{"family": "Durand"}], "identifier": [{"system": "urn:ins", "value": "2"}]}),
        json!({"resourceType": "Encounter", "id": "e1", "status": "finished", "class": {"code": "AMB"}, "subject": reference("Patient/p1"),
            "serviceProvider": reference("Organization/unit")}),
        json!({"resourceType": "Observation", "id": "o1", "status": "final", "code": {"coding": [{"code": "x"}]}, "subject": reference("Patient/p1"),
            "encounter": reference("Encounter/e1")}),
        json!({"resourceType": "Observation", "id": "o2", "status": "final", "code": {"coding": [{"code": "y"}]}, "subject": reference("Patient/p2/_history/1")}),
        json!({"resourceType": "Observation", "id": "o3", "status": "final", "code": {"coding": [{"code": "y"}]}, "subject": reference("Patient/nobody")}),
    ] {
        let place = format!("/{}/{}", resource["resourceType"].as_str().unwrap(), resource["id"].as_str().unwrap());
        assert_eq!(server.put(&place, &resource).status, 201, "{place}");
    }
    let table = [
        ("Observation?subject.name=mart", vec!["o1"]),
        ("Observation?subject:Patient.name=durand", vec!["o2"]),
        ("Observation?patient.name=durand", vec!["o2"]),
        ("Observation?patient.name=durand&code=x", vec![]),
        ("Observation?patient.identifier=urn:ins%7C2&code=y", vec!["o2"]),
        ("Observation?patient=p1&encounter.class=AMB", vec!["o1"]),
        ("Observation?patient=p2&encounter.class=AMB", vec![]),
        ("Observation?encounter.service-provider.partof.name=chu", vec!["o1"]),
        ("Observation?subject:Patient.organization.partof.name=chu", vec!["o1"]),
        ("Observation?subject:Patient.name:missing=false", vec!["o1", "o2"]),
        ("Patient?_has:Observation:patient:code=y", vec!["p2"]),
        ("Patient?_has:Observation:patient:code=x&_has:Encounter:patient:class=AMB", vec!["p1"]),
        ("Patient?_has:Observation:patient:encounter.class=AMB", vec!["p1"]),
        ("Organization?_has:Encounter:service-provider:_has:Observation:encounter:code=x", vec!["unit"]),
        ("Organization?_has:Organization:partof:_has:Patient:organization:name=martin", vec!["chu"]),
        ("Encounter?_has:Observation:encounter:subject:Patient.organization.name=cardio", vec!["e1"]),
        ("Patient?_id=p1&_has:Observation:subject:code=y", vec![]),
    ];
    for (query, expected) in table {
        let answer = server.get(&format!("/{query}&_sort=_id&_total=accurate"));
        assert_eq!((answer.status, ids(&answer)), (200, expected.iter().map(|id| (*id).to_owned()).collect()), "{query}");
        assert_eq!(answer.json()["total"], json!(expected.len()), "{query}");
    }
    let refused = [
        ("Observation?subject.colour=x", "http.subject"),
        ("Observation?code.name=x", "http.code"),
        ("Patient?_has:Observation:code:status=x", "http._has"),
        ("Observation?subject.birthdate=x", "http.subject"),
    ];
    for (query, place) in refused {
        let answer = server.get(&format!("/{query}"));
        assert_eq!((answer.status, &answer.json()["issue"][0]["expression"][0]), (400, &json!(place)), "{query}");
    }
}

#[test]
fn links_lead_to_the_first_page_and_back_and_forth() {
    let server = Server::start();
    for (id, status) in [("a", "current"), ("b", "superseded"), ("c", "current"), ("d", "superseded"), ("e", "current")] {
        let mut document = document(id, "p1", "2026-02-01T08:00:00Z");
        document["status"] = json!(status);
        assert_eq!(server.put(&format!("/DocumentReference/{id}"), &document).status, 201);
    }
    for (sort, expected) in [("-status,_id", ["b", "d", "a", "c", "e"]), ("_id", ["a", "b", "c", "d", "e"])] {
        let first = server.get(&format!("/DocumentReference?patient=p1&_sort={sort}&_count=2"));
        let follow =
            |answer: &Answer, relation| server.get(link(answer, relation).unwrap().strip_prefix(&server.base_url).unwrap());
        let second = follow(&first, "next");
        let third = follow(&second, "next");
        assert_eq!([ids(&first), ids(&second), ids(&third)].concat(), expected, "{sort}");
        assert_eq!((link(&first, "previous"), link(&third, "next")), (None, None));
        let back = follow(&third, "previous");
        assert_eq!((ids(&back), ids(&follow(&back, "previous"))), (ids(&second), ids(&first)));
        assert_eq!((link(&follow(&back, "previous"), "previous"), ids(&follow(&back, "next"))), (None, ids(&third)));
        assert_eq!(ids(&follow(&third, "first")), ids(&first));
    }
}

#[test]
fn a_page_link_that_was_changed_or_a_key_without_order_is_refused_with_its_place() {
    let server = Server::start();
    for id in ["a", "b"] {
        server.put(&format!("/DocumentReference/{id}"), &document(id, "p1", "2026-02-01T08:00:00Z"));
    }
    let first = server.get("/DocumentReference?patient=p1&_count=1");
    let next = link(&first, "next").unwrap();
    let next = next.strip_prefix(&server.base_url).unwrap();
    let table = [
        (next.replace("p1", "p2"), "http._page", "another search"),
        (format!("{next}x"), "http._page", "another search"),
        ("/DocumentReference?_page=abc".to_owned(), "http._page", "another search"),
        ("/DocumentReference?_sort=date,novelty".to_owned(), "http._sort", "at character 6"),
        ("/DocumentReference?_sort=_score".to_owned(), "http._sort", "_score"),
        ("/DocumentReference?_sort=date,relationship".to_owned(), "http._sort", "`relationship` at character 6 has no order"),
    ];
    for (path, place, told) in table {
        let refused = server.get(&path);
        let issue = &refused.json()["issue"][0];
        assert_eq!((refused.status, &issue["expression"][0]), (400, &json!(place)), "{path}");
        assert!(issue["diagnostics"].as_str().unwrap().contains(told), "{path}: {issue}");
    }
}

#[test]
fn a_filter_goes_through_references_too() {
    let server = Server::start();
    for resource in [
        json!({"resourceType": "Patient", "id": "p1", "gender": "male", "name": [{"family": "Martin"}]}),
        json!({"resourceType": "Patient", "id": "p2", "gender": "female", "name": [{"family": "Martin"}]}),
        document("a", "p1", "2026-02-01T08:00:00Z"),
        document("b", "p2", "2026-03-01T08:00:00Z"),
    ] {
        let place = format!("/{}/{}", resource["resourceType"].as_str().unwrap(), resource["id"].as_str().unwrap());
        assert_eq!(server.put(&place, &resource).status, 201, "{place}");
    }
    let table = [
        ("subject.family eq martin", vec!["a", "b"]),
        ("subject.family eq martin and date ge 2026-03-01", vec!["b"]),
        ("subject[gender eq male].family co art", vec!["a"]),
        ("not (subject[gender eq male].family co art) or date lt 2025", vec!["b"]),
        ("patient.identifier pr false", vec!["a", "b"]),
        ("subject.family ew x", vec![]),
    ];
    for (filter, expected) in table {
        let answer = server.get(&format!(
            "/DocumentReference?_sort=_id&_filter={}",
            filter.replace(' ', "%20").replace('[', "%5B").replace(']', "%5D")
        ));
        assert_eq!((answer.status, ids(&answer)), (200, expected.iter().map(|id| (*id).to_owned()).collect()), "{filter}");
    }
}

#[test]
fn the_last_page_is_one_link_away_and_leads_back() {
    let server = Server::start();
    for day in 1..=5 {
        let id = format!("d{day}");
        server.put(&format!("/DocumentReference/{id}"), &document(&id, "p1", &format!("2026-02-0{day}T08:00:00Z")));
    }
    let link = |bundle: &Value, relation: &str| {
        let links = bundle["link"].as_array().unwrap();
        let found = links.iter().find(|link| link["relation"] == relation)?;
        Some(found["url"].as_str().unwrap().split_once("/fhir").unwrap().1.to_owned())
    };
    for sort in ["", "&_sort=date", "&_sort=status,date"] {
        let first = server.get(&format!("/DocumentReference?patient=p1&_count=2{sort}")).json();
        let last = server.get(&link(&first, "last").unwrap());
        assert_eq!(ids(&last), ["d4", "d5"], "{sort}");
        assert_eq!(link(&last.json(), "next"), None);
        let before = server.get(&link(&last.json(), "previous").unwrap());
        assert_eq!(ids(&before), ["d2", "d3"], "{sort}");
        assert_eq!(ids(&server.get(&link(&before.json(), "previous").unwrap())), ["d1"], "{sort}");
    }
    let all = server.get("/DocumentReference?patient=p1").json();
    assert_eq!(link(&all, "last"), None, "of one page there is no last one");
}
