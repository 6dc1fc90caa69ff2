//! The head of a request: its place, its query, and the headers that mean something to FHIR.

use std::borrow::Cow;

use actix_web::http::header::{self, HeaderMap, HeaderName};
use actix_web::web::Bytes;
use percent_encoding::percent_decode;

use crate::interaction::{EntityTags, Handling, Preconditions, Prefer, Return, read_parameters};
use crate::outcome::{Failure, Kind, Outcome};

/// `X-Request-Id`
pub(super) const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// `X-Correlation-Id`
pub(super) const CORRELATION_ID: HeaderName = HeaderName::from_static("x-correlation-id");
/// `X-Security-Context`
pub(super) const SECURITY_CONTEXT: HeaderName = HeaderName::from_static("x-security-context");
const PROVENANCE: HeaderName = HeaderName::from_static("x-provenance");
const PREFER: HeaderName = HeaderName::from_static("prefer");
const IF_NONE_EXIST: HeaderName = HeaderName::from_static("if-none-exist");
/// The longest request id that is taken over from a client.
const MAX_REQUEST_ID_LEN: usize = 64;

/// The query of a URL, decoded: what concerns the representation, and the rest.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Query {
    /// `_format`
    pub(super) format: Option<String>,
    /// `_pretty`
    pub(super) is_pretty: bool,
    /// Both, as they were written, in order.
    pub(super) representation: Vec<(String, String)>,
    /// Everything else, in order.
    pub(super) parameters: Vec<(String, String)>,
}

impl Query {
    /// Reads `application/x-www-form-urlencoded` text and adds it.
    ///
    /// # Errors
    /// 400 where it is not UTF-8 once decoded.
    pub(super) fn add(&mut self, text: &[u8]) -> Outcome<()> {
        for (name, value) in read_parameters(text)? {
            match name.as_str() {
                "_format" => self.format = Some(value.clone()),
                "_pretty" => self.is_pretty = value == "true",
                _ => {
                    self.parameters.push((name, value));
                    continue;
                }
            }
            self.representation.push((name, value));
        }
        Ok(())
    }
}

/// The path below the base path, decoded; `None`: it lies elsewhere.
///
/// # Errors
/// 400 where it is not UTF-8 once decoded.
pub(super) fn path_below<'p>(path: &'p str, base: &str) -> Outcome<Option<Cow<'p, str>>> {
    let Some(below) = path.strip_prefix(base).filter(|below| below.is_empty() || below.starts_with('/')) else {
        return Ok(None);
    };
    let decoded = percent_decode(below.as_bytes()).decode_utf8();
    decoded.map(Some).map_err(|_| Failure::new(Kind::InvalidParameter, "the URL is not UTF-8"))
}

/// The value of a header, where it is there and is text.
pub(super) fn text<'h>(headers: &'h HeaderMap, name: &HeaderName) -> Option<&'h str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

/// The client's request id, where it is one we can use: printable, short, and harmless in a log.
pub(super) fn request_id(headers: &HeaderMap) -> Option<&str> {
    let is_usable = |id: &&str| {
        (1..=MAX_REQUEST_ID_LEN).contains(&id.len())
            && id
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b':' | b'/' | b'+' | b'='))
    };
    text(headers, &REQUEST_ID).filter(is_usable)
}

/// The conditions of a request.
///
/// # Errors
/// 400 where `If-Match` or `If-None-Match` is no list of entity tags, or where `If-None-Exist` is no text or comes twice.
pub(super) fn preconditions(headers: &HeaderMap) -> Outcome<Preconditions> {
    Ok(Preconditions {
        if_match: entity_tags(headers, &header::IF_MATCH, "http.If-Match")?,
        if_none_match: entity_tags(headers, &header::IF_NONE_MATCH, "http.If-None-Match")?,
        if_modified_since: text(headers, &header::IF_MODIFIED_SINCE).and_then(seconds),
        if_none_exist: if_none_exist(headers)?,
    })
}

