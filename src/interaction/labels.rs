//! What an update keeps of the `meta` it replaces: tags and security labels stay until they are taken away on purpose
//! (R4 resource.html §tag-updates, rule V-04); profiles are replaced.

use std::borrow::Cow;

use super::body;
use super::text::{array, object, with_members};
use crate::fhir::json::{JsonKind, Node, Tree};
use crate::outcome::Outcome;
use crate::store::Stored;

const KEPT: [&str; 2] = ["security", "tag"];

/// The JSON of `tree` with the tags and security labels of `latest` that it lacks; `None` where it lacks none.
///
/// # Errors
/// A stored resource that cannot be read: a bug.
pub(super) fn merged(tree: &Tree<'_>, latest: Option<&Stored>) -> Outcome<Option<Vec<u8>>> {
    let Some(stored) = latest.map(Stored::text).transpose()?.flatten() else { return Ok(None) };
    let stored = stored.json();
    if !KEPT.iter().any(|name| memchr::memmem::find(stored, name.as_bytes()).is_some()) {
        return Ok(None);
    }
    let stored = body::parse(stored)?;
    let lacking = KEPT.map(|name| lacking(labels(tree, name), labels(&stored, name)));
    if lacking.iter().all(Vec::is_empty) {
        return Ok(None);
    }
    Ok(Some(with_labels(tree.root(), &lacking).into_bytes()))
}

fn labels<'t>(tree: &'t Tree<'_>, name: &str) -> Vec<Node<'t>> {
    let list = tree.root().member("meta").and_then(|meta| meta.member(name));
    list.map(|list| list.items().collect()).unwrap_or_default()
}

/// The labels of `old` that `new` has not.
fn lacking<'o>(new: Vec<Node<'_>>, old: Vec<Node<'o>>) -> Vec<Node<'o>> {
    old.into_iter().filter(|label| !new.iter().any(|other| coding(*other) == coding(*label))).collect()
}

fn coding(label: Node<'_>) -> [Option<Cow<'_, str>>; 2] {
    ["system", "code"].map(|name| label.member(name).and_then(Node::string))
}

fn with_labels(root: Node<'_>, lacking: &[Vec<Node<'_>>; 2]) -> String {
    let meta = root.member("meta").filter(|meta| meta.kind() == JsonKind::Object);
    let labels = |name: &str, lacking: &[Node<'_>]| -> Option<String> {
        let own = meta.and_then(|meta| meta.member(name)).map(|list| list.items().collect::<Vec<_>>()).unwrap_or_default();
        let labels: Vec<&str> = own.iter().chain(lacking).map(|label| label.raw()).collect();
        (!labels.is_empty()).then(|| array(&labels))
    };
    let [security, tags] = lacking;
    let members = [(KEPT[0], labels(KEPT[0], security)), (KEPT[1], labels(KEPT[1], tags))];
    let meta = match meta {
        Some(meta) => with_members(meta, &members),
        None => object(&members),
    };
    with_members(root, &[("meta", Some(meta))])
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::fhir::{InstanceKey, Instant, Part, ResourceType, VersionId};
    use crate::store::change::Method;

    fn stored(json: &'static str) -> Stored {
        Stored {
            kind: ResourceType::Patient,
            id: "p1".parse().unwrap(),
            key: InstanceKey { part: Part(1), rid: 1 },
            version: VersionId::FIRST,
            updated: Instant::from_micros(0),
            method: Method::Put,
            body: Some(Bytes::from_static(json.as_bytes())),
        }
    }

    fn merge(new: &str, old: &'static str) -> Option<String> {
        let tree = Tree::parse(new.as_bytes()).unwrap();
        merged(&tree, Some(&stored(old))).unwrap().map(|json| String::from_utf8(json).unwrap())
    }

    #[test]
    fn a_security_label_survives_an_update_that_does_not_repeat_it() {
        let old = r#"{"meta":{"profile":["http://old"],"security":[{"system":"s","code":"R"}]}}"#;
        assert_eq!(merge(r#"{"id":"p1"}"#, old).unwrap(), r#"{"id":"p1","meta":{"security":[{"system":"s","code":"R"}]}}"#);
        let new = r#"{"meta":{"profile":["http://new"],"security":[{"system":"s","code":"V"}]}}"#;
        let expected = r#"{"meta":{"profile":["http://new"],"security":[{"system":"s","code":"V"},{"system":"s","code":"R"}]}}"#;
        assert_eq!(merge(new, old).unwrap(), expected);
    }

    #[test]
    fn nothing_is_rewritten_where_nothing_is_lacking() {
        let old = r#"{"meta":{"tag":[{"system":"s","code":"a"}]}}"#;
        assert_eq!(merge(r#"{"meta":{"tag":[{"code":"a","system":"s","display":"A"}]}}"#, old), None);
        assert_eq!(merge(r#"{"id":"p1"}"#, r#"{"id":"p1"}"#), None);
    }
}
