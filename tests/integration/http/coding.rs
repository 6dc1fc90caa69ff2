//! Content codings of answers and bodies (RFC 9110 §8.4, §12.5.3).

use std::io::{Read as _, Write as _};

use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use serde_json::{Value, json};

use crate::support::client::FHIR_JSON;
use crate::support::people::Laboratory;
use crate::support::resources::patient_called;
use crate::support::server::Server;

fn long_patient() -> Value {
    let mut patient = patient_called("p");
    patient["name"][0]["given"] = json!((0..300).map(|number| format!("Odile {number}")).collect::<Vec<_>>());
    patient
}

fn zipped(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

#[tokio::test]
async fn an_answer_comes_in_the_coding_that_is_liked_best_and_plain_where_none_is() {
    let server = Server::start();
    let laboratory = Laboratory::of(&server);
    laboratory.put("Patient/p", &long_patient()).await.expect(201);
    let plain = laboratory.get("Patient/p").await.expect(200);
    assert_eq!((plain.header("Content-Encoding"), plain.header("Vary")), ("", "accept-encoding"));
    let table = [
        ("gzip", "gzip"),
        ("br", "br"),
        ("zstd", "zstd"),
        ("gzip;q=0.5, br;q=0.9", "br"),
        ("gzip;q=0, identity", ""),
        ("identity", ""),
        ("unheard-of", ""),
    ];
    for (accepted, coding) in table {
        let answer = laboratory.get("Patient/p").header("Accept-Encoding", accepted).await.expect(200);
        assert_eq!(answer.header("Content-Encoding"), coding, "{accepted}");
        assert_eq!(answer.header("ETag"), plain.header("ETag"));
        assert_eq!(answer.body.len() < plain.body.len(), !coding.is_empty(), "{accepted}");
        // What was coded here is read again here.
        if !coding.is_empty() {
            let again =
                laboratory.request("PUT", "Patient/p").body(FHIR_JSON, answer.body).header("Content-Encoding", coding).await;
            assert_eq!(again.expect(200).header("ETag"), plain.header("ETag"), "{coding}");
        }
    }
    let answer = laboratory.get("Patient/p").header("Accept-Encoding", "gzip").await.expect(200);
    let mut unzipped = Vec::new();
    GzDecoder::new(&answer.body[..]).read_to_end(&mut unzipped).unwrap();
    assert_eq!(unzipped, plain.body);
}

#[tokio::test]
async fn what_is_small_or_a_part_or_no_text_goes_as_it_is() {
    let server = Server::start();
    let laboratory = Laboratory::of(&server);
    laboratory.put("Patient/small", &patient_called("small")).await.expect(201);
    let image = vec![7_u8; 5_000];
    laboratory.request("PUT", "Binary/b").body("image/png", image.clone()).await.expect(201);
    laboratory.request("PUT", "Binary/t").body("text/plain", "a".repeat(5_000)).await.expect(201);
    let coding = async |path: &str, range: &str| {
        let request = laboratory.get(path).header("Accept-Encoding", "gzip").header("Accept", "*/*");
        let answer = if range.is_empty() { request.await } else { request.header("Range", range).await };
        (answer.status, answer.header("Content-Encoding").to_owned())
    };
    assert_eq!(coding("Patient/small", "").await, (200, String::new()));
    assert_eq!(coding("Binary/b", "").await, (200, String::new()));
    assert_eq!(coding("Binary/t", "").await, (200, "gzip".to_owned()));
    assert_eq!(coding("Binary/t", "bytes=0-1999").await, (206, String::new()));
    let head = laboratory.head("Binary/t").header("Accept-Encoding", "gzip").await.expect(200);
    assert_eq!(head.body, b"");
}

#[tokio::test]
async fn a_coded_body_is_read_within_the_limit_of_what_it_expands_to() {
    let server = Server::start_with(|settings| settings.limits.body_bytes = 100_000);
    let laboratory = Laboratory::of(&server);
    let put = |body: Vec<u8>, coding: &'static str| {
        laboratory.request("PUT", "Patient/p").body(FHIR_JSON, body).header("Content-Encoding", coding)
    };
    let json = long_patient().to_string();
    put(zipped(json.as_bytes()), "gzip").await.expect(201);
    assert_eq!(laboratory.get("Patient/p").await.json()["name"], long_patient()["name"]);
    put(zipped(json.as_bytes()), "x-gzip").await.expect(200);
    let bomb = zipped(&vec![b' '; 10_000_000]);
    assert!(bomb.len() < 20_000);
    put(bomb, "gzip").await.refused(413);
    put(json.clone().into_bytes(), "gzip").await.refused(400);
    let half = zipped(json.as_bytes());
    put(half[..half.len() / 2].to_vec(), "gzip").await.refused(400);
    for coding in ["compress", "gzip, br", "unheard-of"] {
        let answer = put(zipped(json.as_bytes()), coding).await;
        assert_eq!(answer.header("Accept-Encoding"), "gzip, br, zstd", "{coding}");
        answer.refused(415);
    }
    assert_eq!(laboratory.get("Patient/p").await.header("ETag"), "W/\"1\"");
}
