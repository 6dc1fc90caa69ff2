//! Many at once: V-07, V-08, and paging while others write (S-15).

use std::collections::{BTreeMap, BTreeSet};
use std::future::IntoFuture as _;

use futures_util::future::join_all;
use serde_json::json;

use crate::support::client::Answer;
use crate::support::people::{Holder, Laboratory, Professional};
use crate::support::resources::{patient, patient_called, patient_saying, put_entry, transaction, weight};
use crate::support::server::Server;

const AT_ONCE: usize = 64;

#[tokio::test]
async fn v_08_of_64_updates_with_one_if_match_one_wins() {
    let server = Server::start();
    let professional = Professional::of(&server);
    professional.put("Patient/p", &patient_called("p")).await.expect(201);
    let professional = &professional;
    let put = |number| async move {
        professional.put("Patient/p", &patient_saying("p", number)).header("If-Match", "W/\"1\"").await.status
    };
    let mut statuses = BTreeMap::new();
    for status in join_all((0..AT_ONCE).map(put)).await {
        *statuses.entry(status).or_insert(0) += 1;
    }
    assert_eq!(statuses, BTreeMap::from([(200, 1), (412, AT_ONCE - 1)]));
    assert_eq!(professional.get("Patient/p").await.header("ETag"), "W/\"2\"");
}

#[tokio::test]
async fn v_08_64_updates_without_condition_make_64_versions() {
    let server = Server::start();
    let professional = Professional::of(&server);
    let put = |number| professional.put("Patient/p", &patient_saying("p", number)).into_future();
    let answers = join_all((0..AT_ONCE).map(put)).await;
    let created = answers.iter().filter(|answer| answer.status == 201).count();
    let updated = answers.iter().filter(|answer| answer.status == 200).count();
    assert_eq!((created, updated), (1, AT_ONCE - 1));
    let versions: BTreeSet<String> = answers.iter().map(|answer| answer.header("ETag").to_owned()).collect();
    assert_eq!(versions, (1..=AT_ONCE).map(|version| format!("W/\"{version}\"")).collect());
    let history = professional.get(&format!("Patient/p/_history?_count={AT_ONCE}")).await.expect(200).resources();
    assert_eq!(history.len(), AT_ONCE);
}

#[tokio::test]
async fn s_15_pages_neither_lose_nor_repeat_while_others_write() {
    const BEFORE: u32 = 45;
    let server = Server::start();
    let (holder, laboratory) = (Holder::of(&server), Laboratory::of(&server));
    let subject = holder.post("Patient", &patient()).await.expect(201).place();
    let mut before = BTreeSet::new();
    for kilograms in 0..BEFORE {
        let created = laboratory.post("Observation", &weight(&subject, kilograms)).await.expect(201);
        before.insert(created.json()["id"].as_str().unwrap().to_owned());
    }
    for order in ["", "&_sort=-_lastUpdated", "&_sort=date", "&_sort=_id"] {
        let mut seen: BTreeMap<String, u32> = BTreeMap::new();
        let mut next = Some(format!("Observation?patient={subject}&_count=7{order}"));
        while let Some(page) = next {
            let answer = holder.get(&page).await.expect(200);
            for resource in answer.resources() {
                *seen.entry(resource["id"].as_str().unwrap().to_owned()).or_default() += 1;
            }
            next = answer.link("next");
            laboratory.post("Observation", &weight(&subject, 99)).await.expect(201);
            laboratory.post("Observation", &weight("Patient/somebody-else", 99)).await.expect(201);
            assert!(seen.len() < 200, "the pages do not end");
        }
        assert!(seen.values().all(|times| *times == 1), "{order}: an instance came twice");
        assert!(before.iter().all(|id| seen.contains_key(id)), "{order}: an instance was lost");
    }
}

#[tokio::test]
async fn b_05_of_two_transactions_that_create_one_id_both_succeed_in_turn() {
    let server = Server::start();
    let laboratory = Laboratory::of(&server);
    let put = |number| laboratory.post("", &transaction(&[put_entry(&patient_saying("p", number))])).into_future();
    let answers = join_all((0..8).map(put)).await;
    let etag = |answer: Answer| answer.expect(200).json()["entry"][0]["response"]["etag"].to_string();
    let versions: BTreeSet<String> = answers.into_iter().map(etag).collect();
    assert_eq!(versions.len(), 8, "{versions:?}");
    assert_eq!(laboratory.get("Patient/p").await.expect(200).json()["meta"]["versionId"], json!("8"));
}
