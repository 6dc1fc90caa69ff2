//! The one handler: from an HTTP request to an HTTP answer.

use std::sync::Arc;
use std::time::{Duration, Instant};

use actix_web::http::Method;
use actix_web::http::header;
use actix_web::rt::time::timeout;
use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse};

use super::coding;
use super::head::{self, Query};
use super::media::{self, Accepted, Sent};
use super::metrics::{Metrics, Present};
use super::operations::{self, Operation};
use super::payload::{self, BodyLimits};
use super::response::{self, Look};
use super::sending::Sending;
use super::unread;
use crate::config::SecurityMode;
use crate::fhir::ResourceType;
use crate::interaction::{Content, Engine, Format, Interaction, Place, Request, Verb, admit, execute, from_xml};
use crate::outcome::{Failure, Kind, Outcome};
use crate::security;

/// Statuses from here on are ours to repair.
const FIRST_SERVER_ERROR: u16 = 500;

/// How much one request may be, and how many there may be.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bounds {
    /// The longest URL.
    pub(super) url_bytes: usize,
    /// The longest headers.
    pub(super) headers_bytes: usize,
    /// How many requests are worked on at once.
    pub(super) requests: u64,
    /// How long one may take once it has come in.
    pub(super) time: Option<Duration>,
}

impl Bounds {
    /// Refuses what is longer than it may be, or one too many.
    fn check(&self, http: &HttpRequest, in_flight: u64) -> Outcome<()> {
        let most = self.requests;
        if in_flight > most {
            return Err(Failure::new(Kind::Throttled, format!("{most} requests are worked on; try again")));
        }
        let most = self.url_bytes;
        if http.uri().path_and_query().is_some_and(|url| url.as_str().len() > most) {
            return Err(Failure::new(Kind::UrlTooLong, format!("a URL may have at most {most} bytes")));
        }
        let most = self.headers_bytes;
        if http.headers().iter().map(|(name, value)| name.as_str().len() + value.len()).sum::<usize>() > most {
            return Err(Failure::new(Kind::HeadersTooLong, format!("the headers of a request may have at most {most} bytes")));
        }
        Ok(())
    }

    /// What `work` comes to, unless it takes too long. What it has given to the store by then is written, or not, as a whole.
    async fn in_time<T>(&self, work: impl Future<Output = Outcome<T>>) -> Outcome<T> {
        let Some(time) = self.time else { return work.await };
        let late = || Failure::new(Kind::TimedOut, format!("this took longer than {} seconds", time.as_secs()));
        timeout(time, work).await.map_err(|_| late())?
    }
}

/// What every request needs.
#[derive(Debug)]
pub(super) struct Door {
    pub(super) engine: Arc<Engine>,
    /// The path of the service base URL: empty, or a slash and more.
    pub(super) base_path: Box<str>,
    pub(super) security: SecurityMode,
    pub(super) body: BodyLimits,
    pub(super) bounds: Bounds,
    /// How many connections may be open.
    pub(super) connections: usize,
    /// Whether `/metrics` is answered here.
    pub(super) shows_metrics: bool,
    pub(super) metrics: Arc<Metrics>,
    /// When the server started, in microseconds since the Unix epoch.
    pub(super) started_micros: u64,
    /// Those of the content of a Binary.
    pub(super) content: BodyLimits,
}

/// Answers one request; a failure too is an answer.
pub(super) async fn answer(http: HttpRequest, mut payload: Payload) -> HttpResponse {
    let began = Instant::now();
    let Some(door) = http.app_data::<Data<Door>>() else { return HttpResponse::InternalServerError().finish() };
    if let Some(operation) = Operation::at(http.uri().path()).filter(|one| door.shows_metrics || *one != Operation::Metrics) {
        return operations::perform(door, operation, http.method()).await;
    }
    let _under_way = Present::request(&*door.metrics);
    let own_id = head::request_id(http.headers());
    let request_id = own_id.map_or_else(|| door.engine.context().request_id(), str::to_owned);
    let is_read =
        !http.headers().contains_key(&header::CONTENT_LENGTH) && !http.headers().contains_key(&header::TRANSFER_ENCODING);
    let mut visit = Visit {
        door,
        http: &http,
        request_id: &request_id,
        look: Look::default(),
        interaction: None,
        names_instance: false,
        is_read,
    };
    let response = match visit.perform(&mut payload).await {
        Ok(response) => response,
        Err(failure) => visit.refusal(&failure),
    };
    let is_read = visit.is_read;
    let response = if is_read { response } else { unread::holding(response, payload) };
    let response = response::identified(response, &request_id, own_id.is_none().then(|| http.headers()));
    let code = visit.interaction.map_or("none", Interaction::code);
    let status = response.status().as_u16();
    let took = began.elapsed();
    let micros = took.as_micros() as u64;
    door.metrics.answered(visit.interaction, status, took);
    let bytes = response::length(&response);
    tracing::info!(target: "carnet::request", method = %http.method(), interaction = code, status, micros, bytes, request = %request_id);
    if is_read { coding::encoded(response, &http) } else { response }
}

