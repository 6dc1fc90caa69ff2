use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::*;

fn validator() -> Validator<'static> {
    Validator::new(Registry::shared().unwrap())
}

fn issues(resource: &Value) -> Vec<Issue> {
    let kind: ResourceType = resource["resourceType"].as_str().unwrap().parse().unwrap();
    let text = resource.to_string();
    validator().check(kind, &Tree::parse(text.as_bytes()).unwrap())
}

/// Code and place of each issue.
fn told(resource: &Value) -> Vec<(&'static str, String)> {
    issues(resource).into_iter().map(|issue| (issue.code.code(), issue.expression.unwrap())).collect()
}

/// Says that `resource` has exactly one fault, of that code and at that place.
#[track_caller]
fn refused(resource: &Value, code: &'static str, place: &str) {
    assert_eq!(told(resource), [(code, place.to_owned())], "{resource}");
}

#[track_caller]
fn accepted(resource: &Value) {
    assert_eq!(told(resource), [], "{resource}");
}

/// A patient with `members` and nothing else.
fn patient(members: Value) -> Value {
    let mut patient = json!({"resourceType": "Patient"});
    patient.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
    patient
}

/// A resource that shows every shape an element may have.
fn document_reference() -> Value {
    json!({
        "resourceType": "DocumentReference",
        "id": "d1",
        "meta": {"lastUpdated": "2026-01-02T03:04:05.678+01:00", "profile": ["http://example.org/profile|1"]},
        "text": {"status": "generated", "div": "<div xmlns=\"http://www.w3.org/1999/xhtml\">x</div>"},
        "contained": [{
            "resourceType": "Practitioner",
            "id": "a",
            "name": [{"family": "Doe", "given": [null, "Jo"], "_given": [{"extension": [{"url": "u", "valueCode": "masked"}]}, null]}],
            "birthDate": "1970-02",
        }],
        "extension": [
            {"url": "http://example.org/a", "valueQuantity": {"value": 1.50, "unit": "mg"}},
            {"url": "http://example.org/b", "extension": [{"url": "c", "valueBoolean": true}]},
        ],
        "masterIdentifier": {"system": "urn:ietf:rfc:3986", "value": "urn:oid:1.2.3"},
        "status": "current",
        "type": {"coding": [{"system": "http://loinc.org", "code": "11502-2", "userSelected": false}], "text": "Report"},
        "subject": {"reference": "Patient/p1"},
        "date": "2026-01-02T03:04:05Z",
        "_date": {"id": "when"},
        "author": [{"reference": "#a"}],
        "content": [{
            "attachment": {"contentType": "application/pdf", "data": "aGVsbG8=", "size": 5, "url": "http://example.org/x", "creation": "2026"},
            "format": {"code": "urn:ihe:iti:xds:2017:mimeTypeSufficient"},
        }],
        "context": {"period": {"start": "2026-01-01", "_end": {"extension": [{"url": "u", "valueString": "unknown"}]}}},
    })
}

#[test]
fn a_well_formed_resource_has_no_issue() {
    accepted(&document_reference());
    accepted(&json!({"resourceType": "Basic", "code": {"text": "x"}}));
    accepted(&json!({"resourceType": "Binary", "contentType": "application/pdf", "data": "AA =="}));
}

#[test]
fn an_unknown_element_is_a_fault_of_shape() {
    refused(&patient(json!({"nome": "x"})), "structure", "Patient.nome");
    refused(&patient(json!({"name": [{"given": ["a"], "nickname": "b"}]})), "structure", "Patient.name[0].nickname");
    refused(&patient(json!({"name": [{"resourceType": "HumanName"}]})), "structure", "Patient.name[0].resourceType");
    refused(&patient(json!({"deceased": true})), "structure", "Patient.deceased");
    assert!(is_shape_fault(&issues(&patient(json!({"nome": "x"})))[0]));
}

#[test]
fn a_name_that_no_element_could_have_is_not_repeated() {
    let long = "x".repeat(65);
    for name in ["Doe, John", "", "a.b", long.as_str()] {
        let issue = &issues(&patient(json!({"contact": [{"gender": "male", name: 1}]})))[0];
        assert_eq!(issue.expression.as_deref(), Some("Patient.contact[0]"));
        assert!(name.is_empty() || !issue.diagnostics.contains(name));
    }
}

