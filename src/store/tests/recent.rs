//! What is kept in memory is what the database would answer, whoever writes meanwhile.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};

use super::bed::*;
use crate::config::{Limits, StoreSettings};
use crate::dossier::Access;
use crate::fhir::{InstanceKey, Part};
use crate::outcome::Kind;
use crate::search::index::{IndexEntries, Term};
use crate::search::plan::{Condition, Plan};
use crate::store::recent::Recent;
use crate::store::{Store, migrate};

const SOUGHT: Term = Term(7);

fn plan() -> Plan {
    let condition = Condition::Term(SOUGHT);
    Plan {
        kinds: vec![KIND],
        dossiers: Some(vec![DOSSIER]),
        condition,
        order: Vec::new(),
        count: 10,
        after: None,
        backward: false,
        total: true,
    }
}

fn sought(rid: i64) -> crate::store::change::Write {
    let index = IndexEntries { terms: vec![SOUGHT], ..IndexEntries::default() };
    crate::store::change::Write { index, ..creation(key(rid)) }
}

/// The versions that a search of the dossier finds.
async fn found(store: &Store) -> Vec<i64> {
    let page = store.search(&everything(), plan()).await.unwrap();
    page.matches.iter().map(|found| found.stored.version.0).collect()
}

fn recent(store: &Store) -> &Recent {
    store.recent.as_deref().unwrap()
}

fn is_whole(store: &Store) -> bool {
    recent(store).in_dossier(DOSSIER, |_| ()).is_some()
}

#[tokio::test]
async fn a_dossier_searched_twice_is_kept_until_something_is_written_to_it() {
    let bed = Bed::sqlite();
    let birth = sought(1);
    bed.committed(vec![birth.clone()]).await;
    let mut whole = Vec::new();
    for _ in 0..3 {
        assert_eq!(found(&bed.store).await, [1]);
        whole.push(is_whole(&bed.store));
    }
    assert_eq!(whole, [false, true, true]);
    bed.committed(vec![update(&birth)]).await;
    assert!(!is_whole(&bed.store));
    assert_eq!(found(&bed.store).await, [2]);
}

#[tokio::test]
async fn an_instance_read_is_kept_until_it_is_written() {
    let bed = Bed::sqlite();
    let births = [creation(key(1)), named_creation("chosen", key(2))];
    bed.committed(births.to_vec()).await;
    for birth in &births {
        // Where an instance rests whose id a client chose is known after the first reading.
        for _ in 0..2 {
            assert_eq!(body(&bed.read(&birth.id).await.unwrap()), body_of(birth));
        }
        let kept = recent(&bed.store).instance(&everything(), KIND, &birth.id).unwrap();
        assert_eq!(Some(kept), bed.read(&birth.id).await);
        let next = update(birth);
        bed.committed(vec![next.clone()]).await;
        assert_eq!(recent(&bed.store).instance(&everything(), KIND, &birth.id), None);
        assert_eq!(body(&bed.read(&birth.id).await.unwrap()), body_of(&next));
    }
}

fn body_of(write: &crate::store::change::Write) -> &str {
    std::str::from_utf8(write.body.as_deref().unwrap()).unwrap()
}

#[tokio::test]
async fn an_instance_that_moved_is_read_where_it_is() {
    let bed = Bed::sqlite();
    let birth = named_creation("chosen", key(1));
    bed.committed(vec![birth.clone()]).await;
    for _ in 0..2 {
        assert_eq!(bed.read(&birth.id).await.unwrap().key, key(1));
    }
    let there = InstanceKey { part: Part(9), rid: 1 };
    bed.committed(vec![crate::store::change::Write { key: there, ..update(&birth) }]).await;
    for _ in 0..3 {
        assert_eq!(bed.read(&birth.id).await.unwrap().key, there);
    }
}

