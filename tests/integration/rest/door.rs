//! What stands before every interaction: URLs, representations, limits, request ids.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use serde_json::json;

use crate::support::server::{Answer, Server};

#[test]
fn every_refusal_is_an_operation_outcome_with_its_code() {
    let server = Server::start();
    let json = [("content-type", "application/fhir+json")];
    let table = [
        ("GET", "/patient/p1", &[][..], &b""[..], 404, "not-supported"),
        ("GET", "/Nothing", &[], b"", 404, "not-supported"),
        ("GET", "/Patient/a_b", &[], b"", 400, "invalid"),
        ("PUT", "/Patient/a_b", &json, b"{}", 400, "invalid"),
        ("GET", "/Patient/absent", &[], b"", 404, "not-found"),
        ("PUT", "/_history", &[], b"", 405, "not-supported"),
        ("GET", "/Device/$everything", &[], b"", 404, "not-supported"),
        ("PATCH", "/Binary/p1", &json, b"[]", 405, "not-supported"),
        ("POST", "/Patient/p1", &json, b"{}", 405, "not-supported"),
        ("OPTIONS", "/Patient", &[], b"", 405, "not-supported"),
        ("PUT", "/Patient?identifier=1", &json, b"{}", 400, "structure"),
        ("GET", "/Patient/p1?_since=2026", &[], b"", 400, "not-supported"),
        ("POST", "/Patient", &[("content-type", "application/fhir+xml")], b"<Patient/>", 400, "structure"),
        ("POST", "/Patient", &[("content-type", "text/html")], b"<Patient/>", 415, "not-supported"),
        ("POST", "/Patient", &[], b"{}", 415, "not-supported"),
        ("POST", "/Patient", &[("content-type", "application/fhir+json;fhirVersion=3.0")], b"{}", 415, "not-supported"),
        ("POST", "/Patient", &[("content-type", "application/fhir+json"), ("content-encoding", "gzip")], b"x", 400, "structure"),
        ("POST", "/Patient", &json, b"", 400, "structure"),
        ("POST", "/Patient", &json, b"{", 400, "structure"),
        ("POST", "/Patient", &json, b"\xff", 400, "structure"),
        ("POST", "/Patient", &[("content-type", "application/fhir+json"), ("if-none-exist", "a=b")], b"{}", 400, "invalid"),
        ("GET", "/metadata", &[("accept", "application/foobar")], b"", 406, "not-supported"),
        ("GET", "/metadata", &[("accept", "application/fhir+json;fhirVersion=3.0")], b"", 406, "not-supported"),
        ("GET", "/metadata?_format=html", &[], b"", 406, "not-supported"),
    ];
    for (method, path, headers, body, status, code) in table {
        let answer = server.send(method, path, headers, body);
        assert_eq!((answer.status, answer.issue().as_str()), (status, code), "{method} {path}");
        assert_eq!(answer.header("content-type"), Some("application/fhir+json"), "{method} {path}");
        assert!(answer.header("x-request-id").is_some());
    }
}

#[test]
fn a_refused_verb_is_told_with_those_that_are_offered() {
    let server = Server::start();
    assert_eq!(server.send("PATCH", "/Binary/p1", &[], b"").header("allow"), Some("GET, HEAD, PUT, DELETE"));
    assert_eq!(server.send("PUT", "/metadata", &[], b"").header("allow"), Some("GET, HEAD"));
}

#[test]
fn the_answer_has_the_type_that_was_asked_for() {
    let server = Server::start();
    server.put("/Patient/p1", &json!({"resourceType": "Patient", "id": "p1"}));
    for accept in ["application/fhir+json", "application/json", "text/json"] {
        assert_eq!(server.send("GET", "/Patient/p1", &[("accept", accept)], b"").header("content-type"), Some(accept));
    }
    let format = server.send("GET", "/Patient/p1?_format=application/json", &[("accept", "application/fhir+xml")], b"");
    assert_eq!((format.status, format.header("content-type")), (200, Some("application/fhir+json")));
    let pretty = server.get("/Patient/p1?_pretty=true");
    assert_eq!((pretty.json(), pretty.body.contains(&b'\n')), (server.get("/Patient/p1").json(), true));
}

#[test]
fn a_request_keeps_the_id_the_client_gave_it() {
    let server = Server::start();
    let with = |id: &str| server.send("GET", "/Patient/p1", &[("x-request-id", id)], b"");
    assert_eq!(with("abc-1").header("x-request-id"), Some("abc-1"));
    let forged = with("a b\"c");
    assert_eq!(forged.header("x-correlation-id"), Some("a b\"c"));
    assert_eq!(forged.header("x-request-id").unwrap().len(), 32);
    assert_ne!(server.get("/metadata").header("x-request-id"), server.get("/metadata").header("x-request-id"));
}

#[test]
fn a_body_over_the_limit_is_refused_however_it_is_sent_and_the_server_goes_on() {
    let server = Server::start_with(|settings| settings.limits.body_bytes = 4_096);
    let large = vec![b' '; 8_192];
    let declared = server.send("POST", "/Patient", &[("content-type", "application/fhir+json")], &large);
    assert_eq!((declared.status, declared.issue().as_str()), (413, "too-long"));
    let mut connection = server.connect();
    let head =
        "POST /fhir/Patient HTTP/1.1\r\nhost: h\r\ncontent-type: application/fhir+json\r\ntransfer-encoding: chunked\r\n\r\n";
    connection.write_all(head.as_bytes()).unwrap();
    for _ in 0..4 {
        let chunk = [b"800\r\n", &large[..2_048], b"\r\n"].concat();
        let _ = connection.write_all(&chunk);
    }
    let chunked = Answer::read(&mut connection);
    assert_eq!((chunked.status, chunked.issue().as_str()), (413, "too-long"));
    assert_eq!(server.get("/metadata").status, 200);
}

