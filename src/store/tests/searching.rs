//! Searching: every plan finds what it means, in its order, on pages that neither repeat nor leave out.

use std::cell::Cell;
use std::collections::HashSet;

use proptest::collection::vec;
use proptest::prelude::*;

use super::bed::*;
use super::meaning::{Known, matches, value};
use super::on_each_back_end;
use crate::definition::ParameterId;
use crate::dossier::Access;
use crate::fhir::{InstanceId, InstanceKey, Instant, Part, ResourceType};
use crate::search::index::{DateEntry, DateRange, IndexEntries, QuantityEntry, StringEntry, Term};
use crate::search::plan::{Bound, Condition, Order, Plan, Position, QuantityBound, SortKey};
use crate::store::change::Write;
use crate::store::dialect::{Dialect, Use};
use crate::store::terms::ways;
use crate::store::{Match, Page, Store};

const KINDS: [ResourceType; 3] = [ResourceType::Observation, ResourceType::Patient, ResourceType::Consent];
const PARTS: [Part; 3] = [Part(0), Part(1), Part(i64::MAX)];
const PARAMETERS: [ParameterId; 2] = [ParameterId(-7), ParameterId(i32::MAX)];

/// What happens to an instance after it was created.
#[derive(Clone, Copy, Debug)]
enum Fate {
    Stays,
    Updated,
    Deleted,
    Moved,
    Returned,
}

/// The life of one instance.
#[derive(Clone, Debug)]
struct Life {
    kind: ResourceType,
    part: Part,
    named: bool,
    updated: i64,
    first: IndexEntries,
    last: IndexEntries,
    fate: Fate,
}

fn a_time() -> impl Strategy<Value = i64> {
    prop_oneof![8 => -20..20_i64, 1 => Just(i64::MIN), 1 => Just(i64::MAX)]
}

fn a_range() -> impl Strategy<Value = DateRange> {
    (a_time(), a_time()).prop_map(|(a, b)| DateRange { low: a.min(b), high: a.max(b) })
}

fn a_parameter() -> impl Strategy<Value = ParameterId> {
    prop::sample::select(&PARAMETERS[..])
}

fn a_term() -> impl Strategy<Value = Term> {
    prop_oneof![
        5 => (0..12_u64).prop_map(Term::leading),
        3 => a_judging_term(),
        4 => a_qualifying_term(),
        1 => Just(Term::leading(u64::MAX)),
    ]
}

fn a_qualifying_term() -> impl Strategy<Value = Term> {
    (0..12_u64, 0..2_u64).prop_map(|(leading, hash)| Term::qualifying(Term::leading(leading), hash))
}

/// Whatever carries a term that qualifies another one carries that, too.
fn with_leads(mut terms: Vec<Term>) -> Vec<Term> {
    let leading = (0..12_u64).map(Term::leading);
    let missing: Vec<Term> = leading.filter(|leading| terms.iter().any(|term| term.qualifies(*leading))).collect();
    terms.extend(missing);
    terms.sort_unstable();
    terms.dedup();
    terms
}

/// A code in a system.
fn a_qualified_term() -> impl Strategy<Value = Condition> {
    (0..12_u64, 0..2_u64).prop_map(|(leading, hash)| {
        let leading = Term::leading(leading);
        Condition::All(vec![Condition::Term(leading), Condition::Term(Term::qualifying(leading, hash))])
    })
}

fn a_judging_term() -> impl Strategy<Value = Term> {
    prop_oneof![3 => 0..3_u64, 1 => Just(u64::MAX)].prop_map(Term::judging)
}

/// A unit; the hashes 0 and 1 would be kept alike.
fn a_unit() -> impl Strategy<Value = Term> {
    prop_oneof![6 => 2..14_i64, 1 => Just(i64::MIN)].prop_map(Term)
}

fn a_text() -> impl Strategy<Value = Box<str>> {
    "[abé?%_\u{10ffff}]{0,3}".prop_map(Into::into)
}

