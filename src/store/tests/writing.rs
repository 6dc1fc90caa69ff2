//! Writing changes: what they expect, what they leave, how they are grouped.

use super::bed::*;
use super::on_each_back_end;
use crate::fhir::{InstanceKey, Instant, Part, VersionId};
use crate::store::change::{Amendment, Change, Method, Write};
use crate::store::commit::is_done;
use crate::store::dialect::Use;
use crate::store::{CommitFailure, Store};

on_each_back_end! {
    async fn an_update_leaves_the_version_before_it_in_the_history(bed: &Bed) {
        let first = creation(key(1));
        bed.committed(vec![first.clone()]).await;
        bed.committed(vec![update(&first)]).await;
        assert_eq!(body(&bed.read(&first.id).await.unwrap()), "1/2");
        assert_eq!(bed.versions(&first.id).await, [2, 1]);
    }

    async fn an_older_version_is_amended_where_it_rests_unless_it_is_another(bed: &Bed) {
        let first = creation(key(1));
        bed.committed(vec![first.clone()]).await;
        bed.committed(vec![update(&first)]).await;
        let change = |version: i64, replaced: &'static str, body: &'static str| {
            let (replaced, body) = (replaced.as_bytes().into(), body.as_bytes().into());
            let amendment = Amendment { kind: KIND, key: key(1), version: VersionId(version), replaced, body };
            Change::amending(amendment, Vec::new())
        };
        let access = everything();
        let amend = |change: Change| bed.store.commit(&access, change);
        assert!(!is_done(&mut bed.connection(Use::Writing), &change(1, "1/1", "amended")).unwrap());
        amend(change(1, "1/1", "amended")).await.unwrap();
        assert!(is_done(&mut bed.connection(Use::Writing), &change(1, "1/1", "amended")).unwrap());
        let old = bed.store.version(&everything(), KIND, &first.id, VersionId::FIRST).await.unwrap().unwrap();
        assert_eq!((body(&old), old.updated, old.method), ("amended", first.updated, first.method));
        assert_eq!(body(&bed.read(&first.id).await.unwrap()), "1/2");
        assert_eq!(bed.versions(&first.id).await, [2, 1]);
        assert_eq!(stale(amend(change(1, "1/1", "again")).await), 0, "it says something else by now");
        assert_eq!(stale(amend(change(2, "1/2", "current")).await), 0, "the current version is not amended");
        assert_eq!(stale(amend(change(7, "", "nothing")).await), 0);
    }

    async fn a_deleted_instance_is_there_without_a_body_and_can_return(bed: &Bed) {
        let first = creation(key(1));
        let gone = deletion(&first);
        bed.committed(vec![first.clone()]).await;
        bed.committed(vec![gone.clone()]).await;
        let found = bed.read(&first.id).await.unwrap();
        assert_eq!((found.version, found.method, found.body), (VersionId(2), Method::Delete, None));
        bed.committed(vec![update(&gone)]).await;
        assert_eq!(body(&bed.read(&first.id).await.unwrap()), "1/3");
        assert_eq!(bed.versions(&first.id).await, [3, 2, 1]);
    }

    async fn a_write_that_expects_another_version_is_stale(bed: &Bed) {
        let first = creation(key(1));
        let second = update(&first);
        bed.committed(vec![first.clone()]).await;
        bed.committed(vec![second.clone()]).await;
        assert_eq!(stale(bed.commit(vec![second.clone()]).await), 0);
        assert_eq!(stale(bed.commit(vec![update(&update(&second))]).await), 0);
        assert_eq!(stale(bed.commit(vec![update(&creation(key(2)))]).await), 0);
        assert_eq!(bed.versions(&first.id).await, [2, 1]);
    }

    async fn a_write_that_expects_an_instance_of_another_name_is_stale(bed: &Bed) {
        let named = named_creation("a", key(1));
        bed.committed(vec![named.clone()]).await;
        assert_eq!(stale(bed.commit(vec![update(&named_creation("b", key(1)))]).await), 0);
    }

    async fn a_creation_where_something_is_or_was_is_stale(bed: &Bed) {
        let named = named_creation("a", key(1));
        bed.committed(vec![named.clone(), creation(key(2))]).await;
        assert_eq!(stale(bed.commit(vec![named_creation("a", key(3))]).await), 0, "the name is taken");
        assert_eq!(stale(bed.commit(vec![named_creation("b", key(1))]).await), 0, "the place is taken");
        assert_eq!(stale(bed.commit(vec![creation(key(2))]).await), 0, "the server-assigned place is taken");
        bed.committed(vec![deletion(&named)]).await;
        assert_eq!(stale(bed.commit(vec![named_creation("a", key(3))]).await), 0, "the name was taken once");
        assert_eq!(bed.read(&id("b")).await, None);
    }

    async fn nothing_of_a_stale_change_is_written(bed: &Bed) {
        bed.committed(vec![creation(key(5))]).await;
        let writes = vec![creation(key(1)), named_creation("n", key(2)), creation(key(5)), creation(key(3))];
        assert_eq!(stale(bed.commit(writes).await), 2);
        for rid in [1, 2, 3] {
            assert_eq!(bed.read(&key(rid).id()).await, None);
        }
        assert_eq!(bed.read(&id("n")).await, None);
        bed.committed(vec![named_creation("n", key(2))]).await;
    }

    async fn one_name_twice_in_a_change_is_stale(bed: &Bed) {
        let answer = bed.commit(vec![named_creation("a", key(1)), named_creation("a", key(2))]).await;
        assert_eq!(stale(answer), 1);
        assert_eq!(bed.read(&id("a")).await, None);
    }

    async fn an_instance_moves_with_its_versions_and_keeps_its_id(bed: &Bed) {
        let first = creation(key(1));
        let second = update(&first);
        bed.committed(vec![first.clone()]).await;
        bed.committed(vec![second.clone()]).await;
        let new = InstanceKey { part: Part(9), rid: 77 };
        let moved = Write { key: new, ..update(&second) };
        bed.committed(vec![moved.clone()]).await;
        let found = bed.read(&first.id).await.unwrap();
        assert_eq!((found.key, found.version), (new, VersionId(3)));
        assert_eq!(bed.versions(&first.id).await, [3, 2, 1]);
        let oldest = bed.store.version(&everything(), KIND, &first.id, VersionId(1)).await.unwrap().unwrap();
        assert_eq!((body(&oldest), oldest.key), ("1/1", new));
        assert_eq!(bed.read(&new.id()).await, None, "it has one name only");
        assert_eq!(stale(bed.commit(vec![named_creation(first.id.as_str(), key(1))]).await), 0, "its name stays taken");

        let back = Write { key: key(1), ..update(&moved) };
        bed.committed(vec![back.clone()]).await;
        assert_eq!(bed.read(&first.id).await.unwrap().key, key(1));
        assert_eq!(bed.versions(&first.id).await, [4, 3, 2, 1]);
        bed.committed(vec![Write { key: new, ..update(&back) }]).await;
        assert_eq!(bed.read(&first.id).await.unwrap().key, new);
    }

    async fn an_instance_with_a_chosen_id_moves(bed: &Bed) {
        let first = named_creation("n", key(1));
        bed.committed(vec![first.clone()]).await;
        bed.committed(vec![Write { key: key(2), ..update(&first) }]).await;
        assert_eq!(bed.read(&id("n")).await.unwrap().key, key(2));
    }

    async fn an_instance_does_not_move_to_a_taken_place(bed: &Bed) {
        let first = creation(key(1));
        bed.committed(vec![first.clone(), creation(key(2))]).await;
        assert_eq!(stale(bed.commit(vec![Write { key: key(2), ..update(&first) }]).await), 0);
        assert_eq!(bed.read(&first.id).await.unwrap().key, key(1));
    }

    async fn a_thousand_entries_are_one_commit(bed: &Bed) {
        let writes: Vec<_> = (0..1_000).map(|rid| creation(key(rid))).collect();
        bed.committed(writes).await;
        assert_eq!(bed.store.grouping().transactions, 1);
        assert_eq!(body(&bed.read(&key(999).id()).await.unwrap()), "999/1");
    }

    async fn waiting_changes_share_transactions(bed: &Bed) {
        let changes = bed.accepted((0..200).map(|rid| vec![creation(key(rid))])).await;
        for answer in futures_util::future::join_all(changes).await {
            answer.unwrap();
        }
        let grouping = bed.store.grouping();
        assert_eq!(grouping.changes, 200);
        assert!(grouping.transactions < 100, "{grouping:?}");
    }

    async fn a_failing_change_leaves_the_others_of_its_group(bed: &Bed) {
        bed.committed(vec![creation(key(0))]).await;
        // Every fourth finds its place taken only when it has written already; every fifth is stale from the beginning.
        let writes = |rid: i64| match rid {
            rid if rid % 4 == 0 => vec![creation(key(1_000 + rid)), creation(key(0))],
            rid if rid % 5 == 0 => vec![update(&creation(key(rid)))],
            rid => vec![creation(key(rid))],
        };
        let changes = bed.accepted((1..=200).map(writes)).await;
        for (rid, answer) in (1..=200).zip(futures_util::future::join_all(changes).await) {
            match rid {
                rid if rid % 4 == 0 => assert_eq!(stale(answer), 1),
                rid if rid % 5 == 0 => assert_eq!(stale(answer), 0),
                _ => answer.unwrap(),
            }
        }
        for rid in 1..=200 {
            assert_eq!(bed.read(&key(rid).id()).await.is_some(), rid % 4 != 0 && rid % 5 != 0);
            assert_eq!(bed.read(&key(1_000 + rid).id()).await, None);
        }
        assert!(bed.store.grouping().transactions < 150);
    }

    async fn of_concurrent_updates_of_one_version_one_wins(bed: &Bed) {
        let first = creation(key(1));
        bed.committed(vec![first.clone()]).await;
        let answers = futures_util::future::join_all((0..20).map(|_| bed.commit(vec![update(&first)]))).await;
        assert_eq!(answers.iter().filter(|answer| answer.is_ok()).count(), 1);
        assert_eq!(bed.versions(&first.id).await, [2, 1]);
    }

    async fn a_record_of_the_journal_is_durable_with_or_without_a_change(bed: &Bed) {
        bed.store.record(vec![record(DOSSIER, "read"), record(Part(0), "search")]).await.unwrap();
        let change = Change::new(vec![creation(key(1))], vec![record(DOSSIER, "create")]);
        bed.store.commit(&everything(), change).await.unwrap();
        let refused = Change::new(vec![creation(key(1))], vec![record(DOSSIER, "lie")]);
        assert_eq!(stale(bed.store.commit(&everything(), refused).await), 0);
        assert_eq!(bed.journal(DOSSIER), [(1, "read".to_owned()), (2, "create".to_owned())]);
        assert_eq!(bed.journal(Part(0)), [(1, "search".to_owned())]);
    }

    async fn nothing_to_write_is_written_at_once(bed: &Bed) {
        bed.committed(Vec::new()).await;
        bed.store.record(Vec::new()).await.unwrap();
        assert_eq!(bed.store.grouping().transactions, 0);
    }

    async fn what_was_written_is_known_again_and_nothing_else_is(bed: &Bed) {
        let first = creation(key(1));
        let change = |write: &Write| Change::new(vec![write.clone()], vec![record(DOSSIER, "create")]);
        let told = |entry: &str| Change::new(Vec::new(), vec![record(DOSSIER, entry)]);
        bed.store.commit(&everything(), change(&first)).await.unwrap();
        let mut connection = bed.connection(Use::Writing);
        let other = Write { body: Some(b"other".to_vec().into()), ..first.clone() };
        let later = Write { updated: Instant::from_micros(first.updated.micros() + 1), ..first.clone() };
        assert!(is_done(&mut connection, &change(&first)).unwrap());
        for not_written in [&other, &later, &update(&first), &creation(key(2))] {
            assert!(!is_done(&mut connection, &change(not_written)).unwrap());
        }
        bed.committed(vec![update(&first)]).await;
        bed.committed(vec![deletion(&update(&first))]).await;
        for written in [&first, &update(&first), &deletion(&update(&first))] {
            assert!(is_done(&mut connection, &change(written)).unwrap());
        }
        assert!(is_done(&mut connection, &told("create")).unwrap());
        assert!(!is_done(&mut connection, &told("read")).unwrap());
    }
}

