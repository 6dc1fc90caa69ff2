//! The server itself: a listener, its threads, its limits, its end.

use std::any::Any;
use std::net::TcpListener;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use actix_web::dev::ServerHandle;
#[cfg(target_os = "linux")]
use actix_web::rt::net::TcpStream;
use actix_web::web::{self, Data};
use actix_web::{App, HttpServer};
#[cfg(target_os = "linux")]
use rustix::net::sockopt::set_tcp_user_timeout;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::sync::oneshot;

use super::door::{Bounds, Door, answer};
use super::metrics::Present;
use super::operations;
use super::payload::BodyLimits;
use crate::config::{BaseUrl, Limits, SecurityMode};
use crate::interaction::Engine;

/// How the door is set up.
#[derive(Clone, Debug)]
pub struct Setup {
    /// The service base URL.
    pub base_url: BaseUrl,
    /// Who may come in.
    pub security: SecurityMode,
    /// How much of everything.
    pub limits: Limits,
    /// Whether SIGINT and SIGTERM end the server.
    pub obeys_signals: bool,
}

/// Where a server listens.
#[derive(Debug)]
pub struct Listeners {
    /// For clients.
    pub service: TcpListener,
    /// For operators, where `/metrics` is not to be seen by clients.
    pub operators: Option<TcpListener>,
}

/// A server that runs.
#[derive(Debug)]
pub struct Server {
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<std::io::Result<()>>>,
}

/// Begins to serve `engine` on `listeners`, on threads of its own.
///
/// # Errors
/// What the operating system says against it.
pub fn start(listeners: Listeners, engine: Arc<Engine>, setup: Setup) -> std::io::Result<Server> {
    allow_open_files(setup.limits.connections);
    let (stop, stopped) = oneshot::channel();
    let thread = std::thread::Builder::new().name(String::from("http")).spawn(move || {
        let system = actix_web::rt::System::new();
        system.block_on(serve(listeners, engine, setup, stopped))
    })?;
    Ok(Server { stop: Some(stop), thread: Some(thread) })
}

impl Server {
    /// Waits until the server has ended, by a signal.
    ///
    /// # Errors
    /// What ended it against its will.
    pub fn wait(mut self) -> std::io::Result<()> {
        self.join()
    }

    /// Takes no more connections, finishes every request that was accepted, and ends.
    ///
    /// # Errors
    /// What had ended it before, against its will.
    pub fn stop(mut self) -> std::io::Result<()> {
        if let Some(stop) = self.stop.take() {
            // Nobody listens any more where the server has ended already.
            let _ = stop.send(());
        }
        self.join()
    }

    fn join(&mut self) -> std::io::Result<()> {
        match self.thread.take().map(JoinHandle::join) {
            Some(Ok(ended)) => ended,
            Some(Err(_)) => Err(std::io::Error::other("the HTTP thread panicked")),
            None => Ok(()),
        }
    }
}

async fn serve(listeners: Listeners, engine: Arc<Engine>, setup: Setup, stopped: oneshot::Receiver<()>) -> std::io::Result<()> {
    let limits = setup.limits;
    let door = Data::new(Door {
        started_micros: engine.context().now().micros().unsigned_abs(),
        engine,
        base_path: setup.base_url.path().into(),
        security: setup.security,
        body: BodyLimits { bytes: limits.body_bytes as u64, time: Duration::from_secs(limits.body_seconds) },
        content: BodyLimits { bytes: limits.content_bytes, time: Duration::from_secs(limits.content_seconds) },
        bounds: Bounds {
            url_bytes: limits.url_bytes,
            headers_bytes: limits.headers_bytes,
            requests: limits.requests,
            time: (limits.request_seconds > 0).then(|| Duration::from_secs(limits.request_seconds)),
        },
        connections: limits.connections,
        shows_metrics: listeners.operators.is_none(),
        metrics: Arc::default(),
    });
    let operators = listeners.operators.map(|listener| serve_operators(listener, door.clone())).transpose()?;
    let (threads, metrics) = (threads(limits), Arc::clone(&door.metrics));
    let ended = HttpServer::new(move || App::new().app_data(door.clone()).default_service(web::to(answer)))
        .on_connect(move |connection, extensions| {
            extensions.insert(Present::connection(Arc::clone(&metrics)));
            limit_untaken(connection, Duration::from_secs(limits.write_seconds));
        })
        .workers(threads)
        .max_connections(limits.connections.div_ceil(threads))
        .keep_alive(Duration::from_secs(limits.idle_seconds))
        .client_request_timeout(Duration::from_secs(limits.header_seconds))
        .shutdown_timeout(limits.shutdown_seconds)
        .tcp_nodelay(true)
        .shutdown_signal(end(stopped, setup.obeys_signals))
        .listen(listeners.service)?
        .run()
        .await;
    if let Some(operators) = operators {
        operators.stop(false).await;
    }
    ended
}

