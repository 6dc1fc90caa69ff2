//! What stays when a store is closed, dropped or opened again, and what a store does when its database fails it.

use super::bed::*;
use super::on_each_back_end;
use crate::outcome::Kind;
use crate::store::dialect::{Dialect, Use};
use crate::store::{CommitFailure, Store, migrate};

on_each_back_end! {
    async fn what_was_committed_is_there_after_opening_again(bed: &Bed) {
        let write = creation(key(1));
        bed.committed(vec![write.clone()]).await;
        bed.store.close();
        let second = Store::open(&bed.settings, &limits()).unwrap();
        assert!(second.read(&everything(), KIND, &write.id).await.unwrap().is_some());
        assert_eq!(second.term_key(), bed.store.term_key());
        assert_ne!(second.term_key(), [0; 16]);
    }

    async fn closing_finishes_what_was_accepted_and_takes_nothing_more(bed: &Bed) {
        let accepted = bed.accepted((0..50).map(|rid| vec![creation(key(rid))])).await;
        bed.store.close();
        for answer in futures_util::future::join_all(accepted).await {
            answer.unwrap();
        }
        let answer = bed.commit(vec![creation(key(99))]).await;
        assert!(matches!(answer, Err(CommitFailure::Failed(failure)) if failure.kind() == Kind::Unavailable));
        let answer = bed.store.read(&everything(), KIND, &key(1).id()).await;
        assert_eq!(answer.unwrap_err().kind(), Kind::Unavailable);
    }

    async fn a_migrated_store_has_nothing_to_migrate(bed: &Bed) {
        bed.store.close();
        assert_eq!(migrate(&bed.settings).unwrap(), Vec::<String>::new());
    }

    async fn a_schema_newer_than_the_program_is_refused(bed: &Bed) {
        let mut connection = bed.connection(Use::Writing);
        connection.batch("INSERT INTO __diesel_schema_migrations (version, run_on) VALUES ('29990101000000', '2999-01-01')").unwrap();
        bed.store.close();
        for refused in [migrate(&bed.settings).map(drop), Store::open(&bed.settings, &limits()).map(drop)] {
            assert!(refused.unwrap_err().to_string().contains("newer version of this program"));
        }
    }

    async fn a_database_that_fails_makes_the_store_unavailable_and_not_wrong(bed: &Bed) {
        let write = creation(key(1));
        bed.committed(vec![write.clone()]).await;
        let mut connection = bed.connection(Use::Writing);
        connection.batch("ALTER TABLE instance RENAME TO hidden").unwrap();
        let refused = bed.store.read(&everything(), KIND, &write.id).await.unwrap_err();
        assert_eq!(refused.kind(), Kind::Unavailable);
        assert!(refused.cause().is_some());
        let refused = bed.commit(vec![creation(key(2))]).await;
        assert!(matches!(refused, Err(CommitFailure::Failed(failure)) if failure.kind() == Kind::Unavailable));
        connection.batch("ALTER TABLE hidden RENAME TO instance").unwrap();
        assert!(bed.read(&write.id).await.is_some());
        bed.committed(vec![creation(key(2))]).await;
    }

    async fn a_panic_of_a_reader_is_a_failure_of_that_request_only(bed: &Bed) {
        bed.committed(vec![creation(key(1))]).await;
        for _ in 0..5 {
            let answer = bed.store.ask(|_| -> diesel::result::QueryResult<()> { panic!("a test panics here") }).await;
            assert_eq!(answer.unwrap_err().kind(), Kind::Fault);
        }
        assert!(bed.read(&key(1).id()).await.is_some());
    }

    async fn more_requests_than_may_wait_are_refused(bed: &Bed) {
        bed.store.close();
        let few = crate::config::Limits { store_queue_requests: 4, reader_threads: 1, ..limits() };
        let store = Store::open(&bed.settings, &few).unwrap();
        let (started, begun) = std::sync::mpsc::channel();
        let (release, released) = std::sync::mpsc::channel::<()>();
        let mut held = Box::pin(store.ask(move |_| {
            started.send(()).unwrap();
            released.recv().unwrap();
            Ok(())
        }));
        assert!(waits(&mut held).await);
        begun.recv().unwrap();
        let access = everything();
        let (id, mut waiting) = (key(1).id(), Vec::new());
        for _ in 0..4 {
            let mut read = Box::pin(store.read_many(&access, vec![(KIND, id.clone())]));
            assert!(waits(&mut read).await);
            waiting.push(read);
        }
        let refused = store.read_many(&access, vec![(KIND, id.clone())]).await;
        assert_eq!(refused.unwrap_err().kind(), Kind::Unavailable);
        if bed.connection(Use::Reading).dialect() == Dialect::Sqlite {
            assert_eq!(store.read(&access, KIND, &id).await.unwrap(), None, "a single read needs no thread");
        }
        release.send(()).unwrap();
        held.await.unwrap();
        for read in waiting {
            read.await.unwrap();
        }
    }
}
