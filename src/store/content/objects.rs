//! The place where contents rest, as objects with names. An object under a final name is whole and on the disk, and never changes.

use std::fs;
use std::ops::Range;
use std::path::PathBuf;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::StreamExt as _;
use futures_util::stream::BoxStream;
use object_store::local::LocalFileSystem;
use object_store::path::Path;
use object_store::{
    Error, GetOptions, GetRange, MultipartUpload, ObjectMeta, ObjectStore, ObjectStoreExt as _, PutPayload, Result,
};

use super::bucket;
use super::text::Digest;
use crate::config::{ContentPlace, S3Settings};
use crate::fhir::{Instant, Part};
use crate::outcome::{Failure, Kind, Outcome};

/// Below this contents rest, a folder for each dossier: to erase a dossier is to erase its folder.
const DOSSIERS: &str = "dossiers";
/// Below this they lie as long as their digest is not known.
const INCOMING: &str = "incoming";
/// This object says whose contents they are.
const OWNER: &str = "owner";
/// How many chunks are a part where a part must have at least 5 MiB.
const BUCKET_PART_CHUNKS: usize = 7;
/// What stands in the name of a file while it is being written.
const BEING_WRITTEN: char = '#';
/// How many random bytes the name of an incoming object has.
const NAME_BYTES: usize = 16;

/// The name of an object. Its generation is part of it: a name that was swept is never used again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Name {
    pub(super) part: Part,
    pub(super) digest: Digest,
    pub(super) generation: i64,
}

impl std::fmt::Display for Name {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:016x}/{}", self.part.0, self.digest)?;
        if self.generation > 0 { write!(f, ".{}", self.generation) } else { Ok(()) }
    }
}

impl Name {
    /// Reads the two last segments of a path.
    pub(super) fn read(folder: &str, file: &str) -> Option<Self> {
        let (hex, generation) = file.split_once('.').map_or((file, "0"), |(hex, generation)| (hex, generation));
        let mut digest = [0; 32];
        for (byte, pair) in digest.iter_mut().zip(hex.as_bytes().chunks(2)) {
            *byte = u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?;
        }
        let part = Part(i64::from_str_radix(folder, 16).ok()?);
        let name = Self { part, digest: Digest(digest), generation: generation.parse().ok()? };
        (name.to_string() == format!("{folder}/{file}")).then_some(name)
    }
}

/// What was found below the place of all objects.
pub(super) enum Found {
    /// A content.
    Content(Name),
    /// What is, or was, on its way.
    Incoming,
    /// None of ours.
    Foreign,
}

/// The objects of one place.
#[derive(Clone, Debug)]
pub(super) struct Objects {
    store: Arc<dyn ObjectStore>,
    prefix: Path,
    /// The folder that they are files of, if they are.
    folder: Option<PathBuf>,
}

impl Objects {
    /// Those at `place`.
    pub(super) fn at(place: &ContentPlace, s3: &S3Settings) -> Outcome<Self> {
        match place {
            ContentPlace::Folder(folder) => {
                fs::create_dir_all(folder).map_err(away)?;
                let store = LocalFileSystem::new_with_prefix(folder).map_err(away)?.with_fsync(true);
                Ok(Self { store: Arc::new(store), prefix: Path::default(), folder: Some(folder.clone()) })
            }
            ContentPlace::Bucket { name, prefix } => {
                let store = bucket::bucket(name, s3).map_err(away)?;
                Ok(Self { store: Arc::new(store), prefix: Path::from(prefix.as_str()), folder: None })
            }
        }
    }

