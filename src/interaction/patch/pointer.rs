//! JSON Pointer (RFC 6901).

use crate::fhir::json::{JsonKind, Node};

/// A pointer: the names and positions on the way from the root.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Pointer(Vec<String>);

impl Pointer {
    /// Reads a pointer; `None`: it is none.
    pub(super) fn read(text: &str) -> Option<Self> {
        if text.is_empty() {
            return Some(Self(Vec::new()));
        }
        text.strip_prefix('/')?.split('/').map(token).collect::<Option<_>>().map(Self)
    }

    /// The names and positions.
    pub(super) fn tokens(&self) -> Vec<&str> {
        self.0.iter().map(String::as_str).collect()
    }

    /// The value it points at under `root`.
    pub(super) fn find<'t>(&self, root: Node<'t>) -> Option<Node<'t>> {
        find(root, &self.0)
    }

    /// The object or array it points into under `root`, and the last name or position; `None` for the root itself, and where
    /// nothing holds it.
    pub(super) fn split<'p, 't>(&'p self, root: Node<'t>) -> Option<(Node<'t>, &'p str)> {
        let (last, way) = self.0.split_last()?;
        let holder = find(root, way).filter(|holder| matches!(holder.kind(), JsonKind::Object | JsonKind::Array));
        holder.map(|holder| (holder, last.as_str()))
    }

    /// Whether `other` points at something within what this points at.
    pub(super) fn holds(&self, other: &Self) -> bool {
        other.0.len() > self.0.len() && other.0.starts_with(&self.0)
    }
}

/// A name, its escapes resolved: `~1` is a slash and `~0` a tilde.
fn token(text: &str) -> Option<String> {
    let mut parts = text.split('~');
    let mut token = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let mut characters = part.chars();
        token.push(match characters.next()? {
            '0' => '~',
            '1' => '/',
            _ => return None,
        });
        token.push_str(characters.as_str());
    }
    Some(token)
}

fn find<'t>(root: Node<'t>, way: &[String]) -> Option<Node<'t>> {
    way.iter().try_fold(root, |at, token| match at.kind() {
        JsonKind::Object => at.member(token),
        JsonKind::Array => at.children().nth(position(token)?),
        JsonKind::String | JsonKind::Number | JsonKind::Boolean | JsonKind::Null => None,
    })
}

/// A position in an array: digits, no zero before others.
pub(super) fn position(token: &str) -> Option<usize> {
    let is_plain = token == "0" || !token.starts_with('0');
    (is_plain && token.bytes().all(|byte| byte.is_ascii_digit())).then(|| token.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fhir::json::Tree;

    #[test]
    fn a_pointer_finds_what_rfc_6901_says_it_finds() {
        let json = r#"{"foo":["bar","baz"],"":0,"a/b":1,"m~n":8," ":7,"~1":9}"#;
        let tree = Tree::parse(json.as_bytes()).unwrap();
        let table = [
            ("", Some(json)),
            ("/foo", Some(r#"["bar","baz"]"#)),
            ("/foo/0", Some(r#""bar""#)),
            ("/", Some("0")),
            ("/a~1b", Some("1")),
            ("/m~0n", Some("8")),
            ("/ ", Some("7")),
            ("/~01", Some("9")),
            ("/foo/2", None),
            ("/foo/01", None),
            ("/foo/-", None),
            ("/foo/+1", None),
            ("/foo/99999999999999999999999", None),
            ("/foo/0/x", None),
        ];
        for (text, expected) in table {
            assert_eq!(Pointer::read(text).unwrap().find(tree.root()).map(Node::raw), expected, "{text}");
        }
    }

    #[test]
    fn what_is_no_pointer_is_told_apart() {
        for text in ["foo", "#/foo", "/a~", "/a~2", "~0"] {
            assert_eq!(Pointer::read(text), None, "{text}");
        }
    }
}
