//! Which search parameters can be defined, and which faults are named where.

use super::*;
use crate::definition::Registry;

fn registry() -> &'static Registry {
    Registry::shared().unwrap()
}

const EYE_COLOUR: &str = r#"{"resourceType":"SearchParameter","url":"http://example.org/eye","name":"Eye","status":"active",
    "description":"d","code":"eye","base":["Patient"],"type":"token",
    "expression":"Patient.extension('http://example.org/eye').value"}"#;

/// The parameter with members of its JSON replaced.
fn with(replace: &[(&str, &str)]) -> String {
    let mut json: serde_json::Value = serde_json::from_str(EYE_COLOUR).unwrap();
    for (name, value) in replace {
        json[*name] = serde_json::from_str(value).unwrap();
    }
    json.to_string()
}

fn read(json: &str, others: &[CustomParameter]) -> Result<Option<CustomParameter>, Vec<Issue>> {
    CustomParameter::read(registry(), "own", &Tree::parse(json.as_bytes()).unwrap(), others)
}

fn taken(replace: &[(&str, &str)]) -> CustomParameter {
    read(&with(replace), &[]).unwrap().unwrap()
}

/// Where the faults are.
fn places(replace: &[(&str, &str)], others: &[CustomParameter]) -> Vec<String> {
    read(&with(replace), others).unwrap_err().into_iter().map(|issue| issue.expression.unwrap()).collect()
}

#[test]
fn a_parameter_joins_those_of_the_types_it_is_defined_on() {
    let eye = taken(&[]);
    let extended = registry().with([&eye]);
    let found = extended.parameter(ResourceType::Patient, "eye").unwrap();
    assert_eq!((found.id, found.kind, &*found.url), (eye.id(), ParameterKind::Token, "http://example.org/eye"));
    assert!(extended.parameter(ResourceType::Observation, "eye").is_none());
    assert!(registry().parameter(ResourceType::Patient, "eye").is_none());
    let codes: Vec<_> = extended.parameters(ResourceType::Patient).iter().map(|parameter| &*parameter.code).collect();
    assert!(codes.is_sorted());
    assert!(extended.shares_parameters(registry(), ResourceType::Observation));
    assert!(!extended.shares_parameters(registry(), ResourceType::Patient));
}

