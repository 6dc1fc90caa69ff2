//! Transactions: all or nothing (B-03), in any order (B-04), references rewritten everywhere (B-07), large.

use serde_json::{Value, json};

use crate::support::people::Laboratory;
use crate::support::resources::{patient, patient_called, post_entry, put_entry, transaction, weight};
use crate::support::server::Server;

fn urn(number: usize) -> String {
    format!("urn:uuid:00000000-0000-4000-8000-{number:012}")
}

#[tokio::test]
async fn b_03_one_bad_entry_among_many_stores_nothing() {
    let server = Server::start();
    let laboratory = Laboratory::of(&server);
    let good = [put_entry(&patient_called("good")), post_entry(&urn(1), &weight("Patient/good", 1))];
    let mut stale = put_entry(&patient_called("stale"));
    stale["request"]["ifMatch"] = json!("W/\"7\"");
    let mut no_method = put_entry(&patient_called("x"));
    no_method["request"].as_object_mut().unwrap().remove("method");
    let table = [
        (
            json!({"fullUrl": urn(2), "resource": {"resourceType": "Patience"}, "request": {"method": "POST", "url": "Patience"}}),
            400..=404,
        ),
        (json!({"fullUrl": urn(2), "resource": patient(), "request": {"method": "POST", "url": "Observation"}}), 400..=400),
        (
            json!({"fullUrl": urn(2), "resource": patient_called("a"), "request": {"method": "PUT", "url": "Patient/b"}}),
            400..=400,
        ),
        (json!({"fullUrl": urn(2), "request": {"method": "POST", "url": "Patient"}}), 400..=400),
        (json!({"fullUrl": urn(2), "resource": patient()}), 400..=400),
        (no_method, 400..=400),
        (stale, 412..=412),
        (put_entry(&patient_called("good")), 400..=412),
        (post_entry(&urn(1), &patient()), 400..=412),
        (json!({"request": {"method": "GET", "url": "Patient/nobody"}}), 404..=404),
        (json!({"request": {"method": "GET", "url": "Patient?birthdate=soon"}}), 400..=400),
        (json!({"request": {"method": "GET", "url": "Patient?novelty=1"}}), 400..=400),
    ];
    for (bad, statuses) in table {
        for position in 0..=good.len() {
            let mut entries = good.to_vec();
            entries.insert(position, bad.clone());
            let answer = laboratory.post("", &transaction(&entries)).await;
            assert!(statuses.contains(&answer.status), "{bad}: {}", String::from_utf8_lossy(&answer.body));
            assert_eq!(answer.json()["resourceType"], "OperationOutcome");
            laboratory.get("Patient/good").await.refused(404);
        }
    }
    for kind in ["Patient", "Observation"] {
        assert_eq!(laboratory.get(kind).await.expect(200).resources(), Vec::<Value>::new(), "{kind}");
    }
}

