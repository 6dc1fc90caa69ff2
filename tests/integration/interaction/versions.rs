//! The versions of an instance, beyond what the scripts and `rest` hold: C-01, C-02, V-11.

use crate::support::people::Professional;
use crate::support::resources::{patient, patient_called, patient_saying, put_entry, transaction};
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
    for number in 0..20 {
        professional.put("Patient/p", &patient_saying("p", number)).await;
    }
    let history = professional.get("Patient/p/_history?_count=100").await.expect(200).resources();
    let times: Vec<&str> = history.iter().map(|version| version["meta"]["lastUpdated"].as_str().unwrap()).collect();
    let versions: Vec<&str> = history.iter().map(|version| version["meta"]["versionId"].as_str().unwrap()).collect();
    assert_eq!(versions, (1..=20).rev().map(|version: u8| version.to_string()).collect::<Vec<_>>());
    assert!(times.windows(2).all(|pair| pair[0] > pair[1]), "{times:?}");
}

#[tokio::test]
async fn v_09_an_update_that_says_what_is_there_makes_no_version() {
    let server = Server::start();
    let professional = Professional::of(&server);
    let created = professional.put("Patient/p", &patient_called("p")).await.expect(201);
    let again = professional.put("Patient/p", &patient_called("p")).await.expect(200);
    assert_eq!((again.header("ETag"), again.header("Last-Modified")), ("W/\"1\"", created.header("Last-Modified")));
    assert_eq!(again.body, created.body);
    let read = professional.get("Patient/p").await.expect(200);
    assert_eq!(professional.put("Patient/p", &read.json()).await.expect(200).header("ETag"), "W/\"1\"");
    assert_eq!(professional.get("Patient/p/_history").await.resources().len(), 1);
    let stale = professional.put("Patient/p", &patient_called("p")).header("If-Match", "W/\"2\"").await;
    stale.refused(412);
    assert_eq!(professional.put("Patient/p", &patient_saying("p", 1)).await.expect(200).header("ETag"), "W/\"2\"");
}

#[tokio::test]
async fn v_09_a_deleted_instance_comes_back_whatever_it_said_before() {
    let server = Server::start();
    let professional = Professional::of(&server);
    professional.put("Patient/p", &patient_called("p")).await.expect(201);
    professional.delete("Patient/p").await.expect(204);
    assert_eq!(professional.put("Patient/p", &patient_called("p")).await.expect(201).header("ETag"), "W/\"3\"");
}

#[tokio::test]
async fn v_09_long_content_is_compared_too() {
    let server = Server::start_with(|settings| settings.content.inline_bytes = 16);
    let professional = Professional::of(&server);
    let photo = |data: &str| {
        let mut patient = patient_called("p");
        patient["photo"] = serde_json::json!([{"contentType": "image/png", "data": data.repeat(40)}]);
        patient
    };
    professional.put("Patient/p", &photo("AAAA")).await.expect(201);
    assert_eq!(professional.put("Patient/p", &photo("AAAA")).await.expect(200).header("ETag"), "W/\"1\"");
    assert_eq!(professional.put("Patient/p", &photo("BBBB")).await.expect(200).header("ETag"), "W/\"2\"");
}

#[tokio::test]
async fn v_09_an_entry_that_changes_nothing_makes_no_version_and_the_others_are_written() {
    let server = Server::start();
    let professional = Professional::of(&server);
    professional.put("Patient/p", &patient_called("p")).await.expect(201);
    let entries = [put_entry(&patient_called("p")), put_entry(&patient_called("q"))];
    let answer = professional.post("", &transaction(&entries)).await.expect(200).json();
    let told = |entry: usize, name: &str| answer["entry"][entry]["response"][name].as_str().unwrap().to_owned();
    assert_eq!((told(0, "status"), told(0, "etag")), ("200 OK".to_owned(), "W/\"1\"".to_owned()));
    assert_eq!((told(1, "status"), told(1, "etag")), ("201 Created".to_owned(), "W/\"1\"".to_owned()));
    let again = professional.post("", &transaction(&entries)).await.expect(200).json();
    assert_eq!(again["entry"][1]["response"]["etag"], "W/\"1\"");
}
