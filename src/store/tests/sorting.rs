//! Orders of every kind, held against what resources say: whole, and cut into pages while others write.

use std::cmp::Ordering;
use std::collections::BTreeSet;

use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::bed::*;
use super::linking::{indexer, written};
use super::on_each_back_end;
use crate::definition::Registry;
use crate::dossier::Access;
use crate::fhir::{Instant, Part, ResourceType};
use crate::outcome::Kind;
use crate::search::plan::{Plan, Position, Turn};
use crate::search::{Handling, PageSize, Query, Scope};
use crate::store::change::Write;
use crate::store::{Match, Store};

const LATER: Instant = Instant::from_micros(i64::MAX);
const NOW: Instant = Instant::from_micros(0);

/// A resource that is sorted, as far as the sort keys go.
#[derive(Clone, Debug)]
struct Measured {
    number: usize,
    status: &'static str,
    codes: Vec<&'static str>,
    /// A value and its unit.
    mass: Option<(i32, &'static str)>,
    subject: Option<&'static str>,
    day: Option<u32>,
    updated: i64,
}

/// What a key compares, found by hand.
#[derive(Clone, Debug, PartialEq, PartialOrd)]
enum By {
    Text(String),
    Number(f64),
}

const KEYS: [&str; 7] = ["status", "code", "value-quantity", "subject", "date", "_id", "_lastUpdated"];

impl Measured {
    fn json(&self) -> Value {
        let mut resource = json!({"resourceType": "Observation", "id": self.id(), "status": self.status});
        if !self.codes.is_empty() {
            resource["code"] = json!({"coding": self.codes.iter().map(|code| json!({"code": code})).collect::<Vec<_>>()});
        }
        if let Some((value, unit)) = self.mass {
            resource["valueQuantity"] = json!({"value": value, "system": "http://unitsofmeasure.org", "code": unit});
        }
        if let Some(reference) = self.subject {
            resource["subject"] = json!({"reference": reference});
        }
        if let Some(day) = self.day {
            resource["effectiveDateTime"] = json!(format!("2026-01-{day:02}"));
        }
        resource
    }

    fn id(&self) -> String {
        format!("o{:03}", (self.number * 37) % 101)
    }

    fn value(&self, key: &str, descending: bool) -> Option<By> {
        let text = |text: &str| Some(By::Text(text.to_owned()));
        match key {
            "status" => text(self.status),
            "code" => text(if descending { self.codes.iter().max()? } else { self.codes.iter().min()? }),
            "value-quantity" => {
                let (value, unit) = self.mass?;
                Some(By::Number(f64::from(value) * if unit == "kg" { 1_000.0 } else { 1.0 }))
            }
            "subject" => text(self.subject?.trim_start_matches("http://h/fhir/")),
            "date" => Some(By::Number(f64::from(self.day?))),
            "_id" => text(&self.id()),
            _ => Some(By::Number(self.updated as f64)),
        }
    }
}

fn compare(keys: &[(&str, bool)], left: &Measured, right: &Measured) -> Ordering {
    let by_key = |(key, descending): &(&str, bool)| match (left.value(key, *descending), right.value(key, *descending)) {
        (None, None) => Ordering::Equal,
        (None, _) => Ordering::Greater,
        (_, None) => Ordering::Less,
        (left, right) => {
            let ascending = left.partial_cmp(&right).unwrap();
            if *descending { ascending.reverse() } else { ascending }
        }
    };
    keys.iter().map(by_key).fold(Ordering::Equal, Ordering::then).then(left.number.cmp(&right.number))
}

fn measured() -> impl Strategy<Value = Measured> {
    let one_of = |values: &'static [&'static str]| prop::sample::select(values);
    let parts = (
        one_of(&["final", "amended", "preliminary"]),
        vec(one_of(&["a", "B", "c", "é"]), 0..3),
        prop::option::of((1..5_i32, one_of(&["g", "kg"]))),
        prop::option::of(one_of(&["Patient/a", "http://h/fhir/Patient/b", "Group/a", "http://elsewhere/Patient/a"])),
        prop::option::of(1..5_u32),
        0..4_i64,
    );
    parts.prop_map(|(status, codes, mass, subject, day, updated)| Measured {
        number: 0,
        status,
        codes,
        mass,
        subject,
        day,
        updated,
    })
}

/// Numbered resources.
fn several(most: usize) -> impl Strategy<Value = Vec<Measured>> {
    vec(measured(), 1..most).prop_map(|all| all.into_iter().enumerate().map(|(number, one)| Measured { number, ..one }).collect())
}

