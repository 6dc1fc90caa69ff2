//! A store to try, and changes to try it with.

use std::pin::Pin;
use std::sync::atomic::{AtomicU32, Ordering};

use tempfile::TempDir;

use crate::audit::AuditRecord;
use crate::config::{ContentPlace, ContentSettings, Limits, StoreSettings};
use crate::dossier::Access;
use crate::fhir::{InstanceId, InstanceKey, Instant, Part, ResourceType, VersionId};
use crate::search::index::{Epoch, IndexEntries};
use crate::store::change::{Change, Expected, Method, Write};
use crate::store::connection::{Connection, Source};
use crate::store::dialect::{Dialect, Use};
use crate::store::row::Columns;
use crate::store::statement::Statement;
use crate::store::{CommitFailure, Naming, Store, Stored, Stretch, Whose};

/// A store in a place of its own, thrown away at the end.
pub(super) struct Bed {
    pub(super) store: Store,
    pub(super) settings: StoreSettings,
    contents: TempDir,
    place: Place,
}

/// What is thrown away with the bed.
enum Place {
    Folder { _folder: TempDir },
    Schema(String),
}

/// The server of PostgreSQL that the tests may use, with a user who may make schemas.
const SERVER: &str = "CARNET_TEST_POSTGRES";

pub(super) const KIND: ResourceType = ResourceType::Observation;
pub(super) const DOSSIER: Part = Part(4_711);

impl Bed {
    pub(super) fn sqlite() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let settings = StoreSettings::Sqlite { path: folder.path().join("deep/er/carnet.sqlite") };
        Self::at(settings, Place::Folder { _folder: folder })
    }

    pub(super) fn postgres() -> Self {
        let (settings, name) = empty_schema();
        Self::at(settings, Place::Schema(name))
    }

    fn at(settings: StoreSettings, place: Place) -> Self {
        let contents = tempfile::tempdir().unwrap();
        Self { store: opened(&settings, &contents), settings, contents, place }
    }

    /// The same store, opened by another server.
    pub(super) fn reopened(&self) -> Store {
        opened(&self.settings, &self.contents)
    }

    /// Where contents rest.
    pub(super) fn contents(&self) -> &std::path::Path {
        self.contents.path()
    }

    /// A connection of its own to the database of the store.
    pub(super) fn connection(&self, purpose: Use) -> Connection {
        Source::of(&self.settings, &limits()).connect(purpose).unwrap()
    }

    /// The numbers and entries of the journal of a dossier, as a second reader of the database finds them: back from its head.
    pub(super) fn journal(&self, part: Part) -> Vec<(i64, String)> {
        let mut connection = self.connection(Use::Reading);
        let head = Statement::new("SELECT seq, recorded FROM audit_head WHERE part = ?").bind(part.0);
        let head = connection.first(&head, |row| Ok((row.bigint(0)?, Some(row.bigint(1)?)))).unwrap();
        let (mut seq, mut recorded) = head.unwrap_or((0, None));
        let mut records = Vec::new();
        while let Some(moment) = recorded {
            let text = "SELECT entry, preceding FROM audit WHERE recorded = ? AND part = ? AND seq = ?";
            let statement = Statement::new(text).bind(moment).bind(part.0).bind(seq);
            let row = |row: &dyn Columns| Ok((row.optional_binary(0)?.unwrap(), row.optional_bigint(1)?));
            let (entry, preceding) = connection.first(&statement, row).unwrap().unwrap();
            records.push((seq, String::from_utf8(entry).unwrap()));
            (seq, recorded) = (seq - 1, preceding);
        }
        records.reverse();
        records
    }

    /// How many rows a table has.
    pub(super) fn rows(&self, count: &'static str) -> usize {
        self.connection(Use::Reading).first(&Statement::new(count), |row| row.bigint(0)).unwrap().unwrap() as usize
    }

    pub(super) async fn commit(&self, writes: Vec<Write>) -> Result<(), CommitFailure> {
        self.store.commit(&everything(), Change::new(writes, Vec::new())).await
    }

    /// Commits that all wait when this returns, however fast the writers are: none may write before.
    pub(super) async fn accepted(
        &self,
        changes: impl Iterator<Item = Vec<Write>>,
    ) -> Vec<Pin<Box<impl Future<Output = Result<(), CommitFailure>>>>> {
        let mut held = self.connection(Use::Writing);
        held.batch(match held.dialect() {
            Dialect::Sqlite => "BEGIN IMMEDIATE",
            Dialect::Postgres => "BEGIN; LOCK TABLE instance IN ACCESS EXCLUSIVE MODE",
        })
        .unwrap();
        let mut accepted: Vec<_> = changes.map(|writes| Box::pin(self.commit(writes))).collect();
        for commit in &mut accepted {
            assert!(waits(commit).await);
        }
        held.batch("COMMIT").unwrap();
        accepted
    }

    pub(super) async fn committed(&self, writes: Vec<Write>) {
        self.commit(writes).await.unwrap();
    }

    pub(super) async fn read(&self, id: &InstanceId) -> Option<Stored> {
        self.store.read(&everything(), KIND, id).await.unwrap()
    }

    /// The versions in the history of an instance, newest first.
    pub(super) async fn versions(&self, id: &InstanceId) -> Vec<i64> {
        let history = self.store.history(&everything(), Whose::from((KIND, id.clone())), newest(100)).await.unwrap();
        history.found.iter().map(|stored| stored.version.0).collect()
    }
}

