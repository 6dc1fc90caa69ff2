//! Content on its way in: summed while it comes, and lying among the objects under a passing name as soon as it is longer than a few
//! chunks, so that memory stays flat however long it is.

use std::fmt;
use std::mem;
use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use object_store::path::Path;
use object_store::{MultipartUpload, PutPayload};
use tokio::runtime::Handle;

use super::objects::{Name, Objects, away};
use super::sum::{CHUNK_BYTES, Sum, Summing};
use super::text::{Form, Hole};
use crate::fhir::Part;
use crate::outcome::{Failure, Outcome};

/// Content that is being received.
#[derive(Default)]
pub struct Incoming {
    objects: Option<Objects>,
    summing: Summing,
    /// The chunk that is coming.
    chunk: BytesMut,
    /// Those that came and are not on their way yet.
    waiting: Vec<Bytes>,
    lodging: Option<(Lodging, Box<dyn MultipartUpload>)>,
}

/// Content that was received and is not named yet. What becomes of none of them is removed.
#[derive(Clone)]
pub struct Staged {
    sum: Arc<Sum>,
    data: Data,
}

#[derive(Clone)]
enum Data {
    Memory(PutPayload),
    Object(Arc<Lodging>),
}

/// An object under a passing name, removed when nobody needs it any more.
struct Lodging {
    objects: Objects,
    path: Path,
}

impl Incoming {
    /// How many bytes came so far.
    pub fn size(&self) -> u64 {
        self.summing.size() + self.chunk.len() as u64
    }

    /// Whether it will need a place outside memory with `more` bytes, and has none.
    pub(super) fn needs_place(&self, more: usize) -> bool {
        self.objects.is_none() && self.chunk.len() + more >= CHUNK_BYTES
    }

    /// Gives it a place outside memory.
    pub(super) fn place(&mut self, objects: Objects) {
        self.objects = Some(objects);
    }

    /// Takes what comes next.
    pub(super) async fn take(&mut self, mut bytes: Bytes) -> Outcome<()> {
        while !bytes.is_empty() {
            let now = bytes.split_to(bytes.len().min(CHUNK_BYTES - self.chunk.len()));
            self.chunk.extend_from_slice(&now);
            if self.chunk.len() == CHUNK_BYTES {
                self.end_chunk().await?;
                self.chunk.reserve(CHUNK_BYTES);
                self.send_part().await?;
            }
        }
        Ok(())
    }

    /// What came, if it is all there and at most `bytes` long; for content that stays where it is.
    pub fn short(&mut self, bytes: usize) -> Option<Bytes> {
        (self.size() == self.chunk.len() as u64 && self.chunk.len() <= bytes).then(|| mem::take(&mut self.chunk).freeze())
    }

    /// The end of it.
    ///
    /// # Errors
    /// The place of the contents is away.
    pub async fn finish(mut self) -> Outcome<Staged> {
        self.end_chunk().await?;
        let waiting = PutPayload::from_iter(mem::take(&mut self.waiting));
        let sum = Arc::new(mem::take(&mut self.summing).finish());
        let Some((lodging, mut upload)) = self.lodging.take() else {
            return Ok(Staged { sum, data: Data::Memory(waiting) });
        };
        if waiting.content_length() > 0 {
            upload.put_part(waiting).await.map_err(away)?;
        }
        upload.complete().await.map_err(away)?;
        Ok(Staged { sum, data: Data::Object(Arc::new(lodging)) })
    }

    async fn end_chunk(&mut self) -> Outcome<()> {
        let bytes = self.chunk.split().freeze();
        if !bytes.is_empty() {
            self.summing = summed(mem::take(&mut self.summing), bytes.clone()).await?;
            self.waiting.push(bytes);
        }
        Ok(())
    }

    /// Sends the chunks that wait on their way, if they are enough for a part.
    async fn send_part(&mut self) -> Outcome<()> {
        let objects = self.objects.as_ref().ok_or_else(|| Failure::fault("content without a place"))?;
        if self.waiting.len() < objects.part_chunks() {
            return Ok(());
        }
        if self.lodging.is_none() {
            let (path, upload) = objects.receive().await?;
            self.lodging = Some((Lodging { objects: objects.clone(), path }, upload));
        }
        let part = PutPayload::from_iter(mem::take(&mut self.waiting));
        match &mut self.lodging {
            Some((_, upload)) => upload.put_part(part).await.map_err(away),
            None => Ok(()),
        }
    }
}

/// Sums on a thread that may be busy for a while.
async fn summed(mut summing: Summing, bytes: Bytes) -> Outcome<Summing> {
    let work = move || {
        summing.add(&bytes);
        summing
    };
    tokio::task::spawn_blocking(work).await.map_err(Failure::fault)
}

impl Drop for Incoming {
    fn drop(&mut self) {
        if let (Some((_, mut upload)), Ok(runtime)) = (self.lodging.take(), Handle::try_current()) {
            // Should it fail, the sweep finds what is left of it.
            runtime.spawn(async move { upload.abort().await });
        }
    }
}

impl fmt::Debug for Incoming {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Incoming").field("size", &self.size()).finish_non_exhaustive()
    }
}

impl Drop for Lodging {
    fn drop(&mut self) {
        if let Ok(runtime) = Handle::try_current() {
            let (objects, path) = (self.objects.clone(), mem::take(&mut self.path));
            // Should it fail, the sweep finds it.
            runtime.spawn(async move { objects.remove_at(&path).await });
        }
    }
}

impl Staged {
    /// Bytes that are all there.
    pub fn of(bytes: Bytes) -> Self {
        Self { sum: Arc::new(Sum::of(&bytes)), data: Data::Memory(bytes.into()) }
    }

    /// The hole at `at` that it fills in a text of the dossier `part`.
    pub fn hole(&self, at: usize, form: Form, part: Part) -> Hole {
        Hole { at, part, digest: self.sum.digest, size: self.sum.size, form }
    }

    pub(super) fn sum(&self) -> &Arc<Sum> {
        &self.sum
    }

    /// Puts it among `objects` under `name`.
    pub(super) async fn settle(&self, objects: &Objects, name: Name) -> Outcome<()> {
        match &self.data {
            Data::Memory(bytes) => objects.put(name, bytes.clone()).await,
            Data::Object(lodging) => objects.settle(&lodging.path, name).await,
        }
    }
}

impl fmt::Debug for Staged {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Staged").field("digest", &self.sum.digest).field("size", &self.sum.size).finish_non_exhaustive()
    }
}
