//! The lexical forms of the primitive types (R4 datatypes.html §primitive), checked by hand instead of by regular expressions.

use crate::definition::Primitive;
use crate::fhir::date::{Form, PartialDate, Time};
use crate::fhir::id::is_id;
use crate::fhir::json::Node;

/// The longest string, in characters.
const MAX_STRING_CHARS: usize = 1024 * 1024;

/// What is wrong with the value of a primitive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// It is written as another kind of JSON value.
    Shape(&'static str),
    /// It is not in the value space of its type.
    Form(&'static str),
}

/// The fault of `value` as a value of `primitive`, if it has one.
pub(super) fn fault(primitive: Primitive, value: Node<'_>) -> Option<Fault> {
    if value.kind() != primitive.json() {
        return Some(Fault::Shape(written_as(primitive)));
    }
    let is_right = match value.string() {
        Some(text) => is_text_of(primitive, &text),
        None => is_number_of(primitive, value.raw()),
    };
    (!is_right).then_some(Fault::Form(form(primitive)))
}

/// Whether `text`, as a URL has it, is a value of `primitive`.
pub fn is_primitive(primitive: Primitive, text: &str) -> bool {
    match primitive {
        Primitive::Boolean => matches!(text, "true" | "false"),
        Primitive::Decimal => text.parse::<f64>().is_ok(),
        Primitive::Integer | Primitive::UnsignedInt | Primitive::PositiveInt => is_number_of(primitive, text),
        _ => is_text_of(primitive, text),
    }
}

fn is_number_of(primitive: Primitive, digits: &str) -> bool {
    match primitive {
        Primitive::Integer => is_integer(digits, i32::MIN),
        Primitive::UnsignedInt => is_integer(digits, 0),
        Primitive::PositiveInt => is_integer(digits, 1),
        // JSON knows no other form of numbers and truth values.
        _ => true,
    }
}

/// An integer from `least` to 2,147,483,647, without sign where it is zero.
fn is_integer(digits: &str, least: i32) -> bool {
    digits != "-0" && digits.parse::<i32>().is_ok_and(|number| number >= least)
}

fn is_text_of(primitive: Primitive, text: &str) -> bool {
    match primitive {
        Primitive::String | Primitive::Markdown => is_string(text),
        Primitive::Code => is_code(text),
        Primitive::Id => is_id(text),
        Primitive::Uri | Primitive::Url | Primitive::Canonical => is_uri(text),
        Primitive::Oid => is_oid(text),
        Primitive::Uuid => is_uuid(text),
        Primitive::Date => PartialDate::parse_as(text, Form::Date).is_ok(),
        Primitive::DateTime => PartialDate::parse_as(text, Form::DateTime).is_ok(),
        Primitive::Instant => PartialDate::parse_as(text, Form::Instant).is_ok(),
        Primitive::Time => Time::parse_r4(text).is_ok(),
        Primitive::Base64Binary => is_base64(text.as_bytes()),
        Primitive::Xhtml => is_xhtml(text),
        Primitive::Boolean | Primitive::Decimal | Primitive::Integer | Primitive::PositiveInt | Primitive::UnsignedInt => false,
    }
}

/// Something other than blanks, no control characters (which XML could not carry), and not too long.
fn is_string(text: &str) -> bool {
    let is_clean = !text.bytes().any(|byte| byte < b' ' && !matches!(byte, b'\t' | b'\n' | b'\r'));
    let is_short = text.len() <= MAX_STRING_CHARS || text.chars().count() <= MAX_STRING_CHARS;
    is_clean && is_short && !is_blank(text)
}

fn is_blank(text: &str) -> bool {
    text.chars().all(char::is_whitespace)
}

/// No blanks at either end, and single spaces at most between.
fn is_code(text: &str) -> bool {
    let is_trimmed = text.trim().len() == text.len();
    is_trimmed && !text.is_empty() && text.split(' ').all(|word| !word.is_empty() && !word.contains(char::is_whitespace))
}

fn is_uri(text: &str) -> bool {
    !text.is_empty() && !text.bytes().any(|byte| byte <= b' ')
}

/// `urn:oid:` and at least two arcs, the first of which is 0, 1 or 2.
fn is_oid(text: &str) -> bool {
    let Some(mut arcs) = text.strip_prefix("urn:oid:").map(|arcs| arcs.split('.')) else { return false };
    let is_root = arcs.next().is_some_and(|arc| matches!(arc, "0" | "1" | "2"));
    let is_arc = |arc: &str| {
        let is_number = !arc.is_empty() && arc.bytes().all(|byte| byte.is_ascii_digit());
        is_number && (arc == "0" || !arc.starts_with('0'))
    };
    let mut rest = arcs.peekable();
    is_root && rest.peek().is_some() && rest.all(is_arc)
}

/// `urn:uuid:` and 8-4-4-4-12 lower-case hexadecimal digits.
fn is_uuid(text: &str) -> bool {
    const GROUPS: [usize; 5] = [8, 4, 4, 4, 12];
    let Some(groups) = text.strip_prefix("urn:uuid:").map(|groups| groups.split('-')) else { return false };
    let is_hex = |group: &str| group.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    let lengths = groups.clone().map(str::len);
    lengths.eq(GROUPS) && groups.into_iter().all(is_hex)
}

/// Groups of four letters of the base64 alphabet, padded at the end only; blanks may stand anywhere.
fn is_base64(text: &[u8]) -> bool {
    let (mut letters, mut padding) = (0_usize, 0_usize);
    for byte in text {
        match byte {
            b'=' => padding += 1,
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'+' | b'/' if padding == 0 => letters += 1,
            b' ' | b'\t' | b'\r' | b'\n' => {}
            _ => return false,
        }
    }
    letters > 0 && padding <= 2 && (letters + padding).is_multiple_of(4)
}

/// A single `div` element; what stands inside is not judged here.
fn is_xhtml(text: &str) -> bool {
    let text = text.trim();
    let after = text.strip_prefix("<div").and_then(|rest| rest.bytes().next());
    after.is_some_and(|byte| matches!(byte, b'>' | b'/' | b' ' | b'\t' | b'\r' | b'\n')) && text.ends_with('>')
}

/// What a value of the type looks like in JSON.
fn written_as(primitive: Primitive) -> &'static str {
    match primitive {
        Primitive::Boolean => "must be true or false",
        Primitive::Decimal | Primitive::Integer | Primitive::PositiveInt | Primitive::UnsignedInt => "must be a JSON number",
        Primitive::Base64Binary
        | Primitive::Canonical
        | Primitive::Code
        | Primitive::Date
        | Primitive::DateTime
        | Primitive::Id
        | Primitive::Instant
        | Primitive::Markdown
        | Primitive::Oid
        | Primitive::String
        | Primitive::Time
        | Primitive::Uri
        | Primitive::Url
        | Primitive::Uuid
        | Primitive::Xhtml => "must be a JSON string",
    }
}

