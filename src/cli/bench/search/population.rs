//! Who lives in the store that searches are measured on: dossiers as a generator of synthetic patients makes them, every value drawn
//! from a skewed distribution, the same in every run.

use serde_json::{Value, json};

use super::super::random::Sequence;
use super::super::resource;

/// The resources of a dossier, the patient among them.
pub(super) const DOSSIER_RESOURCES: u64 = 50;
/// Those who are about nobody.
pub(super) const PRACTITIONERS: u64 = 400;
/// How many codes observations and conditions are drawn from; the first is the most frequent one by far.
pub(super) const CODES: u64 = 240;

pub(super) const OBSERVATION_CODES: &str = "https://carnet.example/fhir/CodeSystem/bench-observation";
pub(super) const CONDITION_CODES: &str = "https://carnet.example/fhir/CodeSystem/bench-condition";
pub(super) const UNITS: &str = "http://unitsofmeasure.org";

const BEGINNINGS: [&str; 12] = ["Mar", "Ber", "Du", "Le", "Gau", "Che", "Fon", "Ro", "Vi", "La", "Per", "Sou"];
const MIDDLES: [&str; 8] = ["ti", "na", "ro", "ve", "sa", "mo", "li", "de"];
const ENDINGS: [&str; 9] = ["net", "ard", "lle", "eau", "zet", "rin", "bois", "guès", "nel"];
const GIVEN: [&str; 10] = ["Camille", "Léa", "Hugo", "Inès", "Jules", "Zoé", "Noé", "Anaïs", "Théo", "Chloé"];
/// How many of each type follow the patient; 49 in all.
const MIX: [(Kind, u64); 6] = [
    (Kind::Document, 10),
    (Kind::Observation, 16),
    (Kind::Encounter, 8),
    (Kind::Condition, 8),
    (Kind::Immunization, 5),
    (Kind::Allergy, 2),
];

#[derive(Clone, Copy)]
enum Kind {
    Document,
    Observation,
    Encounter,
    Condition,
    Immunization,
    Allergy,
}

/// The practitioner with this number.
pub(super) fn practitioner(number: u64) -> Value {
    let mut draw = Sequence::new(number ^ 0x5052_4143);
    json!({
        "resourceType": "Practitioner",
        "identifier": [{"system": "urn:oid:1.2.250.1.71.4.2.1", "value": format!("8{number:011}")}],
        "name": [{"family": family(&mut draw), "given": [given(&mut draw)]}],
    })
}

/// The patient with this number.
pub(super) fn patient(number: u64) -> Value {
    let mut draw = Sequence::new(number ^ 0x5041_5449);
    let mut patient = resource::patient(number);
    if let Some(name) = patient.pointer_mut("/name/0") {
        *name = json!({"use": "official", "family": family(&mut draw), "given": [given(&mut draw)]});
    }
    patient
}

/// What the dossier with this number holds beside its patient.
pub(super) fn content(number: u64, patient: &str, practitioners: &[String]) -> Vec<Value> {
    let mut draw = Sequence::new(number);
    let mut made = Vec::with_capacity(DOSSIER_RESOURCES as usize);
    for (kind, count) in MIX {
        for index in 0..count {
            let practitioner = draw.one_of(practitioners).map(String::as_str).unwrap_or_default();
            made.push(one(kind, (number, index), (patient, practitioner), &mut draw));
        }
    }
    made
}