#[tokio::test]
async fn b_07_urn_uuid_is_rewritten_everywhere_and_only_where_it_is_a_reference() {
    let server = Server::start();
    let laboratory = Laboratory::of(&server);
    let document = json!({"resourceType": "DocumentReference", "status": "current", "subject": {"reference": urn(1)},
        "description": urn(1), "text": {"status": "generated", "div": format!("<div xmlns=\"http://www.w3.org/1999/xhtml\"><a href=\"{}\">it</a></div>", urn(3))},
        "extension": [{"url": "https://a.example/x", "valueReference": {"reference": urn(2)}}, {"url": "https://a.example/u", "valueUri": urn(3)}],
        "contained": [{"resourceType": "Practitioner", "id": "c", "photo": [{"url": urn(3)}]}],
        "author": [{"reference": "#c"}],
        "content": [{"attachment": {"contentType": "text/plain", "url": urn(3)}}]});
    let binary = json!({"resourceType": "Binary", "contentType": "text/plain", "data": "YQ=="});
    let entries = [
        post_entry(&urn(4), &document),
        post_entry(&urn(1), &patient()),
        post_entry(&urn(2), &weight(&urn(1), 3)),
        post_entry(&urn(3), &binary),
    ];
    let answer = laboratory.post("", &transaction(&entries)).await.expect(200).json();
    let place = |at: usize| {
        let location =
            answer["entry"][at]["response"]["location"].as_str().unwrap().split("/_history").next().unwrap().to_owned();
        location.trim_start_matches(&server.base_url).trim_start_matches('/').to_owned()
    };
    let (document, subject, observation, content) =
        (laboratory.get(&place(0)).await.expect(200).json(), place(1), place(2), place(3));
    let leads_to =
        |value: &Value, place: &str| assert!(value.as_str().unwrap().ends_with(place), "{value} does not lead to {place}");
    leads_to(&document["subject"]["reference"], &subject);
    leads_to(&document["extension"][0]["valueReference"]["reference"], &observation);
    leads_to(&document["extension"][1]["valueUri"], &content);
    leads_to(&document["contained"][0]["photo"][0]["url"], &content);
    leads_to(&document["content"][0]["attachment"]["url"], &content);
    assert!(document["text"]["div"].as_str().unwrap().contains(&format!("{content}\"")), "{document}");
    assert_eq!(document["description"], urn(1), "a text is no reference");
    let observation = laboratory.get(&observation).await.expect(200).json();
    leads_to(&observation["subject"]["reference"], &subject);
    let found = laboratory.get(&format!("Observation?patient={subject}")).await.expect(200).resources();
    assert_eq!(found.len(), 1, "the index knows the rewritten reference");
}

#[tokio::test]
async fn b_08_entries_may_refer_to_one_another_in_a_circle() {
    let server = Server::start();
    let laboratory = Laboratory::of(&server);
    let link = |other: &str| {
        let mut patient = patient();
        patient["link"] = json!([{"type": "seealso", "other": {"reference": other}}]);
        patient
    };
    let bundle = transaction(&[post_entry(&urn(1), &link(&urn(2))), post_entry(&urn(2), &link(&urn(1)))]);
    let answer = laboratory.post("", &bundle).await.expect(200).json();
    let first = answer["entry"][0]["response"]["location"].as_str().unwrap();
    let first = laboratory.get(first).await.expect(200).json();
    let other = laboratory.get(first["link"][0]["other"]["reference"].as_str().unwrap()).await.expect(200).json();
    assert!(other["link"][0]["other"]["reference"].as_str().unwrap().ends_with(first["id"].as_str().unwrap()));
}

#[tokio::test]
async fn b_06_a_thousand_entries_are_one_commit_with_a_thousand_answers() {
    const ENTRIES: usize = 1_000;
    let server = Server::start();
    let laboratory = Laboratory::of(&server);
    let mut entries = vec![post_entry(&urn(0), &patient())];
    entries.extend((1..ENTRIES).map(|number| post_entry(&urn(number), &weight(&urn(0), 50))));
    let answer = laboratory.post("", &transaction(&entries)).await.expect(200).json();
    let answers = answer["entry"].as_array().unwrap();
    assert_eq!(answers.len(), ENTRIES);
    assert!(answers.iter().all(|entry| entry["response"]["status"].as_str().unwrap().starts_with("201")));
    let subject = answers[0]["response"]["location"].as_str().unwrap().split("/_history").next().unwrap().to_owned();
    let id = subject.rsplit('/').next().unwrap();
    let mut counted = 0;
    let mut next = Some(format!("Observation?patient={id}&_count=500"));
    while let Some(page) = next {
        let answer = laboratory.get(&page).await.expect(200);
        counted += answer.resources().len();
        next = answer.link("next");
    }
    assert_eq!(counted, ENTRIES - 1);
}

