//! The store of a measurement: the same dossiers in every run, made through the server that is measured.

use std::net::SocketAddr;

use serde_json::{Value, json};

use super::client::Connection;
use super::resource::{self, OTHER_TYPE, SOUGHT_TYPE};
use super::scenario::TURN;

/// Dossiers that are read and searched, and never written again.
const READ_DOSSIERS: u64 = 200;
/// What the measured search of one of them finds.
pub(super) const SOUGHT_DOCUMENTS: u64 = 20;
/// What it must pass over.
const OTHER_DOCUMENTS: u64 = 29;
/// Dossiers that are written to; each begins with one document.
const WRITTEN_DOSSIERS: u64 = 512;
/// Of these, how many a transaction of the seed makes.
const WRITTEN_AT_ONCE: u64 = 64;

/// What the store holds once it is seeded, by reference.
#[derive(Debug, Default)]
pub(super) struct Dossiers {
    /// The patients whose dossiers are read.
    pub(super) read_patients: Vec<String>,
    /// The documents in these dossiers.
    pub(super) read_documents: Vec<String>,
    /// The patients whose dossiers are written to.
    pub(super) written_patients: Vec<String>,
    /// One document of each of these, in the same order; each in its second version.
    pub(super) written_documents: Vec<String>,
}

/// Where a server serves.
#[derive(Clone, Debug)]
pub(super) struct Service {
    pub(super) address: SocketAddr,
    pub(super) path: String,
}

impl Service {
    /// The bytes of a request; `path` begins with a slash or is empty.
    pub(super) fn request(&self, method: &str, path: &str, body: Option<&Value>) -> Vec<u8> {
        let mut head =
            format!("{method} {}{path} HTTP/1.1\r\nhost: {}\r\naccept: application/fhir+json\r\n", self.path, self.address);
        match body.map(Value::to_string) {
            Some(body) => {
                head += &format!("content-type: application/fhir+json\r\ncontent-length: {}\r\n\r\n{body}", body.len());
            }
            None => head += "\r\n",
        }
        head.into_bytes()
    }
}

/// Seeds an empty store.
pub(super) async fn seed(service: &Service) -> Result<Dossiers, String> {
    let mut seeding =
        Seeding { connection: Connection::open(service.address).await.map_err(|error| error.to_string())?, service };
    let mut dossiers = Dossiers::default();
    for number in 0..READ_DOSSIERS {
        let made = seeding.create(read_dossier(number)).await?;
        let (patients, documents): (Vec<_>, Vec<_>) = made.into_iter().partition(|made| is_patient(made));
        dossiers.read_patients.extend(patients);
        dossiers.read_documents.extend(documents);
    }
    for first in (0..WRITTEN_DOSSIERS).step_by(WRITTEN_AT_ONCE as usize) {
        let entries = (first..first + WRITTEN_AT_ONCE).flat_map(|number| dossier(READ_DOSSIERS + number, [SOUGHT_TYPE]));
        let made = seeding.create(entries.collect()).await?;
        let (patients, documents): (Vec<_>, Vec<_>) = made.into_iter().partition(|made| is_patient(made));
        dossiers.written_patients.extend(patients);
        dossiers.written_documents.extend(documents);
    }
    for (patient, document) in dossiers.written_patients.iter().zip(&dossiers.written_documents) {
        seeding.update(patient, document).await?;
    }
    Ok(dossiers)
}

fn is_patient(reference: &str) -> bool {
    reference.starts_with("Patient/")
}

fn read_dossier(number: u64) -> Vec<Value> {
    let sought = (0..SOUGHT_DOCUMENTS).map(|_| SOUGHT_TYPE);
    dossier(number, sought.chain((0..OTHER_DOCUMENTS).map(|_| OTHER_TYPE)))
}

/// The entries that make a patient and a document of each of `types`.
fn dossier(number: u64, types: impl IntoIterator<Item = &'static str>) -> Vec<Value> {
    let link = format!("urn:uuid:6e0c3f3a-0000-4000-9000-{number:012}");
    let mut entries = vec![resource::entry(&link, resource::patient(number))];
    for (index, loinc) in types.into_iter().enumerate() {
        let index = index as u64;
        let own = format!("urn:uuid:6e0c3f3a-0000-4000-a{index:03}-{number:012}");
        entries.push(resource::entry(&own, resource::document(&link, number * 100 + index, loinc)));
    }
    entries
}

/// The resource that a write of a written dossier's document sends, with a [`TURN`] in it.
pub(super) fn updated_document(patient: &str, document: &str) -> Value {
    let mut body = resource::document(patient, 7, SOUGHT_TYPE);
    let id = document.rsplit('/').next().unwrap_or_default();
    if let Some(members) = body.as_object_mut() {
        members.insert("id".to_owned(), json!(id));
        members.insert("description".to_owned(), json!(format!("Hématologie et biochimie, {TURN}")));
    }
    body
}

struct Seeding<'s> {
    connection: Connection,
    service: &'s Service,
}

impl Seeding<'_> {
    /// Creates what `entries` hold in one transaction; the references of what was made, in their order.
    async fn create(&mut self, entries: Vec<Value>) -> Result<Vec<String>, String> {
        let request = self.service.request("POST", "", Some(&resource::transaction(entries)));
        let body = self.expect(&request, 200).await?;
        let answer: Value = serde_json::from_slice(&body).map_err(|error| error.to_string())?;
        let entries = answer.get("entry").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        entries.iter().map(|entry| created(entry).ok_or_else(|| format!("an entry was not created: {entry}"))).collect()
    }

    async fn update(&mut self, patient: &str, document: &str) -> Result<(), String> {
        let body = updated_document(patient, document);
        let request = self.service.request("PUT", &format!("/{document}"), Some(&body));
        self.expect(&request, 200).await.map(drop)
    }

    async fn expect(&mut self, request: &[u8], status: u16) -> Result<Vec<u8>, String> {
        let answer = self.connection.exchange(request).await.map_err(|error| error.to_string())?;
        if answer.status == status {
            return Ok(answer.body.to_vec());
        }
        Err(format!("the seed was answered {}: {}", answer.status, String::from_utf8_lossy(answer.body)))
    }
}

/// The reference of what a response entry says was made.
fn created(entry: &Value) -> Option<String> {
    let location = entry.pointer("/response/location")?.as_str()?;
    let instance = location.split("/_history/").next()?;
    let mut segments = instance.rsplit('/');
    let (id, kind) = (segments.next()?, segments.next()?);
    Some(format!("{kind}/{id}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_made_is_read_from_its_location() {
        let entry = |location: &str| json!({"response": {"status": "201 Created", "location": location}});
        assert_eq!(created(&entry("http://h/fhir/Patient/p1/_history/1")).unwrap(), "Patient/p1");
        assert_eq!(created(&entry("Patient/p1/_history/1")).unwrap(), "Patient/p1");
        assert_eq!(created(&json!({"response": {"status": "400"}})), None);
    }

    #[test]
    fn every_link_of_a_seed_is_its_own() {
        let entries = read_dossier(3);
        assert_eq!(entries.len() as u64, 1 + SOUGHT_DOCUMENTS + OTHER_DOCUMENTS);
        let links: std::collections::BTreeSet<_> = entries.iter().map(|entry| entry["fullUrl"].to_string()).collect();
        assert_eq!(links.len(), entries.len());
    }
}
