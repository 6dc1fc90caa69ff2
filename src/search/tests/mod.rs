//! The whole road: a query's plan, decided over the entries of a resource.

mod definition;
mod evaluate;
mod plan;

use std::sync::OnceLock;

use chrono_tz::Europe::Paris;
use serde_json::Value;

use super::index::IndexEntries;
use super::{Handling, Indexer, PageSize, Query, Scope};
use crate::definition::Registry;
use crate::fhir::json::Tree;
use crate::fhir::{Instant, ResourceType};
use crate::outcome::Outcome;
use evaluate::Candidate;

const BASE: &str = "http://localhost:8080/fhir";
const NOW: Instant = Instant::from_micros(1_767_225_600_000_000);
const SIZE: PageSize = PageSize { default: 20, max: 100 };

fn registry() -> &'static Registry {
    Registry::shared().unwrap()
}

/// One for all tests: its expressions are compiled once.
fn indexer() -> &'static Indexer {
    static INDEXER: OnceLock<Indexer> = OnceLock::new();
    INDEXER.get_or_init(|| Indexer::new(registry(), BASE, [9; 16], Paris))
}

fn entries(indexer: &Indexer, resource: &Value) -> IndexEntries {
    let text = resource.to_string();
    let tree = Tree::parse(text.as_bytes()).unwrap();
    indexer.entries(resource["resourceType"].as_str().unwrap().parse().unwrap(), &tree).unwrap()
}

fn query(kind: ResourceType, parameters: &[(&str, &str)]) -> Outcome<Query> {
    let parameters: Vec<_> = parameters.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    Query::parse(registry(), Scope::of_type(kind), &parameters, Handling::Strict)
}

/// Whether the search `name=value` finds the resource.
fn finds(indexer: &Indexer, resource: &Value, name: &str, value: &str) -> bool {
    let kind: ResourceType = resource["resourceType"].as_str().unwrap().parse().unwrap();
    let query = query(kind, &[(name, value)]).unwrap_or_else(|failure| panic!("{name}={value}: {failure}"));
    let plan = query.plan(indexer, SIZE, NOW).unwrap();
    let id = resource["id"].as_str().unwrap_or("none").parse().unwrap();
    let candidate = Candidate { kind, id, updated: NOW, entries: entries(indexer, resource), body: resource.to_string() };
    candidate.fulfils(&plan.condition)
}
