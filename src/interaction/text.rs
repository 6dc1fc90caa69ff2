//! JSON with one thing changed. Whatever is not changed stays as it was written, byte for byte.

use crate::fhir::json::{JsonKind, Node, Tree, push_string};

/// The text of `tree` with `text` in place of `node`.
pub(super) fn replaced(tree: &Tree<'_>, node: Node<'_>, text: &str) -> String {
    let (source, span) = (tree.source(), node.span());
    let (before, after) = (source.get(..span.start).unwrap_or_default(), source.get(span.end..).unwrap_or_default());
    [before, text, after].concat()
}

/// `object` with its members called `names` set to `values`: each where it stands, at the end if it is new, left out where there is
/// no value.
pub(super) fn with_members(object: Node<'_>, members: &[(&str, Option<String>)]) -> String {
    let set = |member: Node<'_>| members.iter().find(|(name, _)| member.is_named(name));
    let mut written: Vec<String> = Vec::new();
    for member in object.children() {
        let value = match set(member) {
            None => Some(member.raw()),
            Some((_, value)) => value.as_deref(),
        };
        written.extend(value.map(|value| format!("{}:{value}", member.raw_key())));
    }
    for (name, value) in members.iter().filter(|(name, _)| object.member(name).is_none()) {
        written.extend(value.as_ref().map(|value| format!("{}:{value}", quoted(name))));
    }
    format!("{{{}}}", written.join(","))
}

/// The object of `members` that have a value.
pub(super) fn object(members: &[(&str, Option<String>)]) -> String {
    let written = members.iter().filter_map(|(name, value)| value.as_ref().map(|value| format!("{}:{value}", quoted(name))));
    format!("{{{}}}", written.collect::<Vec<_>>().join(","))
}

/// The array of `items`.
pub(super) fn array(items: &[&str]) -> String {
    format!("[{}]", items.join(","))
}

/// `text` as a JSON string.
pub(super) fn quoted(text: &str) -> String {
    let mut json = Vec::with_capacity(text.len() + 2);
    push_string(text, &mut json);
    String::from_utf8_lossy(&json).into_owned()
}

/// The text of `tree` without the arrays and objects that hold nothing, which FHIR has no way to write; `None` where it has none.
pub(super) fn without_empties(tree: &Tree<'_>) -> Option<String> {
    let is_container = |node: &Node<'_>| matches!(node.kind(), JsonKind::Object | JsonKind::Array);
    let has_empties = tree.nodes().any(|node| is_container(&node) && node.children().next().is_none());
    has_empties.then(|| filled(tree.root(), false).unwrap_or_else(|| String::from("{}")))
}

/// `node` without what holds nothing; `None` where nothing is left. `is_aligned`: its items stand for those of another array, so
/// that none may be left out.
fn filled(node: Node<'_>, is_aligned: bool) -> Option<String> {
    match node.kind() {
        JsonKind::Object => {
            let members = node.children().filter_map(|member| {
                let aligned = member.raw_key().starts_with("\"_");
                filled(member, aligned).map(|value| format!("{}:{value}", member.raw_key()))
            });
            let members: Vec<String> = members.collect();
            (!members.is_empty()).then(|| format!("{{{}}}", members.join(",")))
        }
        JsonKind::Array if is_aligned => {
            let items: Vec<Option<String>> = node.children().map(|item| filled(item, false)).collect();
            let has_any = items.iter().flatten().any(|item| item != NULL);
            has_any.then(|| array(&items.iter().map(|item| item.as_deref().unwrap_or(NULL)).collect::<Vec<_>>()))
        }
        JsonKind::Array => {
            let items: Vec<String> = node.children().filter_map(|item| filled(item, false)).collect();
            (!items.is_empty()).then(|| format!("[{}]", items.join(",")))
        }
        JsonKind::String | JsonKind::Number | JsonKind::Boolean | JsonKind::Null => Some(node.raw().to_owned()),
    }
}

/// What stands in an array of primitives, or of their extensions, for what one of them has not.
pub(super) const NULL: &str = "null";

#[cfg(test)]
mod tests {
    use super::*;

    fn tree(json: &str) -> Tree<'_> {
        Tree::parse_plain(json.as_bytes()).unwrap()
    }

    #[test]
    fn members_are_set_where_they_stand_added_at_the_end_and_left_out() {
        let json = r#"{"a" : 1.00, "b":[2], "c":"\/"}"#;
        let set = [("b", Some("7".to_owned())), ("c", None), ("d", Some("8".to_owned())), ("e", None)];
        assert_eq!(with_members(tree(json).root(), &set), r#"{"a":1.00,"b":7,"d":8}"#);
        assert_eq!(with_members(tree(json).root(), &[("c", Some("3".to_owned()))]), r#"{"a":1.00,"b":[2],"c":3}"#);
    }

    #[test]
    fn what_holds_nothing_is_left_out_and_what_stands_for_another_keeps_its_place() {
        let table = [
            (r#"{"a":1}"#, None),
            (r#"{"a":[],"b":1}"#, Some(r#"{"b":1}"#)),
            (r#"{"a":[{"b":{}}],"c":[{},1.0]}"#, Some(r#"{"c":[1.0]}"#)),
            (r#"{"a":["x","y"],"_a":[{},{"id":"1"}]}"#, Some(r#"{"a":["x","y"],"_a":[null,{"id":"1"}]}"#)),
            (r#"{"a":["x","y"],"_a":[null,{}]}"#, Some(r#"{"a":["x","y"]}"#)),
            (r#"{"a":{}}"#, Some("{}")),
        ];
        for (json, expected) in table {
            assert_eq!(without_empties(&tree(json)).as_deref(), expected, "{json}");
        }
    }
}