    /// Whose objects these are; `None`: nobody's yet.
    pub(super) async fn owner(&self) -> Outcome<Option<Bytes>> {
        match self.store.get(&self.path(OWNER)).await {
            Ok(found) => found.bytes().await.map(Some).map_err(away),
            Err(Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(away(error)),
        }
    }

    /// Says whose they are.
    pub(super) async fn claim(&self, owner: &str) -> Outcome<()> {
        let claimed = self.store.put(&self.path(OWNER), PutPayload::from(owner.to_owned())).await;
        claimed.map(drop).map_err(away)
    }

    /// Puts `bytes` under `name`; they are on the disk when this returns.
    pub(super) async fn put(&self, name: Name, bytes: PutPayload) -> Outcome<()> {
        self.store.put(&self.of(name), bytes).await.map(drop).map_err(away)
    }

    /// Puts the incoming object at `from` under `name`.
    pub(super) async fn settle(&self, from: &Path, name: Name) -> Outcome<()> {
        self.store.copy(from, &self.of(name)).await.map_err(away)
    }

    /// Copies an object.
    pub(super) async fn copy(&self, from: Name, to: Name) -> Outcome<()> {
        self.store.copy(&self.of(from), &self.of(to)).await.map_err(|error| unread(from, error))
    }

    /// How many chunks are a part of what is on its way.
    pub(super) const fn part_chunks(&self) -> usize {
        if self.folder.is_some() { 1 } else { BUCKET_PART_CHUNKS }
    }

    /// A place for content whose digest is not known yet, and the way there.
    pub(super) async fn receive(&self) -> Outcome<(Path, Box<dyn MultipartUpload>)> {
        let mut name = [0; NAME_BYTES];
        openssl::rand::rand_bytes(&mut name).map_err(Failure::fault)?;
        let path = self.path(INCOMING).join(format!("{:032x}", u128::from_le_bytes(name)));
        let upload = self.store.put_multipart(&path).await.map_err(away)?;
        Ok((path, upload))
    }

    /// Some bytes of an object that should have `size` in all.
    pub(super) async fn range(&self, name: Name, range: Range<u64>, size: u64) -> Outcome<Bytes> {
        let options = GetOptions { range: Some(GetRange::Bounded(range)), ..GetOptions::default() };
        let found = match self.store.get_opts(&self.of(name), options).await {
            Ok(found) => found,
            // A range that the object has not may be refused as if its place were away.
            Err(error) => return Err(self.shortened(name, size).await.unwrap_or_else(|| unread(name, error))),
        };
        if found.meta.size != size {
            return Err(shortened(name));
        }
        found.bytes().await.map_err(|error| unread(name, error))
    }

    /// Whether the object is there in that size.
    pub(super) async fn has(&self, name: Name, size: u64) -> Outcome<bool> {
        match self.store.head(&self.of(name)).await {
            Ok(meta) => Ok(meta.size == size),
            Err(Error::NotFound { .. }) => Ok(false),
            Err(error) => Err(away(error)),
        }
    }

    async fn shortened(&self, name: Name, size: u64) -> Option<Failure> {
        let meta = self.store.head(&self.of(name)).await.ok()?;
        (meta.size != size).then(|| shortened(name))
    }

    /// Removes what is at `path`; what is not there is removed already.
    pub(super) async fn remove_at(&self, path: &Path) -> Outcome<()> {
        match self.store.delete(path).await {
            Ok(()) | Err(Error::NotFound { .. }) => Ok(()),
            Err(error) => Err(away(error)),
        }
    }

    /// Everything there is.
    pub(super) fn all(&self) -> BoxStream<'_, Result<ObjectMeta>> {
        [DOSSIERS, INCOMING].map(|folder| self.store.list(Some(&self.path(folder)))).into_iter().collect::<Chain<'_>>().0
    }

    /// Removes files that were being written when a server died, last touched before `before`; how many. They are no objects yet.
    pub(super) async fn remove_torn(&self, before: Instant) -> Outcome<u64> {
        let Some(folder) = self.folder.clone() else { return Ok(0) };
        let work = move || {
            let torn: Vec<PathBuf> = [files_of(folder.join(INCOMING)), folders_of(folder.join(DOSSIERS))].concat();
            let torn = torn.into_iter().filter(|file| is_torn(file, before));
            torn.filter(|file| fs::remove_file(file).is_ok()).count() as u64
        };
        tokio::task::spawn_blocking(work).await.map_err(Failure::fault)
    }