#[test]
fn an_element_that_repeats_is_an_array_and_no_other_is() {
    refused(&patient(json!({"name": {"family": "x"}})), "structure", "Patient.name");
    refused(&patient(json!({"birthDate": ["1970"]})), "structure", "Patient.birthDate");
    refused(&patient(json!({"name": [[{"family": "x"}]]})), "structure", "Patient.name[0]");
    refused(&patient(json!({"contact": [{"name": {"given": "x"}}]})), "structure", "Patient.contact[0].name.given");
}

#[test]
fn a_value_is_written_as_its_type_demands() {
    refused(&patient(json!({"active": "true"})), "structure", "Patient.active");
    refused(&patient(json!({"birthDate": 1970})), "structure", "Patient.birthDate");
    refused(&patient(json!({"birthDate": {"value": "1970"}})), "structure", "Patient.birthDate");
    refused(&patient(json!({"multipleBirthInteger": "1"})), "structure", "Patient.multipleBirth");
    refused(&patient(json!({"maritalStatus": "M"})), "structure", "Patient.maritalStatus");
    refused(
        &patient(json!({"contact": [{"name": {"given": ["a", {"x": 1}]}}]})),
        "structure",
        "Patient.contact[0].name.given[1]",
    );
}

#[test]
fn null_stands_only_beside_extensions() {
    refused(&patient(json!({"birthDate": null})), "structure", "Patient.birthDate");
    refused(&patient(json!({"name": [null]})), "structure", "Patient.name[0]");
    refused(&patient(json!({"name": [{"given": ["a", null]}]})), "structure", "Patient.name[0].given[1]");
    let given = |values: Value, contents: Value| patient(json!({"name": [{"given": values, "_given": contents}]}));
    accepted(&given(json!(["a", null]), json!([null, {"extension": [{"url": "u", "valueCode": "x"}]}])));
    refused(&given(json!(["a", null]), json!([{"id": "x"}, null])), "structure", "Patient.name[0].given[1]");
    refused(&given(json!(["a", null]), json!([{"id": "x"}])), "structure", "Patient.name[0].given");
    refused(&given(json!(["a", null]), json!([null, {"id": "x"}])), "invariant", "Patient.name[0].given[1]");
    refused(&given(json!(["a"]), json!({"id": "x"})), "structure", "Patient.name[0].given");
    refused(&patient(json!({"name": [{"_given": [null]}]})), "structure", "Patient.name[0].given[0]");
}

#[test]
fn what_belongs_to_a_primitive_is_an_element() {
    let extension = json!([{"url": "u", "valueCode": "x"}]);
    accepted(&patient(json!({"_birthDate": {"extension": extension}})));
    accepted(&patient(json!({"birthDate": "1970", "_birthDate": {"id": "x"}})));
    refused(&patient(json!({"_birthDate": {"id": "x"}})), "invariant", "Patient.birthDate");
    refused(&patient(json!({"birthDate": "1970", "_birthDate": "x"})), "structure", "Patient.birthDate");
    refused(&patient(json!({"birthDate": "1970", "_birthDate": {"value": "x"}})), "structure", "Patient.birthDate.value");
    refused(
        &patient(json!({"birthDate": "1970", "_birthDate": {"extension": {"url": "u"}}})),
        "structure",
        "Patient.birthDate.extension",
    );
    refused(&patient(json!({"_maritalStatus": {"id": "x"}})), "structure", "Patient.maritalStatus");
}

#[test]
fn a_choice_has_one_value() {
    refused(&patient(json!({"deceasedBoolean": true, "deceasedDateTime": "2020"})), "structure", "Patient.deceased");
    refused(
        &patient(
            json!({"deceasedBoolean": true, "_deceasedDateTime": {"id": "x", "extension": [{"url": "u", "valueCode": "x"}]}}),
        ),
        "structure",
        "Patient.deceased",
    );
    accepted(&patient(json!({"deceasedBoolean": true, "_deceasedBoolean": {"id": "x"}})));
    refused(&patient(json!({"deceasedString": "x"})), "structure", "Patient.deceasedString");
}

