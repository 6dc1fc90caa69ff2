//! Where a load goes: to a server over HTTP, or into a store through the same interactions without one.

use std::error::Error;

use super::answer::Answer;
use super::unit::Request;

const FHIR_JSON: &str = "application/fhir+json";

/// Where a load goes. Cheap to clone.
#[derive(Clone)]
pub(super) enum Target {
    /// A server.
    Server(Server),
}

/// A server and how to reach it.
#[derive(Clone)]
pub(super) struct Server {
    client: reqwest::Client,
    base_url: String,
}

impl Target {
    /// The server at `base_url`.
    ///
    /// # Errors
    /// In a sentence, why no client can be made.
    pub(super) fn server(base_url: &str) -> Result<Self, String> {
        let client = reqwest::Client::builder().build().map_err(|error| chain(&error))?;
        Ok(Self::Server(Server { client, base_url: base_url.trim_end_matches('/').to_owned() }))
    }

    /// Sends `request`.
    ///
    /// # Errors
    /// In a sentence, why there is no answer.
    pub(super) async fn send(&self, request: Request) -> Result<Answer, String> {
        match self {
            Self::Server(server) => server.send(request).await.map_err(|error| chain(&error)),
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
