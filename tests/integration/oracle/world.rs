//! The resources there are, and how they come, change and go.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::support::server::Server;

pub(super) const KINDS: &[&str] = &[
    "Patient",
    "Observation",
    "Observation",
    "Encounter",
    "DocumentReference",
    "List",
    "Organization",
    "RiskAssessment",
    "ValueSet",
];

const INSTANCES_OF_A_KIND: u64 = 12;

pub(super) const SYSTEMS: &[&str] = &["http://loinc.org", "urn:s"];
pub(super) const CODES: &[&str] = &["a", "B", "c|d", "e,f"];
pub(super) const DISPLAYS: &[&str] = &["Pouls", "pression arterielle", "Élan vital", "Poids"];
pub(super) const NAMES: &[&str] = &["Martin", "martin-Dupont", "Éluard", "D'Arc", "de la Tour", "Mart"];
pub(super) const DATES: &[&str] = &[
    "2025",
    "2025-12",
    "2025-12-31",
    "2026-01-01",
    "2025-12-31T23:30:00Z",
    "2026-01-01T00:30:00+01:00",
    "2026-01-01T10:00:00.5Z",
    "2026-07",
    "2027-01-01T00:00:00-05:00",
];
pub(super) const NUMBERS: &[&str] = &["1", "1.0", "0.5", "99.5", "100", "100.5", "1000", "-3", "0"];
pub(super) const UNITS: &[&str] = &["mg", "g", "kg", "mmol/L", "[unheard]"];
pub(super) const URLS: &[&str] = &[
    "http://acme.org/fhir",
    "http://acme.org/fhir/ValueSet",
    "http://acme.org/fhir/ValueSet/1",
    "http://acme.org/fhir/ValueSet/12",
    "urn:oid:1.2",
];
pub(super) const RELATIONS: &[&str] = &["replaces", "appends", "signs"];
pub(super) const CONTENT_TYPES: &[&str] = &["text/plain", "text/plain; charset=utf-8", "application/pdf"];
pub(super) const WORDS: &[&str] = &["grippe", "arachide", "Fièvre", "toux"];
pub(super) const CLASSES: &[&str] = &["AMB", "IMP", "ACUTE", "NONAC", "EMER"];
pub(super) const CLASS_SYSTEM: &str = "http://terminology.hl7.org/CodeSystem/v3-ActCode";
pub(super) const CATEGORIES: &[&str] = &["vital-signs", "laboratory", "unheard-of"];
pub(super) const CATEGORY_SYSTEM: &str = "http://terminology.hl7.org/CodeSystem/observation-category";

/// Numbers that look random and are the same each time.
pub(super) struct Chance(pub(super) u64);

impl Chance {
    pub(super) fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % limit
    }

    pub(super) fn of<T: Copy>(&mut self, all: &[T]) -> T {
        all[usize::try_from(self.below(all.len() as u64)).unwrap()]
    }

    pub(super) fn one_in(&mut self, turns: u64) -> bool {
        self.below(turns) == 0
    }

    fn maybe(&mut self, make: impl FnOnce(&mut Self) -> Value) -> Value {
        if self.one_in(3) { Value::Null } else { make(self) }
    }

    fn several(&mut self, make: impl Fn(&mut Self) -> Value) -> Value {
        (0..self.below(3)).map(|_| make(self)).collect()
    }
}

/// The id of an instance that may be there.
pub(super) fn id(chance: &mut Chance) -> String {
    format!("i{}", chance.below(INSTANCES_OF_A_KIND))
}

/// What is current.
#[derive(Default)]
pub(super) struct World {
    resources: BTreeMap<(String, String), Value>,
}

impl World {
    pub(super) fn of_kind<'w>(&'w self, kind: &'w str) -> impl Iterator<Item = &'w Value> {
        self.resources.iter().filter(move |((of, _), _)| of == kind).map(|(_, resource)| resource)
    }

    /// What a reference points at here.
    pub(super) fn target(&self, reference: &str) -> Option<&Value> {
        let (kind, id) = reference.split_once('/')?;
        let id = id.split_once('/').map_or(id, |(id, _)| id);
        self.resources.get(&(kind.to_owned(), id.to_owned()))
    }

    /// One resource comes, changes or goes.
    pub(super) fn change(&mut self, chance: &mut Chance, server: &Server) {
        let (kind, id) = (chance.of(KINDS), id(chance));
        let place = format!("/{kind}/{id}");
        let name = (kind.to_owned(), id.clone());
        if chance.one_in(6) {
            assert_eq!(server.delete(&place).status, 204, "{place}");
            self.resources.remove(&name);
            return;
        }
        let mut resource = resource(chance, kind);
        resource["resourceType"] = json!(kind);
        resource["id"] = json!(id);
        let resource = without_nothing(resource);
        let answer = server.put(&place, &resource);
        if answer.status == 422 {
            // Values that chance put together may break a rule of the type.
            return;
        }
        assert!(matches!(answer.status, 200 | 201), "{resource}: {}", String::from_utf8_lossy(&answer.body));
        // Tags of the version before stay: what the server keeps is what it searches.
        self.resources.insert(name, answer.json());
    }
}