fn if_none_exist(headers: &HeaderMap) -> Outcome<Option<Box<str>>> {
    let mut values = headers.get_all(&IF_NONE_EXIST);
    let Some(value) = values.next() else { return Ok(None) };
    let text = std::str::from_utf8(value.as_bytes()).ok().filter(|_| values.next().is_none());
    let refused = || Failure::new(Kind::InvalidParameter, "one query of a search is a condition").at("http.If-None-Exist");
    text.map(|text| Some(text.into())).ok_or_else(refused)
}

fn entity_tags(headers: &HeaderMap, name: &HeaderName, place: &str) -> Outcome<Option<EntityTags>> {
    let Some(value) = headers.get(name) else { return Ok(None) };
    let tags = value.to_str().ok().and_then(EntityTags::read);
    let refused = || Failure::new(Kind::InvalidParameter, "entity tags look like W/\"3\"").at(place);
    tags.map(Some).ok_or_else(refused)
}

/// An HTTP-date in seconds since the Unix epoch; one that cannot be read is ignored (RFC 9110 §13.1.3).
fn seconds(date: &str) -> Option<i64> {
    let moment = httpdate::parse_http_date(date).ok()?;
    i64::try_from(moment.duration_since(std::time::UNIX_EPOCH).ok()?.as_secs()).ok()
}

/// What the client would rather have. What is not understood is ignored, and of a preference that comes twice the first counts
/// (RFC 7240 §2).
pub(super) fn prefer(headers: &HeaderMap) -> Prefer {
    let mut prefer = Prefer::default();
    let values = headers.get_all(&PREFER).filter_map(|value| value.to_str().ok());
    for preference in values.flat_map(|value| pieces(value, ',')) {
        // What follows a semicolon qualifies the preference; none of those that are understood takes any.
        let preference = pieces(preference, ';').next().unwrap_or_default();
        let (name, value) = preference.split_once('=').unwrap_or((preference, ""));
        let value = value.trim().trim_matches('"');
        match name.trim().to_ascii_lowercase().as_str() {
            "return" => prefer.returns = prefer.returns.or_else(|| Return::named(value)),
            "respond-async" => prefer.is_later = true,
            "handling" => prefer.handling = prefer.handling.or_else(|| Handling::named(value)),
            _ => {}
        }
    }
    prefer
}

/// What stands between separators, those within quotes not counted.
fn pieces(text: &str, separator: char) -> impl Iterator<Item = &str> {
    let mut is_quoted = false;
    text.split(move |character| {
        is_quoted ^= character == '"';
        character == separator && !is_quoted
    })
}

/// The Provenance that comes with a request, as sent.
///
/// # Errors
/// 400 where several do.
pub(super) fn provenance(headers: &HeaderMap) -> Outcome<Option<Bytes>> {
    let mut values = headers.get_all(&PROVENANCE);
    match (values.next(), values.next()) {
        (None, _) => Ok(None),
        (Some(value), None) => Ok(Some(Bytes::copy_from_slice(value.as_bytes()))),
        (Some(_), Some(_)) => Err(Failure::new(Kind::Malformed, "one Provenance comes with a request").at("http.X-Provenance")),
    }
}

