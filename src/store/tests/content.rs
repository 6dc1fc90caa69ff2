//! Content outside the database: named before it is removed, removed only where nobody names it.

use std::fs;
use std::path::PathBuf;

use bytes::Bytes;
use futures_util::TryStreamExt as _;

use super::bed::*;
use super::on_each_back_end;
use crate::fhir::{InstanceKey, Instant, Part};
use crate::outcome::{Kind, Outcome};
use crate::store::change::Write;
use crate::store::{CommitFailure, Form, Incoming, Naming, Staged, Store, Stored, Swept, Text};

const ELSEWHERE: Part = Part(815);
/// Later than any object was written.
const EVER: Instant = Instant::from_micros(i64::MAX);

/// More than two chunks of bytes that differ by `seed`.
fn long(seed: u8) -> Bytes {
    (0..2_000_000u32).map(|at| (at.wrapping_mul(2_654_435_761) >> 24) as u8 ^ seed).collect()
}

fn naming(write: Write, content: &Bytes) -> Write {
    let staged = Staged::of(content.clone());
    let text = Text::with_holes("{\"data\":\"\"}", vec![staged.hole(9, Form::Base64, write.key.part)]);
    Write { body: Some(text.into_stored()), content: Naming::from(vec![staged]), ..write }
}

async fn read(store: &Store, stored: &Stored) -> Outcome<Bytes> {
    let text = stored.text()?.unwrap();
    let pieces = store.content(&text.holes()[0], None).await?;
    pieces.try_collect::<Vec<_>>().await.map(|pieces| pieces.concat().into())
}

async fn content_of(bed: &Bed, write: &Write) -> Outcome<Bytes> {
    read(&bed.store, &bed.read(&write.id).await.unwrap()).await
}

/// Every content at rest.
fn objects(bed: &Bed) -> Vec<PathBuf> {
    let folders = fs::read_dir(bed.contents().join("dossiers")).into_iter().flatten();
    let files = folders.flat_map(|folder| fs::read_dir(folder.unwrap().path()).unwrap());
    let mut files: Vec<PathBuf> = files.map(|file| file.unwrap().path()).collect();
    files.sort();
    files
}

