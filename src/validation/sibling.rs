//! Primitive values and the `_field` beside them that carries their ids and extensions (R4 json.html §primitive).
//!
//! In an array the two run in parallel, and `null` stands for what one of them has not. Everywhere else `null` is a fault.

use crate::definition::{Found, Structure};
use crate::fhir::json::{JsonKind, Node};
use crate::outcome::IssueCode;

use super::structure::Walk;

impl<'t> Walk<'_, 't> {
    /// The member `_name` of `parent`.
    pub(super) fn extensions(&mut self, parent: Node<'t>, member: Node<'t>, found: Found<'_>) {
        let structure = self.registry.structure(found.type_id);
        if structure.primitive().is_none() {
            return self.misshapen(member, "only a primitive has a member that begins with '_'");
        }
        let values = parent.children().find(|value| value.key().is_some_and(|key| is_beside(&key, member)));
        if !found.element.repeats() {
            return self.content(member, values, structure);
        }
        if member.kind() != JsonKind::Array {
            return self.misshapen(member, "must be an array");
        }
        match values {
            Some(values) if values.kind() == JsonKind::Array => self.in_parallel(values, member, structure),
            _ => member.children().for_each(|item| self.content(item, None, structure)),
        }
    }

    /// The array of values and the array of what belongs to them.
    fn in_parallel(&mut self, values: Node<'t>, contents: Node<'t>, structure: &Structure) {
        if values.children().count() != contents.children().count() {
            return self.misshapen(contents, "must have as many items as the values it belongs to");
        }
        for (value, content) in values.children().zip(contents.children()) {
            match (value.kind(), content.kind()) {
                (JsonKind::Null, JsonKind::Null) => self.misshapen(content, "null stands on both sides"),
                (_, JsonKind::Null) => {}
                _ => self.content(content, Some(value), structure),
            }
        }
    }

    /// The id and extensions of one primitive, whose value may be absent.
    fn content(&mut self, content: Node<'t>, value: Option<Node<'t>>, structure: &Structure) {
        if content.kind() != JsonKind::Object {
            return self.misshapen(content, "must be an object with an id or extensions");
        }
        self.object(content, structure);
        let has_value = value.is_some_and(|value| value.kind() != JsonKind::Null);
        if !has_value && content.member("extension").is_none() {
            self.fault(content, IssueCode::Invariant, "an element has a value or an extension (ele-1)");
        }
    }
}

/// Whether an array called `_name` stands beside the values called `name`; each `null` among them is judged with it.
pub(super) fn has_contents(parent: Node<'_>, values: Node<'_>) -> bool {
    parent.children().any(|member| member.kind() == JsonKind::Array && values.key().is_some_and(|key| is_beside(&key, member)))
}

/// Whether `key` is that of the values to which `member`, called `_key`, belongs.
fn is_beside(key: &str, member: Node<'_>) -> bool {
    member.key().is_some_and(|name| name.strip_prefix('_') == Some(key))
}
