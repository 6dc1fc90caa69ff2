//! What cannot be read is refused with its place, nothing is stored, and the server goes on (C-03, G-15).

use serde_json::Value;

use crate::support::client::FHIR_JSON;
use crate::support::people::Stranger;
use crate::support::server::Server;

/// A name, the body, and the place that must be named.
fn table() -> Vec<(&'static str, Vec<u8>, &'static str)> {
    let text = |text: &str| text.as_bytes().to_vec();
    let deep =
        |depth: usize| format!("{{\"resourceType\":\"Patient\",\"extension\":{}{}}}", "[".repeat(depth), "]".repeat(depth));
    vec![
        ("no bytes", Vec::new(), ""),
        ("blanks", text("  \n"), ""),
        ("not JSON", text("<Patient/>"), ""),
        ("an array", text("[]"), ""),
        ("a text", text("\"Patient\""), ""),
        ("no type", text(r#"{"active":true}"#), ""),
        ("a type that is none", text(r#"{"resourceType":"Patience"}"#), ""),
        ("a type that is no text", text(r#"{"resourceType":["Patient"]}"#), ""),
        ("a repeated key", text(r#"{"resourceType":"Patient","active":true,"active":true}"#), "Patient.active"),
        ("a repeated key deeper", text(r#"{"resourceType":"Patient","name":[{"family":"a","family":"b"}]}"#), "Patient.name[0]"),
        ("an escaped repeated key", text(r#"{"resourceType":"Patient","active":true,"\u0061ctive":true}"#), "Patient.active"),
        ("trailing bytes", text(r#"{"resourceType":"Patient"} x"#), ""),
        ("a second value", text(r#"{"resourceType":"Patient"}{}"#), ""),
        ("cut off", text(r#"{"resourceType":"Patient","name":[{"family":"Lam"#), "Patient.name[0].family"),
        ("a trailing comma", text(r#"{"resourceType":"Patient","active":true,}"#), "Patient"),
        ("a comment", text(r#"{"resourceType":"Patient" /* x */}"#), "Patient"),
        ("an empty array", text(r#"{"resourceType":"Patient","name":[]}"#), "Patient.name"),
        ("an empty object", text(r#"{"resourceType":"Patient","name":[{}]}"#), "Patient.name[0]"),
        ("a null", text(r#"{"resourceType":"Patient","gender":null}"#), "Patient.gender"),
        ("a null among objects", text(r#"{"resourceType":"Patient","name":[null]}"#), "Patient.name[0]"),
        ("one where many may be", text(r#"{"resourceType":"Patient","name":{"family":"a"}}"#), "Patient.name"),
        ("many where one may be", text(r#"{"resourceType":"Patient","gender":["male"]}"#), "Patient.gender"),
        ("a text where an object is", text(r#"{"resourceType":"Patient","name":["Odile"]}"#), "Patient.name[0]"),
        ("an object where a text is", text(r#"{"resourceType":"Patient","gender":{"x":1}}"#), "Patient.gender"),
        ("a text where a boolean is", text(r#"{"resourceType":"Patient","active":"true"}"#), "Patient.active"),
        ("a lone high surrogate", text(r#"{"resourceType":"Patient","name":[{"family":"\ud83d"}]}"#), "Patient.name[0].family"),
        ("a lone low surrogate", text(r#"{"resourceType":"Patient","name":[{"family":"\ude00"}]}"#), "Patient.name[0].family"),
        ("no UTF-8", [text(r#"{"resourceType":"Patient","name":[{"family":""#), vec![0xFF, 0xFE], text("\"}]}")].concat(), ""),
        ("overlong UTF-8", [text(r#"{"resourceType":"Patient","gender":""#), vec![0xC0, 0x80], text("\"}")].concat(), ""),
        ("a control character", text("{\"resourceType\":\"Patient\",\"gender\":\"a\u{1}b\"}"), "Patient.gender"),
        ("a byte order mark only", vec![0xEF, 0xBB, 0xBF], ""),
        (
            "a number that is none",
            text(r#"{"resourceType":"Patient","multipleBirthInteger":01}"#),
            "Patient.multipleBirthInteger",
        ),
        ("not a number", text(r#"{"resourceType":"Patient","multipleBirthInteger":NaN}"#), "Patient.multipleBirthInteger"),
        ("10,000 deep", text(&deep(10_000)), "Patient.extension"),
        ("objects 10,000 deep", text(&format!("{}1{}", "{\"extension\":".repeat(10_000), "}".repeat(10_000))), ""),
        ("a million brackets", text(&"[".repeat(1_000_000)), ""),
    ]
}

#[tokio::test]
async fn what_cannot_be_read_is_refused_with_its_place_and_nothing_is_stored() {
    let server = Server::start();
    let stranger = Stranger::of(&server);
    let mut wrong = Vec::new();
    for (name, body, place) in table() {
        for (method, path) in [("POST", "Patient"), ("PUT", "Patient/p"), ("POST", "")] {
            let answer = stranger.request(method, path).body(FHIR_JSON, body.clone()).await;
            let outcome: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
            let issue = &outcome["issue"][0];
            let named = issue["expression"][0].as_str().unwrap_or_default();
            let is_located = path != "Patient" || place.is_empty() || named.starts_with(place);
            if answer.status != 400 || outcome["resourceType"] != "OperationOutcome" || !is_located {
                wrong.push(format!("{name}, {method} {path}: {} {issue}", answer.status));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!(stranger.get("Patient").await.expect(200).resources(), Vec::<Value>::new());
    stranger.get("Patient/p").await.refused(404);
    stranger.get("metadata").await.expect(200);
}

#[tokio::test]
async fn a_fault_deep_in_a_transaction_is_located_in_it() {
    let server = Server::start();
    let stranger = Stranger::of(&server);
    let bundle = r#"{"resourceType":"Bundle","type":"transaction","entry":[{"fullUrl":"urn:uuid:00000000-0000-4000-8000-000000000001",
        "resource":{"resourceType":"Patient","name":[{"family":[]}]},"request":{"method":"POST","url":"Patient"}}]}"#;
    let issue = stranger.request("POST", "").body(FHIR_JSON, bundle).await.refused(400);
    assert_eq!(issue["expression"][0], "Bundle.entry[0].resource.name[0].family");
}

#[tokio::test]
async fn what_is_refused_is_not_quoted() {
    let server = Server::start();
    let stranger = Stranger::of(&server);
    for body in [
        r#"{"resourceType":"Patient","name":[{"family":"Zwyntgraf","family":"Zwyntgraf"}]}"#,
        r#"{"resourceType":"Patient","active":"Zwyntgraf"}"#,
        r#"{"resourceType":"Patient","birthDate":"Zwyntgraf"}"#,
        r#"{"resourceType":"Patient","gender":"Zwyntgraf\ud800"}"#,
        r#"{"resourceType":"Patient","id":"Zwyntgraf_"}"#,
    ] {
        let answer = stranger.request("PUT", "Patient/p").body(FHIR_JSON, body).await;
        assert!((400..500).contains(&answer.status), "{body}: {}", answer.status);
        assert!(!String::from_utf8(answer.body).unwrap().contains("Zwyntgraf"), "{body}");
    }
}
