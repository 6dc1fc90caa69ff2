//! X-Provenance, beyond what the scripts can say: where it rests, what is journaled, what is refused, races.

use serde_json::{Value, json};

use crate::support::client::{Answer, FHIR_JSON};
use crate::support::people::Professional;
use crate::support::resources::{patient_called, patient_saying, post_entry, put_entry, transaction, weight};
use crate::support::server::Server;

const PROVENANCE: &str =
    r#"{"resourceType":"Provenance","recorded":"2026-01-05T08:00:00Z","agent":[{"who":{"display":"Dr Anaïs Kerbrat"}}]}"#;

async fn provenances(professional: &Professional) -> Vec<Value> {
    professional.get("Provenance?_sort=_lastUpdated").await.expect(200).resources()
}

fn targets(provenance: &Value) -> Vec<String> {
    provenance["target"].as_array().unwrap().iter().map(|target| target["reference"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn pv_01_every_write_that_brings_a_provenance_stores_exactly_one() {
    let server = Server::start_with(|settings| settings.audit.record = Some(true));
    let professional = Professional::of(&server);
    let created = professional.post("Patient", &patient_called("x")).header("X-Provenance", PROVENANCE).await.expect(201).place();
    let update = professional.put("Patient/p", &patient_called("p")).header("X-Provenance", PROVENANCE).await;
    update.expect(201);
    let patch = professional.patch("Patient/p", &json!([{"op": "add", "path": "/gender", "value": "male"}]));
    patch.header("X-Provenance", PROVENANCE).await.expect(200);
    let letter = professional.request("POST", "Binary").body("text/plain", "bonjour").header("X-Provenance", PROVENANCE).await;
    let letter = letter.expect(201).place();
    professional.put("Patient/p", &patient_called("p")).await.expect(200);
    let all = provenances(&professional).await;
    let expected = [
        format!("{created}/_history/1"),
        "Patient/p/_history/1".to_owned(),
        "Patient/p/_history/2".to_owned(),
        format!("{letter}/_history/1"),
    ];
    assert_eq!(all.iter().flat_map(targets).collect::<Vec<_>>(), expected);
    assert_eq!(all[0]["agent"][0]["who"]["display"], "Dr Anaïs Kerbrat");
    let records: Vec<String> = server.place.journal().into_iter().map(|row| String::from_utf8(row.entry).unwrap()).collect();
    let place = format!("Provenance/{}/_history/1", all[0]["id"].as_str().unwrap());
    assert!(records.iter().any(|record| record.contains(r#""create""#) && record.contains(&place)), "{records:?}");
}

#[tokio::test]
async fn pv_01_one_who_sends_the_same_again_attests_the_version_that_is_there() {
    let server = Server::start();
    let professional = Professional::of(&server);
    professional.put("Patient/p", &patient_called("p")).await.expect(201);
    let again = professional.put("Patient/p", &patient_called("p")).header("X-Provenance", PROVENANCE).await.expect(200);
    assert_eq!(again.header("ETag"), "W/\"1\"");
    let all = provenances(&professional).await;
    assert_eq!(all.iter().map(targets).collect::<Vec<_>>(), [["Patient/p/_history/1"]]);
}

#[tokio::test]
async fn pv_01_a_fault_of_the_header_stops_the_write_and_names_it() {
    let server = Server::start_with(|settings| settings.limits.provenance_bytes = 200);
    let professional = Professional::of(&server);
    let refused = |answer: Answer| {
        let issue = answer.refused(400);
        assert_eq!(issue["expression"][0], "http.X-Provenance", "{issue}");
        issue["diagnostics"].as_str().unwrap().to_owned()
    };
    let long = PROVENANCE.replace("Dr Anaïs", &"x".repeat(100));
    let table = [
        ("", "ends inside"),
        ("{", "ends inside"),
        ("[]", "empty"),
        (r#"{"resourceType":"Patient"}"#, "another type"),
        (r#"{"resourceType":"Provenance","recorded":"2026-01-05T08:00:00Z"}"#, "Provenance.agent"),
        (r#"{"resourceType":"Provenance","recorded":"yesterday","agent":[{"who":{"display":"x"}}]}"#, "Provenance.recorded"),
        (r#"{"resourceType":"Provenance","target":[{"reference":"Patient/p"}],"recorded":"2026-01-05T08:00:00Z"}"#, "no target"),
        (&long, "at most 200 bytes"),
    ];
    for (header, told) in table {
        let put = professional.put("Patient/p", &patient_called("p")).header("X-Provenance", header).await;
        assert!(refused(put).contains(told), "{header}");
        let sent = professional.post("", &transaction(&[put_entry(&patient_called("p"))])).header("X-Provenance", header).await;
        assert!(refused(sent).contains(told), "{header}");
    }
    let two =
        professional.put("Patient/p", &patient_called("p")).header("X-Provenance", PROVENANCE).header("X-Provenance", PROVENANCE);
    assert!(refused(two.await).contains("one Provenance"));
    professional.get("Patient/p").await.refused(404);
    assert!(provenances(&professional).await.is_empty());
    // Where nothing is written the header means nothing.
    professional.get("Patient").header("X-Provenance", "{").await.expect(200);
}

#[tokio::test]
async fn pv_02_what_a_transaction_writes_has_one_provenance_and_deletions_are_among_it() {
    let server = Server::start();
    let professional = Professional::of(&server);
    for id in ["p", "q", "r"] {
        professional.put(&format!("Patient/{id}"), &patient_called(id)).await.expect(201);
    }
    let entries = [
        post_entry("urn:uuid:00000000-0000-4000-8000-000000000001", &weight("Patient/p", 70)),
        put_entry(&patient_saying("p", 2)),
        put_entry(&patient_called("q")),
        json!({"request": {"method": "DELETE", "url": "Patient/r"}}),
        json!({"request": {"method": "GET", "url": "Patient/p"}}),
    ];
    let answer = professional.post("", &transaction(&entries)).header("X-Provenance", PROVENANCE).await.expect(200).json();
    assert_eq!(answer["entry"].as_array().unwrap().len(), 5);
    let all = provenances(&professional).await;
    assert_eq!(all.len(), 1);
    let mut found = targets(&all[0]);
    found.sort();
    let location = answer["entry"][0]["response"]["location"].as_str().unwrap();
    let observation = location.strip_prefix(&format!("{}/", server.base_url)).unwrap().to_owned();
    assert_eq!(
        found,
        [observation, "Patient/p/_history/2".to_owned(), "Patient/q/_history/1".to_owned(), "Patient/r/_history/2".to_owned()]
    );
    let reading = [json!({"request": {"method": "GET", "url": "Patient/p"}})];
    professional.post("", &transaction(&reading)).header("X-Provenance", PROVENANCE).await.expect(200);
    let failing = [put_entry(&patient_saying("p", 3)), json!({"request": {"method": "GET", "url": "Patient/nobody"}})];
    professional.post("", &transaction(&failing)).header("X-Provenance", PROVENANCE).await.refused(404);
    let batch = json!({"resourceType": "Bundle", "type": "batch", "entry": [put_entry(&patient_saying("p", 4)), put_entry(&patient_saying("q", 4))]});
    professional.post("", &batch).header("X-Provenance", PROVENANCE).await.expect(200);
    let all = provenances(&professional).await;
    assert_eq!(all[1..].iter().map(targets).collect::<Vec<_>>(), [["Patient/p/_history/3"], ["Patient/q/_history/2"]]);
}

#[tokio::test]
async fn pv_02_it_rests_in_the_dossier_of_what_it_tells_of_and_stays_there() {
    let server = Server::start();
    let professional = Professional::of(&server);
    let place = professional.post("Patient", &patient_called("x")).await.expect(201).place();
    let weight =
        professional.post("Observation", &weight(&place, 70)).header("X-Provenance", PROVENANCE).await.expect(201).place();
    let all = provenances(&professional).await;
    let provenance = format!("Provenance/{}", all[0]["id"].as_str().unwrap());
    let part = |place: &str| place.split('/').nth(1).unwrap().to_owned();
    let key = |place: &str| carnet::fhir::InstanceKey::read(&part(place).parse().unwrap()).unwrap().part;
    assert_eq!((key(&provenance), key(&weight)), (key(&place), key(&place)));
    let mut changed = all[0].clone();
    changed["reason"] = json!([{"text": "x"}]);
    professional.put(&provenance, &changed).await.expect(200);
    let found = professional.get(&format!("Provenance?target={weight}")).await.expect(200).resources();
    assert_eq!((found.len(), &found[0]["reason"][0]["text"]), (1, &json!("x")));
    let sent = professional.request("PUT", "Observation/none").body(FHIR_JSON, "{}").header("X-Provenance", PROVENANCE).await;
    sent.refused(400);
    assert_eq!(provenances(&professional).await.len(), 1);
}
