//! Resources that chance makes.

use serde_json::{Value, json};

use super::chance::Chance;
use super::vocabulary::*;

/// FHIR has neither null nor empty arrays and objects.
pub(super) fn without_nothing(value: Value) -> Value {
    let is_something = |value: &Value| match value {
        Value::Null => false,
        Value::Array(items) => !items.is_empty(),
        Value::Object(members) => !members.is_empty(),
        _ => true,
    };
    match value {
        Value::Array(items) => items.into_iter().map(without_nothing).filter(is_something).collect(),
        Value::Object(members) => {
            let kept = members.into_iter().map(|(name, value)| (name, without_nothing(value)));
            Value::Object(kept.filter(|(_, value)| is_something(value)).collect())
        }
        plain => plain,
    }
}

fn coding(chance: &mut Chance) -> Value {
    json!({"system": chance.maybe(|chance| json!(chance.of(SYSTEMS))), "code": chance.of(CODES),
        "display": chance.maybe(|chance| json!(chance.of(DISPLAYS)))})
}

fn concept(chance: &mut Chance) -> Value {
    json!({"coding": [coding(chance), coding(chance)], "text": chance.maybe(|chance| json!(chance.of(DISPLAYS)))})
}

/// Sometimes a version, sometimes what has no address but an identifier.
fn reference(chance: &mut Chance, kind: &str) -> Value {
    if chance.one_in(12) {
        return json!({"identifier": identifier(chance)});
    }
    let id = chance.id();
    let version = if chance.one_in(6) { "/_history/1" } else { "" };
    json!({"reference": format!("{kind}/{id}{version}"), "identifier": if chance.one_in(4) { identifier(chance) } else { Value::Null }})
}

fn identifier(chance: &mut Chance) -> Value {
    json!({"system": chance.maybe(|chance| json!(chance.of(SYSTEMS))), "value": chance.of(CODES),
        "type": chance.maybe(|chance| json!({"coding": [{"system": "urn:t", "code": chance.of(&["MR", "SS"])}]}))})
}

