//! Conditional interactions (C-04, U-05, D-06, P-05) and conditional references (B-09), alone, in Bundles, and many at once.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::support::client::Answer;
use crate::support::people::{Laboratory, Professional};
use crate::support::resources::{patient_called, post_entry, put_entry, transaction, weight};
use crate::support::server::Server;

const AT_ONCE: usize = 50;
const SYSTEM: &str = "urn:oid:1.2.250.1.213.1.4.8";

fn identified(value: &str) -> Value {
    json!({"resourceType": "Patient", "identifier": [{"system": SYSTEM, "value": value}], "name": [{"family": "Lambert"}]})
}

fn with_id(mut resource: Value, id: &str) -> Value {
    resource["id"] = json!(id);
    resource
}

fn told(mut resource: Value, number: usize) -> Value {
    resource["name"][0]["text"] = json!(format!("turn {number}"));
    resource
}

fn by(value: &str) -> String {
    format!("identifier={SYSTEM}|{value}")
}

fn of_patient(value: &str) -> String {
    format!("Patient?{}", by(value))
}

async fn patients(client: &crate::support::client::Client, value: &str) -> Vec<Value> {
    client.get(&of_patient(value)).await.expect(200).resources()
}

fn counted(answers: &[Answer]) -> BTreeMap<u16, usize> {
    answers.iter().fold(BTreeMap::new(), |mut counts, answer| {
        *counts.entry(answer.status).or_default() += 1;
        counts
    })
}

#[tokio::test]
async fn c_04_a_create_if_none_exists_makes_one_and_then_tells_it() {
    let server = Server::start();
    let laboratory = Laboratory::of(&server);
    let create = || async { laboratory.post("Patient", &identified("1")).header("If-None-Exist", &by("1")).await };
    let first = create().await.expect(201);
    let second = create().await.expect(200);
    assert_eq!(second.header("Location"), first.header("Location"));
    assert_eq!(second.header("ETag"), "W/\"1\"");
    assert_eq!(second.json(), first.json());
    assert_eq!(patients(&laboratory, "1").await.len(), 1);
    laboratory.post("Patient", &identified("1")).await.expect(201);
    create().await.refused(412);
    assert_eq!(patients(&laboratory, "1").await.len(), 2);
}

#[tokio::test]
async fn c_04_criteria_that_are_none_are_refused_and_nothing_is_stored() {
    let server = Server::start();
    let laboratory = Laboratory::of(&server);
    for criteria in
        ["", "identifier=", "novelty=1", "_count=1", "_sort=name", "birthdate=soon", "identifier=a&_include=*", "_format=json"]
    {
        let issue = laboratory
            .post("Patient", &identified("1"))
            .header("If-None-Exist", criteria)
            .header("Prefer", "handling=lenient")
            .await
            .refused(400);
        assert_eq!(issue["expression"][0], "http.If-None-Exist", "{criteria}");
    }
    laboratory.put("Patient/p", &patient_called("p")).header("If-None-Exist", &by("1")).await.refused(400);
    assert_eq!(laboratory.get("Patient").await.expect(200).resources(), Vec::<Value>::new());
}

#[tokio::test]
async fn u_05_a_conditional_update_creates_updates_or_refuses_by_the_number_of_matches() {
    let server = Server::start();
    let professional = Professional::of(&server);
    let professional = &professional;
    let put = |resource: Value| async move { professional.put(&of_patient("1"), &resource).await };
    let created = put(told(identified("1"), 1)).await.expect(201);
    let id = created.json()["id"].as_str().unwrap().to_owned();
    let updated = put(told(identified("1"), 2)).await.expect(200);
    assert_eq!((updated.place(), updated.header("ETag")), (created.place(), "W/\"2\""));
    put(told(with_id(identified("1"), &id), 3)).await.expect(200);
    let issue = put(with_id(identified("1"), "another")).await.refused(400);
    assert_eq!(issue["expression"][0], "Patient.id");
    professional.get("Patient/another").await.refused(404);
    professional.put(&of_patient("2"), &with_id(identified("2"), "chosen")).await.expect(201);
    professional.put(&of_patient("3"), &with_id(identified("3"), "chosen")).await.refused(409);
    professional.post("Patient", &identified("1")).await.expect(201);
    put(told(identified("1"), 4)).await.refused(412);
    professional.put("Patient", &identified("1")).await.refused(400);
    professional.put("Patient?_sort=name", &identified("1")).await.refused(400);
}

