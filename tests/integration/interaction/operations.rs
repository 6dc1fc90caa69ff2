//! Operations (R4 operations.html, OP-01 to OP-09): what is asked by a name that begins with `$`.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::support::client::{Answer, Client};
use crate::support::people::Professional;
use crate::support::resources::{patient_called, weight};
use crate::support::server::Server;

fn parameters(values: &[Value]) -> Value {
    match values {
        [] => json!({"resourceType": "Parameters"}),
        values => json!({"resourceType": "Parameters", "parameter": values}),
    }
}

fn names(answer: &Answer) -> BTreeSet<String> {
    let resources = answer.resources().into_iter().filter(|resource| resource["resourceType"] != "OperationOutcome");
    resources
        .map(|resource| format!("{}/{}", resource["resourceType"].as_str().unwrap(), resource["id"].as_str().unwrap()))
        .collect()
}

fn set<const N: usize>(names: [&str; N]) -> BTreeSet<String> {
    names.map(str::to_owned).into()
}

async fn put(client: &Client, resource: Value) {
    let place = format!("{}/{}", resource["resourceType"].as_str().unwrap(), resource["id"].as_str().unwrap());
    client.put(&place, &resource).await.expect(201);
}

fn weighed(id: &str, subject: &str, date: &str) -> Value {
    let mut weight = weight(subject, 60);
    (weight["id"], weight["effectiveDateTime"]) = (json!(id), json!(date));
    weight
}

