//! What stays when a store is closed, dropped or opened again, and what a store does when its database fails it.

use super::bed::*;
use super::on_each_back_end;
use crate::outcome::Kind;
use crate::store::connection::Source;
use crate::store::dialect::Use;
use crate::store::{CommitFailure, Store, migrate};

on_each_back_end! {
    async fn what_was_committed_is_there_after_opening_again(bed: &Bed) {
        let write = creation(key(1));
        bed.committed(vec![write.clone()]).await;
        let second = Store::open(&bed.settings, &limits()).unwrap();
        assert!(second.read(&everything(), KIND, &write.id).await.unwrap().is_some());
        assert_eq!(second.term_key(), bed.store.term_key());
        assert_ne!(second.term_key(), [0; 16]);
    }

    async fn closing_finishes_what_was_accepted_and_takes_nothing_more(bed: &Bed) {
        let mut accepted = Vec::new();
        for rid in 0..50 {
            let mut commit = Box::pin(bed.commit(vec![creation(key(rid))]));
            assert!(waits(&mut commit).await);
            accepted.push(commit);
        }
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
        assert_eq!(migrate(&bed.settings).unwrap(), Vec::<String>::new());
    }

    async fn a_schema_newer_than_the_program_is_refused(bed: &Bed) {
        let mut connection = Source::of(&bed.settings).unwrap().connect(Use::Writing).unwrap();
        connection.batch("INSERT INTO __diesel_schema_migrations (version, run_on) VALUES ('29990101000000', '2999-01-01')").unwrap();
        for refused in [migrate(&bed.settings).map(drop), Store::open(&bed.settings, &limits()).map(drop)] {
            assert!(refused.unwrap_err().to_string().contains("newer version of this program"));
        }
    }

    async fn a_database_that_fails_makes_the_store_unavailable_and_not_wrong(bed: &Bed) {
        let write = creation(key(1));
        bed.committed(vec![write.clone()]).await;
        let mut connection = Source::of(&bed.settings).unwrap().connect(Use::Writing).unwrap();
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
        assert_eq!(store.read(&access, KIND, &id).await.unwrap(), None, "a single read needs no thread");
        release.send(()).unwrap();
        held.await.unwrap();
        for read in waiting {
            read.await.unwrap();
        }
    }
}

/// The way up and down again: nothing is left, and going up twice makes the same.
#[test]
fn the_migrations_undo_what_they_do() {
    use diesel_migrations::MigrationHarness as _;
    let bed = Bed::sqlite();
    let mut connection = Source::of(&bed.settings).unwrap().connect(Use::Writing).unwrap();
    let tables = |connection: &mut crate::store::connection::Connection| {
        let text = "SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL AND name NOT LIKE '\\_\\_%' ESCAPE '\\' ORDER BY name";
        connection.load(&crate::store::statement::Statement::new(text), |row| row.text(0)).unwrap()
    };
    let up = tables(&mut connection);
    assert!(up.len() > 9);
    connection.sqlite().revert_all_migrations(crate::store::schema::SQLITE).unwrap();
    assert_eq!(tables(&mut connection), Vec::<String>::new());
    crate::store::schema::ready(&mut connection).unwrap();
    assert_eq!(tables(&mut connection), up);
}

/// Both back ends keep the same tables, columns and indexes, each in its own words for two types.
#[test]
fn the_migrations_of_both_back_ends_state_the_same() {
    let folder = |name: &str| std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations").join(name);
    let names = |name: &str| {
        let mut names: Vec<_> = std::fs::read_dir(folder(name)).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        names.sort();
        names
    };
    assert_eq!(names("sqlite"), names("postgres"));
    for name in names("sqlite") {
        for file in ["up.sql", "down.sql"] {
            let text = |back_end: &str| std::fs::read_to_string(folder(back_end).join(&name).join(file)).unwrap();
            let sqlite = text("sqlite").replace(" BLOB", " BYTEA").replace(" WITHOUT ROWID", "");
            assert_eq!(sqlite, text("postgres").replace(" COLLATE \"C\"", ""), "{name:?}/{file}");
        }
    }
}
