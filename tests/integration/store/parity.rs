//! One long history of requests, told to a server on each back end: every answer is the same.

use serde_json::{Value, json};

use crate::support::place::Place;
use crate::support::resources::{patient_called, post_entry, put_entry, transaction, weight};
use crate::support::server::{Answer, Server};

const REQUESTS: u32 = 1_500;
const PATIENTS: u64 = 12;

/// Searches that the history repeats, with `{}` where a patient goes.
const SEARCHES: &[&str] = &[
    "Patient?name=lam",
    "Patient?name=LAM%C3%89",
    "Patient?name:exact=Lambert",
    "Patient?name:contains=amb",
    "Patient?family:contains=%00",
    "Patient?name=%00",
    "Patient?birthdate=ge1980&_sort=birthdate,-_id&_count=3",
    "Patient?_sort=-family,_id&_count=4&_total=accurate",
    "Patient?_sort=given&_count=5",
    "Patient?active:not=true",
    "Patient?birthdate=1979",
    "Patient?birthdate:missing=true&_sort=_id",
    "Patient?_lastUpdated=gt2026-01-01T00:00:05Z&_sort=-_lastUpdated&_count=7",
    "Patient?_id={},p1,nobody",
    "Observation?subject=Patient/{}&_sort=-date&_count=3&_total=accurate",
    "Observation?patient={}&value-quantity=gt60||kg&_sort=date",
    "Observation?value-quantity=lt55|http://unitsofmeasure.org|kg&_count=4&_sort=-date,_id",
    "Observation?code=29463-7&_count=6",
    "Observation?code=http://loinc.org|29463-7&date=ge2026-01-05&_count=5&_sort=_id",
    "Observation?code:not=29463-7",
    "Observation?_count=0&_total=accurate",
    "Observation?_sort=_lastUpdated&_count=9",
    "Observation?unheard=of",
    "Observation?_sort=-code,value-quantity&_count=7",
    "Observation?patient={}&_sort=-value-quantity&_count=3",
    "Patient?_sort=gender,-family&_count=5",
    "Observation?_summary=true&_count=3",
    "Patient?_elements=name&_format=ndjson&_count=3",
    "?_type=Observation,Patient&_sort=-_lastUpdated&_count=6",
    "?_type=Observation,Patient,Encounter&_id={}&_total=accurate",
    "Patient/{}/Observation?_sort=-date&_total=accurate",
    "Patient/{}/*?_count=4&_total=accurate",
    "Observation?_include=Observation:subject&_count=5&_sort=-date",
    "Patient?_id={}&_revinclude=Observation:patient",
    "Patient?name=lam&_revinclude=*&_count=3",
];

/// Numbers that look random and are the same each time.
struct Chance(u64);

impl Chance {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % limit
    }

    fn of<'a, T>(&mut self, all: &'a [T]) -> &'a T {
        &all[usize::try_from(self.below(all.len() as u64)).unwrap()]
    }
}