#[test]
fn an_element_that_must_occur_is_missed() {
    refused(&json!({"resourceType": "Basic"}), "required", "Basic.code");
    refused(&patient(json!({"link": [{"type": "seealso"}]})), "required", "Patient.link[0].other");
    refused(&patient(json!({"communication": [{"preferred": true}]})), "required", "Patient.communication[0].language");
    let mut observation = json!({"resourceType": "Observation", "code": {"text": "x"}});
    refused(&observation, "required", "Observation.status");
    observation["_status"] = json!({"extension": [{"url": "u", "valueCode": "unknown"}]});
    accepted(&observation);
    assert!(!is_shape_fault(&issues(&json!({"resourceType": "Basic"}))[0]));
}

#[test]
fn an_extension_has_a_url_and_either_a_value_or_extensions() {
    let with = |extension: Value| patient(json!({"extension": [extension]}));
    refused(&with(json!({"valueCode": "x"})), "required", "Patient.extension[0].url");
    refused(&with(json!({"url": "u"})), "invariant", "Patient.extension[0]");
    let both = json!({"url": "u", "valueCode": "x", "extension": [{"url": "v", "valueCode": "x"}]});
    refused(&with(both), "invariant", "Patient.extension[0]");
    refused(&with(json!({"url": "u", "value": "x", "valueCode": "x"})), "structure", "Patient.extension[0].value");
    accepted(&with(json!({"url": "u", "_valueCode": {"extension": [{"url": "v", "valueCode": "x"}]}})));
}

#[test]
fn a_resource_inside_another_is_judged_by_its_own_type() {
    let contained = |resource: Value| patient(json!({"contained": [resource]}));
    accepted(&contained(json!({"resourceType": "Organization", "id": "o", "name": "x"})));
    refused(&contained(json!({"resourceType": "Organization", "family": "x"})), "structure", "Patient.contained[0].family");
    refused(&contained(json!({"resourceType": "Organisation"})), "structure", "Patient.contained[0]");
    refused(&contained(json!({"id": "x"})), "structure", "Patient.contained[0]");
    refused(&contained(json!("x")), "structure", "Patient.contained[0]");
    refused(&contained(json!({"resourceType": 1})), "structure", "Patient.contained[0]");
    let deeper = json!({"resourceType": "Practitioner", "contained": [{"resourceType": "Patient", "birthDate": "1970"}]});
    refused(&contained(deeper), "invariant", "Patient.contained[0].contained[0]");
    let entry = |resource: Value| json!({"resourceType": "Bundle", "type": "collection", "entry": [{"resource": resource}]});
    refused(&entry(patient(json!({"birthDate": "x"}))), "value", "Bundle.entry[0].resource.birthDate");
    accepted(&entry(patient(json!({"contained": [{"resourceType": "Patient", "birthDate": "1970"}]}))));
    let parameter = json!({"resourceType": "Parameters", "parameter": [{"name": "a", "part": [{"name": "b", "resource": {"resourceType": "Patient", "x": 1}}]}]});
    refused(&parameter, "structure", "Parameters.parameter[0].part[0].resource.x");
}

#[test]
fn a_resource_of_another_type_than_expected_is_refused() {
    for text in ["{\"resourceType\":\"Patient\"}", "{\"id\":\"x\"}", "[1]", "\"x\"", "{\"resourceType\":\"patient\"}"] {
        let issues = validator().check(ResourceType::Observation, &Tree::parse(text.as_bytes()).unwrap());
        assert_eq!(issues.len(), 1, "{text}");
        assert!(is_shape_fault(&issues[0]));
        assert_eq!(issues[0].expression.as_deref(), Some("Observation"));
    }
}

#[test]
fn the_issues_of_one_resource_have_a_limit() {
    let members: Map<String, Value> = (0..1000).map(|number| (format!("x{number}"), json!(1))).collect();
    assert_eq!(issues(&patient(Value::Object(members))).len(), MAX_ISSUES);
}

