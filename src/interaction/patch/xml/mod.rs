//! XML Patch (RFC 5261), applied to the XML form of the resource.

mod document;
mod form;
mod selector;
#[cfg(test)]
mod tests;

use super::draft::{Step, UNTOUCHABLE, is_fixed};
use super::json::MAX_OPERATIONS;
use crate::definition::Registry;
use crate::fhir::json::Tree;
use crate::outcome::{Failure, Issue, IssueCode, Kind, Outcome};
use document::{Element, Node, Scope};
use form::Form;
use selector::{End, Selector, Way, at};

/// How much text may be looked through for all operations together, in bytes.
const MAX_SEEN_BYTES: usize = 256 * 1024 * 1024;

const NOTHING_THERE: &str = "sel locates nothing";
const NOT_ONE: &str = "it must hold one node of the kind it replaces";

type Done = Result<(), &'static str>;

/// The resource `json` with the operations of `patch` done to its XML form; itself where they change nothing there.
///
/// # Errors
/// 400 where `patch` is no XML Patch, 422 where an operation cannot be done or leaves what is no resource; it names the operation.
pub(super) fn apply(registry: &Registry, json: &[u8], patch: &[u8], most_bytes: usize) -> Outcome<String> {
    let patch = std::str::from_utf8(patch).map_err(|_| Failure::new(Kind::Malformed, "the patch is not UTF-8").at("$this"))?;
    let tree = Tree::parse(json).map_err(Failure::fault)?;
    let mut form = Form::new(registry);
    let before = form.xml(tree.root()).map_err(|reason| Failure::new(Kind::Invalid, reason))?;
    let xml = document::written(&before);
    let after = patched(&xml, patch, most_bytes)?;
    if after == xml {
        return Ok(tree.source().to_owned());
    }
    let root = document::read(&after).map_err(unmade)?;
    form.json(&root).map_err(unmade)
}

/// That what the operations make of a resource is none.
fn unmade(reason: &str) -> Failure {
    let issue = Issue::error(IssueCode::Processing, format!("what the patch makes is no resource: {reason}")).at("$this");
    Failure::with_issues(Kind::Invalid, vec![issue])
}

/// The document `xml` with the operations of `patch` done to it.
fn patched(xml: &str, patch: &str, most_bytes: usize) -> Outcome<String> {
    let malformed = |reason: &str| Failure::new(Kind::Malformed, format!("the patch: {reason}")).at("$this");
    let diff = document::read(patch).map_err(malformed)?;
    let mut root = document::read(xml).map_err(|reason| Failure::fault(reason.to_owned()))?;
    let operations: Vec<&Element> = diff.elements().map(|(_, element)| element).collect();
    if operations.len() > MAX_OPERATIONS {
        return Err(Failure::new(Kind::TooLarge, format!("a patch may have at most {MAX_OPERATIONS} operations")).at("$this"));
    }
    if (xml.len() + patch.len()).saturating_mul(operations.len()) > MAX_SEEN_BYTES {
        return Err(Failure::new(Kind::TooCostly, "the operations have too much to do together").at("$this"));
    }
    for (position, element) in operations.into_iter().enumerate() {
        let name = NAMES.into_iter().find(|name| *name == element.local());
        let step = Step { position, name: name.unwrap_or("?"), place: format!("$this[{position}]") };
        let mut scope: Scope = diff.declared().collect();
        scope.extend(element.declared());
        let sel = element.attribute("sel").ok_or_else(|| step.malformed("sel is missing"))?;
        let selector = Selector::read(&sel, &scope).map_err(|reason| step.malformed(reason))?;
        let operation = Operation { element, selector: &selector };
        operation.done(name, &mut root).map_err(|reason| step.refused(reason))?;
    }
    let xml = document::written(&root);
    if xml.len() > most_bytes {
        return Err(Failure::new(Kind::TooLarge, "the resource grows longer than a body may be").at("$this"));
    }
    Ok(xml)
}

const NAMES: [&str; 3] = ["add", "replace", "remove"];

/// One operation and what its path says.
struct Operation<'p> {
    element: &'p Element,
    selector: &'p Selector,
}

