//! A unit of work as plain data: everything one transaction writes, and what must still be true when it does.

use std::borrow::Cow;

use bytes::Bytes;

pub use super::amend::Amendment;
use super::compression::compressed;
use super::content::{Naming, Retired, Text};
pub use super::premise::Premise;
use super::reindex::Step;
use super::task::TaskStep;
use crate::audit::AuditRecord;
use crate::fhir::{InstanceId, InstanceKey, Instant, ResourceType, VersionId};
use crate::outcome::Outcome;
use crate::search::index::{Epoch, IndexEntries};
use crate::search::vocabulary::VocabularyChange;

/// What is written together or not at all.
#[derive(Clone, Debug, Default)]
pub struct Change {
    /// New versions; no two of one instance.
    pub writes: Vec<Write>,
    /// Journal records that must be durable with them.
    pub audit: Vec<AuditRecord>,
    /// What it takes for granted beside what each write expects.
    pub(super) premises: Vec<Premise>,
    /// The name of a content that nobody may use any more; of a sweep alone.
    pub(super) retired: Option<Retired>,
    /// What becomes of the search parameters that the store defines itself.
    pub(super) vocabulary: Option<VocabularyChange>,
    /// A step of making the index anew; alone.
    pub(super) reindexing: Option<Step>,
    /// An older version that is to say something else; alone.
    pub(super) amendment: Option<Amendment>,
    /// What becomes of something that is answered later; alone.
    pub(super) task: Option<TaskStep>,
}

impl Change {
    /// What is written together, and the journal records of it.
    pub fn new(writes: Vec<Write>, audit: Vec<AuditRecord>) -> Self {
        Self { writes, audit, ..Self::default() }
    }

    /// The same, and what becomes of the search parameters that the store defines itself.
    #[must_use]
    pub fn redefining(self, vocabulary: Option<VocabularyChange>) -> Self {
        Self { vocabulary, ..self }
    }

    /// The same, as long as all of `premises` hold.
    #[must_use]
    pub fn given(self, premises: Vec<Premise>) -> Self {
        Self { premises, ..self }
    }

    /// That a name is given up.
    pub(super) fn retiring(name: Retired) -> Self {
        Self { retired: Some(name), ..Self::default() }
    }

    /// A step of making the index anew.
    pub(super) fn reindexing(step: Step) -> Self {
        Self { reindexing: Some(step), ..Self::default() }
    }

    /// That an older version is to say something else, and the journal records of it.
    pub fn amending(amendment: Amendment, audit: Vec<AuditRecord>) -> Self {
        Self { audit, amendment: Some(amendment), ..Self::default() }
    }

    /// What becomes of something that is answered later.
    pub(super) fn of_task(step: TaskStep) -> Self {
        Self { task: Some(step), ..Self::default() }
    }

    /// The epoch in which its entries were made, the earliest of several; `None`: it makes none.
    pub(super) fn epoch(&self) -> Option<Epoch> {
        let writes = self.writes.iter().filter(|write| write.body.is_some()).map(|write| write.epoch);
        let vocabulary = self.vocabulary.as_ref().map(|change| change.from);
        writes.chain(vocabulary).chain(self.reindexing.as_ref().and_then(|step| step.made_in)).min()
    }

    /// Whether it must be written by itself, whatever else waits.
    pub(super) fn stands_alone(&self) -> bool {
        self.vocabulary.is_some() || self.reindexing.is_some() || self.amendment.is_some() || self.task.is_some()
    }

    /// Whether it concerns content that rests outside the database.
    pub(super) fn concerns_content(&self) -> bool {
        self.retired.is_some() || self.writes.iter().any(|write| !write.content.is_empty())
    }

    /// Whether there is nothing to be written.
    pub(super) fn is_empty(&self) -> bool {
        self.writes.is_empty() && self.audit.is_empty() && self.retired.is_none() && !self.stands_alone()
    }
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
    /// The bytes under which it rests: those to be served, or a [`Text`] with holes; `None` for a deletion.
    pub body: Option<Bytes>,
    /// The contents that fill its holes.
    pub content: Naming,
    /// What it is found by; empty for a deletion.
    pub index: IndexEntries,
    /// In which state of the store's own search parameters that was made.
    pub epoch: Epoch,
}

impl Write {
    /// The JSON to be served, its holes still to be filled; `None` for a deletion.
    ///
    /// # Errors
    /// A body that is none: a bug.
    pub fn text(&self) -> Outcome<Option<Text>> {
        self.body.as_ref().map(|body| Text::at_rest(body, self.key.part)).transpose()
    }

    /// The body as it is written to the database.
    pub(super) fn compressed(&self) -> Option<Cow<'_, [u8]>> {
        self.body.as_deref().map(|body| compressed(self.kind, body))
    }
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