fn a_number() -> impl Strategy<Value = f64> {
    prop_oneof![8 => (-20..20_i32).prop_map(|n| f64::from(n) / 2.0), 1 => Just(f64::NEG_INFINITY), 1 => Just(f64::INFINITY)]
}

fn entries() -> impl Strategy<Value = IndexEntries> {
    let terms = prop::collection::btree_set(a_term(), 0..6).prop_map(|terms| with_leads(terms.into_iter().collect()));
    let dates = vec((a_parameter(), a_range()).prop_map(|(parameter, range)| DateEntry { parameter, range }), 0..3);
    let string = (a_parameter(), a_text(), any::<bool>());
    let string = string.prop_map(|(parameter, folded, is_later_word)| StringEntry { parameter, folded, is_later_word });
    let strings = vec(string, 0..3);
    let quantity = (a_parameter(), prop::option::of(a_unit()), a_number(), a_number());
    let quantities = vec(quantity.prop_map(|(parameter, unit, low, high)| QuantityEntry { parameter, unit, low, high }), 0..3);
    (terms, prop::option::of(a_range()), dates, strings, quantities)
        .prop_map(|(terms, main_date, dates, strings, quantities)| IndexEntries { terms, main_date, dates, strings, quantities })
}

fn a_life() -> impl Strategy<Value = Life> {
    let fate = prop_oneof![4 => Just(Fate::Stays), 2 => Just(Fate::Updated), 1 => Just(Fate::Deleted), 1 => Just(Fate::Moved), 1 => Just(Fate::Returned)];
    let place = (prop::sample::select(&KINDS[..]), prop::sample::select(&PARTS[..]), any::<bool>());
    (place, 0..6_i64, entries(), entries(), fate).prop_map(|((kind, part, named), updated, first, last, fate)| Life {
        kind,
        part,
        named,
        updated,
        first,
        last,
        fate,
    })
}

fn a_bound() -> impl Strategy<Value = Bound> {
    (a_time(), 0..4).prop_map(|(value, which)| match which {
        0 => Bound::LowAtLeast(value),
        1 => Bound::LowBelow(value),
        2 => Bound::HighAtMost(value),
        _ => Bound::HighAbove(value),
    })
}

fn a_quantity_bound() -> impl Strategy<Value = QuantityBound> {
    (a_number(), 0..4).prop_map(|(value, which)| match which {
        0 => QuantityBound::LowAtLeast(value),
        1 => QuantityBound::LowBelow(value),
        2 => QuantityBound::HighAtMost(value),
        _ => QuantityBound::HighAbove(value),
    })
}

fn ids() -> impl Strategy<Value = Vec<InstanceId>> {
    vec((any::<bool>(), 0..40_i64, prop::sample::select(&PARTS[..])), 0..6).prop_map(|picks| {
        let pick = |(named, rid, part)| if named { name(rid) } else { InstanceKey { part, rid }.id() };
        picks.into_iter().map(pick).collect()
    })
}

fn places() -> impl Strategy<Value = Vec<InstanceKey>> {
    let place = (prop::sample::select(&PARTS[..]), 0..40_i64).prop_map(|(part, rid)| InstanceKey { part, rid });
    prop::collection::btree_set(place, 0..6).prop_map(|places| places.into_iter().collect())
}

fn own_dossiers() -> impl Strategy<Value = Vec<(Part, Term)>> {
    let own = (prop::sample::select(&PARTS[..]), a_judging_term());
    prop::collection::btree_set(own, 0..5).prop_map(|own| own.into_iter().collect())
}