impl Operation<'_> {
    fn done(&self, name: Option<&str>, root: &mut Element) -> Done {
        let way = self.selector.locate(root)?;
        check(root, &way)?;
        match name {
            Some("add") => self.add(root, &way),
            Some("replace") => self.replace(root, &way),
            Some("remove") => self.remove(root, &way),
            Some(_) | None => Err("an operation is add, replace or remove"),
        }
    }

    /// §4.3: nodes into an element or beside it, an attribute or a declaration to it.
    fn add(&self, root: &mut Element, way: &Way) -> Done {
        if let Some(kind) = self.element.attribute("type") {
            return self.add_to_tag(at(root, way).ok_or(NOTHING_THERE)?, &kind);
        }
        let position = self.element.attribute("pos");
        match (position.as_deref(), self.place(root, way)) {
            (None, Ok(None)) => insert(at(root, way), usize::MAX, &self.element.children),
            (Some("prepend"), Ok(None)) => insert(at(root, way), 0, &self.element.children),
            (Some("before"), place) => {
                let (holder, index) = beside(way, place?)?;
                insert(at(root, &holder), index, &self.element.children)
            }
            (Some("after"), place) => {
                let (holder, index) = beside(way, place?)?;
                insert(at(root, &holder), index + 1, &self.element.children)
            }
            _ => Err("pos is prepend, before or after, the last two alone of what is no element"),
        }
    }

    fn add_to_tag(&self, element: &mut Element, kind: &str) -> Done {
        let name = match (kind.strip_prefix('@'), kind.strip_prefix("namespace::")) {
            (Some(name), _) => name.to_owned(),
            (None, Some(prefix)) => format!("xmlns:{prefix}"),
            (None, None) => return Err("type is @ and the name of an attribute, or namespace:: and a prefix"),
        };
        if element.attribute(&name).is_some() {
            return Err("the attribute is there already");
        }
        element.attributes.push((name, escaped(&self.element.text())));
        Ok(())
    }

    /// §4.4: a node by one of its kind, an attribute or a declaration by another value.
    fn replace(&self, root: &mut Element, way: &Way) -> Done {
        if let Some(name) = self.attribute() {
            let element = at(root, way).ok_or(NOTHING_THERE)?;
            let (_, value) = element.attributes.iter_mut().find(|(own, _)| *own == name).ok_or(NOTHING_THERE)?;
            *value = escaped(&self.element.text());
            return Ok(());
        }
        let place = self.place(root, way)?;
        if place.is_none() && way.is_empty() {
            return Err("the resource itself is not a patch's to replace");
        }
        let (holder, index) = beside(way, place)?;
        let nodes = self.replacement()?;
        let holder = at(root, &holder).ok_or(NOTHING_THERE)?;
        holder.children.remove(index);
        insert(Some(holder), index, &nodes)
    }

    /// The node that stands in for the one that is replaced.
    fn replacement(&self) -> Result<Vec<Node>, &'static str> {
        let held = &self.element.children;
        if let End::Text(_) = self.selector.end {
            return match &held[..] {
                [] => Ok(Vec::new()),
                [Node::Text(text)] => Ok(vec![Node::Text(text.clone())]),
                _ => Err(NOT_ONE),
            };
        }
        let mut nodes = held.iter().filter(|node| !is_blank(node));
        match (nodes.next(), nodes.next(), &self.selector.end) {
            (Some(node @ Node::Element(_)), None, End::Element)
            | (Some(node @ Node::Comment(_)), None, End::Comment(_))
            | (Some(node @ Node::Instruction(_)), None, End::Instruction(..)) => Ok(vec![node.clone()]),
            _ => Err(NOT_ONE),
        }
    }

    /// §4.5: a node, and the blanks around it where `ws` says so; an attribute or a declaration.
    fn remove(&self, root: &mut Element, way: &Way) -> Done {
        if let Some(name) = self.attribute() {
            let element = at(root, way).ok_or(NOTHING_THERE)?;
            let count = element.attributes.len();
            element.attributes.retain(|(own, _)| *own != name);
            return if element.attributes.len() < count { Ok(()) } else { Err(NOTHING_THERE) };
        }
        let place = self.place(root, way)?;
        if place.is_none() && way.is_empty() {
            return Err("the resource itself is not a patch's to remove");
        }
        let (holder, index) = beside(way, place)?;
        let holder = at(root, &holder).ok_or(NOTHING_THERE)?;
        let (before, after) = match self.element.attribute("ws").as_deref() {
            None => (false, false),
            Some("before") => (true, false),
            Some("after") => (false, true),
            Some("both") => (true, true),
            Some(_) => return Err("ws is before, after or both"),
        };
        let blank = |at: Option<usize>| at.is_some_and(|at| holder.children.get(at).is_some_and(is_blank));
        if before && !blank(index.checked_sub(1)) || after && !blank(Some(index + 1)) {
            return Err("the blanks that ws names are not there");
        }
        holder.children.drain(index - usize::from(before)..=index + usize::from(after));
        merge_texts(holder);
        Ok(())
    }

    /// The attribute, or declaration, that the path ends in.
    fn attribute(&self) -> Option<String> {
        match &self.selector.end {
            End::Attribute(name) => Some(name.clone()),
            End::Namespace(prefix) => Some(format!("xmlns:{prefix}")),
            End::Element | End::Text(_) | End::Comment(_) | End::Instruction(..) => None,
        }
    }

    /// Where among the children of the element the node is that the path ends in; `None`: it is the element.
    fn place(&self, root: &mut Element, way: &Way) -> Result<Option<usize>, &'static str> {
        let element = at(root, way).ok_or(NOTHING_THERE)?;
        let is_meant = |node: &Node| match (&self.selector.end, node) {
            (End::Text(_), Node::Text(_)) | (End::Comment(_), Node::Comment(_)) => true,
            (End::Instruction(None, _), Node::Instruction(_)) => true,
            (End::Instruction(Some(target), _), Node::Instruction(text)) => {
                text.split_whitespace().next() == Some(target.as_str())
            }
            _ => false,
        };
        let position = match &self.selector.end {
            End::Element => return Ok(None),
            End::Attribute(_) | End::Namespace(_) => return Err("nothing is added to an attribute"),
            End::Text(position) | End::Comment(position) | End::Instruction(_, position) => *position,
        };
        let mut meant = element.children.iter().enumerate().filter(|(_, node)| is_meant(node)).map(|(at, _)| at);
        meant.nth(position.saturating_sub(1)).map(Some).ok_or(NOTHING_THERE)
    }
}

