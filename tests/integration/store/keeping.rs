//! `carnet verify` names whatever is wrong in a store; `carnet copy` makes another one that holds the same.

use std::path::PathBuf;
use std::process::{Command, Output};

use serde_json::json;

use crate::support::client::Client;
use crate::support::place::Place;
use crate::support::process::Process;
use crate::support::resources::{patient_called, post_entry, transaction, weight};

/// `carnet` with these arguments and none of the settings of whoever runs the tests.
fn carnet(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_carnet")).args(arguments).env_clear().output().unwrap()
}

fn said(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

fn contents(place: &Place) -> String {
    format!("file:{}", place.contents().display())
}

fn verified(place: &Place) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_carnet"));
    command.args(["verify", "--store", &place.for_operator()]).env_clear().env("CARNET_CONTENT_STORE", contents(place));
    command.output().unwrap()
}

fn copied(from: &Place, to: &Place) -> Output {
    let (from_content, to_content) = (contents(from), contents(to));
    let places = ["--from-content", &from_content, "--to-content", &to_content];
    carnet(&[&["copy", "--from", &from.for_operator(), "--to", &to.for_operator()][..], &places].concat())
}

#[track_caller]
fn expect(output: &Output, status: i32, what: &str) {
    let all = format!("{}{}", said(&output.stdout), said(&output.stderr));
    assert_eq!(output.status.code(), Some(status), "{all}");
    assert!(all.contains(what), "{what:?} is not said: {all}");
}

/// A store with instances of every kind of life: named by clients and by the server, updated, moved, deleted, and a journal.
async fn lived_in(place: &Place) {
    let server = Process::start(place, &[("CARNET_AUDIT_RECORD", "true")]);
    let client = Client::new(server.base());
    for (id, family, born) in [("p", "Lambert", "1980-02"), ("q", "Le Gall", "1979"), ("r", "d'Amb", "1999-12-31")] {
        let mut patient = patient_called(id);
        patient["name"][0]["family"] = json!(family);
        client.put(&format!("Patient/{id}"), &patient).await.expect(201);
        patient["birthDate"] = json!(born);
        client.put(&format!("Patient/{id}"), &patient).await.expect(200);
        client.get(&format!("Patient/{id}")).await.expect(200);
    }
    let provenance = r#"{"resourceType":"Provenance","recorded":"2026-01-05T08:00:00Z","agent":[{"who":{"display":"x"}}]}"#;
    let created = client.post("Observation", &weight("Patient/p", 70)).header("X-Provenance", provenance).await.expect(201);
    let mut moved = created.json();
    moved["subject"]["reference"] = json!("Patient/q");
    client.put(&created.place(), &moved).await.expect(200);
    let gone = client.post("Observation", &weight("Patient/q", 80)).await.expect(201).place();
    client.delete(&gone).await.expect(204);
    let content = json!({"resourceType": "Binary", "contentType": "text/plain", "data": "aGk="});
    let (urn, document) = ("urn:uuid:00000000-0000-4000-8000-000000000001", "urn:uuid:00000000-0000-4000-8000-000000000002");
    let document = post_entry(
        document,
        &json!({"resourceType": "DocumentReference", "status": "current", "subject": {"reference": "Patient/p"},
            "date": "2026-01-02T03:04:05Z", "content": [{"attachment": {"contentType": "text/plain", "url": urn}}]}),
    );
    client.post("", &transaction(&[post_entry(urn, &content), document])).await.expect(200);
    for (id, len) in [("short", 100_000), ("long", 2_000_000)] {
        client.request("PUT", &format!("Binary/{id}")).body("application/pdf", vec![b'x'; len]).await.expect(201);
    }
    for kilograms in 0..90 {
        client.post("Observation", &weight("Patient/r", kilograms)).await.expect(201);
    }
    server.terminate();
    assert_eq!(server.ended().0, Some(0));
}

