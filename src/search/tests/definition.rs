//! Whether a resource matches, decided by the standard's definitions over a small model of it, must be what extraction and plan
//! decide together.

use chrono_tz::Europe::Paris;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::{BASE, NOW, finds, indexer};
use crate::fhir::date::PartialDate;

/// An Observation, as far as the questions go.
#[derive(Clone, Debug)]
struct Observation {
    codes: Vec<(Option<&'static str>, &'static str)>,
    subject: Option<&'static str>,
    effective: Option<Effective>,
    quantities: Vec<Measured>,
    method_words: &'static str,
}

#[derive(Clone, Debug)]
enum Effective {
    Moment(&'static str),
    Period(Option<&'static str>, Option<&'static str>),
}

#[derive(Clone, Debug)]
struct Measured {
    value: &'static str,
    comparator: Option<&'static str>,
    unit: Option<(Option<&'static str>, &'static str)>,
}

const SYSTEMS: [Option<&str>; 3] = [None, Some("http://loinc.org"), Some("urn:s")];
const CODES: [&str; 4] = ["a", "A", "b", "c|d"];
const REFERENCES: [&str; 8] = [
    "Patient/a",
    "Group/a",
    "Patient/b",
    "Patient/a/_history/2",
    "http://localhost:8080/fhir/Patient/a",
    "http://elsewhere/Patient/a",
    "http://elsewhere/Patient/a/_history/2",
    "urn:uuid:1",
];
const DATES: [&str; 9] = [
    "2013",
    "2014",
    "2013-01",
    "2013-01-14",
    "2013-01-15",
    "2013-01-14T10:00:00Z",
    "2013-01-14T23:30:00Z",
    "2013-01-14T23:30:00+01:00",
    "2013-12-31T23:59:59.999Z",
];
const NUMBERS: [&str; 8] = ["100", "100.0", "99.5", "100.5", "99.4999", "-1", "0", "1e2"];
const UNITS: [Option<(Option<&str>, &str)>; 5] = [
    None,
    Some((None, "mg")),
    Some((Some("http://unitsofmeasure.org"), "mg")),
    Some((Some("http://unitsofmeasure.org"), "Mg")),
    Some((Some("urn:s"), "mg")),
];
const COMPARATORS: [Option<&str>; 5] = [None, Some("<"), Some("<="), Some(">"), Some(">=")];
const PREFIXES: [&str; 10] = ["", "eq", "ne", "gt", "lt", "ge", "le", "sa", "eb", "ap"];

fn one_of<T: Clone + std::fmt::Debug + 'static>(values: &[T]) -> impl Strategy<Value = T> + use<T> {
    prop::sample::select(values.to_vec())
}

fn effective() -> impl Strategy<Value = Effective> {
    prop_oneof![
        one_of(&DATES).prop_map(Effective::Moment),
        (prop::option::of(one_of(&DATES)), prop::option::of(one_of(&DATES)))
            .prop_map(|(start, end)| Effective::Period(start, end)),
    ]
}

fn measured() -> impl Strategy<Value = Measured> {
    let parts = (one_of(&NUMBERS), one_of(&COMPARATORS), one_of(&UNITS));
    parts.prop_map(|(value, comparator, unit)| Measured { value, comparator, unit })
}

fn observation() -> impl Strategy<Value = Observation> {
    let parts = (
        prop::collection::vec((one_of(&SYSTEMS), one_of(&CODES)), 0..3),
        prop::option::of(one_of(&REFERENCES)),
        prop::option::of(effective()),
        prop::collection::vec(measured(), 0..3),
        one_of(&["", "x"]),
    );
    parts.prop_map(|(codes, subject, effective, quantities, method_words)| Observation {
        codes,
        subject,
        effective,
        quantities,
        method_words,
    })
}

impl Observation {
    fn json(&self) -> Value {
        let mut resource = json!({"resourceType": "Observation", "id": "o1", "status": "final"});
        let coding = |(system, code): &(Option<&str>, &str)| match system {
            Some(system) => json!({"system": system, "code": code}),
            None => json!({"code": code}),
        };
        if !self.codes.is_empty() {
            resource["code"] = json!({"coding": self.codes.iter().map(coding).collect::<Vec<_>>()});
        }
        if let Some(reference) = self.subject {
            resource["subject"] = json!({"reference": reference});
        }
        match &self.effective {
            Some(Effective::Moment(text)) => resource["effectiveDateTime"] = json!(text),
            Some(Effective::Period(start, end)) if start.is_some() || end.is_some() => {
                let ends =
                    [("start", start), ("end", end)].into_iter().filter_map(|(name, end)| Some((name.into(), json!((*end)?))));
                resource["effectivePeriod"] = Value::Object(ends.collect());
            }
            _ => {}
        }
        if !self.quantities.is_empty() {
            resource["component"] = self.quantities.iter().map(|measured| json!({"valueQuantity": measured.json()})).collect();
        }
        if !self.method_words.is_empty() {
            resource["method"] = json!({"text": self.method_words});
        }
        resource
    }

