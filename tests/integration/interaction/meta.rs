//! `$meta`, `$meta-add`, `$meta-delete`, beyond what the scripts can say (OP-05, V-04).

use serde_json::{Value, json};

use crate::support::client::{Answer, FHIR_JSON, Request};
use crate::support::people::Professional;
use crate::support::resources::{patient_called, patient_saying, put_entry, transaction};
use crate::support::server::Server;

fn tag(code: &str) -> Value {
    json!({"system": "http://tags.example", "code": code})
}

fn sending(meta: &Value) -> Value {
    json!({"resourceType": "Parameters", "parameter": [{"name": "meta", "valueMeta": meta}]})
}

fn add(professional: &Professional, place: &str, meta: &Value) -> Request {
    professional.post(&format!("{place}/$meta-add"), &sending(meta))
}

fn delete(professional: &Professional, place: &str, meta: &Value) -> Request {
    professional.post(&format!("{place}/$meta-delete"), &sending(meta))
}

#[track_caller]
fn told(answer: Answer) -> Value {
    let parameters = answer.expect(200).json();
    assert_eq!((&parameters["resourceType"], &parameters["parameter"][0]["name"]), (&json!("Parameters"), &json!("return")));
    parameters["parameter"][0]["valueMeta"].clone()
}

#[tokio::test]
async fn op_05_labels_are_added_and_deleted_as_sets() {
    let server = Server::start();
    let professional = Professional::of(&server);
    let mut patient = patient_called("p");
    patient["meta"] = json!({"profile": ["http://p.example/1"], "tag": [tag("a")]});
    professional.put("Patient/p", &patient).await.expect(201);
    let mut again = tag("a");
    again["display"] = json!("another display");
    let same = add(&professional, "Patient/p", &json!({"tag": [again], "profile": ["http://p.example/1"]})).await;
    assert_eq!(same.header("ETag"), "W/\"1\"");
    assert_eq!(told(same)["tag"], json!([tag("a")]));
    let more = json!({"tag": [tag("b"), tag("b")], "security": [tag("s")], "profile": ["http://p.example/2"]});
    let added = add(&professional, "Patient/p", &more).await;
    assert_eq!(added.header("ETag"), "W/\"2\"");
    let meta = told(added);
    assert_eq!((&meta["versionId"], &meta["tag"]), (&json!("2"), &json!([tag("a"), tag("b")])));
    assert_eq!(professional.get("Patient/p").await.json()["meta"], meta);
    assert_eq!(professional.get("Patient?_tag=http://tags.example|b").await.resources().len(), 1);
    let less = json!({"tag": [tag("a"), tag("nothing")], "security": [tag("s")], "profile": ["http://p.example/1"]});
    let meta = told(delete(&professional, "Patient/p", &less).await);
    assert_eq!(
        (&meta["tag"], &meta["security"], &meta["profile"]),
        (&json!([tag("b")]), &json!(null), &json!(["http://p.example/2"]))
    );
    let gone = told(delete(&professional, "Patient/p", &json!({"tag": [tag("b")], "profile": ["http://p.example/2"]})).await);
    assert_eq!(gone.as_object().unwrap().keys().collect::<Vec<_>>(), ["versionId", "lastUpdated"]);
    assert_eq!(professional.get("Patient/p").await.header("ETag"), "W/\"4\"");
}

