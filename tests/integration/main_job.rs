//! The main job: a laboratory pushes a result, a hospital finds it and reads it, byte for byte. With the files of `examples/`, as
//! the README tells it.

use serde_json::{Value, json};

use crate::support::client::{Answer, Client, FHIR_JSON};
use crate::support::people::{Holder, Laboratory, Professional};
use crate::support::server::Server;

fn example(name: &str) -> Vec<u8> {
    std::fs::read(format!("{}/examples/{name}", env!("CARGO_MANIFEST_DIR"))).unwrap()
}

fn example_json(name: &str) -> Value {
    serde_json::from_slice(&example(name)).unwrap()
}

async fn stored_patient(holder: &Client) {
    holder.request("PUT", "Patient/camille").body(FHIR_JSON, example("patient.json")).await.expect(201);
}

const FOUND: &str = "DocumentReference?patient=Patient/camille&type=http://loinc.org%7C11502-2&date=ge2026-01-01&_sort=-date";

#[tokio::test]
async fn what_a_laboratory_pushes_a_hospital_finds_and_reads_byte_for_byte() {
    let server = Server::start();
    let (laboratory, hospital) = (Laboratory::of(&server), Professional::of(&server));
    stored_patient(&Holder::of(&server)).await;

    let pushed = laboratory.request("POST", "").body(FHIR_JSON, example("lab-result-bundle.json")).await.expect(200).json();
    assert_eq!(pushed["type"], "transaction-response");
    let statuses: Vec<&str> =
        pushed["entry"].as_array().unwrap().iter().map(|entry| entry["response"]["status"].as_str().unwrap()).collect();
    assert!(statuses.iter().all(|status| status.starts_with("201")), "{statuses:?}");

    let found = hospital.get(FOUND).await.expect(200);
    let documents = found.resources();
    assert_eq!(documents.len(), 1);
    let document = hospital.get(&format!("DocumentReference/{}", documents[0]["id"].as_str().unwrap())).await.expect(200).json();
    assert_eq!(document, documents[0]);

    let binary = document["content"][0]["attachment"]["url"].as_str().unwrap();
    assert!(binary.contains("Binary/") && !binary.contains("urn:"), "{binary}");
    let report = hospital.get(binary).header("Accept", "application/pdf").await.expect(200);
    assert_eq!(report.header("Content-Type"), "application/pdf");
    assert!(report.body == example("lab-report.pdf"));
}

#[tokio::test]
async fn the_submission_set_leads_to_the_document() {
    let server = Server::start();
    let laboratory = Laboratory::of(&server);
    stored_patient(&laboratory).await;
    laboratory.request("POST", "").body(FHIR_JSON, example("lab-result-bundle.json")).await.expect(200);
    let lists = laboratory.get("List?subject=Patient/camille").await.expect(200).resources();
    let item = lists[0]["entry"][0]["item"]["reference"].as_str().unwrap();
    assert_eq!(laboratory.get(item).await.expect(200).json()["resourceType"], "DocumentReference");
}

/// Creates, updates, reads the first version, deletes, finds it gone.
async fn whole_life(person: &Client, file: &str) -> Answer {
    let mut resource = example_json(file);
    let place = format!("{}/{}", resource["resourceType"].as_str().unwrap(), resource["id"].as_str().unwrap());
    person.request("PUT", &place).body(FHIR_JSON, example(file)).await.expect(201);
    resource["language"] = json!("fr");
    let updated = person.put(&place, &resource).await.expect(200);
    assert_eq!(updated.header("ETag"), "W/\"2\"");
    let first = person.get(&format!("{place}/_history/1")).await.expect(200).json();
    assert_eq!((&first["language"], &first["meta"]["versionId"]), (&example_json(file)["language"], &json!("1")));
    person.delete(&place).await.expect(204);
    person.get(&place).await
}

#[tokio::test]
async fn the_other_examples_live_their_whole_life() {
    let server = Server::start();
    let professional = Professional::of(&server);
    for file in ["patient.json", "allergy.json", "immunization.json", "consent.json"] {
        whole_life(&professional, file).await.refused(410);
    }
}

#[tokio::test]
async fn an_audit_event_is_created() {
    let server = Server::start();
    let created = Professional::of(&server).request("POST", "AuditEvent").body(FHIR_JSON, example("audit-event.json")).await;
    assert!(created.expect(201).place().starts_with("AuditEvent/"));
}
