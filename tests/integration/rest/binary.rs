//! Binary in its two forms (R4 binary.html).

use serde_json::json;

use crate::support::server::Server;

const PDF: &[u8] = b"%PDF-1.7\n\x00\x01\xfe\xff not quite, but no text either";

#[test]
fn raw_content_is_read_back_byte_for_byte() {
    let server = Server::start();
    let headers = [("content-type", "application/pdf"), ("x-security-context", "Patient/p1")];
    let created = server.send("POST", "/Binary", &headers, PDF);
    assert_eq!((created.status, created.body.len()), (201, 0));
    let path = format!("/Binary/{}", created.id());
    for accept in ["application/pdf", "*/*", "image/png"] {
        let read = server.send("GET", &path, &[("accept", accept)], b"");
        assert_eq!((read.status, read.header("content-type")), (200, Some("application/pdf")), "{accept}");
        assert_eq!(read.body, PDF);
        assert_eq!(read.header("x-security-context"), Some("Patient/p1"));
        assert_eq!((read.header("etag"), read.header("x-content-type-options")), (Some("W/\"1\""), Some("nosniff")));
        assert!(read.header("content-security-policy").unwrap().contains("sandbox"));
        assert!(read.header("last-modified").is_some());
    }
    let head = server.send("HEAD", &path, &[("accept", "application/pdf")], b"");
    assert_eq!((head.status, head.body.len()), (200, 0));
    assert_eq!(head.header("content-length"), Some(PDF.len().to_string().as_str()));
}

#[test]
fn fhir_is_answered_to_whoever_asks_for_fhir() {
    let server = Server::start();
    let created = server.send("POST", "/Binary", &[("content-type", "text/plain")], b"hi");
    let path = format!("/Binary/{}", created.id());
    let resource = server.send("GET", &path, &[("accept", "application/fhir+json")], b"");
    assert_eq!(resource.header("content-type"), Some("application/fhir+json"));
    assert_eq!((&resource.json()["contentType"], &resource.json()["data"]), (&json!("text/plain"), &json!("aGk=")));
    let by_format = server.send("GET", &format!("{path}?_format=json"), &[("accept", "text/plain")], b"");
    assert_eq!(by_format.json()["resourceType"], "Binary");
    assert_eq!(server.send("GET", &format!("{path}?_format=html"), &[("accept", "text/plain")], b"").status, 406);
}

#[test]
fn a_binary_sent_as_fhir_is_kept_as_fhir_and_another_resource_becomes_content() {
    let server = Server::start();
    let binary = json!({"resourceType": "Binary", "contentType": "text/plain", "data": "aGk="});
    let created = server.post("/Binary", &binary);
    assert_eq!(server.get(&format!("/Binary/{}", created.id())).body, b"hi");
    let patient = br#"{ "resourceType": "Patient" }"#;
    let content = server.send("POST", "/Binary", &[("content-type", "application/fhir+json")], patient);
    let read = server.get(&format!("/Binary/{}", content.id()));
    assert_eq!((read.header("content-type"), read.body.as_slice()), (Some("application/fhir+json"), &patient[..]));
}

#[test]
fn raw_content_is_put_under_a_name() {
    let server = Server::start();
    let put = |bytes: &[u8]| server.send("PUT", "/Binary/b1", &[("content-type", "image/png")], bytes).status;
    assert_eq!((put(b"one"), put(b"two")), (201, 200));
    assert_eq!(server.get("/Binary/b1").body, b"two");
    assert_eq!(server.get("/Binary/b1/_history/1").body, b"one");
}

#[test]
fn a_generic_type_means_the_content_where_the_content_is_of_it() {
    let server = Server::start();
    let generic = [("accept", "application/json")];
    let json = server.send("POST", "/Binary", &[("content-type", "application/json")], b"{\"a\": 1}").id();
    assert_eq!(server.send("GET", &format!("/Binary/{json}"), &generic, b"").body, b"{\"a\": 1}");
    let text = server.send("POST", "/Binary", &[("content-type", "text/plain")], b"hi").id();
    let read = server.send("GET", &format!("/Binary/{text}"), &generic, b"");
    assert_eq!((read.header("content-type"), &read.json()["resourceType"]), (Some("application/json"), &json!("Binary")));
}
