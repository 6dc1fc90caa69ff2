//! The contents that a version names.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::incoming::Staged;
use super::objects::{Name, Objects};
use super::sum::Sum;
use super::text::Digest;
use crate::fhir::Part;
use crate::outcome::Outcome;

/// The contents of a new version, and of the older ones that move with it.
#[derive(Clone, Debug, Default)]
pub struct Naming {
    /// Those of the new version; no two alike.
    pub(super) staged: Vec<Staged>,
    /// Those that rest where they will be named, in the order of their digests, so that two changes never wait for each other.
    pub(super) named: Vec<Named>,
    /// Those that are no longer named where they were.
    pub(super) released: Vec<Released>,
}

/// A content that rests where it will be named.
#[derive(Clone, Debug)]
pub(super) struct Named {
    pub(super) sum: Arc<Sum>,
    pub(super) generation: i64,
    /// By how many versions.
    pub(super) count: i64,
}

/// A content that some versions no longer name in a dossier.
#[derive(Clone, Copy, Debug)]
pub(super) struct Released {
    pub(super) part: Part,
    pub(super) digest: Digest,
    pub(super) count: i64,
}

/// Where a content comes from.
#[derive(Clone, Debug)]
pub(super) enum Origin {
    /// From outside.
    Staged(Staged),
    /// From another dossier.
    Moved(Name),
}

impl From<Vec<Staged>> for Naming {
    fn from(staged: Vec<Staged>) -> Self {
        let by_digest: BTreeMap<Digest, Staged> = staged.into_iter().map(|staged| (staged.sum().digest, staged)).collect();
        Self { staged: by_digest.into_values().collect(), ..Self::default() }
    }
}

impl Naming {
    /// Whether nothing is named, and nothing released.
    pub(in crate::store) fn is_empty(&self) -> bool {
        self.staged.is_empty() && self.named.is_empty() && self.released.is_empty()
    }
}

impl Origin {
    /// Puts the content under `name`.
    pub(super) async fn settle(&self, objects: &Objects, name: Name) -> Outcome<()> {
        match self {
            Self::Staged(staged) => staged.settle(objects, name).await,
            Self::Moved(from) => objects.copy(*from, name).await,
        }
    }
}
