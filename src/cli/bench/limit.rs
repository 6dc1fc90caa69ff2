//! The yardstick over HTTP: a handler that does nothing but take the same requests in and answer the same bytes.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use actix_web::http::StatusCode;
use actix_web::http::header::{HeaderName, HeaderValue};
use actix_web::{App, HttpResponse, HttpServer, web};
use serde::{Deserialize, Serialize};

use super::client::Answer;
use crate::cli::output;

/// Header fields that the HTTP library writes itself.
const WRITTEN_ANYWAY: [&str; 4] = ["date", "content-length", "connection", "transfer-encoding"];
const BODY_LIMIT_BYTES: usize = 64 * 1024 * 1024;
const ENDING: &str = "answer";

/// An answer as it is kept for the yardstick.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq, Serialize)]
pub(super) struct Recorded {
    status: u16,
    headers: Vec<(String, String)>,
    body: String,
}

impl Recorded {
    /// What `answer` said.
    pub(super) fn of(answer: &Answer<'_>) -> Self {
        let head = String::from_utf8_lossy(answer.head);
        let fields = head.lines().skip(1).filter_map(|line| line.split_once(':'));
        let fields = fields.map(|(name, value)| (name.trim().to_lowercase(), value.trim().to_owned()));
        let headers = fields.filter(|(name, _)| !WRITTEN_ANYWAY.contains(&name.as_str())).collect();
        Self { status: answer.status, headers, body: String::from_utf8_lossy(answer.body).into_owned() }
    }

    /// Keeps it under `name` in `folder`.
    pub(super) fn keep(&self, folder: &Path, name: &str) -> Result<(), String> {
        let text = serde_json::to_vec(self).map_err(|error| error.to_string())?;
        std::fs::write(folder.join(name).with_extension(ENDING), text).map_err(|error| error.to_string())
    }
}

/// An answer ready to be sent.
struct Ready {
    status: StatusCode,
    headers: Vec<(HeaderName, HeaderValue)>,
    body: web::Bytes,
}

type Answers = HashMap<String, Ready>;

/// Serves what is kept in `folder`, each under its name, until the process is ended.
pub(super) async fn serve(folder: &Path) -> Result<(), String> {
    let answers = web::Data::from(Arc::new(read(folder)?));
    let server = HttpServer::new(move || {
        App::new().app_data(answers.clone()).app_data(web::PayloadConfig::new(BODY_LIMIT_BYTES)).default_service(web::to(answer))
    });
    let server = server.bind(SocketAddr::from(([127, 0, 0, 1], 0))).map_err(|error| error.to_string())?;
    for address in server.addrs() {
        output::say(format_args!("listening on http://{address}"));
    }
    server.run().await.map_err(|error| error.to_string())
}

/// The path of a request begins with the name of its answer.
async fn answer(request: actix_web::HttpRequest, _body: web::Bytes, answers: web::Data<Answers>) -> HttpResponse {
    let name = request.path().split('/').nth(1).unwrap_or_default();
    let Some(ready) = answers.get(name) else { return HttpResponse::NotFound().finish() };
    let mut response = HttpResponse::build(ready.status);
    for (name, value) in &ready.headers {
        response.insert_header((name.clone(), value.clone()));
    }
    response.body(ready.body.clone())
}

fn read(folder: &Path) -> Result<Answers, String> {
    let mut answers = Answers::new();
    for file in std::fs::read_dir(folder).map_err(|error| error.to_string())? {
        let path = file.map_err(|error| error.to_string())?.path();
        if path.extension().is_some_and(|ending| ending == ENDING) {
            let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
            let text = std::fs::read(&path).map_err(|error| error.to_string())?;
            let recorded: Recorded = serde_json::from_slice(&text).map_err(|error| error.to_string())?;
            answers.insert(name, ready(recorded)?);
        }
    }
    Ok(answers)
}

fn ready(recorded: Recorded) -> Result<Ready, String> {
    let status = StatusCode::from_u16(recorded.status).map_err(|error| error.to_string())?;
    let mut headers = Vec::with_capacity(recorded.headers.len());
    for (name, value) in recorded.headers {
        let name = HeaderName::try_from(name).map_err(|error| error.to_string())?;
        headers.push((name, HeaderValue::try_from(value).map_err(|error| error.to_string())?));
    }
    Ok(Ready { status, headers, body: recorded.body.into() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_kept_with_what_the_library_does_not_write_itself() {
        let head = b"HTTP/1.1 201 Created\r\ncontent-length: 2\r\nETag: W/\"1\"\r\ndate: now\r\n\r\n";
        let recorded = Recorded::of(&Answer { status: 201, head, body: b"{}" });
        assert_eq!(recorded.headers, [("etag".to_owned(), "W/\"1\"".to_owned())]);
        let folder = tempfile::tempdir().unwrap();
        recorded.keep(folder.path(), "create").unwrap();
        let answers = read(folder.path()).unwrap();
        assert_eq!(answers["create"].status, StatusCode::CREATED);
        assert_eq!(answers["create"].body.as_ref(), b"{}");
    }
}
