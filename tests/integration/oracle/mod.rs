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

const ROUNDS: u32 = 4;
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
    let query = format!("/{kind}?{}&_count=1000&_total=accurate", query.join("&"));
    let answer = server.get(&query);
    assert_eq!(answer.status, 200, "{query}: {}", String::from_utf8_lossy(&answer.body));
    let meant: BTreeSet<String> = world
        .of_kind(kind)
        .filter(|resource| asked.iter().all(|asked| (asked.holds)(world, resource)))
        .map(|resource| resource["id"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(found(&answer), meant, "{query}");
    assert_eq!(answer.json()["total"], meant.len(), "{query}");
}

#[test]
fn every_search_finds_what_the_definitions_say_while_resources_come_change_and_go() {
    let server = Server::start();
    let (mut chance, mut world) = (Chance(0x0AC1E), World::default());
    for _ in 0..ROUNDS {
        for _ in 0..CHANGES_A_ROUND {
            world.change(&mut chance, &server);
        }
        for _ in 0..SEARCHES_A_ROUND {
            hold(&server, &world, &mut chance);
        }
    }
}