    /// What the object at `path` is.
    pub(super) fn what(&self, path: &Path) -> Found {
        let mut parts = path.prefix_match(&self.prefix).into_iter().flatten();
        let parts = [parts.next(), parts.next(), parts.next(), parts.next()];
        match parts.each_ref().map(|part| part.as_ref().map(AsRef::as_ref)) {
            [Some(DOSSIERS), Some(folder), Some(file), None] => Name::read(folder, file).map_or(Found::Foreign, Found::Content),
            [Some(INCOMING), Some(_), None, None] => Found::Incoming,
            _ => Found::Foreign,
        }
    }

    fn path(&self, name: &str) -> Path {
        self.prefix.clone().join(name)
    }

    fn of(&self, name: Name) -> Path {
        let file = name.to_string();
        let (folder, file) = file.split_once('/').unwrap_or_default();
        self.path(DOSSIERS).join(folder).join(file)
    }
}

/// The files in the folders of `folder`.
fn folders_of(folder: PathBuf) -> Vec<PathBuf> {
    files_of(folder).into_iter().flat_map(files_of).collect()
}

/// What is in `folder`; nothing where it is none.
fn files_of(folder: PathBuf) -> Vec<PathBuf> {
    fs::read_dir(folder).into_iter().flatten().filter_map(|entry| Some(entry.ok()?.path())).collect()
}

/// Whether `file` has the name of one that is being written, and was not touched for long.
fn is_torn(file: &std::path::Path, before: Instant) -> bool {
    let is_passing = file.file_name().and_then(|name| name.to_str()).is_some_and(|name| name.contains(BEING_WRITTEN));
    let touched = || file.metadata().ok()?.modified().ok().map(chrono::DateTime::<chrono::Utc>::from);
    is_passing && touched().is_some_and(|touched| touched.timestamp_micros() < before.micros())
}

/// One stream after the other.
struct Chain<'s>(BoxStream<'s, Result<ObjectMeta>>);

impl<'s> FromIterator<BoxStream<'s, Result<ObjectMeta>>> for Chain<'s> {
    fn from_iter<I: IntoIterator<Item = BoxStream<'s, Result<ObjectMeta>>>>(streams: I) -> Self {
        let empty = futures_util::stream::empty().boxed();
        Self(streams.into_iter().fold(empty, |chain, stream| chain.chain(stream).boxed()))
    }
}

/// The place of the contents cannot be reached, or does not do its work.
pub(super) fn away(cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Failure {
    Failure::new(Kind::Unavailable, "the content store is not available; try again").because(cause)
}

/// An object is not what it was. The log is told which one.
pub(super) fn damaged(name: Name, what: &str) -> Failure {
    Failure::fault(format!("content {name} {what}"))
}

fn shortened(name: Name) -> Failure {
    damaged(name, "has another length than it had")
}

fn unread(name: Name, error: Error) -> Failure {
    match error {
        Error::NotFound { .. } => damaged(name, "is missing"),
        other => away(format!("content {name}: {other}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_read_as_it_is_written_and_no_other_way() {
        for generation in [0, 1, 12] {
            let name = Name { part: Part(0x7fff_0000_0000_0001), digest: Digest([0xab; 32]), generation };
            let text = name.to_string();
            let (folder, file) = text.split_once('/').unwrap();
            assert_eq!(Name::read(folder, file), Some(name));
            assert_eq!(Name::read(folder, &file.to_uppercase()), None);
        }
        let hex = "ab".repeat(32);
        let part = "0".repeat(16);
        for (folder, file) in
            [("", &*hex), (&*part, "ab"), (&part, &format!("{hex}.0")), (&part, &format!("{hex}.x")), ("0", &hex)]
        {
            assert_eq!(Name::read(folder, file), None, "{folder}/{file}");
        }
    }
}