#[tokio::test]
async fn b_12_what_an_entry_reads_is_what_the_others_leave() {
    let server = Server::start();
    let laboratory = Laboratory::of(&server);
    laboratory.put("Patient/old", &patient_called("old")).await.expect(201);
    let entries = [
        json!({"request": {"method": "GET", "url": "Patient/new"}}),
        json!({"request": {"method": "GET", "url": "Patient/old"}}),
        put_entry(&patient_called("new")),
        json!({"request": {"method": "DELETE", "url": "Patient/old"}}),
    ];
    let replies = laboratory.post("", &transaction(&entries)).await.expect(200).json();
    assert_eq!(
        (&replies["entry"][0]["response"]["status"], &replies["entry"][0]["resource"]["id"]),
        (&json!("200 OK"), &json!("new"))
    );
    let gone = &replies["entry"][1]["response"];
    assert_eq!((&gone["status"], &gone["outcome"]["issue"][0]["code"]), (&json!("410"), &json!("deleted")));
}

/// A document of `subject` whose content is the Binary called `content`.
fn document(subject: &str, content: &str) -> Value {
    json!({"resourceType": "DocumentReference", "status": "current", "subject": {"reference": subject},
        "content": [{"attachment": {"contentType": "text/plain", "url": content}}]})
}

fn content() -> Value {
    json!({"resourceType": "Binary", "contentType": "text/plain", "data": "aGk="})
}

/// The dossier in which the version was written that the journal tells of last.
fn last_dossier(server: &Server) -> i64 {
    server.place.journal().last().unwrap().part
}

#[tokio::test]
async fn a_binary_rests_in_the_dossier_of_the_document_that_bears_it() {
    let server = Server::start_with(|settings| settings.audit.record = Some(true));
    let laboratory = Laboratory::of(&server);
    let part = |entry: &Value| {
        let location = entry["response"]["location"].as_str().unwrap();
        let id = location.rsplit('/').nth(2).unwrap().parse().unwrap();
        carnet::fhir::InstanceKey::read(&id).unwrap().part.0
    };
    // The Binary comes first and the patient last, so that nothing depends on the order.
    let entries =
        [post_entry(&urn(3), &content()), post_entry(&urn(2), &document(&urn(1), &urn(3))), post_entry(&urn(1), &patient())];
    let replies = laboratory.post("", &transaction(&entries)).await.expect(200).json();
    let parts: Vec<i64> = replies["entry"].as_array().unwrap().iter().map(part).collect();
    assert!(parts[0] != 0 && parts.iter().all(|part| *part == parts[0]), "{parts:?}");

    // An update alone, which says nothing of a dossier, leaves it there.
    let location = replies["entry"][0]["response"]["location"].as_str().unwrap();
    let id = location.rsplit('/').nth(2).unwrap();
    laboratory.request("PUT", &format!("Binary/{id}")).body("text/plain", "ho").await.expect(200);
    assert_eq!(last_dossier(&server), parts[0]);

    // One that the client named, borne by a document of somebody else.
    let mut named = content();
    named["id"] = json!("b");
    let bundle =
        transaction(&[put_entry(&named), post_entry(&urn(2), &document("Patient/p", "https://documents.example/Binary/b"))]);
    laboratory.post("", &bundle).await.expect(200);
    assert_eq!(laboratory.get("Binary/b").header("Accept", "text/plain").await.expect(200).body, b"hi");
    let dossier = last_dossier(&server);
    assert!(dossier != 0 && dossier != parts[0], "{dossier}");
}

#[tokio::test]
async fn a_binary_rests_where_its_security_context_says() {
    let server = Server::start_with(|settings| settings.audit.record = Some(true));
    let laboratory = Laboratory::of(&server);
    let patient = laboratory.post("Patient", &patient()).await.expect(201).place();
    let dossier = last_dossier(&server);
    let document = laboratory.post("DocumentReference", &document(&patient, "https://a.example/b")).await.expect(201).place();
    for context in [patient, document] {
        let sent = laboratory.request("POST", "Binary").header("X-Security-Context", &context).body("text/plain", "hi");
        sent.await.expect(201);
        assert_eq!(last_dossier(&server), dossier, "{context}");
    }
    laboratory.request("POST", "Binary").body("text/plain", "hi").await.expect(201);
    assert_eq!(last_dossier(&server), 0);
}