/// A request, its path relative to the service base.
struct Told {
    method: &'static str,
    path: String,
    headers: Vec<(&'static str, String)>,
    body: Option<Value>,
}

fn told(method: &'static str, path: impl Into<String>, body: Option<Value>) -> Told {
    Told { method, path: path.into(), headers: Vec::new(), body }
}

fn somebody(chance: &mut Chance) -> Value {
    let mut patient = patient_called(&format!("p{}", chance.below(PATIENTS)));
    patient["name"][0]["family"] =
        json!(*chance.of(&["Lambert", "LAM\u{c9}RY", "Le Gall", "\u{152}uvrard", "d\u{2019}Amb", "\u{10400}x"]));
    patient["active"] = json!(chance.below(2) == 0);
    if chance.below(3) > 0 {
        patient["name"][0]["given"] = json!([*chance.of(&["Odile", "Zo\u{e9}", "Anne-Lise"])]);
        patient["birthDate"] = json!(*chance.of(&["1979", "1980-02", "1999-12-31"]));
    }
    patient
}

fn next(chance: &mut Chance, made: &[String]) -> Told {
    let patient = format!("p{}", chance.below(PATIENTS));
    let place = if made.is_empty() || chance.below(2) == 0 { format!("Patient/{patient}") } else { chance.of(made).clone() };
    let kilograms = 50 + u32::try_from(chance.below(30)).unwrap();
    match chance.below(12) {
        0 | 1 => {
            let patient = somebody(chance);
            let mut update = told("PUT", format!("/Patient/{}", patient["id"].as_str().unwrap()), Some(patient));
            if chance.below(4) == 0 {
                update.headers.push(("if-match", format!("W/\"{}\"", 1 + chance.below(3))));
            }
            update
        }
        2 | 3 => told("POST", "/Observation", Some(weight(&format!("Patient/{patient}"), kilograms))),
        4 => {
            let entries = [
                put_entry(&somebody(chance)),
                post_entry("urn:uuid:00000000-0000-4000-8000-000000000001", &weight(&format!("Patient/{patient}"), kilograms)),
            ];
            told("POST", "", Some(transaction(&entries)))
        }
        5 if chance.below(2) == 0 => told("DELETE", format!("/{place}"), None),
        5 | 6 => told("GET", format!("/{place}"), None),
        7 => told("GET", format!("/{place}/_history?_count={}", 1 + chance.below(4)), None),
        8 => told("GET", format!("/{place}/_history/{}", 1 + chance.below(4)), None),
        // An observation that gets another patient moves with its versions.
        9 if place.starts_with("Observation/") => {
            let mut moved = weight(&format!("Patient/{patient}"), kilograms);
            moved["id"] = json!(place.trim_start_matches("Observation/"));
            told("PUT", format!("/{place}"), Some(moved))
        }
        _ => told("GET", format!("/{}", chance.of(SEARCHES).replace("{}", &patient).replace('|', "%7C")), None),
    }
}

fn answer(server: &Server, told: &Told) -> Answer {
    let mut headers: Vec<(&str, &str)> = told.headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
    headers.push(("content-type", "application/fhir+json"));
    let body = told.body.as_ref().map(Value::to_string).unwrap_or_default();
    server.send(told.method, &told.path, &headers, body.as_bytes())
}

/// The links of a bundle to its pages; their tokens are sealed by each store with a key of its own.
fn pages(bundle: &mut Value) -> Option<String> {
    let links = bundle["link"].as_array_mut()?;
    let page = links.iter().find(|link| link["relation"] == "next").map(|link| link["url"].as_str().unwrap().to_owned());
    for link in links.iter_mut().filter(|link| link["relation"] != "self") {
        link["url"] = json!("sealed");
    }
    page
}

/// Status, headers and body of an answer, without what must differ.
type Said = (u16, Vec<Option<String>>, Value);

/// What an answer says, and where its next page is.
fn said(server: &Server, answer: &Answer) -> (Said, Option<String>) {
    let text = String::from_utf8_lossy(&answer.body).replace(&server.base_url, "[base]");
    let mut body = serde_json::from_str(&text).unwrap_or(Value::Null);
    let next = pages(&mut body).map(|page| page.replace("[base]", ""));
    if next.is_some() || text.contains("\"self\"") {
        for link in body["link"].as_array_mut().into_iter().flatten() {
            let url = link["url"].as_str().unwrap().to_owned();
            link["url"] = json!(url.split("_page=").next().unwrap());
        }
    }
    let header = |name| answer.header(name).map(|value| value.replace(&server.base_url, "[base]"));
    ((answer.status, ["etag", "last-modified", "location"].map(header).to_vec(), body), next)
}

#[test]
#[ignore = "needs a server of PostgreSQL, named by CARNET_TEST_POSTGRES"]
fn one_history_has_the_same_answers_on_sqlite_and_on_postgres() {
    let servers = [Server::start_at(Place::folder(), |_| {}), Server::start_at(Place::on_the_server(), |_| {})];
    let (mut chance, mut made) = (Chance(4_711), Vec::new());
    for number in 0..REQUESTS {
        let told = next(&mut chance, &made);
        let answers = [0, 1].map(|which| said(&servers[which], &answer(&servers[which], &told)));
        let [(file, mut file_next), (server, mut server_next)] = answers;
        assert_eq!(file, server, "request {number}: {} {}", told.method, told.path);
        if told.method == "POST" && told.path == "/Observation" && file.0 == 201 {
            let id = file.2["id"].as_str().unwrap();
            made.push(format!("Observation/{id}"));
        }
        while let (Some(first), Some(second)) = (&file_next, &server_next) {
            let pages = [said(&servers[0], &servers[0].get(first)), said(&servers[1], &servers[1].get(second))];
            let [(file, after_first), (server, after_second)] = pages;
            assert_eq!(file, server, "a page after request {number}: {}", told.path);
            (file_next, server_next) = (after_first, after_second);
        }
        assert_eq!(file_next, None, "request {number}");
        assert_eq!(server_next, None, "request {number}");
    }
    assert!(made.len() > 100);
}