#[tokio::test]
async fn u_05_if_match_is_held_against_the_match() {
    let server = Server::start();
    let professional = Professional::of(&server);
    let put = |number, tag: &'static str| {
        let resource = told(identified("1"), number);
        let request = professional.put(&of_patient("1"), &resource).header("If-Match", tag);
        async move { request.await }
    };
    put(1, "W/\"1\"").await.refused(412);
    professional.post("Patient", &identified("1")).await.expect(201);
    put(2, "W/\"2\"").await.refused(412);
    put(3, "W/\"1\"").await.expect(200);
}

#[tokio::test]
async fn p_05_a_conditional_patch_patches_the_one_match() {
    let server = Server::start();
    let professional = Professional::of(&server);
    let patch = || async {
        let operations = json!([{"op": "add", "path": "/gender", "value": "female"}]);
        professional.patch(&of_patient("1"), &operations).await
    };
    patch().await.refused(404);
    let created = professional.post("Patient", &identified("1")).await.expect(201);
    let patched = patch().await.expect(200);
    assert_eq!((patched.place(), &patched.json()["gender"]), (created.place(), &json!("female")));
    professional.post("Patient", &identified("1")).await.expect(201);
    patch().await.refused(412);
}

#[tokio::test]
async fn d_06_a_conditional_delete_removes_one_or_refuses() {
    let server = Server::start();
    let professional = Professional::of(&server);
    let delete = || async { professional.delete(&of_patient("1")).await };
    delete().await.expect(204);
    let created = professional.post("Patient", &identified("1")).await.expect(201);
    delete().await.expect(204);
    professional.get(&created.place()).await.refused(410);
    for _ in 0..2 {
        professional.post("Patient", &identified("1")).await.expect(201);
    }
    delete().await.refused(412);
    assert_eq!(patients(&professional, "1").await.len(), 2);
    professional.delete("Patient").await.refused(400);
    professional.delete("Patient?novelty=1").header("Prefer", "handling=lenient").await.refused(400);
}

#[tokio::test]
async fn d_06_several_are_deleted_together_where_the_settings_let_them() {
    let server = Server::start_with(|settings| settings.limits.conditional_delete_resources = 3);
    let professional = Professional::of(&server);
    let statement = professional.get("metadata").await.expect(200).json();
    assert_eq!(statement["rest"][0]["resource"][0]["conditionalDelete"], "multiple");
    for _ in 0..4 {
        professional.post("Patient", &identified("1")).await.expect(201);
    }
    professional.delete(&of_patient("1")).await.refused(412);
    let one = patients(&professional, "1").await.remove(0);
    professional.delete(&format!("Patient/{}", one["id"].as_str().unwrap())).await.expect(204);
    professional.delete(&of_patient("1")).await.expect(204);
    assert_eq!(patients(&professional, "1").await, Vec::<Value>::new());
}

#[tokio::test]
async fn fifty_creates_at_once_if_none_exists_make_one() {
    let server = Server::start();
    let laboratory = Laboratory::of(&server);
    let laboratory = &laboratory;
    let create = |number| async move {
        laboratory.post("Patient", &told(identified("1"), number)).header("If-None-Exist", &by("1")).await
    };
    let answers = join_all((0..AT_ONCE).map(create)).await;
    assert_eq!(counted(&answers), BTreeMap::from([(201, 1), (200, AT_ONCE - 1)]));
    let places: BTreeSet<String> = answers.iter().map(Answer::place).collect();
    assert_eq!(places.len(), 1);
    assert_eq!(patients(laboratory, "1").await.len(), 1);
}