/// What is done to a store, and what must be said of it.
const DAMAGES: &[(&str, &str)] = &[
    ("UPDATE content SET uses = uses + 1", ": 1 versions name it, and 2 are counted"),
    ("DELETE FROM content", ": versions name it, and it is not known"),
    ("UPDATE content SET chunks = chunks || chunks, size = size + 1 WHERE size > 1000000", " has another length than it had"),
    ("UPDATE instance SET version = version + 1 WHERE id = 'p'", "of the versions before 3 not all are there"),
    ("UPDATE instance SET version = version + 1 WHERE id = 'p'", "meta.versionId in the body is not that of the version"),
    ("UPDATE instance SET updated = updated + 1 WHERE id = 'p'", "meta.lastUpdated in the body is not that of the version"),
    ("UPDATE version SET updated = updated + 1", "version 1: meta.lastUpdated in the body is not that of the version"),
    (
        "UPDATE instance SET body = (SELECT body FROM instance WHERE id = 'q') WHERE id = 'p'",
        "id in the body is not that of the version",
    ),
    ("UPDATE instance SET body = NULL WHERE id = 'p'", "a version has a body unless it is a deletion"),
    ("UPDATE instance SET body = terms WHERE id = 'p'", "the body is no JSON of a resource"),
    ("UPDATE instance SET kind = 9999 WHERE id = 'p'", "the type or the id is none"),
    (
        "UPDATE instance SET terms = (SELECT terms FROM instance WHERE id = 'q') WHERE id = 'p'",
        "its terms are not what the resource says",
    ),
    ("UPDATE instance SET date_low = date_low + 1 WHERE date_low IS NOT NULL", "its main date is not what the resource says"),
    (
        "UPDATE instance SET part = part + 1 WHERE kind = (SELECT max(kind) FROM instance WHERE id NOT IN ('p', 'q', 'r') AND date_low IS NOT NULL)",
        "it does not rest in the dossier it is about",
    ),
    ("DELETE FROM version WHERE rid = (SELECT rid FROM instance WHERE id = 'p')", "of the versions before 2 not all are there"),
    ("UPDATE version SET rid = rid + 1 WHERE rid = (SELECT rid FROM instance WHERE id = 'p')", "older versions of no instance"),
    ("DELETE FROM string_value", "string_value does not hold what the resource says"),
    ("UPDATE date_value SET high = high + 1", "date_value does not hold what the resource says"),
    ("UPDATE quantity_value SET low = low / 2", "quantity_value does not hold what the resource says"),
    ("UPDATE string_value SET rid = 0", "index entries of no instance"),
    ("DELETE FROM alias WHERE id = 'p'", "no alias leads from its id to it"),
    ("UPDATE alias SET rid = rid + 1 WHERE id = 'p'", "it leads to no instance of that name"),
    ("UPDATE alias SET name = name + 1 WHERE id = 'p'", "its hash is not that of its name"),
    ("DELETE FROM audit WHERE seq = 2", "record 2 is not there"),
    ("UPDATE audit SET preceding = NULL WHERE seq = 2", "its chain breaks off at record 1"),
    ("DELETE FROM audit_head", "stands in no chain"),
    ("UPDATE audit SET entry = (SELECT value FROM setting WHERE name = 'term-key') WHERE seq = 1", "record 1 cannot be read"),
    (
        "INSERT INTO audit (part, seq, recorded, preceding, entry) SELECT part, seq + 1000, recorded, preceding, entry FROM audit WHERE seq = 1",
        "record 1001 stands in no chain",
    ),
];

/// Of a file, whose journal is in the order of time, and where terms have a table.
const DAMAGES_OF_A_FILE: &[(&str, &str)] = &[
    (
        "INSERT INTO audit (part, seq, recorded, preceding, entry) SELECT part, seq, recorded + 1000000, preceding, entry FROM audit WHERE seq = 1",
        "there are more records than its chains have",
    ),
    ("DELETE FROM term WHERE rid = (SELECT rid FROM instance WHERE id = 'p')", "term does not hold what the resource says"),
    (
        "INSERT INTO term (term, kind, rid, part, qualifier) SELECT 42, kind, rid, part, 0 FROM instance WHERE id = 'p'",
        "the term 42 leads here, where nothing has it",
    ),
    (
        "UPDATE term SET qualifier = qualifier + 1 WHERE rid = (SELECT rid FROM instance WHERE id = 'p')",
        "term does not hold what the resource says",
    ),
];

/// Of a server, where they are an array.
const DAMAGES_OF_A_SERVER: &[(&str, &str)] =
    &[("UPDATE instance SET leads = leads[2:] WHERE id = 'p'", "its terms are not what the resource says")];

#[tokio::test]
async fn whatever_is_wrong_in_a_store_is_named() {
    let whole = Place::new();
    lived_in(&whole).await;
    expect(&verified(&whole), 0, "100 instances, 5 older versions, 2 contents, ");
    expect(&verified(&whole), 0, ": 0 faults, in ");
    let mut missed = Vec::new();
    let of_its_own = if matches!(whole, Place::Folder(_)) { DAMAGES_OF_A_FILE } else { DAMAGES_OF_A_SERVER };
    for (damage, told) in DAMAGES.iter().chain(of_its_own).copied() {
        let damaged = Place::new();
        expect(&copied(&whole, &damaged), 0, "rows copied, in ");
        damaged.execute(damage);
        let output = verified(&damaged);
        let lines: Vec<&str> = said(&output.stderr).lines().collect();
        let is_named = lines.iter().any(|line| line.contains(told)) && lines.iter().all(|line| line.starts_with("wrong: "));
        if output.status.code() != Some(1) || !is_named {
            missed.push(format!("{damage}: {lines:?}"));
        }
    }
    assert!(missed.is_empty(), "{}", missed.join("\n"));
}

