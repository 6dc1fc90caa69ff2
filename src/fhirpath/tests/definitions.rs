//! Every expression that R4 itself states, over the registry.

use crate::definition::Registry;
use crate::fhir::ResourceType;
use crate::fhir::json::Tree;
use crate::fhirpath::{Element, Environment, EvaluationError, Expression, Item, Reason};

use super::{BUNDLE, OBSERVATION, PATIENT, QUESTIONNAIRE};

fn registry() -> &'static Registry {
    Registry::shared().unwrap()
}

fn parameter_expressions() -> impl Iterator<Item = (&'static str, &'static str)> {
    let parameters = ResourceType::ALL.iter().flat_map(|kind| registry().parameters(*kind));
    parameters.flat_map(|parameter| {
        let own = parameter.expression.as_deref().map(|expression| (&*parameter.url, expression));
        own.into_iter().chain(parameter.components.iter().map(|component| (component.url, &*component.expression)))
    })
}

#[test]
fn every_expression_of_a_search_parameter_compiles() {
    let mut count = 0;
    for (url, expression) in parameter_expressions() {
        let compiled = Expression::parse(expression);
        assert!(compiled.is_ok(), "{url}: {:?}", compiled.err());
        count += 1;
    }
    assert!(count > 1400, "{count}");
}

#[test]
fn every_invariant_compiles() {
    let mut count = 0;
    for invariant in registry().invariants() {
        let compiled = Expression::parse(&invariant.expression);
        assert!(compiled.is_ok(), "{}: {:?}", invariant.key, compiled.err());
        count += 1;
    }
    assert!(count > 240, "{count}");
}

/// The unmet invariants of a resource and all its elements, and what could not be evaluated.
fn unmet(source: &str) -> (Vec<&'static str>, Vec<(&'static str, EvaluationError)>) {
    let registry = registry();
    let tree = Tree::parse(source.as_bytes()).unwrap();
    let root = Element::resource(registry, tree.root());
    let environment = Environment::new(registry).with_resource(Item::Element(root));
    let all = Expression::parse("descendants()").unwrap();
    let mut items = all.evaluate(Item::Element(root), &environment).unwrap();
    items.push(Item::Element(root));
    let (mut broken, mut failed) = (Vec::new(), Vec::new());
    for item in &items {
        let structure = registry.structure(item.element().unwrap().type_id().unwrap());
        for id in &structure.constraints {
            let invariant = registry.invariant(*id).unwrap();
            let compiled = Expression::parse(&invariant.expression).unwrap();
            match compiled.test(item.clone(), &environment) {
                Ok(Some(true)) => {}
                Ok(_) => broken.push(invariant.key),
                Err(error) => failed.push((invariant.key, error)),
            }
        }
    }
    (broken, failed)
}

#[test]
fn invariants_hold_where_they_should_and_fail_where_they_should() {
    // No narrative: dom-6 is a warning. A contained resource nobody refers to: dom-3.
    assert_eq!(unmet(OBSERVATION), (vec!["dom-6"], vec![]));
    let lonely = r#"{"resourceType": "Patient", "contained": [{"resourceType": "Organization", "id": "a"}]}"#;
    let (broken, failed) = unmet(lonely);
    assert_eq!(failed, vec![]);
    assert!(broken.contains(&"dom-3"), "{broken:?}");
    let (broken, failed) = unmet(PATIENT);
    assert_eq!(failed, vec![]);
    assert!(!broken.contains(&"dom-3") && !broken.contains(&"ref-1"), "{broken:?}");
    let dangling = r##"{"resourceType": "Patient", "managingOrganization": {"reference": "#a"}}"##;
    assert!(unmet(dangling).0.contains(&"ref-1"));
    let backwards = r#"{"resourceType": "Patient", "name": [{"period": {"start": "2024-02-02", "end": "2024-02-01"}}]}"#;
    assert!(unmet(backwards).0.contains(&"per-1"));
}

