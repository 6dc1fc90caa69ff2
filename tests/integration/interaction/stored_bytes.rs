//! A resource is stored as the bytes to be served (R-02, V-01): order, digits, siblings and extensions stay as they were written.

use crate::support::client::FHIR_JSON;
use crate::support::people::Professional;
use crate::support::server::Server;

/// What is sent, and what must come back between `meta` and the end.
const ODD: &str = r#" { "resourceType" : "Observation",
  "valueQuantity": { "value": 1.50e+2, "code": "mg" , "system":"http://unitsofmeasure.org"},
  "status": "final", "_status": {"extension": [{"url": "https://a.example/x", "valueDecimal": 0.10}]},
  "code": {"text": "caf\u00e9 \"\ud83d\ude00\" \/ \t"},
  "effectiveDateTime": "2026-01" } "#;

#[tokio::test]
async fn order_digits_and_siblings_stay_as_they_were_written() {
    let server = Server::start();
    let professional = Professional::of(&server);
    let created = professional.request("POST", "Observation").body(FHIR_JSON, ODD).await.expect(201);
    let read = professional.get(&created.place()).await.expect(200);
    let text = String::from_utf8(read.body).unwrap();
    for kept in ["1.50e+2", "0.10", "\"_status\":{", "\"effectiveDateTime\":\"2026-01\""] {
        assert!(text.contains(kept), "{kept} in {text}");
    }
    let names =
        ["\"resourceType\"", "\"id\"", "\"meta\"", "\"valueQuantity\"", "\"status\"", "\"_status\"", "\"code\":{\"text\""];
    let places: Vec<usize> = names.iter().map(|name| text.find(name).unwrap_or_else(|| panic!("{name} in {text}"))).collect();
    assert!(places.is_sorted(), "{text}");
    let json: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(json["code"]["text"], "caf\u{e9} \"\u{1f600}\" / \t");
}

#[tokio::test]
async fn an_old_version_and_the_history_serve_the_same_bytes() {
    let server = Server::start();
    let professional = Professional::of(&server);
    let created = professional.request("POST", "Observation").body(FHIR_JSON, ODD).await.expect(201);
    let place = created.place();
    let first = professional.get(&place).await.expect(200).body;
    let mut changed: serde_json::Value = serde_json::from_slice(&first).unwrap();
    changed["status"] = serde_json::json!("amended");
    professional.put(&place, &changed).await.expect(200);
    let old = professional.get(&format!("{place}/_history/1")).await.expect(200).body;
    assert_eq!(String::from_utf8(old.clone()), String::from_utf8(first));
    let history = professional.get(&format!("{place}/_history")).await.expect(200).body;
    assert!(String::from_utf8(history).unwrap().contains(&String::from_utf8(old).unwrap()));
}