fn a_condition() -> impl Strategy<Value = Condition> {
    let leaf = prop_oneof![
        4 => a_term().prop_map(Condition::Term),
        2 => own_dossiers().prop_map(Condition::InDossier),
        1 => prop::sample::subsequence(&KINDS[..], 0..=2).prop_map(Condition::Kind),
        1 => places().prop_map(Condition::At),
        1 => ids().prop_map(Condition::Id),
        2 => vec(a_bound(), 0..3).prop_map(|bounds| Condition::Date(None, bounds)),
        2 => (a_parameter(), vec(a_bound(), 0..3)).prop_map(|(parameter, bounds)| Condition::Date(Some(parameter), bounds)),
        1 => vec(a_bound(), 0..2).prop_map(Condition::Updated),
        1 => (a_parameter(), a_text()).prop_map(|(parameter, text)| Condition::StringPrefix(parameter, text)),
        1 => (a_parameter(), a_text()).prop_map(|(parameter, text)| Condition::StringContains(parameter, text)),
        1 => (a_parameter(), prop::option::of(a_unit()), vec(a_quantity_bound(), 0..3))
            .prop_map(|(parameter, unit, bounds)| Condition::Quantity(parameter, unit, bounds)),
    ];
    leaf.prop_recursive(3, 12, 4, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(Condition::All),
            vec(inner.clone(), 0..4).prop_map(Condition::Any),
            vec(a_term().prop_map(Condition::Term), 1..4).prop_map(Condition::Any),
            a_qualified_term(),
            vec(prop_oneof![a_qualified_term(), (0..12_u64).prop_map(|hash| Condition::Term(Term::leading(hash)))], 1..5)
                .prop_map(Condition::Any),
            own_dossiers().prop_map(|own| Condition::Any(vec![Condition::InDossier(own)])),
            (own_dossiers(), a_term(), ids()).prop_map(|(own, term, ids)| {
                let of_kind = Condition::All(vec![Condition::Kind(vec![KINDS[0]]), Condition::Id(ids)]);
                Condition::Any(vec![Condition::InDossier(own), Condition::Term(term), of_kind])
            }),
            inner.prop_map(|part| Condition::Not(Box::new(part))),
        ]
    })
}

fn an_order() -> impl Strategy<Value = Order> {
    let key = prop_oneof![
        Just(SortKey::Updated),
        Just(SortKey::Id),
        Just(SortKey::MainDate),
        a_parameter().prop_map(SortKey::Date),
        a_parameter().prop_map(SortKey::String),
        a_parameter().prop_map(SortKey::Number),
    ];
    (key, any::<bool>()).prop_map(|(by, descending)| Order { by, descending })
}

fn a_plan() -> impl Strategy<Value = Plan> {
    let kinds = prop::sample::subsequence(&KINDS[..], 1..=3);
    let dossiers = prop::option::of(prop::sample::subsequence(&PARTS[..], 0..=2));
    (kinds, dossiers, a_condition(), vec(an_order(), 0..3), 1..12_u32).prop_map(|(kinds, dossiers, condition, order, count)| {
        Plan { kinds, dossiers, condition, order, count, after: None, backward: false, total: true }
    })
}

fn name(rid: i64) -> InstanceId {
    id(&format!("n-{rid}"))
}

/// Lives every life; what is current at the end.
async fn lived(bed: &Bed, lives: &[Life]) -> Vec<Known> {
    let (mut births, mut turns, mut returns) = (Vec::new(), Vec::new(), Vec::new());
    let mut known = Vec::new();
    for (life, rid) in lives.iter().zip(0..) {
        let key = InstanceKey { part: life.part, rid };
        let id = if life.named { name(rid) } else { key.id() };
        let birth = Write {
            kind: life.kind,
            id,
            updated: Instant::from_micros(life.updated),
            index: life.first.clone(),
            ..creation(key)
        };
        let turn = Write { index: life.last.clone(), ..update(&birth) };
        let last = match life.fate {
            Fate::Stays => Some(birth.clone()),
            Fate::Updated => Some(turn),
            Fate::Deleted => {
                turns.push(deletion(&birth));
                None
            }
            Fate::Moved => Some(Write { key: InstanceKey { part: Part(77), rid }, ..turn }),
            Fate::Returned => {
                let gone = deletion(&birth);
                turns.push(gone.clone());
                returns.push(Write { index: life.last.clone(), ..update(&gone) });
                returns.last().cloned()
            }
        };
        if let Some(last) = last {
            known.push(Known {
                kind: last.kind,
                id: last.id.clone(),
                key: last.key,
                updated: last.updated.micros(),
                index: last.index.clone(),
            });
            if matches!(life.fate, Fate::Updated | Fate::Moved) {
                turns.push(last);
            }
        }
        births.push(birth);
    }
    for writes in [births, turns, returns] {
        bed.committed(writes).await;
    }
    known
}