/// Each primitive type: texts that are values of it, texts that are not.
const FORMS: &[(&str, &[&str], &[&str])] = &[
    (
        "valueBase64Binary",
        &["\"AAAA\"", "\"AA==\"", "\"AAA=\"", "\"AA\\nAA\""],
        &["\"\"", "\"A\"", "\"AA=A\"", "\"A===\"", "\"é===\"", "\" \"", "\"AA\""],
    ),
    ("valueBoolean", &["true", "false"], &[]),
    ("valueCanonical", &["\"http://a|1\""], &["\"\"", "\"a b\"", "\"a\\tb\""]),
    ("valueCode", &["\"a\"", "\"a b\"", "\"é\""], &["\"\"", "\" a\"", "\"a \"", "\"a  b\"", "\"a\\tb\""]),
    (
        "valueDate",
        &["\"2026\"", "\"2026-02\"", "\"2024-02-29\""],
        &["\"\"", "\"2026-2\"", "\"2026-02-29\"", "\"2026-13\"", "\"2026-01-01T00:00:00Z\"", "\" 2026\"", "\"0000\""],
    ),
    (
        "valueDateTime",
        &["\"2026\"", "\"2026-01-01T00:00:00Z\"", "\"2026-01-01T00:00:00.123456789+14:00\""],
        &["\"\"", "\"2026-01-01T00:00\"", "\"2026-01-01T00:00:00\"", "\"2026-01-01T24:00:00Z\"", "\"2026-01-01T00:00:00+15:00\""],
    ),
    ("valueDecimal", &["0", "-0.10", "1e3", "1.0E-2"], &[]),
    ("valueId", &["\"a.b-1\""], &["\"\"", "\"a_b\"", "\"é\""]),
    ("valueInstant", &["\"2026-01-01T00:00:00.000Z\""], &["\"\"", "\"2026-01-01\"", "\"2026-01-01T00:00:00\""]),
    ("valueInteger", &["0", "-2147483648", "2147483647"], &["-2147483649", "2147483648", "1.0", "1e1", "-0"]),
    ("valueMarkdown", &["\"# x\\n\""], &["\"\"", "\" \\n\""]),
    (
        "valueOid",
        &["\"urn:oid:1.2.250.1\"", "\"urn:oid:2.0\""],
        &["\"\"", "\"1.2.3\"", "\"urn:oid:3.1\"", "\"urn:oid:1\"", "\"urn:oid:1.02\"", "\"urn:oid:1..2\"", "\"urn:oid:1.2.\""],
    ),
    ("valuePositiveInt", &["1", "2147483647"], &["0", "-1", "1.5"]),
    (
        "valueString",
        &["\"a\"", "\" a \"", "\"\\u00e9\\n\"", "\"a\\tb\""],
        &["\"\"", "\" \"", "\"\\n\"", "\"a\\u0000\"", "\"a\\b\"", "\"\u{a0}\""],
    ),
    ("valueTime", &["\"23:59:59\"", "\"00:00:00.1\""], &["\"\"", "\"24:00:00\"", "\"12:00\"", "\"12:00:00Z\""]),
    ("valueUnsignedInt", &["0", "2147483647"], &["-1", "2147483648"]),
    ("valueUri", &["\"urn:x\"", "\"#a\"", "\"é\""], &["\"\"", "\" \"", "\"a b\"", "\"a\\n\""]),
    ("valueUrl", &["\"http://a\""], &["\"\"", "\"http://a b\""]),
    (
        "valueUuid",
        &["\"urn:uuid:c757873d-ec9a-4326-a141-556f43239520\""],
        &[
            "\"\"",
            "\"c757873d-ec9a-4326-a141-556f43239520\"",
            "\"urn:uuid:C757873D-ec9a-4326-a141-556f43239520\"",
            "\"urn:uuid:c757873dec9a4326a141556f43239520\"",
            "\"urn:uuid:c757873d-ec9a-4326-a141-556f4323952\"",
        ],
    ),
];

#[test]
fn a_primitive_value_has_the_form_of_its_type() {
    let judge = |property: &str, text: &str| {
        let text = format!("{{\"resourceType\":\"Patient\",\"extension\":[{{\"url\":\"u\",\"{property}\":{text}}}]}}");
        let issues = validator().check(ResourceType::Patient, &Tree::parse(text.as_bytes()).unwrap());
        issues.into_iter().map(|issue| (issue.code, issue.expression.unwrap())).collect::<Vec<_>>()
    };
    for (property, right, wrong) in FORMS {
        for text in *right {
            assert_eq!(judge(property, text), [], "{property} {text}");
        }
        for text in *wrong {
            assert_eq!(
                judge(property, text),
                [(IssueCode::Value, String::from("Patient.extension[0].value"))],
                "{property} {text}"
            );
        }
    }
}

