//! history of an instance, of a type, of the system (H-01 to H-07).

use serde_json::{Value, json};

use crate::support::client::{Answer, Client};
use crate::support::people::Professional;
use crate::support::resources::{patient_called, patient_saying, weight};
use crate::support::server::Server;

fn told(answer: &Answer) -> Vec<String> {
    let bundle = answer.json();
    assert_eq!(bundle["type"], "history");
    let entries = bundle["entry"].as_array().cloned().unwrap_or_default();
    entries
        .iter()
        .map(|entry| {
            let (request, response) = (&entry["request"], &entry["response"]);
            assert!(response["lastModified"].is_string(), "{entry}");
            assert_eq!(entry["resource"].is_null(), request["method"] == "DELETE", "{entry}");
            let place = entry["fullUrl"].as_str().unwrap().rsplit('/').take(2).collect::<Vec<_>>();
            let text = |value: &Value| value.as_str().unwrap().to_owned();
            format!(
                "{} {}/{} {} {}",
                text(&request["method"]),
                place[1],
                place[0],
                text(&response["status"]),
                text(&response["etag"])
            )
        })
        .collect()
}

/// Two patients and an observation; one of them changed, one deleted.
async fn lived(client: &Client) {
    client.put("Patient/a", &patient_called("a")).await.expect(201);
    client.put("Patient/b", &patient_called("b")).await.expect(201);
    let mut weight = weight("Patient/a", 60);
    weight["id"] = json!("o");
    client.put("Observation/o", &weight).await.expect(201);
    client.put("Patient/a", &patient_saying("a", 2)).await.expect(200);
    client.delete("Patient/b").await.expect(204);
}

const OF_PATIENTS: [&str; 4] = [
    "DELETE Patient/b 204 No Content W/\"2\"",
    "PUT Patient/a 200 OK W/\"2\"",
    "PUT Patient/b 201 Created W/\"1\"",
    "PUT Patient/a 201 Created W/\"1\"",
];

#[tokio::test]
async fn h_01_histories_of_a_type_and_of_the_system_are_newest_first_with_deletions() {
    let server = Server::start();
    let professional = Professional::of(&server);
    lived(&professional).await;
    assert_eq!(told(&professional.get("Patient/_history").await.expect(200)), OF_PATIENTS);
    let mut all = OF_PATIENTS.to_vec();
    all.insert(2, "PUT Observation/o 201 Created W/\"1\"");
    assert_eq!(told(&professional.get("_history").await.expect(200)), all);
    assert_eq!(told(&professional.get("Patient/b/_history").await.expect(200)), [OF_PATIENTS[0], OF_PATIENTS[2]]);
    assert_eq!(told(&professional.get("Device/_history").await.expect(200)), Vec::<String>::new());
    let counted = professional.get("Patient/_history?_count=0").await.expect(200).json();
    assert_eq!((&counted["total"], counted.get("entry")), (&json!(4), None));
    professional.get("Patient/nobody/_history").await.refused(404);
    let head = professional.head("Patient/_history").await.expect(200);
    assert_eq!(head.body, b"");
}