/// Several instances of the server share one database, as no file can be shared.
#[tokio::test]
#[ignore = "needs a server of PostgreSQL, named by CARNET_TEST_POSTGRES"]
async fn several_stores_share_a_database_of_postgres() {
    let bed = Bed::postgres();
    let other = Store::open(&bed.settings, &limits()).unwrap();
    let first = creation(key(1));
    bed.committed(vec![first.clone()]).await;
    let access = everything();
    let updates = (0..40).map(|turn| {
        let (store, writes) = (if turn % 2 == 0 { &bed.store } else { &other }, vec![update(&first)]);
        store.commit(&access, Change::new(writes, vec![record(DOSSIER, "update")]))
    });
    let answers = futures_util::future::join_all(updates).await;
    assert_eq!(answers.iter().filter(|answer| answer.is_ok()).count(), 1);
    assert!(answers.iter().all(|answer| matches!(answer, Ok(()) | Err(CommitFailure::Stale(0)))), "{answers:?}");
    let creations = (0..40).map(|rid| {
        let (store, writes) = (if rid % 2 == 0 { &bed.store } else { &other }, vec![creation(key(100 + rid))]);
        store.commit(&access, Change::new(writes, vec![record(DOSSIER, "create")]))
    });
    for answer in futures_util::future::join_all(creations).await {
        answer.unwrap();
    }
    let numbers: Vec<i64> = bed.journal(DOSSIER).into_iter().map(|(number, _)| number).collect();
    assert_eq!(numbers, (1..=41).collect::<Vec<_>>());
}