#[test]
fn a_string_has_a_greatest_length() {
    let with = |length: usize| patient(json!({"name": [{"text": "é".repeat(length)}]}));
    accepted(&with(1024 * 1024));
    refused(&with(1024 * 1024 + 1), "value", "Patient.name[0].text");
}

#[test]
fn a_narrative_is_one_div() {
    let with = |div: &str| patient(json!({"text": {"status": "generated", "div": div}}));
    accepted(&with("<div xmlns=\"http://www.w3.org/1999/xhtml\"><p>x</p></div>"));
    for div in ["", "x", "<p>x</p>", "<divx>x</divx>", "<div>x"] {
        refused(&with(div), "value", "Patient.text.div");
    }
}

/// How a valid resource is damaged at one place.
#[derive(Clone, Copy, Debug)]
enum Damage {
    Null,
    Nested,
    Emptied,
    Replaced,
    UnknownBeside,
}

/// Every place in a resource: how to reach it in JSON, and its FHIRPath.
fn places(value: &Value, pointer: &str, path: &str, out: &mut Vec<(String, String)>) {
    match value {
        Value::Object(members) => {
            for (name, member) in members.iter().filter(|(name, _)| *name != "resourceType") {
                let element = name.strip_prefix('_').unwrap_or(name);
                let element = if element.starts_with("value") && element != "value" { "value" } else { element };
                places(member, &format!("{pointer}/{name}"), &format!("{path}.{element}"), out);
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                places(item, &format!("{pointer}/{index}"), &format!("{path}[{index}]"), out);
            }
        }
        Value::Null => return,
        Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
    out.push((pointer.to_owned(), path.to_owned()));
}

/// Damages `target`; gives what follows the path of the place in the expression of the issue.
fn damage(target: &mut Value, damage: Damage) -> Option<&'static str> {
    match damage {
        Damage::Null => *target = Value::Null,
        Damage::Nested => *target = json!([[target.take()]]),
        Damage::Emptied if target.is_string() => *target = json!(""),
        Damage::Replaced if target.is_object() => *target = json!("x"),
        Damage::Replaced if !target.is_array() => *target = json!({"x": 1}),
        Damage::Replaced => *target = json!(true),
        Damage::UnknownBeside => {
            target.as_object_mut()?.insert(String::from("unheardOf"), json!(1));
            return Some(".unheardOf");
        }
        Damage::Emptied => return None,
    }
    Some("")
}

proptest! {
    #[test]
    fn damage_anywhere_is_found_where_it_was_done(
        at in any::<prop::sample::Index>(),
        kind in prop::sample::select(vec![Damage::Null, Damage::Nested, Damage::Emptied, Damage::Replaced, Damage::UnknownBeside]),
    ) {
        let mut resource = document_reference();
        let mut all = Vec::new();
        places(&resource, "", "DocumentReference", &mut all);
        let (pointer, path) = at.get(&all).clone();
        let is_whole = pointer.is_empty();
        let Some(below) = damage(resource.pointer_mut(&pointer).unwrap(), kind) else { return Ok(()) };
        prop_assume!(!is_whole || matches!(kind, Damage::UnknownBeside));
        let text = resource.to_string();
        let issues = validator().check(ResourceType::DocumentReference, &Tree::parse(text.as_bytes()).unwrap());
        prop_assert!(!issues.is_empty(), "{pointer} {kind:?}");
        let wanted = format!("{path}{below}");
        let found: Vec<_> = issues.iter().filter_map(|issue| issue.expression.as_deref()).collect();
        let is_near = |place: &&str| place.starts_with(&wanted);
        prop_assert!(found.iter().any(is_near), "{pointer} {kind:?}: {found:?}");
    }

    #[test]
    fn whatever_json_comes_is_judged_without_a_panic(text in "\\PC{0,200}") {
        let text = format!("{{\"resourceType\":\"Patient\",\"extension\":[{{\"url\":\"u\",\"valueString\":{}}}]}}", json!(text));
        let tree = Tree::parse(text.as_bytes()).unwrap();
        for kind in ResourceType::ALL {
            let _ = validator().check(*kind, &tree);
        }
    }
}
