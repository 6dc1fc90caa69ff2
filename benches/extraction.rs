//! What a write costs before the store is asked: a 1.7 KB DocumentReference parsed into the tree, all its index entries, its
//! dossier. `cargo bench --bench extraction`
#![allow(clippy::unwrap_used, missing_docs, reason = "a benchmark stops where anything is wrong")]

use std::sync::OnceLock;

use carnet::definition::Registry;
use carnet::fhir::ResourceType;
use carnet::fhir::json::Tree;
use carnet::search::Indexer;
use divan::{Bencher, black_box};

const DOCUMENT_REFERENCE: &[u8] = br#"{"resourceType":"DocumentReference","id":"01h8z4k2m9qw","meta":{"versionId":"1","lastUpdated":"2026-01-14T09:30:00.000000Z","profile":["https://profiles.ihe.net/ITI/MHD/StructureDefinition/IHE.MHD.Minimal.DocumentReference"]},"masterIdentifier":{"system":"urn:ietf:rfc:3986","value":"urn:oid:1.2.250.1.213.1.1.9.4711"},"identifier":[{"system":"urn:ietf:rfc:3986","value":"urn:uuid:4a3b9a62-0f5c-4b5e-9a46-6a0d8f6c1f10"}],"status":"current","type":{"coding":[{"system":"http://loinc.org","code":"11502-2","display":"CR d'examens biologiques"}]},"category":[{"coding":[{"system":"urn:oid:1.2.250.1.213.1.1.4.1","code":"10","display":"Compte rendu"}]}],"subject":{"reference":"Patient/p-1986-02-28-0042"},"date":"2026-01-14T10:30:00+01:00","author":[{"reference":"Practitioner/899700218896"},{"reference":"Organization/laboratoire-du-parc"}],"authenticator":{"reference":"Practitioner/899700218896"},"custodian":{"reference":"Organization/laboratoire-du-parc"},"description":"Hemogramme et ionogramme","securityLabel":[{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/v3-Confidentiality","code":"N"}]}],"content":[{"attachment":{"contentType":"application/pdf","language":"fr-FR","url":"Binary/cr-4711","size":48213,"hash":"2jmj7l5rSw0yVb/vlWAYkK/YBwk=","creation":"2026-01-14T10:29:00+01:00"},"format":{"system":"urn:oid:1.3.6.1.4.1.19376.1.2.3","code":"urn:ihe:iti:xds-sd:pdf:2008"}}],"context":{"event":[{"coding":[{"system":"http://loinc.org","code":"58410-2"}]}],"period":{"start":"2026-01-14T08:05:00+01:00","end":"2026-01-14T08:10:00+01:00"},"facilityType":{"coding":[{"system":"urn:oid:1.2.250.1.71.4.2.4","code":"SA25"}]},"practiceSetting":{"coding":[{"system":"urn:oid:1.2.250.1.213.1.1.4.9","code":"ETABLISSEMENT"}]},"sourcePatientInfo":{"reference":"Patient/p-1986-02-28-0042"}}}"#;

fn main() {
    divan::main();
}

fn indexer() -> &'static Indexer {
    static INDEXER: OnceLock<Indexer> = OnceLock::new();
    INDEXER.get_or_init(|| {
        Indexer::new(Registry::shared().unwrap(), "http://127.0.0.1:8080/fhir", [7; 16], chrono_tz::Europe::Paris)
    })
}

#[divan::bench]
fn parse() -> usize {
    Tree::parse(black_box(DOCUMENT_REFERENCE)).unwrap().len()
}

#[divan::bench]
fn entries(bencher: Bencher<'_, '_>) {
    let tree = Tree::parse(DOCUMENT_REFERENCE).unwrap();
    bencher.bench_local(|| indexer().entries(ResourceType::DocumentReference, black_box(&tree)).unwrap());
}

#[divan::bench]
fn part(bencher: Bencher<'_, '_>) {
    let tree = Tree::parse(DOCUMENT_REFERENCE).unwrap();
    bencher.bench_local(|| indexer().part(ResourceType::DocumentReference, black_box(&tree)));
}

/// What compiling the expressions of a type costs, once.
#[divan::bench(sample_count = 20)]
fn first_of_its_type(bencher: Bencher<'_, '_>) {
    let tree = Tree::parse(DOCUMENT_REFERENCE).unwrap();
    let fresh = || Indexer::new(Registry::shared().unwrap(), "http://127.0.0.1:8080/fhir", [7; 16], chrono_tz::Europe::Paris);
    bencher.with_inputs(fresh).bench_local_values(|indexer| indexer.entries(ResourceType::DocumentReference, &tree).unwrap());
}