/// Two patients; of the first a weight, an older one, a document with its author, and an allergy without a date.
async fn dossiers(client: &Client) {
    put(client, patient_called("a")).await;
    put(client, patient_called("b")).await;
    put(client, json!({"resourceType": "Practitioner", "id": "author"})).await;
    put(client, json!({"resourceType": "Practitioner", "id": "stranger"})).await;
    put(client, weighed("old", "Patient/a", "2019-03-01")).await;
    put(client, weighed("new", "Patient/a", "2026-03-01")).await;
    put(client, weighed("other", "Patient/b", "2026-03-01")).await;
    put(client, json!({"resourceType": "AllergyIntolerance", "id": "allergy", "patient": {"reference": "Patient/a"},
        "clinicalStatus": {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/allergyintolerance-clinical", "code": "active"}]}})).await;
    put(
        client,
        json!({"resourceType": "DocumentReference", "id": "document", "status": "current", "subject": {"reference": "Patient/a"},
        "date": "2026-02-01T10:00:00Z", "author": [{"reference": "Practitioner/author"}],
        "type": {"coding": [{"system": "http://loinc.org", "code": "34133-9"}]},
        "context": {"period": {"start": "2026-01-20", "end": "2026-01-31"}},
        "content": [{"attachment": {"contentType": "text/plain"}}]}),
    )
    .await;
}

#[tokio::test]
async fn op_03_everything_of_a_patient_is_the_compartment_and_what_it_refers_to() {
    let server = Server::start();
    let professional = Professional::of(&server);
    dossiers(&professional).await;
    let all = set([
        "Patient/a",
        "Observation/old",
        "Observation/new",
        "AllergyIntolerance/allergy",
        "DocumentReference/document",
        "Practitioner/author",
    ]);
    let answer = professional.get("Patient/a/$everything").await.expect(200);
    assert_eq!(names(&answer), all);
    assert_eq!((&answer.json()["type"], answer.link("next")), (&json!("searchset"), None));
    let posted = professional.post("Patient/a/$everything", &parameters(&[])).await.expect(200);
    assert_eq!(names(&posted), all);
    let of = async |query: &str| names(&professional.get(&format!("Patient/a/$everything?{query}")).await.expect(200));
    assert_eq!(of("_type=Observation,Patient").await, set(["Patient/a", "Observation/old", "Observation/new"]));
    assert_eq!(of("_type=Device").await, set([]));
    let dated = set(["Observation/new", "DocumentReference/document", "Practitioner/author"]);
    let undated = set(["Patient/a", "AllergyIntolerance/allergy"]);
    assert_eq!(of("start=2026-01-01").await, dated.union(&undated).cloned().collect());
    assert_eq!(of("start=2019&end=2019-12-31").await, set(["Patient/a", "AllergyIntolerance/allergy", "Observation/old"]));
    assert_eq!(of("_since=2999-01-01T00:00:00Z").await, set([]));
    let both = [json!({"name": "start", "valueDate": "2026-01-01"}), json!({"name": "_type", "valueCode": "Observation"})];
    let posted = professional.post("Patient/a/$everything", &parameters(&both)).await.expect(200);
    assert_eq!(names(&posted), set(["Observation/new", "Patient/a"]).into_iter().filter(|name| name != "Patient/a").collect());
}

#[tokio::test]
async fn op_03_everything_comes_in_pages_where_count_asks_for_them_and_of_all_patients() {
    let server = Server::start();
    let professional = Professional::of(&server);
    dossiers(&professional).await;
    for (path, patients) in [("Patient/a/$everything?_count=2&_type=Observation,Patient", 1), ("Patient/$everything?_count=2", 2)]
    {
        let (mut seen, mut next) = (BTreeSet::new(), Some(path.to_owned()));
        while let Some(page) = next {
            let answer = professional.get(&page).await.expect(200);
            let matches = answer.json()["entry"].as_array().cloned().unwrap_or_default();
            assert!(matches.iter().filter(|entry| entry["search"]["mode"] == "match").count() <= 2);
            seen.extend(names(&answer));
            next = answer.link("next");
        }
        assert_eq!(seen.iter().filter(|name| name.starts_with("Patient/")).count(), patients, "{path}");
        assert!(!seen.contains("Practitioner/stranger") && seen.contains("Observation/old"), "{seen:?}");
    }
}

#[tokio::test]
async fn op_01_what_is_sent_is_held_against_the_definition() {
    let server = Server::start();
    let professional = Professional::of(&server);
    dossiers(&professional).await;
    for (query, place) in [
        ("start=soon", "http.start"),
        ("_count=many", "http._count"),
        ("_count=1&_count=2", "http._count"),
        ("_type=Patience", "http._type"),
        ("novelty=1", "http.novelty"),
    ] {
        let issue = professional.get(&format!("Patient/a/$everything?{query}")).await.refused(400);
        assert_eq!(issue["expression"][0], place, "{query}");
    }
    for bad in [
        json!({"name": "start", "valueInteger": 1}),
        json!({"name": "novelty", "valueString": "1"}),
        json!({"name": "start", "resource": {"resourceType": "Patient"}}),
    ] {
        let issue = professional.post("Patient/a/$everything", &parameters(&[bad])).await.refused(400);
        assert_eq!(issue["expression"][0], "Parameters.parameter[0]");
    }
    professional.get("Patient/nobody/$everything").await.refused(404);
    professional.delete("Patient/b").await.expect(204);
    professional.get("Patient/b/$everything").await.refused(410);
    for (method, path, status) in [
        ("GET", "Device/x/$everything", 404),
        ("GET", "$everything", 404),
        ("GET", "Patient/$nothing", 404),
        ("PUT", "Patient/a/$everything", 405),
        ("GET", "Patient/a/$meta-add", 405),
    ] {
        professional.request(method, path).await.refused(status);
    }
}

#[tokio::test]
async fn op_09_docref_finds_documents_by_care_dates_and_types_or_the_latest_summary() {
    let server = Server::start();
    let professional = Professional::of(&server);
    dossiers(&professional).await;
    let of = async |query: &str| names(&professional.get(&format!("DocumentReference/$docref?{query}")).await.expect(200));
    let document = set(["DocumentReference/document"]);
    assert_eq!(of("patient=a").await, document);
    assert_eq!(of("patient=b").await, set([]));
    assert_eq!(of("patient=a&start=2026-01-01&end=2026-01-31").await, document);
    assert_eq!(of("patient=a&start=2027-01-01").await, set([]));
    assert_eq!(of("patient=a&type=http://loinc.org%7C11502-2").await, set([]));
    let concept =
        json!({"name": "type", "valueCodeableConcept": {"coding": [{"system": "http://loinc.org", "code": "34133-9"}]}});
    let asked = parameters(&[json!({"name": "patient", "valueId": "a"}), concept]);
    assert_eq!(names(&professional.post("DocumentReference/$docref", &asked).await.expect(200)), document);
    let issue = professional.get("DocumentReference/$docref").await.refused(400);
    assert_eq!((&issue["code"], &issue["expression"][0]), (&json!("required"), &json!("http.patient")));
}

#[tokio::test]
async fn lastn_tells_the_latest_of_each_code() {
    let server = Server::start();
    let professional = Professional::of(&server);
    dossiers(&professional).await;
    let coded = |id: &str, date: &str, codings: Value| {
        let mut observation = weighed(id, "Patient/a", date);
        observation["code"] = json!({"coding": codings});
        observation
    };
    put(&professional, coded("p1", "2025-01-01", json!([{"system": "http://loinc.org", "code": "8867-4"}]))).await;
    put(
        &professional,
        coded(
            "p2",
            "2026-01-01",
            json!([{"system": "http://loinc.org", "code": "8867-4"}, {"system": "urn:own", "code": "pulse"}]),
        ),
    )
    .await;
    put(&professional, coded("p3", "2024-01-01", json!([{"system": "urn:own", "code": "pulse"}]))).await;
    let of = async |query: &str| names(&professional.get(&format!("Observation/$lastn?{query}")).await.expect(200));
    assert_eq!(of("patient=a").await, set(["Observation/new", "Observation/p2"]));
    assert_eq!(
        of("patient=Patient/a&max=2").await,
        set(["Observation/new", "Observation/old", "Observation/p2", "Observation/p1"])
    );
    assert_eq!(of("subject=Patient/a&code=http://loinc.org%7C8867-4").await, set(["Observation/p2"]));
    for query in ["max=1", "patient=a&max=0", "patient=a&novelty=1"] {
        professional.get(&format!("Observation/$lastn?{query}")).await.refused(400);
    }
}

#[tokio::test]
async fn op_07_a_document_is_the_composition_and_what_it_refers_to() {
    let server = Server::start();
    let professional = Professional::of(&server);
    dossiers(&professional).await;
    put(&professional, json!({"resourceType": "Composition", "id": "c", "status": "final", "date": "2026-03-02", "title": "Summary",
        "type": {"text": "summary"}, "subject": {"reference": "Patient/a"}, "author": [{"reference": "Practitioner/author"}],
        "section": [{"entry": [{"reference": "Observation/new"}, {"reference": "Observation/gone"}], "section": [{"entry": [{"reference": "Observation/old"}]}]}]})).await;
    let document = professional.get("Composition/c/$document").await.expect(200);
    let bundle = document.json();
    assert_eq!((&bundle["type"], &bundle["entry"][0]["resource"]["id"]), (&json!("document"), &json!("c")));
    assert!(bundle["timestamp"].is_string() && bundle["identifier"]["value"].as_str().unwrap().starts_with("urn:uuid:"));
    let parts = set(["Composition/c", "Patient/a", "Practitioner/author", "Observation/new", "Observation/old"]);
    assert_eq!(names(&document), parts);
    let by_id = professional.get("Composition/$document?id=Composition/c").await.expect(200);
    assert_eq!(names(&by_id), parts);
    professional.get("Composition/c/$document?persist=true").await.refused(405);
    let persist = parameters(&[json!({"name": "persist", "valueBoolean": true})]);
    let stored = professional.post("Composition/c/$document", &persist).await.expect(201);
    let kept = professional.get(&stored.place()).await.expect(200);
    assert_eq!((kept.json()["type"].clone(), names(&kept)), (json!("document"), parts));
    professional.get("Composition/nothing/$document").await.refused(404);
    professional.get("Composition/$document").await.refused(400);
}
