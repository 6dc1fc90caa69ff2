//! Random searches over resources that change meanwhile, held against an evaluator that reads every resource and decides by the
//! definitions of R4 alone.

mod asked;
mod chance;
mod compared;
mod filter;
mod included;
mod made;
mod order;
mod parameter;
mod search;
mod test;
mod vocabulary;
mod within;
mod world;

use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::support::server::Server;
use chance::Chance;
use world::World;

/// How many rounds there are, and where chance begins, unless these variables say otherwise.
const ROUNDS: (&str, u64) = ("CARNET_ORACLE_ROUNDS", 6);
const SEED: (&str, u64) = ("CARNET_ORACLE_SEED", 0x0AC1E);
const CHANGES_A_ROUND: u32 = 90;
const SEARCHES_A_ROUND: u32 = 250;

#[allow(clippy::disallowed_methods, reason = "tests are told by their environment")]
fn number((variable, otherwise): (&str, u64)) -> u64 {
    std::env::var(variable).ok().and_then(|text| text.parse().ok()).unwrap_or(otherwise)
}

#[test]
fn every_search_finds_what_the_definitions_say_while_resources_come_change_and_go() {
    let server = Server::start();
    let (mut chance, mut world) = (Chance(number(SEED)), World::default());
    let mut disagreements = 0;
    for _ in 0..number(ROUNDS) {
        for _ in 0..CHANGES_A_ROUND {
            world.change(&mut chance, &server);
        }
        for _ in 0..SEARCHES_A_ROUND {
            // One that disagrees hides no other one; each has said what it is.
            let held = catch_unwind(AssertUnwindSafe(|| search::hold(&server, &world, &mut chance)));
            disagreements += u32::from(held.is_err());
        }
    }
    assert_eq!(disagreements, 0, "disagreements");
}
