//! Versions and their preconditions: C-01, C-02, U-01, U-02, D-02, D-03, D-05, V-01, V-02, V-07, V-10, V-11, H-01.

use serde_json::json;

use crate::support::people::Professional;
use crate::support::resources::{patient, patient_called};
use crate::support::server::Server;

#[tokio::test]
async fn c_01_location_is_absolute_and_names_the_version() {
    let server = Server::start();
    let created = Professional::of(&server).post("Patient", &patient()).await.expect(201);
    let location = created.header("Location");
    assert_eq!(location, format!("{}/{}/_history/1", server.base_url, created.place()));
    assert_eq!(created.header("ETag"), "W/\"1\"");
    let updated = created.json()["meta"]["lastUpdated"].as_str().unwrap().to_owned();
    let modified = httpdate::parse_http_date(created.header("Last-Modified")).unwrap();
    let updated = chrono::DateTime::parse_from_rfc3339(&updated).unwrap();
    let modified = chrono::DateTime::<chrono::Utc>::from(modified);
    assert_eq!(modified.timestamp(), updated.timestamp());
}

#[tokio::test]
async fn c_02_two_creates_of_one_body_make_two_instances() {
    let server = Server::start();
    let professional = Professional::of(&server);
    let first = professional.post("Patient", &patient_called("mine")).await.expect(201).place();
    let second = professional.post("Patient", &patient_called("mine")).await.expect(201).place();
    assert_ne!(first, second);
    professional.get("Patient/mine").await.refused(404);
}

#[tokio::test]
async fn c_02_an_id_the_server_gave_encodes_nothing_a_client_could_forge() {
    let server = Server::start();
    let professional = Professional::of(&server);
    let place = professional.post("Patient", &patient()).await.expect(201).place();
    let (last, other) = (place.chars().last().unwrap(), |c: char| if c == '0' { '1' } else { '0' });
    let forged = format!("{}{}", &place[..place.len() - 1], other(last));
    professional.get(&forged).await.refused(404);
}

#[tokio::test]
async fn d_03_a_deleted_instance_answers_gone_with_its_version() {
    let server = Server::start();
    let professional = Professional::of(&server);
    let place = professional.post("Patient", &patient()).await.expect(201).place();
    professional.delete(&place).await.expect(204);
    let gone = professional.get(&place).await;
    assert_eq!(gone.header("ETag"), "W/\"2\"");
    assert_eq!(gone.refused(410)["code"], "deleted");
    professional.get(&format!("{place}/_history/1")).await.expect(200);
    professional.get(&format!("{place}/_history/2")).await.refused(410);
}

#[tokio::test]
async fn d_02_deleting_twice_makes_one_deletion() {
    let server = Server::start();
    let professional = Professional::of(&server);
    let place = professional.post("Patient", &patient()).await.expect(201).place();
    professional.delete(&place).await.expect(204);
    professional.delete(&place).await.expect(204);
    let history = professional.get(&format!("{place}/_history")).await.expect(200).json();
    let methods: Vec<&str> =
        history["entry"].as_array().unwrap().iter().map(|entry| entry["request"]["method"].as_str().unwrap()).collect();
    assert_eq!(methods, ["DELETE", "POST"]);
}

#[tokio::test]
async fn d_05_an_update_after_a_deletion_goes_on_counting() {
    let server = Server::start();
    let professional = Professional::of(&server);
    professional.put("Patient/p", &patient_called("p")).await.expect(201);
    professional.delete("Patient/p").await.expect(204);
    let back = professional.put("Patient/p", &patient_called("p")).await.expect(201);
    assert_eq!(back.header("ETag"), "W/\"3\"");
    professional.get("Patient/p").await.expect(200);
    let found = professional.get("Patient?_id=p").await.expect(200).resources();
    assert_eq!(found.len(), 1);
}

#[tokio::test]
async fn v_07_if_match_wants_the_current_version_of_what_is_there() {
    let server = Server::start();
    let professional = Professional::of(&server);
    professional.put("Patient/p", &patient_called("p")).await.expect(201);
    let put = |tag: &str| professional.put("Patient/p", &patient_called("p")).header("If-Match", tag);
    put("W/\"2\"").await.refused(412);
    put("W/\"1\"").await.expect(200);
    put("W/\"1\"").await.refused(412);
    put("one").await.refused(400);
    professional.put("Patient/q", &patient_called("q")).header("If-Match", "W/\"1\"").await.refused(412);
    professional.get("Patient/q").await.refused(404);
    professional.delete("Patient/p").header("If-Match", "W/\"1\"").await.refused(412);
    professional.delete("Patient/p").header("If-Match", "W/\"2\"").await.expect(204);
}

#[tokio::test]
async fn v_11_last_updated_never_goes_back() {
    let server = Server::start();
    let professional = Professional::of(&server);
    for _ in 0..20 {
        professional.put("Patient/p", &patient_called("p")).await;
    }
    let history = professional.get("Patient/p/_history?_count=100").await.expect(200).resources();
    let times: Vec<&str> = history.iter().map(|version| version["meta"]["lastUpdated"].as_str().unwrap()).collect();
    let versions: Vec<&str> = history.iter().map(|version| version["meta"]["versionId"].as_str().unwrap()).collect();
    assert_eq!(versions, (1..=20).rev().map(|version: u8| version.to_string()).collect::<Vec<_>>());
    assert!(times.windows(2).all(|pair| pair[0] > pair[1]), "{times:?}");
}

#[tokio::test]
async fn u_01_a_body_of_another_id_or_type_stores_nothing() {
    let server = Server::start();
    let professional = Professional::of(&server);
    let refused = professional.put("Patient/p", &patient_called("q")).await.refused(400);
    assert_eq!(refused["expression"][0], "Patient.id");
    professional.put("Patient/p", &patient()).await.refused(400);
    professional.put("Observation/p", &patient_called("p")).await.refused(400);
    for place in ["Patient/p", "Patient/q", "Observation/p"] {
        professional.get(place).await.refused(404);
    }
}

#[tokio::test]
async fn pr_01_minimal_answers_have_headers_and_no_body() {
    let server = Server::start();
    let professional = Professional::of(&server);
    let created = professional.put("Patient/p", &patient_called("p")).header("Prefer", "return=minimal").await.expect(201);
    assert!(created.body.is_empty() && !created.header("ETag").is_empty() && !created.header("Location").is_empty());
    let told = professional.put("Patient/p", &patient_called("p")).header("Prefer", "return=OperationOutcome").await.expect(200);
    assert_eq!(told.json()["resourceType"], "OperationOutcome");
    let whole = professional.put("Patient/p", &patient_called("p")).header("Prefer", "return=representation").await.expect(200);
    assert_eq!(whole.json(), professional.get("Patient/p").await.expect(200).json());
    let expected = json!({"versionId": "3", "lastUpdated": whole.json()["meta"]["lastUpdated"]});
    assert_eq!(whole.json()["meta"], expected);
}
