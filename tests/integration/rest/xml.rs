//! Resources in XML: sent, answered, refused (R4 http.html §mime-type, xml.html).

use serde_json::{Value, json};

use crate::support::server::{Answer, Server};

const XML: &str = "application/fhir+xml";
const PATIENT: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<Patient xmlns="http://hl7.org/fhir">
  <id value="camille"/>
  <text><status value="generated"/><div xmlns="http://www.w3.org/1999/xhtml">Camille <b>Durand</b></div></text>
  <extension url="http://example.org/weight"><valueDecimal value="71.50"/></extension>
  <active value="true"/>
  <name><family value="Durand &amp; fils"/><given value="Camille"/><given value="Zoé"/></name>
  <birthDate value="1970-02"/>
</Patient>"#;

fn text(answer: &Answer) -> &str {
    std::str::from_utf8(&answer.body).unwrap()
}

fn put(server: &Server, path: &str, body: &str) -> Answer {
    server.send("PUT", path, &[("content-type", XML), ("accept", XML)], body.as_bytes())
}

#[test]
fn what_came_as_xml_is_served_as_json_and_as_xml_digit_for_digit() {
    let server = Server::start();
    let created = put(&server, "/Patient/camille", PATIENT);
    assert_eq!((created.status, created.header("content-type")), (201, Some(XML)), "{}", text(&created));
    let json = server.get("/Patient/camille");
    assert!(text(&json).contains(r#""valueDecimal":71.50"#), "{}", text(&json));
    assert_eq!(json.json()["name"][0], json!({"family": "Durand & fils", "given": ["Camille", "Zoé"]}));
    let xml = server.send("GET", "/Patient/camille", &[("accept", XML)], b"");
    assert_eq!(xml.header("etag"), json.header("etag"));
    for piece in [
        r#"<Patient xmlns="http://hl7.org/fhir"><id value="camille"/><meta><versionId value="1"/><lastUpdated value=""#,
        r#"<div xmlns="http://www.w3.org/1999/xhtml">Camille <b>Durand</b></div>"#,
        r#"<extension url="http://example.org/weight"><valueDecimal value="71.50"/></extension>"#,
        r#"<name><family value="Durand &amp; fils"/><given value="Camille"/><given value="Zoé"/></name><birthDate value="1970-02"/>"#,
    ] {
        assert!(text(&xml).contains(piece), "{piece}: {}", text(&xml));
    }
    // What the server says in XML it reads again.
    assert_eq!(put(&server, "/Patient/camille", text(&xml)).status, 200);
}

#[test]
fn format_overrides_accept_by_every_name_of_xml() {
    let server = Server::start();
    put(&server, "/Patient/camille", PATIENT);
    for (format, expected) in [
        ("xml", XML),
        ("application/xml", XML),
        ("application/fhir%2Bxml", XML),
        ("text/xml", XML),
        ("json", "application/fhir+json"),
    ] {
        let answer = server.send("GET", &format!("/Patient/camille?_format={format}"), &[("accept", "application/json")], b"");
        assert_eq!((answer.status, answer.header("content-type")), (200, Some(expected)), "{format}");
    }
    for accept in ["application/xml", "text/xml", "application/xml+fhir"] {
        let answer = server.send("GET", "/Patient/camille", &[("accept", accept)], b"");
        assert_eq!((answer.header("content-type"), answer.body.first()), (Some(accept), Some(&b'<')), "answered in kind");
    }
    let weighed = [("accept", "application/fhir+json;q=0.4, application/fhir+xml;q=0.9")];
    assert_eq!(server.send("GET", "/Patient/camille", &weighed, b"").header("content-type"), Some(XML));
    let pretty = server.send("GET", "/Patient/camille?_pretty=true", &[("accept", XML)], b"");
    assert!(text(&pretty).contains("\n  <active value=\"true\"/>"), "{}", text(&pretty));
}

#[test]
fn bundles_capabilities_and_outcomes_come_as_xml_too() {
    let server = Server::start();
    put(&server, "/Patient/camille", PATIENT);
    let accept = [("accept", XML)];
    let found = server.send("GET", "/Patient?family=durand", &accept, b"");
    assert!(
        text(&found).starts_with(r#"<Bundle xmlns="http://hl7.org/fhir">"#) && text(&found).contains("<total value=\"1\"/>")
            || text(&found).contains("<entry><fullUrl"),
        "{}",
        text(&found)
    );
    assert!(text(&found).contains(r#"<resource><Patient><id value="camille"/>"#), "{}", text(&found));
    let capabilities = server.send("GET", "/metadata", &accept, b"");
    assert!(text(&capabilities).contains(r#"<format value="json"/><format value="xml"/>"#), "{}", &text(&capabilities)[..400]);
    let history = server.send("GET", "/Patient/camille/_history", &accept, b"");
    assert!(text(&history).contains(r#"<request><method value="PUT"/><url value="Patient/camille"/></request>"#));
    let absent = server.send("GET", "/Patient/nobody", &accept, b"");
    assert_eq!((absent.status, absent.header("content-type")), (404, Some(XML)));
    assert!(text(&absent).starts_with(r#"<OperationOutcome xmlns="http://hl7.org/fhir"><issue><severity value="error"/>"#));
    let bundle = r#"<Bundle xmlns="http://hl7.org/fhir"><type value="transaction"/><entry><fullUrl value="urn:uuid:0d0c8f0a-0000-4000-8000-000000000001"/>
        <resource><Patient><active value="true"/></Patient></resource><request><method value="POST"/><url value="Patient"/></request></entry></Bundle>"#;
    let answer = server.send("POST", "", &[("content-type", XML), ("accept", XML)], bundle.as_bytes());
    assert_eq!(answer.status, 200, "{}", text(&answer));
    assert!(text(&answer).contains(r#"<response><status value="201 Created"/>"#));
}

#[test]
fn what_is_no_resource_in_xml_is_refused_with_its_place() {
    let server = Server::start();
    let refused = |body: &str, status: u16, place: &str| {
        let answer = server.send("POST", "/Patient", &[("content-type", XML)], body.as_bytes());
        let outcome: Value = answer.json();
        assert_eq!((answer.status, outcome["issue"][0]["expression"][0].as_str()), (status, Some(place)), "{outcome}");
        outcome["issue"][0]["diagnostics"].as_str().unwrap().to_owned()
    };
    let patient = |content: &str| format!("<Patient xmlns=\"http://hl7.org/fhir\">{content}</Patient>");
    assert!(refused(&patient("\n<nome value=\"x\"/>"), 400, "Patient").ends_with("(line 2, column 1)"));
    refused(&patient("<name><given value=\"a\"/><family value=\"b\"/></name>"), 400, "Patient.name[0]");
    refused(&patient("<birthDate value=\"yesterday\"/>"), 422, "Patient.birthDate");
    refused(
        "<!DOCTYPE x [<!ENTITY e SYSTEM \"file:///etc/passwd\">]><Patient xmlns=\"http://hl7.org/fhir\"><active value=\"&e;\"/></Patient>",
        400,
        "$this",
    );
    refused("<Observation xmlns=\"http://hl7.org/fhir\"/>", 400, "resourceType");
    let charset =
        server.send("POST", "/Patient", &[("content-type", "application/fhir+xml; charset=latin1")], PATIENT.as_bytes());
    assert_eq!(charset.status, 415);
    let version =
        server.send("POST", "/Patient", &[("content-type", "application/fhir+xml;fhirVersion=3.0")], PATIENT.as_bytes());
    assert_eq!(version.status, 415);
    assert_eq!(server.send("GET", "/metadata", &[("accept", "application/fhir+xml;fhirVersion=3.0")], b"").status, 406);
}

#[test]
fn a_binary_is_xml_where_it_is_asked_for_and_content_elsewhere() {
    let server = Server::start();
    let binary = r#"<Binary xmlns="http://hl7.org/fhir"><id value="b"/><contentType value="text/plain"/><data value="aGVsbG8="/></Binary>"#;
    assert_eq!(put(&server, "/Binary/b", binary).status, 201);
    let content = server.send("GET", "/Binary/b", &[("accept", "text/plain")], b"");
    assert_eq!((content.header("content-type"), text(&content)), (Some("text/plain"), "hello"));
    let resource = server.send("GET", "/Binary/b", &[("accept", XML)], b"");
    assert!(
        text(&resource).ends_with(r#"<contentType value="text/plain"/><data value="aGVsbG8="/></Binary>"#),
        "{}",
        text(&resource)
    );
    // XML of any other kind is what the Binary holds.
    let other = server.send("PUT", "/Binary/c", &[("content-type", "application/xml")], b"<note>x</note>");
    assert_eq!(other.status, 201);
    let raw = server.send("GET", "/Binary/c", &[("accept", "application/xml")], b"");
    assert_eq!((raw.header("content-type"), text(&raw)), (Some("application/xml"), "<note>x</note>"));
    // What rests outside the database is filled in.
    let long = "QUJD".repeat(30_000);
    let body = format!(
        r#"<Binary xmlns="http://hl7.org/fhir"><id value="d"/><contentType value="text/plain"/><data value="{long}"/></Binary>"#
    );
    assert_eq!(put(&server, "/Binary/d", &body).status, 201);
    let back = server.send("GET", "/Binary/d", &[("accept", XML)], b"");
    assert!(text(&back).ends_with(&format!("<data value=\"{long}\"/></Binary>")));
}
