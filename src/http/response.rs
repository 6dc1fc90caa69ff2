//! Answers as HTTP: status, headers, bytes.

use actix_web::body::{BodySize, MessageBody as _};
use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderMap, HeaderValue};
use actix_web::web::Bytes;
use actix_web::{HttpResponse, HttpResponseBuilder};

use super::head::{CORRELATION_ID, REQUEST_ID, SECURITY_CONTEXT};
use super::media::{self, Media};
use super::pretty::pretty;
use super::range::{self, Asked};
use super::sending::Sending;
use crate::interaction::{Body, Data, Later, Layout, PATCH_FORMATS, Response, Status, Tag, in_xml};
use crate::outcome::{Failure, Kind, Outcome, operation_outcome};

/// How an answer is to look.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Look {
    pub(super) media: Media,
    pub(super) is_pretty: bool,
    /// What `Allow` says, where the verb was refused.
    pub(super) allowed: Option<String>,
}

const PREFERENCE_APPLIED: &str = "preference-applied";
/// Content of others is shown, never run (BIN-08).
const INERT: &str = "default-src 'none'; frame-ancestors 'none'; sandbox";
/// Seconds after which a busy server may be asked again.
const RETRY_AFTER_SECONDS: &str = "1";
/// The longest `X-Request-Id` of a client that is told back as `X-Correlation-Id`.
const MAX_CORRELATION_ID_LEN: usize = 256;

/// The answer to a request that was done.
///
/// # Errors
/// A content that cannot be read.
pub(super) async fn rendered(response: Response, look: &Look, sending: &Sending<'_>) -> Outcome<HttpResponse> {
    let mut builder = begun(StatusCode::from_u16(response.status.code()).unwrap_or(StatusCode::OK));
    match response.tag {
        Some(Tag::Version(version)) => insert(&mut builder, header::ETAG, format!("W/\"{version}\"")),
        Some(Tag::Digest(digest)) => insert(&mut builder, header::ETAG, format!("W/\"{digest:016x}\"")),
        None => {}
    }
    if let Some(updated) = response.updated {
        insert(&mut builder, header::LAST_MODIFIED, updated.http_date());
    }
    // A Location belongs to what is new (RFC 9110 §10.2.2), and to what criteria were found to mean.
    let is_news = response.status == Status::Created || !sending.names_instance;
    if let Some(location) = response.location.as_ref().filter(|_| is_news) {
        insert(&mut builder, header::LOCATION, location.url(sending.engine.base_url()));
    }
    match &response.later {
        Some(Later::At(url)) => insert(&mut builder, header::CONTENT_LOCATION, url.clone()),
        Some(Later::Progress(said)) => {
            builder.insert_header(("x-progress", said.as_str()));
            builder.insert_header((header::RETRY_AFTER, HeaderValue::from_static(RETRY_AFTER_SECONDS)));
        }
        Some(Later::Until(moment)) => insert(&mut builder, header::EXPIRES, moment.http_date()),
        None => {}
    }
    if let Some(applied) = response.applied.listed() {
        builder.insert_header((PREFERENCE_APPLIED, applied));
    }
    match response.body {
        Body::Empty => Ok(builder.finish()),
        Body::Resource(text) => {
            builder.insert_header((header::CONTENT_TYPE, HeaderValue::from_static(look.media.name())));
            Ok(builder.body(sending.resource(&text, look).await?))
        }
        Body::Lines { text, links } => {
            builder.insert_header((header::CONTENT_TYPE, HeaderValue::from_static(media::LINES)));
            let links: Vec<String> = links.iter().map(|(relation, url)| format!("<{url}>; rel=\"{relation}\"")).collect();
            if !links.is_empty() {
                insert(&mut builder, header::LINK, links.join(", "));
            }
            Ok(builder.body(sending.resource(&text, &Look::default()).await?))
        }
        Body::Content { content_type, security_context, data } => {
            insert(&mut builder, header::CONTENT_TYPE, content_type.into());
            builder.insert_header((header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(INERT)));
            builder.insert_header((header::ACCEPT_RANGES, HeaderValue::from_static("bytes")));
            if let Some(reference) = security_context {
                insert(&mut builder, SECURITY_CONTEXT, reference.into());
            }
            content(builder, (&data, response.tag), look, sending).await
        }
    }
}

