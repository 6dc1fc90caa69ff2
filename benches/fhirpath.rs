//! What R4's own expressions cost on one document reference: its search parameters, its invariants, and compiling them.
//! `cargo bench --bench fhirpath`

use carnet::definition::Registry;
use carnet::fhir::ResourceType;
use carnet::fhir::json::Tree;
use carnet::fhirpath::{Collection, Element, Environment, Expression, Item};
use divan::{Bencher, black_box};

/// A laboratory report as a document reference, 1.7 KB of compact JSON.
const DOCUMENT_REFERENCE: &str = include_str!("document-reference.json");

fn main() {
    divan::main();
}

fn parameters(registry: &Registry) -> Vec<Expression> {
    let all = registry.parameters(ResourceType::DocumentReference);
    all.iter().filter_map(|parameter| Expression::parse(parameter.expression.as_deref()?).ok()).collect()
}

/// The elements of the resource that have invariants, each with its own; `ele-1`, which every element has, apart if wanted.
fn invariants(registry: &Registry, items: &[Element<'_>], with_ele_1: bool) -> Vec<(usize, Expression)> {
    let mut found = Vec::new();
    for (position, item) in items.iter().enumerate() {
        let Some(type_id) = item.type_id() else { continue };
        let own = registry.structure(type_id).constraints.iter().filter_map(|id| registry.invariant(*id));
        for invariant in own.filter(|invariant| with_ele_1 || invariant.key != "ele-1") {
            found.extend(Expression::parse(&invariant.expression).ok().map(|compiled| (position, compiled)));
        }
    }
    found
}

#[divan::bench_group(sample_count = 500)]
mod document_reference {
    use super::*;

    #[divan::bench]
    fn search_parameters(bencher: Bencher<'_, '_>) {
        let (Ok(registry), Ok(tree)) = (Registry::shared(), Tree::parse(DOCUMENT_REFERENCE.as_bytes())) else { return };
        let expressions = parameters(registry);
        bencher.counter(divan::counter::ItemsCount::new(expressions.len())).bench_local(|| {
            let focus = Item::resource(registry, black_box(tree.root()));
            let environment = Environment::new(registry);
            let mut found = 0;
            for expression in &expressions {
                let _ = expression.visit(focus.clone(), &environment, &mut |_| found += 1);
            }
            found
        });
    }

    #[divan::bench]
    fn search_parameters_collected(bencher: Bencher<'_, '_>) {
        let (Ok(registry), Ok(tree)) = (Registry::shared(), Tree::parse(DOCUMENT_REFERENCE.as_bytes())) else { return };
        let expressions = parameters(registry);
        bencher.counter(divan::counter::ItemsCount::new(expressions.len())).bench_local(|| {
            let focus = Item::resource(registry, black_box(tree.root()));
            let environment = Environment::new(registry);
            expressions
                .iter()
                .filter_map(|expression| expression.evaluate(focus.clone(), &environment).ok())
                .map(|found| found.len())
                .sum::<usize>()
        });
    }

    #[divan::bench(args = [true, false])]
    fn invariants(bencher: Bencher<'_, '_>, with_ele_1: bool) {
        let (Ok(registry), Ok(tree)) = (Registry::shared(), Tree::parse(DOCUMENT_REFERENCE.as_bytes())) else { return };
        let Ok(all) = Expression::parse("$this | descendants()") else { return };
        let environment = Environment::new(registry);
        let root = Item::resource(registry, tree.root());
        let items = all.evaluate(root.clone(), &environment).unwrap_or_else(|_| Collection::new());
        let elements: Vec<Element<'_>> = items.iter().filter_map(Item::element).copied().collect();
        let checks = super::invariants(registry, &elements, with_ele_1);
        bencher.counter(divan::counter::ItemsCount::new(checks.len())).bench_local(|| {
            let environment = Environment::new(registry).with_resource(root.clone());
            let held = checks.iter().filter(|(position, expression)| {
                let focus = elements.get(*position).map(|element| Item::Element(*element));
                focus.is_some_and(|focus| expression.test(focus, &environment) == Ok(Some(true)))
            });
            held.count()
        });
    }
}

#[divan::bench]
fn every_search_parameter_is_compiled(bencher: Bencher<'_, '_>) {
    let Ok(registry) = Registry::shared() else { return };
    let all = ResourceType::ALL.iter().flat_map(|kind| registry.parameters(*kind));
    let sources: Vec<&str> = all.filter_map(|parameter| parameter.expression.as_deref()).collect();
    let count = divan::counter::ItemsCount::new(sources.len());
    bencher.counter(count).bench_local(|| sources.iter().filter(|source| Expression::parse(source).is_ok()).count());
}