    /// The range of time covered.
    fn time(&self) -> Option<(i128, i128)> {
        match &self.effective {
            Some(Effective::Moment(text)) => Some(range(text)),
            Some(Effective::Period(None, None)) | None => None,
            Some(Effective::Period(start, end)) => {
                Some((start.map_or(i128::MIN / 4, |start| range(start).0), end.map_or(i128::MAX / 4, |end| range(end).1)))
            }
        }
    }
}

impl Measured {
    fn json(&self) -> Value {
        let number: Value = serde_json::from_str(self.value).unwrap();
        let mut quantity = json!({"value": number});
        if let Some(comparator) = self.comparator {
            quantity["comparator"] = json!(comparator);
        }
        if let Some((system, code)) = self.unit {
            quantity["code"] = json!(code);
            if let Some(system) = system {
                quantity["system"] = json!(system);
            }
        }
        quantity
    }

    /// What numbers it may be: the ends, and whether each belongs to it.
    fn numbers(&self, scale: f64) -> ((f64, bool), (f64, bool)) {
        let value = self.value.parse::<f64>().unwrap() * scale;
        match self.comparator {
            Some("<") => ((f64::NEG_INFINITY, true), (value, false)),
            Some("<=") => ((f64::NEG_INFINITY, true), (value, true)),
            Some(">") => ((value, false), (f64::INFINITY, true)),
            Some(">=") => ((value, true), (f64::INFINITY, true)),
            _ => ((value, true), (value, true)),
        }
    }
}

fn range(text: &str) -> (i128, i128) {
    let (low, high) = PartialDate::parse(text).unwrap().range(Paris);
    (low.into(), high.into())
}

/// R4 search.html §prefix, word by word.
fn date_matches(prefix: &str, search: (i128, i128), target: (i128, i128)) -> bool {
    const END_OF_TIME: i128 = i128::MAX / 2;
    let contains = |outer: (i128, i128), inner: (i128, i128)| outer.0 <= inner.0 && inner.1 <= outer.1;
    let overlap = |one: (i128, i128), other: (i128, i128)| one.0 < other.1 && other.0 < one.1;
    let (above, below) = ((search.1, END_OF_TIME), (-END_OF_TIME, search.0));
    match prefix {
        "" | "eq" => contains(search, target),
        "ne" => !contains(search, target),
        "gt" => overlap(above, target),
        "lt" => overlap(below, target),
        "ge" => overlap(above, target) || contains(search, target),
        "le" => overlap(below, target) || contains(search, target),
        "sa" => !overlap(search, target) && contains(above, target),
        "eb" => !overlap(search, target) && contains(below, target),
        "ap" => {
            let distance = (i128::midpoint(search.0, search.1) - i128::from(NOW.micros())).abs() / 10;
            overlap((search.0 - distance, search.1 + distance), target)
        }
        _ => unreachable!(),
    }
}

/// Half a unit of the last digit to each side of the numbers these tests search.
fn precision(number: &str) -> f64 {
    match number {
        "1e2" => 5.0,
        _ => number.split_once('.').map_or(0.5, |(_, fraction)| 0.5 * 10_f64.powi(-(fraction.len() as i32))),
    }
}

/// `scale` is how many of the unit sought the target's unit is.
fn number_matches(prefix: &str, search: &str, (target, scale): (&Measured, f64)) -> bool {
    let ((low, low_belongs), (high, high_belongs)) = target.numbers(scale);
    let value: f64 = search.parse().unwrap();
    let half = precision(search);
    // Half units are exact in decimal; these sums are what the nearest double of that decimal is.
    let (least, most) = ((value - half), (value + half));
    let inside = low >= least && (high < most || high == most && !high_belongs);
    match prefix {
        "" | "eq" => inside,
        "ne" => !inside,
        "gt" => high > value,
        "lt" => low < value,
        "ge" => high > value || high == value && high_belongs,
        "le" => low < value || low == value && low_belongs,
        "sa" => low > value || low == value && !low_belongs,
        "eb" => high < value || high == value && !high_belongs,
        "ap" => {
            let margin = value.abs() * 0.1;
            let reaches_down = low < value + margin || low == value + margin && low_belongs;
            reaches_down && (high > value - margin || high == value - margin && high_belongs)
        }
        _ => unreachable!(),
    }
}

fn local_reference(text: &str) -> &str {
    text.strip_prefix(BASE).map_or(text, |rest| &rest[1..])
}

fn unversioned(text: &str) -> &str {
    text.split_once("/_history/").map_or(text, |(instance, _)| instance)
}

