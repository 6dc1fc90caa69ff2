//! The versions of an instance, beyond what the scripts and `rest` hold: C-01, C-02, V-11.

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
