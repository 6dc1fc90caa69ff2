//! What every write has in common, alone or as an entry of a Bundle: where the instance will rest, the bytes that will be
//! served, what it will be found by.

use bytes::Bytes;

use super::cut::{Cut, Cuts};
use super::response::{Applied, Body, Location};
use super::{Engine, Response, Return, Status};
use crate::fhir::json::{Node, Stamp, Tree, stamped};
use crate::fhir::{InstanceId, InstanceKey, Instant, Part, ResourceType, VersionId};
use crate::outcome::{Failure, Issue, IssueCode, Outcome, operation_outcome};
use crate::search::index::{Epoch, IndexEntries};
use crate::store::change::{Expected, Method, Write};
use crate::store::{Naming, Staged, Stored, Text};

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

    /// An instance that is there and stays where it is.
    pub(super) fn of(stored: &'a Stored) -> Self {
        Self { kind: stored.kind, id: stored.id.clone(), key: stored.key, latest: Some(stored) }
    }

    /// An instance the client named, which belongs to `part`. It stays where it is, unless that is another dossier: then it moves.
    pub(super) fn named(engine: &Engine, (kind, id): (ResourceType, InstanceId), part: Part, latest: Option<&'a Stored>) -> Self {
        let key = match latest {
            Some(stored) if stored.key.part == part => stored.key,
            Some(_) | None => engine.context.new_key(part),
        };
        Self { kind, id, key, latest }
    }

    /// Where an instance the client named belongs. A Binary or Provenance that does not say whose it is stays where it is.
    pub(super) fn part(
        engine: &Engine,
        (kind, id): (ResourceType, &InstanceId),
        tree: &Tree<'_>,
        latest: Option<&Stored>,
    ) -> Part {
        match (kind, latest) {
            (ResourceType::Patient, Some(stored)) => stored.key.part,
            (ResourceType::Patient, None) => Part::of_patient(id),
            (ResourceType::Binary | ResourceType::Provenance, Some(stored)) => {
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

/// The version that `write` would repeat word for word, so that it need not be written (V-09).
///
/// # Errors
/// A version that cannot be shown: a bug.
pub(super) fn repeated<'s>(write: &Write, latest: Option<&'s Stored>) -> Outcome<Option<&'s Stored>> {
    let Some(stored) = latest.filter(|stored| stored.key == write.key) else { return Ok(None) };
    let (Some(new), Some(old)) = (write.text()?, stored.text()?) else { return Ok(None) };
    let new = said_by_its_author(&new, write.kind, &Stamp { id: &write.id, version: write.version, updated: write.updated });
    let old = said_by_its_author(&old, write.kind, &Stamp { id: &stored.id, version: stored.version, updated: stored.updated });
    Ok((old.is_some() && old == new).then_some(stored))
}

/// What a text says besides what the server stamps on it; `None` where it is not stamped as usual.
fn said_by_its_author(text: &Text, kind: ResourceType, stamp: &Stamp<'_>) -> Option<Text> {
    let opening = stamp.opening(kind);
    text.json().starts_with(opening.as_bytes()).then(|| text.piece(opening.len()..text.json().len()))
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
    pub(super) fn of(write: &Write, status: Status, prefer: (Option<Return>, Return)) -> Outcome<Self> {
        let location = Location { kind: write.kind, id: write.id.clone(), version: write.version };
        let said = if status == Status::Created { CREATED } else { UPDATED };
        let body = body_of(prefer, || write.text(), said)?;
        Ok(Self::new((status, location, write.updated), body, prefer))
    }

    /// Of an update that left `stored` as it is, because it says the same.
    ///
    /// # Errors
    /// A version that cannot be shown: a bug.
    pub(super) fn standing(stored: &Stored, prefer: (Option<Return>, Return)) -> Outcome<Self> {
        Self::found(stored, prefer, UNCHANGED)
    }

    /// Of a create that made nothing, because `stored` is there already.
    ///
    /// # Errors
    /// A version that cannot be shown: a bug.
    pub(super) fn there(stored: &Stored, prefer: (Option<Return>, Return)) -> Outcome<Self> {
        Self::found(stored, prefer, THERE)
    }

    fn found(stored: &Stored, prefer: (Option<Return>, Return), said: &str) -> Outcome<Self> {
        let location = Location { kind: stored.kind, id: stored.id.clone(), version: stored.version };
        let body = body_of(prefer, || stored.text(), said)?;
        Ok(Self::new((Status::Ok, location, stored.updated), body, prefer))
    }

    fn new((status, location, updated): (Status, Location, Instant), body: Body, prefer: (Option<Return>, Return)) -> Self {
        let (asked, otherwise) = prefer;
        let (returns, is_asked) = (asked.unwrap_or(otherwise), asked.is_some());
        Self { status, location, updated, body, returns, is_asked }
    }

    /// The answer, once the change is durable.
    pub(super) fn response(self) -> Response {
        let version = self.location.version;
        Response {
            status: self.status,
            body: self.body,
            location: Some(self.location),
            applied: Applied { returns: self.is_asked.then_some(self.returns), handling: None, is_later: false },
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

const CREATED: &str = "the instance was created";
const UPDATED: &str = "the instance was updated";
const THERE: &str = "an instance that fulfils the criteria is there already; none was created";
const UNCHANGED: &str = "the current version says the same; none was made";

/// What is sent back of a version: what is asked for, or the other.
fn body_of(
    (asked, otherwise): (Option<Return>, Return),
    text: impl FnOnce() -> Outcome<Option<Text>>,
    said: &str,
) -> Outcome<Body> {
    Ok(match asked.unwrap_or(otherwise) {
        Return::Minimal => Body::Empty,
        Return::Representation => text()?.map_or(Body::Empty, Body::Resource),
        Return::OperationOutcome => {
            let issue = Issue::information(IssueCode::Informational, said);
            Body::Resource(Bytes::from(operation_outcome(&[issue]).to_string()).into())
        }
    })
}
