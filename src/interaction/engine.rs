//! Everything an interaction needs that lives longer than a request.

use std::fmt;
use std::time::Duration;

use super::turn::Turns;
use super::{Context, capabilities};
use crate::config::{Limits, SecurityMode};
use crate::definition::Registry;
use crate::fhir::Instant;
use crate::outcome::Outcome;
use crate::search::Indexer;
use crate::store::{Statistics, Store, Swept};

/// The parts of a running server, put together once.
pub struct Engine {
    pub(super) store: Store,
    pub(super) registry: &'static Registry,
    pub(super) indexer: Indexer,
    pub(super) context: Context,
    pub(super) base_url: Box<str>,
    pub(super) limits: Limits,
    /// Whether every access is journaled before it is answered.
    pub(super) records_audit: bool,
    pub(super) turns: Turns,
    pub(super) capability_statement: capabilities::Statement,
}

/// What an [`Engine`] is made of.
pub struct Parts {
    /// Where instances rest.
    pub store: Store,
    /// What R4 defines.
    pub registry: &'static Registry,
    /// What instances are found by.
    pub indexer: Indexer,
    /// Time and chance.
    pub context: Context,
}

/// How an [`Engine`] behaves.
#[derive(Clone, Debug)]
pub struct Behaviour {
    /// The service base URL, without a final slash.
    pub base_url: Box<str>,
    /// How much of everything.
    pub limits: Limits,
    /// Whether the rules of the dossier are enforced.
    pub security: SecurityMode,
    /// Whether every access is journaled before it is answered.
    pub records_audit: bool,
}

impl Engine {
    /// Puts the parts together and writes the CapabilityStatement.
    ///
    /// # Errors
    /// A CapabilityStatement that cannot be written: a bug.
    pub fn new(parts: Parts, behaviour: Behaviour) -> Outcome<Self> {
        let statement = capabilities::state(parts.registry, &behaviour)?;
        Ok(Self {
            store: parts.store,
            registry: parts.registry,
            indexer: parts.indexer,
            context: parts.context,
            base_url: behaviour.base_url,
            limits: behaviour.limits,
            records_audit: behaviour.records_audit,
            turns: Turns::new(),
            capability_statement: statement,
        })
    }

    /// Time and chance.
    pub fn context(&self) -> &Context {
        &self.context
    }

    /// The service base URL, without a final slash.
    pub fn base_url(&self) -> &str {
        &self.base_url
    }

    /// Finds out whether the store answers.
    ///
    /// # Errors
    /// 503 where it does not.
    pub async fn ready(&self) -> Outcome<()> {
        self.store.ready().await
    }

    /// What the store has done and has to do.
    pub fn statistics(&self) -> Statistics {
        self.store.statistics()
    }

    /// Removes content that no version names and that is older than `age`.
    ///
    /// # Errors
    /// The database or the content store is away.
    pub async fn sweep(&self, age: Duration) -> Outcome<Swept> {
        let age = i64::try_from(age.as_micros()).unwrap_or(i64::MAX);
        self.store.sweep(Instant::from_micros(self.context.now().micros().saturating_sub(age))).await
    }

    /// Finishes what the store has accepted and lets go of it.
    pub fn close(&self) {
        self.store.close();
    }
}

impl fmt::Debug for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Engine").field("base_url", &self.base_url).finish_non_exhaustive()
    }
}
