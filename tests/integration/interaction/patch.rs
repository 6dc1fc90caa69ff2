//! PATCH over HTTP, beyond what the scripts can say: bytes, journal, races, contents outside the database, Bundles.

use std::collections::BTreeMap;
use std::future::IntoFuture as _;

use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::support::client::{Answer, FHIR_JSON, JSON_PATCH};
use crate::support::people::Professional;
use crate::support::resources::{patient_called, put_entry, transaction};
use crate::support::server::Server;

const AT_ONCE: usize = 16;

fn setting(path: &str, value: &Value) -> Value {
    json!([{"op": "add", "path": path, "value": value}])
}

fn deleting(path: &str) -> Value {
    json!({"resourceType": "Parameters", "parameter": [{"name": "operation", "part": [
        {"name": "type", "valueCode": "delete"}, {"name": "path", "valueString": path}]}]})
}

#[tokio::test]
async fn what_a_patch_does_not_touch_stays_as_it_was_sent_byte_for_byte() {
    let server = Server::start();
    let professional = Professional::of(&server);
    let sent = r#"{"resourceType":"Observation","id":"o","status":"final","code":{"text":"caf\u00e9 \/ th\u00e9"},"valueQuantity":{"value":1.2500e1,"unit":"g"},"component":[{"code":{"text":"x"},"valueQuantity":{"value":0.0}}]}"#;
    professional.request("PUT", "Observation/o").body(FHIR_JSON, sent).await.expect(201);
    let answer = professional.patch("Observation/o", &setting("/valueQuantity/unit", &json!("kg"))).await.expect(200);
    let body = String::from_utf8(answer.body).unwrap();
    let (_, kept) = sent.split_once(r#","status""#).unwrap();
    assert!(body.ends_with(&kept.replace("\"g\"", "\"kg\"")), "{body}");
    let moved = json!({"resourceType": "Parameters", "parameter": [{"name": "operation", "part": [
        {"name": "type", "valueCode": "replace"}, {"name": "path", "valueString": "Observation.component.value.value"},
        {"name": "value", "valueDecimal": 7}]}]});
    let moved = moved.to_string().replace(":7}", ":7.100}");
    let answer = professional.request("PATCH", "Observation/o").body(FHIR_JSON, moved).await.expect(200);
    let body = String::from_utf8(answer.body).unwrap();
    assert!(body.ends_with(&kept.replace("\"g\"", "\"kg\"").replace("0.0", "7.100")), "{body}");
}

#[tokio::test]
async fn a_patch_is_an_update_that_history_and_journal_call_a_patch() {
    let server = Server::start_with(|settings| settings.audit.record = Some(true));
    let professional = Professional::of(&server);
    professional.put("Patient/p", &patient_called("p")).await.expect(201);
    let patched = professional.patch("Patient/p", &setting("/gender", &json!("male"))).await.expect(200);
    assert_eq!((patched.header("ETag"), patched.json()["gender"].as_str()), ("W/\"2\"", Some("male")));
    let history = professional.get("Patient/p/_history").await.expect(200).json();
    assert_eq!(history["entry"][0]["request"], json!({"method": "PATCH", "url": "Patient/p"}));
    let records: Vec<String> = server.place.journal().into_iter().map(|row| String::from_utf8(row.entry).unwrap()).collect();
    assert!(records[1].contains(r#""patch""#) && records[1].contains("Patient/p/_history/2"), "{}", records[1]);
    assert_eq!(professional.get("Patient?gender=male").await.resources().len(), 1);
}

#[tokio::test]
async fn a_patch_answers_as_prefer_asks() {
    let server = Server::start();
    let professional = Professional::of(&server);
    professional.put("Patient/p", &patient_called("p")).await.expect(201);
    let patch = |gender: &str, prefer: &str| {
        professional.patch("Patient/p", &setting("/gender", &json!(gender))).header("Prefer", prefer)
    };
    let minimal = patch("male", "return=minimal").await.expect(200);
    assert_eq!((minimal.body.len(), minimal.header("Preference-Applied")), (0, "return=minimal"));
    let outcome = patch("female", "return=OperationOutcome").await.expect(200);
    assert_eq!((outcome.json()["issue"][0]["severity"].as_str(), outcome.header("ETag")), (Some("information"), "W/\"3\""));
    assert_eq!(patch("female", "return=representation").await.expect(200).header("ETag"), "W/\"3\"");
}

#[tokio::test]
async fn what_is_absent_or_deleted_is_not_patched() {
    let server = Server::start();
    let professional = Professional::of(&server);
    professional.patch("Patient/p", &setting("/gender", &json!("male"))).await.refused(404);
    professional.put("Patient/p", &patient_called("p")).await.expect(201);
    professional.delete("Patient/p").await.expect(204);
    let gone = professional.patch("Patient/p", &setting("/gender", &json!("male"))).await;
    assert_eq!(gone.header("ETag"), "W/\"2\"");
    gone.refused(410);
}

#[tokio::test]
async fn a_patch_that_fails_says_which_operation_and_leaves_nothing_behind() {
    let server = Server::start();
    let professional = Professional::of(&server);
    professional.put("Patient/p", &patient_called("p")).await.expect(201);
    let refused = |answer: Answer, status| {
        let issue = answer.refused(status);
        (issue["expression"][0].as_str().unwrap().to_owned(), issue["diagnostics"].as_str().unwrap().to_owned())
    };
    let two = json!([{"op": "add", "path": "/gender", "value": "male"}, {"op": "remove", "path": "/photo"}]);
    let (place, told) = refused(professional.patch("Patient/p", &two).await, 422);
    assert_eq!((place.as_str(), told.as_str()), ("$this[1]", "operation 2 (remove): nothing is where it points"));
    let (place, _) = refused(professional.patch("Patient/p", &setting("/gender", &json!(["male"]))).await, 400);
    assert_eq!(place, "Patient.gender");
    let (place, _) = refused(professional.patch("Patient/p", &json!({"op": "remove"})).await, 400);
    assert_eq!(place, "$this");
    let send =
        |content_type: &'static str, body: &'static str| professional.request("PATCH", "Patient/p").body(content_type, body);
    let parameters = r#"{"resourceType":"Parameters","parameter":[{"name":"operation","part":[{"nome":"type"}]}]}"#;
    let (place, _) = refused(send(FHIR_JSON, parameters).await, 400);
    assert!(place.starts_with("Parameters.parameter[0].part[0]"), "{place}");
    refused(send(FHIR_JSON, r#"{"resourceType":"Patient","id":"p"}"#).await, 400);
    send(JSON_PATCH, "").await.refused(400);
    for content_type in ["text/plain", "application/merge-patch+json", "application/fhir+json;fhirVersion=5.0"] {
        let answer = send(content_type, "[]").await;
        assert_eq!(answer.header("Accept-Patch"), carnet::interaction::PATCH_FORMATS.join(", "), "{content_type}");
        answer.refused(415);
    }
    assert_eq!(professional.get("Patient/p").await.expect(200).header("ETag"), "W/\"1\"");
}

#[tokio::test]
async fn of_many_patches_at_once_none_is_lost() {
    let server = Server::start();
    let professional = Professional::of(&server);
    professional.put("Patient/p", &patient_called("p")).await.expect(201);
    let begun = json!([{"op": "add", "path": "/identifier", "value": [{"value": "first"}]}]);
    professional.patch("Patient/p", &begun).await.expect(200);
    let professional = &professional;
    let patch = |number: usize| async move {
        let value = json!({"value": number.to_string()});
        professional.patch("Patient/p", &setting("/identifier/-", &value)).await.status
    };
    let statuses = join_all((0..AT_ONCE).map(patch)).await;
    assert_eq!(statuses, vec![200; AT_ONCE]);
    let patient = professional.get("Patient/p").await.expect(200).json();
    assert_eq!(patient["identifier"].as_array().unwrap().len(), AT_ONCE + 1);
    let conditional = |number: usize| {
        let patch = setting("/gender", &json!(if number.is_multiple_of(2) { "male" } else { "female" }));
        async move { professional.patch("Patient/p", &patch).header("If-Match", &format!("W/\"{}\"", AT_ONCE + 2)).await.status }
    };
    let mut found = BTreeMap::new();
    for status in join_all((0..AT_ONCE).map(conditional)).await {
        *found.entry(status).or_insert(0) += 1;
    }
    assert_eq!(found, BTreeMap::from([(200, 1), (412, AT_ONCE - 1)]));
}

#[tokio::test]
async fn content_outside_the_database_is_there_for_a_patch_and_after_it() {
    let server = Server::start_with(|settings| settings.content.inline_bytes = 16);
    let professional = Professional::of(&server);
    let data = "QUJD".repeat(50_000);
    let mut patient = patient_called("p");
    patient["photo"] =
        json!([{"contentType": "image/png", "data": data}, {"contentType": "image/gif", "data": "AAAA".repeat(30)}]);
    professional.put("Patient/p", &patient).await.expect(201);
    let patch =
        json!([{"op": "test", "path": "/photo/0/data", "value": data}, {"op": "move", "from": "/photo/1", "path": "/photo/0"}]);
    let patched = professional.patch("Patient/p", &patch).await.expect(200).json();
    assert_eq!((&patched["photo"][1]["data"], &patched["photo"][0]["contentType"]), (&json!(data), &json!("image/gif")));
    assert_eq!(professional.get("Patient/p").await.expect(200).json(), patched);
}

#[tokio::test]
async fn a_patch_may_take_away_what_an_update_only_leaves_out() {
    let server = Server::start();
    let professional = Professional::of(&server);
    let mut patient = patient_called("p");
    patient["meta"] = json!({"tag": [{"code": "a"}, {"code": "b"}]});
    professional.put("Patient/p", &patient).await.expect(201);
    let patched = professional.patch("Patient/p", &json!([{"op": "remove", "path": "/meta/tag/0"}])).await.expect(200).json();
    assert_eq!(patched["meta"]["tag"], json!([{"code": "b"}]));
    let body = deleting("Patient.meta.tag").to_string();
    let patched = professional.request("PATCH", "Patient/p").body(FHIR_JSON, body).await.expect(200).json();
    assert!(patched["meta"]["tag"].is_null());
}

#[tokio::test]
async fn patches_in_a_transaction_are_done_together_or_not_at_all() {
    let server = Server::start();
    let professional = Professional::of(&server);
    for id in ["p", "q"] {
        professional.put(&format!("Patient/{id}"), &patient_called(id)).await.expect(201);
    }
    let entry =
        |id: &str, resource: Value| json!({"resource": resource, "request": {"method": "PATCH", "url": format!("Patient/{id}")}});
    let binary =
        json!({"resourceType": "Binary", "contentType": JSON_PATCH, "data": "W3sib3AiOiJyZW1vdmUiLCJwYXRoIjoiL2FjdGl2ZSJ9XQ=="});
    let sent = |entries: &[Value]| professional.post("", &transaction(entries)).into_future();
    let issue = sent(&[entry("p", deleting("Patient.active")), entry("q", deleting("Patient.name.first().first() | 1"))]).await;
    let issue = issue.refused(422);
    assert!(issue["expression"][0].as_str().unwrap().starts_with("Bundle.entry[1].resource.parameter[0]"), "{issue}");
    sent(&[entry("p", deleting("Patient.active")), entry("nobody", binary.clone())]).await.refused(404);
    sent(&[entry("p", deleting("Patient.active")), put_entry(&patient_called("p"))]).await.refused(400);
    assert_eq!(professional.get("Patient/p").await.header("ETag"), "W/\"1\"");
    let done = sent(&[entry("p", deleting("Patient.active")), entry("q", binary)]).await.expect(200).json();
    for at in 0..2 {
        assert_eq!(done["entry"][at]["response"]["etag"], "W/\"2\"", "{done}");
    }
    for id in ["p", "q"] {
        let patient = professional.get(&format!("Patient/{id}")).await.expect(200).json();
        assert!(patient["active"].is_null() && patient["name"].is_array(), "{patient}");
        let history = professional.get(&format!("Patient/{id}/_history")).await.expect(200).json();
        assert_eq!(history["entry"][0]["request"]["method"], "PATCH");
    }
    let batch = json!({"resourceType": "Bundle", "type": "batch", "entry": [entry("p", deleting("Patient.name")), entry("x", deleting("Patient.name"))]});
    let done = professional.post("", &batch).await.expect(200).json();
    let status = |at: usize| done["entry"][at]["response"]["status"].as_str().unwrap()[..3].to_owned();
    assert_eq!((status(0), status(1)), ("200".to_owned(), "404".to_owned()));
}

#[tokio::test]
async fn an_xml_patch_is_done_to_the_xml_form_and_judged_as_any_other() {
    let server = Server::start();
    let professional = Professional::of(&server);
    let sent = r#"{"resourceType":"Observation","id":"o","status":"final","code":{"text":"x"},"valueQuantity":{"value":1.2500,"unit":"g"}}"#;
    professional.request("PUT", "Observation/o").body(FHIR_JSON, sent).await.expect(201);
    let send = |operations: &str| {
        let patch = format!("<diff xmlns:f=\"http://hl7.org/fhir\">{operations}</diff>");
        professional.request("PATCH", "Observation/o").body("application/xml-patch+xml", patch)
    };
    let answer = send("<replace sel=\"f:Observation/f:status/@value\">amended</replace>").await.expect(200);
    assert_eq!(answer.header("ETag"), "W/\"2\"");
    let body = String::from_utf8(answer.body).unwrap();
    assert!(body.ends_with(r#""status":"amended","code":{"text":"x"},"valueQuantity":{"value":1.2500,"unit":"g"}}"#), "{body}");
    let same = send("<replace sel=\"f:Observation/f:status/@value\">amended</replace>").await.expect(200);
    assert_eq!(same.header("ETag"), "W/\"2\"");
    let refusals = [
        ("<remove sel=\"f:Observation/f:issued\"/>", 422, "$this[0]"),
        ("<replace sel=\"f:Observation/f:id/@value\">q</replace>", 422, "$this[0]"),
        ("<remove sel=\"f:Observation/f:code\"/>", 422, "Observation.code"),
        ("<replace sel=\"f:Observation/f:valueQuantity/f:value/@value\">much</replace>", 400, "Observation.value.value"),
        ("<add sel=\"f:Observation\"><f:meta><f:versionId value=\"7\"/></f:meta></add>", 422, "$this"),
        ("<remove sel=\"g:Observation\"/>", 400, "$this[0]"),
        ("<remove", 400, "$this"),
        ("<!DOCTYPE x>", 400, "$this"),
    ];
    for (operations, status, place) in refusals {
        let issue = send(operations).await.refused(status);
        assert_eq!(issue["expression"][0], place, "{operations} {issue}");
    }
    assert_eq!(professional.get("Observation/o").await.expect(200).header("ETag"), "W/\"2\"");
}

#[tokio::test]
async fn a_patch_by_fhirpath_may_come_in_xml() {
    let server = Server::start();
    let professional = Professional::of(&server);
    professional.put("Patient/p", &patient_called("p")).await.expect(201);
    let send = |parameters: &str| {
        let xml = format!("<?xml version=\"1.0\"?>\n<Parameters xmlns=\"http://hl7.org/fhir\">{parameters}</Parameters>");
        professional.request("PATCH", "Patient/p").body("application/fhir+xml; charset=utf-8", xml)
    };
    let operation = r#"<parameter><name value="operation"/><part><name value="type"/><valueCode value="add"/></part>
        <part><name value="path"/><valueString value="Patient"/></part><part><name value="name"/><valueString value="contact"/></part>
        <part><name value="value"/><part><name value="name"/><valueHumanName><text value="a &lt; b"/></valueHumanName></part></part></parameter>"#;
    let patched = send(operation).await.expect(200).json();
    assert_eq!(patched["contact"], json!([{"name": {"text": "a < b"}}]));
    send("<parameter><nome value=\"operation\"/></parameter>").await.refused(400);
    send("<parameter>").await.refused(400);
    assert_eq!(professional.get("Patient/p").await.expect(200).header("ETag"), "W/\"2\"");
}
