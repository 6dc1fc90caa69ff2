//! JSON written out of a tree: the same strings and digits, without the blanks between them.

use super::node::{JsonKind, Node};
use crate::fhir::{InstanceId, Instant, ResourceType, VersionId};

/// What the server itself says of a version: its id, its number, its moment.
#[derive(Clone, Copy, Debug)]
pub struct Stamp<'a> {
    /// The logical id.
    pub id: &'a InstanceId,
    /// `meta.versionId`
    pub version: VersionId,
    /// `meta.lastUpdated`
    pub updated: Instant,
}

impl Stamp<'_> {
    /// What the bytes of a resource of type `kind` begin with that bears this stamp; the rest is what its author said.
    pub fn opening(&self, kind: ResourceType) -> String {
        let Self { id, version, updated } = self;
        format!(
            "{{\"resourceType\":\"{kind}\",\"id\":\"{id}\",\"meta\":{{\"versionId\":\"{version}\",\"lastUpdated\":\"{updated}\""
        )
    }
}

/// Room for the id, version and moment that a stamp adds, in bytes.
const STAMP_LEN: usize = 192;

/// The bytes of a resource as they are stored and served: compact JSON, first `resourceType`, `id` and `meta`, then every other
/// member in its order. `meta` begins with `versionId` and `lastUpdated`, which are the stamp's; the rest of it is kept.
/// `replace` may give other JSON text for a node, such as a reference that now names another place; it is asked about every
/// value from the outside in, except the id and the `meta` object itself, and not about what lies in a value it has replaced.
pub fn stamped(root: Node<'_>, stamp: &Stamp<'_>, replace: &dyn Fn(Node<'_>) -> Option<String>) -> Vec<u8> {
    let mut out = Vec::with_capacity(root.raw().len() + STAMP_LEN);
    let mut writer = Writer { out: &mut out, replace: Some(replace) };
    if root.kind() == JsonKind::Object {
        writer.resource(root, stamp);
    } else {
        writer.value(root);
    }
    out
}

/// Appends `node` without the blanks between its tokens; strings and numbers stay as they were written.
pub fn compact(node: Node<'_>, out: &mut Vec<u8>) {
    Writer { out, replace: None }.value(node);
}

/// Appends `node` as [`compact`] does, with other JSON text where `replace` gives some.
pub fn rewritten(node: Node<'_>, replace: &dyn Fn(Node<'_>) -> Option<String>, out: &mut Vec<u8>) {
    Writer { out, replace: Some(replace) }.value(node);
}

/// Appends `text` as a JSON string, in quotes, escaping what RFC 8259 §7 says must be and nothing else.
pub fn push_string(text: &str, out: &mut Vec<u8>) {
    out.push(b'"');
    let mut rest = text.as_bytes();
    while let Some((plain, [special, after @ ..])) =
        rest.iter().position(|byte| is_escaped(*byte)).and_then(|at| rest.split_at_checked(at))
    {
        out.extend(plain);
        push_escaped(*special, out);
        rest = after;
    }
    out.extend(rest);
    out.push(b'"');
}

/// Whether a byte of a string cannot stand in JSON as it is.
const fn is_escaped(byte: u8) -> bool {
    matches!(byte, b'"' | b'\\' | 0..0x20)
}

fn push_escaped(byte: u8, out: &mut Vec<u8>) {
    match byte {
        b'\n' => out.extend(b"\\n"),
        b'\r' => out.extend(b"\\r"),
        b'\t' => out.extend(b"\\t"),
        0..0x20 => out.extend([b'\\', b'u', b'0', b'0', b'0' + (byte >> 4), hex_digit(byte & 15)]),
        _ => out.extend([b'\\', byte]),
    }
}

fn hex_digit(value: u8) -> u8 {
    if value < 10 { b'0' + value } else { b'a' + value - 10 }
}

type Replace<'r> = dyn Fn(Node<'_>) -> Option<String> + 'r;

struct Writer<'w> {
    out: &'w mut Vec<u8>,
    replace: Option<&'w Replace<'w>>,
}

