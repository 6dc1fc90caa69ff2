//! What an entry's instance is called: known at once for an update, decided by the server for a create.

use crate::fhir::{InstanceId, InstanceKey, ResourceType, VersionId};
use crate::store::Stored;

/// The instance and version an entry makes.
#[derive(Clone, Debug)]
pub(super) struct Assignment {
    /// Its type.
    pub(super) kind: ResourceType,
    /// Its logical id.
    pub(super) id: InstanceId,
    /// The version that this transaction makes.
    pub(super) version: VersionId,
    /// Where a new instance will rest; `None` for one the client named.
    pub(super) key: Option<InstanceKey>,
}

impl Assignment {
    /// A new instance at `key`.
    pub(super) fn new(kind: ResourceType, key: InstanceKey) -> Self {
        Self { kind, id: key.id(), version: VersionId::FIRST, key: Some(key) }
    }

    /// What is there already, and stays as it is.
    pub(super) fn there(stored: &Stored) -> Self {
        Self { kind: stored.kind, id: stored.id.clone(), version: stored.version, key: None }
    }

    /// The relative URL of the instance, or of the version.
    pub(super) fn url(&self, is_versioned: bool) -> String {
        if is_versioned {
            format!("{}/{}/_history/{}", self.kind, self.id, self.version)
        } else {
            format!("{}/{}", self.kind, self.id)
        }
    }
}