#[cfg(test)]
mod tests {
    use actix_web::http::header::HeaderValue;

    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        let mut map = HeaderMap::new();
        for (name, value) in pairs {
            map.append(HeaderName::from_static(name), HeaderValue::from_static(value));
        }
        map
    }

    #[test]
    fn what_concerns_the_representation_is_taken_out_of_the_query() {
        let mut query = Query::default();
        query.add(b"name=a&_format=application/fhir+json&_pretty=true").unwrap();
        assert_eq!(query.parameters, [(String::from("name"), String::from("a"))]);
        assert_eq!((query.format.as_deref(), query.is_pretty), (Some("application/fhir json"), true));
    }

    #[test]
    fn a_path_elsewhere_is_none_of_ours() {
        assert_eq!(path_below("/fhir/Patient/p%31", "/fhir").unwrap().as_deref(), Some("/Patient/p1"));
        assert_eq!(path_below("/fhir", "/fhir").unwrap().as_deref(), Some(""));
        assert_eq!(path_below("/fhirs/Patient", "/fhir").unwrap(), None);
        assert_eq!(path_below("/Patient", "").unwrap().as_deref(), Some("/Patient"));
    }

    #[test]
    fn preferences_come_in_one_header_or_in_several() {
        let read = |values: &[&'static str]| prefer(&headers(&values.iter().map(|value| ("prefer", *value)).collect::<Vec<_>>()));
        let both = Prefer { returns: Some(Return::Minimal), handling: Some(Handling::Lenient), is_later: false };
        assert_eq!(read(&["respond-async, return=minimal; x=y", "handling=\"lenient\""]), Prefer { is_later: true, ..both });
        assert_eq!(read(&["Return=minimal , HANDLING = lenient"]), both);
        assert_eq!(read(&["foo=\"a,return=representation\", return=minimal", "handling=lenient, return=representation"]), both);
        assert_eq!(read(&["return=unheard-of; return=minimal, handling", "x; handling=strict"]), Prefer::default());
    }

    proptest::proptest! {
        #[test]
        fn whatever_stands_around_a_preference_it_is_read_and_nothing_panics(before in "[ -~]{0,20}", names in "[a-z\"=;, ]{0,30}") {
            let around = |text: &str| {
                let mut map = HeaderMap::new();
                map.append(PREFER, HeaderValue::from_str(text).unwrap());
                prefer(&map)
            };
            let _ = (around(&before), around(&names));
            let told = around(&format!("x=\"{}\" , return=minimal;{names}", before.replace('"', "'")));
            proptest::prop_assert_eq!(told.returns, Some(Return::Minimal));
        }
    }

    #[test]
    fn one_provenance_comes_with_a_request() {
        assert_eq!(provenance(&headers(&[])).unwrap(), None);
        assert_eq!(provenance(&headers(&[("x-provenance", "{}")])).unwrap().as_deref(), Some(&b"{}"[..]));
        assert!(provenance(&headers(&[("x-provenance", "{}"), ("x-provenance", "{}")])).is_err());
    }

    #[test]
    fn a_request_id_that_could_forge_a_log_line_is_not_taken_over() {
        assert_eq!(request_id(&headers(&[("x-request-id", "a-1.b")])), Some("a-1.b"));
        for refused in ["", "a b", "a\"b", "<x>", "0123456789012345678901234567890123456789012345678901234567890123456789"] {
            assert_eq!(request_id(&headers(&[("x-request-id", refused)])), None, "{refused}");
        }
    }

    #[test]
    fn conditions_are_read_or_refused() {
        let read =
            preconditions(&headers(&[("if-match", "W/\"3\""), ("if-modified-since", "Tue, 14 Nov 2023 22:13:20 GMT")])).unwrap();
        assert!(read.if_match.is_some());
        assert_eq!(read.if_modified_since, Some(1_700_000_000));
        assert_eq!(preconditions(&headers(&[("if-match", "3")])).unwrap_err().kind(), Kind::InvalidParameter);
        let exists = |values: &[&'static str]| {
            preconditions(&headers(&values.iter().map(|value| ("if-none-exist", *value)).collect::<Vec<_>>()))
        };
        assert_eq!(exists(&["identifier=1"]).unwrap().if_none_exist.as_deref(), Some("identifier=1"));
        assert_eq!(exists(&["identifier=1", "identifier=2"]).unwrap_err().kind().status(), 400);
        assert_eq!(preconditions(&headers(&[("if-modified-since", "yesterday")])).unwrap().if_modified_since, None);
    }
}
