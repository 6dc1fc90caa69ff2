//! Binary in its two forms: the resource, and the content it holds (R4 binary.html §rest).

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;

use super::fill::string_of;
use super::{Body, Content, Data, Engine, Format, Wanted};
use crate::fhir::InstanceId;
use crate::fhir::json::{Node, Tree, push_string};
use crate::outcome::{Failure, Outcome};
use crate::store::{Form, Text};

/// Room for what stands around the data, in bytes.
const ENVELOPE_LEN: usize = 256;
/// Stands for data that is kept elsewhere, until it is cut out.
const STAND_IN: &str = "AAAA";
/// The type of content whose type nobody said (RFC 9110 §8.3).
const UNKNOWN_CONTENT: &str = "application/octet-stream";

/// The Binary that holds `content` under `id`, in JSON; what is itself a Binary in FHIR stays what it is (BIN-04).
pub(super) fn wrapped<'c>(content: &'c Content, id: Option<&InstanceId>) -> Cow<'c, [u8]> {
    let (content_type, security_context) = match &content.format {
        Format::Entry => return Cow::Borrowed(&content.bytes),
        Format::Json { content_type } if is_binary_or_unreadable(&content.bytes, content_type) => {
            return Cow::Borrowed(&content.bytes);
        }
        Format::Json { content_type } => (content_type, None),
        Format::Raw { content_type, security_context } => (content_type, security_context.as_deref()),
    };
    let mut json = String::with_capacity(content.bytes.len().div_ceil(3) * 4 + ENVELOPE_LEN).into_bytes();
    json.extend(b"{\"resourceType\":\"Binary\"");
    if let Some(id) = id {
        json.extend(b",\"id\":");
        push_string(id.as_str(), &mut json);
    }
    json.extend(b",\"contentType\":");
    push_string(content_type, &mut json);
    if let Some(reference) = security_context {
        json.extend(b",\"securityContext\":{\"reference\":");
        push_string(reference, &mut json);
        json.push(b'}');
    }
    json.extend(b",\"data\":\"");
    match content.staged {
        Some(_) => json.extend(STAND_IN.as_bytes()),
        None => json.extend(STANDARD.encode(&content.bytes).into_bytes()),
    }
    json.extend(b"\"}");
    Cow::Owned(json)
}

/// Whether what calls itself FHIR in JSON is a Binary, or is so broken that its sender must be told.
fn is_binary_or_unreadable(bytes: &[u8], content_type: &str) -> bool {
    match Tree::parse(bytes) {
        Ok(tree) => is_binary(&tree),
        Err(_) => content_type.contains("fhir"),
    }
}

fn is_binary(tree: &Tree<'_>) -> bool {
    tree.root().member("resourceType").and_then(Node::string).is_some_and(|name| name == "Binary")
}

/// A stored Binary in the form that is wanted.
///
/// # Errors
/// A stored Binary that is none: a bug.
pub(super) fn rendered(stored: Text, wanted: &Wanted) -> Outcome<Body> {
    if *wanted == Wanted::Resource {
        return Ok(Body::Resource(stored));
    }
    let said = Said::by(&stored)?;
    if let Wanted::ContentOfType(only) = wanted
        && !is_of_type(&said.content_type, only)
    {
        return Ok(Body::Resource(stored));
    }
    Ok(Body::Content { content_type: said.content_type, security_context: said.security_context, data: said.data })
}

/// The same, its data as bytes: what was kept as it was written is decoded.
///
/// # Errors
/// The content cannot be read.
pub(super) async fn as_bytes(engine: &Engine, body: Body) -> Outcome<Body> {
    match body {
        Body::Content { content_type, security_context, data: Data::Resting(hole) } if hole.form() == Form::Verbatim => {
            let data = Data::Whole(decoded(&string_of(engine, &hole).await?)?);
            Ok(Body::Content { content_type, security_context, data })
        }
        body => Ok(body),
    }
}

/// What a stored Binary says in its members.
struct Said {
    content_type: Box<str>,
    security_context: Option<Box<str>>,
    data: Data,
}