fn keys() -> impl Strategy<Value = Vec<(&'static str, bool)>> {
    vec((prop::sample::select(&KEYS[..]), any::<bool>()), 1..4)
}

fn query(keys: &[(&str, bool)], count: u32, page: Option<String>) -> Query {
    let sort: Vec<String> = keys.iter().map(|(key, descending)| format!("{}{key}", if *descending { "-" } else { "" })).collect();
    let mut parameters = vec![("_sort".to_owned(), sort.join(",")), ("_count".to_owned(), count.to_string())];
    parameters.extend(page.map(|page| ("_page".to_owned(), page)));
    Query::parse(Registry::shared().unwrap(), Scope::of_type(ResourceType::Observation), &parameters, Handling::Strict).unwrap()
}

struct Walk<'b> {
    bed: &'b Bed,
    keys: &'b [(&'static str, bool)],
    count: u32,
}

impl Walk<'_> {
    /// The page that a link leads to, and the links from there.
    async fn page(&self, page: Option<String>) -> (Vec<Match>, [Option<String>; 2]) {
        let indexer = indexer(self.bed);
        let query = query(self.keys, self.count, page);
        let plan = query.plan(&indexer, PageSize { default: 10, max: 100 }, NOW).unwrap();
        let (came, backward) = (plan.after.is_some(), plan.backward);
        let found = self.bed.store.search(&everything(), plan).await.unwrap();
        assert!(found.matches.len() <= self.count as usize);
        let link = |position: &Position, backward| {
            let turn = if backward { Turn::Before(position.clone()) } else { Turn::After(position.clone()) };
            query.page_parameters(&indexer, &turn, LATER).pop().unwrap().1
        };
        let previous = found.matches.first().filter(|_| if backward { found.more } else { came });
        let next = found.matches.last().filter(|_| if backward { true } else { found.more });
        let links = [previous.map(|found| link(&found.position, true)), next.map(|found| link(&found.position, false))];
        (found.matches, links)
    }
}

fn ids(matches: &[Match]) -> Vec<String> {
    matches.iter().map(|found| found.stored.id.to_string()).collect()
}

fn write(bed: &Bed, one: &Measured) -> Write {
    Write { updated: Instant::from_micros(one.updated), ..written(&indexer(bed), one.number as i64, &one.json()) }
}

