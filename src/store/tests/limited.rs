//! What reads takes no longer than it may.

use super::bed::*;
use super::on_each_back_end;
use crate::config::Limits;
use crate::outcome::{Failure, IssueCode, Kind};
use crate::store::Store;
use crate::store::statement::Statement;

/// Without an end.
const ENDLESS: &str = "WITH RECURSIVE c (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c) SELECT count(*) FROM c WHERE n < 0";

/// A statement, asked of the readers.
async fn asked(store: &Store, text: &'static str) -> Result<Option<i64>, Failure> {
    store.ask(move |connection| connection.first(&Statement::new(text), |row| row.bigint(0))).await
}

on_each_back_end! {
    async fn a_statement_that_takes_too_long_is_ended_by_name_of_the_limit_and_its_reader_goes_on(bed: &Bed) {
        bed.store.close();
        let limits = Limits { search_seconds: 1, reader_threads: 1, ..limits() };
        let store = Store::open(&bed.settings, &limits).unwrap();
        for _ in 0..2 {
            let failure = asked(&store, ENDLESS).await.unwrap_err();
            assert_eq!((failure.kind(), failure.issues()[0].code), (Kind::TooCostly, IssueCode::TooCostly));
            assert!(failure.issues()[0].diagnostics.contains("limits.search_seconds is 1"), "{failure}");
            assert_eq!(asked(&store, "SELECT count(*) FROM instance").await.unwrap(), Some(0));
        }
        let failure = store.ask(|connection| connection.together(|connection| connection.first(&Statement::new(ENDLESS), |row| row.bigint(0)))).await;
        assert_eq!(failure.unwrap_err().kind(), Kind::TooCostly);
        assert_eq!(store.read(&everything(), KIND, &id("nobody")).await.unwrap(), None);
        let key = key(1);
        store.commit(&everything(), crate::store::change::Change::new(vec![creation(key)], Vec::new())).await.unwrap();
        assert_eq!(asked(&store, "SELECT count(*) FROM instance").await.unwrap(), Some(1));
    }
}
