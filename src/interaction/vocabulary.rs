//! The search parameters that the store defines itself, as this server knows them: a snapshot that is made anew where they change
//! and exchanged as a whole, so that a request never waits for one.
//!
//! A server that changes them knows it at once. One that shares its store with others asks the store now and then; until then it
//! cannot write what it indexed by what it knew, since the store refuses that, and searches by what it knew.

use std::sync::Arc;

use arc_swap::ArcSwap;
use tokio::sync::Mutex;

use super::capabilities::{self, Statement};
use super::{Behaviour, Engine};
use crate::definition::Registry;
use crate::fhir::ResourceType;
use crate::fhir::json::Tree;
use crate::outcome::{Failure, Kind, Outcome};
use crate::search::Indexer;
use crate::search::vocabulary::{Vocabulary, VocabularyChange};
use crate::store::change::Write;

/// The snapshot in force.
pub(super) struct Known {
    current: ArcSwap<Snapshot>,
    renewing: Mutex<()>,
    behaviour: Behaviour,
}

/// What follows from the parameters at one moment.
pub(super) struct Snapshot {
    vocabulary: Vocabulary,
    indexer: Arc<Indexer>,
    statement: Statement,
}

impl Snapshot {
    fn of(vocabulary: Vocabulary, registry: &Registry, indexer: &Indexer, behaviour: &Behaviour) -> Outcome<Self> {
        let indexer = vocabulary.indexer(registry, indexer);
        let statement = capabilities::state(indexer.registry(), behaviour)?;
        Ok(Self { vocabulary, indexer: Arc::new(indexer), statement })
    }
}

impl Known {
    /// What follows from `vocabulary`, for the store of `indexer`.
    ///
    /// # Errors
    /// A CapabilityStatement that cannot be written: a bug.
    pub(super) fn new(vocabulary: &Vocabulary, registry: &Registry, indexer: &Indexer, behaviour: Behaviour) -> Outcome<Self> {
        let snapshot = Snapshot::of(vocabulary.clone(), registry, indexer, &behaviour)?;
        Ok(Self { current: ArcSwap::from_pointee(snapshot), renewing: Mutex::default(), behaviour })
    }
}

impl Engine {
    /// What indexes and searches by the parameters in use.
    pub(super) fn indexer(&self) -> Arc<Indexer> {
        Arc::clone(&self.known.current.load().indexer)
    }

    /// What this server says of itself.
    pub(super) fn statement(&self) -> Statement {
        self.known.current.load().statement.clone()
    }

    /// Learns which search parameters the store defines now.
    ///
    /// # Errors
    /// The store is away.
    pub async fn renew(&self) -> Outcome<()> {
        let _turn = self.known.renewing.lock().await;
        let vocabulary = self.store.vocabulary().await?;
        let present = self.known.current.load_full();
        if vocabulary.epoch != present.vocabulary.epoch {
            let snapshot = Snapshot::of(vocabulary, self.registry, &present.indexer, &self.known.behaviour)?;
            self.known.current.store(Arc::new(snapshot));
        }
        Ok(())
    }

    /// What `writes` make of the search parameters of the store.
    ///
    /// # Errors
    /// 422 where a SearchParameter among them cannot be used as it says.
    pub(super) fn redefined(&self, writes: &[Write]) -> Outcome<Option<VocabularyChange>> {
        let written = || writes.iter().filter(|write| write.kind == ResourceType::SearchParameter);
        if written().next().is_none() {
            return Ok(None);
        }
        let texts = written().map(Write::text).collect::<Outcome<Vec<_>>>()?;
        let mut trees = Vec::with_capacity(texts.len());
        for (write, text) in written().zip(&texts) {
            let tree = text.as_ref().map(|text| Tree::parse(text.json())).transpose().map_err(Failure::fault)?;
            trees.push((write.id.as_str(), tree));
        }
        let known = self.known.current.load_full();
        known.vocabulary.change(self.registry, &trees).map_err(|issues| Failure::with_issues(Kind::Invalid, issues))
    }
}
