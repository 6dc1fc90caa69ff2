//! How long it takes until the definitions of R4 are ready, and how long a resource is judged.

use carnet::definition::Registry;
use carnet::fhir::ResourceType;
use carnet::fhir::json::Tree;
use carnet::validation::Validator;

fn main() {
    divan::main();
}

#[divan::bench]
fn the_registry_is_built() -> usize {
    Registry::embedded().map_or(0, |registry| registry.structures().len())
}

#[divan::bench]
fn a_document_reference_is_judged(bencher: divan::Bencher<'_, '_>) {
    let (Ok(registry), Ok(tree)) = (Registry::shared(), Tree::parse(DOCUMENT_REFERENCE)) else { return };
    let validator = Validator::new(registry);
    let input = divan::counter::BytesCount::new(DOCUMENT_REFERENCE.len());
    bencher.counter(input).bench_local(|| validator.check(ResourceType::DocumentReference, &tree));
}

#[divan::bench]
fn a_document_reference_is_read(bencher: divan::Bencher<'_, '_>) {
    let input = divan::counter::BytesCount::new(DOCUMENT_REFERENCE.len());
    bencher.counter(input).bench_local(|| Tree::parse(divan::black_box(DOCUMENT_REFERENCE)).map(|tree| tree.len()).ok());
}

/// A document as a hospital or a laboratory submits it, about 1.7 KB.
const DOCUMENT_REFERENCE: &[u8] = br##"{"resourceType":"DocumentReference","id":"0197b4a0-7c1e-7000-8000-000000000001","meta":{"versionId":"1","lastUpdated":"2026-03-01T09:00:00.000000Z","profile":["http://example.org/fhir/StructureDefinition/document"],"security":[{"system":"http://terminology.hl7.org/CodeSystem/v3-Confidentiality","code":"N"}]},"masterIdentifier":{"system":"urn:ietf:rfc:3986","value":"urn:oid:1.2.250.1.213.1.1.9.1"},"identifier":[{"use":"official","system":"urn:ietf:rfc:3986","value":"urn:uuid:0c287d32-01e3-4d87-9953-9fcc9404eb21"}],"status":"current","docStatus":"final","type":{"coding":[{"system":"http://loinc.org","code":"11502-2","display":"CR d'examens biologiques"}]},"category":[{"coding":[{"system":"http://example.org/fhir/CodeSystem/class","code":"10","display":"Compte rendu"}]}],"subject":{"reference":"Patient/0197b4a0-7c1e-7000-8000-000000000002","type":"Patient"},"date":"2026-03-01T09:00:00+01:00","author":[{"reference":"Practitioner/0197b4a0-7c1e-7000-8000-000000000003"},{"reference":"Organization/0197b4a0-7c1e-7000-8000-000000000004"}],"custodian":{"reference":"Organization/0197b4a0-7c1e-7000-8000-000000000004"},"content":[{"attachment":{"contentType":"application/pdf","language":"fr-FR","url":"Binary/0197b4a0-7c1e-7000-8000-000000000005","size":48213,"hash":"2jmj7l5rSw0yVb/vlWAYkK/YBwk=","title":"Bilan sanguin","creation":"2026-03-01T08:45:00+01:00"},"format":{"system":"http://ihe.net/fhir/ihe.formatcode.fhir/CodeSystem/formatcode","code":"urn:ihe:lab:xd-lab:2008"}}],"context":{"event":[{"coding":[{"system":"http://example.org/act","code":"LAB"}]}],"period":{"start":"2026-02-28","end":"2026-02-28"},"facilityType":{"coding":[{"system":"http://example.org/facility","code":"SA25"}]},"practiceSetting":{"coding":[{"system":"http://example.org/setting","code":"ETABLISSEMENT"}]}}}"##;