#[tokio::test]
async fn fifty_conditional_updates_at_once_leave_one_with_fifty_versions() {
    let server = Server::start();
    let laboratory = Laboratory::of(&server);
    let laboratory = &laboratory;
    let put = |number| async move { laboratory.put(&of_patient("1"), &told(identified("1"), number)).await };
    let answers = join_all((0..AT_ONCE).map(put)).await;
    assert_eq!(counted(&answers), BTreeMap::from([(201, 1), (200, AT_ONCE - 1)]));
    let found = patients(laboratory, "1").await;
    assert_eq!(found.len(), 1);
    assert_eq!(found[0]["meta"]["versionId"], AT_ONCE.to_string());
}

#[tokio::test]
async fn fifty_transactions_at_once_that_create_if_none_exists_make_one() {
    let server = Server::start();
    let laboratory = Laboratory::of(&server);
    let laboratory = &laboratory;
    let post = |number: usize| async move {
        let mut patient = post_entry("urn:uuid:00000000-0000-4000-8000-000000000001", &identified("1"));
        patient["request"]["ifNoneExist"] = json!(by("1"));
        let kilograms = u32::try_from(number).unwrap();
        let observation = post_entry(
            "urn:uuid:00000000-0000-4000-8000-000000000002",
            &weight("urn:uuid:00000000-0000-4000-8000-000000000001", kilograms),
        );
        laboratory.post("", &transaction(&[observation, patient])).await
    };
    let answers = join_all((0..AT_ONCE).map(post)).await;
    assert_eq!(counted(&answers), BTreeMap::from([(200, AT_ONCE)]));
    let found = patients(laboratory, "1").await;
    assert_eq!(found.len(), 1);
    let subject = format!("Patient/{}", found[0]["id"].as_str().unwrap());
    let observations = laboratory.get(&format!("Observation?patient={subject}&_summary=count")).await.expect(200).json();
    assert_eq!(observations["total"], AT_ONCE);
}

#[tokio::test]
async fn b_03_conditional_entries_of_a_transaction_do_what_they_do_alone() {
    let server = Server::start();
    let laboratory = Laboratory::of(&server);
    let there = laboratory.post("Patient", &identified("there")).await.expect(201).place();
    let gone = laboratory.post("Patient", &identified("gone")).await.expect(201).place();
    let changed = laboratory.post("Patient", &identified("changed")).await.expect(201).place();
    let mut met = post_entry("urn:uuid:00000000-0000-4000-8000-000000000001", &identified("there"));
    met["request"]["ifNoneExist"] = json!(by("there"));
    let mut unmet = post_entry("urn:uuid:00000000-0000-4000-8000-000000000002", &identified("new"));
    unmet["request"]["ifNoneExist"] = json!(of_patient("new"));
    let entries = [
        post_entry("urn:uuid:00000000-0000-4000-8000-000000000003", &weight("urn:uuid:00000000-0000-4000-8000-000000000001", 60)),
        met,
        unmet,
        json!({"resource": told(identified("changed"), 1), "request": {"method": "PUT", "url": of_patient("changed")}}),
        json!({"resource": identified("made"), "request": {"method": "PUT", "url": of_patient("made")}}),
        json!({"request": {"method": "DELETE", "url": of_patient("gone")}}),
        json!({"request": {"method": "DELETE", "url": of_patient("never")}}),
    ];
    let answer = laboratory.post("", &transaction(&entries)).await.expect(200).json();
    let statuses: Vec<&str> =
        answer["entry"].as_array().unwrap().iter().map(|entry| &entry["response"]["status"].as_str().unwrap()[..3]).collect();
    assert_eq!(statuses, ["201", "200", "201", "200", "201", "204", "204"]);
    let location = answer["entry"][1]["response"]["location"].as_str().unwrap();
    assert!(location.ends_with(&format!("{there}/_history/1")), "{location}");
    let observation = laboratory.get("Observation").await.expect(200).resources().remove(0);
    assert_eq!(observation["subject"]["reference"], there);
    assert_eq!(laboratory.get(&changed).await.expect(200).json()["name"][0]["text"], "turn 1");
    laboratory.get(&gone).await.refused(410);
    for value in ["there", "new", "made"] {
        assert_eq!(patients(&laboratory, value).await.len(), 1, "{value}");
    }
}

