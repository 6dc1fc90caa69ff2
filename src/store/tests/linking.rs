//! Chains and `_has` against an access that covers a part of the store.

use chrono_tz::Europe::Paris;
use serde_json::{Value, json};

use super::bed::*;
use super::on_each_back_end;
use crate::definition::Registry;
use crate::dossier::Access;
use crate::fhir::json::Tree;
use crate::fhir::{InstanceKey, Instant, Part, ResourceType};
use crate::outcome::Kind;
use crate::search::{Handling, Indexer, PageSize, Query, Scope};
use crate::store::change::{Method, Write};

pub(super) fn indexer(bed: &Bed) -> Indexer {
    Indexer::new(Registry::shared().unwrap(), "http://h/fhir", bed.store.term_key(), Paris)
}

/// An instance with an id that a client chose, where it belongs.
pub(super) fn written(indexer: &Indexer, rid: i64, resource: &Value) -> Write {
    let text = resource.to_string();
    let tree = Tree::parse(text.as_bytes()).unwrap();
    let kind: ResourceType = resource["resourceType"].as_str().unwrap().parse().unwrap();
    let id = id(resource["id"].as_str().unwrap());
    let part = if kind == ResourceType::Patient { Part::of_patient(&id) } else { indexer.part(kind, &tree) };
    let index = indexer.entries(kind, &tree).unwrap();
    let key = InstanceKey { part, rid };
    Write { kind, id, method: Method::Put, body: Some(text.into_bytes().into()), index, ..creation(key) }
}

async fn found(bed: &Bed, access: &Access, query: &str) -> Result<Vec<String>, Kind> {
    let (kind, parameters) = query.split_once('?').unwrap();
    let pairs = parameters.split('&').map(|pair| pair.split_once('=').unwrap());
    let pairs: Vec<_> = pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    let query =
        Query::parse(Registry::shared().unwrap(), Scope::of_type(kind.parse().unwrap()), &pairs, Handling::Strict).unwrap();
    let size = PageSize { default: 100, max: 100 };
    let plan = query.plan(&indexer(bed), size, Instant::from_micros(0)).unwrap();
    let page = bed.store.search(access, plan).await.map_err(|failure| failure.kind())?;
    Ok(page.matches.iter().map(|found| found.stored.id.as_str().to_owned()).collect())
}

on_each_back_end! {
    async fn what_an_access_conceals_is_no_link_of_a_chain(bed: &Bed) {
        let indexer = indexer(bed);
        let observation = |id: &str, subject: &str, encounter: &str| {
            json!({"resourceType": "Observation", "id": id, "subject": {"reference": subject}, "encounter": {"reference": encounter}})
        };
        let resources = [
            json!({"resourceType": "Patient", "id": "seen", "name": [{"family": "Martin"}]}),
            json!({"resourceType": "Patient", "id": "hidden", "name": [{"family": "Martin"}]}),
            json!({"resourceType": "Encounter", "id": "e1", "subject": {"reference": "Patient/hidden"}, "class": {"code": "AMB"}}),
            observation("o1", "Patient/seen", "Encounter/e1"),
            observation("o2", "Patient/hidden", "Encounter/e1"),
        ];
        bed.committed((1..).zip(&resources).map(|(rid, resource)| written(&indexer, rid, resource)).collect()).await;
        let seen = Access::to_dossiers(&[Part::of_patient(&id("seen")), Part::DIRECTORY]);
        let table = [
            ("Observation?patient.name=martin", vec!["o1", "o2"], vec!["o1"]),
            ("Observation?encounter.class=AMB", vec!["o1", "o2"], vec![]),
            ("Observation?encounter.patient=hidden", vec!["o1", "o2"], vec![]),
            ("Observation?patient=seen&encounter.class=AMB", vec!["o1"], vec![]),
            ("Observation?encounter.patient.name=martin", vec!["o1", "o2"], vec![]),
            ("Patient?_has:Observation:patient:encounter.class=AMB", vec!["seen", "hidden"], vec![]),
            ("Patient?_has:Encounter:patient:class=AMB", vec!["hidden"], vec![]),
            ("Encounter?_has:Observation:encounter:_id=o1", vec!["e1"], vec![]),
        ];
        for (query, to_all, to_some) in table {
            assert_eq!(found(bed, &everything(), query).await.unwrap(), to_all, "{query}");
            assert_eq!(found(bed, &seen, query).await.unwrap(), to_some, "{query}");
        }
    }

    async fn a_link_with_too_many_instances_on_both_sides_is_refused(bed: &Bed) {
        let indexer = indexer(bed);
        let subject = |number: i64| json!({"reference": format!("Patient/p{}", number % 5_001)});
        let patient = |number: i64| json!({"resourceType": "Patient", "id": format!("p{number}"), "gender": "male"});
        let device = |number: i64| json!({"resourceType": "Device", "id": format!("d{number}"), "patient": subject(number)});
        let one = written(&indexer, 1, &patient(0));
        let patients = (0..5_001).map(|number| {
            let patient = id(&format!("p{number}"));
            let key = InstanceKey { part: Part::of_patient(&patient), rid: number + 1 };
            Write { id: patient, key, ..one.clone() }
        });
        let first = written(&indexer, 1, &device(0));
        let devices = (0..5_001).map(|number| Write {
            id: id(&format!("d{number}")),
            key: InstanceKey { part: first.key.part, rid: number + 10_000 },
            ..first.clone()
        });
        bed.committed(patients.chain(devices).collect()).await;
        assert_eq!(found(bed, &everything(), "Device?patient.gender=male").await, Err(Kind::TooCostly));
        assert_eq!(found(bed, &everything(), "Device?_id=d7&patient.gender=male").await.unwrap(), ["d7"]);
        assert_eq!(found(bed, &everything(), "Device?patient._id=p3&patient.gender=male").await, Ok(Vec::new()));
    }
}
