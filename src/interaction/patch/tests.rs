//! What each operation does, in the situations of the published cases of FHIRPath Patch and in those of RFC 6902, and that neither
//! language can break anything else.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::draft::Draft;
use super::fhirpath::Ground;
use super::narrative;
use crate::definition::Registry;
use crate::fhir::json::Tree;
use crate::outcome::{Failure, Kind};

const MOST_BYTES: usize = 64 * 1024;

fn by_json(resource: &str, patch: &str) -> Result<String, Failure> {
    let mut draft = Draft::new(resource.as_bytes(), MOST_BYTES)?;
    super::json::apply(&mut draft, patch.as_bytes())?;
    draft.prune()?;
    Ok(draft.into_json())
}

fn by_fhirpath(resource: &str, operations: &[Value]) -> Result<String, Failure> {
    let kind = serde_json::from_str::<Value>(resource).unwrap()["resourceType"].as_str().unwrap().parse().unwrap();
    let ground = Ground { registry: Registry::shared().unwrap(), kind };
    let parameters = if operations.is_empty() {
        json!({"resourceType": "Parameters"})
    } else {
        json!({"resourceType": "Parameters", "parameter": operations})
    };
    let parameters = parameters.to_string();
    let mut draft = Draft::new(resource.as_bytes(), MOST_BYTES)?;
    super::fhirpath::apply(ground, &mut draft, &Tree::parse(parameters.as_bytes()).unwrap())?;
    Ok(draft.into_json())
}

