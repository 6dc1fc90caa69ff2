//! One search, asked in one of the ways there are, and what must come of it.

use std::collections::BTreeSet;

use serde_json::Value;

use super::asked::{Asked, Asker};
use super::chance::Chance;
use super::included::{Version, included, rules, version};
use super::order::{Key, is_ordered, keys};
use super::within;
use super::world::{KINDS, World};
use crate::support::server::{Answer, Server};

/// One search in so many is asked in this way, too.
const PAGED: u64 = 6;
const SORTED: u64 = 4;
const COUNTED: u64 = 8;
const INCLUDING: u64 = 4;

/// What stays in a query: everything else is escaped.
fn escaped(text: &str) -> String {
    text.bytes()
        .map(|byte| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' => char::from(byte).to_string(),
            other => format!("%{other:02X}"),
        })
        .collect()
}

/// A search: where, and by which criteria.
struct Search {
    place: String,
    criteria: String,
    /// By POST.
    posted: bool,
}

impl Search {
    /// The answer to it with more parameters, each after an ampersand.
    fn answer(&self, server: &Server, more: &str) -> Answer {
        let query = format!("{}{more}", self.criteria);
        let answer = if self.posted {
            let form = [("content-type", "application/x-www-form-urlencoded")];
            server.send("POST", &format!("{}/_search", self.place), &form, query.as_bytes())
        } else {
            server.get(&format!("{}?{query}", self.place))
        };
        assert_eq!(answer.status, 200, "{self}{more}: {}", String::from_utf8_lossy(&answer.body));
        answer
    }
}

impl std::fmt::Display for Search {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}?{}", if self.posted { "POST" } else { "GET" }, self.place, self.criteria)
    }
}

/// Whether the server finds what the definitions say.
pub(super) fn hold(server: &Server, world: &World, chance: &mut Chance) {
    let kind = chance.of(KINDS);
    if chance.one_in(12) {
        return of_several_types(server, world, chance);
    }
    let mut asker = Asker { chance, world, base_url: &server.base_url };
    let asked: Vec<Asked> = (0..=asker.chance.below(2)).map(|_| asker.criterion(kind, 2)).collect();
    let compartment = chance.of(&["Patient", "Encounter"]);
    let focus = (chance.one_in(8) && within::is_of(compartment, kind)).then(|| (compartment, chance.id()));
    let is_meant = |resource: &&Value| {
        let is_within = focus.as_ref().is_none_or(|(compartment, id)| within::belongs((compartment, id), resource));
        is_within && asked.iter().all(|asked| (asked.holds)(world, resource))
    };
    let meant: Vec<&Value> = world.of_kind(kind).filter(is_meant).collect();
    let criteria: Vec<String> = asked.iter().map(|asked| format!("{}={}", asked.name, escaped(&asked.value))).collect();
    let (place, of_type) = match &focus {
        Some((compartment, id)) => (format!("/{compartment}/{id}/{kind}"), String::new()),
        None if chance.one_in(8) => (String::new(), format!("&_type={kind}")),
        None => (format!("/{kind}"), String::new()),
    };
    let search = Search { place, criteria: criteria.join("&") + &of_type, posted: chance.one_in(5) };
    judge(server, world, chance, (&search, kind, &meant));
}

/// What of a search is asked of every type, in several of them at once or in a whole compartment.
fn of_several_types(server: &Server, world: &World, chance: &mut Chance) {
    let asked = Asker { chance, world, base_url: &server.base_url }.common();
    let compartment = chance.of(&["Patient", "Encounter"]);
    let focus = chance.one_in(2).then(|| (compartment, chance.id()));
    let mut kinds: Vec<&str> = (0..4).map(|_| chance.of(KINDS)).collect();
    kinds.dedup();
    let narrowed = focus.is_none() || chance.one_in(2);
    let is_meant = |resource: &&Value| {
        let is_within = focus.as_ref().is_none_or(|(compartment, id)| within::belongs((compartment, id), resource));
        let is_of_kind = !narrowed || kinds.iter().any(|kind| resource["resourceType"] == *kind);
        is_within && is_of_kind && (asked.holds)(world, resource)
    };
    let meant: Vec<&Value> = world.all().filter(is_meant).collect();
    let place = focus.as_ref().map_or_else(String::new, |(compartment, id)| format!("/{compartment}/{id}/*"));
    let of_type = if narrowed { format!("&_type={}", kinds.join(",")) } else { String::new() };
    // Between a place and `_search` nothing stands for all types.
    let posted = focus.is_none() && chance.one_in(3);
    let search = Search { place, criteria: format!("{}={}{of_type}", asked.name, escaped(&asked.value)), posted };
    found(&search, &search.answer(server, "&_count=1000&_total=accurate"), &meant);
    if chance.one_in(PAGED) {
        turned(server, (&search, ""), chance, &meant);
    }
}

