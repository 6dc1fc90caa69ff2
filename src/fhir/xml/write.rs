//! From JSON to XML. The members of an object are put in the order of the definition; strings lose their escapes and get those of XML.

use std::borrow::Cow;

use quick_xml::Reader;
use quick_xml::events::{BytesRef, BytesStart, Event};
use smallvec::SmallVec;

use super::{Element, Elements, FHIR, Form, Layout, RESOURCE_TYPE, XHTML};
use crate::fhir::json::{JsonKind, Node};

/// Why a tree has no form in XML: it is no resource of these types.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{expression} has no form in XML")]
pub struct Unwritable {
    /// The place of what stops it.
    pub expression: String,
}

/// A resource in XML.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written {
    /// The text.
    pub xml: Vec<u8>,
    /// Where the empty strings of the JSON that were asked for stand in it: the number of each, and its place in bytes.
    pub holes: Vec<(usize, usize)>,
}

/// The resource `root` in XML. `holes` are places of empty strings in the JSON, between their quotes, in ascending order.
///
/// # Errors
/// What is not described by `elements`.
pub fn to_xml<E: Elements>(elements: &E, root: Node<'_>, holes: &[usize], layout: Layout) -> Result<Written, Unwritable> {
    let out = Vec::with_capacity(root.raw().len() + root.raw().len() / 4 + 64);
    let mut writer = Writer { elements, out, holes, found: Vec::with_capacity(holes.len()), layout, depth: 0 };
    writer.resource(root, true)?;
    Ok(Written { xml: writer.out, holes: writer.found })
}

struct Writer<'w, E> {
    elements: &'w E,
    out: Vec<u8>,
    holes: &'w [usize],
    found: Vec<(usize, usize)>,
    layout: Layout,
    /// How many elements are open.
    depth: usize,
}

/// A member of an object: the value of an element, or what stands beside it under `_name`.
struct Member<'t, T> {
    element: Element<T>,
    name: Cow<'t, str>,
    is_beside: bool,
    node: Node<'t>,
}

impl<T> Member<'_, T> {
    fn is_attribute(&self) -> bool {
        self.element.form == Form::Attribute
    }
}

type Members<'t, T> = SmallVec<[Member<'t, T>; 12]>;