impl Drop for Bed {
    fn drop(&mut self) {
        self.store.close();
        match &self.place {
            Place::Folder { .. } => {}
            Place::Schema(name) => server().batch(&format!("DROP SCHEMA {name} CASCADE")).unwrap(),
        }
    }
}

fn opened(settings: &StoreSettings, contents: &TempDir) -> Store {
    let place = ContentPlace::Folder(contents.path().to_owned());
    Store::open(settings, &limits()).unwrap().with_content(place, &ContentSettings::default())
}

/// The name of a schema of PostgreSQL that nobody else uses, and the settings that lead there.
pub(super) fn empty_schema() -> (StoreSettings, String) {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let name = format!("store_{}_{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
    server().batch(&format!("DROP SCHEMA IF EXISTS {name} CASCADE; CREATE SCHEMA {name}")).unwrap();
    let url = server_url();
    let separator = if url.contains('?') { '&' } else { '?' };
    (format!("{url}{separator}options=-csearch_path%3D{name}").parse().unwrap(), name)
}

fn server() -> Connection {
    Source::of(&server_url().parse().unwrap(), &limits()).connect(Use::Migrating).unwrap()
}

#[allow(clippy::disallowed_methods, reason = "tests are told by their environment")]
fn server_url() -> String {
    std::env::var(SERVER).unwrap_or_else(|_| panic!("{SERVER} must name a server: postgres://USER@HOST/DATABASE"))
}

/// The newest versions of a history.
pub(super) fn newest(count: u32) -> Stretch {
    Stretch { count, since: None, at: None, after: None, backward: false }
}

pub(super) fn limits() -> Limits {
    Limits { reader_threads: 2, ..Limits::default() }
}

pub(super) fn everything() -> Access {
    Access::to_everything()
}

pub(super) fn id(text: &str) -> InstanceId {
    text.parse().unwrap()
}

pub(super) fn key(rid: i64) -> InstanceKey {
    InstanceKey { part: DOSSIER, rid }
}

/// A creation with a server-assigned id.
pub(super) fn creation(key: InstanceKey) -> Write {
    Write {
        kind: KIND,
        id: key.id(),
        key,
        expected: Expected::Nothing,
        version: VersionId::FIRST,
        updated: Instant::from_micros(1_000 + key.rid),
        method: Method::Post,
        body: Some(format!("{}/1", key.rid).into_bytes().into()),
        index: IndexEntries::default(),
        content: Naming::default(),
        epoch: Epoch::default(),
    }
}

/// A creation with an id that a client chose.
pub(super) fn named_creation(name: &str, key: InstanceKey) -> Write {
    Write { id: id(name), method: Method::Put, ..creation(key) }
}

/// The version that follows `write`.
pub(super) fn update(write: &Write) -> Write {
    let version = write.version.next();
    Write {
        expected: Expected::Version(write.version, write.key),
        version,
        updated: Instant::from_micros(write.updated.micros() + 1_000_000),
        method: Method::Put,
        body: Some(format!("{}/{version}", write.key.rid).into_bytes().into()),
        ..write.clone()
    }
}

/// The deletion that follows `write`.
pub(super) fn deletion(write: &Write) -> Write {
    Write { method: Method::Delete, body: None, index: IndexEntries::default(), ..update(write) }
}

pub(super) fn record(part: Part, entry: &str) -> AuditRecord {
    AuditRecord { part, recorded: Instant::from_micros(5), entry: entry.as_bytes().into() }
}

/// The index of the write that was stale.
pub(super) fn stale(answer: Result<(), CommitFailure>) -> usize {
    match answer {
        Err(CommitFailure::Stale(index)) => index,
        other => panic!("stale expected, got {other:?}"),
    }
}

pub(super) fn body(stored: &Stored) -> &str {
    std::str::from_utf8(stored.body.as_deref().unwrap()).unwrap()
}

/// Polls a request once, by which it is accepted; whether it waits for its answer.
pub(super) async fn waits<F: Future>(request: &mut std::pin::Pin<Box<F>>) -> bool {
    std::future::poll_fn(|context| std::task::Poll::Ready(request.as_mut().poll(context).is_pending())).await
}
