//! What is written about requests: enough to find them again, nothing of what they say (SEC-07).

use crate::support::client::{Client, FHIR_JSON};
use crate::support::place::Place;
use crate::support::process::Process;
use crate::support::resources::patient_called;

/// A word that stands nowhere but in what clients send.
const SECRET: &str = "Zwyntgraf";

#[tokio::test]
async fn neither_health_data_nor_query_strings_are_logged() {
    let store = Place::new();
    let server = Process::start(&store, &[("CARNET_LOG_LEVEL", "trace"), ("CARNET_LOG_FORMAT", "json")]);
    let client = Client::new(server.base());
    let mut patient = patient_called("p");
    patient["name"][0]["family"] = SECRET.into();
    client.put("Patient/p", &patient).header("X-Request-Id", "trial-4711").await.expect(201);
    client.get("Patient/p").await.expect(200);
    client.get(&format!("Patient?_id={SECRET}&gender={SECRET}")).await.expect(200);
    client.get(&format!("Patient?birthdate={SECRET}")).await.refused(400);
    client.get(&format!("Patient?{SECRET}=1")).await.refused(400);
    let broken = format!("{{\"resourceType\":\"Patient\",\"name\":[{{\"family\":\"{SECRET}\",}}]}}");
    client.request("POST", "Patient").body(FHIR_JSON, broken).await.refused(400);
    client.request("POST", "Patient/_search").body("application/x-www-form-urlencoded", format!("_id={SECRET}")).await;
    client.request("PUT", "Binary/b").body("text/plain", SECRET).await.expect(201);
    client.get("Patient/q").header("X-Forwarded-For", SECRET).header("Cookie", SECRET).header("Authorization", SECRET).await;
    server.terminate();
    let (status, said) = server.ended();
    assert_eq!(status, Some(0), "{said}");
    assert!(said.contains("trial-4711"), "requests are logged with their id: {said}");
    let told: Vec<&str> = said.lines().filter(|line| line.contains(SECRET) || line.contains("birthdate=")).collect();
    assert_eq!(told, Vec::<&str>::new());
}