/// `{"resourceType":"Patient"` and `members`.
fn patient(members: &str) -> String {
    let comma = if members.is_empty() { "" } else { "," };
    format!(r#"{{"resourceType":"Patient"{comma}{members}}}"#)
}

fn operation(parts: &[(&str, Value)]) -> Value {
    let part = |(name, content): &(&str, Value)| {
        let mut part = json!({"name": name});
        part.as_object_mut().unwrap().extend(content.as_object().unwrap().clone());
        part
    };
    json!({"name": "operation", "part": parts.iter().map(part).collect::<Vec<_>>()})
}

fn code(code: &str) -> Value {
    json!({"valueCode": code})
}

fn text(text: &str) -> Value {
    json!({"valueString": text})
}

fn number(number: u32) -> Value {
    json!({"valueInteger": number})
}

fn add(path: &str, name: &str, value: Value) -> Value {
    operation(&[("type", code("add")), ("path", text(path)), ("name", text(name)), ("value", value)])
}

fn insert(path: &str, index: u32, value: Value) -> Value {
    operation(&[("type", code("insert")), ("path", text(path)), ("index", number(index)), ("value", value)])
}

fn delete(path: &str) -> Value {
    operation(&[("type", code("delete")), ("path", text(path))])
}

fn replace(path: &str, value: Value) -> Value {
    operation(&[("type", code("replace")), ("path", text(path)), ("value", value)])
}

fn moved(path: &str, source: u32, destination: u32) -> Value {
    let numbers = [("source", number(source)), ("destination", number(destination))];
    operation(&[&[("type", code("move")), ("path", text(path))], &numbers[..]].concat())
}

#[track_caller]
fn becomes(before: &str, operations: &[Value], after: &str) {
    assert_eq!(by_fhirpath(before, operations).unwrap(), after);
}

/// The diagnostics of what is refused.
#[track_caller]
fn refused(before: &str, operations: &[Value]) -> String {
    let failure = by_fhirpath(before, operations).unwrap_err();
    assert!(matches!(failure.kind(), Kind::Invalid | Kind::Malformed), "{failure}");
    assert!(failure.issues()[0].expression.as_deref().unwrap().starts_with("Parameters.parameter["));
    failure.issues()[0].diagnostics.clone()
}

#[test]
fn no_operation_changes_nothing() {
    becomes(&patient(r#""birthDate":"1920-01-01""#), &[], &patient(r#""birthDate":"1920-01-01""#));
}

#[test]
fn a_primitive_is_added_replaced_and_deleted_at_the_top_and_inside() {
    let born = json!({"valueDate": "1930-01-01"});
    let old = patient(r#""birthDate":"1920-01-01""#);
    becomes(&patient(""), &[add("Patient", "birthDate", born.clone())], &patient(r#""birthDate":"1930-01-01""#));
    becomes(&old, &[replace("Patient.birthDate", born)], &patient(r#""birthDate":"1930-01-01""#));
    becomes(&old, &[delete("Patient.birthDate")], &patient(""));
    becomes(&patient(""), &[delete("Patient.birthDate")], &patient(""));
    let contact = |inside: &str| patient(&format!(r#""contact":[{{{inside}}}]"#));
    let (named, male) = (r#""name":{"text":"a name"}"#, r#""gender":"male""#);
    let both = contact(&format!("{named},{male}"));
    becomes(&both, &[replace("Patient.contact[0].gender", code("female"))], &contact(&format!(r#"{named},"gender":"female""#)));
    becomes(&both, &[replace("Patient.contact[0].name.text", text("x"))], &contact(&format!(r#""name":{{"text":"x"}},{male}"#)));
    becomes(&both, &[delete("Patient.contact[0].gender")], &contact(named));
    becomes(&contact(named), &[add("Patient.contact[0]", "gender", code("male"))], &both);
}

#[test]
fn an_element_whose_last_part_is_deleted_goes_too() {
    let before = patient(r#""contact":[{"name":{"text":"a name"},"gender":"male"}]"#);
    becomes(&before, &[delete("Patient.contact[0].name.text")], &patient(r#""contact":[{"gender":"male"}]"#));
    becomes(&patient(r#""contact":[{"name":{"text":"a"}}]"#), &[delete("Patient.contact.name.text")], &patient(""));
}

#[test]
fn a_complex_element_is_added_replaced_with_its_id_and_deleted() {
    let concept = |id: Option<&str>, text: &str| match id {
        Some(id) => json!({"valueCodeableConcept": {"id": id, "text": text}}),
        None => json!({"valueCodeableConcept": {"text": text}}),
    };
    let married = patient(r#""maritalStatus":{"text":"married"}"#);
    becomes(&patient(""), &[add("Patient", "maritalStatus", concept(None, "married"))], &married);
    let other = patient(r#""maritalStatus":{"id":"2","text":"not married"}"#);
    becomes(&married, &[replace("Patient.maritalStatus", concept(Some("2"), "not married"))], &other);
    becomes(&married, &[delete("Patient.maritalStatus")], &patient(""));
}

#[test]
fn an_element_of_a_type_without_a_name_is_told_by_its_parts() {
    let name = json!({"name": "name", "valueHumanName": {"text": "a name"}});
    let phone = json!({"name": "telecom", "valueContactPoint": {"value": "1"}});
    let mobile = json!({"name": "telecom", "valueContactPoint": {"value": "2"}});
    let contact = json!({"part": [name, phone, mobile]});
    let after = patient(r#""contact":[{"name":{"text":"a name"},"telecom":[{"value":"1"},{"value":"2"}]}]"#);
    becomes(&patient(""), &[add("Patient", "contact", contact)], &after);
    becomes(&after, &[delete("Patient.contact[0]")], &patient(""));
    let target = json!({"part": [{"name": "measure", "valueCodeableConcept": {"text": "m"}},
        {"name": "detail", "valueQuantity": {"value": 1}}]});
    let goal = r#"{"resourceType":"Goal"}"#;
    let expected = r#"{"resourceType":"Goal","target":[{"measure":{"text":"m"},"detailQuantity":{"value":1}}]}"#;
    becomes(goal, &[add("Goal", "target", target)], expected);
    let wrong = json!({"part": [{"name": "measure", "valueQuantity": {"value": 1}}]});
    assert!(refused(goal, &[add("Goal", "target", wrong)]).contains("not of a type"));
    let twice =
        json!({"part": [{"name": "name", "valueHumanName": {"text": "a"}}, {"name": "name", "valueHumanName": {"text": "b"}}]});
    assert!(refused(&patient(""), &[add("Patient", "contact", twice)]).contains("does not repeat"));
}

#[test]
fn each_operation_sees_what_the_one_before_made() {
    let before = patient(r#""contact":[{"name":{"family":"du Marché"}}]"#);
    let another = json!({"part": [{"name": "gender", "valueCode": "male"}]});
    let operations = [
        add("Patient.contact[0]", "gender", code("male")),
        add("Patient", "contact", another),
        replace("Patient.contact[1].gender", code("other")),
    ];
    let after = patient(r#""contact":[{"name":{"family":"du Marché"},"gender":"male"},{"gender":"other"}]"#);
    becomes(&before, &operations, &after);
}

#[test]
fn a_narrative_is_replaced_by_a_string() {
    let before = patient(r#""text":{"status":"generated","div":"<div>Chalmers</div>"},"name":[{"family":"Chalmers"}]"#);
    let operations =
        [replace("Patient.text.div", text("<div>Chalmers1</div>")), replace("Patient.name[0].family", text("Chalmers1"))];
    becomes(&before, &operations, &before.replace("Chalmers", "Chalmers1"));
}

/// A patient with identifiers of these values.
fn identified(values: &[u32]) -> String {
    let all: Vec<String> =
        values.iter().map(|value| format!(r#"{{"system":"http://example.org","value":"v{value}"}}"#)).collect();
    if all.is_empty() { patient("") } else { patient(&format!(r#""identifier":[{}]"#, all.join(","))) }
}

fn identifier(value: u32) -> Value {
    json!({"valueIdentifier": {"system": "http://example.org", "value": format!("v{value}")}})
}

#[test]
fn items_are_inserted_before_among_and_after_others_and_into_nothing() {
    for (index, after) in [(0, [3, 1, 2]), (1, [1, 3, 2]), (2, [1, 2, 3])] {
        becomes(&identified(&[1, 2]), &[insert("Patient.identifier", index, identifier(3))], &identified(&after));
    }
    becomes(&identified(&[]), &[insert("Patient.identifier", 0, identifier(1))], &identified(&[1]));
    becomes(&identified(&[]), &[insert("identifier", 0, identifier(1))], &identified(&[1]));
    becomes(&identified(&[1]), &[add("Patient", "identifier", identifier(2))], &identified(&[1, 2]));
    assert!(refused(&identified(&[1, 2]), &[insert("Patient.identifier", 3, identifier(3))]).contains("beyond the end"));
    assert!(refused(&identified(&[]), &[insert("Patient.identifier", 1, identifier(3))]).contains("beyond the end"));
    assert!(refused(&patient(r#""gender":"male""#), &[insert("Patient.gender", 0, code("x"))]).contains("no list"));
    assert!(refused(&identified(&[1, 2]), &[insert("Patient.identifier[0]", 0, identifier(3))]).contains("not to the whole"));
}

#[test]
fn one_item_of_a_list_is_deleted_and_never_several() {
    for (index, after) in [(0, [2, 3]), (1, [1, 3]), (2, [1, 2])] {
        becomes(&identified(&[1, 2, 3]), &[delete(&format!("Patient.identifier[{index}]"))], &identified(&after));
    }
    becomes(&identified(&[1, 2]), &[delete("Patient.identifier.where(value = 'v2')")], &identified(&[1]));
    becomes(&identified(&[1]), &[delete("Patient.identifier")], &identified(&[]));
    assert!(refused(&identified(&[1, 2]), &[delete("Patient.identifier")]).contains("several"));
}

#[test]
fn items_move_to_the_place_that_is_counted_without_them() {
    let table = [(3, 1, [1, 4, 2, 3]), (3, 0, [4, 1, 2, 3]), (3, 2, [1, 2, 4, 3]), (0, 3, [2, 3, 4, 1]), (1, 1, [1, 2, 3, 4])];
    for (source, destination, after) in table {
        becomes(&identified(&[1, 2, 3, 4]), &[moved("Patient.identifier", source, destination)], &identified(&after));
    }
    let turns = [(1, 0), (2, 1)].map(|(source, destination)| moved("Patient.identifier", source, destination));
    becomes(&identified(&[1, 2, 3, 4]), &turns, &identified(&[2, 3, 1, 4]));
    let turns = [(3, 0), (3, 1), (3, 2)].map(|(source, destination)| moved("Patient.identifier", source, destination));
    becomes(&identified(&[1, 2, 3, 4]), &turns, &identified(&[4, 3, 2, 1]));
    for (source, destination) in [(4, 0), (0, 4)] {
        assert!(refused(&identified(&[1, 2, 3, 4]), &[moved("Patient.identifier", source, destination)]).contains("beyond"));
    }
}

#[test]
fn the_items_of_a_list_stay_where_they_are_when_their_contents_change() {
    let before = patient(r#""identifier":[{"id":"a","value":"1"},{"id":"b","value":"2"}]"#);
    let after = patient(r#""identifier":[{"id":"a","value":"2"},{"id":"b","value":"1"}]"#);
    let operations = [replace("Patient.identifier[0].value", text("2")), replace("Patient.identifier[1].value", text("1"))];
    becomes(&before, &operations, &after);
}

#[test]
fn nothing_is_added_to_what_is_not_there() {
    let before = patient(r#""identifier":[{"use":"official","value":"123"}]"#);
    let path = "Patient.identifier.where(use = 'official').period";
    assert_eq!(
        refused(&before, &[add(path, "end", json!({"valueDate": "2021-12-01"}))]),
        "operation 1 (add): its path leads nowhere"
    );
    assert!(refused(&before, &[replace("Patient.birthDate", json!({"valueDate": "2021"}))]).contains("leads nowhere"));
    assert!(refused(&before, &[moved("Patient.name", 0, 0)]).contains("leads nowhere"));
}

#[test]
fn nothing_is_added_beside_an_element_that_does_not_repeat() {
    let before = r#"{"resourceType":"Observation","valueString":"x"}"#;
    let quantity = json!({"valueQuantity": {"value": 1}});
    for name in ["value", "valueQuantity"] {
        assert!(refused(before, &[add("Observation", name, quantity.clone())]).contains("there already"));
    }
    becomes(
        r#"{"resourceType":"Observation"}"#,
        &[add("Observation", "value", quantity.clone())],
        r#"{"resourceType":"Observation","valueQuantity":{"value":1}}"#,
    );
    becomes(before, &[replace("Observation.value", quantity)], r#"{"resourceType":"Observation","valueQuantity":{"value":1}}"#);
    assert!(refused(before, &[replace("Observation.value", json!({"valueAddress": {"city": "x"}}))]).contains("not of a type"));
}

#[test]
fn a_value_of_a_wrong_type_is_refused_and_one_that_is_more_special_is_not() {
    let table = [
        ("gender", json!({"valueDate": "2021"}), false),
        ("gender", json!({"valueString": "male"}), true),
        ("birthDate", json!({"valueString": "2021-01-01"}), false),
        ("birthDate", json!({"valueDateTime": "2021-01-01"}), false),
        ("active", json!({"valueBoolean": true}), true),
        ("active", json!({"valueString": "true"}), false),
        ("name", json!({"valueHumanName": {"text": "a"}}), true),
        ("name", json!({"valueAddress": {"text": "a"}}), false),
        ("name", json!({"part": [{"name": "text", "valueString": "a"}]}), true),
        ("shoeSize", json!({"valueInteger": 43}), false),
        ("deceased", json!({"valueDateTime": "2021"}), true),
        ("deceased", json!({"valueDate": "2021"}), true),
        ("contained", json!({"resource": {"resourceType": "Group", "id": "g"}}), true),
        ("contained", json!({"valueString": "g"}), false),
    ];
    for (name, value, is_right) in table {
        assert_eq!(by_fhirpath(&patient(""), &[add("Patient", name, value.clone())]).is_ok(), is_right, "{name} {value}");
    }
}

#[test]
fn what_stands_beside_a_primitive_follows_it() {
    let before = patient(r#""name":[{"given":["a","b"],"_given":[null,{"id":"1"}]}]"#);
    becomes(&before, &[delete("Patient.name.given[0]")], &patient(r#""name":[{"given":["b"],"_given":[{"id":"1"}]}]"#));
    becomes(&before, &[delete("Patient.name.given[1]")], &patient(r#""name":[{"given":["a"]}]"#));
    let swapped = patient(r#""name":[{"given":["b","a"],"_given":[{"id":"1"},null]}]"#);
    becomes(&before, &[moved("Patient.name.given", 1, 0)], &swapped);
    becomes(&before, &[replace("Patient.name.given[1]", text("c"))], &patient(r#""name":[{"given":["a","c"]}]"#));
    let supplied = json!({"valueString": "c", "_valueString": {"id": "2"}});
    let expected = patient(r#""name":[{"given":["a","b","c"],"_given":[null,{"id":"1"},{"id":"2"}]}]"#);
    becomes(&before, &[insert("Patient.name.given", 2, supplied)], &expected);
}

#[test]
fn an_extension_of_a_primitive_is_added_by_its_parts() {
    let extension = json!({"part": [{"name": "url", "valueUri": "http://e"}, {"name": "value", "valueString": "x"}]});
    let expected = patient(r#""birthDate":"2020","_birthDate":{"extension":[{"url":"http://e","valueString":"x"}]}"#);
    becomes(&patient(r#""birthDate":"2020""#), &[add("Patient.birthDate", "extension", extension)], &expected);
    becomes(&expected, &[replace("Patient.birthDate.extension.value", text("y"))], &expected.replace("\"x\"", "\"y\""));
    becomes(&expected, &[delete("Patient.birthDate.extension")], &patient(r#""birthDate":"2020""#));
}

#[test]
fn a_path_may_lead_into_contained_resources_and_no_further() {
    let before = r##"{"resourceType":"Observation","contained":[{"resourceType":"Patient","id":"p","active":true}],"subject":{"reference":"#p"},"performer":[{"reference":"Practitioner/1"}]}"##;
    let path = "Observation.subject.resolve().active";
    becomes(before, &[replace(path, json!({"valueBoolean": false}))], &before.replace("true", "false"));
    let path = "Observation.performer.resolve().active";
    assert!(refused(before, &[replace(path, json!({"valueBoolean": false}))]).contains("leads nowhere"));
    assert!(refused(before, &[replace("'x'", text("y"))]).contains("not an element"));
    assert!(refused(before, &[replace("Observation", text("y"))]).contains("resource itself"));
}

#[test]
fn what_the_server_says_of_a_resource_is_not_a_patchs_to_change() {
    let before = patient(r#""id":"p","meta":{"versionId":"1","lastUpdated":"2026-01-01T00:00:00Z","tag":[{"code":"a"}]}"#);
    let instant = json!({"valueInstant": "2026-01-02T00:00:00Z"});
    let refusals = [
        replace("Patient.id", json!({"valueId": "q"})),
        delete("Patient.id"),
        replace("Patient.meta.versionId", json!({"valueId": "2"})),
        delete("Patient.meta.versionId"),
        replace("Patient.meta.lastUpdated", instant),
        replace("Patient.meta", json!({"valueMeta": {"versionId": "3"}})),
    ];
    for operation in refusals {
        let diagnostics = refused(&before, &[delete("Patient.meta.tag"), operation.clone()]);
        assert!(diagnostics.starts_with("operation 2 (") && diagnostics.contains("not a patch's"), "{operation} {diagnostics}");
    }
    let after = patient(r#""id":"p","meta":{"profile":["http://p"]}"#);
    becomes(&before, &[replace("Patient.meta", json!({"valueMeta": {"profile": ["http://p"]}}))], &after);
    let refusals = [
        r#"{"op":"replace","path":"/id","value":"q"}"#,
        r#"{"op":"add","path":"/id","value":"p"}"#,
        r#"{"op":"remove","path":"/resourceType"}"#,
        r#"{"op":"remove","path":"/meta/versionId"}"#,
        r#"{"op":"move","from":"/meta/lastUpdated","path":"/birthDate"}"#,
        r#"{"op":"replace","path":"/meta","value":{"versionId":"2"}}"#,
        r#"{"op":"add","path":"","value":{"resourceType":"Group","id":"p"}}"#,
        r#"{"op":"add","path":"","value":[]}"#,
        r#"{"op":"remove","path":""}"#,
    ];
    for operation in refusals {
        let patch = format!(r#"[{{"op":"test","path":"/id","value":"p"}},{operation}]"#);
        let failure = by_json(&before, &patch).unwrap_err();
        assert_eq!((failure.kind(), failure.issues()[0].expression.as_deref()), (Kind::Invalid, Some("$this[1]")), "{operation}");
        assert!(failure.issues()[0].diagnostics.starts_with("operation 2 ("));
    }
}

#[test]
fn an_operation_that_is_none_is_told_apart_from_one_that_cannot_be_done() {
    let none = [
        json!({"name": "operations"}),
        operation(&[("type", code("upsert")), ("path", text("Patient"))]),
        operation(&[("type", code("delete"))]),
        operation(&[("type", code("delete")), ("path", text("Patient.name["))]),
        operation(&[("type", code("add")), ("path", text("Patient")), ("value", text("x"))]),
        operation(&[("type", code("add")), ("path", text("Patient")), ("name", text("name"))]),
        operation(&[("type", code("delete")), ("path", text("Patient")), ("path", text("Patient"))]),
        operation(&[("type", code("delete")), ("path", text("Patient")), ("where", text("x"))]),
        operation(&[("type", code("move")), ("path", text("Patient.name")), ("source", number(0))]),
    ];
    for operation in none {
        assert_eq!(
            by_fhirpath(&patient(""), std::slice::from_ref(&operation)).unwrap_err().kind(),
            Kind::Malformed,
            "{operation}"
        );
    }
    for patch in [
        "{}",
        "7",
        "[7]",
        r#"[{"op":"x","path":""}]"#,
        r#"[{"op":"add","path":"a","value":1}]"#,
        r#"[{"op":"add","path":"/a"}]"#,
        "[",
        "\u{feff}[]",
    ] {
        assert_eq!(by_json(&patient(""), patch).unwrap_err().kind(), Kind::Malformed, "{patch}");
    }
}

#[test]
fn json_patch_does_what_rfc_6902_says() {
    let before = r#"{"resourceType":"Patient","a":{"b":1.00,"c":[1,2]},"d":"\u00e9\/"}"#;
    let table = [
        (
            r#"{"op":"add","path":"/e","value":7.0}"#,
            r#"{"resourceType":"Patient","a":{"b":1.00,"c":[1,2]},"d":"\u00e9\/","e":7.0}"#,
        ),
        (r#"{"op":"add","path":"/a/c/1","value":9}"#, r#"{"resourceType":"Patient","a":{"b":1.00,"c":[1,9,2]},"d":"\u00e9\/"}"#),
        (r#"{"op":"add","path":"/a/c/-","value":9}"#, r#"{"resourceType":"Patient","a":{"b":1.00,"c":[1,2,9]},"d":"\u00e9\/"}"#),
        (r#"{"op":"add","path":"/a/b","value":[9]}"#, r#"{"resourceType":"Patient","a":{"b":[9],"c":[1,2]},"d":"\u00e9\/"}"#),
        (r#"{"op":"remove","path":"/a/c/0"}"#, r#"{"resourceType":"Patient","a":{"b":1.00,"c":[2]},"d":"\u00e9\/"}"#),
        (r#"{"op":"remove","path":"/a"}"#, r#"{"resourceType":"Patient","d":"\u00e9\/"}"#),
        (r#"{"op":"replace","path":"/a/c","value":"x"}"#, r#"{"resourceType":"Patient","a":{"b":1.00,"c":"x"},"d":"\u00e9\/"}"#),
        (r#"{"op":"move","from":"/a/b","path":"/b"}"#, r#"{"resourceType":"Patient","a":{"c":[1,2]},"d":"\u00e9\/","b":1.00}"#),
        (
            r#"{"op":"move","from":"/a/c/0","path":"/a/c/1"}"#,
            r#"{"resourceType":"Patient","a":{"b":1.00,"c":[2,1]},"d":"\u00e9\/"}"#,
        ),
        (
            r#"{"op":"copy","from":"/a/c","path":"/c"}"#,
            r#"{"resourceType":"Patient","a":{"b":1.00,"c":[1,2]},"d":"\u00e9\/","c":[1,2]}"#,
        ),
        (r#"{"op":"test","path":"/a","value":{"c":[1,2.0],"b":1}}"#, before),
        (r#"{"op":"test","path":"/d","value":"é/"}"#, before),
        (r#"{"op":"move","from":"/a","path":"/a"}"#, before),
    ];
    for (operation, after) in table {
        assert_eq!(by_json(before, &format!("[{operation}]")).unwrap(), after, "{operation}");
    }
    let refusals = [
        r#"{"op":"remove","path":"/x"}"#,
        r#"{"op":"replace","path":"/x","value":1}"#,
        r#"{"op":"add","path":"/x/y","value":1}"#,
        r#"{"op":"add","path":"/d/y","value":1}"#,
        r#"{"op":"add","path":"/a/c/3","value":1}"#,
        r#"{"op":"add","path":"/a/c/01","value":1}"#,
        r#"{"op":"move","from":"/a","path":"/a/z"}"#,
        r#"{"op":"copy","from":"/x","path":"/y"}"#,
        r#"{"op":"test","path":"/a/b","value":2}"#,
        r#"{"op":"test","path":"/a/b","value":"1.00"}"#,
        r#"{"op":"test","path":"/a/c","value":[2,1]}"#,
        r#"{"op":"test","path":"/x","value":null}"#,
    ];
    for operation in refusals {
        let failure = by_json(before, &format!("[{operation}]")).unwrap_err();
        assert_eq!((failure.kind().status(), failure.issues()[0].code.code()), (422, "processing"), "{operation}");
    }
}

#[test]
fn an_array_may_be_empty_between_two_operations_and_goes_if_it_stays_so() {
    let before = patient(r#""name":[{"text":"a"}]"#);
    assert_eq!(by_json(&before, r#"[{"op":"remove","path":"/name/0"}]"#).unwrap(), patient(""));
    let patch = r#"[{"op":"add","path":"/telecom","value":[]},{"op":"add","path":"/telecom/-","value":{"value":"1"}}]"#;
    assert_eq!(by_json(&before, patch).unwrap(), patient(r#""name":[{"text":"a"}],"telecom":[{"value":"1"}]"#));
}

#[test]
fn a_patch_cannot_make_a_resource_grow_without_bound() {
    let doubling = r#"{"op":"copy","from":"/a","path":"/a/-"}"#;
    let patch = format!("[{}]", vec![doubling; 200].join(","));
    let failure = by_json(r#"{"resourceType":"Patient","a":[1,2,3,4,5,6,7,8]}"#, &patch).unwrap_err();
    assert!(matches!(failure.kind(), Kind::TooLarge | Kind::Invalid), "{failure}");
    let many = format!("[{}]", vec![r#"{"op":"test","path":"/resourceType","value":"Patient"}"#; 1_001].join(","));
    assert_eq!(by_json(&patient(""), &many).unwrap_err().kind(), Kind::TooLarge);
}

#[test]
fn a_narrative_goes_when_what_it_was_generated_from_changes_and_stays_otherwise() {
    let with = |status: &str, rest: &str| {
        patient(&format!(r#""text":{{"status":"{status}","div":"<div>x</div>"}},"meta":{{"versionId":"1"}}{rest}"#))
    };
    let safe = |before: &str, after: &str| {
        let (before, after) = (before.to_owned(), after.to_owned());
        let (old, new) = (Tree::parse(before.as_bytes()).unwrap(), Tree::parse(after.as_bytes()).unwrap());
        narrative::safe(&old, &new)
    };
    let changed = |status: &str| safe(&with(status, ""), &with(status, r#","active":true"#));
    let without = patient(r#""meta":{"versionId":"1"},"active":true"#);
    assert_eq!(changed("generated").unwrap(), Some(without));
    assert_eq!(changed("empty").unwrap(), None);
    for status in ["extensions", "additional"] {
        let failure = changed(status).unwrap_err();
        assert_eq!((failure.kind().status(), failure.issues()[0].expression.as_deref()), (422, Some("Patient.text")));
        let new = with(status, r#","active":true"#).replace(">x<", ">y<");
        assert_eq!(safe(&with(status, ""), &new).unwrap(), None);
        assert_eq!(
            safe(&with(status, ""), &with(status, "").replace(r#""versionId":"1""#, r#""tag":[]"#).replace("[]", "[1]")).unwrap(),
            None
        );
    }
}

/// JSON such as resources are made of, nothing in it empty.
fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        any::<bool>().prop_map(Value::from),
        (-9_i64..9).prop_map(Value::from),
        "[a-c~/é\"]{0,3}".prop_map(Value::from)
    ];
    leaf.prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 1..4).prop_map(Value::from),
            proptest::collection::btree_map("[a-c~/]{1,2}", inner, 1..4)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

fn resource() -> impl Strategy<Value = Value> {
    proptest::collection::btree_map("[a-c]{1}", value(), 1..4).prop_map(|members| {
        let mut resource = json!({"resourceType": "Patient"});
        resource.as_object_mut().unwrap().extend(members);
        resource
    })
}

/// Pointers at everything in `value`, and at the end of every array.
fn pointers(value: &Value, at: &str, all: &mut Vec<String>) {
    all.push(at.to_owned());
    match value {
        Value::Object(members) => {
            members
                .iter()
                .for_each(|(name, value)| pointers(value, &format!("{at}/{}", name.replace('~', "~0").replace('/', "~1")), all));
            all.push(format!("{at}/new"));
        }
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(index, value)| pointers(value, &format!("{at}/{index}"), all));
            all.push(format!("{at}/-"));
        }
        _ => {}
    }
}

/// RFC 6902 over values: what the texts must agree with.
fn oracle(document: &mut Value, operation: &Value) -> Option<()> {
    let path = operation["path"].as_str()?;
    let from = || operation["from"].as_str();
    match operation["op"].as_str()? {
        "add" => oracle_add(document, path, operation["value"].clone()),
        "remove" => oracle_remove(document, path).map(drop),
        "replace" => {
            *document.pointer_mut(path)? = operation["value"].clone();
            Some(())
        }
        "copy" => {
            let value = document.pointer(from()?)?.clone();
            oracle_add(document, path, value)
        }
        "move" => {
            if path.starts_with(&format!("{}/", from()?)) {
                return None;
            }
            let value = document.pointer(from()?)?.clone();
            if path != from()? {
                oracle_remove(document, from()?)?;
                oracle_add(document, path, value)?;
            }
            Some(())
        }
        "test" => (*document.pointer(path)? == operation["value"]).then_some(()),
        _ => None,
    }
}

fn oracle_add(document: &mut Value, path: &str, value: Value) -> Option<()> {
    let Some((holder, last)) = path.rsplit_once('/') else {
        *document = value;
        return Some(());
    };
    match document.pointer_mut(holder)? {
        Value::Object(members) => drop(members.insert(last.replace("~1", "/").replace("~0", "~"), value)),
        Value::Array(items) => {
            let at = if last == "-" { items.len() } else { last.parse().ok().filter(|at| *at <= items.len())? };
            items.insert(at, value);
        }
        _ => return None,
    }
    Some(())
}

fn oracle_remove(document: &mut Value, path: &str) -> Option<Value> {
    let (holder, last) = path.rsplit_once('/')?;
    match document.pointer_mut(holder)? {
        Value::Object(members) => members.shift_remove(&last.replace("~1", "/").replace("~0", "~")),
        Value::Array(items) => {
            let at = last.parse().ok().filter(|at| *at < items.len())?;
            Some(items.remove(at))
        }
        _ => None,
    }
}

fn oracle_prune(value: &mut Value) {
    let is_empty = |value: &Value| {
        matches!(value, Value::Array(items) if items.is_empty()) || matches!(value, Value::Object(members) if members.is_empty())
    };
    match value {
        Value::Array(items) => {
            items.iter_mut().for_each(oracle_prune);
            items.retain(|item| !is_empty(item));
        }
        Value::Object(members) => {
            members.values_mut().for_each(oracle_prune);
            members.retain(|_, member| !is_empty(member));
        }
        _ => {}
    }
}

/// A resource and operations on places that are there, most of them.
fn patched() -> impl Strategy<Value = (Value, Vec<Value>)> {
    resource().prop_flat_map(|resource| {
        let mut all = Vec::new();
        pointers(&resource, "", &mut all);
        let place = proptest::sample::select(all);
        let op = proptest::sample::select(vec!["add", "remove", "replace", "move", "copy", "test"]);
        let operation = (op, place.clone(), place, value())
            .prop_map(|(op, path, from, value)| json!({"op": op, "path": path, "from": from, "value": value}));
        (Just(resource), proptest::collection::vec(operation, 1..6))
    })
}

proptest! {
    #[test]
    fn json_patch_agrees_with_an_oracle_on_values((resource, operations) in patched()) {
        let mut expected = Some(resource.clone());
        for operation in &operations {
            expected = expected.take().and_then(|mut document| {
                oracle(&mut document, operation)?;
                (document["resourceType"] == "Patient" && document.is_object()).then_some(document)
            });
            // What points at the type is refused even where it would change nothing.
            let is_fixed = |name: &str| operation[name] == "/resourceType";
            let op = operation["op"].as_str().unwrap();
            if (is_fixed("path") && op != "test") || (is_fixed("from") && op == "move") {
                expected = None;
            }
        }
        let made = by_json(&resource.to_string(), &Value::from(operations).to_string());
        match expected {
            None => prop_assert!(made.is_err(), "{made:?}"),
            Some(mut expected) => {
                oracle_prune(&mut expected);
                prop_assert_eq!(serde_json::from_str::<Value>(&made.unwrap()).unwrap(), expected);
            }
        }
    }

    #[test]
    fn whatever_bytes_come_as_a_patch_nothing_panics(bytes in "\\PC{0,60}", path in "[a-zA-Z.()\\[\\]0-9' =]{0,30}") {
        let _ = by_json(&patient(r#""name":[{"text":"a"}]"#), &bytes);
        let before = patient(r#""id":"p","name":[{"given":["a","b"],"_given":[null,{"id":"1"}]}]"#);
        for operation in [delete(&path), replace(&path, text("x")), insert(&path, 0, text("x")), add(&path, "text", text("x")), moved(&path, 0, 1)] {
            if let Ok(after) = by_fhirpath(&before, &[operation]) {
                prop_assert!(Tree::parse(after.as_bytes()).is_ok());
                prop_assert_eq!(&serde_json::from_str::<Value>(&after).unwrap()["id"], "p");
            }
        }
    }

    #[test]
    fn moving_an_item_there_and_back_leaves_the_bytes_as_they_were(source in 0_u32..4, destination in 0_u32..4) {
        let before = patient(r#""name":[{"given":["a","b","c","d"],"_given":[{"id":"1"},null,{"id":"3"},null]}],"multipleBirthInteger":1"#);
        let turns = [moved("Patient.name.given", source, destination), moved("Patient.name.given", destination, source)];
        prop_assert_eq!(by_fhirpath(&before, &turns).unwrap(), before);
    }
}