/// The content of a Binary, or the part of it that is asked for.
async fn content(
    mut builder: HttpResponseBuilder,
    (data, tag): (&Data, Option<Tag>),
    look: &Look,
    sending: &Sending<'_>,
) -> Outcome<HttpResponse> {
    let size = data.size();
    match range::asked(sending.range.filter(|_| range::is_same(sending.if_range, tag)), size) {
        Asked::Whole => Ok(builder.body(sending.content(data, None).await?)),
        Asked::Part(part) => {
            insert(&mut builder, header::CONTENT_RANGE, format!("bytes {}-{}/{size}", part.start, part.end - 1));
            builder.status(StatusCode::PARTIAL_CONTENT);
            Ok(builder.body(sending.content(data, Some(part)).await?))
        }
        Asked::Nothing => {
            let failure = Failure::new(Kind::NoSuchRange, format!("the content has {size} bytes")).at("http.Range");
            let mut refused = refused(&failure, look);
            if let Ok(value) = HeaderValue::try_from(format!("bytes */{size}")) {
                refused.headers_mut().insert(header::CONTENT_RANGE, value);
            }
            Ok(refused)
        }
    }
}

/// The answer to a request that was refused: the OperationOutcome that says why.
pub(super) fn refused(failure: &Failure, look: &Look) -> HttpResponse {
    let mut builder = begun(StatusCode::from_u16(failure.kind().status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR));
    if let Some(version) = failure.version() {
        insert(&mut builder, header::ETAG, format!("W/\"{version}\""));
    }
    if let Some(allowed) = &look.allowed {
        insert(&mut builder, header::ALLOW, allowed.clone());
    }
    match failure.kind() {
        Kind::Unauthenticated => {
            builder.insert_header((header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"carnet\"")));
        }
        Kind::Unavailable | Kind::Throttled => {
            builder.insert_header((header::RETRY_AFTER, HeaderValue::from_static(RETRY_AFTER_SECONDS)));
        }
        // The rest of such a body is not waited for.
        Kind::TooLarge | Kind::TooSlow => {
            builder.force_close();
        }
        _ => {}
    }
    with_outcome(builder, operation_outcome(failure.issues()).to_string(), look)
}

/// `refused`, and which patches are read instead (RFC 5789 §2.2).
pub(super) fn accepting_patches(mut refused: HttpResponse) -> HttpResponse {
    if let Ok(value) = HeaderValue::from_str(&PATCH_FORMATS.join(", ")) {
        refused.headers_mut().insert(header::HeaderName::from_static("accept-patch"), value);
    }
    refused
}

/// What stands at `/`, outside the service: where the service is.
pub(super) fn signpost(base_url: &str) -> HttpResponse {
    let mut builder = begun(StatusCode::OK);
    insert(&mut builder, header::CONTENT_TYPE, String::from("text/plain; charset=utf-8"));
    builder.body(format!("Carnet, a FHIR R4 server.\n\nservice base URL  {base_url}\nwhat it offers    {base_url}/metadata\n"))
}

/// `response` under the id of its request; `headers`: those of a client whose own id could not be used, which is told back.
pub(super) fn identified(mut response: HttpResponse, request_id: &str, headers: Option<&HeaderMap>) -> HttpResponse {
    let own = headers.and_then(|headers| headers.get(&REQUEST_ID)).filter(|own| own.len() <= MAX_CORRELATION_ID_LEN);
    if let Some(own) = own {
        response.headers_mut().insert(CORRELATION_ID, own.clone());
    }
    if let Ok(value) = HeaderValue::from_str(request_id) {
        response.headers_mut().insert(REQUEST_ID, value);
    }
    response
}

/// How many bytes the body of an answer has.
pub(super) fn length(response: &HttpResponse) -> u64 {
    match response.body().size() {
        BodySize::Sized(length) => length,
        BodySize::None | BodySize::Stream => 0,
    }
}

/// What every answer says: it is what it says it is, and nobody keeps it on the way.
fn begun(status: StatusCode) -> HttpResponseBuilder {
    let mut builder = HttpResponse::build(status);
    builder.insert_header((header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")));
    builder.insert_header((header::CACHE_CONTROL, HeaderValue::from_static("no-store")));
    builder
}

/// Sets a header; a value that HTTP cannot carry is left out.
fn insert(builder: &mut HttpResponseBuilder, name: header::HeaderName, value: String) {
    if let Ok(value) = HeaderValue::try_from(value) {
        builder.insert_header((name, value));
    }
}

fn with_outcome(mut builder: HttpResponseBuilder, json: String, look: &Look) -> HttpResponse {
    builder.insert_header((header::CONTENT_TYPE, HeaderValue::from_static(look.media.name())));
    let json = Bytes::from(json);
    match (look.media.is_xml(), look.is_pretty) {
        (true, is_pretty) => {
            let layout = if is_pretty { Layout::Indented } else { Layout::Compact };
            let xml = in_xml(&json.clone().into(), layout).map(|text| text.json().clone());
            builder.body(xml.unwrap_or(json))
        }
        (false, true) => builder.body(pretty(&json)),
        (false, false) => builder.body(json),
    }
}