on_each_back_end! {
    async fn content_comes_back_as_it_was_whole_and_in_part(bed: &Bed) {
        let (content, write) = (long(1), creation(key(1)));
        bed.committed(vec![naming(write.clone(), &content)]).await;
        assert!(content_of(bed, &write).await.unwrap() == content);
        let stored = bed.read(&write.id).await.unwrap();
        assert!(stored.body.as_ref().unwrap().len() < 100);
        let hole = stored.text().unwrap().unwrap().holes()[0];
        for range in [0..1, 786_431..786_433, 1_999_999..2_000_000, 5..1_900_000, 7..7] {
            let pieces = bed.store.content(&hole, Some(range.clone())).await.unwrap();
            let part = pieces.try_collect::<Vec<_>>().await.unwrap().concat();
            assert!(part == content[range.start as usize..range.end as usize], "{range:?}");
        }
    }

    async fn damaged_content_is_a_fault_that_names_it_and_no_byte_of_it_is_served(bed: &Bed) {
        let (content, write) = (long(1), creation(key(1)));
        bed.committed(vec![naming(write.clone(), &content)]).await;
        let object = objects(bed).pop().unwrap();
        for (at, served) in [(3, 0), (786_432, 1), (1_999_999, 2)] {
            let mut bytes = content.to_vec();
            bytes[at] ^= 1;
            fs::write(&object, &bytes).unwrap();
            let stored = bed.read(&write.id).await.unwrap().text().unwrap().unwrap();
            let mut verified = 0;
            let failure = match bed.store.content(&stored.holes()[0], None).await {
                Err(failure) => failure,
                Ok(mut pieces) => loop {
                    match pieces.try_next().await {
                        Ok(piece) => verified += piece.map_or_else(|| panic!("all of it"), |_| 1),
                        Err(failure) => break failure,
                    }
                },
            };
            assert_eq!((failure.kind(), verified), (Kind::Fault, served));
            let name = object.file_name().unwrap().to_str().unwrap();
            assert!(failure.cause().unwrap().to_string().contains(name));
        }
        for damage in [&content[..1_000_000], &[]] {
            fs::write(&object, damage).unwrap();
            assert_eq!(content_of(bed, &write).await.unwrap_err().kind(), Kind::Fault);
        }
        fs::remove_file(&object).unwrap();
        assert_eq!(content_of(bed, &write).await.unwrap_err().kind(), Kind::Fault);
        bed.committed(vec![naming(creation(key(2)), &content)]).await;
        assert!(content_of(bed, &write).await.unwrap() == content, "sending it again mends it");
    }

    async fn a_sweep_takes_what_is_old_and_nobody_names(bed: &Bed) {
        let write = creation(key(1));
        bed.committed(vec![naming(write.clone(), &long(1))]).await;
        let mut lost = naming(creation(key(2)), &long(2));
        bed.store.settle(&mut lost).await.unwrap();
        assert_eq!(objects(bed).len(), 2);
        assert_eq!(bed.store.sweep(Instant::from_micros(0)).await.unwrap(), Swept { seen: 2, removed: 0 });
        assert_eq!(bed.store.sweep(EVER).await.unwrap(), Swept { seen: 2, removed: 1 });
        assert_eq!(bed.store.sweep(EVER).await.unwrap(), Swept { seen: 1, removed: 0 });
        assert!(content_of(bed, &write).await.unwrap() == long(1));
    }

    async fn a_sweep_takes_what_was_left_on_its_way(bed: &Bed) {
        let mut incoming = Incoming::default();
        for _ in 0..4 {
            bed.store.take(&mut incoming, long(1)).await.unwrap();
        }
        let staged = incoming.finish().await.unwrap();
        let folder = bed.contents().join("incoming");
        fs::write(folder.join("torn#1"), "half").unwrap();
        fs::write(folder.join("torn#2"), "half").unwrap();
        assert_eq!(bed.store.sweep(Instant::from_micros(0)).await.unwrap(), Swept { seen: 1, removed: 0 });
        assert_eq!(bed.store.sweep(EVER).await.unwrap(), Swept { seen: 3, removed: 3 });
        drop(staged);
    }

    async fn content_put_before_a_sweep_and_named_after_it_is_put_again(bed: &Bed) {
        let mut late = naming(creation(key(1)), &long(1));
        bed.store.settle(&mut late).await.unwrap();
        assert_eq!(bed.store.sweep(EVER).await.unwrap().removed, 1);
        let change = crate::store::change::Change::new(vec![late.clone()], Vec::new());
        assert!(matches!(bed.store.write(change).await, Err(CommitFailure::Swept)));
        assert!(bed.read(&late.id).await.is_none());
        bed.committed(vec![late.clone()]).await;
        assert!(content_of(bed, &late).await.unwrap() == long(1));
    }

    async fn a_sweep_that_stalls_before_it_removes_never_hurts_what_came_later(bed: &Bed) {
        let mut first = naming(creation(key(1)), &long(1));
        bed.store.settle(&mut first).await.unwrap();
        let doomed = objects(bed).pop().unwrap();
        // One sweep retires the name and removes the object; what another, which stalls, would remove has the same name.
        assert_eq!(bed.store.sweep(EVER).await.unwrap().removed, 1);
        bed.committed(vec![first.clone()]).await;
        assert!(!objects(bed).contains(&doomed));
        let _ = fs::remove_file(doomed);
        assert!(content_of(bed, &first).await.unwrap() == long(1));
    }

    async fn whatever_is_committed_while_sweeps_run_can_be_read(bed: &Bed) {
        const UPLOADS: i64 = 40;
        let sweeping = || async {
            for _ in 0..UPLOADS {
                bed.store.sweep_objects(EVER).await.unwrap();
            }
        };
        // Half of them are given up before they are named, so that there is something to sweep at all times.
        let uploads = (0..UPLOADS).map(|rid| async move {
            let mut write = naming(creation(key(rid + 1)), &Bytes::from(vec![(rid % 3) as u8; 5]));
            bed.store.settle(&mut write).await.unwrap();
            if rid % 2 == 0 {
                bed.committed(vec![write.clone()]).await;
                assert_eq!(content_of(bed, &write).await.unwrap(), vec![(rid % 3) as u8; 5]);
            }
        });
        futures_util::future::join3(sweeping(), sweeping(), futures_util::future::join_all(uploads)).await;
        bed.store.sweep_objects(EVER).await.unwrap();
        for rid in (0..UPLOADS).filter(|rid| rid % 2 == 0) {
            let content = content_of(bed, &creation(key(rid + 1))).await.unwrap();
            assert_eq!(content, vec![(rid % 3) as u8; 5]);
        }
    }

    async fn content_moves_with_its_instance_and_leaves_nothing_behind(bed: &Bed) {
        let first = naming(creation(key(1)), &long(1));
        let second = naming(update(&first), &long(2));
        bed.committed(vec![first.clone()]).await;
        bed.committed(vec![second.clone()]).await;
        let stays = naming(creation(key(2)), &long(2));
        bed.committed(vec![stays.clone()]).await;
        let moved = Write { key: InstanceKey { part: ELSEWHERE, rid: 9 }, ..naming(update(&second), &long(2)) };
        let moved = naming(moved, &long(2));
        bed.committed(vec![moved.clone()]).await;
        assert_eq!(bed.store.sweep(EVER).await.unwrap(), Swept { seen: 4, removed: 1 });
        let history = bed
            .store
            .history(&everything(), crate::store::Whose::from((KIND, first.id.clone())), newest(9))
            .await
            .unwrap();
        for (stored, seed) in history.found.iter().zip([2, 2, 1]) {
            assert_eq!(stored.key.part, ELSEWHERE);
            assert!(read(&bed.store, stored).await.unwrap() == long(seed));
        }
        assert!(content_of(bed, &stays).await.unwrap() == long(2));
    }

    async fn a_place_that_belongs_to_another_store_is_not_used(bed: &Bed) {
        let mut write = naming(creation(key(1)), &long(1));
        bed.store.settle(&mut write).await.unwrap();
        fs::write(bed.contents().join("owner"), "somebody").unwrap();
        bed.store.close();
        let other = bed.reopened();
        assert_eq!(other.sweep(EVER).await.unwrap_err().kind(), Kind::Unavailable);
        assert!(matches!(
            other.commit(&everything(), crate::store::change::Change::new(vec![write], Vec::new())).await,
            Err(CommitFailure::Failed(failure)) if failure.kind() == Kind::Unavailable
        ));
        assert_eq!(objects(bed).len(), 1);
    }

    async fn a_place_without_the_contents_that_versions_name_is_not_used(bed: &Bed) {
        bed.committed(vec![naming(creation(key(1)), &long(1))]).await;
        fs::remove_file(bed.contents().join("owner")).unwrap();
        bed.store.close();
        assert_eq!(bed.reopened().sweep(EVER).await.unwrap_err().kind(), Kind::Unavailable);
    }
}
