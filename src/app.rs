//! The composition root: the only place that names every module.

use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::sync::oneshot;

use crate::config::{BaseUrl, ContentSettings, SecurityMode, Settings};
use crate::definition::Registry;
use crate::http;
use crate::interaction::{Behaviour, Context, Engine, Parts};
use crate::outcome::{Failure, Kind, Outcome};
use crate::search::Indexer;
use crate::store::{Step, Store, Verification, Verified};

/// A server that runs.
#[derive(Debug)]
pub struct Running {
    base_url: BaseUrl,
    address: SocketAddr,
    operators_at: SocketAddr,
    engine: Arc<Engine>,
    server: http::Server,
    upkeep: Upkeep,
}

/// Who ends a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// Whoever holds it, by [`Running::stop`].
    ByHolder,
    /// SIGINT or SIGTERM too; [`Running::wait`] waits for it.
    BySignal,
}

/// Puts an engine together, without a door: what a command needs that works on the store itself.
///
/// # Errors
/// A store that cannot be opened; definitions that cannot be read.
pub fn engine(settings: &Settings, base_url: &BaseUrl, context: Context) -> Outcome<Engine> {
    let registry = Registry::shared().map_err(Failure::fault)?;
    let place = settings.content.place_beside(&settings.store);
    let store = Store::open(&settings.store, &settings.limits)?.with_content(place, &settings.content);
    let indexer = Indexer::new(registry, base_url.as_str(), store.term_key(), settings.time_zone);
    let behaviour = Behaviour {
        base_url: base_url.as_str().into(),
        limits: settings.limits,
        security: settings.security.mode,
        records_audit: settings.records_audit(),
    };
    Engine::new(Parts { store, registry, indexer, context }, behaviour)
}

/// Holds the store that `settings` name against what it promises; tells first how many rows there are to be looked at.
///
/// # Errors
/// A store that cannot be opened, or goes away; definitions that cannot be read. What is wrong in the store is told.
pub fn verify(
    settings: &Settings,
    base_url: &BaseUrl,
    size: impl FnOnce(u64),
    tell: &mut dyn FnMut(Step<'_>),
) -> Outcome<Verified> {
    let registry = Registry::shared().map_err(Failure::fault)?;
    let place = settings.content.place_beside(&settings.store);
    let mut verification = Verification::of(&settings.store, place, &settings.content)?;
    let indexer = Indexer::new(registry, base_url.as_str(), verification.term_key(), settings.time_zone);
    size(verification.size()?);
    let bounds = verification.vocabulary()?.bounds(registry, &indexer);
    verification.run(&bounds, tell)
}

/// Starts a server; it listens when this returns.
///
/// # Errors
/// An address that cannot be listened on, and whatever [`engine`] refuses.
pub fn start(settings: &Settings, context: Context, ending: Ending) -> Outcome<Running> {
    let service = TcpListener::bind(settings.listen).map_err(|error| unheard(settings.listen, error))?;
    let bound = service.local_addr().map_err(|error| unheard(settings.listen, error))?;
    let operators = settings.metrics_listen.map(|address| TcpListener::bind(address).map_err(|error| unheard(address, error)));
    let operators = operators.transpose()?;
    let operators_at = operators.as_ref().map_or(bound, |listener| listener.local_addr().unwrap_or(bound));
    let base_url = settings.base_url_at(bound);
    let engine = Arc::new(engine(settings, &base_url, context)?);
    if settings.security.mode == SecurityMode::Open {
        tracing::warn!("security is open: whoever reaches this server reads and writes everything");
    }
    let setup = http::Setup {
        base_url: base_url.clone(),
        security: settings.security.mode,
        limits: settings.limits,
        obeys_signals: ending == Ending::BySignal,
    };
    let listeners = http::Listeners { service, operators };
    let server = http::start(listeners, Arc::clone(&engine), setup).map_err(|error| unheard(settings.listen, error))?;
    let upkeep = Upkeep::start(&engine, &settings.content).map_err(Failure::fault)?;
    Ok(Running { base_url, address: bound, operators_at, engine, server, upkeep })
}

fn unheard(address: SocketAddr, error: std::io::Error) -> Failure {
    Failure::new(Kind::Unavailable, format!("{address} cannot be listened on: {error}")).because(error)
}

impl Running {
    /// The service base URL.
    pub fn base_url(&self) -> &BaseUrl {
        &self.base_url
    }

    /// Where the service listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where `/metrics` and `/health` are answered.
    pub fn operators_at(&self) -> SocketAddr {
        self.operators_at
    }

    /// What is behind the door.
    pub fn engine(&self) -> &Arc<Engine> {
        &self.engine
    }

    /// Finishes what was accepted and ends.
    ///
    /// # Errors
    /// What had ended the server before, against its will.
    pub fn stop(self) -> Outcome<()> {
        let ended = self.server.stop();
        self.upkeep.stop();
        self.engine.close();
        ended.map_err(Failure::fault)
    }

    /// Waits for the signal that ends the server.
    ///
    /// # Errors
    /// What ended the server against its will.
    pub fn wait(self) -> Outcome<()> {
        let ended = self.server.wait();
        self.upkeep.stop();
        self.engine.close();
        ended.map_err(Failure::fault)
    }
}

/// The thread that does what nobody waits for: it looks now and then for content that no version names and for search parameters
/// that other servers defined, and indexes anew what was begun to be.
#[derive(Debug)]
struct Upkeep {
    stop: oneshot::Sender<()>,
    thread: JoinHandle<()>,
}

impl Upkeep {
    fn start(engine: &Arc<Engine>, settings: &ContentSettings) -> std::io::Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let (stop, stopped) = oneshot::channel();
        let (engine, settings) = (Arc::clone(engine), settings.clone());
        let work = async move {
            tokio::select! {
                _ = stopped => {}
                _ = async { tokio::join!(sweep(&engine, &settings), engine.reindex_always(), engine.answer_later_always()) } => {}
            }
        };
        let thread = std::thread::Builder::new().name(String::from("upkeep")).spawn(move || runtime.block_on(work))?;
        Ok(Self { stop, thread })
    }

    fn stop(self) {
        // It ends by itself only where it panicked.
        let _ = self.stop.send(());
        if self.thread.join().is_err() {
            tracing::error!("the thread of the upkeep panicked");
        }
    }
}

async fn sweep(engine: &Engine, settings: &ContentSettings) {
    let age = Duration::from_secs(settings.orphan_seconds);
    if settings.sweep_seconds == 0 {
        return;
    }
    loop {
        tokio::time::sleep(Duration::from_secs(settings.sweep_seconds)).await;
        match engine.sweep(age).await {
            Ok(swept) => tracing::info!(seen = swept.seen, removed = swept.removed, "content was swept"),
            Err(failure) => tracing::error!(cause = failure.cause().map(tracing::field::display), "content cannot be swept"),
        }
    }
}