fn judge(server: &Server, world: &World, chance: &mut Chance, (search, kind, meant): (&Search, &'static str, &[&Value])) {
    found(search, &search.answer(server, "&_count=1000&_total=accurate"), meant);
    if chance.one_in(COUNTED) {
        let more = chance.of(&["&_summary=count", "&_count=0"]);
        let counted = search.answer(server, more).json();
        assert_eq!((&counted["total"], counted.get("entry")), (&meant.len().into(), None), "{search}{more}");
    }
    if chance.one_in(SORTED) {
        let keys = keys(chance, kind);
        let sort = format!("&_sort={}", keys.iter().map(|key| key.name.as_str()).collect::<Vec<_>>().join(","));
        in_order((search, &sort), &keys, &matches(&search.answer(server, &format!("{sort}&_count=1000"))), meant);
        let pages = turned(server, (search, &sort), chance, meant);
        in_order((search, &sort), &keys, &pages, meant);
    } else if chance.one_in(PAGED) {
        turned(server, (search, ""), chance, meant);
    }
    if chance.one_in(INCLUDING) {
        let rules = rules(chance, kind);
        let more: String = rules.iter().map(|rule| format!("&{}", rule.parameter())).collect();
        let answer = search.answer(server, &format!("{more}&_count=1000&_total=accurate"));
        found(search, &answer, meant);
        let came: Vec<Version> = entries(&answer, "include").iter().map(version).collect();
        assert_eq!(came.iter().cloned().collect::<BTreeSet<_>>(), included(world, &rules, meant), "{search}{more}");
        assert_eq!(came.len(), came.iter().collect::<BTreeSet<_>>().len(), "{search}{more}: {came:?}");
    }
}

/// Whether the matches are `meant`, each once.
fn found(search: &Search, answer: &Answer, meant: &[&Value]) {
    let found = matches(answer);
    let set: BTreeSet<&Version> = found.iter().collect();
    let expected: BTreeSet<Version> = meant.iter().copied().map(version).collect();
    assert_eq!(set, expected.iter().collect(), "{search}");
    assert_eq!(found.len(), set.len(), "{search}: {found:?}");
    assert_eq!(answer.json()["total"], meant.len(), "{search}");
}

fn in_order((search, sort): (&Search, &str), keys: &[Key], found: &[Version], meant: &[&Value]) {
    assert_eq!(found.len(), meant.len(), "{search}{sort}: {found:?}");
    let of = |found: &Version| meant.iter().copied().find(|resource| version(resource) == *found);
    let resources: Vec<&Value> =
        found.iter().map(|found| of(found).unwrap_or_else(|| panic!("{search}{sort}: {found:?}"))).collect();
    assert!(is_ordered(keys, &resources), "{search}{sort}: {resources:#?}");
}

/// What stands on the pages, turned from the first one on; back from the last one it must be the same.
fn turned(server: &Server, (search, sort): (&Search, &str), chance: &mut Chance, meant: &[&Value]) -> Vec<Version> {
    let size = format!("{sort}&_count={}", 1 + chance.below(4));
    let onward = pages(server, search.answer(server, &size), "next").concat();
    let expected: BTreeSet<Version> = meant.iter().copied().map(version).collect();
    assert_eq!(onward.iter().cloned().collect::<BTreeSet<_>>(), expected, "{search}{size}");
    assert_eq!(onward.len(), meant.len(), "{search}{size}: {onward:?}");
    if let Some(last) = link(server, &search.answer(server, &size), "last") {
        let mut back = pages(server, server.get(&last), "previous");
        back.reverse();
        assert_eq!(back.concat(), onward, "{search}{size}, from its last page");
    }
    onward
}

/// What stands on a page and on all that follow it in one direction.
fn pages(server: &Server, first: Answer, relation: &str) -> Vec<Vec<Version>> {
    let (mut pages, mut page) = (Vec::new(), Some(first));
    while let Some(answer) = page.take() {
        assert_eq!(answer.status, 200, "{}", String::from_utf8_lossy(&answer.body));
        pages.push(matches(&answer));
        page = link(server, &answer, relation).map(|path| server.get(&path));
    }
    pages
}

fn link(server: &Server, answer: &Answer, relation: &str) -> Option<String> {
    let bundle = answer.json();
    let link = bundle["link"].as_array()?.iter().find(|link| link["relation"] == relation)?.clone();
    Some(link["url"].as_str()?.strip_prefix(&server.base_url)?.to_owned())
}

fn matches(answer: &Answer) -> Vec<Version> {
    entries(answer, "match").iter().map(version).collect()
}

fn entries(answer: &Answer, mode: &str) -> Vec<Value> {
    let bundle = answer.json();
    let entries = bundle["entry"].as_array().cloned().unwrap_or_default();
    let outcome = entries.iter().find(|entry| entry["search"]["mode"] == "outcome");
    assert_eq!(outcome, None, "nothing is left out");
    entries.into_iter().filter(|entry| entry["search"]["mode"] == mode).map(|entry| entry["resource"].clone()).collect()
}
