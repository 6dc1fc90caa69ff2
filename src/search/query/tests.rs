use proptest::prelude::*;

use super::*;
use crate::definition::ParameterKind;
use crate::fhir::date::PartialDate;

fn registry() -> &'static Registry {
    Registry::shared().unwrap()
}

fn pairs(parameters: &[(&str, &str)]) -> Vec<(String, String)> {
    parameters.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

fn parse(kind: ResourceType, parameters: &[(&str, &str)]) -> Outcome<Query> {
    Query::parse(registry(), Scope::of_type(kind), &pairs(parameters), Handling::Strict)
}

/// The test that one parameter asks.
fn test(kind: ResourceType, name: &str, value: &str) -> Test {
    let query = parse(kind, &[(name, value)]).unwrap_or_else(|failure| panic!("{name}={value}: {failure}"));
    match query.criteria().concat().as_slice() {
        [Criterion::Own(filter)] => filter.test.clone(),
        other => panic!("{name}={value}: {other:?}"),
    }
}

fn code(text: &str) -> TokenValue {
    TokenValue::Code(text.into())
}

fn date(text: &str) -> PartialDate {
    PartialDate::parse(text).unwrap()
}

#[test]
fn every_form_of_a_token_is_told_apart() {
    let table = [
        ("a", code("a")),
        ("http://loinc.org|11502-2", TokenValue::SystemCode("http://loinc.org".into(), "11502-2".into())),
        ("|a", TokenValue::CodeWithoutSystem("a".into())),
        ("s|", TokenValue::System("s".into())),
        ("s\\|t|a\\,b", TokenValue::SystemCode("s|t".into(), "a,b".into())),
        ("s|a|b", TokenValue::SystemCode("s".into(), "a|b".into())),
    ];
    for (text, expected) in table {
        assert_eq!(test(ResourceType::DocumentReference, "type", text), Test::Token(TokenMatch::Is, vec![expected]), "{text}");
    }
    let several = Test::Token(TokenMatch::IsNot, vec![code("a"), code("b")]);
    assert_eq!(test(ResourceType::DocumentReference, "type:not", "a,,b,"), several);
}

#[test]
fn every_form_of_a_reference_is_told_apart() {
    let id = |text: &str| text.parse().unwrap();
    let instance = |kind, version: Option<&str>| ReferenceValue::Instance { kind, id: id("x"), version: version.map(Into::into) };
    let url = |url: &str, version: Option<&str>| ReferenceValue::Url { url: url.into(), version: version.map(Into::into) };
    let table = [
        ("subject", "x", ReferenceValue::Id(id("x"))),
        ("patient", "x", instance(ResourceType::Patient, None)),
        ("subject:Group", "x", instance(ResourceType::Group, None)),
        ("subject", "Patient/x", instance(ResourceType::Patient, None)),
        ("subject", "Patient/x/_history/2", instance(ResourceType::Patient, Some("2"))),
        ("subject", "http://h/fhir/Patient/x", url("http://h/fhir/Patient/x", None)),
        ("subject", "urn:uuid:1", url("urn:uuid:1", None)),
        ("subject", "http://h/q|2", url("http://h/q", Some("2"))),
    ];
    for (name, text, expected) in table {
        let found = test(ResourceType::DocumentReference, name, text);
        assert_eq!(found, Test::Reference(PathMatch::Is, vec![expected]), "{name}={text}");
    }
    let identifier = Test::Identifier(vec![TokenValue::SystemCode("s".into(), "v".into())]);
    assert_eq!(test(ResourceType::DocumentReference, "subject:identifier", "s|v"), identifier);
}

#[test]
fn prefixes_stand_before_dates_numbers_and_quantities() {
    let compared = |prefix, text| Test::Date(vec![Compared { prefix, value: date(text) }]);
    assert_eq!(test(ResourceType::DocumentReference, "date", "ge2026-01-01"), compared(Prefix::Ge, "2026-01-01"));
    assert_eq!(test(ResourceType::DocumentReference, "date", "2026"), compared(Prefix::Eq, "2026"));
    let number = |prefix, text| Compared { prefix, value: NumberValue::read(text).unwrap() };
    assert_eq!(test(ResourceType::RiskAssessment, "probability", "lt0.8"), Test::Number(vec![number(Prefix::Lt, "0.8")]));
    let units = [
        ("5.4", None),
        ("5.4||mg", Some(UnitValue::Plain("mg".into()))),
        ("5.4|http://unitsofmeasure.org|mg", Some(UnitValue::Coded("http://unitsofmeasure.org".into(), "mg".into()))),
    ];
    for (text, unit) in units {
        let expected = Test::Quantity(vec![QuantityValue { number: number(Prefix::Eq, "5.4"), unit }]);
        assert_eq!(test(ResourceType::Observation, "value-quantity", text), expected, "{text}");
    }
}

#[test]
fn strings_and_uris_keep_their_text() {
    let string = |how, text: &str| Test::String(how, vec![text.into()]);
    assert_eq!(test(ResourceType::Patient, "name", "Él\\,a"), string(TextMatch::Starts, "Él,a"));
    assert_eq!(test(ResourceType::Patient, "name:exact", "Él"), string(TextMatch::Exact, "Él"));
    assert_eq!(test(ResourceType::Patient, "name:contains", "l"), string(TextMatch::Contains, "l"));
    assert_eq!(test(ResourceType::ValueSet, "url", "http://a|1"), Test::Uri(PathMatch::Is, vec!["http://a|1".into()]));
    assert_eq!(test(ResourceType::Patient, "_profile", "http://p"), Test::Uri(PathMatch::Is, vec!["http://p".into()]));
    assert_eq!(test(ResourceType::Patient, "name:missing", "true"), Test::Missing(true));
}

#[test]
fn chains_and_reverse_chains_are_understood() {
    let read = |kind, name, value| criterion::read(registry(), kind, (name, value)).unwrap().unwrap();
    let Criterion::Chain(chain) = read(ResourceType::DocumentReference, "subject:Patient.name:exact", "a") else { panic!() };
    let [(ResourceType::Patient, Criterion::Own(filter))] = chain.targets.as_slice() else { panic!("{chain:?}") };
    assert_eq!(filter.test, Test::String(TextMatch::Exact, vec!["a".into()]));
    let Criterion::Has(has) = read(ResourceType::Patient, "_has:Observation:patient:code", "a") else { panic!() };
    assert_eq!(has.kind, ResourceType::Observation);
    let names = ["_query", "_contained"];
    for name in names {
        let failure = parse(ResourceType::DocumentReference, &[(name, "a$b")]).unwrap_err();
        assert!(failure.to_string().contains("not supported yet"), "{name}: {failure}");
    }
    let long = format!("subject:Patient.{}name", "link:Patient.".repeat(MAX_LINKS));
    let failure = parse(ResourceType::DocumentReference, &[(&long, "a")]).unwrap_err();
    assert!(failure.to_string().contains("links of one chain"), "{failure}");
    let wide = format!("item.{}_id", "focus.".repeat(MAX_LINKS - 2));
    let failure = parse(ResourceType::List, &[(&wide, "a")]).unwrap_err();
    assert!(failure.to_string().contains("branches of one chain"), "{failure}");
    let mixed = "_has:Observation:patient:encounter.location._has:Device:location:status";
    assert!(parse(ResourceType::Patient, &[(mixed, "active")]).is_ok());
}

#[test]
fn what_is_wrong_is_told_with_its_parameter_and_place() {
    let table = [
        ("date", "2026-13-01", "`2026-13-01` at character 1 is not a date"),
        ("date", "2026,gex", "`x` at character 8 is not a date"),
        ("date", "xx2026", "not preceded by one of eq"),
        ("date", "2026-01-01T10", "is not a date"),
        ("date", "2026-01-01T10:00:00 02:00", "must be sent as %2B"),
        ("date:exact", "2026", "`exact` is not a modifier of `date`, which has: missing"),
        ("subject:Practitioner2", "x", "is not a modifier of `subject`"),
        ("subject:Patient", "Group/x", "a reference to the type that the modifier names"),
        ("subject", "a/b/c/d", "is not a reference"),
        ("type", "a,|", "`|` at character 3 is not a token"),
        ("type:missing", "yes", "`true` or `false`"),
        ("type.name", "x", "is no reference"),
        ("pateint", "x", "did you mean `patient`?"),
        ("_sort", "dat", "did you mean `date`"),
        ("_count", "-1", "a number from 0 on"),
        ("_total", "some", "one of none"),
        ("_summary", "x", "one of true"),
        ("subject:below", "x", "the modifier `below` of a reference is not supported yet"),
        ("description:text", "x", "`text` is not a modifier of `description`, which has: missing, exact, contains"),
        ("identifier:of-type", "a|b", "an identifier of a type"),
        ("identifier:of-type", "a|b|", "an identifier of a type"),
        ("relationship", "x", "`x` at character 1 is not 2 values parted by `$`"),
        ("relationship", "a$Patient/x,b$", "`` at character 15 is not a value"),
        ("_text:exact", "x", "`exact` is not a modifier of `_text`"),
        ("_filter", "type eq", "is not a value"),
        ("_filter", "type xx a", "`xx` at character 6 is not an operator"),
        ("_filter", "type eq a and )", "`)` at character 15 is not a search parameter"),
        ("_filter", "(type eq a", "`` at character 11 is not `)`"),
        ("_filter", "type eq a b", "`b` at character 11 is not `and`, `or` or the end"),
        ("_filter", "typ eq a", "did you mean `type`?; character 1 of the filter"),
        ("_filter", "type eq a and date eq x", "character 23 of the filter"),
        ("_filter", "date co 2013", "`date` is not compared by `co`; character 9 of the filter"),
        ("_filter", "description eq \"x", "a text that ends in a quotation mark"),
        ("_filter", "type.name eq x", "`type` is no reference, so nothing follows it; character 6"),
        ("_list", "$current-allergies", "a functional list is not supported"),
        ("_has:Nothing:a:b", "x", "names no resource type"),
        ("_has:Observation", "x", "`_has` needs"),
    ];
    for (name, value, expected) in table {
        let failure = parse(ResourceType::DocumentReference, &[(name, value)]).unwrap_err();
        assert_eq!(failure.kind(), Kind::InvalidParameter);
        let issue = &failure.issues()[0];
        assert!(issue.diagnostics.contains(expected), "{name}={value}: {}", issue.diagnostics);
        assert_eq!(issue.expression.as_deref(), Some(&*format!("http.{}", code_of(name))), "{name}");
    }
}

#[test]
fn every_wrong_parameter_is_told_at_once() {
    let failure = parse(ResourceType::DocumentReference, &[("date", "x"), ("type", "a"), ("nothing-such", "y")]).unwrap_err();
    assert_eq!(failure.issues().len(), 2);
}

#[test]
fn a_lenient_reader_passes_over_what_is_unknown_but_not_over_what_is_wrong() {
    let parameters =
        pairs(&[("colour", "red"), ("subject.colour", "x"), ("status", "current"), ("_sort", "nothing"), ("_count", "5")]);
    let query =
        Query::parse(registry(), Scope::of_type(ResourceType::DocumentReference), &parameters, Handling::Lenient).unwrap();
    assert_eq!(query.self_parameters(), pairs(&[("status", "current"), ("_count", "5")]));
    let places: Vec<_> = query.ignored().iter().map(|issue| issue.expression.as_deref().unwrap()).collect();
    assert_eq!(places, ["http.colour", "http.subject", "http._sort"]);
    for (name, value) in [("date", "x"), ("subject:below", "x"), ("type:foo", "x"), ("_count", "x")] {
        assert!(
            Query::parse(
                registry(),
                Scope::of_type(ResourceType::DocumentReference),
                &pairs(&[(name, value)]),
                Handling::Lenient
            )
            .is_err()
        );
    }
}

#[test]
fn empty_values_ask_nothing() {
    let query = parse(
        ResourceType::DocumentReference,
        &[("type", ""), ("colour", ""), ("date", ",,"), ("description", " "), ("identifier", " , "), ("status", "current")],
    )
    .unwrap();
    assert_eq!(query.criteria().len(), 1);
    assert_eq!(query.self_parameters(), pairs(&[("status", "current")]));
}

#[test]
fn the_parameters_of_the_answer_are_read() {
    let query = parse(
        ResourceType::Patient,
        &[
            ("_sort", "-birthdate,family,_id"),
            ("_count", "7"),
            ("_total", "accurate"),
            ("_summary", "false"),
            ("_elements", "name, birthDate"),
            ("_format", "json"),
            ("_pretty", "true"),
        ],
    )
    .unwrap();
    let result = query.result();
    let directions: Vec<bool> = result.sort.iter().map(|key| key.descending).collect();
    assert_eq!(directions, [true, false, false]);
    let sorted = |index: usize| match &result.sort[index].value {
        SortedValue::Parameter(parameters) => parameters[0].values,
        other => panic!("{other:?}"),
    };
    assert_eq!([sorted(0), sorted(1)], [ParameterKind::Date, ParameterKind::String]);
    assert_eq!((result.count, result.total, result.summary), (Some(7), Total::Accurate, Summary::False));
    assert_eq!(result.elements, ["name".into(), "birthDate".into()]);
    assert_eq!(query.self_parameters().len(), 7);
    assert!(query.criteria().is_empty());
}

#[test]
fn every_limit_holds() {
    let too_long = "x".repeat(MAX_VALUE_BYTES + 1);
    let too_many = vec!["a"; MAX_VALUES + 1].join(",");
    let keys = ["date"; MAX_SORT_KEYS + 1].join(",");
    for (name, value) in [("type", &too_long), ("type", &too_many), ("_sort", &keys)] {
        assert!(parse(ResourceType::DocumentReference, &[(name, value)]).unwrap_err().to_string().contains("more than"));
    }
    assert!(parse(ResourceType::DocumentReference, &[("type", "a"); MAX_PARAMETERS + 1]).is_err());
    assert!(parse(ResourceType::DocumentReference, &[("type", "a"); MAX_PARAMETERS]).is_ok());
}

#[test]
fn a_page_belongs_to_what_is_matched_and_how_it_is_ordered() {
    let identity = |parameters: &[(&str, &str)]| parse(ResourceType::DocumentReference, parameters).unwrap().identity();
    let base = identity(&[("type", "a"), ("_sort", "date")]);
    assert_eq!(base, identity(&[("type", "a"), ("_sort", "date"), ("_count", "3"), ("_page", "x"), ("_pretty", "true")]));
    assert_ne!(base, identity(&[("type", "b"), ("_sort", "date")]));
    assert_ne!(base, identity(&[("type", "a"), ("_sort", "-date")]));
    assert_ne!(base, identity(&[("type", "a")]));
}

/// Every parameter of every type is one this reader has a word for.
#[test]
fn every_parameter_of_r4_is_understood() {
    let value = |kind| match kind {
        crate::definition::ParameterKind::Date => "2026",
        crate::definition::ParameterKind::Number | crate::definition::ParameterKind::Quantity => "1",
        _ => "x",
    };
    let whole = |parameter: &crate::definition::Parameter| match parameter.kind {
        crate::definition::ParameterKind::Special => "1|2|3|km".to_owned(),
        crate::definition::ParameterKind::Composite => {
            parameter.components.iter().map(|component| value(component.kind)).collect::<Vec<_>>().join("$")
        }
        kind => value(kind).to_owned(),
    };
    for kind in ResourceType::ALL {
        for parameter in registry().parameters(*kind) {
            match parse(*kind, &[(&*parameter.code, &whole(parameter))]) {
                Ok(query) => assert_eq!(query.criteria().len(), 1, "{}", parameter.url),
                Err(failure) => assert!(failure.to_string().contains("not supported yet"), "{}: {failure}", parameter.url),
            }
        }
    }
}

proptest! {
    #[test]
    fn any_query_is_read_or_refused(
        parameters in prop::collection::vec(("(date|type|subject|_has|name|_sort|_count|value-quantity|_page|\\PC{0,5})([:.]\\PC{0,8}){0,3}", "\\PC{0,20}"), 0..6),
        lenient in any::<bool>(),
    ) {
        let handling = if lenient { Handling::Lenient } else { Handling::Strict };
        for kind in [ResourceType::Observation, ResourceType::Patient, ResourceType::DocumentReference] {
            let _ = Query::parse(registry(), Scope::of_type(kind), &parameters, handling);
        }
    }

    #[test]
    fn any_filter_is_read_or_refused(text in "((type|date|subject|author|relatesTo|not|and|or|eq|co|pr|\\(|\\)|\\[|\\]|\\.|\"|x| |\\PC){1,2} ?){0,12}") {
        let _ = Query::parse(registry(), Scope::of_type(ResourceType::DocumentReference), &pairs(&[("_filter", &text)]), Handling::Strict);
    }
}
