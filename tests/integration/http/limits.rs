//! Everything has a limit: size of a body, patience with a client, connections.

use crate::support::client::FHIR_JSON;
use crate::support::people::Stranger;
use crate::support::resources::patient_called;
use crate::support::server::Server;
use crate::support::wire::Wire;

const BODY_BYTES: usize = 16 * 1024 * 1024;

#[tokio::test]
async fn a_body_over_16_mib_is_too_large_and_one_of_16_mib_is_not() {
    let server = Server::start();
    let stranger = Stranger::of(&server);
    let resource = |blanks: usize| {
        let json = r#"{"resourceType":"Patient","id":"p"}"#;
        [json.as_bytes(), &vec![b' '; blanks - json.len()]].concat()
    };
    stranger.request("PUT", "Patient/p").body(FHIR_JSON, resource(BODY_BYTES)).await.expect(201);
    let longer = stranger.request("PUT", "Patient/p").body(FHIR_JSON, resource(BODY_BYTES + 1)).await;
    assert_eq!(longer.refused(413)["code"], "too-long");
    stranger.request("PUT", "Binary/b").body("application/octet-stream", vec![b'x'; BODY_BYTES + 1]).await.expect(201);
}

#[tokio::test]
async fn a_length_over_the_limit_is_refused_before_it_is_sent() {
    let server = Server::start();
    let mut wire = Wire::to(server.address);
    let head = format!(
        "POST /fhir/Patient HTTP/1.1\r\nHost: a\r\nContent-Type: {FHIR_JSON}\r\nContent-Length: {}\r\n\r\n",
        u64::MAX / 4
    );
    assert!(wire.send(head.as_bytes()));
    assert!(wire.head().starts_with("HTTP/1.1 413"));
}

#[tokio::test]
async fn chunks_over_the_limit_are_refused_whatever_no_length_said() {
    let server = Server::start_with(|settings| settings.limits.body_bytes = 65536);
    let mut wire = Wire::to(server.address);
    let head =
        format!("POST /fhir/Patient HTTP/1.1\r\nHost: a\r\nContent-Type: {FHIR_JSON}\r\nTransfer-Encoding: chunked\r\n\r\n");
    assert!(wire.send(head.as_bytes()));
    let chunk = format!("{:x}\r\n{}\r\n", 16_384, " ".repeat(16_384));
    // The server may have said its word and closed before the last chunk.
    for _ in 0..5 {
        wire.send(chunk.as_bytes());
    }
    assert!(wire.head().starts_with("HTTP/1.1 413"));
}

#[tokio::test]
async fn an_idle_connection_is_closed_after_its_time() {
    let server = Server::start_with(|settings| settings.limits.idle_seconds = 1);
    let mut wire = Wire::to(server.address);
    assert!(wire.send(b"GET /fhir/Patient/p HTTP/1.1\r\nHost: a\r\n\r\n"));
    let answer = wire.until_closed().expect("the server closes it");
    assert!(answer.starts_with("HTTP/1.1 404"), "{answer}");
}

/// Files that the other tests of this process may open meanwhile.
const OTHER_FILES: usize = 400;

/// As many as the process may open files, at most 2,000. Both ends of a connection are in this process.
fn idle_connections() -> usize {
    let limits = std::fs::read_to_string("/proc/self/limits").unwrap();
    let line = limits.lines().find(|line| line.starts_with("Max open files")).unwrap();
    let soft: usize = line.split_whitespace().nth(3).unwrap().parse().unwrap_or(usize::MAX);
    (soft.saturating_sub(OTHER_FILES) / 2).min(2_000)
}

#[tokio::test]
async fn thousands_of_idle_connections_do_not_stop_others() {
    let server = Server::start();
    let idle: Vec<Wire> = (0..idle_connections()).map(|_| Wire::to(server.address)).collect();
    let stranger = Stranger::of(&server);
    stranger.put("Patient/p", &crate::support::resources::patient_called("p")).await.expect(201);
    stranger.get("Patient/p").await.expect(200);
    drop(idle);
}

#[tokio::test]
async fn a_url_or_a_header_without_end_is_refused() {
    let server = Server::start();
    let stranger = Stranger::of(&server);
    let long = stranger.get(&format!("Patient?_id={}", "a".repeat(40_000))).answered().await;
    assert!(long.is_none_or(|answer| (400..500).contains(&answer.status)));
    let mut wire = Wire::to(server.address);
    wire.send(format!("GET /fhir/metadata HTTP/1.1\r\nHost: a\r\nX-Long: {}", "a".repeat(1_000_000)).as_bytes());
    let answer = wire.until_closed().expect("the server ends it");
    assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 4"), "{answer}");
    stranger.get("metadata").await.expect(200);
}

#[tokio::test]
async fn what_is_no_http_does_not_stop_the_server() {
    let server = Server::start();
    for bytes in [&b"\x16\x03\x01\x02\x00\x01\x00"[..], b"GET\r\n\r\n", b"\0\0\0\0\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n"] {
        let mut wire = Wire::to(server.address);
        wire.send(bytes);
        wire.send(b"\r\n\r\n");
    }
    Stranger::of(&server).get("metadata").await.expect(200);
}

#[tokio::test]
async fn a_url_and_headers_over_their_limits_are_refused() {
    let server = Server::start_with(|settings| (settings.limits.url_bytes, settings.limits.headers_bytes) = (1_024, 2_048));
    let stranger = Stranger::of(&server);
    assert_eq!(stranger.get(&format!("Patient?name={}", "a".repeat(1_024))).await.refused(414)["code"], "too-long");
    assert_eq!(stranger.get("Patient").header("X-Long", &"a".repeat(2_048)).await.refused(431)["code"], "too-long");
    stranger.get("Patient").header("X-Long", &"a".repeat(1_024)).await.expect(200);
}

#[tokio::test]
async fn one_request_more_than_are_worked_on_at_once_is_told_to_come_again() {
    let server = Server::start_with(|settings| settings.limits.requests = 1);
    let stranger = Stranger::of(&server);
    let mut wire = Wire::to(server.address);
    let body = patient_called("p").to_string();
    let head = format!(
        "PUT /fhir/Patient/p HTTP/1.1\r\nHost: a\r\nContent-Type: {FHIR_JSON}\r\nContent-Length: {}\r\nExpect: 100-continue\r\n\r\n",
        body.len()
    );
    assert!(wire.send(head.as_bytes()));
    // The server asks for the body once it is at work.
    assert!(wire.head().starts_with("HTTP/1.1 100"));
    let answer = stranger.get("Patient").await;
    assert_eq!(answer.header("Retry-After"), "1");
    assert_eq!(answer.refused(429)["code"], "throttled");
    assert!(wire.send(body.as_bytes()));
    assert!(wire.head().starts_with("HTTP/1.1 201"));
    stranger.get("Patient").await.expect(200);
}
