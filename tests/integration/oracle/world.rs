//! The resources there are, and how they come, change and go.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::chance::Chance;
use super::made::{resource, without_nothing};
use crate::support::server::Server;

pub(super) const KINDS: &[&str] = &[
    "Patient",
    "Observation",
    "Observation",
    "Encounter",
    "DocumentReference",
    "List",
    "Organization",
    "RiskAssessment",
    "ValueSet",
    "Location",
    "ServiceRequest",
    "Condition",
    "Invoice",
    "MolecularSequence",
];

/// Type and id.
type Name = (String, String);

/// What is current, and what was.
#[derive(Default)]
pub(super) struct World {
    resources: BTreeMap<Name, Value>,
    versions: BTreeMap<(Name, String), Value>,
}

impl World {
    pub(super) fn of_kind<'w>(&'w self, kind: &'w str) -> impl Iterator<Item = &'w Value> {
        self.resources.iter().filter(move |((of, _), _)| of == kind).map(|(_, resource)| resource)
    }

    pub(super) fn all(&self) -> impl Iterator<Item = &Value> {
        self.resources.values()
    }

    /// What a reference points at here, whatever version it names.
    pub(super) fn target(&self, reference: &str) -> Option<&Value> {
        let (kind, id) = reference.split_once('/')?;
        let id = id.split_once('/').map_or(id, |(id, _)| id);
        self.resources.get(&(kind.to_owned(), id.to_owned()))
    }

    /// The version a reference names, or the current one.
    pub(super) fn exact_target(&self, reference: &str) -> Option<&Value> {
        let Some((instance, version)) = reference.split_once("/_history/") else { return self.target(reference) };
        let (kind, id) = instance.split_once('/')?;
        self.versions.get(&((kind.to_owned(), id.to_owned()), version.to_owned()))
    }

    /// One resource comes, changes or goes.
    pub(super) fn change(&mut self, chance: &mut Chance, server: &Server) {
        let (kind, id) = (chance.of(KINDS), chance.id());
        let place = format!("/{kind}/{id}");
        let name = (kind.to_owned(), id.clone());
        if chance.one_in(8) {
            assert_eq!(server.delete(&place).status, 204, "{place}");
            self.resources.remove(&name);
            return;
        }
        let mut resource = resource(chance, kind);
        resource["resourceType"] = json!(kind);
        resource["id"] = json!(id);
        let resource = without_nothing(resource);
        let answer = server.put(&place, &resource);
        if answer.status == 422 {
            // Values that chance put together may break a rule of the type.
            return;
        }
        assert!(matches!(answer.status, 200 | 201), "{resource}: {}", String::from_utf8_lossy(&answer.body));
        // Tags of the version before stay: what the server keeps is what it searches.
        let kept = answer.json();
        let version = kept["meta"]["versionId"].as_str().unwrap().to_owned();
        self.versions.insert((name.clone(), version), kept.clone());
        self.resources.insert(name, kept);
    }
}
