//! A request that was made and what came back.

use std::time::Duration;

use serde_json::Value;

/// How long an answer may take before the operation counts as an error, in seconds.
const ANSWER_SECONDS: u64 = 60;

/// What is to be sent.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub(crate) method: &'static str,
    pub(crate) url: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Option<Vec<u8>>,
}

/// A request with its answer.
#[derive(Clone, Debug)]
pub(crate) struct Exchange {
    pub(crate) request: Request,
    pub(crate) status: u16,
    headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Exchange {
    /// All values of a response header, joined as RFC 9110 §5.3 says; `None` where it was not sent.
    pub(crate) fn header(&self, name: &str) -> Option<String> {
        joined(&self.headers, name)
    }

    /// The same of the request.
    pub(crate) fn request_header(&self, name: &str) -> Option<String> {
        joined(&self.request.headers, name)
    }

    /// The body read as JSON.
    pub(crate) fn json(&self) -> Result<Value, String> {
        serde_json::from_slice(&self.body).map_err(|error| format!("the body is not JSON: {error}"))
    }
}

fn joined(headers: &[(String, String)], name: &str) -> Option<String> {
    let values: Vec<&str> =
        headers.iter().filter(|(field, _)| field.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str()).collect();
    (!values.is_empty()).then(|| values.join(", "))
}

/// The client of the runner: no redirects followed, so that a script sees what the server said.
#[derive(Debug)]
pub(crate) struct Client(reqwest::Client);

impl Client {
    pub(crate) fn new() -> Result<Self, reqwest::Error> {
        // A provider that is installed already serves as well.
        let _ = rustls_openssl::default_provider().install_default();
        let builder = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none());
        builder.timeout(Duration::from_secs(ANSWER_SECONDS)).build().map(Self)
    }

    /// Sends the request and waits for the whole answer.
    pub(crate) async fn send(&self, request: Request) -> Result<Exchange, String> {
        let method = reqwest::Method::from_bytes(request.method.as_bytes()).map_err(|error| error.to_string())?;
        let mut builder = self.0.request(method, &request.url);
        for (field, value) in &request.headers {
            builder = builder.header(field, value);
        }
        if let Some(body) = &request.body {
            builder = builder.body(body.clone());
        }
        let response = builder.send().await.map_err(|error| format!("no answer: {error}"))?;
        let status = response.status().as_u16();
        let readable = |value: &reqwest::header::HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
        let headers = response.headers().iter().map(|(name, value)| (name.to_string(), readable(value))).collect();
        let body = response.bytes().await.map_err(|error| format!("the answer broke off: {error}"))?.to_vec();
        Ok(Exchange { request, status, headers, body })
    }
}

#[cfg(test)]
impl Exchange {
    /// An answer as a test needs it.
    pub(crate) fn answered(status: u16, headers: &[(&str, &str)], body: &str) -> Self {
        let request = Request { method: "GET", url: String::from("http://a/fhir/Patient"), headers: Vec::new(), body: None };
        let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Self { request, status, headers, body: body.as_bytes().to_vec() }
    }
}