#[tokio::test]
async fn op_05_an_older_version_is_amended_and_no_version_is_made() {
    let server = Server::start_with(|settings| {
        settings.content.inline_bytes = 16;
        settings.audit.record = Some(true);
    });
    let professional = Professional::of(&server);
    let mut patient = patient_saying("p", 1);
    patient["photo"] = json!([{"data": "QUJD".repeat(100)}, {"data": "REVG".repeat(100)}]);
    let first = professional.put("Patient/p", &patient).await.expect(201).json();
    let second = professional.put("Patient/p", &patient_saying("p", 2)).await.expect(200);
    let added = add(&professional, "Patient/p/_history/1", &json!({"tag": [tag("late")]})).await;
    assert_eq!(added.header("ETag"), "W/\"1\"");
    assert_eq!(told(added)["tag"], json!([tag("late")]));
    let mut expected = first.clone();
    expected["meta"]["tag"] = json!([tag("late")]);
    assert_eq!(professional.get("Patient/p/_history/1").await.expect(200).json(), expected);
    assert_eq!(told(professional.get("Patient/p/_history/1/$meta").await)["tag"], json!([tag("late")]));
    let current = professional.get("Patient/p").await.expect(200);
    assert_eq!((current.header("ETag"), &current.body), ("W/\"2\"", &second.body));
    assert_eq!(professional.get("Patient/p/_history").await.resources().len(), 2);
    add(&professional, "Patient/p/_history/1", &json!({"tag": [tag("late")]})).await.expect(200);
    told(delete(&professional, "Patient/p/_history/1", &json!({"tag": [tag("late")]})).await);
    assert_eq!(professional.get("Patient/p/_history/1").await.expect(200).json(), first);
    // The current version by its number is the instance.
    let revised = add(&professional, "Patient/p/_history/2", &json!({"tag": [tag("x")]})).await.expect(200);
    assert_eq!(revised.header("ETag"), "W/\"3\"");
    let records: Vec<String> = server.place.journal().into_iter().map(|row| String::from_utf8(row.entry).unwrap()).collect();
    let of_first = records.iter().filter(|record| record.contains(r#""operation""#) && record.contains("Patient/p/_history/1"));
    assert_eq!(of_first.count(), 4, "{records:?}");
}

#[tokio::test]
async fn op_05_meta_tells_of_a_type_and_of_everything() {
    let server = Server::start();
    let professional = Professional::of(&server);
    let lists = |meta: &Value| ["profile", "security", "tag"].map(|list| meta[list].as_array().map_or(0, Vec::len));
    assert_eq!(lists(&told(professional.get("$meta").await)), [0, 0, 0]);
    for number in 0..30 {
        let mut patient = patient_called(&format!("p{number}"));
        patient["meta"] =
            json!({"tag": [tag(&format!("t{}", number % 3))], "profile": [format!("http://p.example/{}", number % 2)]});
        professional.put(&format!("Patient/p{number}"), &patient).await.expect(201);
    }
    let group =
        json!({"resourceType": "Group", "type": "person", "actual": true, "meta": {"security": [tag("s")], "tag": [tag("t0")]}});
    professional.post("Group", &group).await.expect(201);
    professional.put("Patient/plain", &patient_called("plain")).await.expect(201);
    assert_eq!(lists(&told(professional.get("Patient/$meta").await)), [2, 0, 3]);
    assert_eq!(lists(&told(professional.request("POST", "Group/$meta").await)), [0, 1, 1]);
    let nothing = professional.post("Group/$meta", &json!({"resourceType": "Parameters"})).await;
    assert_eq!(lists(&told(nothing)), [0, 1, 1]);
    professional.post("Group/$meta", &sending(&json!({"tag": [tag("s")]}))).await.refused(400);
    assert_eq!(lists(&told(professional.get("$meta").await)), [2, 1, 3]);
    assert_eq!(lists(&told(professional.get("Device/$meta").await)), [0, 0, 0]);
}

#[tokio::test]
async fn op_05_what_cannot_be_done_is_refused_and_leaves_all_as_it_was() {
    let server = Server::start();
    let professional = Professional::of(&server);
    add(&professional, "Patient/p", &json!({"tag": [tag("a")]})).await.refused(404);
    professional.put("Patient/p", &patient_called("p")).await.expect(201);
    professional.get("Patient/p/_history/7/$meta").await.refused(404);
    add(&professional, "Patient/p/_history/7", &json!({"tag": [tag("a")]})).await.refused(404);
    professional.get("Patient/p/$meta-add").await.refused(405);
    professional.get("Patient/p/$meta?tag=x").await.refused(400);
    let stale = add(&professional, "Patient/p", &json!({"tag": [tag("a")]})).header("If-Match", "W/\"9\"").await;
    stale.refused(412);
    let send = |body: &str| professional.request("POST", "Patient/p/$meta-add").body(FHIR_JSON, body.to_owned());
    for body in [
        "",
        r#"{"resourceType":"Patient"}"#,
        r#"{"resourceType":"Parameters"}"#,
        r#"{"resourceType":"Parameters","parameter":[{"name":"mete","valueMeta":{"tag":[{"code":"a"}]}}]}"#,
        r#"{"resourceType":"Parameters","parameter":[{"name":"meta","valueString":"a"}]}"#,
        r#"{"resourceType":"Parameters","parameter":[{"name":"meta","valueMeta":{"tag":"a"}}]}"#,
    ] {
        send(body).await.refused(400);
    }
    let inside =
        json!({"request": {"method": "POST", "url": "Patient/p/$meta-add"}, "resource": sending(&json!({"tag": [tag("a")]}))});
    let asking = json!({"request": {"method": "GET", "url": "Patient/p/$meta"}});
    professional.post("", &transaction(&[put_entry(&patient_called("q")), inside])).await.refused(400);
    professional.get("Patient/q").await.refused(404);
    let answer = professional.post("", &transaction(&[asking])).await.expect(200).json();
    assert_eq!(answer["entry"][0]["resource"]["parameter"][0]["valueMeta"]["versionId"], "1");
    professional.delete("Patient/p").await.expect(204);
    professional.get("Patient/p/$meta").await.refused(410);
    add(&professional, "Patient/p", &json!({"tag": [tag("a")]})).await.refused(410);
    add(&professional, "Patient/p/_history/1", &json!({"tag": [tag("a")]})).await.expect(200);
    assert_eq!(professional.get("Patient/p/_history/1").await.json()["meta"]["tag"], json!([tag("a")]));
    assert_eq!(professional.get("Patient/p/_history").await.resources().len(), 2);
}
