use chrono_tz::Europe::Paris;
use serde_json::{Value, json};

use super::*;
use crate::definition::ParameterKind;
use crate::search::index::{DateEntry, DateRange, StringEntry, Term};
use crate::search::term::{TokenOf, UCUM};

const BASE: &str = "http://localhost:8080/fhir";
const KEY: [u8; 16] = [5; 16];

fn registry() -> &'static Registry {
    Registry::shared().unwrap()
}

fn indexer() -> Indexer {
    Indexer::new(registry(), &format!("{BASE}/"), KEY, Paris)
}

fn entries_of(resource: &Value) -> IndexEntries {
    let text = resource.to_string();
    indexer()
        .entries(resource["resourceType"].as_str().unwrap().parse().unwrap(), &Tree::parse(text.as_bytes()).unwrap())
        .unwrap()
}

fn id(kind: ResourceType, code: &str) -> ParameterId {
    registry().parameter(kind, code).unwrap().id
}

fn has(entries: &IndexEntries, term: Term) -> bool {
    entries.terms.binary_search(&term).is_ok()
}

/// The least and the first later microsecond of a day in Paris, winter time.
fn winter_days(first: &str, days: i64) -> DateRange {
    let low = format!("{first}T00:00:00+01:00").parse::<chrono::DateTime<chrono::Utc>>().unwrap().timestamp_micros();
    DateRange { low, high: low + days * 86_400_000_000 }
}

fn document_reference() -> Value {
    json!({
        "resourceType": "DocumentReference",
        "id": "d1",
        "meta": {
            "versionId": "1", "lastUpdated": "2026-01-02T10:00:00Z", "source": "urn:source",
            "profile": ["http://profile.example/dr|2.1"],
            "tag": [{"system": "urn:tags", "code": "Blue"}],
            "security": [{"system": "http://terminology.hl7.org/CodeSystem/v3-Confidentiality", "code": "N"}]
        },
        "masterIdentifier": {"system": "urn:ietf:rfc:3986", "value": "urn:oid:1.2.3"},
        "status": "current",
        "type": {"coding": [{"system": "http://loinc.org", "code": "11502-2"}], "text": "CR d'examens"},
        "category": [{"text": "words alone"}],
        "subject": {"reference": format!("{BASE}/Patient/p1")},
        "date": "2026-01-02T10:00:00+01:00",
        "author": [{"reference": "Practitioner/a/_history/3"}, {"identifier": {"value": "1-2"}}, {"reference": "#contained"}],
        "description": "Numération-formule",
        "relatesTo": [{"code": "replaces", "target": {"reference": "http://elsewhere.example/fhir/DocumentReference/9"}}],
        "content": [{"attachment": {"contentType": "application/pdf", "url": "Binary/b1", "creation": "2026-01-02"}, "format": {"code": "urn:x"}}],
        "context": {"period": {"start": "2026-01-01"}, "related": [{"identifier": {"system": "urn:r", "value": "R1"}}]}
    })
}

