//! What a change takes for granted of the whole store is asked again by the transaction that writes it.

use super::bed::*;
use super::on_each_back_end;
use crate::fhir::InstanceKey;
use crate::search::index::{IndexEntries, Term};
use crate::search::plan::{Condition, Plan};
use crate::store::change::{Change, Premise, Write};
use crate::store::dialect::{Dialect, Use};
use crate::store::premise::lock;
use crate::store::{CommitFailure, Stored};

fn with_term(key: InstanceKey, term: u64) -> Write {
    Write { index: IndexEntries { terms: vec![Term::leading(term)], ..IndexEntries::default() }, ..creation(key) }
}

fn carrying(term: u64) -> Plan {
    let condition = Condition::All(vec![Condition::Term(Term::leading(term))]);
    Plan { kinds: vec![KIND], dossiers: None, condition, order: Vec::new(), count: 2, after: None, backward: false, total: false }
}

fn given(write: Write, term: u64, found: &[Stored]) -> Change {
    Change::new(vec![write], Vec::new()).given(vec![Premise::new(&everything(), (&carrying(term), term), found)])
}

async fn found(bed: &Bed, term: u64) -> Vec<Stored> {
    bed.store.matching(&everything(), vec![carrying(term)], 10).await.unwrap().remove(0)
}

on_each_back_end! {
    async fn of_creates_that_take_for_granted_that_there_is_none_one_is_written(bed: &Bed) {
        let access = everything();
        let commits = (0..40).map(|rid| bed.store.commit(&access, given(with_term(key(rid), 7), 7, &[])));
        let answers = futures_util::future::join_all(commits).await;
        assert_eq!(answers.iter().filter(|answer| answer.is_ok()).count(), 1);
        assert_eq!(answers.iter().filter(|answer| matches!(answer, Err(CommitFailure::Unmet))).count(), 39);
        assert_eq!(found(bed, 7).await.len(), 1);
    }

    async fn who_writes_under_the_same_criteria_waits_for_the_other_where_there_are_several_writers(bed: &Bed) {
        let (first, second) = (given(with_term(key(1), 7), 7, &[]), given(with_term(key(2), 8), 8, &[]));
        let (mut one, mut other) = (bed.connection(Use::Writing), bed.connection(Use::Writing));
        if one.dialect() == Dialect::Sqlite {
            return;
        }
        one.batch("BEGIN").unwrap();
        lock(&mut one, &[&second, &first]).unwrap();
        other.batch("SET lock_timeout = 1; BEGIN").unwrap();
        assert!(lock(&mut other, &[&first]).unwrap_err().to_string().contains("lock timeout"));
        other.batch("ROLLBACK; BEGIN").unwrap();
        lock(&mut other, &[&given(with_term(key(3), 9), 9, &[])]).unwrap();
        one.batch("COMMIT").unwrap();
        lock(&mut other, &[&first]).unwrap();
    }

    async fn a_change_is_written_only_where_its_criteria_mean_what_they_meant(bed: &Bed) {
        bed.committed(vec![with_term(key(1), 7)]).await;
        let one = found(bed, 7).await;
        let commit = async |change| bed.store.commit(&everything(), change).await;
        commit(given(creation(key(2)), 7, &one)).await.unwrap();
        assert!(matches!(commit(given(creation(key(3)), 7, &[])).await, Err(CommitFailure::Unmet)), "there is one");
        bed.committed(vec![with_term(key(4), 7)]).await;
        assert!(matches!(commit(given(creation(key(5)), 7, &one)).await, Err(CommitFailure::Unmet)), "there are two");
        assert!(matches!(commit(given(creation(key(5)), 8, &one)).await, Err(CommitFailure::Unmet)), "there is none");
        for rid in [3, 5] {
            assert_eq!(bed.read(&key(rid).id()).await, None, "nothing of it is written");
        }
    }
}
