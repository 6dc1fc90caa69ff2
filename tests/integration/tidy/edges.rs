//! Who may use whom.

use std::collections::{BTreeMap, BTreeSet};

use super::source::{Token, tokens, without_literals, without_tests};
use super::{Finding, files, hold, root};

/// The dependency table: a module and what it may use. What stands in no row may use nothing, and a folder of `src` that
/// stands in no row fails.
const TABLE: &[(&str, &[&str])] = &[
    ("fhir", &[]),
    ("outcome", &["fhir"]),
    ("config", &["outcome"]),
    ("fhirpath", &["fhir", "outcome"]),
    ("definition", &["fhir", "outcome", "fhirpath"]),
    ("validation", &["definition", "fhirpath", "fhir", "outcome"]),
    ("search", &["definition", "fhirpath", "fhir", "outcome"]),
    ("security", &["fhir", "outcome", "config"]),
    ("dossier", &["security", "fhir", "outcome"]),
    ("document", &["fhir", "outcome", "definition"]),
    ("audit", &["dossier", "security", "fhir", "outcome"]),
    ("store", &["search", "dossier", "audit", "fhir", "outcome", "config"]),
    ("delivery", &["store", "dossier", "search", "fhir", "outcome", "config"]),
    (
        "interaction",
        &[
            "fhir",
            "outcome",
            "config",
            "fhirpath",
            "definition",
            "validation",
            "search",
            "security",
            "dossier",
            "document",
            "audit",
            "store",
        ],
    ),
    ("http", &["interaction", "security", "fhir", "outcome", "config"]),
];

/// Modules that wire the others together and may name them all.
const WIRING: &[&str] = &["lib", "app", "cli", "main", "bin"];

/// Crates that one module alone knows.
const OWNED_CRATES: &[(&str, &[&str])] = &[
    ("http", &["actix_http", "actix_web", "rustls", "rustls_openssl"]),
    ("store", &["diesel", "diesel_migrations", "libsqlite3_sys", "object_store", "pq_sys"]),
];

/// One module naming another.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Edge {
    from: String,
    to: String,
    place: String,
}

/// The module at the top that `path` (`src/store/change.rs`) belongs to.
fn owner(path: &str) -> &str {
    let inside = path.trim_start_matches("src/");
    inside.split(['/', '.']).next().unwrap()
}

/// How many modules deep the file stands: 1 for `src/store/mod.rs`, 2 for `src/store/change.rs`.
fn depth(path: &str) -> usize {
    let inside = path.trim_start_matches("src/").trim_end_matches(".rs").trim_end_matches("/mod");
    if inside == "lib" || inside == "main" { 0 } else { inside.split('/').count() }
}

/// Whether the file holds nothing but tests.
fn is_test_file(path: &str) -> bool {
    path.ends_with("/tests.rs") || path.contains("/tests/")
}

/// Every module of the crate that the file names, outside its tests.
fn edges(path: &str, text: &str) -> Vec<Edge> {
    if is_test_file(path) {
        return Vec::new();
    }
    let text = without_tests(&without_literals(text));
    let tokens = tokens(&text);
    let mut found = Vec::new();
    for start in 0..tokens.len() {
        for named in named_from_root(&tokens, start, depth(path)) {
            if named.text != owner(path) {
                let place = format!("{path}:{}", named.line);
                found.push(Edge { from: owner(path).to_owned(), to: named.text.to_owned(), place });
            }
        }
    }
    found
}

/// The modules named by the path that starts at token `start`, when it starts at the root of the crate.
fn named_from_root<'s>(tokens: &[Token<'s>], start: usize, depth: usize) -> Vec<Token<'s>> {
    let text = |at: usize| tokens.get(at).map_or("", |token| token.text);
    let mut at = start;
    match text(start) {
        "crate" if text(start + 1) == "::" => at += 2,
        "super" if text(start.wrapping_sub(1)) != "::" => {
            let mut supers = 0;
            while text(at) == "super" && text(at + 1) == "::" {
                supers += 1;
                at += 2;
            }
            if supers != depth {
                return Vec::new();
            }
        }
        _ => return Vec::new(),
    }
    if text(at) == "{" { heads_of_group(tokens, at) } else { tokens.get(at).into_iter().cloned().collect() }
}

