//! Histories: of instances, of a type, of everything, held against a model that remembers every version.

use proptest::collection::vec;
use proptest::prelude::*;

use super::bed::*;
use crate::dossier::Access;
use crate::fhir::{InstanceKey, Instant, Part, ResourceType};
use crate::search::index::DateRange;
use crate::store::change::{Expected, Write};
use crate::store::{Moment, Stored, Stretch, Whose};

const KINDS: [ResourceType; 2] = [ResourceType::Observation, ResourceType::Patient];
const PARTS: [Part; 2] = [Part(0), Part(9)];
const INSTANCES: usize = 6;

/// What happens to the instance numbered `which`, and how much later.
#[derive(Clone, Copy, Debug)]
struct Step {
    which: usize,
    deed: Deed,
    later: i64,
}

#[derive(Clone, Copy, Debug)]
enum Deed {
    Written,
    Deleted,
    Moved,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let deed = prop_oneof![4 => Just(Deed::Written), 2 => Just(Deed::Deleted), 1 => Just(Deed::Moved)];
    vec((0..INSTANCES, deed, 0..3_i64).prop_map(|(which, deed, later)| Step { which, deed, later }), 0..30)
}

/// Every version there was, each where its instance rests at the end.
async fn lived(bed: &Bed, steps: &[Step]) -> Vec<Write> {
    let mut versions: Vec<Vec<Write>> = vec![Vec::new(); INSTANCES];
    let mut now = 10;
    for step in steps {
        let Some(of_instance) = versions.get_mut(step.which) else { continue };
        let later = if of_instance.is_empty() { step.later } else { step.later.max(1) };
        now += later;
        let rid = i64::try_from(step.which).unwrap();
        let write = match (of_instance.last(), step.deed) {
            (None, _) => {
                let key = InstanceKey { part: PARTS[step.which % 2], rid };
                Write { kind: KINDS[step.which / 2 % 2], ..named_creation(&format!("n-{rid}"), key) }
            }
            (Some(last), Deed::Deleted) => deletion(last),
            (Some(last), Deed::Moved) => {
                let key = InstanceKey { part: Part(77), rid };
                Write { expected: Expected::Version(last.version, last.key), key, ..update(last) }
            }
            (Some(last), Deed::Written) => Write { body: Some(format!("{rid}").into_bytes().into()), ..update(last) },
        };
        let write = Write { updated: Instant::from_micros(now), ..write };
        bed.committed(vec![write.clone()]).await;
        of_instance.iter_mut().for_each(|version| version.key = write.key);
        of_instance.push(write);
    }
    versions.concat()
}

/// What a history means: every version that is asked for, newest first.
fn meant<'v>(versions: &'v [Write], whose: &Whose, stretch: &Stretch, access: &Access) -> Vec<&'v Write> {
    let is_asked = |version: &&Write| match whose {
        Whose::Instances(names) => names.contains(&(version.kind, version.id.clone())),
        Whose::Type(kind) => version.kind == *kind,
        Whose::System => true,
    };
    let was_current = |version: &&Write| {
        let Some(range) = stretch.at else { return true };
        let next = versions.iter().find(|other| other.id == version.id && other.version.0 == version.version.0 + 1);
        let (made, low) = (version.updated.micros(), range.low);
        made < range.high && next.is_none_or(|next| next.updated.micros() > low) && (version.body.is_some() || made >= low)
    };
    let is_recent = |version: &&Write| stretch.since.is_none_or(|since| version.updated >= since);
    let mut meant: Vec<&Write> = versions
        .iter()
        .filter(is_asked)
        .filter(was_current)
        .filter(is_recent)
        .filter(|version| access.covers(version.key.part))
        .collect();
    meant.sort_by_key(|version| std::cmp::Reverse((version.updated, version.key.rid, version.key.part, version.version)));
    meant
}

fn known(stored: &Stored) -> (ResourceType, String, i64, Option<&[u8]>) {
    (stored.kind, stored.id.as_str().to_owned(), stored.version.0, stored.body.as_deref())
}

/// Walks the pages onward and back again, and holds them against what is meant.
async fn hold(bed: &Bed, versions: &[Write], (whose, stretch): (&Whose, &Stretch), access: &Access) {
    let meant: Vec<_> = meant(versions, whose, stretch, access)
        .into_iter()
        .map(|write| (write.kind, write.id.as_str().to_owned(), write.version.0, write.body.as_deref()))
        .collect();
    let ask = async |stretch: Stretch| bed.store.history(access, whose.clone(), stretch).await.unwrap();
    let counted = ask(Stretch { count: 0, ..stretch.clone() }).await;
    assert_eq!((counted.total, counted.found.len()), (Some(meant.len() as u64), 0), "{whose:?} {stretch:?}");
    let (mut seen, mut after): (Vec<Stored>, Option<Moment>) = (Vec::new(), None);
    loop {
        let page = ask(Stretch { after, ..stretch.clone() }).await;
        assert!(page.found.len() <= stretch.count as usize);
        assert!(page.total.is_none_or(|total| total == meant.len() as u64), "{whose:?} {stretch:?}");
        after = page.found.last().map(Moment::of).or(after);
        seen.extend(page.found);
        if !page.more {
            break;
        }
    }
    assert_eq!(seen.iter().map(known).collect::<Vec<_>>(), meant, "{whose:?} {stretch:?}");
    let (mut back, mut before): (Vec<Stored>, Option<Moment>) = (Vec::new(), seen.last().map(Moment::of));
    while let Some(moment) = before {
        let page = ask(Stretch { after: Some(moment), backward: true, ..stretch.clone() }).await;
        before = page.found.first().map(Moment::of).filter(|_| page.more);
        back.splice(0..0, page.found);
    }
    seen.pop();
    assert_eq!(back, seen, "{whose:?} {stretch:?}");
}

/// Whose history, how many versions a page, since when, current when.
type Question = (usize, u32, Option<i64>, Option<(i64, i64)>);

fn questions() -> impl Strategy<Value = Vec<Question>> {
    vec((0..10_usize, 1..5_u32, prop::option::of(0..40_i64), prop::option::of((0..40_i64, 1..9_i64))), 12)
}

fn every_history_is_what_is_meant(bed: &Bed, steps: &[Step], asked: &[Question]) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    runtime.block_on(async {
        let versions = lived(bed, steps).await;
        for (which, count, since, at) in asked {
            let name = |number: usize| (KINDS[number / 2 % 2], id(&format!("n-{number}")));
            let whose = match which {
                0 => Whose::System,
                1 | 2 => Whose::Type(KINDS[which % 2]),
                3 => Whose::Instances((0..INSTANCES).map(name).collect()),
                number => Whose::from(name(number - 4)),
            };
            let at = at.map(|(low, length)| DateRange { low, high: low + length });
            let stretch = Stretch { since: since.map(Instant::from_micros), at, ..newest(*count) };
            for access in [everything(), Access::to_dossiers(&[PARTS[1], Part(77)])] {
                hold(bed, &versions, (&whose, &stretch), &access).await;
            }
        }
    });
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 30, ..ProptestConfig::default() })]

    #[test]
    fn every_history_is_what_is_meant_on_sqlite(steps in steps(), asked in questions()) {
        every_history_is_what_is_meant(&Bed::sqlite(), &steps, &asked);
    }

    #[test]
    #[ignore = "needs a server of PostgreSQL, named by CARNET_TEST_POSTGRES"]
    fn every_history_is_what_is_meant_on_postgres(steps in steps(), asked in questions()) {
        every_history_is_what_is_meant(&Bed::postgres(), &steps, &asked);
    }
}
