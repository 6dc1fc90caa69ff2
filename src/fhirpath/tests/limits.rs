//! That every evaluation ends: depth, steps, items and text are bounded.

use super::sample::Sample;
use super::{PATIENT, answer};
use crate::fhir::json::Tree;
use crate::fhirpath::limit::{MAX_DEPTH, MAX_EXPRESSION_BYTES};
use crate::fhirpath::{Environment, Expression, Item, Limits, Reason};

fn refused_at(expression: &str, limits: Limits) -> Reason {
    let sample = Sample::new();
    let tree = Tree::parse(PATIENT.as_bytes()).unwrap();
    let environment = Environment::new(&sample).with_limits(limits);
    let compiled = Expression::parse(expression).unwrap();
    compiled.evaluate(Item::resource(&sample, tree.root()), &environment).unwrap_err().reason
}

#[test]
fn an_expression_may_be_so_deep_and_no_deeper() {
    let nested = |depth: usize| format!("{}1{}", "(".repeat(depth), ")".repeat(depth));
    let chained = |length: usize| format!("name{}", ".given".repeat(length));
    let summed = |length: usize| format!("1{}", " + 1".repeat(length));
    let signed = |length: usize| format!("{}1", "-".repeat(length));
    let selected = |depth: usize| format!("{}true{}", "select(".repeat(depth), ")".repeat(depth));
    let filtered = |depth: usize| format!("{}true{}", "where(".repeat(depth), ")".repeat(depth));
    let max = usize::from(MAX_DEPTH);
    for make in [&nested as &dyn Fn(usize) -> String, &chained, &summed, &signed, &selected, &filtered] {
        let (fits, too_deep) = (make(max - 3), make(max + 1));
        assert!(!answer(PATIENT, &fits).starts_with('?'), "{fits}");
        assert!(Expression::parse(&too_deep).unwrap_err().message.contains("nested deeper"), "{too_deep}");
    }
}

#[test]
fn an_expression_may_be_so_long_and_no_longer() {
    let long = format!("'{}'", "a".repeat(MAX_EXPRESSION_BYTES));
    assert!(Expression::parse(&long).unwrap_err().message.contains("longer than"));
}

#[test]
fn a_loop_without_end_is_cut_off() {
    assert_eq!(refused_at("1.repeat($this + 1)", Limits { steps: 10_000, ..Limits::default() }), Reason::TooManySteps);
    assert_eq!(
        refused_at(
            "descendants().where(%resource.descendants().where(%resource.descendants().exists($this = 'x')).exists())",
            Limits { steps: 10_000, ..Limits::default() }
        ),
        Reason::TooManySteps
    );
}

#[test]
fn a_collection_that_doubles_is_cut_off() {
    let doubling = "name.given.combine(name.given).combine(name.given).aggregate($total.combine($total), 1 | 2)";
    assert_eq!(refused_at(doubling, Limits { items: 1000, ..Limits::default() }), Reason::TooManyItems);
}

#[test]
fn a_text_that_doubles_is_cut_off() {
    let doubling =
        "name.given.combine(name.given).aggregate($total + $total, 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa')";
    assert_eq!(refused_at(doubling, Limits { text_bytes: 10_000, ..Limits::default() }), Reason::TooMuchText);
    let replaced = "'aaaaaaaa'.replace('', 'aaaaaaaaaaaaaaaaaa').replace('a', 'aaaaaaaaaaaaaaaaaaaaaaaaa').replace('a', 'aaaaaaaaaaaaaaaaaaaaaaaaa')";
    assert_eq!(refused_at(replaced, Limits { text_bytes: 10_000, ..Limits::default() }), Reason::TooMuchText);
}

#[test]
fn a_failure_is_told_with_its_place() {
    let sample = Sample::new();
    let tree = Tree::parse(PATIENT.as_bytes()).unwrap();
    let environment = Environment::new(&sample);
    let compiled = Expression::parse("active and name.given.upper() = 'X'").unwrap();
    let error = compiled.evaluate(Item::resource(&sample, tree.root()), &environment).unwrap_err();
    assert_eq!((error.offset, error.reason), (16, Reason::Several));
}
