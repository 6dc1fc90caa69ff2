//! Where a load goes: to a server over HTTP, or into a store through the same interactions without one.

use std::error::Error;
use std::sync::Arc;

use super::answer::Answer;
use super::unit::Request;
use crate::app;
use crate::cli::told;
use crate::config::Settings;
use crate::interaction::{self, Body, Content, Context, Engine, Format, Place, Verb};
use crate::outcome::{Failure, Outcome, operation_outcome};
use crate::security::Principal;

const FHIR_JSON: &str = "application/fhir+json";

/// Where a load goes. Cheap to clone.
#[derive(Clone)]
pub(in crate::cli) enum Target {
    /// A server.
    Server(Server),
    /// A store that no server uses.
    Store(Arc<Engine>),
}

/// A server and how to reach it.
#[derive(Clone)]
pub(in crate::cli) struct Server {
    client: reqwest::Client,
    base_url: String,
}

impl Target {
    /// The server at `base_url`.
    ///
    /// # Errors
    /// In a sentence, why no client can be made.
    pub(in crate::cli) fn server(base_url: &str) -> Result<Self, String> {
        let client = reqwest::Client::builder().build().map_err(|error| chain(&error))?;
        Ok(Self::Server(Server { client, base_url: base_url.trim_end_matches('/').to_owned() }))
    }

    /// The store that `settings` name, opened.
    ///
    /// # Errors
    /// In a sentence, why it cannot be opened.
    pub(in crate::cli) fn store(settings: &Settings) -> Result<Self, String> {
        let base_url = settings.base_url_at(settings.listen);
        let engine = app::engine(settings, &base_url, Context::of_this_machine()).map_err(|failure| told(&failure))?;
        Ok(Self::Store(Arc::new(engine)))
    }

    /// How many single resources may be under way: as many as share a transaction where nobody else needs the store.
    pub(super) const fn resources_at_once(&self) -> usize {
        match self {
            Self::Server(_) => 32,
            Self::Store(_) => 512,
        }
    }

    /// Lets go of a store; everything that was answered is durable.
    pub(in crate::cli) fn close(&self) {
        match self {
            Self::Server(_) => {}
            Self::Store(engine) => engine.close(),
        }
    }

    /// Sends `request`.
    ///
    /// # Errors
    /// In a sentence, why there is no answer.
    pub(in crate::cli) async fn send(&self, request: Request) -> Result<Answer, String> {
        match self {
            Self::Server(server) => server.send(request).await.map_err(|error| chain(&error)),
            Self::Store(engine) => Ok(executed(engine, request).await.unwrap_or_else(|failure| refusal(&failure))),
        }
    }
}

impl Server {
    async fn send(&self, request: Request) -> Result<Answer, reqwest::Error> {
        let url = format!("{}/{}", self.base_url, request.path);
        let url = url.trim_end_matches('/');
        let verb = if request.put { self.client.put(url) } else { self.client.post(url) };
        // The answer to a Bundle is read, that to a resource only counted.
        let prefer = if request.path.is_empty() { "return=OperationOutcome" } else { "return=minimal" };
        let headers = verb.header("content-type", FHIR_JSON).header("accept", FHIR_JSON).header("prefer", prefer);
        let response = headers.body(request.body).send().await?;
        let status = response.status().as_u16();
        Ok(Answer { status, body: response.bytes().await?.to_vec() })
    }
}

/// Does what `request` asks without a server, on behalf of whoever may use the store itself.
async fn executed(engine: &Engine, request: Request) -> Outcome<Answer> {
    let verb = if request.put { Verb::Put } else { Verb::Post };
    let place = Place::read(&request.path)?;
    let mut asked = interaction::Request::new(place.interaction(verb)?, engine.context().request_id());
    place.tell(&mut asked);
    asked.body = Some(Content::of(request.body.into(), Format::Json { content_type: FHIR_JSON.into() }));
    let response = interaction::execute(engine, &Principal::Open, &asked).await?;
    let body = match response.body {
        Body::Resource(text) => text.json().to_vec(),
        Body::Empty | Body::Lines { .. } | Body::Content { .. } => Vec::new(),
    };
    Ok(Answer { status: response.status.code(), body })
}

fn refusal(failure: &Failure) -> Answer {
    if let Some(cause) = failure.cause() {
        tracing::error!(cause, "a request failed");
    }
    Answer { status: failure.kind().status(), body: operation_outcome(failure.issues()).to_string().into_bytes() }
}

/// An error with its causes.
fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(deeper) = cause {
        text = format!("{text}: {deeper}");
        cause = deeper.source();
    }
    text
}
