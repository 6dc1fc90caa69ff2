//! Content in a bucket of a server that speaks S3 and checks what is signed.

use std::net::SocketAddr;

use bytes::Bytes;
use futures_util::TryStreamExt as _;
use hyper::server::conn::http1;
use hyper_util::rt::TokioIo;
use s3s::auth::SimpleAuth;
use s3s::service::S3ServiceBuilder;
use tempfile::TempDir;
use tokio::net::TcpListener;

use super::bed::*;
use crate::config::{ContentPlace, ContentSettings, S3Settings};
use crate::fhir::Instant;
use crate::outcome::Kind;
use crate::store::change::{Change, Write};
use crate::store::{CommitFailure, Form, Incoming, Naming, Staged, Store, Swept, Text};

const EVER: Instant = Instant::from_micros(i64::MAX);
/// More than a part, less than two.
const LONG_BYTES: u32 = 6_000_000;

/// A server that keeps its buckets in a folder.
struct Buckets {
    address: SocketAddr,
    folder: TempDir,
}

impl Buckets {
    async fn start() -> Self {
        // As the program does when it starts; another test may have done it.
        let _ = rustls_openssl::default_provider().install_default();
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("documents")).unwrap();
        let mut builder = S3ServiceBuilder::new(s3s_fs::FileSystem::new(folder.path()).unwrap());
        builder.set_auth(SimpleAuth::from_single("carnet", "secret/key"));
        let service = builder.build().into_shared();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move {
            while let Ok((connection, _)) = listener.accept().await {
                tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(connection), service.clone()));
            }
        });
        Self { address, folder }
    }

    /// A store of its own in `folder` whose contents rest here.
    fn store(&self, folder: &TempDir, key: &str) -> Store {
        let s3 = S3Settings {
            endpoint: Some(format!("http://{}", self.address).parse().unwrap()),
            access_key_id: Some("carnet".parse().unwrap()),
            secret_access_key: Some(key.parse().unwrap()),
            ..ContentSettings::default().s3
        };
        let place = ContentPlace::Bucket { name: String::from("documents"), prefix: String::from("of/carnet") };
        let settings = format!("sqlite:{}", folder.path().join("store.sqlite").display()).parse().unwrap();
        Store::open(&settings, &limits()).unwrap().with_content(place, &ContentSettings { s3, ..ContentSettings::default() })
    }

    /// How many contents rest in the bucket.
    fn contents(&self) -> usize {
        let folder = self.folder.path().join("documents/of/carnet/dossiers");
        let folders = std::fs::read_dir(folder).into_iter().flatten();
        folders.map(|folder| std::fs::read_dir(folder.unwrap().path()).unwrap().count()).sum()
    }
}

fn bytes(len: u32) -> Bytes {
    (0..len).map(|at| (at.wrapping_mul(2_654_435_761) >> 24) as u8).collect()
}

fn naming(write: Write, staged: Staged) -> Write {
    let text = Text::with_holes("{\"data\":\"\"}", vec![staged.hole(9, Form::Base64, write.key.part)]);
    Write { body: Some(text.into_stored()), content: Naming::from(vec![staged]), ..write }
}

async fn commit(store: &Store, write: &Write) -> Result<(), CommitFailure> {
    store.commit(&everything(), Change::new(vec![write.clone()], Vec::new())).await
}

#[tokio::test]
async fn content_goes_to_a_bucket_and_comes_back_in_one_piece_and_in_parts() {
    let (buckets, folder) = (Buckets::start().await, tempfile::tempdir().unwrap());
    let store = buckets.store(&folder, "secret/key");
    for (rid, len) in [(1, 100), (2, LONG_BYTES)] {
        let content = bytes(len);
        let mut incoming = Incoming::default();
        for piece in content.chunks(100_000) {
            store.take(&mut incoming, Bytes::copy_from_slice(piece)).await.unwrap();
        }
        let write = naming(creation(key(rid)), incoming.finish().await.unwrap());
        commit(&store, &write).await.unwrap();
        let stored = store.read(&everything(), KIND, &write.id).await.unwrap().unwrap().text().unwrap().unwrap();
        for range in [None, Some(7..u64::from(len) - 7)] {
            let pieces = store.content(&stored.holes()[0], range.clone()).await.unwrap();
            let read = pieces.try_collect::<Vec<_>>().await.unwrap().concat();
            let expected = range.map_or(0..len as usize, |range| range.start as usize..range.end as usize);
            assert!(read == content[expected]);
        }
    }
    assert_eq!(buckets.contents(), 2);
}

#[tokio::test]
async fn a_bucket_is_swept_of_what_nobody_names() {
    let (buckets, folder) = (Buckets::start().await, tempfile::tempdir().unwrap());
    let store = buckets.store(&folder, "secret/key");
    let named = naming(creation(key(1)), Staged::of(bytes(100)));
    commit(&store, &named).await.unwrap();
    let mut lost = naming(creation(key(2)), Staged::of(bytes(200)));
    store.settle(&mut lost).await.unwrap();
    assert_eq!(buckets.contents(), 2);
    assert_eq!(store.sweep(EVER).await.unwrap(), Swept { seen: 2, removed: 1 });
    commit(&store, &lost).await.unwrap();
    assert_eq!(store.sweep(EVER).await.unwrap(), Swept { seen: 2, removed: 0 });
}

#[tokio::test]
async fn content_moves_within_a_bucket() {
    let (buckets, folder) = (Buckets::start().await, tempfile::tempdir().unwrap());
    let store = buckets.store(&folder, "secret/key");
    let first = naming(creation(key(1)), Staged::of(bytes(100)));
    commit(&store, &first).await.unwrap();
    let elsewhere = crate::fhir::InstanceKey { part: crate::fhir::Part(815), rid: 9 };
    commit(&store, &Write { key: elsewhere, ..deletion(&first) }).await.unwrap();
    assert_eq!(store.sweep(EVER).await.unwrap(), Swept { seen: 2, removed: 1 });
}

#[tokio::test]
async fn a_key_that_is_refused_makes_content_unavailable_and_nothing_else() {
    let (buckets, folder) = (Buckets::start().await, tempfile::tempdir().unwrap());
    let store = buckets.store(&folder, "another/key");
    let write = creation(key(1));
    match commit(&store, &naming(write.clone(), Staged::of(bytes(100)))).await {
        Err(CommitFailure::Failed(failure)) => {
            assert_eq!(failure.kind(), Kind::Unavailable);
            assert!(!format!("{failure:?}").contains("another/key"));
        }
        other => panic!("{other:?}"),
    }
    commit(&store, &write).await.unwrap();
}