fn escaped(code: &str) -> String {
    code.replace('|', "\\|")
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]

    #[test]
    fn tokens_match_by_definition(resource in observation(), system in prop::option::of(one_of(&SYSTEMS)), code in prop::option::of(one_of(&CODES))) {
        let value = match (system, code) {
            (None, Some(code)) => escaped(code),
            (Some(None), Some(code)) => format!("|{}", escaped(code)),
            (Some(Some(system)), code) => format!("{system}|{}", escaped(code.unwrap_or_default())),
            (None | Some(None), None) => return Ok(()),
        };
        let is_meant = |(own_system, own_code): &(Option<&str>, &str)| {
            system.is_none_or(|system| system == *own_system) && code.is_none_or(|code| code.eq_ignore_ascii_case(own_code))
        };
        let expected = resource.codes.iter().any(is_meant);
        prop_assert_eq!(finds(indexer(), &resource.json(), "code", &value), expected, "{}", value);
        prop_assert_eq!(finds(indexer(), &resource.json(), "code:not", &value), !expected, "not {}", value);
    }

    #[test]
    fn references_match_by_definition(resource in observation(), sought in one_of(&REFERENCES)) {
        let sought_local = local_reference(sought);
        let expected = resource.subject.map(local_reference).is_some_and(|own| own == sought_local || unversioned(own) == sought_local);
        prop_assert_eq!(finds(indexer(), &resource.json(), "subject", sought), expected);
        let is_patient = resource.subject.map(local_reference).is_some_and(|own| own.starts_with("Patient/"));
        if sought_local.starts_with("Patient/") {
            prop_assert_eq!(finds(indexer(), &resource.json(), "patient", sought), expected && is_patient);
        }
    }

    #[test]
    fn a_bare_id_means_this_server_only(resource in observation(), id in one_of(&["a", "b"])) {
        let own = resource.subject.map(local_reference).map(unversioned);
        let named = |kind: &str| own == Some(&*format!("{kind}/{id}"));
        prop_assert_eq!(finds(indexer(), &resource.json(), "subject", id), named("Patient") || named("Group"));
        prop_assert_eq!(finds(indexer(), &resource.json(), "subject:Patient", id), named("Patient"));
        prop_assert_eq!(finds(indexer(), &resource.json(), "patient", id), named("Patient"));
    }

    #[test]
    fn dates_match_by_definition(resource in observation(), prefix in one_of(&PREFIXES), sought in one_of(&DATES)) {
        let expected = resource.time().is_some_and(|target| date_matches(prefix, range(sought), target));
        prop_assert_eq!(finds(indexer(), &resource.json(), "date", &format!("{prefix}{sought}")), expected);
    }

    #[test]
    fn quantities_match_by_definition(resource in observation(), prefix in one_of(&PREFIXES), sought in one_of(&NUMBERS), unit in one_of(&UNITS)) {
        let value = match unit {
            None => format!("{prefix}{sought}"),
            Some((system, code)) => format!("{prefix}{sought}|{}|{code}", system.unwrap_or_default()),
        };
        let milligrams = |code| if code == "Mg" { 1e9 } else { 1.0 };
        let scale = |own: &Measured| match (unit, own.unit) {
            (None, _) => Some(1.0),
            (Some((None, code)), Some((_, own_code))) => (code == own_code).then_some(1.0),
            (Some((Some("http://unitsofmeasure.org"), code)), Some((Some("http://unitsofmeasure.org"), own_code))) => {
                Some(milligrams(own_code) / milligrams(code))
            }
            (Some(unit), Some(own)) => (unit == own).then_some(1.0),
            (Some(_), None) => None,
        };
        let expected = resource.quantities.iter().any(|own| scale(own).is_some_and(|scale| number_matches(prefix, sought, (own, scale))));
        prop_assert_eq!(finds(indexer(), &resource.json(), "component-value-quantity", &value), expected, "{}", value);
    }

    #[test]
    fn missing_is_the_absence_of_every_value(resource in observation()) {
        let table = [
            ("code", resource.codes.is_empty()),
            ("subject", resource.subject.is_none()),
            ("date", resource.time().is_none()),
            ("component-value-quantity", resource.quantities.is_empty()),
            ("method", resource.method_words.is_empty()),
            ("status", false),
            ("_id", false),
            ("_tag", true),
        ];
        for (code, missing) in table {
            let name = format!("{code}:missing");
            prop_assert_eq!(finds(indexer(), &resource.json(), &name, "true"), missing, "{}", &name);
            prop_assert_eq!(finds(indexer(), &resource.json(), &name, "false"), !missing, "{}", &name);
        }
    }

    #[test]
    fn strings_match_by_their_beginning(family in "[aéEÉ '-]{1,6}", sought in "[aéEÉ]{1,3}") {
        let patient = json!({"resourceType": "Patient", "id": "p", "name": [{"family": family}]});
        let plain = |text: &str| text.replace(['é', 'É', 'E'], "e").replace('\'', "");
        let words: Vec<String> = plain(&family).split([' ', '-']).filter(|word| !word.is_empty()).map(str::to_owned).collect();
        let indexer = indexer();
        prop_assert_eq!(finds(indexer, &patient, "family", &sought), words.iter().any(|word| word.starts_with(&plain(&sought))));
        prop_assert_eq!(finds(indexer, &patient, "family:contains", &sought), words.iter().any(|word| word.contains(&plain(&sought))));
        prop_assert_eq!(finds(indexer, &patient, "family:exact", &sought), family == sought);
    }
}