#[test]
fn what_r4_states_otherwise_than_it_means_is_judged_as_it_is_meant() {
    let collection = |url: &str| {
        unmet(&format!(
            r#"{{"resourceType": "Bundle", "type": "collection", "entry": [{{{url}"resource": {{"resourceType": "Basic"}}}}]}}"#
        ))
        .0
    };
    assert!(!collection("").contains(&"bdl-8"));
    assert!(!collection(r#""fullUrl": "http://h/Basic/1", "#).contains(&"bdl-8"));
    assert!(collection(r#""fullUrl": "http://h/Basic/1/_history/1", "#).contains(&"bdl-8"));

    let condition = |answer: &str| {
        unmet(&format!(
            r#"{{"resourceType": "Questionnaire", "status": "draft", "item": [{{"linkId": "1", "type": "string",
                "enableWhen": [{{"question": "2", "operator": "exists", {answer}}}]}}]}}"#
        ))
        .0
    };
    assert!(!condition(r#""answerBoolean": true"#).contains(&"que-7"));
    assert!(condition(r#""answerString": "true""#).contains(&"que-7"));

    let display = r#"{"resourceType": "Patient", "managingOrganization": {"display": "a"}}"#;
    assert!(!unmet(display).0.contains(&"ref-1"));
}

#[test]
fn no_expression_of_r4_fails_for_want_of_a_function() {
    for source in [PATIENT, OBSERVATION, BUNDLE, QUESTIONNAIRE] {
        let registry = registry();
        let tree = Tree::parse(source.as_bytes()).unwrap();
        let focus = Item::resource(registry, tree.root());
        let environment = Environment::new(registry);
        let rules = registry.invariants().iter().map(|invariant| &*invariant.expression);
        for expression in parameter_expressions().map(|(_, expression)| expression).chain(rules) {
            let compiled = Expression::parse(expression).unwrap();
            if let Err(error) = compiled.evaluate(focus.clone(), &environment) {
                let is_lack = matches!(error.reason, Reason::Unsupported(_) | Reason::UnknownConstant(_) | Reason::BadPattern);
                assert!(!is_lack && error.reason != Reason::TooManySteps, "{expression}: {error}");
            }
        }
    }
}

#[test]
fn search_parameters_find_what_they_name() {
    let registry = registry();
    let values = |source: &str, kind: ResourceType, code: &str| {
        let tree = Tree::parse(source.as_bytes()).unwrap();
        let expression = registry.parameter(kind, code).unwrap().expression.as_deref().unwrap();
        let compiled = Expression::parse(expression).unwrap();
        let environment = Environment::new(registry);
        let found = compiled.evaluate(Item::resource(registry, tree.root()), &environment).unwrap();
        let typed = |item: &Item<'_>| match item {
            Item::Element(element) => {
                let name = registry.structure(element.type_id().unwrap()).name;
                format!("{name} {}", element.value().unwrap().raw())
            }
            Item::Value(value) => value.to_string(),
        };
        found.iter().map(typed).collect::<Vec<_>>().join("; ")
    };
    assert_eq!(values(PATIENT, ResourceType::Patient, "deceased"), "false");
    assert_eq!(values(PATIENT, ResourceType::Patient, "death-date"), "");
    assert_eq!(values(PATIENT, ResourceType::Patient, "email"), r#"ContactPoint {"system": "email", "value": "a@b.example"}"#);
    assert_eq!(values(PATIENT, ResourceType::Patient, "birthdate"), r#"date "1974-12-25""#);
    assert_eq!(values(OBSERVATION, ResourceType::Observation, "patient"), r#"Reference {"reference": "Patient/p1"}"#);
    assert_eq!(values(OBSERVATION, ResourceType::Observation, "date"), r#"dateTime "2024-02-29T10:00:00+01:00""#);
    assert!(values(OBSERVATION, ResourceType::Observation, "combo-value-quantity").starts_with("Quantity {"));
    assert_eq!(values(OBSERVATION, ResourceType::Observation, "value-string"), "");
}

#[test]
fn what_a_step_remembers_of_one_type_is_not_taken_for_another() {
    let registry = registry();
    let environment = Environment::new(registry);
    let compiled = Expression::parse("name is HumanName").unwrap();
    let asked = |source: &str| {
        let tree = Tree::parse(source.as_bytes()).unwrap();
        compiled.test(Item::resource(registry, tree.root()), &environment).unwrap()
    };
    for _ in 0..2 {
        assert_eq!(asked(r#"{"resourceType": "Patient", "name": [{"text": "a"}]}"#), Some(true));
        assert_eq!(asked(r#"{"resourceType": "Organization", "name": "a"}"#), Some(false));
        assert_eq!(asked(r#"{"resourceType": "Patient", "nothing": 1}"#), None);
    }
}