impl<E: Elements> Writer<'_, E> {
    fn resource(&mut self, node: Node<'_>, is_root: bool) -> Result<(), Unwritable> {
        let name = node.member(RESOURCE_TYPE).and_then(Node::string).ok_or_else(|| unwritable(node))?;
        let of = self.elements.resource(&name).ok_or_else(|| unwritable(node))?;
        self.open(&name);
        if is_root {
            self.attribute("xmlns", FHIR);
        }
        let members = self.members(node, of)?;
        self.content(&name, &members)
    }

    /// The members of an object in the order of its type.
    fn members<'t>(&self, node: Node<'t>, of: E::Type) -> Result<Members<'t, E::Type>, Unwritable> {
        let mut members = Members::new();
        for child in node.children() {
            let Some(key) = child.key() else { return Err(unwritable(node)) };
            if key == RESOURCE_TYPE {
                continue;
            }
            let (is_beside, name) = match key {
                Cow::Borrowed(key) => (key.starts_with('_'), Cow::Borrowed(key.strip_prefix('_').unwrap_or(key))),
                Cow::Owned(key) => (key.starts_with('_'), Cow::Owned(key.strip_prefix('_').map_or(key.clone(), str::to_owned))),
            };
            let element = self.elements.element(of, &name).ok_or_else(|| unwritable(child))?;
            members.push(Member { element, name, is_beside, node: child });
        }
        members.sort_by_key(|member| (member.element.order, member.is_beside));
        Ok(members)
    }

    /// What stands in an element that was opened: its attributes, its children, its end.
    fn content(&mut self, tag: &str, members: &[Member<'_, E::Type>]) -> Result<(), Unwritable> {
        self.attributes(members)?;
        let children: SmallVec<[&Member<'_, E::Type>; 12]> = members.iter().filter(|member| !member.is_attribute()).collect();
        if children.is_empty() {
            self.depth -= 1;
            self.out.extend_from_slice(b"/>");
            return Ok(());
        }
        self.out.push(b'>');
        let mut rest = children.as_slice();
        while let Some((first, after)) = rest.split_first() {
            match after.split_first() {
                Some((second, after)) if second.name == first.name => {
                    self.element(first, Some(second))?;
                    rest = after;
                }
                _ => {
                    self.element(first, None)?;
                    rest = after;
                }
            }
        }
        self.close(tag);
        Ok(())
    }

    /// One element, or all of its repetitions: its value, and what stands beside it.
    fn element(&mut self, first: &Member<'_, E::Type>, second: Option<&&Member<'_, E::Type>>) -> Result<(), Unwritable> {
        let (value, beside) = match second {
            Some(second) => (Some(first.node), Some(second.node)),
            None if first.is_beside => (None, Some(first.node)),
            None => (Some(first.node), None),
        };
        let is_array = [value, beside].into_iter().flatten().all(|node| node.kind() == JsonKind::Array);
        if !is_array {
            return self.one(first, value, beside);
        }
        let items = |node: Option<Node<'_>>| node.map_or(0, |node| node.children().count());
        let (mut values, mut contents) = (value.map(Node::children), beside.map(Node::children));
        for _ in 0..items(value).max(items(beside)) {
            let value = values.as_mut().and_then(Iterator::next).filter(|node| node.kind() != JsonKind::Null);
            let beside = contents.as_mut().and_then(Iterator::next).filter(|node| node.kind() != JsonKind::Null);
            self.one(first, value, beside)?;
        }
        Ok(())
    }

    fn one(
        &mut self,
        Member { element, name, node, .. }: &Member<'_, E::Type>,
        value: Option<Node<'_>>,
        beside: Option<Node<'_>>,
    ) -> Result<(), Unwritable> {
        match (element.form, value) {
            (Form::Object, Some(value)) if value.kind() == JsonKind::Object => {
                self.open(name);
                let members = self.members(value, element.holds)?;
                self.content(name, &members)
            }
            (Form::Resource, Some(value)) if value.kind() == JsonKind::Object => {
                self.open(name);
                self.out.push(b'>');
                self.resource(value, false)?;
                self.close(name);
                Ok(())
            }
            (Form::Narrative, Some(value)) => {
                let text = value.string().ok_or_else(|| unwritable(value))?;
                self.narrative(&text);
                Ok(())
            }
            (Form::Text | Form::Number | Form::Boolean, value) => self.primitive((name, element), value, beside),
            (Form::Object | Form::Resource | Form::Narrative | Form::Attribute, _) => Err(unwritable(*node)),
        }
    }

    fn primitive(
        &mut self,
        (name, element): (&str, &Element<E::Type>),
        value: Option<Node<'_>>,
        beside: Option<Node<'_>>,
    ) -> Result<(), Unwritable> {
        self.open(name);
        let members = match beside {
            Some(beside) => self.members(beside, element.holds)?,
            None => Members::new(),
        };
        self.attributes(&members)?;
        if let Some(value) = value {
            self.value(value)?;
        }
        let children: Members<'_, E::Type> = members.into_iter().filter(|member| !member.is_attribute()).collect();
        self.content(name, &children)
    }

    fn attributes(&mut self, members: &[Member<'_, E::Type>]) -> Result<(), Unwritable> {
        for Member { name, node, .. } in members.iter().filter(|member| member.is_attribute()) {
            self.attribute(name, &node.string().ok_or_else(|| unwritable(*node))?);
        }
        Ok(())
    }

    fn value(&mut self, value: Node<'_>) -> Result<(), Unwritable> {
        match value.kind() {
            JsonKind::String => {
                let text = value.string().ok_or_else(|| unwritable(value))?;
                self.attribute("value", &text);
                if text.is_empty() && !self.holes.is_empty() {
                    // What fills it goes between the quotes, and was written before the last of them.
                    let hole = self.holes.binary_search(&(value.span().start + 1));
                    self.found.extend(hole.ok().map(|hole| (hole, self.out.len() - 1)));
                }
                Ok(())
            }
            JsonKind::Number | JsonKind::Boolean => {
                self.attribute("value", value.raw());
                Ok(())
            }
            JsonKind::Object | JsonKind::Array | JsonKind::Null => Err(unwritable(value)),
        }
    }

    /// A narrative as it is; what is no XML is shown as text.
    fn narrative(&mut self, text: &str) {
        let text = text.trim();
        let rest = text.strip_prefix("<div").filter(|_| is_well_formed(text));
        let Some(rest) = rest else {
            self.open("div");
            self.attribute("xmlns", XHTML);
            self.out.push(b'>');
            escape(text, &mut self.out);
            self.depth -= 1;
            return self.end("div");
        };
        self.open("div");
        let opening = rest.find('>').and_then(|end| rest.get(..end)).unwrap_or_default();
        if !opening.contains("xmlns=") {
            self.attribute("xmlns", XHTML);
        }
        self.out.extend_from_slice(rest.as_bytes());
        self.depth -= 1;
    }

    /// Begins the tag of an element, which is open from then on.
    fn open(&mut self, tag: &str) {
        self.break_line();
        self.depth += 1;
        self.out.push(b'<');
        self.out.extend_from_slice(tag.as_bytes());
    }

    fn break_line(&mut self) {
        if self.layout == Layout::Indented && !self.out.is_empty() {
            self.out.push(b'\n');
            self.out.resize(self.out.len() + 2 * self.depth, b' ');
        }
    }

    /// Ends an element that holds others.
    fn close(&mut self, tag: &str) {
        self.depth -= 1;
        self.break_line();
        self.end(tag);
    }

    fn end(&mut self, tag: &str) {
        self.out.extend_from_slice(b"</");
        self.out.extend_from_slice(tag.as_bytes());
        self.out.push(b'>');
    }

    fn attribute(&mut self, name: &str, value: &str) {
        self.out.push(b' ');
        self.out.extend_from_slice(name.as_bytes());
        self.out.extend_from_slice(b"=\"");
        escape(value, &mut self.out);
        self.out.push(b'"');
    }
}

fn unwritable(node: Node<'_>) -> Unwritable {
    Unwritable { expression: node.expression() }
}

/// Appends text as an attribute or an element may hold it: blanks that a reader would take for others are written as references.
fn escape(text: &str, out: &mut Vec<u8>) {
    let mut rest = text.as_bytes();
    while let Some((plain, [special, after @ ..])) =
        rest.iter().position(|byte| reference(*byte).is_some()).and_then(|at| rest.split_at_checked(at))
    {
        out.extend_from_slice(plain);
        out.extend_from_slice(reference(*special).unwrap_or_default());
        rest = after;
    }
    out.extend_from_slice(rest);
}

const fn reference(byte: u8) -> Option<&'static [u8]> {
    Some(match byte {
        b'&' => b"&amp;",
        b'<' => b"&lt;",
        b'>' => b"&gt;",
        b'"' => b"&quot;",
        b'\n' => b"&#10;",
        b'\t' => b"&#9;",
        b'\r' => b"&#13;",
        _ => return None,
    })
}

/// Whether `text` is one element of XML that needs no document type.
fn is_well_formed(text: &str) -> bool {
    let mut reader = Reader::from_str(text);
    let (mut depth, mut roots) = (0_usize, 0_usize);
    loop {
        match reader.read_event() {
            Ok(Event::Start(start)) => {
                roots += usize::from(depth == 0);
                depth += 1;
                if !are_well_formed(&start) {
                    return false;
                }
            }
            Ok(Event::Empty(start)) => {
                roots += usize::from(depth == 0);
                if !are_well_formed(&start) {
                    return false;
                }
            }
            Ok(Event::End(_)) => depth -= 1,
            Ok(Event::GeneralRef(reference)) if !is_character(&reference) => return false,
            Ok(Event::GeneralRef(_) | Event::Text(_) | Event::CData(_) | Event::Comment(_)) => {}
            Ok(Event::Decl(_) | Event::PI(_) | Event::DocType(_)) | Err(_) => return false,
            Ok(Event::Eof) => return depth == 0 && roots == 1,
        }
    }
}

/// Whether a reference stands for a character without a document type.
pub(super) fn is_character(reference: &BytesRef<'_>) -> bool {
    let name: &[u8] = reference;
    matches!(name, b"lt" | b"gt" | b"amp" | b"quot" | b"apos") || matches!(reference.resolve_char_ref(), Ok(Some(_)))
}

/// Whether the attributes of an element are, each with its value.
pub(super) fn are_well_formed(start: &BytesStart<'_>) -> bool {
    start.attributes().all(|attribute| attribute.is_ok_and(|attribute| attribute.unescape_value().is_ok()))
}
