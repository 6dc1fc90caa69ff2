//! What the store does in a second, asked as the server asks it, beside plain SQL on the same rows: `cargo bench --bench store`.
//! Everything runs on one machine, so ratios count; on a busy one those of processor time count more.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "what cannot be measured ends here, and what was measured is told"
)]

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use carnet::config::{Limits, StoreSettings};
use carnet::definition::ParameterId;
use carnet::dossier::{self, Access};
use carnet::fhir::{self, InstanceId, InstanceKey, Part, ResourceType, VersionId};
use carnet::search::index::{DateEntry, DateRange, IndexEntries, Term};
use carnet::search::plan::{Condition, Order, Plan, SortKey};
use carnet::security::Principal;
use carnet::store::change::{Change, Expected, Method, Write};
use carnet::store::raw::{self, Work};
use carnet::store::{Naming, Store};

const DOSSIERS: u64 = 400;
const DOCUMENTS: u64 = 50;
const CALLERS: [usize; 3] = [1, 16, 64];
const TURN: Duration = Duration::from_secs(3);
const BODY: &str = include_str!("document-reference.json");
const KIND: ResourceType = ResourceType::DocumentReference;
const PAGE: u32 = 20;
const READS: u64 = 10_000;

/// A scrambled number, the same in every run.
fn scrambled(number: u64) -> u64 {
    let mut bits = number.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits ^ (bits >> 27)
}

fn part(dossier: u64) -> Part {
    Part::from_random(scrambled(dossier))
}

/// A document as extraction leaves it: eight terms that many share, sixteen of its own, a main date and two others.
fn document(number: u64, dossier: u64) -> Write {
    let key = InstanceKey { part: part(dossier), rid: number as i64 + 1 };
    let common = (0..8).map(|which| scrambled(which * 1_000 + scrambled(number + which) % 20));
    let own = (0..16).map(|which| scrambled(number * 100 + which + 1_000_000));
    let mut terms: Vec<Term> = common.chain(own).map(|bits| Term(bits as i64)).collect();
    terms.push(Term(number as i64 % 2));
    terms.sort_unstable();
    terms.dedup();
    let range = DateRange { low: number as i64, high: number as i64 + 1 };
    let date = |parameter| DateEntry { parameter: ParameterId(parameter), range };
    let index = IndexEntries { terms, main_date: Some(range), dates: vec![date(1), date(2)], ..IndexEntries::default() };
    Write {
        kind: KIND,
        id: key.id(),
        key,
        expected: Expected::Nothing,
        version: VersionId::FIRST,
        updated: fhir::Instant::from_micros(number as i64),
        method: Method::Post,
        body: Some(BODY.as_bytes().to_vec().into()),
        index,
        epoch: carnet::search::index::Epoch::default(),
        content: Naming::default(),
    }
}

async fn seed(store: &Store, access: &Access) -> Vec<InstanceId> {
    let mut ids = Vec::new();
    for round in 0..DOCUMENTS {
        let writes: Vec<Write> = (0..DOSSIERS).map(|dossier| document(round * DOSSIERS + dossier, dossier)).collect();
        ids.extend(writes.iter().map(|write| write.id.clone()));
        store.commit(access, Change::new(writes, Vec::new())).await.unwrap();
    }
    ids
}

/// Seconds of processor time that this process has used, in hundredths.
fn processor_seconds() -> f64 {
    let line = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let after_name = line.rsplit(')').next().unwrap_or_default();
    after_name.split_whitespace().skip(11).take(2).filter_map(|ticks| ticks.parse::<f64>().ok()).sum::<f64>() / 100.0
}

/// What was done, how fast, and what of the processor it took.
struct Figure {
    a_second: f64,
    processor_micros: f64,
}

impl std::fmt::Display for Figure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:8.0}/s {:6.1} µs of processor", self.a_second, self.processor_micros)
    }
}