#[test]
fn a_url_over_the_limit_is_refused() {
    let server = Server::start();
    let answer = server.get(&format!("/Patient?name={}", "x".repeat(20_000)));
    assert_eq!((answer.status, answer.issue().as_str()), (414, "too-long"));
}

/// How long a slow client goes on before the test fails: far longer than the limit it tries, on the slowest machine.
const PATIENCE: Duration = Duration::from_secs(300);

/// Sends byte by byte until the server has had enough.
fn drip(connection: &mut TcpStream) {
    let began = Instant::now();
    while connection.write_all(b"a").is_ok() {
        assert!(began.elapsed() < PATIENCE, "nobody cuts a slow client off");
        std::thread::sleep(Duration::from_millis(100));
    }
}

#[test]
fn a_client_that_sends_its_head_byte_by_byte_is_cut_off() {
    let server = Server::start_with(|settings| settings.limits.header_seconds = 1);
    let mut head = server.connect();
    head.write_all(b"GET /fhir/metadata HTTP/1.1\r\nx-slow: ").unwrap();
    drip(&mut head);
}

#[test]
fn a_client_that_sends_its_body_byte_by_byte_is_cut_off() {
    let server = Server::start_with(|settings| settings.limits.body_seconds = 1);
    let mut body = server.connect();
    body.write_all(
        b"POST /fhir/Patient HTTP/1.1\r\nhost: h\r\ncontent-type: application/fhir+json\r\ncontent-length: 9999\r\n\r\n",
    )
    .unwrap();
    drip(&mut body);
    assert_eq!(server.get("/metadata").status, 200);
}

#[test]
fn a_client_that_does_not_take_its_answer_is_cut_off() {
    let server = Server::start_with(|settings| settings.limits.write_seconds = 1);
    // More than the buffers of both ends hold.
    let content = vec![b'x'; 12 * 1024 * 1024];
    assert_eq!(server.send("PUT", "/Binary/b", &[("content-type", "application/octet-stream")], &content).status, 201);
    let mut connection = server.connect();
    connection.write_all(b"GET /fhir/Binary/b HTTP/1.1\r\nhost: h\r\naccept: application/octet-stream\r\n\r\n").unwrap();
    drip(&mut connection);
    let mut taken = Vec::new();
    let _ = connection.read_to_end(&mut taken);
    assert!(taken.len() < content.len(), "{}", taken.len());
}

#[test]
fn the_root_says_where_to_go() {
    let server = Server::start();
    let mut connection = server.connect();
    connection.write_all(b"GET / HTTP/1.1\r\nhost: h\r\nconnection: close\r\n\r\n").unwrap();
    let root = Answer::read(&mut connection);
    assert_eq!(root.status, 200);
    assert!(String::from_utf8(root.body).unwrap().contains(&server.base_url));
}

#[test]
fn a_server_that_ends_finishes_what_it_has_accepted() {
    let server = Server::start();
    let mut connection = server.connect();
    let body = r#"{"resourceType":"Patient"}"#;
    let head = format!(
        "POST /fhir/Patient HTTP/1.1\r\nhost: h\r\ncontent-type: application/fhir+json\r\ncontent-length: {}\r\nexpect: 100-continue\r\n\r\n",
        body.len()
    );
    connection.write_all(head.as_bytes()).unwrap();
    // From here on the request is accepted.
    let mut go_on = [0; b"HTTP/1.1 100 Continue\r\n\r\n".len()];
    connection.read_exact(&mut go_on).unwrap();
    assert!(go_on.starts_with(b"HTTP/1.1 100"), "{go_on:?}");
    connection.write_all(&body.as_bytes()[..10]).unwrap();
    let address = server.address;
    let ending = std::thread::spawn(move || server.stop());
    // The end has begun when nobody new is let in.
    while TcpStream::connect(address).is_ok() {
        std::thread::yield_now();
    }
    connection.write_all(&body.as_bytes()[10..]).unwrap();
    assert_eq!(Answer::read(&mut connection).status, 201);
    ending.join().unwrap();
}

#[test]
fn enforced_security_lets_nobody_in_yet_but_says_what_it_is() {
    let server = Server::start_with(|settings| settings.security.mode = carnet::config::SecurityMode::Enforced);
    let refused = server.get("/Patient/p1");
    assert_eq!((refused.status, refused.issue().as_str()), (401, "login"));
    assert!(refused.header("www-authenticate").is_some());
    assert_eq!(server.post("/Patient", &json!({"resourceType": "Patient"})).status, 401);
    assert_eq!(server.get("/metadata").status, 200);
}

#[test]
fn who_is_not_known_is_refused_before_the_body_is_sent() {
    let server = Server::start_with(|settings| settings.security.mode = carnet::config::SecurityMode::Enforced);
    for length in ["content-length: 1000000", "transfer-encoding: chunked"] {
        let mut connection = server.connect();
        let head = format!("POST /fhir HTTP/1.1\r\nhost: h\r\ncontent-type: application/fhir+json\r\n{length}\r\n\r\n");
        connection.write_all(head.as_bytes()).unwrap();
        let refused = Answer::read(&mut connection);
        assert_eq!((refused.status, refused.issue().as_str()), (401, "login"), "{length}");
    }
}