fn one(kind: Kind, (dossier, index): (u64, u64), (patient, practitioner): (&str, &str), draw: &mut Sequence) -> Value {
    let subject = json!({"reference": patient});
    let date = moment(draw);
    match kind {
        Kind::Document => {
            let loinc = if index % 3 == 0 { resource::SOUGHT_TYPE } else { resource::OTHER_TYPE };
            let mut document = resource::document(patient, dossier * DOSSIER_RESOURCES + index, loinc);
            if let Some(members) = document.as_object_mut() {
                members.insert("author".to_owned(), json!([{"reference": practitioner}]));
                members.insert("date".to_owned(), json!(date));
            }
            document
        }
        Kind::Observation => {
            let code = skewed(draw);
            json!({
                "resourceType": "Observation", "status": "final", "subject": subject, "effectiveDateTime": date,
                "category": [coded("http://terminology.hl7.org/CodeSystem/observation-category", "laboratory")],
                "code": coded(OBSERVATION_CODES, &observation_code(code)), "performer": [{"reference": practitioner}],
                "valueQuantity": {
                    "value": draw.next() % 3_000, "unit": "mg/dL", "system": UNITS, "code": "mg/dL",
                },
            })
        }
        Kind::Encounter => json!({
            "resourceType": "Encounter", "status": "finished", "subject": subject,
            "class": {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "AMB"},
            "period": {"start": date, "end": date}, "participant": [{"individual": {"reference": practitioner}}],
        }),
        Kind::Condition => {
            let code = skewed(draw);
            json!({
                "resourceType": "Condition", "subject": subject, "recordedDate": date, "onsetDateTime": moment(draw),
                "clinicalStatus": coded("http://terminology.hl7.org/CodeSystem/condition-clinical", "active"),
                "code": coded(CONDITION_CODES, &condition_code(code)),
            })
        }
        Kind::Immunization => json!({
            "resourceType": "Immunization", "status": "completed", "patient": subject, "occurrenceDateTime": date,
            "vaccineCode": coded("http://hl7.org/fhir/sid/cvx", &(1 + skewed(draw) % 60).to_string()),
            "lotNumber": format!("L{}", draw.next() % 5_000),
        }),
        Kind::Allergy => json!({
            "resourceType": "AllergyIntolerance", "patient": subject, "recordedDate": date, "criticality": "high",
            "clinicalStatus": coded("http://terminology.hl7.org/CodeSystem/allergyintolerance-clinical", "active"),
            "code": coded(CONDITION_CODES, &format!("a-{}", skewed(draw) % 40)),
        }),
    }
}

/// The code of observations with this rank.
pub(super) fn observation_code(rank: u64) -> String {
    format!("o-{rank}")
}

/// The code of conditions with this rank.
pub(super) fn condition_code(rank: u64) -> String {
    format!("c-{rank}")
}

/// A family name.
pub(super) fn family(draw: &mut Sequence) -> String {
    [&BEGINNINGS[..], &MIDDLES[..], &ENDINGS[..]].map(|parts| draw.one_of(parts).copied().unwrap_or_default()).concat()
}

fn given(draw: &mut Sequence) -> &'static str {
    draw.one_of(&GIVEN).copied().unwrap_or_default()
}

fn coded(system: &str, code: &str) -> Value {
    json!({"coding": [{"system": system, "code": code}]})
}

/// A rank below [`CODES`]: of so many codes about 16 in 100 draws give the first.
fn skewed(draw: &mut Sequence) -> u64 {
    let uniform = (draw.next() % 1_000_000) as f64 / 1_000_000.0;
    ((CODES as f64 * uniform.powi(3)) as u64).min(CODES - 1)
}

/// A moment of the ten years to the end of 2025.
fn moment(draw: &mut Sequence) -> String {
    let (year, month, day) = (2016 + draw.next() % 10, 1 + draw.next() % 12, 1 + draw.next() % 28);
    format!("{year}-{month:02}-{day:02}T{:02}:{:02}:00+01:00", draw.next() % 24, draw.next() % 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dossier_is_the_same_every_time_and_as_large_as_said() {
        let practitioners = [String::from("Practitioner/a"), String::from("Practitioner/b")];
        let made = content(7, "Patient/p", &practitioners);
        assert_eq!(made.len() as u64 + 1, DOSSIER_RESOURCES);
        assert_eq!(made, content(7, "Patient/p", &practitioners));
        assert_ne!(made, content(8, "Patient/p", &practitioners));
    }

    #[test]
    fn the_first_code_is_drawn_about_sixteen_times_in_a_hundred() {
        let mut draw = Sequence::new(1);
        let ranks: Vec<u64> = (0..10_000).map(|_| skewed(&mut draw)).collect();
        let first = ranks.iter().filter(|rank| **rank == 0).count();
        assert!((1_400..1_800).contains(&first), "{first}");
        assert!(ranks.iter().any(|rank| *rank > CODES - 10));
    }
}