async fn page(store: &Store, plan: &Plan) -> Page {
    store.search(&everything(), plan.clone()).await.unwrap()
}

/// The same matches, from the last one back: each page ends before the first match of the one that follows it.
async fn backward(store: &Store, plan: &Plan, count: usize) -> Vec<Match> {
    let mut seen: Vec<Match> = Vec::new();
    let last = Plan { count: 1_000, after: None, ..plan.clone() };
    seen.extend(page(store, &last).await.matches.pop());
    while let Some(first) = seen.first() {
        let before = Plan { after: Some(first.position.clone()), backward: true, ..plan.clone() };
        let page = page(store, &before).await;
        assert_eq!(page.more, seen.len() + page.matches.len() < count, "{plan:?}");
        if page.matches.is_empty() {
            break;
        }
        seen.splice(0..0, page.matches);
    }
    seen
}

/// Walks the pages of the plan and holds them against what it means.
async fn hold(store: &Store, known: &[Known], plan: &Plan) {
    let expected = matches(known, plan);
    let mut plan = plan.clone();
    let mut seen = Vec::new();
    loop {
        let page = page(store, &plan).await;
        assert_eq!(page.total, Some(expected.len() as u64), "{plan:?}");
        assert!(page.matches.len() <= plan.count as usize);
        plan.after = page.matches.last().map(|found| found.position.clone()).or(plan.after);
        seen.extend(page.matches);
        assert_eq!(page.more, seen.len() < expected.len(), "{plan:?}");
        if !page.more {
            break;
        }
    }
    assert_eq!(backward(store, &plan, expected.len()).await, seen, "{plan:?}");
    let found: Vec<_> = seen.iter().map(|found| found.stored.key).collect();
    let meant: Vec<_> = expected.iter().map(|known| known.key).collect();
    assert_eq!(found, meant, "{plan:?}");
    for (found, known) in seen.iter().zip(expected) {
        assert_eq!((found.stored.kind, &found.stored.id), (known.kind, &known.id));
        assert!(found.stored.body.is_some());
        let values: Vec<_> = plan.order.iter().map(|order| value(order, known)).collect();
        assert_eq!(found.position, Position { values, key: known.key });
    }
}

/// The index tables hold the entries of current instances and nothing else.
fn no_entry_is_left_over(bed: &Bed, known: &[Known]) {
    let entries = |count: fn(&IndexEntries) -> usize| known.iter().map(|known| count(&known.index)).sum::<usize>();
    let (text, terms) = match bed.connection(Use::Reading).dialect() {
        Dialect::Sqlite => ("SELECT count(*) FROM term", entries(|index| ways(&index.terms).len())),
        Dialect::Postgres => (
            "SELECT coalesce(sum(cardinality(leads)), 0)::bigint FROM instance",
            entries(|index| index.terms.iter().filter(|term| term.leads()).count()),
        ),
    };
    assert_eq!(bed.rows(text), terms);
    let dates = entries(|index| index.dates.len());
    assert_eq!(bed.rows("SELECT count(*) FROM date_value"), dates);
    let strings = entries(|index| index.strings.len());
    assert_eq!(bed.rows("SELECT count(*) FROM string_value"), strings);
    assert_eq!(bed.rows("SELECT count(*) FROM quantity_value"), entries(|index| index.quantities.len()));
}