/// Begins to answer operators on an address of their own, as long as clients are served.
fn serve_operators(listener: TcpListener, door: Data<Door>) -> std::io::Result<ServerHandle> {
    let server = HttpServer::new(move || App::new().app_data(door.clone()).default_service(web::to(operations::answer)))
        .workers(1)
        .disable_signals()
        .listen(listener)?
        .run();
    let handle = server.handle();
    actix_web::rt::spawn(server);
    Ok(handle)
}

/// Ends a connection whose client takes nothing of its answer for `patience`. The operating system counts (RFC 5482): nothing
/// here sees whether bytes that were written have arrived.
#[cfg(target_os = "linux")]
fn limit_untaken(connection: &dyn Any, patience: Duration) {
    let Some(stream) = connection.downcast_ref::<TcpStream>() else { return };
    let millis = u32::try_from(patience.as_millis()).unwrap_or(u32::MAX);
    if let Err(error) = set_tcp_user_timeout(stream, millis) {
        tracing::debug!(%error, "a connection has no limit of time for its answers");
    }
}

/// Other systems have no such limit.
#[cfg(not(target_os = "linux"))]
fn limit_untaken(_: &dyn Any, _: Duration) {}

/// Files this process opens besides connections.
const OTHER_FILES: u64 = 256;

/// Lets this process open as many files as its connections need, as far as the operating system allows.
fn allow_open_files(connections: usize) {
    let needed = OTHER_FILES.saturating_add(connections as u64);
    let limit = getrlimit(Resource::Nofile);
    if limit.current.is_none_or(|current| current >= needed) {
        return;
    }
    let allowed = limit.maximum.map_or(needed, |maximum| maximum.min(needed));
    let raised = setrlimit(Resource::Nofile, Rlimit { current: Some(allowed), maximum: limit.maximum });
    if raised.is_err() || allowed < needed {
        tracing::warn!(allowed, needed, "the operating system allows fewer open files than limits.connections needs");
    }
}

fn threads(limits: Limits) -> usize {
    match limits.http_threads {
        0 => std::thread::available_parallelism().map_or(1, usize::from),
        threads => threads,
    }
}

/// Comes true when the server is told to end.
async fn end(stopped: oneshot::Receiver<()>, obeys_signals: bool) {
    if obeys_signals {
        tokio::select! {
            () = told(stopped) => {}
            () = signalled() => {}
        }
    } else {
        told(stopped).await;
    }
}

/// A sender that is dropped says nothing: the server then runs on.
async fn told(stopped: oneshot::Receiver<()>) {
    if stopped.await.is_err() {
        std::future::pending::<()>().await;
    }
}

/// SIGINT or SIGTERM. A signal that cannot be listened to never comes.
async fn signalled() {
    use tokio::signal::unix::{SignalKind, signal};
    let listen = async |kind: SignalKind| match signal(kind) {
        Ok(mut stream) => {
            stream.recv().await;
        }
        Err(_) => std::future::pending().await,
    };
    tokio::select! {
        () = listen(SignalKind::interrupt()) => {}
        () = listen(SignalKind::terminate()) => {}
    }
}
