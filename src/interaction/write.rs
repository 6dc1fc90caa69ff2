//! What every write has in common, alone or as an entry of a Bundle: where the instance will rest, the bytes that will be
//! served, what it will be found by.

use bytes::Bytes;

use super::cut::{Cut, Cuts};
use super::response::{Body, Location};
use super::{Engine, Response, Return, Status};
use crate::fhir::json::{Node, Stamp, Tree, stamped};
use crate::fhir::{InstanceId, InstanceKey, Instant, Part, ResourceType, VersionId};
use crate::outcome::{Failure, Issue, IssueCode, Outcome, operation_outcome};
use crate::search::index::{Epoch, IndexEntries};
use crate::store::change::{Expected, Method, Write};
use crate::store::{Naming, Staged, Stored};

/// An instance that is to get a new version.
#[derive(Clone, Debug)]
pub(super) struct Target<'a> {
    /// Its type.
    pub(super) kind: ResourceType,
    /// Its logical id.
    pub(super) id: InstanceId,
    /// Where it will rest.
    pub(super) key: InstanceKey,
    /// The last version there is, deletions included.
    pub(super) latest: Option<&'a Stored>,
}

impl<'a> Target<'a> {
    /// A new instance with an id of the server's: a Patient opens a dossier, everything else goes where it belongs.
    pub(super) fn new(engine: &Engine, kind: ResourceType, tree: &Tree<'_>) -> Self {
        let part = match kind {
            ResourceType::Patient => engine.context.new_part(),
            _ => engine.indexer().part(kind, tree),
        };
        let key = engine.context.new_key(part);
        Self { kind, id: key.id(), key, latest: None }
    }

    /// An instance the client named, which belongs to `part`. It stays where it is, unless that is another dossier: then it moves.
    pub(super) fn named(engine: &Engine, (kind, id): (ResourceType, InstanceId), part: Part, latest: Option<&'a Stored>) -> Self {
        let key = match latest {
            Some(stored) if stored.key.part == part => stored.key,
            Some(_) | None => engine.context.new_key(part),
        };
        Self { kind, id, key, latest }
    }

    /// Where an instance the client named belongs. A Binary that does not say whose it is stays where it is.
    pub(super) fn part(
        engine: &Engine,
        (kind, id): (ResourceType, &InstanceId),
        tree: &Tree<'_>,
        latest: Option<&Stored>,
    ) -> Part {
        match (kind, latest) {
            (ResourceType::Patient, Some(stored)) => stored.key.part,
            (ResourceType::Patient, None) => Part::of_patient(id),
            (ResourceType::Binary, Some(stored)) => {
                Some(engine.indexer().part(kind, tree)).filter(|part| *part != Part::DIRECTORY).unwrap_or(stored.key.part)
            }
            _ => engine.indexer().part(kind, tree),
        }
    }

    /// The number of the version that follows `latest`.
    pub(super) fn next_version(latest: Option<&Stored>) -> VersionId {
        latest.map_or(VersionId::FIRST, |stored| stored.version.next())
    }

    /// What the write answers: there is a current version, or it makes one.
    pub(super) fn status(&self) -> Status {
        if self.latest.is_some_and(|stored| stored.body.is_some()) { Status::Ok } else { Status::Created }
    }
    fn expected(&self) -> Expected {
        self.latest.map_or(Expected::Nothing, |stored| Expected::Version(stored.version, stored.key))
    }

    fn moment(&self, engine: &Engine) -> Instant {
        match self.latest {
            Some(stored) => engine.context.moment_after(stored.updated),
            None => engine.context.moment(),
        }
    }

    /// The version that holds the resource of `tree` as it is, but for `staged`, which is the data of a Binary.
    ///
    /// # Errors
    /// A resource that cannot be indexed: a bug.
    pub(super) fn filled(self, engine: &Engine, tree: &Tree<'_>, method: Method, staged: Option<&Staged>) -> Outcome<Write> {
        let indexer = engine.indexer();
        let index = indexer.entries(self.kind, tree)?;
        let (version, updated) = (self.version(), self.moment(engine));
        let cuts = Cuts::of(tree, engine.store.inline_bytes(), staged);
        let marked = stamped(tree.root(), &Stamp { id: &self.id, version, updated }, &|node| cuts.mark(node));
        let cut = cuts.cut(marked, self.key.part);
        Ok(self.write((version, updated, method), Some(cut), (index, indexer.epoch())))
    }