#[tokio::test]
async fn what_an_access_does_not_cover_is_not_looked_for_here() {
    let bed = Bed::sqlite();
    bed.committed(vec![sought(1)]).await;
    let elsewhere = Access::to_dossiers(&[Part(9)]);
    for _ in 0..3 {
        assert_eq!(found(&bed.store).await, [1]);
        assert!(bed.read(&key(1).id()).await.is_some());
        assert_eq!(recent(&bed.store).instance(&elsewhere, KIND, &key(1).id()), None);
        assert_eq!(bed.store.read(&elsewhere, KIND, &key(1).id()).await.unwrap(), None);
        assert_eq!(bed.store.search(&elsewhere, plan()).await.unwrap().total, Some(0));
    }
}

#[tokio::test]
async fn what_is_read_while_somebody_writes_is_not_kept() {
    let bed = Bed::sqlite();
    bed.committed(vec![creation(key(1))]).await;
    let stored = bed.read(&key(1).id()).await.unwrap();
    let recent = Recent::new(1 << 24);
    let before = recent.calm_around(KIND, &stored.id);
    let writing = recent.writing([DOSSIER, DOSSIER].into_iter());
    assert_eq!(recent.calm_around(KIND, &stored.id), None);
    recent.keep(before, &stored);
    assert_eq!(recent.instance(&everything(), KIND, &stored.id), None, "while it is written");
    drop(writing);
    assert_eq!(recent.instance(&everything(), KIND, &stored.id), None, "after it was written");
    recent.keep(recent.calm_around(KIND, &stored.id), &stored);
    assert_eq!(recent.instance(&everything(), KIND, &stored.id), Some(stored));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn whoever_reads_after_a_commit_sees_it() {
    let bed = Arc::new(Bed::sqlite());
    let mut last = sought(1);
    bed.committed(vec![last.clone()]).await;
    let (committed, ended) = (Arc::new(AtomicI64::new(1)), Arc::new(AtomicBool::new(false)));
    let readers: Vec<_> = (0..3)
        .map(|_| {
            let (bed, committed, ended) = (Arc::clone(&bed), Arc::clone(&committed), Arc::clone(&ended));
            tokio::spawn(async move {
                let mut seen = 0;
                while !ended.load(Ordering::Acquire) {
                    for version in [None, Some(())] {
                        let least = committed.load(Ordering::Acquire).max(seen);
                        seen = match version {
                            None => found(&bed.store).await[0],
                            Some(()) => bed.read(&key(1).id()).await.unwrap().version.0,
                        };
                        assert!(seen >= least, "{seen} after {least}");
                    }
                    tokio::task::yield_now().await;
                }
            })
        })
        .collect();
    for _ in 0..200 {
        last = update(&last);
        bed.committed(vec![last.clone()]).await;
        committed.store(last.version.0, Ordering::Release);
    }
    ended.store(true, Ordering::Release);
    for reader in readers {
        reader.await.unwrap();
    }
}

#[tokio::test]
async fn no_memory_means_that_nothing_is_kept() {
    let folder = tempfile::tempdir().unwrap();
    let settings = StoreSettings::Sqlite { path: folder.path().join("carnet.sqlite") };
    let store = Store::open(&settings, &Limits { recent_bytes: 0, ..limits() }).unwrap();
    let change = crate::store::change::Change::new(vec![sought(1)], Vec::new());
    store.commit(&everything(), change).await.unwrap();
    for _ in 0..3 {
        assert_eq!(found(&store).await, [1]);
        assert!(store.read(&everything(), KIND, &key(1).id()).await.unwrap().is_some());
        assert_eq!(recent(&store).instance(&everything(), KIND, &key(1).id()), None);
        assert!(!is_whole(&store));
    }
}

#[tokio::test]
async fn a_file_belongs_to_one_store_at_a_time() {
    let bed = Bed::sqlite();
    for refused in [Store::open(&bed.settings, &limits()).map(drop), migrate(&bed.settings).map(drop)] {
        let refused = refused.unwrap_err();
        assert_eq!(refused.kind(), Kind::Unavailable);
        assert!(refused.to_string().contains("another process has this store open"), "{refused}");
    }
    bed.store.close();
    Store::open(&bed.settings, &limits()).unwrap();
}
