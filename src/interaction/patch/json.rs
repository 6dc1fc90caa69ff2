//! JSON Patch (RFC 6902), applied to the text of the resource: digits, escapes and the order of members stay what they were wherever
//! no operation reaches. Libraries for it work on values that have lost them.

use std::collections::HashMap;

use super::draft::{Draft, Edited, Step, UNTOUCHABLE, is_fixed};
use super::pointer::{Pointer, position};
use crate::fhir::decimal::Decimal;
use crate::fhir::json::{JsonKind, Node, Tree};
use crate::interaction::text::{array, replaced, with_members};
use crate::outcome::{Failure, Kind, Outcome};

/// The most operations of one patch.
pub(super) const MAX_OPERATIONS: usize = 1_000;

/// One operation (RFC 6902 §4). Values are JSON as written.
enum Operation<'p> {
    Add { path: Pointer, value: &'p str },
    Remove { path: Pointer },
    Replace { path: Pointer, value: &'p str },
    Move { from: Pointer, path: Pointer },
    Copy { from: Pointer, path: Pointer },
    Test { path: Pointer, value: Node<'p> },
}

const NOTHING_THERE: &str = "nothing is where it points";

/// Applies the operations of `patch` to `draft`.
///
/// # Errors
/// 400 where `patch` is no JSON Patch, 422 where an operation cannot be done; each names the operation.
pub(super) fn apply(draft: &mut Draft, patch: &[u8]) -> Outcome<()> {
    let tree = Tree::parse_plain(patch).map_err(|error| Failure::new(Kind::Malformed, error.to_string()).at("$this"))?;
    let operations = tree.root();
    if operations.kind() != JsonKind::Array {
        return Err(Failure::new(Kind::Malformed, "a JSON Patch is an array of operations").at("$this"));
    }
    if operations.children().count() > MAX_OPERATIONS {
        return Err(Failure::new(Kind::TooLarge, format!("a patch may have at most {MAX_OPERATIONS} operations")).at("$this"));
    }
    for (position, node) in operations.children().enumerate() {
        let name = node.member("op").and_then(Node::string);
        let name = name.as_deref().and_then(|name| NAMES.into_iter().find(|known| *known == name));
        let step = Step { position, name: name.unwrap_or("?"), place: format!("$this[{position}]") };
        let operation = Operation::read(node, name).map_err(|reason| step.malformed(reason))?;
        draft.apply(&step, |tree| operation.done(tree))?;
    }
    Ok(())
}

const NAMES: [&str; 6] = ["add", "remove", "replace", "move", "copy", "test"];

impl<'p> Operation<'p> {
    fn read(node: Node<'p>, name: Option<&str>) -> Result<Self, &'static str> {
        let path = || pointer(node, "path").ok_or("path is missing or no JSON Pointer");
        let from = || pointer(node, "from").ok_or("from is missing or no JSON Pointer");
        let value = || node.member("value").ok_or("value is missing");
        Ok(match name {
            Some("add") => Self::Add { path: path()?, value: value()?.raw() },
            Some("remove") => Self::Remove { path: path()? },
            Some("replace") => Self::Replace { path: path()?, value: value()?.raw() },
            Some("move") => Self::Move { from: from()?, path: path()? },
            Some("copy") => Self::Copy { from: from()?, path: path()? },
            Some("test") => Self::Test { path: path()?, value: value()? },
            Some(_) | None => return Err("op is add, remove, replace, move, copy or test"),
        })
    }

    /// The places it changes.
    fn changed(&self) -> impl Iterator<Item = &Pointer> {
        let (one, other) = match self {
            Self::Add { path, .. } | Self::Remove { path } | Self::Replace { path, .. } | Self::Copy { path, .. } => {
                (Some(path), None)
            }
            Self::Move { from, path } => (Some(from), Some(path)),
            Self::Test { .. } => (None, None),
        };
        one.into_iter().chain(other)
    }

    fn done(&self, tree: &Tree<'_>) -> Edited {
        if self.changed().any(|pointer| is_fixed(&pointer.tokens())) {
            return Err(UNTOUCHABLE);
        }
        match self {
            Self::Add { path, value } => added(tree, path, value).map(Some),
            Self::Remove { path } => removed(tree, path).map(Some),
            Self::Replace { path, value } => {
                let node = path.find(tree.root()).ok_or(NOTHING_THERE)?;
                Ok(Some(replaced(tree, node, value)))
            }
            Self::Move { from, path } => {
                if from.holds(path) {
                    return Err("nothing can be moved into itself");
                }
                let value = from.find(tree.root()).ok_or(NOTHING_THERE)?.raw();
                if from == path {
                    return Ok(None);
                }
                let without = removed(tree, from)?;
                let without = Tree::parse_plain(without.as_bytes()).map_err(|_| NOTHING_THERE)?;
                added(&without, path, value).map(Some)
            }
            Self::Copy { from, path } => {
                let value = from.find(tree.root()).ok_or(NOTHING_THERE)?.raw();
                added(tree, path, value).map(Some)
            }
            Self::Test { path, value } => {
                let node = path.find(tree.root()).ok_or(NOTHING_THERE)?;
                if is_equal(node, *value) { Ok(None) } else { Err("the value there is another one") }
            }
        }
    }
}

fn pointer(operation: Node<'_>, name: &str) -> Option<Pointer> {
    Pointer::read(&operation.member(name)?.string()?)
}

/// `tree` with `value` where `path` points: a member is set, an item is inserted (RFC 6902 §4.1).
fn added(tree: &Tree<'_>, path: &Pointer, value: &str) -> Result<String, &'static str> {
    let root = tree.root();
    let Some((holder, last)) = path.split(root) else {
        return if path.tokens().is_empty() { Ok(value.to_owned()) } else { Err("nothing is there that could hold it") };
    };
    if holder.kind() == JsonKind::Object {
        return Ok(replaced(tree, holder, &with_members(holder, &[(last, Some(value.to_owned()))])));
    }
    let mut items: Vec<&str> = holder.children().map(Node::raw).collect();
    let at = if last == "-" { Some(items.len()) } else { position(last) };
    let at = at.filter(|at| *at <= items.len()).ok_or("the position is beyond the end of the array")?;
    items.insert(at, value);
    Ok(replaced(tree, holder, &array(&items)))
}

fn removed(tree: &Tree<'_>, path: &Pointer) -> Result<String, &'static str> {
    let gone = path.find(tree.root()).ok_or(NOTHING_THERE)?;
    let (holder, last) = path.split(tree.root()).ok_or("the resource itself is not a patch's to remove")?;
    if holder.kind() == JsonKind::Object {
        return Ok(replaced(tree, holder, &with_members(holder, &[(last, None)])));
    }
    let items: Vec<&str> = holder.children().filter(|item| *item != gone).map(Node::raw).collect();
    Ok(replaced(tree, holder, &array(&items)))
}

/// Whether two values are equal (RFC 6902 §4.6): numbers by their value, strings by their characters, objects in whatever order.
fn is_equal(one: Node<'_>, other: Node<'_>) -> bool {
    match (one.kind(), other.kind()) {
        (JsonKind::Object, JsonKind::Object) => {
            let others: HashMap<_, _> = other.children().map(|member| (member.key().unwrap_or_default(), member)).collect();
            let count = one.children().count();
            let is_there = |member: Node<'_>| {
                let key = member.key().unwrap_or_default();
                others.get(&key).is_some_and(|twin| is_equal(member, *twin))
            };
            count == others.len() && one.children().all(is_there)
        }
        (JsonKind::Array, JsonKind::Array) => {
            one.children().count() == other.children().count()
                && one.children().zip(other.children()).all(|(one, other)| is_equal(one, other))
        }
        (JsonKind::String, JsonKind::String) => one.string() == other.string(),
        (JsonKind::Number, JsonKind::Number) => match (Decimal::parse(one.raw()), Decimal::parse(other.raw())) {
            (Ok(one), Ok(other)) => one == other,
            _ => one.raw() == other.raw(),
        },
        (one_kind, other_kind) => one_kind == other_kind && one.raw() == other.raw(),
    }
}