/// How `callers` at once are answered.
async fn figure<F: Future<Output = ()> + Send + 'static>(
    callers: usize,
    ask: impl Fn(u64) -> F + Send + Sync + 'static,
) -> Figure {
    let (ask, begun, processor) = (Arc::new(ask), Instant::now(), processor_seconds());
    let tasks: Vec<_> = (0..callers as u64)
        .map(|caller| {
            let ask = Arc::clone(&ask);
            tokio::spawn(async move {
                let mut done = 0_u64;
                while begun.elapsed() < TURN {
                    ask(done * 64 + caller).await;
                    done += 1;
                }
                done
            })
        })
        .collect();
    let mut done = 0;
    for task in tasks {
        done += task.await.unwrap();
    }
    let processor_micros = (processor_seconds() - processor) * 1e6 / done as f64;
    Figure { a_second: done as f64 / begun.elapsed().as_secs_f64(), processor_micros }
}

fn newest(dossier: u64) -> Plan {
    Plan {
        kinds: vec![KIND],
        dossiers: Some(vec![part(dossier)]),
        condition: Condition::Any(vec![Condition::Term(Term(0)), Condition::Term(Term(1))]),
        order: vec![Order { by: SortKey::MainDate, descending: true }],
        count: PAGE,
        after: None,
        backward: false,
        total: false,
    }
}

async fn measure(path: &Path) {
    let access = dossier::decide(&Principal::Open).unwrap();
    let settings = StoreSettings::Sqlite { path: path.to_owned() };
    let store = Arc::new(Store::open(&settings, &Limits::default()).unwrap());
    let ids = Arc::new(seed(&store, &access).await);

    let names: Vec<_> = (0..READS).map(|turn| (KIND, ids[scrambled(turn) as usize % ids.len()].clone())).collect();
    let (begun, processor) = (Instant::now(), processor_seconds());
    store.read_many(&access, names).await.unwrap();
    let (wall, processor) = (begun.elapsed().as_secs_f64(), processor_seconds() - processor);
    let reads = READS as f64;
    println!("read, no hop       {}", Figure { a_second: reads / wall, processor_micros: processor * 1e6 / reads });

    for callers in CALLERS {
        let (of, by, names) = (Arc::clone(&store), access.clone(), Arc::clone(&ids));
        let reads = figure(callers, move |turn| {
            let (of, by, id) = (Arc::clone(&of), by.clone(), names[scrambled(turn) as usize % names.len()].clone());
            async move { assert!(of.read(&by, KIND, &id).await.unwrap().is_some()) }
        })
        .await;
        let (of, by) = (Arc::clone(&store), access.clone());
        let searches = figure(callers, move |turn| {
            let (of, by) = (Arc::clone(&of), by.clone());
            async move { assert_eq!(of.search(&by, newest(scrambled(turn) % DOSSIERS)).await.unwrap().matches.len(), 20) }
        })
        .await;
        let (of, by, base) = (Arc::clone(&store), access.clone(), callers as u64 * 1_000_000);
        let before = store.grouping();
        let creates = figure(callers, move |turn| {
            let (of, by) = (Arc::clone(&of), by.clone());
            let write = document(base + turn, scrambled(turn) % DOSSIERS);
            async move { of.commit(&by, Change::new(vec![write], Vec::new())).await.unwrap() }
        })
        .await;
        let after = store.grouping();
        let group = (after.changes - before.changes) as f64 / (after.transactions - before.transactions) as f64;
        println!("read, {callers:2} callers   {reads}");
        println!("search, {callers:2} callers {searches}");
        println!("create, {callers:2} callers {creates}, {group:.1} a commit");
    }
    store.close();
    for (group, work) in
        [(1, Work::Read), (1, Work::Search { page: PAGE }), (1, Work::Insert), (16, Work::Insert), (64, Work::Insert)]
    {
        let processor = processor_seconds();
        let a_second = raw::measure(path, work, (1, group), TURN).unwrap();
        let processor_micros = (processor_seconds() - processor) * 1e6 / (a_second * TURN.as_secs_f64());
        println!("plain SQL, {work:?}, {group} a commit: {}", Figure { a_second, processor_micros });
    }
}

/// `cargo bench --bench store -- PATH`: in a file elsewhere, which is not there yet.
fn main() {
    let folder = tempfile::tempdir().unwrap();
    let elsewhere = std::env::args().skip(1).find(|argument| !argument.starts_with("--"));
    let path = elsewhere.map_or_else(|| folder.path().join("store.sqlite"), Into::into);
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(measure(&path));
}