/// The files of the contents of `place`, the longest last.
fn files(place: &Place) -> Vec<PathBuf> {
    let folders = std::fs::read_dir(place.contents().join("dossiers")).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<PathBuf> =
        folders.flat_map(|folder| std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path())).collect();
    files.sort_by_key(|file| std::fs::metadata(file).unwrap().len());
    files
}

#[tokio::test]
async fn a_content_that_is_damaged_or_missing_is_named() {
    let place = Place::new();
    lived_in(&place).await;
    let files = files(&place);
    let (short, long) = (&files[0], &files[1]);
    let mut bytes = std::fs::read(long).unwrap();
    bytes[1_999_999] = b'y';
    std::fs::write(long, &bytes).unwrap();
    std::fs::remove_file(short).unwrap();
    let name = |file: &PathBuf| file.file_name().unwrap().to_str().unwrap().to_owned();
    let output = verified(&place);
    expect(&output, 1, ": 2 faults");
    let told =
        |file: &PathBuf, what: &str| said(&output.stderr).lines().any(|line| line.contains(&name(file)) && line.contains(what));
    assert!(told(short, "is missing") && told(long, "is damaged"), "{}", said(&output.stderr));
    expect(&copied(&place, &Place::new()), 1, "content");
}

#[tokio::test]
async fn a_copy_there_and_back_is_the_same_row_by_row() {
    let (first, second, third) = (Place::folder(), Place::new(), Place::folder());
    lived_in(&first).await;
    expect(&copied(&first, &second), 0, "rows copied, in ");
    expect(&verified(&second), 0, ": 0 faults");
    expect(&copied(&second, &third), 0, "rows copied, in ");
    assert_eq!(first.dump(), third.dump());
    expect(&verified(&third), 0, "2 contents");
    let server = Process::start(&second, &[]);
    let client = Client::new(server.base());
    let long = client.get("Binary/long").header("Accept", "application/pdf").await.expect(200);
    assert!(long.body.len() == 2_000_000 && long.body.iter().all(|byte| *byte == b'x'));
    assert_eq!(client.get("Patient?family=lambert").await.expect(200).resources()[0]["id"], "p");
    assert_eq!(client.get("Patient/p").await.expect(200).header("ETag"), "W/\"2\"");
    client.put("Patient/p", &patient_called("p")).await.expect(200);
}

#[tokio::test]
async fn an_interrupted_copy_is_not_served_and_goes_on_where_it_was() {
    let (first, second, third) = (Place::folder(), Place::new(), Place::folder());
    lived_in(&first).await;
    expect(&copied(&first, &second), 0, "rows copied, in ");
    // As an interruption amid the names leaves it.
    for text in [
        "INSERT INTO setting (name, value) SELECT 'copied-from', value FROM setting WHERE name = 'term-key'",
        "DELETE FROM alias WHERE name > (SELECT min(name) FROM alias)",
        "DELETE FROM date_value",
        "DELETE FROM string_value",
        "DELETE FROM quantity_value",
        "DELETE FROM audit_head",
        "DELETE FROM audit",
    ] {
        second.execute(text);
    }
    for arguments in [["serve", "--store", &second.argument()], ["verify", "--store", &second.for_operator()]] {
        expect(&carnet(&arguments), 1, "this store is a copy that was interrupted");
    }
    expect(&copied(&second, &third), 1, "this store is a copy that was interrupted");
    expect(&copied(&first, &second), 0, " were there, in ");
    expect(&copied(&second, &third), 0, "rows copied, in ");
    assert_eq!(first.dump(), third.dump());
}

#[tokio::test]
async fn nothing_is_copied_into_what_is_there_or_from_what_is_not() {
    let (first, second, absent) = (Place::folder(), Place::new(), Place::folder());
    lived_in(&first).await;
    expect(&copied(&first, &first), 1, "a store is not copied into itself");
    expect(&copied(&absent, &second), 1, "there is no store at ");
    expect(&verified(&absent), 1, "there is no store at ");
    expect(&copied(&first, &second), 0, "rows copied, in ");
    expect(&copied(&first, &second), 1, "is not empty");
    let other = Place::folder();
    lived_in(&other).await;
    second.execute("INSERT INTO setting (name, value) SELECT 'copied-from', value FROM setting WHERE name = 'term-key'");
    expect(&copied(&other, &second), 1, "a part of a copy of another store");
}
