//! The language, clause by clause.

mod definitions;
mod functions;
mod limits;
mod operators;
mod sample;
mod syntax;

use crate::fhir::Instant;
use crate::fhir::json::Tree;
use crate::fhirpath::{Environment, Expression, Item};
use sample::Sample;

const PATIENT: &str = r##"{
    "resourceType": "Patient", "id": "p1",
    "contained": [{"resourceType": "Practitioner", "id": "dr", "name": [{"family": "House"}]},
                  {"resourceType": "Organization", "id": "org", "name": "Clinic"}],
    "extension": [{"url": "http://a.example/flag", "valueBoolean": true}],
    "identifier": [{"use": "official", "system": "http://a.example/ids", "value": "12"}, {"value": "13"}],
    "active": true,
    "name": [{"use": "official", "family": "Chalmers", "given": ["Peter", "James"]},
             {"use": "usual", "given": ["Jim"]},
             {"use": "maiden", "family": "Windsor", "given": ["Peter", "James"], "_family": {"extension": [{"url": "http://a.example/own", "valueString": "W"}]}}],
    "telecom": [{"system": "phone", "value": "1"}, {"system": "email", "value": "a@b.example"}],
    "gender": "male",
    "_gender": {"id": "g1"},
    "birthDate": "1974-12-25",
    "_birthDate": {"extension": [{"url": "http://a.example/time", "valueString": "14:35"}]},
    "deceasedBoolean": false,
    "_multipleBirthInteger": {"extension": [{"url": "http://a.example/unknown", "valueCode": "u"}]},
    "contact": [{"name": {"family": "Smith", "_given": [null, {"id": "x"}], "given": ["A", null]}, "gender": "female"}],
    "generalPractitioner": [{"reference": "#dr"}, {"reference": "http://b.example/fhir/Practitioner/2"}, {"reference": "Organization/3/_history/1"}],
    "managingOrganization": {"reference": "#org"}
}"##;

const OBSERVATION: &str = r#"{
    "resourceType": "Observation", "id": "o1", "status": "final",
    "code": {"coding": [{"system": "http://loinc.org", "code": "29463-7"}], "text": "Weight"},
    "subject": {"reference": "Patient/p1"},
    "effectiveDateTime": "2024-02-29T10:00:00+01:00",
    "valueQuantity": {"value": 185.0, "unit": "lbs", "system": "http://unitsofmeasure.org", "code": "[lb_av]"},
    "component": [{"code": {"text": "a"}, "valueQuantity": {"value": 3, "system": "http://unitsofmeasure.org", "code": "d"}},
                  {"code": {"text": "b"}, "valueString": "high"}]
}"#;

const BUNDLE: &str = r##"{
    "resourceType": "Bundle", "type": "collection",
    "entry": [{"fullUrl": "http://a.example/fhir/Patient/p1", "resource": {"resourceType": "Patient", "id": "p1", "active": true}},
              {"fullUrl": "urn:uuid:1", "resource": {"resourceType": "Organization", "id": "g"}},
              {"fullUrl": "http://a.example/fhir/Observation/o1", "resource": {"resourceType": "Observation", "id": "o1",
                "contained": [{"resourceType": "Organization", "id": "c", "name": "Inner"}],
                "subject": {"reference": "Patient/p1"}, "extension": [{"url": "u", "valueReference": {"reference": "urn:uuid:1"}},
                {"url": "c", "valueReference": {"reference": "#c"}}]}}]
}"##;

const QUESTIONNAIRE: &str = r#"{
    "resourceType": "Questionnaire", "url": "http://a.example/q",
    "item": [{"linkId": "1", "item": [{"linkId": "1.1"}, {"linkId": "1.2", "item": [{"linkId": "1.2.1"}]}]}, {"linkId": "2"}]
}"#;

/// The result of an expression as one line: items between commas, or the error after a bang.
pub(super) fn answer(source: &str, expression: &str) -> String {
    let sample = Sample::new();
    let tree = Tree::parse(source.as_bytes()).unwrap();
    // 2024-05-06T07:08:09.010Z
    let environment = Environment::new(&sample).with_clock(Instant::from_micros(1_714_979_289_010_000), 120);
    let compiled = match Expression::parse(expression) {
        Ok(compiled) => compiled,
        Err(error) => return format!("?{error}"),
    };
    match compiled.evaluate(Item::resource(&sample, tree.root()), &environment) {
        Ok(items) => items.iter().map(shown).collect::<Vec<_>>().join(", "),
        Err(error) => format!("!{}", error.reason),
    }
}

fn shown(item: &Item<'_>) -> String {
    match item {
        Item::Value(value) => value.to_string(),
        Item::Element(element) => match element.value() {
            Some(node) => node.string().map_or_else(|| node.raw().split_whitespace().collect(), |text| text.into_owned()),
            None => "(no value)".to_owned(),
        },
    }
}

