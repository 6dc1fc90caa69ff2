//! Binary, raw and as FHIR: BIN-01 to BIN-09.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::json;

use crate::support::client::FHIR_JSON;
use crate::support::people::Laboratory;
use crate::support::resources::patient;
use crate::support::server::Server;

/// Every byte there is, twice over.
fn bytes() -> Vec<u8> {
    (0..=255).chain((0..=255).rev()).collect()
}

#[tokio::test]
async fn bin_04_any_bytes_of_any_type_come_back_as_they_were() {
    let server = Server::start();
    let laboratory = Laboratory::of(&server);
    for (content_type, content) in [
        ("application/octet-stream", bytes()),
        ("text/plain; charset=iso-8859-1", vec![0xE9]),
        ("application/dicom", Vec::from(*b"DICM")),
        ("application/hl7-cda+xml", Vec::from(*b"<ClinicalDocument/>")),
    ] {
        let created = laboratory.request("POST", "Binary").body(content_type, content.clone()).await.expect(201);
        let read = laboratory.get(&created.place()).header("Accept", "*/*").await.expect(200);
        assert_eq!(read.header("Content-Type"), content_type);
        assert!(read.body == content, "{content_type}");
        let resource = laboratory.get(&created.place()).header("Accept", FHIR_JSON).await.expect(200).json();
        assert_eq!(resource["data"], BASE64_STANDARD.encode(&content));
        assert_eq!(resource["contentType"], content_type);
    }
}

#[tokio::test]
async fn bin_01_a_fhir_accept_gets_the_resource_even_of_fhir_content() {
    let server = Server::start();
    let laboratory = Laboratory::of(&server);
    let content = patient().to_string();
    let created = laboratory.request("POST", "Binary").body(FHIR_JSON, content.clone()).await.expect(201);
    let resource = laboratory.get(&created.place()).header("Accept", FHIR_JSON).await.expect(200).json();
    assert_eq!(resource["resourceType"], "Binary");
    assert_eq!(resource["data"], BASE64_STANDARD.encode(&content));
    let raw = laboratory.get(&created.place()).header("Accept", "text/plain, */*").await.expect(200);
    assert_eq!((raw.header("Content-Type"), raw.body.as_slice()), (FHIR_JSON, content.as_bytes()));
}

#[tokio::test]
async fn bin_04_a_binary_resource_is_taken_for_what_it_is() {
    let server = Server::start();
    let laboratory = Laboratory::of(&server);
    let resource = json!({"resourceType": "Binary", "contentType": "image/png", "data": BASE64_STANDARD.encode(bytes())});
    let created = laboratory.post("Binary", &resource).await.expect(201);
    let read = laboratory.get(&created.place()).header("Accept", "image/png").await.expect(200);
    assert_eq!(read.header("Content-Type"), "image/png");
    assert!(read.body == bytes());
}

#[tokio::test]
async fn bin_04_data_that_is_not_base64_is_refused() {
    let server = Server::start();
    let laboratory = Laboratory::of(&server);
    let resource = json!({"resourceType": "Binary", "contentType": "image/png", "data": "***"});
    let issue = laboratory.post("Binary", &resource).await.refused(422);
    assert_eq!(issue["expression"][0], "Binary.data");
}

#[tokio::test]
async fn bin_06_a_raw_answer_carries_version_time_and_context_in_its_headers() {
    let server = Server::start();
    let laboratory = Laboratory::of(&server);
    let created = laboratory.request("PUT", "Binary/b").body("text/plain", "one").header("X-Security-Context", "Patient/p").await;
    let created = created.expect(201);
    let read = laboratory.get("Binary/b").header("Accept", "text/plain").await.expect(200);
    assert_eq!((read.header("ETag"), read.header("X-Security-Context")), ("W/\"1\"", "Patient/p"));
    assert_eq!(read.header("Last-Modified"), created.header("Last-Modified"));
    laboratory.request("PUT", "Binary/b").body("text/plain", "two").await.expect(200);
    let old = laboratory.get("Binary/b/_history/1").header("Accept", "text/plain").await.expect(200);
    assert_eq!((old.body.as_slice(), old.header("ETag")), (&b"one"[..], "W/\"1\""));
    let unchanged = laboratory.get("Binary/b").header("Accept", "text/plain").header("If-None-Match", "W/\"2\"").await;
    assert!(unchanged.expect(304).body.is_empty());
}

#[tokio::test]
async fn bin_08_active_content_is_served_so_that_no_browser_runs_it() {
    let server = Server::start();
    let laboratory = Laboratory::of(&server);
    let script = "<script>alert(1)</script>";
    let created = laboratory.request("POST", "Binary").body("text/html", script).await.expect(201);
    let read = laboratory.get(&created.place()).header("Accept", "text/html").await.expect(200);
    assert_eq!(read.body, script.as_bytes());
    assert_eq!(read.header("X-Content-Type-Options"), "nosniff");
    assert!(read.header("Content-Security-Policy").contains("sandbox"), "{:?}", read.headers);
}