/// One request on its way through the door.
struct Visit<'a> {
    door: &'a Door,
    http: &'a HttpRequest,
    request_id: &'a str,
    look: Look,
    /// What it turned out to ask, for the log.
    interaction: Option<Interaction>,
    /// Whether its URL names the instance it is about.
    names_instance: bool,
    /// Whether there is nothing more of its body to be read.
    is_read: bool,
}

impl Visit<'_> {
    async fn perform(&mut self, payload: &mut Payload) -> Outcome<HttpResponse> {
        let uri = self.http.uri();
        self.door.bounds.check(self.http, self.door.metrics.in_flight())?;
        let mut query = Query::default();
        query.add(uri.query().unwrap_or_default().as_bytes())?;
        self.look.is_pretty = query.is_pretty;
        let Some(path) = head::path_below(uri.path(), &self.door.base_path)? else { return self.elsewhere() };
        // Errors too are in the representation that is asked for, so it is settled before what may fail.
        self.look.media = media::accepted(query.format.as_deref(), self.accept(), false).unwrap_or_default().media;
        let place = Place::read(&path)?;
        self.names_instance = matches!(place, Place::Instance(..));
        let interaction = self.interaction_at(&place)?;
        self.interaction = Some(interaction);
        let mut accepted = self.accepted(&query, &place, interaction)?;
        self.look.media = accepted.media;
        let mut request =
            Request { preconditions: head::preconditions(self.http.headers())?, ..Request::new(interaction, self.request_id) };
        request.prefer = head::prefer(self.http.headers());
        place.clone().tell(&mut request);
        let principal = security::authenticate(self.door.security);
        if matches!(*self.http.method(), Method::POST | Method::PUT | Method::PATCH) {
            // Nobody is made to send, and this server to hold, a body that is refused whatever it says.
            admit(&self.door.engine, &principal, &request).await?;
            request.provenance = head::provenance(self.http.headers())?.filter(|_| writes(interaction));
            self.read_body(&mut request, &mut query, payload).await?;
            // A form may say it too.
            accepted = self.accepted(&query, &place, interaction)?;
            self.look = Look { media: accepted.media, is_pretty: query.is_pretty, allowed: None };
        }
        request.wanted = accepted.wanted;
        request.parameters = query.parameters;
        if has_pages(interaction) {
            // The links of a page lead to pages in the same representation.
            request.parameters.append(&mut query.representation);
        }
        let done = async {
            let response = execute(&self.door.engine, &principal, &request).await?;
            response::rendered(response, &self.look, &self.sending()).await
        };
        self.door.bounds.in_time(done).await
    }

    fn sending(&self) -> Sending<'_> {
        let (method, headers) = (self.http.method(), self.http.headers());
        Sending {
            engine: &self.door.engine,
            request_id: self.request_id,
            names_instance: self.names_instance,
            is_head: *method == Method::HEAD,
            range: head::text(headers, &header::RANGE).filter(|_| *method == Method::GET),
            if_range: head::text(headers, &header::IF_RANGE),
        }
    }

    fn interaction_at(&mut self, place: &Place) -> Outcome<Interaction> {
        let verb = Verb::read(self.http.method().as_str());
        let refused = |method: &Method| Failure::new(Kind::NotAllowed, format!("{method} is not offered here"));
        let interaction = verb.ok_or_else(|| refused(self.http.method())).and_then(|verb| place.interaction(verb));
        if interaction.as_ref().is_err_and(|failure| failure.kind() == Kind::NotAllowed) {
            self.look.allowed = Some(place.allowed());
        }
        interaction
    }

    fn accept(&self) -> Option<&str> {
        head::text(self.http.headers(), &header::ACCEPT)
    }

    fn accepted(&self, query: &Query, place: &Place, interaction: Interaction) -> Outcome<Accepted> {
        if is_search(interaction) {
            return media::accepted_of_search(query.format.as_deref(), self.accept());
        }
        let reads = matches!(interaction, Interaction::Read | Interaction::Vread);
        let of_binary = matches!(place, Place::Instance(ResourceType::Binary, _) | Place::Version(ResourceType::Binary, ..));
        media::accepted(query.format.as_deref(), self.accept(), reads && of_binary)
    }

    /// Reads the body: a form into the query, anything else into the request.
    async fn read_body(&mut self, request: &mut Request, query: &mut Query, body: &mut Payload) -> Outcome<()> {
        let http = self.http;
        let headers = http.headers();
        let (mut body, is_coded) = coding::decoded(body, headers)?;
        let body = &mut body;
        let content_type = head::text(headers, &header::CONTENT_TYPE);
        // The length that is declared is that of the coded body.
        let declared = head::text(headers, &header::CONTENT_LENGTH).filter(|_| !is_coded);
        let declared: Option<u64> = declared.and_then(|length| length.parse().ok());
        if is_search(request.interaction) {
            let bytes = payload::read(body, declared, self.door.body).await?;
            self.is_read = true;
            if !bytes.is_empty() && !media::is_form(content_type) {
                return Err(Failure::new(Kind::UnsupportedFormat, "a search is posted as a form").at("http.Content-Type"));
            }
            return query.add(&bytes);
        }
        let is_empty = content_type.is_none() || declared == Some(0);
        if request.interaction == Interaction::Operation && is_empty {
            let bytes = payload::read(body, declared, self.door.body).await?;
            self.is_read = true;
            request.body = Some(Content::of(bytes, Format::Entry));
            return Ok(());
        }
        let format = match media::sent(content_type, head::text(headers, &head::SECURITY_CONTEXT))? {
            Sent::As(format) => format,
            Sent::Xml(content_type) => {
                let bytes = payload::read(body, declared, self.door.body).await?;
                self.is_read = true;
                request.body = Some(from_xml(bytes, &content_type, request.kind)?);
                return Ok(());
            }
        };
        let (bytes, staged) = match format {
            Format::Raw { .. } if request.kind == Some(ResourceType::Binary) => {
                payload::receive(body, declared, self.door.content, &self.door.engine).await?
            }
            Format::Raw { .. } | Format::Json { .. } | Format::Entry => {
                (payload::read(body, declared, self.door.body).await?, None)
            }
        };
        self.is_read = true;
        request.body = Some(Content { bytes, staged, format });
        Ok(())
    }

    /// Outside the service base: the root says where to go.
    fn elsewhere(&self) -> Outcome<HttpResponse> {
        if self.http.uri().path() == "/" && matches!(*self.http.method(), Method::GET | Method::HEAD) {
            return Ok(response::signpost(self.door.engine.base_url()));
        }
        Err(Failure::new(Kind::UnknownType, format!("FHIR is served under {}", self.door.engine.base_url())))
    }

    fn refusal(&self, failure: &Failure) -> HttpResponse {
        if let Some(cause) = failure.cause() {
            let (request, kind) = (self.request_id, failure.kind());
            if kind.status() >= FIRST_SERVER_ERROR {
                tracing::error!(target: "carnet::failure", %request, %kind, %cause);
            } else {
                tracing::debug!(target: "carnet::failure", %request, %kind, %cause);
            }
        }
        let refused = response::refused(failure, &self.look);
        let is_patch = failure.kind() == Kind::UnsupportedFormat && self.interaction == Some(Interaction::Patch);
        let is_coding = failure.kind() == Kind::UnsupportedFormat && self.http.headers().contains_key(header::CONTENT_ENCODING);
        match (is_patch, is_coding) {
            (_, true) => coding::accepting_codings(refused),
            (true, false) => response::accepting_patches(refused),
            (false, false) => refused,
        }
    }
}

/// Whether an interaction writes what a Provenance may tell of.
const fn writes(interaction: Interaction) -> bool {
    use Interaction::{Batch, Create, Patch, Transaction, Update};
    matches!(interaction, Create | Update | Patch | Transaction | Batch)
}

const fn has_pages(interaction: Interaction) -> bool {
    let is_history = matches!(interaction, Interaction::HistoryInstance | Interaction::HistoryType | Interaction::HistorySystem);
    is_search(interaction) || is_history || matches!(interaction, Interaction::Operation)
}

const fn is_search(interaction: Interaction) -> bool {
    matches!(interaction, Interaction::SearchType | Interaction::SearchSystem)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_takes_too_long_is_told_so_and_what_may_take_its_time_is_waited_for() {
        let bounds = |time| Bounds { url_bytes: 1, headers_bytes: 1, requests: 1, time };
        let late = bounds(Some(Duration::from_millis(1))).in_time(std::future::pending::<Outcome<()>>()).await;
        assert_eq!(late.unwrap_err().kind(), Kind::TimedOut);
        assert!(bounds(None).in_time(async { Ok(()) }).await.is_ok());
    }
}