/// FHIR has neither null nor empty arrays and objects.
fn without_nothing(value: Value) -> Value {
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

fn reference(chance: &mut Chance, kind: &str) -> Value {
    let id = id(chance);
    let version = if chance.one_in(6) { "/_history/1" } else { "" };
    json!({"reference": format!("{kind}/{id}{version}")})
}

fn identifier(chance: &mut Chance) -> Value {
    json!({"system": chance.maybe(|chance| json!(chance.of(SYSTEMS))), "value": chance.of(CODES),
        "type": chance.maybe(|chance| json!({"coding": [{"system": "urn:t", "code": chance.of(&["MR", "SS"])}]}))})
}

fn quantity(chance: &mut Chance) -> Value {
    let number: Value = serde_json::from_str(chance.of(NUMBERS)).unwrap();
    let unit = chance.of(UNITS);
    json!({"value": number, "system": "http://unitsofmeasure.org", "code": unit, "unit": unit,
        "comparator": if chance.one_in(6) { json!(chance.of(&["<", "<=", ">", ">="])) } else { Value::Null }})
}

fn period(chance: &mut Chance) -> Value {
    let ends = [chance.of(&DATES[..4]), chance.of(&DATES[7..])];
    json!({"start": chance.maybe(|_| json!(ends[0])), "end": chance.maybe(|_| json!(ends[1]))})
}

fn resource(chance: &mut Chance, kind: &str) -> Value {
    let narrative =
        format!("<div xmlns=\"http://www.w3.org/1999/xhtml\"><p>{} et {}</p></div>", chance.of(WORDS), chance.of(WORDS));
    let mut resource = match kind {
        "Patient" => json!({
            "active": chance.maybe(|chance| json!(chance.one_in(2))),
            "name": chance.several(|chance| json!({"family": chance.of(NAMES), "given": [chance.of(NAMES), chance.of(NAMES)]})),
            "birthDate": chance.maybe(|chance| json!(chance.of(&DATES[..4]))),
            "gender": chance.maybe(|chance| json!(chance.of(&["male", "female", "other"]))),
            "identifier": chance.several(identifier),
            "telecom": chance.several(|chance| json!({"system": "phone", "value": chance.of(CODES)})),
            "managingOrganization": chance.maybe(|chance| reference(chance, "Organization")),
        }),
        "Observation" => observation(chance),
        "Encounter" => json!({"status": "finished", "class": {"system": CLASS_SYSTEM, "code": chance.of(CLASSES)},
            "subject": chance.maybe(|chance| reference(chance, "Patient")), "period": chance.maybe(period),
            "serviceProvider": chance.maybe(|chance| reference(chance, "Organization"))}),
        "DocumentReference" => json!({"status": chance.of(&["current", "superseded"]), "type": chance.maybe(concept),
            "subject": chance.maybe(|chance| reference(chance, "Patient")), "date": chance.maybe(|chance| json!(chance.of(&DATES[4..7]))),
            "description": chance.maybe(|chance| json!(chance.of(NAMES))),
            "author": chance.several(|chance| reference(chance, "Organization")),
            "relatesTo": chance.several(|chance| json!({"code": chance.of(RELATIONS), "target": reference(chance, "DocumentReference")})),
            "content": [{"attachment": {"contentType": chance.of(CONTENT_TYPES), "title": "x"}}]}),
        "List" => {
            json!({"status": "current", "mode": "working", "code": chance.maybe(concept), "title": chance.maybe(|chance| json!(chance.of(NAMES))),
            "entry": chance.several(|chance| { let kind = chance.of(&["Patient", "Observation"]); json!({"item": reference(chance, kind)}) })})
        }
        "Organization" => json!({"name": chance.of(NAMES), "active": chance.maybe(|chance| json!(chance.one_in(2))),
            "partOf": chance.maybe(|chance| reference(chance, "Organization"))}),
        "RiskAssessment" => json!({"status": "final", "subject": reference(chance, "Patient"),
            "prediction": chance.several(|chance| json!({"probabilityDecimal": serde_json::from_str::<Value>(chance.of(&NUMBERS[..7])).unwrap()}))}),
        "ValueSet" => json!({"status": "draft", "url": chance.maybe(|chance| json!(chance.of(URLS)))}),
        other => panic!("{other}"),
    };
    resource["text"] = chance.maybe(|_| json!({"status": "generated", "div": narrative}));
    resource["meta"] = json!({"tag": if chance.one_in(3) { coding(chance) } else { Value::Null }});
    resource["meta"]["tag"] = json!([resource["meta"]["tag"].take()]);
    resource
}

fn observation(chance: &mut Chance) -> Value {
    let mut resource = json!({"status": chance.of(&["final", "amended"]), "code": concept(chance),
        "category": chance.several(|chance| json!({"coding": [{"system": CATEGORY_SYSTEM, "code": chance.of(CATEGORIES)}]})),
        "subject": chance.maybe(|chance| reference(chance, "Patient")), "encounter": chance.maybe(|chance| reference(chance, "Encounter")),
        "valueQuantity": chance.maybe(quantity),
        "component": chance.several(|chance| json!({"code": concept(chance), "valueQuantity": chance.maybe(quantity)}))});
    match chance.below(4) {
        0 => {}
        1 => resource["effectivePeriod"] = period(chance),
        2 => resource["effectiveInstant"] = json!(chance.of(&DATES[4..7])),
        _ => resource["effectiveDateTime"] = json!(chance.of(DATES)),
    }
    resource
}
