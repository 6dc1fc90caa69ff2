//! Every route with every method answers as the table says (R4 http.html), for whoever asks.

use std::collections::BTreeMap;

use crate::support::client::{Answer, FHIR_JSON};
use crate::support::people::Stranger;
use crate::support::resources::patient_called;
use crate::support::server::Server;

const METHODS: [&str; 7] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];

/// A place, and what each of `METHODS` answers there, on a server where `Patient/p` is there and `Patient/nobody` is not.
/// POST, PUT and PATCH carry a Patient `p`.
const TABLE: &[(&str, [u16; 7])] = &[
    ("", [200, 200, 400, 405, 405, 405, 405]),
    ("_search", [405, 405, 415, 405, 405, 405, 405]),
    ("Patient/p/Observation", [200, 200, 405, 405, 405, 405, 405]),
    ("Patient/p/*", [200, 200, 405, 405, 405, 405, 405]),
    ("Patient/p/*/_search", [405, 405, 415, 405, 405, 405, 405]),
    ("metadata", [200, 200, 405, 405, 405, 405, 405]),
    ("Patient", [200, 200, 201, 400, 400, 400, 405]),
    ("Patient/_search", [405, 405, 415, 405, 405, 405, 405]),
    ("Patient/nobody", [404, 404, 405, 400, 404, 204, 405]),
    ("_history", [200, 200, 405, 405, 405, 405, 405]),
    ("Patient/_history", [200, 200, 405, 405, 405, 405, 405]),
    ("Patient/nobody/_history", [404, 404, 405, 405, 405, 405, 405]),
    ("Patient/nobody/_history/1", [404, 404, 405, 405, 405, 405, 405]),
    ("Patient/p/_history", [200, 200, 405, 405, 405, 405, 405]),
    ("Patient/p/_history/1", [200, 200, 405, 405, 405, 405, 405]),
    ("Patient/p/_history/9", [404, 404, 405, 405, 405, 405, 405]),
    ("$meta", [200, 200, 400, 405, 405, 405, 405]),
    ("Patient/$meta", [200, 200, 400, 405, 405, 405, 405]),
    ("Patient/nobody/$meta", [404, 404, 400, 405, 405, 405, 405]),
    ("Patient/p/$meta", [200, 200, 400, 405, 405, 405, 405]),
    ("Patient/p/$meta-add", [405, 405, 400, 405, 405, 405, 405]),
    ("Patient/p/$meta-delete", [405, 405, 400, 405, 405, 405, 405]),
    ("Patient/p/_history/1/$meta", [200, 200, 400, 405, 405, 405, 405]),
    ("Patient/p/_history/1/$meta-add", [405, 405, 400, 405, 405, 405, 405]),
    ("Patient/$meta-add", [404; 7]),
    ("Patient/p/_history/x", [404; 7]),
    ("Patient/a_b", [400; 7]),
    ("Patience", [404; 7]),
    ("patient/p", [404; 7]),
    ("Patient/p/nothing", [404; 7]),
    ("Patient/p/_history/1/more", [404; 7]),
    ("Patient/$everything", [200, 200, 400, 405, 405, 405, 405]),
    ("Device/$everything", [404; 7]),
    ("Patient/p", [200, 200, 405, 200, 400, 204, 405]),
];

async fn asked(stranger: &Stranger, method: &str, place: &str) -> Answer {
    let request = stranger.request(method, place);
    match method {
        "POST" | "PUT" | "PATCH" => request.body(FHIR_JSON, patient_called("p").to_string()).await,
        _ => request.await,
    }
}

#[tokio::test]
async fn every_route_with_every_method_answers_as_the_table_says() {
    let server = Server::start();
    let stranger = Stranger::of(&server);
    stranger.put("Patient/p", &patient_called("p")).await.expect(201);
    let mut wrong = Vec::new();
    for (place, statuses) in TABLE {
        for (method, status) in METHODS.iter().zip(statuses) {
            let answer = asked(&stranger, method, place).await;
            if answer.status != *status {
                wrong.push(format!("{method} /{place}: {}, expected {status}", answer.status));
            }
            if answer.status >= 400 && *method != "HEAD" && answer.json()["resourceType"] != "OperationOutcome" {
                wrong.push(format!("{method} /{place}: no OperationOutcome"));
            }
            if answer.status == 405 && answer.header("Allow").is_empty() {
                wrong.push(format!("{method} /{place}: 405 without Allow"));
            }
            if answer.header("X-Request-Id").is_empty() {
                wrong.push(format!("{method} /{place}: no X-Request-Id"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test]
async fn outside_the_base_url_there_is_nothing() {
    let server = Server::start();
    let stranger = Stranger::of(&server);
    for place in ["/fhirs/Patient", "/Patient", "/metadata", "/fhir/../metadata", "/fhir//metadata/x"] {
        let answer = stranger.get(&format!("http://{}{place}", server.address)).await;
        assert_eq!(answer.json()["resourceType"], "OperationOutcome", "{place}");
        assert_eq!(answer.status, 404, "{place}");
    }
}

/// Headers that say when and which request, not what was answered.
const OF_THE_MOMENT: [&str; 2] = ["date", "x-request-id"];

fn lasting_headers(answer: &Answer) -> BTreeMap<String, String> {
    let headers = answer.headers.iter().filter(|(name, _)| !OF_THE_MOMENT.contains(&name.as_str()));
    headers.map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned())).collect()
}

#[tokio::test]
async fn g_11_head_answers_the_headers_of_get_and_no_body() {
    let server = Server::start();
    let stranger = Stranger::of(&server);
    stranger.put("Patient/p", &patient_called("p")).await.expect(201);
    stranger.put("Patient/gone", &patient_called("gone")).await.expect(201);
    stranger.delete("Patient/gone").await.expect(204);
    stranger.request("PUT", "Binary/b").body("text/plain", "some text").await.expect(201);
    for place in [
        "metadata",
        "Patient/p",
        "Patient/p/_history/1",
        "Patient/p/_history",
        "Patient?_id=p",
        "Patient?novelty=1",
        "Patient/gone",
        "Patient/nobody",
        "Binary/b",
        "Patient/p?_format=novelty",
    ] {
        let (get, head) = (stranger.get(place).await, stranger.head(place).await);
        assert_eq!(get.status, head.status, "{place}");
        assert!(head.body.is_empty(), "{place}");
        assert_eq!(lasting_headers(&get), lasting_headers(&head), "{place}");
        assert_eq!(get.header("Content-Length"), get.body.len().to_string(), "{place}");
    }
}