#[track_caller]
fn check(source: &str, table: &[(&str, &str)]) {
    let wrong: Vec<_> = table
        .iter()
        .map(|(expression, expected)| (expression, expected, answer(source, expression)))
        .filter(|(_, expected, found)| *expected != found)
        .map(|(expression, expected, found)| format!("{expression}\n  expected {expected}\n  found    {found}"))
        .collect();
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn a_path_is_followed_through_lists_and_choices() {
    check(
        PATIENT,
        &[
            ("Patient.name.given", "Peter, James, Jim, Peter, James"),
            ("name.given", "Peter, James, Jim, Peter, James"),
            ("Resource.id", "p1"),
            ("DomainResource.active", "true"),
            ("Observation.value", ""),
            ("name[1].given", "Jim"),
            ("name[7]", ""),
            ("Patient.deceased", "false"),
            ("Patient.deceasedBoolean", "false"),
            ("gender.id", "g1"),
            ("name.`given`.first()", "Peter"),
            ("nothing.at.all", ""),
            ("multipleBirth.extension.value", "u"),
            ("multipleBirth", "(no value)"),
            ("contact.name.given.id", "x"),
            ("contact.name.given.count()", "2"),
            ("contained.name.family", "House"),
        ],
    );
    check(OBSERVATION, &[("Observation.value.unit", "lbs"), ("value.value", "185.0"), ("component.value.count()", "2")]);
}

#[test]
fn a_primitive_keeps_its_id_and_its_extensions() {
    check(
        PATIENT,
        &[
            ("birthDate.extension('http://a.example/time').value", "14:35"),
            ("birthDate.extension.url", "http://a.example/time"),
            ("birthDate.hasValue()", "true"),
            ("multipleBirth.hasValue()", "false"),
            ("multipleBirth.exists()", "true"),
            ("name.hasValue()", "false"),
            ("name.given.hasValue()", "false"),
            ("birthDate.getValue()", "1974-12-25"),
            ("multipleBirth.getValue()", ""),
            ("name.family.extension('http://a.example/own').value", "W"),
            ("hasExtension('http://a.example/flag')", "true"),
            ("hasExtension('http://a.example/none')", "false"),
            ("birthDate.children().count()", "1"),
            ("birthDate = multipleBirth", ""),
        ],
    );
}

#[test]
fn types_are_tested_and_filtered_by_their_names() {
    check(
        PATIENT,
        &[
            ("gender is code", "true"),
            ("gender is string", "true"),
            ("gender is FHIR.code", "true"),
            ("gender is System.String", "false"),
            ("active is Boolean", "false"),
            ("active is boolean", "true"),
            ("true is Boolean", "true"),
            ("1 is Integer", "true"),
            ("1 is Decimal", "false"),
            ("1 'mg' is Quantity", "true"),
            ("'a' is System.String", "true"),
            ("$this is Patient", "true"),
            ("$this is DomainResource", "true"),
            ("$this is Observation", "false"),
            ("(deceased as boolean)", "false"),
            ("deceased as dateTime", ""),
            ("deceased.as(boolean)", "false"),
            ("contained.ofType(Practitioner).id", "dr"),
            ("contained.as(Organization).id", "org"),
            ("gender.as(string)", ""),
            ("gender.ofType(code)", "male"),
            ("multipleBirth.ofType(integer).exists()", "true"),
            ("contained.ofType(DomainResource).count()", "2"),
            ("nothing is Patient", ""),
            ("name is HumanName", "!one item was expected, there are more"),
            ("gender.type().name", "code"),
            ("gender.type().namespace", "FHIR"),
            ("1.type().name", "Integer"),
        ],
    );
}

#[test]
fn a_reference_is_typed_by_its_text_and_resolved_where_it_points() {
    check(
        PATIENT,
        &[
            ("generalPractitioner.where(resolve() is Practitioner).count()", "2"),
            ("generalPractitioner.where(resolve() is Organization).reference", "Organization/3/_history/1"),
            ("managingOrganization.resolve().name", "Clinic"),
            ("generalPractitioner.resolve().name.family", "House"),
            ("generalPractitioner.where(resolve() is Resource).count()", "3"),
            ("generalPractitioner.where(resolve().is(Practitioner)).count()", "2"),
        ],
    );
    check(
        BUNDLE,
        &[
            ("entry.resource.subject.resolve().active", "true"),
            ("entry.resource.extension('u').value.resolve().id", "g"),
            ("entry.resource.extension('u').value.where(resolve() is Organization).count()", "1"),
            ("entry.resource.extension('c').value.resolve().name", "Inner"),
            ("entry.resource.ofType(Patient).id", "p1"),
        ],
    );
}

#[test]
fn a_tree_is_walked_to_any_depth() {
    check(
        QUESTIONNAIRE,
        &[
            ("descendants().linkId", "1, 1.1, 1.2, 1.2.1, 2"),
            ("repeat(item).linkId", "1, 2, 1.1, 1.2, 1.2.1"),
            ("descendants().linkId.isDistinct()", "true"),
            ("item.children().count()", "4"),
        ],
    );
}
