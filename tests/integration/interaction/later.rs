//! What is answered later (R4 async.html; AS-01 to AS-04).

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::support::client::{Answer, Client};
use crate::support::people::Professional;
use crate::support::resources::{patient_called, post_entry, weight};
use crate::support::server::Server;

async fn accepted(request: crate::support::client::Request) -> String {
    let answer = request.header("Prefer", "respond-async").await.expect(202);
    assert_eq!(answer.header("Preference-Applied"), "respond-async");
    answer.header("Content-Location").to_owned()
}

/// Asks how far it is until it is done.
async fn done(client: &Client, url: &str) -> Answer {
    loop {
        let answer = client.get(url).await;
        if answer.status != 202 {
            return answer;
        }
        assert!(!answer.header("X-Progress").is_empty() && answer.header("X-Progress").len() < 100);
        assert!(!answer.header("Retry-After").is_empty());
        tokio::task::yield_now().await;
    }
}

/// Every line of every page, by type.
async fn lines(client: &Client, manifest: &Value) -> BTreeMap<String, Vec<Value>> {
    let mut all: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    for output in manifest["output"].as_array().unwrap() {
        let page = client.get(output["url"].as_str().unwrap()).await.expect(200);
        assert_eq!(page.header("Content-Type"), "application/fhir+ndjson");
        let text = String::from_utf8(page.body).unwrap();
        let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(output["count"], lines.len());
        assert!(lines.iter().all(|line| line["resourceType"] == output["type"]));
        all.entry(output["type"].as_str().unwrap().to_owned()).or_default().extend(lines);
    }
    all
}

#[tokio::test]
async fn as_01_to_as_04_a_search_is_answered_later_in_pages_of_one_type() {
    let server = Server::start_with(|settings| settings.limits.page_max_resources = 3);
    let professional = Professional::of(&server);
    professional.put("Patient/p", &patient_called("p")).await.expect(201);
    for kilograms in 0..8 {
        professional.post("Observation", &weight("Patient/p", kilograms)).await.expect(201);
    }
    let url = accepted(professional.get("Observation?patient=p&_include=Observation:subject")).await;
    assert!(url.starts_with(&server.base_url), "{url}");
    let finished = done(&professional, &url).await.expect(200);
    assert_eq!(finished.header("Content-Type"), "application/json");
    assert!(!finished.header("Expires").is_empty());
    let manifest = finished.json();
    assert_eq!(manifest["request"], format!("{}/Observation?patient=p&_include=Observation:subject", server.base_url));
    assert_eq!((&manifest["requiresAccessToken"], &manifest["error"]), (&json!(false), &json!([])));
    assert!(manifest["transactionTime"].is_string());
    let found = lines(&professional, &manifest).await;
    assert_eq!(found["Observation"].len(), 8);
    professional.delete(&url).await.expect(202);
    professional.get(&url).await.refused(404);
    professional.get(manifest["output"][0]["url"].as_str().unwrap()).await.refused(404);
    professional.delete(&url).await.refused(404);
}

#[tokio::test]
async fn as_01_everything_and_a_bundle_are_answered_later() {
    let server = Server::start();
    let professional = Professional::of(&server);
    professional.put("Patient/p", &patient_called("p")).await.expect(201);
    professional.post("Observation", &weight("Patient/p", 60)).await.expect(201);
    let everything = accepted(professional.get("Patient/p/$everything?_type=Patient,Observation")).await;
    let found = lines(&professional, &done(&professional, &everything).await.expect(200).json()).await;
    assert_eq!((found["Patient"].len(), found["Observation"].len()), (1, 1));
    for kind in ["batch", "transaction"] {
        let entry = post_entry("urn:uuid:00000000-0000-4000-8000-000000000001", &weight("Patient/p", 61));
        let bundle = json!({"resourceType": "Bundle", "type": kind, "entry": [entry]});
        let url = accepted(professional.post("", &bundle)).await;
        let found = lines(&professional, &done(&professional, &url).await.expect(200).json()).await;
        assert_eq!(found["Bundle"][0]["type"], format!("{kind}-response"));
        assert_eq!(found["Bundle"][0]["entry"][0]["response"]["status"], "201 Created");
    }
    let counted = professional.get("Observation?patient=p&_summary=count").await.json();
    assert_eq!(counted["total"], 3);
}

#[tokio::test]
async fn as_01_what_cannot_be_done_is_refused_at_once_or_told_later() {
    let server = Server::start();
    let professional = Professional::of(&server);
    professional.get("Patient?novelty=1").header("Prefer", "respond-async").await.refused(400);
    professional.get("Patient/p/$everything?start=soon").header("Prefer", "respond-async").await.refused(400);
    let absent = accepted(professional.get("Patient/nobody/$everything")).await;
    done(&professional, &absent).await.refused(404);
    let bundle = json!({"resourceType": "Bundle", "type": "transaction", "entry": [{"request": {"method": "GET", "url": "Patient/nobody"}}]});
    let refused = accepted(professional.post("", &bundle)).await;
    done(&professional, &refused).await.refused(404);
    for url in ["$job?id=never", "$job?id="] {
        professional.get(url).await.expect(if url.ends_with('=') { 400 } else { 404 });
    }
    let read = professional.get("Patient/nobody").header("Prefer", "respond-async").await;
    assert_eq!(read.status, 404, "what is quick is answered now");
}

#[tokio::test]
async fn what_is_to_be_answered_later_outlives_the_server_that_took_it_in() {
    let mut server = Server::start_with(|settings| settings.limits.page_max_resources = 1);
    let professional = Professional::of(&server);
    professional.put("Patient/p", &patient_called("p")).await.expect(201);
    for kilograms in 0..20 {
        professional.post("Observation", &weight("Patient/p", kilograms)).await.expect(201);
    }
    let url = accepted(professional.get("Observation?patient=p")).await;
    server.restart(|settings| settings.limits.page_max_resources = 1);
    let professional = Professional::of(&server);
    let query = url.split_once('?').unwrap().1;
    let manifest = done(&professional, &format!("$job?{query}")).await.expect(200).json();
    let pages = manifest["output"].as_array().unwrap();
    let mut ids = std::collections::BTreeSet::new();
    for page in 0..pages.len() {
        let lines = professional.get(&format!("$job?{query}&page={page}")).await.expect(200);
        let line: Value = serde_json::from_slice(&lines.body).unwrap();
        ids.insert(line["id"].as_str().unwrap().to_owned());
    }
    assert_eq!((pages.len(), ids.len()), (20, 20), "nothing twice, nothing lost");
}