impl Writer<'_> {
    fn resource(&mut self, root: Node<'_>, stamp: &Stamp<'_>) {
        let meta = root.member("meta");
        self.out.push(b'{');
        if let Some(kind) = root.member("resourceType") {
            self.member(kind);
            self.out.push(b',');
        }
        self.out.extend(b"\"id\":");
        push_string(stamp.id.as_str(), self.out);
        self.out.extend(b",\"meta\":{\"versionId\":");
        push_string(&stamp.version.to_string(), self.out);
        self.out.extend(b",\"lastUpdated\":");
        push_string(&stamp.updated.to_string(), self.out);
        self.members_after(meta, &["versionId", "_versionId", "lastUpdated", "_lastUpdated"]);
        self.out.push(b'}');
        self.members_after(Some(root), &["resourceType", "id", "meta"]);
        self.out.push(b'}');
    }

    /// Every member of `object` that has none of the names in `without`, each after a comma.
    fn members_after(&mut self, object: Option<Node<'_>>, without: &[&str]) {
        let Some(object) = object.filter(|node| node.kind() == JsonKind::Object) else { return };
        for member in object.children() {
            if !without.iter().any(|name| member.is_named(name)) {
                self.out.push(b',');
                self.member(member);
            }
        }
    }

    fn member(&mut self, member: Node<'_>) {
        self.out.extend(member.raw_key().as_bytes());
        self.out.push(b':');
        self.value(member);
    }

    fn value(&mut self, node: Node<'_>) {
        if !node.is_spaced() {
            self.copy(node);
            return;
        }
        if let Some(text) = self.replacement(node) {
            self.out.extend(text.as_bytes());
            return;
        }
        match node.kind() {
            JsonKind::Object => self.list(node, *b"{}", Self::member),
            JsonKind::Array => self.list(node, *b"[]", Self::value),
            JsonKind::String | JsonKind::Number | JsonKind::Boolean | JsonKind::Null => self.out.extend(node.raw().as_bytes()),
        }
    }

    /// Writes a node of a text without blanks: its bytes as they are, but for what is replaced.
    fn copy(&mut self, node: Node<'_>) {
        let (source, end) = (node.source().as_bytes(), node.span().end);
        let mut copied = node.span().start;
        let mut at = self.replace.and(Some(node));
        while let Some(inner) = at.filter(|inner| inner.span().start < end) {
            let Some(text) = self.replacement(inner) else {
                at = inner.successor();
                continue;
            };
            self.out.extend(source.get(copied..inner.span().start).unwrap_or_default());
            self.out.extend(text.as_bytes());
            copied = inner.span().end;
            at = inner.following();
        }
        self.out.extend(source.get(copied..end).unwrap_or_default());
    }

    fn replacement(&self, node: Node<'_>) -> Option<String> {
        self.replace.and_then(|replace| replace(node))
    }

    fn list(&mut self, node: Node<'_>, [open, close]: [u8; 2], write: impl Fn(&mut Self, Node<'_>)) {
        self.out.push(open);
        for (position, child) in node.children().enumerate() {
            if position > 0 {
                self.out.push(b',');
            }
            write(self, child);
        }
        self.out.push(close);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fhir::json::Tree;

    fn stamp_of(source: &str, replace: &dyn Fn(Node<'_>) -> Option<String>) -> String {
        let tree = Tree::parse(source.as_bytes()).unwrap();
        let id = "p1".parse().unwrap();
        let stamp = Stamp { id: &id, version: VersionId(2), updated: Instant::from_micros(1_700_000_000_000_001) };
        String::from_utf8(stamped(tree.root(), &stamp, replace)).unwrap()
    }

    #[test]
    fn a_stamped_resource_begins_with_its_type_id_and_meta() {
        let source = r#" { "active" : true, "meta": {"versionId":"9", "_versionId":{"id":"x"}, "profile": ["http://a.example/p"],
            "lastUpdated":"1999-01-01T00:00:00Z", "_lastUpdated":{"id":"y"}}, "id":"other", "_id":{"id":"z"},
            "resourceType":"Patient", "name":[ {"family" : "Dup\u00f4nt \/ \"B\""} ] } "#;
        assert_eq!(
            stamp_of(source, &|_| None),
            concat!(
                r#"{"resourceType":"Patient","id":"p1","meta":{"versionId":"2","lastUpdated":"2023-11-14T22:13:20.000001Z","#,
                r#""profile":["http://a.example/p"]},"active":true,"_id":{"id":"z"},"name":[{"family":"Dup\u00f4nt \/ \"B\""}]}"#
            )
        );
    }

    #[test]
    fn a_resource_without_id_and_meta_is_given_them() {
        let expected = concat!(
            r#"{"resourceType":"Patient","id":"p1","meta":{"versionId":"2","lastUpdated":"2023-11-14T22:13:20.000001Z"},"#,
            r#""active":true}"#
        );
        let id = "p1".parse().unwrap();
        let stamp = Stamp { id: &id, version: VersionId(2), updated: Instant::from_micros(1_700_000_000_000_001) };
        assert!(expected.starts_with(&stamp.opening(ResourceType::Patient)));
        assert_eq!(stamp_of(r#"{"resourceType":"Patient","active":true}"#, &|_| None), expected);
        assert_eq!(stamp_of(r#"{"resourceType":"Patient","meta":7,"active":true}"#, &|_| None), expected);
    }

    #[test]
    fn a_member_named_with_escapes_is_known_by_its_name() {
        let written = stamp_of(
            r#"{"resourceType":"Patient","\u0069d":"other","m\u0065ta":{"version\u0049d":"8","tag":[{"code":"a"}]}}"#,
            &|_| None,
        );
        assert!(!written.contains("other") && !written.contains(r#""8""#), "{written}");
        assert!(written.ends_with(r#","tag":[{"code":"a"}]}}"#), "{written}");
    }

    #[test]
    fn a_replaced_value_stands_in_the_place_of_the_old_one() {
        let source = r#"{"resourceType":"Observation","subject":{"reference":"urn:uuid:1"},"meta":{"source":"urn:uuid:1"},"performer":[{"reference":"urn:uuid:1"}]}"#;
        let replace = |node: Node<'_>| (node.raw() == r#""urn:uuid:1""#).then(|| String::from(r#""Patient/7""#));
        let written = stamp_of(source, &replace);
        assert!(!written.contains("urn:uuid:1"), "{written}");
        assert!(
            written.ends_with(
                r#""source":"Patient/7"},"subject":{"reference":"Patient/7"},"performer":[{"reference":"Patient/7"}]}"#
            )
        );
    }

    #[test]
    fn digits_are_written_as_they_were_read() {
        let tree = Tree::parse(b"[ 1.00 , -0.0 ,1e2, 100000000000000000000000000000.10\n]").unwrap();
        let mut out = Vec::new();
        compact(tree.root(), &mut out);
        assert_eq!(out, b"[1.00,-0.0,1e2,100000000000000000000000000000.10]");
    }

    #[test]
    fn a_string_is_escaped_only_where_it_must_be() {
        let mut out = Vec::new();
        push_string("a\"\\/\n\r\t\u{1}\u{1f}\u{7f}é\u{2028}😀", &mut out);
        assert_eq!(String::from_utf8(out).unwrap(), "\"a\\\"\\\\/\\n\\r\\t\\u0001\\u001f\u{7f}é\u{2028}😀\"");
    }
}