/// The first word of each path in a group `{a::b, c::{d, e}, f}`.
fn heads_of_group<'s>(tokens: &[Token<'s>], open: usize) -> Vec<Token<'s>> {
    let mut heads = Vec::new();
    let mut nesting = 0;
    let mut expects_head = false;
    for token in &tokens[open..] {
        match token.text {
            "{" => {
                nesting += 1;
                expects_head = nesting == 1;
            }
            "}" => {
                nesting -= 1;
                if nesting == 0 {
                    break;
                }
            }
            "," if nesting == 1 => expects_head = true,
            _ if expects_head => {
                heads.push(token.clone());
                expects_head = false;
            }
            _ => {}
        }
    }
    heads
}

/// Edges that the table does not allow.
fn refused(edges: &[Edge]) -> Vec<Finding> {
    let allowed: BTreeMap<_, _> = TABLE.iter().copied().collect();
    let is_allowed = |edge: &Edge| {
        WIRING.contains(&edge.from.as_str()) || allowed.get(edge.from.as_str()).is_some_and(|to| to.contains(&edge.to.as_str()))
    };
    edges
        .iter()
        .filter(|edge| !is_allowed(edge))
        .map(|edge| format!("{}: {} may not use {}", edge.place, edge.from, edge.to))
        .collect()
}

/// The modules of a cycle among the edges, in order; nothing where there is none.
fn cycle(edges: &BTreeSet<(String, String)>) -> Option<Vec<String>> {
    let mut left: BTreeSet<(String, String)> = edges.clone();
    loop {
        let sources: BTreeSet<String> = left.iter().map(|(from, _)| from.clone()).collect();
        let before = left.len();
        left.retain(|(_, to)| sources.contains(to));
        if left.len() == before {
            break;
        }
    }
    let mut path = vec![left.first()?.0.clone()];
    loop {
        let last = path.last()?.clone();
        let (_, next) = left.iter().find(|(from, _)| *from == last)?;
        if let Some(start) = path.iter().position(|module| module == next) {
            return Some(path.split_off(start));
        }
        path.push(next.clone());
    }
}

/// Uses of a crate outside the module that owns it.
fn foreign_crates(path: &str, text: &str) -> Vec<Finding> {
    let module = owner(path);
    if WIRING.contains(&module) || is_test_file(path) {
        return Vec::new();
    }
    let text = without_tests(&without_literals(text));
    let tokens = tokens(&text);
    let mut found = Vec::new();
    for pair in tokens.windows(2).filter(|pair| pair[1].text == "::") {
        for (home, crates) in OWNED_CRATES {
            if *home != module && crates.contains(&pair[0].text) {
                found.push(format!("{path}:{}: only {home} knows {}", pair[0].line, pair[0].text));
            }
        }
    }
    found
}

fn edges_of_the_crate() -> Vec<Edge> {
    files("src", ".rs").iter().flat_map(|(path, text)| edges(path, text)).collect()
}

#[test]
fn modules_use_only_what_the_table_allows() {
    hold(refused(&edges_of_the_crate()));
}

#[test]
fn no_module_uses_itself_through_others() {
    let pairs = edges_of_the_crate().into_iter().filter(|edge| edge.from != "lib" && edge.from != "bin");
    assert_eq!(cycle(&pairs.map(|edge| (edge.from, edge.to)).collect()), None);
}

#[test]
fn actix_is_known_to_http_alone_and_diesel_to_store_alone() {
    hold(files("src", ".rs").iter().flat_map(|(path, text)| foreign_crates(path, text)).collect());
}

#[test]
fn every_module_stands_in_the_table() {
    let modules = files("src", ".rs");
    let known = |module: &str| WIRING.contains(&module) || TABLE.iter().any(|(name, _)| *name == module);
    hold(modules.iter().map(|(path, _)| owner(path)).filter(|module| !known(module)).map(str::to_owned).collect());
}