    /// The version that holds the resource of `tree` with `replace` applied.
    ///
    /// # Errors
    /// As [`filled`](Self::filled).
    pub(super) fn rewritten(
        self,
        engine: &Engine,
        tree: &Tree<'_>,
        method: Method,
        replace: &dyn Fn(Node<'_>) -> Option<String>,
    ) -> Outcome<Write> {
        let (version, updated) = (self.version(), self.moment(engine));
        let cuts = Cuts::of(tree, engine.store.inline_bytes(), None);
        let replaced = |node: Node<'_>| cuts.mark(node).or_else(|| replace(node));
        let marked = stamped(tree.root(), &Stamp { id: &self.id, version, updated }, &replaced);
        let cut = cuts.cut(marked, self.key.part);
        let indexer = engine.indexer();
        let index = indexer.entries(self.kind, &Tree::parse(cut.text.json()).map_err(Failure::fault)?)?;
        Ok(self.write((version, updated, method), Some(cut), (index, indexer.epoch())))
    }

    fn version(&self) -> VersionId {
        Self::next_version(self.latest)
    }

    fn write(
        self,
        (version, updated, method): (VersionId, Instant, Method),
        cut: Option<Cut>,
        (index, epoch): (IndexEntries, Epoch),
    ) -> Write {
        let expected = self.expected();
        let (body, content) = match cut {
            Some(cut) => (Some(cut.text.into_stored()), cut.content),
            None => (None, Naming::default()),
        };
        Write { expected, kind: self.kind, id: self.id, key: self.key, version, updated, method, body, content, index, epoch }
    }

    /// The version that says that the instance is deleted.
    pub(super) fn emptied(self, engine: &Engine) -> Write {
        let stamp = (self.version(), self.moment(engine), Method::Delete);
        self.write(stamp, None, (IndexEntries::default(), Epoch::default()))
    }
}

/// What a write that is done answers with.
#[derive(Debug)]
pub(super) struct Receipt {
    status: Status,
    location: Location,
    updated: Instant,
    body: Body,
    returns: Return,
    is_asked: bool,
}

impl Receipt {
    /// Made before `write` is given away; what it answers is what is asked for, or the other.
    ///
    /// # Errors
    /// A write that cannot be shown: a bug.
    pub(super) fn of(write: &Write, status: Status, (asked, otherwise): (Option<Return>, Return)) -> Outcome<Self> {
        let returns = asked.unwrap_or(otherwise);
        let location = Location { kind: write.kind, id: write.id.clone(), version: write.version };
        let body = match returns {
            Return::Minimal => Body::Empty,
            Return::Representation => write.text()?.map_or(Body::Empty, Body::Resource),
            Return::OperationOutcome => Body::Resource(said(status).into()),
        };
        Ok(Self { status, location, updated: write.updated, body, returns, is_asked: asked.is_some() })
    }

    /// The answer, once the write is durable.
    pub(super) fn response(self) -> Response {
        let version = self.location.version;
        Response {
            status: self.status,
            body: self.body,
            location: Some(self.location),
            applied: self.is_asked.then_some(self.returns),
            is_journaled: true,
            ..Response::empty(self.status).about(version, self.updated)
        }
    }
}

/// What a write of `kind` answers with where nobody asks: the resource, except a Binary, which may be large.
pub(super) fn customary(kind: ResourceType) -> Return {
    match kind {
        ResourceType::Binary => Return::Minimal,
        _ => Return::Representation,
    }
}

/// The OperationOutcome of a write that was done.
fn said(status: Status) -> Bytes {
    let diagnostics = match status {
        Status::Created => "the instance was created",
        Status::Ok | Status::NoContent | Status::NotModified => "the instance was updated",
    };
    Bytes::from(operation_outcome(&[Issue::information(IssueCode::Informational, diagnostics)]).to_string())
}