#[test]
fn a_parameter_on_all_resources_joins_all() {
    let extended = registry().with([&taken(&[
        ("base", r#"["Resource"]"#),
        ("expression", r#""Resource.meta.source""#),
        ("type", r#""uri""#),
    ])]);
    assert!(ResourceType::ALL.iter().all(|kind| extended.parameter(*kind, "eye").is_some()));
    let domain =
        registry().with([&taken(&[("base", r#"["DomainResource"]"#), ("expression", r#""DomainResource.text.status""#)])]);
    assert!(domain.parameter(ResourceType::Patient, "eye").is_some());
    assert!(domain.parameter(ResourceType::Binary, "eye").is_none());
}

#[test]
fn a_status_other_than_active_defines_nothing() {
    for status in ["draft", "retired", "unknown"] {
        assert_eq!(read(&with(&[("status", &format!("\"{status}\"")), ("expression", "\"((\"")]), &[]), Ok(None), "{status}");
    }
}

#[test]
fn each_fault_is_named_by_its_place() {
    let table: [(&[(&str, &str)], &str); 16] = [
        (&[("code", r#""a.b""#)], "SearchParameter.code"),
        (&[("code", r#""_id""#)], "SearchParameter.code"),
        (&[("code", r#""birthdate""#)], "SearchParameter.code"),
        (&[("base", r#"["Patient","Person2"]"#)], "SearchParameter.base[1]"),
        (&[("target", r#"["Nobody"]"#)], "SearchParameter.target[0]"),
        (&[("type", r#""composite""#)], "SearchParameter.type"),
        (&[("type", r#""colour""#)], "SearchParameter.type"),
        (&[("expression", r#""Patient.name.where(""#)], "SearchParameter.expression"),
        (&[("expression", r#""Patient.nose""#)], "SearchParameter.expression"),
        (&[("expression", r#""Observation.code""#)], "SearchParameter.expression"),
        (&[("expression", r#""(Patient.name as Quantity)""#)], "SearchParameter.expression"),
        (&[("expression", "null")], "SearchParameter.expression"),
        (&[("expression", r#""Patient.birthDate""#)], "SearchParameter.type"),
        (&[("expression", r#""Patient.birthDate""#), ("type", r#""quantity""#)], "SearchParameter.type"),
        (&[("expression", r#""Patient.active.exists()""#), ("type", r#""date""#)], "SearchParameter.type"),
        (&[("url", r#""http://hl7.org/fhir/SearchParameter/Patient-language""#)], "SearchParameter.url"),
    ];
    for (replace, place) in table {
        assert_eq!(places(replace, &[]), [place], "{replace:?}");
    }
}

#[test]
fn what_an_expression_yields_may_be_compared() {
    for (expression, kind) in [
        ("Patient.birthDate", "date"),
        ("Patient.extension('http://example.org/x').value", "quantity"),
        ("Patient.name.where(use = 'official').family", "string"),
        ("Patient.deceased.exists() and Patient.deceased != false", "token"),
        ("Patient.contact.organization.where(resolve() is Organization)", "reference"),
        ("Patient.multipleBirth as integer", "number"),
        ("Patient.meta.profile", "uri"),
        ("Patient.contained.id", "token"),
    ] {
        taken(&[("expression", &format!("{expression:?}")), ("type", &format!("{kind:?}"))]);
    }
}

#[test]
fn a_parameter_takes_nothing_away_from_another() {
    let other = CustomParameter { source: "other".into(), ..taken(&[]) };
    let others = [other];
    assert_eq!(places(&[], &others), ["SearchParameter.url", "SearchParameter.code"]);
    assert_eq!(places(&[("url", r#""http://example.org/2""#)], &others), ["SearchParameter.code"]);
    let elsewhere = [("url", r#""http://example.org/2""#), ("base", r#"["Person"]"#), ("expression", r#""Person.gender""#)];
    assert!(read(&with(&elsewhere), &others).unwrap().is_some());
    let itself = [CustomParameter { source: "own".into(), ..taken(&[]) }];
    assert!(read(&with(&[]), &itself).unwrap().is_some());
}

#[test]
fn the_parameters_of_the_standard_may_be_stored_and_change_nothing() {
    let birthdate = [
        ("url", r#""http://hl7.org/fhir/SearchParameter/individual-birthdate""#),
        ("code", r#""birthdate""#),
        ("type", r#""date""#),
        ("expression", r#""Patient.birthDate""#),
    ];
    assert_eq!(read(&with(&birthdate), &[]), Ok(None));
}

#[test]
fn another_meaning_gets_another_number_and_the_same_meaning_the_same() {
    let eye = taken(&[]);
    assert_eq!(taken(&[("description", r#""other words""#), ("base", r#"["Patient"]"#)]).id(), eye.id());
    assert_ne!(taken(&[("expression", r#""Patient.gender""#)]).id(), eye.id());
    assert_ne!(taken(&[("type", r#""string""#)]).id(), eye.id());
}

#[test]
fn a_parameter_called_date_is_no_main_date() {
    let date = taken(&[("code", r#""date""#), ("type", r#""date""#), ("expression", r#""Patient.birthDate""#)]);
    assert!(registry().with([&date]).main_date(ResourceType::Patient).is_none());
}

/// The definitions themselves are the proof that the judge asks neither too much nor the wrong thing.
#[test]
fn every_parameter_of_the_standard_passes() {
    for kind in ResourceType::ALL {
        for parameter in registry().parameters(*kind) {
            let Some(expression) = &parameter.expression else { continue };
            let is_offered = !matches!(parameter.kind, ParameterKind::Composite | ParameterKind::Special);
            if is_offered && !parameter.code.starts_with('_') {
                let own = CustomParameter {
                    source: "own".into(),
                    url: format!("http://example.org/{kind}/{}", parameter.code).into(),
                    code: format!("my-{}", parameter.code).into(),
                    kind: parameter.kind.code().into(),
                    base: vec![kind.name().into()],
                    expression: expression.clone(),
                    target: Vec::new(),
                };
                assert_eq!(super::judge::judge(registry(), &own, &[]), Ok(true), "{kind}.{} {expression}", parameter.code);
            }
        }
    }
}
