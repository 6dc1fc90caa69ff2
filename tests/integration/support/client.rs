//! A client that sees everything a server answers.

use std::future::{Future, IntoFuture};
use std::pin::Pin;

use reqwest::header::HeaderMap;
use reqwest::{Method, RequestBuilder};
use serde_json::Value;

/// The media type of FHIR in JSON.
pub(crate) const FHIR_JSON: &str = "application/fhir+json";

/// The media type of a JSON Patch.
pub(crate) const JSON_PATCH: &str = "application/json-patch+json";

/// Speaks to one server.
#[derive(Clone, Debug)]
pub(crate) struct Client {
    http: reqwest::Client,
    base: String,
}

impl Client {
    pub(crate) fn new(base: &str) -> Self {
        let _ = rustls_openssl::default_provider().install_default();
        let http = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).no_proxy().build().unwrap();
        Self { http, base: base.to_owned() }
    }

    /// A request to `path` under the base URL, or to an absolute URL.
    pub(crate) fn request(&self, method: &str, path: &str) -> Request {
        let url = match path {
            "" => self.base.clone(),
            path if path.starts_with("http://") => path.to_owned(),
            path if path.starts_with('?') => format!("{}{path}", self.base),
            path => format!("{}/{path}", self.base),
        };
        Request(self.http.request(Method::from_bytes(method.as_bytes()).unwrap(), url))
    }

    pub(crate) fn get(&self, path: &str) -> Request {
        self.request("GET", path)
    }

    pub(crate) fn head(&self, path: &str) -> Request {
        self.request("HEAD", path)
    }

    pub(crate) fn delete(&self, path: &str) -> Request {
        self.request("DELETE", path)
    }

    pub(crate) fn post(&self, path: &str, resource: &Value) -> Request {
        self.request("POST", path).body(FHIR_JSON, resource.to_string())
    }

    pub(crate) fn put(&self, path: &str, resource: &Value) -> Request {
        self.request("PUT", path).body(FHIR_JSON, resource.to_string())
    }

    /// A JSON Patch of what is at `path`.
    pub(crate) fn patch(&self, path: &str, operations: &Value) -> Request {
        self.request("PATCH", path).body(JSON_PATCH, operations.to_string())
    }
}

/// A request that is sent when it is awaited.
#[derive(Debug)]
pub(crate) struct Request(RequestBuilder);

impl Request {
    pub(crate) fn header(self, name: &str, value: &str) -> Self {
        Self(self.0.header(name, value))
    }

    pub(crate) fn body(self, content_type: &str, body: impl Into<reqwest::Body>) -> Self {
        Self(self.0.header("Content-Type", content_type).body(body))
    }

    /// Sends it; `None` where no whole answer came.
    pub(crate) async fn answered(self) -> Option<Answer> {
        let response = self.0.send().await.ok()?;
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        Some(Answer { status, headers, body: response.bytes().await.ok()?.to_vec() })
    }
}

impl IntoFuture for Request {
    type Output = Answer;
    type IntoFuture = Pin<Box<dyn Future<Output = Answer> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async { self.answered().await.expect("the server answers") })
    }
}

/// What came back.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    /// Holds the status.
    #[track_caller]
    pub(crate) fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{}", String::from_utf8_lossy(&self.body));
        self
    }

    /// Holds the status and that an OperationOutcome says why; its first issue.
    #[track_caller]
    pub(crate) fn refused(self, status: u16) -> Value {
        let answer = self.expect(status);
        let outcome = answer.json();
        assert_eq!(outcome["resourceType"], "OperationOutcome", "{outcome}");
        assert!(matches!(outcome["issue"][0]["severity"].as_str(), Some("error" | "fatal")), "{outcome}");
        outcome["issue"][0].clone()
    }

    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&self.body)))
    }

    /// The value of a header; empty where it is not there.
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// `Type/id` of the instance that `Location` names.
    #[track_caller]
    pub(crate) fn place(&self) -> String {
        let location = self.header("Location");
        let instance = location.split("/_history/").next().unwrap();
        let mut parts = instance.rsplit('/');
        let (id, kind) = (parts.next().unwrap(), parts.next().unwrap_or_else(|| panic!("no place in {location:?}")));
        format!("{kind}/{id}")
    }

    /// The resources of a Bundle.
    #[track_caller]
    pub(crate) fn resources(&self) -> Vec<Value> {
        let bundle = self.json();
        let entries = bundle["entry"].as_array().cloned().unwrap_or_default();
        entries.iter().map(|entry| entry["resource"].clone()).collect()
    }

    /// The URL of a link of a Bundle.
    pub(crate) fn link(&self, relation: &str) -> Option<String> {
        let bundle = self.json();
        let links = bundle["link"].as_array()?.clone();
        links.iter().find(|link| link["relation"] == relation).map(|link| link["url"].as_str().unwrap().to_owned())
    }
}
