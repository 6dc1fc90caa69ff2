//! The files of `examples/` are what they say: real FHIR, a real PDF, true sizes and hashes, a valid INS.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use carnet::fhir::json::Tree;
use serde_json::Value;

const JSON_FILES: [&str; 6] =
    ["patient.json", "allergy.json", "immunization.json", "consent.json", "audit-event.json", "lab-result-bundle.json"];
const PDF_FILE: &str = "lab-report.pdf";

fn bytes(name: &str) -> Vec<u8> {
    std::fs::read(format!("{}/examples/{name}", env!("CARGO_MANIFEST_DIR"))).unwrap()
}

fn json(name: &str) -> Value {
    serde_json::from_slice(&bytes(name)).unwrap()
}

fn resource<'b>(bundle: &'b Value, kind: &str) -> &'b Value {
    let entries = bundle["entry"].as_array().unwrap();
    entries.iter().find(|entry| entry["resource"]["resourceType"] == kind).unwrap()
}

#[test]
fn every_example_is_fhir_json_and_none_is_left_out() {
    let mut found: Vec<_> = std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/examples")).unwrap().collect();
    found.retain(|entry| entry.as_ref().unwrap().path().extension().is_some_and(|ending| ending == "json"));
    assert_eq!(found.len(), JSON_FILES.len());
    for name in JSON_FILES {
        let text = bytes(name);
        let tree = Tree::parse(&text).unwrap_or_else(|error| panic!("{name}: {error}"));
        let kind = tree.root().member("resourceType").and_then(|kind| kind.string()).unwrap();
        assert!(kind.parse::<carnet::fhir::ResourceType>().is_ok(), "{name}");
    }
}

#[test]
fn the_bundle_carries_the_pdf_with_its_true_size_and_hash() {
    let (bundle, pdf) = (json("lab-result-bundle.json"), bytes(PDF_FILE));
    let binary = resource(&bundle, "Binary");
    assert_eq!(BASE64_STANDARD.decode(binary["resource"]["data"].as_str().unwrap()).unwrap(), pdf);
    let attachment = &resource(&bundle, "DocumentReference")["resource"]["content"][0]["attachment"];
    assert_eq!(attachment["url"], binary["fullUrl"]);
    assert_eq!(attachment["size"].as_u64().unwrap(), pdf.len() as u64);
    let digest = openssl::hash::hash(openssl::hash::MessageDigest::sha1(), &pdf).unwrap();
    assert_eq!(attachment["hash"].as_str().unwrap(), BASE64_STANDARD.encode(digest));
    assert_eq!(attachment["contentType"], binary["resource"]["contentType"]);
}

#[test]
fn the_submission_set_lists_the_document() {
    let bundle = json("lab-result-bundle.json");
    let (set, document) = (resource(&bundle, "List"), resource(&bundle, "DocumentReference"));
    assert_eq!(set["resource"]["entry"][0]["item"]["reference"], document["fullUrl"]);
    assert_eq!(set["resource"]["subject"], document["resource"]["subject"]);
}

#[test]
fn every_cross_reference_of_the_pdf_points_to_its_object() {
    let pdf = bytes(PDF_FILE);
    let text: String = pdf.iter().map(|byte| if byte.is_ascii() { char::from(*byte) } else { '?' }).collect();
    assert!(text.starts_with("%PDF-1.4\n") && text.ends_with("\n%%EOF\n"));
    let start: usize = text.rsplit("startxref\n").next().unwrap().lines().next().unwrap().parse().unwrap();
    let table = text[start..].strip_prefix("xref\n0 8\n").unwrap();
    assert!(table.starts_with("0000000000 65535 f \n"));
    for (number, line) in table.lines().enumerate().take(8).skip(1) {
        let offset: usize = line[..10].parse().unwrap();
        assert!(text[offset..].starts_with(&format!("{number} 0 obj\n")), "object {number}");
        assert!(line.ends_with(" 00000 n "));
    }
    let stream = text.split("stream\n").nth(1).unwrap().strip_suffix("\nend").unwrap();
    assert!(text.contains(&format!("/Length {} ", stream.len())));
    assert!(stream.contains("Compte rendu d'examens biologiques"));
}

#[test]
fn the_patient_has_a_valid_ins_and_its_five_traits() {
    let patient = json("patient.json");
    let identifier = &patient["identifier"][0];
    assert_eq!(identifier["system"], "urn:oid:1.2.250.1.213.1.4.10");
    let (number, key) = identifier["value"].as_str().unwrap().split_at(13);
    assert_eq!(key.parse::<u64>().unwrap(), 97 - number.parse::<u64>().unwrap() % 97);
    let name = &patient["name"][0];
    assert!(name["family"].is_string() && name["use"] == "official" && name["given"].as_array().unwrap().len() == 1);
    assert!(patient["birthDate"].is_string() && patient["gender"] == "female");
    let text = patient.to_string();
    assert!(text.contains("fr-core-patient-birth-list-given-name") && text.contains("fr-core-address-insee-code"));
}