impl Said {
    fn by(stored: &Text) -> Outcome<Self> {
        let tree = Tree::parse(stored.json()).map_err(Failure::fault)?;
        let text = |name: &str| tree.root().member(name).and_then(Node::string);
        let context = tree.root().member("securityContext").and_then(|node| node.member("reference")).and_then(Node::string);
        let hole = tree.root().member("data").and_then(|data| stored.hole_at(data.span().start + 1));
        Ok(Self {
            content_type: text("contentType").unwrap_or(Cow::Borrowed(UNKNOWN_CONTENT)).into(),
            security_context: context.map(Into::into),
            data: match hole {
                Some(hole) => Data::Resting(*hole),
                None => Data::Whole(decoded(text("data").as_deref().unwrap_or_default())?),
            },
        })
    }
}

/// Whether `content_type` is `only`, parameters aside.
fn is_of_type(content_type: &str, only: &str) -> bool {
    content_type.split(';').next().is_some_and(|essence| essence.trim().eq_ignore_ascii_case(only))
}

/// `base64Binary` may hold blanks (R4 datatypes.html).
fn decoded(data: &str) -> Outcome<Bytes> {
    let decode = |text: &[u8]| STANDARD.decode(text).map(Bytes::from).map_err(Failure::fault);
    if data.bytes().any(|byte| byte.is_ascii_whitespace()) {
        let compact: Vec<u8> = data.bytes().filter(|byte| !byte.is_ascii_whitespace()).collect();
        return decode(&compact);
    }
    decode(data.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn raw(bytes: &'static [u8], content_type: &str) -> Content {
        let format = Format::Raw { content_type: content_type.into(), security_context: Some("Patient/p1".into()) };
        Content::of(Bytes::from_static(bytes), format)
    }

    fn fhir(bytes: &'static [u8]) -> Content {
        let format = Format::Json { content_type: "application/fhir+json".into() };
        Content::of(Bytes::from_static(bytes), format)
    }

    #[test]
    fn raw_content_comes_back_byte_for_byte_with_its_type_and_security_context() {
        let content = raw(b"%PDF-1.7\n\x00\xff", "application/pdf");
        let stored = Bytes::from(wrapped(&content, None).into_owned());
        let Body::Content { content_type, security_context, data } = rendered(stored.into(), &Wanted::Content).unwrap() else {
            panic!()
        };
        assert_eq!((&*content_type, security_context.as_deref()), ("application/pdf", Some("Patient/p1")));
        assert_eq!(data, Data::Whole(content.bytes));
    }

    #[test]
    fn a_binary_sent_as_fhir_stays_what_it_is_and_another_resource_becomes_content() {
        let binary = fhir(br#"{"resourceType":"Binary","contentType":"text/plain","data":"aGk="}"#);
        assert_eq!(wrapped(&binary, None), &binary.bytes[..]);
        let patient = fhir(br#"{"resourceType":"Patient"}"#);
        let stored = Bytes::from(wrapped(&patient, None).into_owned());
        let Body::Content { content_type, data, .. } = rendered(stored.into(), &Wanted::Content).unwrap() else { panic!() };
        assert_eq!((&*content_type, data), ("application/fhir+json", Data::Whole(patient.bytes)));
    }

    #[test]
    fn a_generic_type_gets_the_content_only_where_the_content_is_of_it() {
        let json = Bytes::from(wrapped(&raw(b"{}", "application/json; charset=utf-8"), None).into_owned());
        let pdf = Bytes::from(wrapped(&raw(b"%PDF", "application/pdf"), None).into_owned());
        let wanted = Wanted::ContentOfType("application/json".into());
        assert!(matches!(rendered(json.into(), &wanted).unwrap(), Body::Content { .. }));
        assert!(matches!(rendered(pdf.into(), &wanted).unwrap(), Body::Resource(_)));
    }

    #[test]
    fn blanks_within_the_data_do_not_matter() {
        let stored = Bytes::from_static(br#"{"resourceType":"Binary","contentType":"text/plain","data":"aG\nk ="}"#);
        let Body::Content { data, .. } = rendered(stored.into(), &Wanted::Content).unwrap() else { panic!() };
        assert_eq!(data, Data::Whole(Bytes::from_static(b"hi")));
    }
}