/// Of `all`, those with an even number stay as they are; the others come and go while pages are turned.
async fn turned(bed: &Bed, all: &[Measured], keys: &[(&'static str, bool)], count: u32) {
    let (mut staying, passing): (Vec<_>, Vec<_>) = all.iter().cloned().partition(|one| one.number % 2 == 0);
    let (early, late) = passing.split_at(passing.len() / 2);
    bed.committed(staying.iter().chain(early).map(|one| write(bed, one)).collect()).await;
    staying.sort_by(|left, right| compare(keys, left, right));
    let expected: Vec<String> = staying.iter().map(Measured::id).collect();
    let walk = Walk { bed, keys, count };
    let (mut seen, mut link, mut last) = (Vec::new(), None, None);
    let (mut going, mut coming) = (early.iter(), late.iter());
    loop {
        let (matches, [_, next]) = walk.page(link.take()).await;
        seen.extend(ids(&matches));
        if let Some(one) = going.next() {
            bed.committed(vec![deletion(&write(bed, one))]).await;
        }
        bed.committed(coming.by_ref().take(2).map(|one| write(bed, one)).collect()).await;
        last = matches.last().cloned().or(last);
        match next {
            Some(next) => link = Some(next),
            None => break,
        }
    }
    hold(&seen, &expected, keys);
    // And back to the beginning, from before whatever stands last.
    let Some(last) = last else { return };
    let query = query(keys, count, None);
    let turn = Turn::Before(last.position);
    let mut link = query.page_parameters(&indexer(bed), &turn, LATER).pop().map(|(_, token)| token);
    let mut back = vec![last.stored.id.to_string()];
    while let Some(page) = link.take() {
        let (matches, [previous, _]) = walk.page(Some(page)).await;
        back.splice(0..0, ids(&matches));
        link = previous;
    }
    hold(&back, &expected, keys);
}

/// Nothing twice, and what stays in its order.
fn hold(seen: &[String], expected: &[String], keys: &[(&str, bool)]) {
    let once: BTreeSet<&String> = seen.iter().collect();
    assert_eq!(once.len(), seen.len(), "twice: {seen:?}, by {keys:?}");
    let stayed: Vec<&String> = seen.iter().filter(|id| expected.contains(id)).collect();
    assert_eq!(stayed, expected.iter().collect::<Vec<_>>(), "by {keys:?}");
}

fn run(bed: Bed, all: &[Measured], keys: &[(&'static str, bool)], count: u32) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    runtime.block_on(turned(&bed, all, keys, count));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 30, ..ProptestConfig::default() })]

    #[test]
    fn pages_neither_lose_nor_repeat_while_others_write_on_sqlite(all in several(40), keys in keys(), count in 1..8_u32) {
        run(Bed::sqlite(), &all, &keys, count);
    }

    #[test]
    #[ignore = "needs a server of PostgreSQL, named by CARNET_TEST_POSTGRES"]
    fn pages_neither_lose_nor_repeat_while_others_write_on_postgres(all in several(40), keys in keys(), count in 1..8_u32) {
        run(Bed::postgres(), &all, &keys, count);
    }
}

async fn in_order(store: &Store, plan: Plan, access: &Access) -> Vec<String> {
    ids(&store.search(access, plan).await.unwrap().matches)
}

fn plan_of(bed: &Bed, kind: ResourceType, sort: &str) -> Plan {
    let parameters = [("_sort".to_owned(), sort.to_owned())];
    let query = Query::parse(Registry::shared().unwrap(), Scope::of_type(kind), &parameters, Handling::Strict).unwrap();
    query.plan(&indexer(bed), PageSize { default: 50, max: 100 }, NOW).unwrap()
}

on_each_back_end! {
    async fn of_several_values_the_first_in_the_direction_counts_and_a_word_of_a_name_is_none(bed: &Bed) {
        let indexer = indexer(bed);
        let patient = |id: &str, families: &[&str]| {
            json!({"resourceType": "Patient", "id": id, "name": families.iter().map(|family| json!({"family": family})).collect::<Vec<_>>()})
        };
        let resources = [
            patient("petit", &["Petit-Durand"]),
            patient("martin", &["Martin"]),
            patient("two", &["Éluard", "Zola"]),
            json!({"resourceType": "Patient", "id": "none"}),
        ];
        bed.committed((1..).zip(&resources).map(|(rid, resource)| written(&indexer, rid, resource)).collect()).await;
        let ascending = in_order(&bed.store, plan_of(bed, ResourceType::Patient, "family"), &everything()).await;
        assert_eq!(ascending, ["two", "martin", "petit", "none"]);
        let descending = in_order(&bed.store, plan_of(bed, ResourceType::Patient, "-family"), &everything()).await;
        assert_eq!(descending, ["two", "petit", "martin", "none"]);
    }

    async fn what_an_access_conceals_is_not_sorted_in(bed: &Bed) {
        let indexer = indexer(bed);
        let observation = |id: &str, status: &str, patient: &str| {
            json!({"resourceType": "Observation", "id": id, "status": status, "subject": {"reference": format!("Patient/{patient}")}})
        };
        let resources = [observation("o1", "final", "seen"), observation("o2", "amended", "hidden"), observation("o3", "amended", "seen")];
        bed.committed((1..).zip(&resources).map(|(rid, resource)| written(&indexer, rid, resource)).collect()).await;
        let seen = Access::to_dossiers(&[Part::of_patient(&id("seen"))]);
        let plan = Plan { total: true, ..plan_of(bed, ResourceType::Observation, "status") };
        let page = bed.store.search(&seen, plan).await.unwrap();
        assert_eq!((ids(&page.matches), page.total), (vec!["o3".to_owned(), "o1".to_owned()], Some(2)));
    }

    async fn more_than_can_be_put_in_order_is_refused(bed: &Bed) {
        for numbers in (0..10_001).collect::<Vec<i64>>().chunks(2_500) {
            bed.committed(numbers.iter().map(|rid| creation(key(*rid))).collect()).await;
        }
        let refused = bed.store.search(&everything(), plan_of(bed, KIND, "status")).await.unwrap_err();
        assert_eq!(refused.kind(), Kind::TooCostly);
        assert!(refused.issues()[0].diagnostics.contains("10000"), "{refused}");
        let counted = Plan { count: 0, total: true, ..plan_of(bed, KIND, "status") };
        assert_eq!(bed.store.search(&everything(), counted).await.unwrap().total, Some(10_001));
    }
}