fn every_plan_finds_what_it_means(bed: Bed, lives: &[Life], plans: &[Plan]) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    runtime.block_on(async {
        let known = lived(&bed, lives).await;
        no_entry_is_left_over(&bed, &known);
        for plan in plans {
            hold(&bed.store, &known, plan).await;
        }
        for most in [1, 3, 1_000] {
            hold_together(&bed.store, &known, plans, most).await;
        }
    });
}

/// Asks many plans at once and holds what each finds against what it means.
async fn hold_together(store: &Store, known: &[Known], plans: &[Plan], most: usize) {
    // The narrow ones are those that are answered set by set.
    let narrow = |plan: &Plan| Plan { kinds: vec![plan.kinds[0]], dossiers: None, order: Vec::new(), ..plan.clone() };
    let plans: Vec<Plan> = plans.iter().cloned().chain(plans.iter().map(narrow)).collect();
    let found = store.matching(&everything(), plans.clone(), most).await.unwrap();
    assert_eq!(found.len(), plans.len());
    for (plan, found) in plans.iter().zip(found) {
        let meant: HashSet<InstanceKey> = matches(known, plan).iter().map(|known| known.key).collect();
        assert_eq!(found.len(), meant.len().min(most), "{plan:?}");
        let keys: HashSet<InstanceKey> = found.iter().map(|stored| stored.key).collect();
        assert!(keys.len() == found.len() && keys.is_subset(&meant), "{plan:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, ..ProptestConfig::default() })]

    #[test]
    fn every_plan_finds_what_it_means_on_sqlite(lives in vec(a_life(), 0..40), plans in vec(a_plan(), 40)) {
        every_plan_finds_what_it_means(Bed::sqlite(), &lives, &plans);
    }

    #[test]
    #[ignore = "needs a server of PostgreSQL, named by CARNET_TEST_POSTGRES"]
    fn every_plan_finds_what_it_means_on_postgres(lives in vec(a_life(), 0..40), plans in vec(a_plan(), 40)) {
        every_plan_finds_what_it_means(Bed::postgres(), &lives, &plans);
    }
}

fn of_observations(condition: Condition) -> Plan {
    Plan {
        kinds: vec![KIND],
        dossiers: None,
        condition,
        order: Vec::new(),
        count: 10,
        after: None,
        backward: false,
        total: false,
    }
}

fn with_terms(key: InstanceKey, terms: &[i64]) -> Write {
    let index = IndexEntries { terms: terms.iter().copied().map(Term).collect(), ..IndexEntries::default() };
    Write { index, ..creation(key) }
}

on_each_back_end! {
    async fn no_count_asks_for_the_total_only(bed: &Bed) {
        bed.committed((0..5).map(|rid| creation(key(rid))).collect()).await;
        let plan = Plan { count: 0, total: true, ..of_observations(Condition::All(Vec::new())) };
        assert_eq!(page(&bed.store, &plan).await, Page { matches: Vec::new(), more: false, total: Some(5) });
    }

    async fn what_an_access_does_not_cover_is_not_found(bed: &Bed) {
        let elsewhere = InstanceKey { part: Part(5), rid: 2 };
        bed.committed(vec![with_terms(key(1), &[1]), with_terms(elsewhere, &[1])]).await;
        let access = Access::to_dossiers(&[Part(5)]);
        for dossiers in [None, Some(vec![DOSSIER, Part(5)])] {
            let plan = Plan { dossiers, total: true, ..of_observations(Condition::Term(Term(1))) };
            let page = bed.store.search(&access, plan).await.unwrap();
            assert_eq!(page.total, Some(1));
            assert_eq!(page.matches[0].stored.key, elsewhere);
        }
        let plan = Plan { dossiers: Some(vec![DOSSIER]), total: true, ..of_observations(Condition::Term(Term(1))) };
        assert_eq!(bed.store.search(&access, plan).await.unwrap().total, Some(0));
    }

    async fn a_page_goes_on_where_it_ended_whatever_is_inserted(bed: &Bed) {
        let birth = |rid: i64| Write { updated: Instant::from_micros(rid % 3), ..with_terms(key(rid), &[1]) };
        bed.committed((0..60).filter(|rid| rid % 2 == 0).map(birth).collect()).await;
        let order = vec![Order { by: SortKey::Updated, descending: true }];
        let mut plan = Plan { order, count: 7, ..of_observations(Condition::Term(Term(1))) };
        let (mut seen, mut odd) = (Vec::new(), (0..60).filter(|rid| rid % 2 == 1));
        loop {
            let page = page(&bed.store, &plan).await;
            plan.after = page.matches.last().map(|found| found.position.clone());
            seen.extend(page.matches.iter().map(|found| found.stored.key.rid));
            bed.committed(odd.by_ref().take(5).map(birth).collect()).await;
            if !page.more {
                break;
            }
        }
        let mut once = seen.clone();
        once.sort_unstable();
        once.dedup();
        assert_eq!(once.len(), seen.len(), "nothing twice");
        assert!((0..60).filter(|rid| rid % 2 == 0).all(|rid| seen.contains(&rid)), "nothing left out");
    }

    async fn a_page_and_its_total_show_one_state_of_a_store_that_is_written_to(bed: &Bed) {
        // Every version carries one of two terms, and all instances change at once: odd versions carry the first.
        let carrying = |write: Write| Write { index: IndexEntries { terms: vec![Term(2 - write.version.0 % 2)], ..IndexEntries::default() }, ..write };
        let mut current: Vec<Write> = (0..40).map(|rid| carrying(creation(key(rid)))).collect();
        bed.committed(current.clone()).await;
        let is_over = Cell::new(false);
        let writing = async {
            for _ in 0..60 {
                current = current.iter().map(|write| carrying(update(write))).collect();
                bed.committed(current.clone()).await;
            }
            is_over.set(true);
        };
        let searching = async {
            while !is_over.get() {
                for total in [false, true] {
                    let page = page(&bed.store, &Plan { total, ..of_observations(Condition::Term(Term(1))) }).await;
                    assert!(page.matches.iter().all(|found| found.stored.version.0 % 2 == 1), "{page:?}");
                    assert!(page.total.is_none_or(|total| total == if page.matches.is_empty() { 0 } else { 40 }), "{page:?}");
                }
            }
        };
        tokio::join!(writing, searching);
    }

    async fn more_alternatives_than_sqlite_nests_are_searched(bed: &Bed) {
        bed.committed(vec![with_terms(key(1), &[4_000]), with_terms(key(2), &[9_999])]).await;
        let any = Condition::Any((0..5_000).map(|term| Condition::Term(Term(term))).collect());
        for dossiers in [None, Some(vec![DOSSIER])] {
            let page = page(&bed.store, &Plan { dossiers, ..of_observations(any.clone()) }).await;
            assert_eq!(page.matches.iter().map(|found| found.stored.key.rid).collect::<Vec<_>>(), [1]);
        }
    }

    async fn an_unselective_term_does_not_hide_a_selective_one(bed: &Bed) {
        let writes = (0..1_500).map(|rid| with_terms(key(rid), if rid == 700 { &[1, 2] } else { &[1] }));
        bed.committed(writes.collect()).await;
        let both = Condition::All(vec![Condition::Term(Term(1)), Condition::Term(Term(2))]);
        for order in [Vec::new(), vec![Order { by: SortKey::Updated, descending: true }]] {
            let plan = Plan { order, total: true, ..of_observations(both.clone()) };
            let page = page(&bed.store, &plan).await;
            assert_eq!((page.total, page.matches[0].stored.key.rid), (Some(1), 700));
        }
        let plan = Plan { order: vec![Order { by: SortKey::Updated, descending: true }], ..of_observations(Condition::Term(Term(1))) };
        assert_eq!(page(&bed.store, &plan).await.matches[0].stored.key.rid, 1_499);
    }
}