#[tokio::test]
async fn b_05_entries_that_turn_out_to_be_about_one_instance_fail_the_whole() {
    let server = Server::start();
    let laboratory = Laboratory::of(&server);
    let id = laboratory.post("Patient", &identified("1")).await.expect(201).json()["id"].as_str().unwrap().to_owned();
    let named = put_entry(&told(with_id(identified("1"), &id), 1));
    let sought =
        |number| json!({"resource": told(identified("1"), number), "request": {"method": "PUT", "url": of_patient("1")}});
    let deleted = json!({"request": {"method": "DELETE", "url": of_patient("1")}});
    let new = |number| json!({"resource": told(identified("2"), number), "request": {"method": "PUT", "url": of_patient("2")}});
    let made = post_entry("urn:uuid:00000000-0000-4000-8000-000000000001", &identified("2"));
    for entries in [
        [named.clone(), sought(2)],
        [sought(1), sought(2)],
        [deleted.clone(), sought(1)],
        [deleted, named],
        [new(1), new(2)],
        [made, new(1)],
    ] {
        let issue = laboratory.post("", &transaction(&entries)).await.refused(400);
        assert_eq!(issue["code"], "duplicate", "{entries:?}");
    }
    assert_eq!(laboratory.get("Patient").await.expect(200).resources().len(), 1);
    assert_eq!(laboratory.get(&format!("Patient/{id}")).await.header("ETag"), "W/\"1\"");
}

#[tokio::test]
async fn b_04_equal_conditional_creates_of_one_transaction_make_one_and_deletions_come_before_them() {
    let server = Server::start();
    let laboratory = Laboratory::of(&server);
    let old = laboratory.post("Patient", &identified("1")).await.expect(201).place();
    let create = |number: usize| {
        let mut entry = post_entry(&format!("urn:uuid:00000000-0000-4000-8000-{number:012}"), &told(identified("1"), number));
        entry["request"]["ifNoneExist"] = json!(by("1"));
        entry
    };
    let observation =
        post_entry("urn:uuid:00000000-0000-4000-8000-000000000009", &weight("urn:uuid:00000000-0000-4000-8000-000000000002", 60));
    let deleted = json!({"request": {"method": "DELETE", "url": old}});
    let answer = laboratory.post("", &transaction(&[create(1), create(2), observation, deleted])).await.expect(200).json();
    let location = |at: usize| answer["entry"][at]["response"]["location"].as_str().unwrap().to_owned();
    assert_eq!(location(0), location(1));
    assert_eq!(&answer["entry"][1]["response"]["status"].as_str().unwrap()[..3], "200");
    let found = patients(&laboratory, "1").await;
    assert_eq!(found.len(), 1);
    assert_eq!(found[0]["name"][0]["text"], "turn 1");
    let observation = laboratory.get("Observation").await.expect(200).resources().remove(0);
    assert_eq!(observation["subject"]["reference"], format!("Patient/{}", found[0]["id"].as_str().unwrap()));
}

