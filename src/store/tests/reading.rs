//! Reading by name: current versions, older ones, histories, and what an access hides.

use super::bed::*;
use super::on_each_back_end;
use crate::dossier::Access;
use crate::fhir::{InstanceKey, Part, ResourceType, VersionId};
use crate::store::change::Method;
use crate::store::{VersionName, Whose};

on_each_back_end! {
    async fn what_was_committed_is_read_back(bed: &Bed) {
        let write = creation(key(1));
        bed.committed(vec![write.clone()]).await;
        let found = bed.read(&write.id).await.unwrap();
        assert_eq!((found.kind, &found.id, found.key), (KIND, &write.id, write.key));
        assert_eq!((found.version, found.updated, found.method), (VersionId(1), write.updated, Method::Post));
        assert_eq!(body(&found), "1/1");
    }

    async fn an_instance_of_another_type_is_absent(bed: &Bed) {
        let write = creation(key(1));
        let named = named_creation("p1", key(2));
        bed.committed(vec![write.clone(), named.clone()]).await;
        for id in [&write.id, &named.id] {
            assert_eq!(bed.store.read(&everything(), ResourceType::Patient, id).await.unwrap(), None);
        }
    }

    async fn an_id_that_was_never_given_is_absent(bed: &Bed) {
        assert_eq!(bed.read(&key(9).id()).await, None);
        assert_eq!(bed.read(&id("nobody")).await, None);
        assert!(bed.versions(&id("nobody")).await.is_empty());
    }

    async fn an_instance_is_read_by_the_id_a_client_chose(bed: &Bed) {
        let write = named_creation("lab-1.a", key(1));
        bed.committed(vec![write.clone()]).await;
        assert_eq!(bed.read(&id("lab-1.a")).await.unwrap().key, key(1));
        assert_eq!(bed.read(&key(1).id()).await, None, "its place is not its name");
    }

    async fn every_version_is_read_as_it_was(bed: &Bed) {
        let first = creation(key(1));
        let second = update(&first);
        let third = deletion(&second);
        for write in [&first, &second, &third] {
            bed.committed(vec![write.clone()]).await;
        }
        for write in [&first, &second, &third] {
            let read = bed.store.version(&everything(), KIND, &write.id, write.version).await.unwrap().unwrap();
            assert_eq!((read.version, read.updated, read.method), (write.version, write.updated, write.method));
            assert_eq!(read.body.as_deref(), write.body.as_deref());
            assert_eq!((read.kind, &read.id, read.key), (KIND, &write.id, write.key));
        }
        assert_eq!(bed.store.version(&everything(), KIND, &first.id, VersionId(4)).await.unwrap(), None);
    }

    async fn many_versions_are_read_together_and_what_is_not_covered_is_left_out(bed: &Bed) {
        let elsewhere = named_creation("elsewhere", InstanceKey { part: Part(5), rid: 700 });
        let mut writes: Vec<_> = (0..300).map(|rid| creation(key(rid))).collect();
        writes.extend((300..310).map(|rid| named_creation(&format!("n-{rid}"), key(rid))));
        writes.push(elsewhere.clone());
        bed.committed(writes.clone()).await;
        bed.committed(vec![update(&writes[7]), update(&elsewhere)]).await;
        let name = |id: &crate::fhir::InstanceId, version| VersionName { kind: KIND, id: id.clone(), version };
        let mut names: Vec<VersionName> = writes.iter().map(|write| name(&write.id, None)).collect();
        names.push(name(&writes[7].id, Some(VersionId(1))));
        names.push(name(&elsewhere.id, Some(VersionId(1))));
        names.push(name(&writes[9].id, Some(VersionId(2))));
        names.push(name(&id("nobody"), None));
        names.push(VersionName { kind: ResourceType::Patient, id: writes[3].id.clone(), version: None });
        let several = async |access: Access| {
            let mut found = bed.store.several(&access, names.clone()).await.unwrap();
            found.sort_by_key(|stored| (stored.key, stored.version));
            found.into_iter().map(|stored| (stored.key, stored.version.0)).collect::<Vec<_>>()
        };
        let mut expected: Vec<_> = (0..310).map(|rid| (key(rid), if rid == 7 { 2 } else { 1 })).collect();
        expected.push((key(7), 1));
        let covered = several(Access::to_dossiers(&[DOSSIER])).await;
        expected.sort();
        assert_eq!(covered, expected);
        expected.extend([(elsewhere.key, 1), (elsewhere.key, 2)]);
        expected.sort();
        assert_eq!(several(everything()).await, expected);
    }

    async fn several_are_read_in_the_order_asked(bed: &Bed) {
        bed.committed(vec![creation(key(1)), named_creation("two", key(2))]).await;
        let names = [key(9).id(), id("two"), key(1).id(), id("two")].map(|id| (KIND, id));
        let found = bed.store.read_many(&everything(), names.to_vec()).await.unwrap();
        let rids: Vec<_> = found.iter().map(|found| found.as_ref().map(|found| found.key.rid)).collect();
        assert_eq!(rids, [None, Some(2), Some(1), Some(2)]);
    }

    async fn what_an_access_does_not_cover_is_absent(bed: &Bed) {
        let write = creation(key(1));
        bed.committed(vec![write.clone()]).await;
        bed.committed(vec![update(&write)]).await;
        let elsewhere = Access::to_dossiers(&[Part(1)]);
        let here = Access::to_dossiers(&[DOSSIER]);
        assert_eq!(bed.store.read(&elsewhere, KIND, &write.id).await.unwrap(), None);
        assert_eq!(bed.store.read_many(&elsewhere, vec![(KIND, write.id.clone())]).await.unwrap(), [None]);
        assert_eq!(bed.store.version(&elsewhere, KIND, &write.id, VersionId(1)).await.unwrap(), None);
        assert!(bed.store.history(&elsewhere, Whose::from((KIND, write.id.clone())), newest(10)).await.unwrap().found.is_empty());
        assert!(bed.store.read(&here, KIND, &write.id).await.unwrap().is_some());
    }

    async fn what_an_access_does_not_cover_is_not_written(bed: &Bed) {
        let write = creation(InstanceKey { part: Part(2), rid: 1 });
        let change = crate::store::change::Change::new(vec![write.clone()], Vec::new());
        let answer = bed.store.commit(&Access::to_dossiers(&[DOSSIER]), change).await;
        assert!(matches!(answer, Err(crate::store::CommitFailure::Failed(failure)) if failure.kind().status() == 404));
        assert_eq!(bed.read(&write.id).await, None);
    }
}