#[test]
fn a_document_reference_is_found_by_every_form_of_its_values() {
    let kind = ResourceType::DocumentReference;
    let (entries, terms) = (entries_of(&document_reference()), Terms::new(KEY));
    let of = |code| id(kind, code);
    let present = [
        terms.code(of("type"), TokenOf::Value, "11502-2"),
        terms.system_code(of("type"), TokenOf::Value, ("http://loinc.org", "11502-2")),
        terms.system(of("type"), TokenOf::Value, "http://loinc.org"),
        terms.code(of("status"), TokenOf::Value, "CURRENT"),
        terms.code_without_system(of("status"), TokenOf::Value, "CURRENT"),
        terms.code_without_system(of("format"), TokenOf::Value, "urn:x"),
        terms.code_without_system(of("contenttype"), TokenOf::Value, "application/pdf"),
        terms.system_code(of("identifier"), TokenOf::Value, ("urn:ietf:rfc:3986", "urn:oid:1.2.3")),
        terms.instance(of("subject"), ResourceType::Patient, "p1"),
        terms.own_patient(of("patient"), "p1"),
        terms.instance(of("author"), ResourceType::Practitioner, "a"),
        terms.instance_version(of("author"), (ResourceType::Practitioner, "a", "3")),
        terms.code_without_system(of("author"), TokenOf::Identifier, "1-2"),
        terms.system_code(of("related"), TokenOf::Identifier, ("urn:r", "R1")),
        terms.url(of("relatesto"), "http://elsewhere.example/fhir/DocumentReference/9"),
        terms.exact(of("description"), "Numération-formule"),
        terms.uri(of("location"), "Binary/b1"),
        terms.uri(of("_profile"), "http://profile.example/dr|2.1"),
        terms.uri(of("_profile"), "http://profile.example/dr"),
        terms.uri(of("_source"), "urn:source"),
        terms.system_code(of("_tag"), TokenOf::Value, ("urn:tags", "blue")),
        terms.present(of("_security")),
        terms.present(of("category")),
        terms.present(of("author")),
    ];
    for (at, term) in present.iter().enumerate() {
        assert!(has(&entries, *term), "term {at} is missing");
    }
    for (at, term) in [
        terms.code_without_system(of("type"), TokenOf::Value, "11502-2"),
        terms.present(of("event")),
        terms.present(of("encounter")),
        terms.instance(of("patient"), ResourceType::Patient, "p1"),
        terms.instance(of("relatesto"), ResourceType::DocumentReference, "9"),
    ]
    .iter()
    .enumerate()
    {
        assert!(!has(&entries, *term), "term {at} has no place here");
    }
    let low = winter_days("2026-01-02", 1).low + 10 * 3_600_000_000;
    assert_eq!(entries.main_date, Some(DateRange { low, high: low + 1_000_000 }));
    let period = DateRange { low: winter_days("2026-01-01", 1).low, high: i64::MAX };
    let mut dates = [
        DateEntry { parameter: of("period"), range: period },
        DateEntry { parameter: of("period-start"), range: winter_days("2026-01-01", 1) },
        DateEntry { parameter: of("creation"), range: winter_days("2026-01-02", 1) },
    ];
    dates.sort_unstable();
    assert_eq!(entries.dates, dates);
    let description = StringEntry { parameter: of("description"), folded: "numeration formule".into(), is_later_word: false };
    assert_eq!(entries.strings, [description]);
    assert!(entries.terms.is_sorted());
}

#[test]
fn a_name_is_found_by_each_of_its_parts_and_an_address_too() {
    let entries = entries_of(&json!({
        "resourceType": "Patient",
        "name": [{"use": "official", "family": "De l’Étoile-Martin", "given": ["Zoë", "Ana"]}],
        "address": [{"use": "home", "line": ["1, rue Ü"], "city": "Nîmes", "postalCode": "30000"}],
        "telecom": [{"system": "email", "value": "Z@example.org"}],
        "birthDate": "1980-02", "active": true, "deceasedBoolean": false
    }));
    let strings = |code: &str| {
        let parameter = id(ResourceType::Patient, code);
        let found = entries.strings.iter().filter(|string| string.parameter == parameter);
        found.map(|string| string.folded.to_string()).collect::<Vec<_>>()
    };
    assert_eq!(strings("name"), ["ana", "de letoile martin", "letoile martin", "martin", "zoe"]);
    assert_eq!(strings("family"), ["de letoile martin", "letoile martin", "martin"]);
    assert_eq!(strings("given"), ["ana", "zoe"]);
    assert_eq!(strings("address"), ["1 rue u", "30000", "nimes"]);
    assert_eq!(strings("address-city"), ["nimes"]);
    let terms = Terms::new(KEY);
    let code = |code, value| has(&entries, terms.code_without_system(id(ResourceType::Patient, code), TokenOf::Value, value));
    assert!(code("email", "z@EXAMPLE.org") && code("telecom", "z@example.org") && !code("phone", "z@example.org"));
    assert!(code("active", "true") && code("deceased", "false") && code("address-use", "home"));
    assert_eq!(entries.main_date, None);
    let birth = entries.dates.iter().find(|date| date.parameter == id(ResourceType::Patient, "birthdate")).unwrap();
    assert_eq!(birth.range, winter_days("1980-02-01", 29));
}

