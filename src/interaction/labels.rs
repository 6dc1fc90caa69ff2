//! The labels of a resource: its profiles, security labels and tags, compared as sets – codes by system and code – and what an update
//! keeps of those it replaces: tags and security labels stay until they are taken away on purpose (R4 resource.html §tag-updates,
//! rule V-04); profiles are replaced.

use super::body;
use super::text::{array, object, with_members};
use crate::fhir::json::{JsonKind, Node, Tree};
use crate::outcome::Outcome;
use crate::store::Stored;

/// The lists of labels in a `meta`.
pub(super) const LISTS: [&str; 3] = ["profile", "security", "tag"];

const KEPT: [&str; 2] = ["security", "tag"];

/// What a label is told from others by: system and code; of a profile its URL alone.
pub(super) type LabelKey = [Option<String>; 2];

/// One label.
#[derive(Clone, Debug)]
pub(super) struct Label {
    key: LabelKey,
    /// As written.
    text: String,
}

impl Label {
    fn of(node: Node<'_>) -> Self {
        let member = |name: &str| node.member(name).and_then(Node::string).map(|text| text.into_owned());
        let key = match node.string() {
            Some(url) => [Some(url.into_owned()), None],
            None => [member("system"), member("code")],
        };
        Self { key, text: node.raw().to_owned() }
    }

    /// What it is told from others by.
    pub(super) fn key(&self) -> &LabelKey {
        &self.key
    }

    /// Whether it is among `others`.
    pub(super) fn is_in(&self, others: &[Self]) -> bool {
        others.iter().any(|other| other.key == self.key)
    }
}

/// The labels that stand under `list` in `meta`.
pub(super) fn labels(meta: Option<Node<'_>>, list: &str) -> Vec<Label> {
    let list = meta.and_then(|meta| meta.member(list));
    list.map(|list| list.items().map(Label::of).collect()).unwrap_or_default()
}

/// `own` and those of `others` that it lacks.
pub(super) fn united(mut own: Vec<Label>, others: Vec<Label>) -> Vec<Label> {
    for label in others {
        if !label.is_in(&own) {
            own.push(label);
        }
    }
    own
}

/// The `meta` of a resource with these labels in the place of those it has.
pub(super) fn with_labels(meta: Option<Node<'_>>, lists: &[(&str, Vec<Label>)]) -> String {
    let text = |labels: &[Label]| array(&labels.iter().map(|label| label.text.as_str()).collect::<Vec<_>>());
    let members = lists.iter().map(|(name, labels)| (*name, (!labels.is_empty()).then(|| text(labels))));
    let members: Vec<(&str, Option<String>)> = members.collect();
    match meta.filter(|meta| meta.kind() == JsonKind::Object) {
        Some(meta) => with_members(meta, &members),
        None => object(&members),
    }
}

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
    let (root, old) = (tree.root(), stored.root().member("meta"));
    let meta = root.member("meta");
    let is_lacking = |name: &&str| labels(old, name).iter().any(|label| !label.is_in(&labels(meta, name)));
    if !KEPT.iter().any(is_lacking) {
        return Ok(None);
    }
    let meta = with_labels(meta, &KEPT.map(|name| (name, united(labels(meta, name), labels(old, name)))));
    Ok(Some(with_members(root, &[("meta", Some(meta))]).into_bytes()))
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
