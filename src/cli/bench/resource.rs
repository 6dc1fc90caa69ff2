//! The resources of a measurement: a dossier of documents such as laboratories and hospitals push, the same in every run.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};

/// The type that the measured search asks for: a laboratory report.
pub(super) const SOUGHT_TYPE: &str = "11502-2";
/// Another one, that it must not find: a hospital discharge summary.
pub(super) const OTHER_TYPE: &str = "34112-3";
/// The length of a pushed PDF.
const CONTENT_BYTES: usize = 3_000;

const LOINC: &str = "http://loinc.org";
const SUBMISSION_SET: &str = "urn:uuid:6e0c3f3a-0000-4000-8000-000000000001";
const DOCUMENT: &str = "urn:uuid:6e0c3f3a-0000-4000-8000-000000000002";
const CONTENT: &str = "urn:uuid:6e0c3f3a-0000-4000-8000-000000000003";

/// The patient with this number.
pub(super) fn patient(number: u64) -> Value {
    json!({
        "resourceType": "Patient",
        "identifier": [{"use": "usual", "system": "urn:oid:1.2.250.1.999.9", "value": format!("bench-{number}")}],
        "active": true,
        "name": [{"use": "official", "family": format!("Mesure{number}"), "given": ["Camille"]}],
        "gender": if number.is_multiple_of(2) { "female" } else { "male" },
        "birthDate": format!("{}-{:02}-{:02}", 1940 + number % 70, 1 + number % 12, 1 + number % 28),
    })
}

/// A DocumentReference of about 1.7 KB; `patient` is a reference.
pub(super) fn document(patient: &str, number: u64, loinc: &str) -> Value {
    let date = date(number);
    json!({
        "resourceType": "DocumentReference",
        "masterIdentifier": {"system": "urn:ietf:rfc:3986", "value": format!("urn:oid:1.2.250.1.999.1.1.{number}")},
        "status": "current",
        "type": coded(LOINC, loinc, "Report"),
        "category": [coded("https://mos.esante.gouv.fr/NOS/TRE_A03-ClasseDocument/FHIR/TRE-A03-ClasseDocument", "10", "Compte rendu")],
        "subject": {"reference": patient},
        "date": date,
        "author": [{"identifier": {"system": "urn:oid:1.2.250.1.71.4.2.1", "value": "810000012345"}, "display": "Dr Anaïs Kerbrat"}],
        "authenticator": {"identifier": {"system": "urn:oid:1.2.250.1.71.4.2.1", "value": "810000012345"}},
        "custodian": {"identifier": {"system": "urn:oid:1.2.250.1.71.4.2.2", "value": "1350000123"}, "display": "Laboratoire"},
        "description": "Hématologie et biochimie",
        "securityLabel": [coded("http://terminology.hl7.org/CodeSystem/v3-Confidentiality", "N", "normal")],
        "content": [{
            "attachment": {
                "contentType": "application/pdf", "language": "fr-FR", "url": format!("https://archive.example/{number}"),
                "size": CONTENT_BYTES, "title": "Compte rendu d'examens biologiques", "creation": date,
            },
            "format": {
                "system": "http://ihe.net/fhir/ihe.formatcode.fhir/CodeSystem/formatcode",
                "code": "urn:ihe:iti:xds:2017:mimeTypeSufficient",
            },
        }],
        "context": {
            "period": {"start": date},
            "facilityType": coded("https://mos.esante.gouv.fr/NOS/TRE_R02-SecteurActivite/FHIR/TRE-R02-SecteurActivite", "SA25", "Laboratoire"),
            "practiceSetting": coded("https://mos.esante.gouv.fr/NOS/TRE_A01-CadreExercice/FHIR/TRE-A01-CadreExercice", "AMBULATOIRE", "Ambulatoire"),
        },
    })
}

fn coded(system: &str, code: &str, display: &str) -> Value {
    json!({"coding": [{"system": system, "code": code, "display": display}]})
}

/// A moment of the last ten years, another one for each of many numbers.
fn date(number: u64) -> String {
    let (year, month, day) = (2016 + number % 10, 1 + number / 10 % 12, 1 + number / 120 % 28);
    format!("{year}-{month:02}-{day:02}T{:02}:{:02}:00+01:00", number / 3_360 % 24, number / 80_640 % 60)
}

/// A submission set, its document and the document's content, as a laboratory pushes them.
pub(super) fn push(patient: &str, number: u64) -> Value {
    let mut document = document(patient, number, SOUGHT_TYPE);
    if let Some(url) = document.pointer_mut("/content/0/attachment/url") {
        *url = json!(CONTENT);
    }
    let set = json!({
        "resourceType": "List", "status": "current", "mode": "working",
        "code": coded("https://profiles.ihe.net/ITI/MHD/CodeSystem/MHDlistTypes", "submissionset", "Submission set"),
        "subject": {"reference": patient}, "date": date(number),
        "entry": [{"item": {"reference": DOCUMENT}}],
    });
    let content: Vec<u8> = (0..CONTENT_BYTES as u64).map(|index| (index * 31 + number) as u8).collect();
    let content = json!({"resourceType": "Binary", "contentType": "application/pdf", "data": BASE64_STANDARD.encode(content)});
    transaction(vec![entry(SUBMISSION_SET, set), entry(DOCUMENT, document), entry(CONTENT, content)])
}

/// A transaction of `entries`.
pub(super) fn transaction(entries: Vec<Value>) -> Value {
    json!({"resourceType": "Bundle", "type": "transaction", "entry": entries})
}

/// An entry that creates `resource`.
pub(super) fn entry(full_url: &str, resource: Value) -> Value {
    let url = resource.get("resourceType").cloned().unwrap_or_default();
    json!({"fullUrl": full_url, "resource": resource, "request": {"method": "POST", "url": url}})
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_is_as_long_as_those_of_practice() {
        let bytes = document("Patient/0123456789abcdefghijklmnopqrst", 7, SOUGHT_TYPE).to_string().len();
        assert!((1_600..1_900).contains(&bytes), "{bytes}");
    }

    #[test]
    fn a_push_links_set_document_and_content() {
        let push = push("Patient/p", 1).to_string();
        for link in [SUBMISSION_SET, DOCUMENT, CONTENT] {
            assert!(push.contains(link));
        }
        assert_eq!(push.matches(DOCUMENT).count(), 2);
        assert_eq!(push.matches(CONTENT).count(), 2);
    }

    #[test]
    fn documents_of_one_dossier_have_different_dates() {
        let dates: std::collections::BTreeSet<_> = (0..1_000).map(date).collect();
        assert_eq!(dates.len(), 1_000);
    }
}