#[test]
fn quantities_keep_their_number_and_unit() {
    let component = |quantity: Value| json!({"valueQuantity": quantity});
    let entries = entries_of(&json!({
        "resourceType": "Observation",
        "component": [
            component(json!({"value": 5.40, "unit": "mmHg", "system": UCUM, "code": "mm[Hg]"})),
            component(json!({"value": 2, "comparator": "<", "system": "urn:s", "code": "u"})),
            component(json!({"value": 3, "unit": "pills"})),
            component(json!({"unit": "no value"})),
        ]
    }));
    let (parameter, terms) = (id(ResourceType::Observation, "component-value-quantity"), Terms::new(KEY));
    let found: Vec<_> = entries.quantities.iter().filter(|quantity| quantity.parameter == parameter).collect();
    let unit = |system, code| Some(terms.unit(parameter, system, code));
    let expected = [
        (unit(Some(UCUM), "mm[Hg]"), 5.4, 5.4),
        // The words of the unit are other than its code.
        (unit(None, "mmHg"), 5.4, 5.4),
        (unit(Some("urn:s"), "u"), f64::NEG_INFINITY, 2_f64.next_down()),
        (unit(None, "u"), f64::NEG_INFINITY, 2_f64.next_down()),
        (unit(None, "pills"), 3.0, 3.0),
    ];
    assert_eq!(found.iter().map(|entry| (entry.unit, entry.low, entry.high)).collect::<Vec<_>>(), expected);
}

#[test]
fn timings_periods_and_money_are_ranges() {
    let request = entries_of(&json!({
        "resourceType": "ServiceRequest", "authoredOn": "2026-01-05",
        "occurrenceTiming": {"event": ["2026-01-10", "2026-01-02"], "repeat": {"boundsPeriod": {"start": "2026-01-03", "end": "2026-01-12"}}}
    }));
    let occurrence = id(ResourceType::ServiceRequest, "occurrence");
    let range = request.dates.iter().find(|date| date.parameter == occurrence).unwrap().range;
    assert_eq!(range, winter_days("2026-01-02", 11));
    let invoice = entries_of(&json!({"resourceType": "Invoice", "totalGross": {"value": 12.5, "currency": "EUR"}}));
    let parameter = id(ResourceType::Invoice, "totalgross");
    let expected = [Some(quantity::CURRENCY), None].map(|system| (Some(Terms::new(KEY).unit(parameter, system, "EUR")), 12.5));
    assert_eq!(invoice.quantities.iter().map(|entry| (entry.unit, entry.low)).collect::<Vec<_>>(), expected);
}

#[test]
fn a_resource_inside_a_bundle_is_found_as_its_composition() {
    let entries = entries_of(&json!({
        "resourceType": "Bundle", "type": "document",
        "entry": [{"resource": {"resourceType": "Composition", "id": "c1"}}]
    }));
    assert!(has(&entries, Terms::new(KEY).instance(id(ResourceType::Bundle, "composition"), ResourceType::Composition, "c1")));
}

#[test]
fn a_value_that_cannot_be_read_leaves_no_entry() {
    let entries = entries_of(&json!({
        "resourceType": "Observation", "effectiveDateTime": "soon", "valueQuantity": {"value": "much"}, "subject": {"reference": "?"},
        "_status": {"extension": [{"url": "x", "valueString": "y"}]}
    }));
    assert_eq!(entries.main_date, None);
    assert!(entries.dates.is_empty() && entries.quantities.is_empty());
    assert!(!has(&entries, Terms::new(KEY).present(id(ResourceType::Observation, "status"))));
}

/// The expression of every parameter of every type that an index can hold compiles, and a type is compiled for itself alone.
#[test]
fn every_expression_of_r4_compiles() {
    let indexer = indexer();
    for kind in ResourceType::ALL {
        let index = indexer.of_type(*kind).unwrap_or_else(|failure| panic!("{kind}: {:?}", failure.cause()));
        let expected = registry().parameters(*kind).iter().filter(|parameter| {
            let is_indexed = !matches!(parameter.kind, ParameterKind::Composite | ParameterKind::Special);
            is_indexed && parameter.expression.is_some() && !["_id", "_lastUpdated"].contains(&&*parameter.code)
        });
        assert_eq!(index.facets.len(), expected.count(), "{kind}");
    }
}

/// A type whose links are all indexed can be found by its patient.
#[test]
fn every_link_of_the_patient_compartment_is_indexed() {
    let indexer = indexer();
    for kind in ResourceType::ALL {
        let links = registry().compartment(crate::definition::Compartment::Patient, *kind).len();
        assert_eq!(indexer.of_type(*kind).unwrap().links.len(), links, "{kind}");
    }
}