/// The holder of a node and its place there: of the child at `place`, or of the element at `way`.
fn beside(way: &Way, place: Option<usize>) -> Result<(Way, usize), &'static str> {
    match (place, way.split_last()) {
        (Some(index), _) => Ok((way.clone(), index)),
        (None, Some((index, holder))) => Ok((holder.to_vec(), *index)),
        (None, None) => Err("nothing stands beside the resource"),
    }
}

fn insert(holder: Option<&mut Element>, index: usize, nodes: &[Node]) -> Done {
    let holder = holder.ok_or(NOTHING_THERE)?;
    let index = index.min(holder.children.len());
    let space = holder.space.clone();
    let adopted: Vec<Node> = nodes.iter().map(|node| node.clone().adopted(&space)).collect();
    holder.children.splice(index..index, adopted);
    merge_texts(holder);
    Ok(())
}

/// Texts that have come to stand side by side are one.
fn merge_texts(element: &mut Element) {
    element.children.dedup_by(|next, text| match (text, next) {
        (Node::Text(text), Node::Text(next)) => {
            text.push_str(next);
            true
        }
        _ => false,
    });
}

fn is_blank(node: &Node) -> bool {
    matches!(node, Node::Text(text) if text.trim().is_empty())
}

fn escaped(text: &str) -> String {
    quick_xml::escape::escape(text).replace('\n', "&#10;").replace('\t', "&#9;").replace('\r', "&#13;")
}

/// Holds that the path leads to nothing that no patch may change (P-07), be it the element, its value, or what it holds.
fn check(root: &mut Element, way: &Way) -> Done {
    let names =
        (1..=way.len()).map(|count| way.get(..count).and_then(|way| at(root, way)).map(|element| element.local().to_owned()));
    let names: Vec<String> = names.map(Option::unwrap_or_default).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let is_beyond = (1..=names.len()).any(|count| names.get(..count).is_some_and(is_fixed));
    if is_beyond { Err(UNTOUCHABLE) } else { Ok(()) }
}
