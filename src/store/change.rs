//! A unit of work as plain data: everything one transaction writes, and what must still be true when it does.

use bytes::Bytes;

use crate::audit::AuditRecord;
use crate::fhir::{InstanceId, InstanceKey, Instant, ResourceType, VersionId};
use crate::search::index::IndexEntries;

/// What is written together or not at all.
#[derive(Clone, Debug, Default)]
pub struct Change {
    /// New versions; no two of one instance.
    pub writes: Vec<Write>,
    /// Journal records that must be durable with them.
    pub audit: Vec<AuditRecord>,
}

/// One new version of one instance.
#[derive(Clone, Debug)]
pub struct Write {
    /// Its type.
    pub kind: ResourceType,
    /// Its logical id.
    pub id: InstanceId,
    /// Where it rests from now on.
    pub key: InstanceKey,
    /// What must be found there.
    pub expected: Expected,
    /// The number of the new version.
    pub version: VersionId,
    /// When it was made; shown as `meta.lastUpdated`.
    pub updated: Instant,
    /// The interaction that made it, as history shows it.
    pub method: Method,
    /// The bytes to be served; `None` for a deletion.
    pub body: Option<Bytes>,
    /// What it is found by; empty for a deletion.
    pub index: IndexEntries,
}

/// What a write expects of the instance it replaces.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expected {
    /// That there is none and never was.
    Nothing,
    /// That its current version is this one and rests at this place (elsewhere than the write's own key: the instance moves).
    Version(VersionId, InstanceKey),
}

/// `Bundle.entry.request.method` of a version.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs, reason = "each variant is the HTTP verb")]
pub enum Method {
    Post,
    Put,
    Patch,
    Delete,
}

impl Method {
    const ALL: [Self; 4] = [Self::Post, Self::Put, Self::Patch, Self::Delete];

    /// The number the store keeps for this method.
    pub(super) const fn code(self) -> i16 {
        self as i16
    }

    /// The method whose number is `code`, if there is one.
    pub(super) fn from_code(code: i16) -> Option<Self> {
        Self::ALL.into_iter().find(|method| method.code() == code)
    }

    /// The HTTP verb.
    pub const fn verb(self) -> &'static str {
        match self {
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Patch => "PATCH",
            Self::Delete => "DELETE",
        }
    }
}