/// Its digits stay as they are written.
fn number(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

fn quantity(chance: &mut Chance) -> Value {
    let unit = chance.of(UNITS);
    let word = if chance.one_in(2) { unit } else { chance.of(UNIT_WORDS) };
    let coded = !chance.one_in(8);
    json!({"value": number(chance.of(NUMBERS)), "unit": word,
        "system": if coded { json!(UCUM) } else { Value::Null }, "code": if coded { json!(unit) } else { Value::Null },
        "comparator": if chance.one_in(6) { json!(chance.of(&["<", "<=", ">", ">="])) } else { Value::Null }})
}

/// In years.
fn age(chance: &mut Chance) -> Value {
    json!({"value": number(chance.of(&["1", "1.0", "99.5", "100"])), "system": UCUM, "code": "a", "unit": "a"})
}

fn range(chance: &mut Chance) -> Value {
    let end = |value: &str| json!({"value": number(value), "system": UCUM, "code": "a", "unit": "a"});
    let (low, high) = (chance.of(&["0.5", "1"]), chance.of(&["99.5", "100"]));
    match chance.below(3) {
        0 => json!({"low": end(low)}),
        1 => json!({"high": end(high)}),
        _ => json!({"low": end(low), "high": end(high)}),
    }
}

fn period(chance: &mut Chance) -> Value {
    let (start, end) = (chance.of(&DATES[..4]), chance.of(&DATES[4..]));
    json!({"start": chance.maybe(|_| json!(start)), "end": chance.maybe(|_| json!(end))})
}

/// A moment or a day.
fn moment(chance: &mut Chance) -> Value {
    json!(if chance.one_in(2) { chance.of(DATES) } else { chance.of(INSTANTS) })
}

fn timing(chance: &mut Chance) -> Value {
    json!({"event": chance.several(moment),
        "repeat": if chance.one_in(2) { json!({"boundsPeriod": period(chance), "frequency": 1, "period": 1, "periodUnit": "d"}) } else { Value::Null }})
}

fn narrative(chance: &mut Chance) -> Value {
    let text = format!("<div xmlns=\"http://www.w3.org/1999/xhtml\"><p>{} et {}</p></div>", chance.of(WORDS), chance.of(WORDS));
    json!({"status": "generated", "div": text})
}

/// A resource of `kind`, whole but for its id.
pub(super) fn resource(chance: &mut Chance, kind: &str) -> Value {
    let mut resource = match kind {
        "Patient" => patient(chance),
        "Observation" => observation(chance),
        "Condition" => condition(chance),
        "ServiceRequest" => request(chance),
        "DocumentReference" => document(chance),
        "Location" => location(chance),
        "MolecularSequence" => sequence(chance),
        other => plain(chance, other),
    };
    resource["text"] = chance.maybe(narrative);
    let label = |chance: &mut Chance| if chance.one_in(3) { coding(chance) } else { Value::Null };
    resource["meta"] = json!({"tag": [label(chance)], "security": [label(chance)],
        "source": if chance.one_in(3) { json!(chance.of(URLS)) } else { Value::Null },
        "profile": if chance.one_in(3) { json!([format!("{}{}", chance.of(URLS), chance.of(VERSIONS))]) } else { Value::Null }});
    resource
}

fn plain(chance: &mut Chance, kind: &str) -> Value {
    match kind {
        "Encounter" => json!({"status": "finished", "class": {"system": CLASS_SYSTEM, "code": chance.of(CLASSES)},
            "subject": chance.maybe(|chance| reference(chance, "Patient")), "period": chance.maybe(period),
            "serviceProvider": chance.maybe(|chance| reference(chance, "Organization"))}),
        "List" => {
            json!({"status": "current", "mode": "working", "code": chance.maybe(concept), "title": chance.maybe(|chance| json!(chance.of(NAMES))),
            "subject": chance.maybe(|chance| reference(chance, "Patient")), "date": chance.maybe(moment),
            "entry": chance.several(|chance| { let kind = chance.of(&["Patient", "Observation"]); json!({"item": reference(chance, kind)}) })})
        }
        "Organization" => json!({"name": chance.of(NAMES), "active": chance.maybe(|chance| json!(chance.one_in(2))),
            "alias": chance.several(|chance| json!(chance.of(NAMES))),
            "partOf": chance.maybe(|chance| reference(chance, "Organization"))}),
        "RiskAssessment" => json!({"status": "final", "subject": reference(chance, "Patient"),
            "prediction": chance.several(|chance| json!({"probabilityDecimal": number(chance.of(&NUMBERS[..7]))}))}),
        "ValueSet" => json!({"status": "draft", "url": chance.maybe(|chance| json!(chance.of(URLS))),
            "name": "Sorted", "version": chance.maybe(|chance| json!(chance.of(CODES)))}),
        "Invoice" => {
            json!({"status": chance.of(&["issued", "draft"]), "subject": chance.maybe(|chance| reference(chance, "Patient")),
            "recipient": chance.maybe(|chance| { let kind = chance.of(&["Patient", "Organization"]); reference(chance, kind) }),
            "totalGross": chance.maybe(|chance| json!({"value": number(chance.of(NUMBERS)), "currency": chance.of(CURRENCIES)}))})
        }
        other => panic!("{other}"),
    }
}

fn patient(chance: &mut Chance) -> Value {
    let mut patient = json!({
        "active": chance.maybe(|chance| json!(chance.one_in(2))),
        "name": chance.several(|chance| json!({"family": chance.of(NAMES), "given": [chance.of(NAMES), chance.of(NAMES)],
            "text": chance.maybe(|chance| json!(chance.of(NAMES))), "prefix": chance.several(|chance| json!(chance.of(NAMES)))})),
        "birthDate": chance.maybe(|chance| json!(chance.of(&DATES[..4]))),
        "gender": chance.maybe(|chance| json!(chance.of(&["male", "female", "other"]))),
        "identifier": chance.several(identifier),
        "telecom": chance.several(|chance| json!({"system": chance.of(&["phone", "email"]), "value": chance.of(CODES)})),
        "address": chance.several(|chance| json!({"line": [chance.of(NAMES)], "city": chance.of(NAMES), "use": chance.of(&["home", "work"])})),
        "managingOrganization": chance.maybe(|chance| reference(chance, "Organization")),
        "link": if chance.one_in(4) { json!([{"other": reference(chance, "Patient"), "type": "seealso"}]) } else { Value::Null },
    });
    match chance.below(4) {
        0 => patient["deceasedBoolean"] = json!(chance.one_in(2)),
        1 => patient["deceasedDateTime"] = moment(chance),
        _ => {}
    }
    patient
}

fn observation(chance: &mut Chance) -> Value {
    let mut resource = json!({"status": chance.of(&["final", "amended"]), "code": concept(chance),
        "category": chance.several(|chance| json!({"coding": [{"system": CATEGORY_SYSTEM, "code": chance.of(CATEGORIES)}]})),
        "subject": chance.maybe(|chance| { let kind = chance.of(&["Patient", "Patient", "Location"]); reference(chance, kind) }),
        "performer": chance.several(|chance| { let kind = chance.of(&["Patient", "Organization"]); reference(chance, kind) }),
        "encounter": chance.maybe(|chance| reference(chance, "Encounter")),
        "hasMember": chance.several(|chance| reference(chance, "Observation")),
        "component": chance.several(|chance| json!({"code": concept(chance), "valueQuantity": chance.maybe(quantity)}))});
    match chance.below(6) {
        0 => {}
        1 => resource["valueString"] = json!(chance.of(NAMES)),
        2 => resource["valueCodeableConcept"] = concept(chance),
        3 => resource["valueDateTime"] = moment(chance),
        _ => resource["valueQuantity"] = quantity(chance),
    }
    match chance.below(5) {
        0 => {}
        1 => resource["effectivePeriod"] = period(chance),
        2 => resource["effectiveInstant"] = json!(chance.of(INSTANTS)),
        3 => resource["effectiveTiming"] = timing(chance),
        _ => resource["effectiveDateTime"] = moment(chance),
    }
    resource
}

fn condition(chance: &mut Chance) -> Value {
    let mut resource = json!({"subject": reference(chance, "Patient"), "code": chance.maybe(concept),
        "encounter": chance.maybe(|chance| reference(chance, "Encounter")),
        "asserter": chance.maybe(|chance| reference(chance, "Patient")),
        "evidence": chance.several(|chance| json!({"code": [concept(chance)], "detail": [reference(chance, "Observation")]})),
        "recordedDate": chance.maybe(moment)});
    match chance.below(6) {
        0 => {}
        1 => resource["onsetAge"] = age(chance),
        2 => resource["onsetRange"] = range(chance),
        3 => resource["onsetPeriod"] = period(chance),
        4 => resource["onsetString"] = json!(chance.of(NAMES)),
        _ => resource["onsetDateTime"] = moment(chance),
    }
    resource
}

fn request(chance: &mut Chance) -> Value {
    let mut resource = json!({"status": "active", "intent": chance.of(&["order", "plan"]),
        "subject": reference(chance, "Patient"), "code": chance.maybe(concept),
        "authoredOn": chance.maybe(moment), "requisition": chance.maybe(identifier),
        "replaces": chance.several(|chance| reference(chance, "ServiceRequest")),
        "performer": chance.several(|chance| { let kind = chance.of(&["Patient", "Organization"]); reference(chance, kind) }),
        "instantiatesUri": chance.several(|chance| json!(chance.of(URLS))),
        "instantiatesCanonical": chance.several(|chance| json!(format!("{}{}", chance.of(URLS), chance.of(VERSIONS))))});
    match chance.below(4) {
        0 => {}
        1 => resource["occurrencePeriod"] = period(chance),
        2 => resource["occurrenceTiming"] = timing(chance),
        _ => resource["occurrenceDateTime"] = moment(chance),
    }
    resource
}

fn document(chance: &mut Chance) -> Value {
    json!({"status": chance.of(&["current", "superseded"]), "type": chance.maybe(concept),
        "subject": chance.maybe(|chance| reference(chance, "Patient")), "date": chance.maybe(|chance| json!(chance.of(INSTANTS))),
        "description": chance.maybe(|chance| json!(chance.of(NAMES))),
        "author": chance.several(|chance| reference(chance, "Organization")),
        "relatesTo": chance.several(|chance| json!({"code": chance.of(RELATIONS), "target": reference(chance, "DocumentReference")})),
        "context": {"period": chance.maybe(period), "encounter": chance.several(|chance| reference(chance, "Encounter"))},
        "content": [{"attachment": {"contentType": chance.of(CONTENT_TYPES), "title": "x"}}]})
}

fn location(chance: &mut Chance) -> Value {
    let (latitude, longitude) = chance.of(PLACES);
    json!({"status": chance.maybe(|chance| json!(chance.of(&["active", "inactive"]))), "name": chance.maybe(|chance| json!(chance.of(NAMES))),
        "alias": chance.several(|chance| json!(chance.of(NAMES))),
        "address": chance.maybe(|chance| json!({"line": [chance.of(NAMES)], "city": chance.of(NAMES)})),
        "position": chance.maybe(|_| json!({"latitude": number(latitude), "longitude": number(longitude)})),
        "partOf": chance.maybe(|chance| reference(chance, "Location")),
        "managingOrganization": chance.maybe(|chance| reference(chance, "Organization"))})
}

fn sequence(chance: &mut Chance) -> Value {
    let place = |chance: &mut Chance| json!(chance.below(4));
    let chromosome = |chance: &mut Chance| json!({"coding": [{"system": "http://terminology.hl7.org/CodeSystem/chromosome-human", "code": chance.of(CHROMOSOMES)}]});
    json!({"coordinateSystem": 0, "type": "dna", "patient": chance.maybe(|chance| reference(chance, "Patient")),
        "referenceSeq": chance.maybe(|chance| json!({"chromosome": chance.maybe(chromosome), "genomeBuild": "GRCh37", "strand": "watson",
            "windowStart": place(chance), "windowEnd": place(chance)})),
        "variant": chance.several(|chance| json!({"start": place(chance), "end": chance.maybe(place)}))})
}