/// The value space of the type, in words.
fn form(primitive: Primitive) -> &'static str {
    match primitive {
        Primitive::Base64Binary => "must be base64",
        Primitive::Boolean => "must be true or false",
        Primitive::Canonical | Primitive::Uri | Primitive::Url => "must be a URI, not empty and without blanks",
        Primitive::Code => "must be a code: not empty, no blanks at its ends, single spaces between its words",
        Primitive::Date => "must be a date: YYYY, YYYY-MM or YYYY-MM-DD",
        Primitive::DateTime => "must be a dateTime: a date, or YYYY-MM-DDThh:mm:ss with an offset",
        Primitive::Decimal => "must be a number",
        Primitive::Id => "must be an id: 1 to 64 letters, digits, '-' and '.'",
        Primitive::Instant => "must be an instant: YYYY-MM-DDThh:mm:ss with an offset",
        Primitive::Integer => "must be an integer from -2147483648 to 2147483647",
        Primitive::Markdown | Primitive::String => {
            "must be text: not empty, not blanks only, no control characters, at most 1048576 characters"
        }
        Primitive::Oid => "must be an OID: urn:oid: and its arcs",
        Primitive::PositiveInt => "must be an integer from 1 to 2147483647",
        Primitive::Time => "must be a time: hh:mm:ss",
        Primitive::UnsignedInt => "must be an integer from 0 to 2147483647",
        Primitive::Uuid => "must be a UUID: urn:uuid: and lower-case digits",
        Primitive::Xhtml => "must be one XHTML div element",
    }
}