#[tokio::test]
async fn h_03_since_and_at_and_list_say_which_versions_and_come_once() {
    let server = Server::start();
    let professional = Professional::of(&server);
    lived(&professional).await;
    let all = professional.get("Patient/_history").await.json();
    let moment = |at: usize| all["entry"][at]["response"]["lastModified"].as_str().unwrap().to_owned();
    let ask = async |query: String| told(&professional.get(&format!("Patient/_history?{query}")).await.expect(200));
    assert_eq!(ask(format!("_since={}", moment(1))).await, OF_PATIENTS[..2]);
    assert_eq!(ask("_since=2999-01-01T00:00:00Z".to_owned()).await, Vec::<String>::new());
    assert_eq!(ask(format!("_at={}", moment(3))).await, OF_PATIENTS[3..]);
    assert_eq!(ask("_at=2026-01-01".to_owned()).await, OF_PATIENTS);
    assert_eq!(ask("_at=2027".to_owned()).await, [OF_PATIENTS[1]], "what is deleted is current no more");
    assert_eq!(ask("_at=2025".to_owned()).await, Vec::<String>::new());
    let list = json!({"resourceType": "List", "id": "l", "status": "current", "mode": "working",
        "entry": [{"item": {"reference": "Patient/a"}}, {"item": {"reference": "Observation/o"}}]});
    professional.put("List/l", &list).await.expect(201);
    assert_eq!(ask("_list=l".to_owned()).await, [OF_PATIENTS[1], OF_PATIENTS[3]]);
    assert_eq!(told(&professional.get("_history?_list=List/l").await.expect(200)).len(), 3);
    assert_eq!(ask("_list=nothing".to_owned()).await, Vec::<String>::new());
    for query in
        ["_since=soon", "_at=soon", "_count=many", "_count=1&_count=2", "_since=2026&_since=2027", "_list=a%20b", "novelty=1"]
    {
        professional.get(&format!("Patient/_history?{query}")).await.refused(400);
    }
}

#[tokio::test]
async fn h_06_pages_lead_onward_and_back_and_lose_nothing_while_others_write() {
    let server = Server::start();
    let professional = Professional::of(&server);
    for number in 0..5 {
        for id in ["a", "b", "c"] {
            professional.put(&format!("Patient/{id}"), &patient_saying(id, number)).await;
        }
    }
    for history in ["Patient/_history", "_history", "Patient/b/_history"] {
        let before = told(&professional.get(&format!("{history}?_count=100")).await.expect(200));
        let (mut onward, mut page) =
            (Vec::new(), professional.get(&format!("{history}?_count=4&_format=json")).await.expect(200));
        assert!(page.link("previous").is_none());
        loop {
            let told = told(&page);
            assert!(told.len() <= 4);
            onward.extend(told);
            let Some(next) = page.link("next") else { break };
            assert!(next.contains("_format=json"), "{next}");
            professional.put("Patient/a", &patient_saying("a", onward.len() + 100)).await.expect(200);
            page = professional.get(&next).await.expect(200);
        }
        assert_eq!(onward, before, "{history}");
        let mut back = Vec::new();
        while let Some(previous) = page.link("previous") {
            page = professional.get(&previous).await.expect(200);
            back.splice(0..0, told(&page));
        }
        // The way back also leads to what was written meanwhile, and to nothing less.
        let last = before.len() - (before.len() - 1) % 4 - 1;
        assert!(back.ends_with(&before[..last]), "{history}: {back:?}");
        professional.put("Patient/a", &patient_saying("a", 0)).await;
    }
    let link = professional.get("Patient/_history?_count=2").await.link("next").unwrap();
    professional.get(&link.replace("Patient/_history", "_history")).await.refused(400);
    professional.get(&link.replace("_count=2", "_count=2&_since=2026")).await.refused(400);
    professional.get("Patient/_history?_page=invented").await.refused(400);
}

#[tokio::test]
async fn a_history_is_read_by_an_entry_of_a_batch_and_in_xml() {
    let server = Server::start();
    let professional = Professional::of(&server);
    lived(&professional).await;
    let batch = json!({"resourceType": "Bundle", "type": "batch", "entry": [
        {"request": {"method": "GET", "url": "Patient/_history"}}, {"request": {"method": "GET", "url": "_history?_count=1"}}]});
    let answer = professional.post("", &batch).await.expect(200).json();
    assert_eq!(answer["entry"][0]["resource"]["entry"].as_array().unwrap().len(), 4);
    assert_eq!(answer["entry"][1]["resource"]["entry"].as_array().unwrap().len(), 1);
    let xml = professional.get("Patient/_history?_format=xml").await.expect(200);
    assert!(String::from_utf8(xml.body).unwrap().contains("<type value=\"history\"/>"));
}