#[test]
fn the_table_itself_has_no_cycle() {
    let pairs = TABLE.iter().flat_map(|(from, to)| to.iter().map(|to| (String::from(*from), String::from(*to))));
    assert_eq!(cycle(&pairs.collect()), None);
}

#[test]
fn the_table_that_contributors_read_is_this_one() {
    let guide = std::fs::read_to_string(root().join("CONTRIBUTING.md")).unwrap();
    let section = guide.lines().skip_while(|line| *line != "| module | may use |").take_while(|line| !line.is_empty());
    let rows: BTreeMap<String, BTreeSet<String>> = section.filter_map(row).collect();
    let table: BTreeMap<String, BTreeSet<String>> =
        TABLE.iter().map(|(module, uses)| ((*module).to_owned(), uses.iter().map(|name| (*name).to_owned()).collect())).collect();
    assert_eq!(rows, table);
}

/// A row "| `module` | `a` `b` |" of the guide.
fn row(line: &str) -> Option<(String, BTreeSet<String>)> {
    let mut cells = line.strip_prefix("| `")?.split('|');
    let module = cells.next()?.trim().trim_matches('`').to_owned();
    let uses = cells.next()?.split('`').map(str::trim).filter(|name| !name.is_empty() && *name != "nothing");
    Some((module, uses.map(str::to_owned).collect()))
}

#[test]
fn an_edge_is_found_however_it_is_written() {
    let text = "use crate::store::Store;\nuse crate::{http::a, fhir::{id, date}, audit};\nfn f() { crate::cli::g() }\n";
    let found: Vec<_> = edges("src/search/plan.rs", text).into_iter().map(|edge| (edge.to, edge.place)).collect();
    let place = |line: u8| format!("src/search/plan.rs:{line}");
    let expected = [("store", 1), ("http", 2), ("fhir", 2), ("audit", 2), ("cli", 3)];
    assert_eq!(found, expected.map(|(to, line)| (to.to_owned(), place(line))));
}

#[test]
fn an_edge_through_super_is_found() {
    assert_eq!(edges("src/search/plan.rs", "use super::super::store::Store;")[0].to, "store");
    assert_eq!(edges("src/search/mod.rs", "use super::{store, http};").len(), 2);
    assert_eq!(edges("src/search/plan.rs", "use super::index;"), []);
    assert_eq!(edges("src/search/plan/date.rs", "use super::super::index;"), []);
}

#[test]
fn tests_may_name_any_module() {
    assert_eq!(edges("src/search/plan.rs", "#[cfg(test)]\nmod tests {\n    use crate::store::Store;\n}"), []);
    assert_eq!(edges("src/search/tests.rs", "use crate::store::Store;"), []);
}

#[test]
fn an_edge_outside_the_table_is_refused() {
    let found = refused(&edges("src/search/plan.rs", "use crate::store::Store;\nuse crate::fhir::Part;"));
    assert_eq!(found, ["src/search/plan.rs:1: search may not use store"]);
    assert_eq!(refused(&edges("src/cli/load.rs", "use crate::store::Store;")), Vec::<Finding>::new());
    assert_eq!(refused(&edges("src/novelty.rs", "use crate::fhir::Part;")).len(), 1);
}

#[test]
fn a_cycle_is_named() {
    let pairs = |list: &[(&str, &str)]| list.iter().map(|(a, b)| (String::from(*a), String::from(*b))).collect();
    assert_eq!(cycle(&pairs(&[("a", "b"), ("b", "c"), ("d", "a")])), None);
    let found = cycle(&pairs(&[("x", "a"), ("a", "b"), ("b", "c"), ("c", "a"), ("c", "leaf")])).unwrap();
    assert_eq!(found.iter().map(String::as_str).collect::<BTreeSet<_>>(), BTreeSet::from(["a", "b", "c"]));
}

#[test]
fn a_crate_used_outside_its_home_is_found() {
    assert_eq!(foreign_crates("src/search/plan.rs", "use diesel::prelude::*;").len(), 1);
    assert_eq!(foreign_crates("src/store/query.rs", "use diesel::prelude::*;").len(), 0);
    assert_eq!(foreign_crates("src/interaction/read.rs", "fn f(r: actix_web::HttpRequest) {}").len(), 1);
}