#[tokio::test]
async fn b_09_a_conditional_reference_becomes_the_one_instance_it_means() {
    let server = Server::start();
    let laboratory = Laboratory::of(&server);
    let there = laboratory.post("Patient", &identified("there")).await.expect(201).place();
    let changed = laboratory.post("Patient", &identified("before")).await.expect(201).json()["id"].as_str().unwrap().to_owned();
    let urn = |number: usize| format!("urn:uuid:00000000-0000-4000-8000-{number:012}");
    let entries = [
        post_entry(&urn(1), &weight(&of_patient("there"), 60)),
        post_entry(&urn(2), &weight(&of_patient("new"), 61)),
        post_entry(&urn(3), &weight(&of_patient("after"), 62)),
        post_entry(&urn(4), &identified("new")),
        put_entry(&with_id(identified("after"), &changed)),
    ];
    laboratory.post("", &transaction(&entries)).await.expect(200);
    let new = patients(&laboratory, "new").await.remove(0)["id"].as_str().unwrap().to_owned();
    let mut observations: Vec<(u64, String)> = laboratory
        .get("Observation")
        .await
        .expect(200)
        .resources()
        .iter()
        .map(|found| {
            (found["valueQuantity"]["value"].as_u64().unwrap(), found["subject"]["reference"].as_str().unwrap().to_owned())
        })
        .collect();
    observations.sort();
    assert_eq!(observations, [(60, there.clone()), (61, format!("Patient/{new}")), (62, format!("Patient/{changed}"))]);
    assert_eq!(laboratory.get(&format!("Observation?patient={there}")).await.expect(200).resources().len(), 1);
}

#[tokio::test]
async fn b_09_a_conditional_reference_that_means_none_or_several_fails_the_whole_where_it_stands() {
    let server = Server::start();
    let laboratory = Laboratory::of(&server);
    for _ in 0..2 {
        laboratory.post("Patient", &identified("twice")).await.expect(201);
    }
    let deleted = laboratory.post("Patient", &identified("deleted")).await.expect(201).place();
    let entry = |url: &str| post_entry("urn:uuid:00000000-0000-4000-8000-000000000001", &weight(url, 60));
    let table = [
        (of_patient("never"), 400, "not-found"),
        (of_patient("twice"), 412, "multiple-matches"),
        (of_patient("deleted"), 400, "not-found"),
        ("Patient?novelty=1".to_owned(), 400, "invalid"),
        ("Patient?".to_owned(), 400, "invalid"),
    ];
    for (url, status, code) in table {
        let entries = [json!({"request": {"method": "DELETE", "url": deleted}}), entry(&url)];
        let issue = laboratory.post("", &transaction(&entries)).await.refused(status);
        assert_eq!(issue["expression"][0], "Bundle.entry[1].resource.subject.reference", "{url}");
        assert_eq!(issue["code"], code, "{url}");
    }
    laboratory.get(&deleted).await.expect(200);
    assert_eq!(laboratory.get("Observation").await.expect(200).resources(), Vec::<Value>::new());
}

#[tokio::test]
async fn conditional_entries_of_a_batch_stand_for_themselves() {
    let server = Server::start();
    let laboratory = Laboratory::of(&server);
    let create = || {
        let mut entry = post_entry("urn:uuid:00000000-0000-4000-8000-000000000001", &identified("1"));
        entry["request"]["ifNoneExist"] = json!(by("1"));
        entry
    };
    let mut bad = create();
    bad["request"]["ifNoneExist"] = json!("novelty=1");
    let entries = [
        create(),
        create(),
        bad,
        json!({"resource": told(identified("1"), 1), "request": {"method": "PUT", "url": of_patient("1")}}),
        json!({"request": {"method": "DELETE", "url": of_patient("1")}}),
    ];
    let batch = json!({"resourceType": "Bundle", "type": "batch", "entry": entries});
    let answer = laboratory.post("", &batch).await.expect(200).json();
    let entries = answer["entry"].as_array().unwrap();
    let statuses: Vec<&str> = entries.iter().map(|entry| &entry["response"]["status"].as_str().unwrap()[..3]).collect();
    assert_eq!(statuses, ["201", "200", "400", "200", "204"]);
    let place = &entries[2]["response"]["outcome"]["issue"][0]["expression"][0];
    assert_eq!(place, "Bundle.entry[2].request.ifNoneExist");
}
