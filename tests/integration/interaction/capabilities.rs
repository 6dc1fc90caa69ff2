//! capabilities: what the server says of itself (CAP-01, CAP-02).

use crate::support::people::Stranger;
use crate::support::server::Server;

#[tokio::test]
async fn cap_02_each_mode_is_told_and_another_is_refused() {
    let server = Server::start();
    let stranger = Stranger::of(&server);
    let full = stranger.get("metadata").await.expect(200);
    for mode in ["full", "normative"] {
        let told = stranger.get(&format!("metadata?mode={mode}")).await.expect(200);
        assert_eq!(told.json()["resourceType"], "CapabilityStatement", "{mode}");
    }
    let terminology = stranger.get("metadata?mode=terminology").await.expect(200).json();
    assert_eq!((&terminology["resourceType"], &terminology["kind"]), (&"TerminologyCapabilities".into(), &"instance".into()));
    let systems = terminology["codeSystem"].as_array().unwrap();
    assert!(systems.iter().any(|system| system["uri"] == "http://hl7.org/fhir/administrative-gender"), "{}", systems.len());
    assert_eq!(stranger.get("metadata?mode=partial").await.refused(400)["expression"][0], "http.mode");
    let again = stranger.get("metadata").header("If-None-Match", full.header("ETag")).await;
    assert_eq!((again.status, again.body), (304, Vec::new()));
}

#[tokio::test]
async fn what_is_asked_of_the_statement_is_told_and_marked_as_a_part() {
    let server = Server::start();
    let stranger = Stranger::of(&server);
    let part = stranger.get("metadata?_elements=fhirVersion").await.expect(200);
    assert_eq!(part.json()["fhirVersion"], "4.0.1");
    assert!(part.json().get("patchFormat").is_none());
    assert_eq!(part.json()["meta"]["tag"][0]["code"], "SUBSETTED");
    let summary = stranger.get("metadata?_summary=true").await.expect(200);
    assert!(summary.json().get("rest").is_some() && summary.json().get("implementation").is_some());
    stranger.get("metadata?_elements=novelty").await.refused(400);
}
