//! Random searches over resources that change meanwhile, held against an evaluator that reads every resource and decides by the
//! definitions of R4 alone.

mod asked;
mod compared;
mod parameter;
mod test;
mod world;

use std::collections::BTreeSet;

use crate::support::server::{Answer, Server};
use asked::Asked;
use world::{Chance, World};

/// How many rounds there are, and where chance begins, unless these variables say otherwise.
const ROUNDS: (&str, u64) = ("CARNET_ORACLE_ROUNDS", 4);
const SEED: (&str, u64) = ("CARNET_ORACLE_SEED", 0x0AC1E);
/// One search in so many is read page by page, too.
const PAGED: u64 = 6;
const CHANGES_A_ROUND: u32 = 60;
const SEARCHES_A_ROUND: u32 = 150;

/// What stays in a query: everything else is escaped.
fn escaped(text: &str) -> String {
    text.bytes()
        .map(|byte| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' => char::from(byte).to_string(),
            other => format!("%{other:02X}"),
        })
        .collect()
}

fn found(answer: &Answer) -> BTreeSet<String> {
    let bundle = answer.json();
    let entries = bundle["entry"].as_array().cloned().unwrap_or_default();
    entries.iter().map(|entry| entry["resource"]["id"].as_str().unwrap().to_owned()).collect()
}

/// Whether the server finds what the definitions say.
fn hold(server: &Server, world: &World, chance: &mut Chance) {
    let kind = chance.of(world::KINDS);
    let asked: Vec<Asked> = (0..=chance.below(2)).map(|_| asked::criterion(chance, kind, 2)).collect();
    let query: Vec<String> = asked.iter().map(|asked| format!("{}={}", asked.name, escaped(&asked.value))).collect();
    let criteria = query.join("&");
    let query = format!("/{kind}?{criteria}&_count=1000&_total=accurate");
    let answer = server.get(&query);
    assert_eq!(answer.status, 200, "{query}: {}", String::from_utf8_lossy(&answer.body));
    let meant: BTreeSet<String> = world
        .of_kind(kind)
        .filter(|resource| asked.iter().all(|asked| (asked.holds)(world, resource)))
        .map(|resource| resource["id"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(found(&answer), meant, "{query}");
    assert_eq!(answer.json()["total"], meant.len(), "{query}");
    if chance.one_in(PAGED) {
        let sort = chance.of(&["", "", "&_sort=_id", "&_sort=-_lastUpdated", "&_sort=_lastUpdated,_id"]);
        turned(server, &format!("/{kind}?{criteria}&_count={}{sort}", 1 + chance.below(4)), &meant);
    }
}

/// Whether pages, turned from the first one on and from the last one back, hold each of `meant` once, in the same order.
fn turned(server: &Server, query: &str, meant: &BTreeSet<String>) {
    let onward: Vec<String> = pages(server, server.get(query), "next").concat();
    assert_eq!(onward.iter().cloned().collect::<BTreeSet<_>>(), *meant, "{query}");
    assert_eq!(onward.len(), meant.len(), "{query}: {onward:?}");
    let Some(last) = link(server, &server.get(query), "last") else { return };
    let mut back = pages(server, server.get(&last), "previous");
    back.reverse();
    assert_eq!(back.concat(), onward, "{query}, from its last page");
}

/// What stands on a page and on all that follow it in one direction.
fn pages(server: &Server, first: Answer, relation: &str) -> Vec<Vec<String>> {
    let (mut pages, mut page) = (Vec::new(), Some(first));
    while let Some(answer) = page.take() {
        assert_eq!(answer.status, 200, "{}", String::from_utf8_lossy(&answer.body));
        let entries = answer.json()["entry"].as_array().cloned().unwrap_or_default();
        pages.push(entries.iter().map(|entry| entry["resource"]["id"].as_str().unwrap().to_owned()).collect());
        page = link(server, &answer, relation).map(|path| server.get(&path));
    }
    pages
}

fn link(server: &Server, answer: &Answer, relation: &str) -> Option<String> {
    let bundle = answer.json();
    let link = bundle["link"].as_array()?.iter().find(|link| link["relation"] == relation)?.clone();
    Some(link["url"].as_str()?.strip_prefix(&server.base_url)?.to_owned())
}

#[allow(clippy::disallowed_methods, reason = "tests are told by their environment")]
fn number((variable, otherwise): (&str, u64)) -> u64 {
    std::env::var(variable).ok().and_then(|text| text.parse().ok()).unwrap_or(otherwise)
}

#[test]
fn every_search_finds_what_the_definitions_say_while_resources_come_change_and_go() {
    let server = Server::start();
    let (mut chance, mut world) = (Chance(number(SEED)), World::default());
    for _ in 0..number(ROUNDS) {
        for _ in 0..CHANGES_A_ROUND {
            world.change(&mut chance, &server);
        }
        for _ in 0..SEARCHES_A_ROUND {
            hold(&server, &world, &mut chance);
        }
    }
}
