//! Everything an interaction needs that lives longer than a request.

use std::fmt;
use std::time::Duration;

use tokio::sync::Notify;

use super::Context;
use super::turn::Turns;
use super::vocabulary::Known;
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
    pub(super) known: Known,
    pub(super) context: Context,
    pub(super) base_url: Box<str>,
    pub(super) limits: Limits,
    /// Whether every access is journaled before it is answered.
    pub(super) records_audit: bool,
    pub(super) turns: Turns,
    /// Told where the index is to be made anew.
    pub(super) reindexing: Notify,
    /// Told where something is to be answered later.
    pub(super) tasks: Notify,
    /// A number no other server has.
    pub(super) worker: u64,
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
        let known = Known::new(parts.store.first_vocabulary(), parts.registry, &parts.indexer, behaviour.clone())?;
        Ok(Self {
            store: parts.store,
            registry: parts.registry,
            known,
            worker: parts.context.random(),
            context: parts.context,
            base_url: behaviour.base_url,
            limits: behaviour.limits,
            records_audit: behaviour.records_audit,
            turns: Turns::new(),
            reindexing: Notify::new(),
            tasks: Notify::new(),
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

    /// Whether other servers may write to the same store.
    pub fn shares_its_store(&self) -> bool {
        self.store.is_shared()
    }

    /// Finishes what the store has accepted and lets go of it.
    pub fn close(&self) {
        self.store.close();
    }
}

/// How long a server waits before it looks again whether others began something for it to do.
const LOOK_AGAIN: Duration = Duration::from_secs(2);

/// Waits until there is something to be done here, or it is time to look whether others began something.
pub(super) async fn told_or_after_a_while(notify: &Notify) {
    // Either way there is something to look at.
    let _ = tokio::time::timeout(LOOK_AGAIN, notify.notified()).await;
}

impl fmt::Debug for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Engine").field("base_url", &self.base_url).finish_non_exhaustive()
    }
}
