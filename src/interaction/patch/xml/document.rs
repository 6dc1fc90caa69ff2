//! An XML document as nodes that can be moved about. What is not touched is written as it was read.

use quick_xml::Reader;
use quick_xml::escape::unescape;
use quick_xml::events::{BytesStart, Event};

/// The deepest nesting that is read.
const MAX_DEPTH: usize = 100;

/// A node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Node {
    /// `<name …>…</name>`
    Element(Element),
    /// Text as written, its references unresolved.
    Text(String),
    /// What stands in `<!--…-->`.
    Comment(String),
    /// What stands in `<?…?>`.
    Instruction(String),
}

/// An element.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Element {
    /// Its name as written.
    pub(super) name: String,
    /// Its namespace.
    pub(super) space: String,
    /// Its attributes in their order, declarations of namespaces among them: names and values as written.
    pub(super) attributes: Vec<(String, String)>,
    /// What it holds.
    pub(super) children: Vec<Node>,
}

/// The namespaces in scope: prefixes, the empty one for the default, and their URIs; the innermost last.
pub(super) type Scope = Vec<(String, String)>;

/// The URI that `prefix` stands for in `scope`; of an unprefixed name the default one.
pub(super) fn resolved<'s>(scope: &'s Scope, prefix: &str) -> Option<&'s str> {
    let found = scope.iter().rev().find(|(own, _)| own == prefix).map(|(_, uri)| uri.as_str());
    if prefix.is_empty() { Some(found.unwrap_or_default()) } else { found }
}

impl Element {
    /// The name without its prefix.
    pub(super) fn local(&self) -> &str {
        self.name.rsplit(':').next().unwrap_or_default()
    }

    /// The value of the attribute `name`, its references resolved.
    pub(super) fn attribute(&self, name: &str) -> Option<String> {
        let (_, value) = self.attributes.iter().find(|(own, _)| own == name)?;
        unescape(value).ok().map(std::borrow::Cow::into_owned)
    }

    /// The text in it, at whatever depth, its references resolved.
    pub(super) fn text(&self) -> String {
        self.children.iter().fold(String::new(), |mut text, child| {
            match child {
                Node::Element(element) => text.push_str(&element.text()),
                Node::Text(raw) => text.push_str(&unescape(raw).unwrap_or_default()),
                Node::Comment(_) | Node::Instruction(_) => {}
            }
            text
        })
    }

    /// The elements directly in it.
    pub(super) fn elements(&self) -> impl Iterator<Item = (usize, &Self)> {
        self.children.iter().enumerate().filter_map(|(at, child)| match child {
            Node::Element(element) => Some((at, element)),
            _ => None,
        })
    }

    /// The namespaces it declares.
    pub(super) fn declared(&self) -> impl Iterator<Item = (String, String)> + '_ {
        self.attributes.iter().filter_map(|(name, value)| {
            let prefix = if name == "xmlns" { "" } else { name.strip_prefix("xmlns:")? };
            Some((prefix.to_owned(), unescape(value).ok()?.into_owned()))
        })
    }

    /// The same element as it is written where `space` is the default namespace: without prefixes, so that it needs nothing of
    /// where it comes from.
    pub(super) fn adopted(mut self, space: &str) -> Self {
        self.name = self.local().to_owned();
        self.attributes.retain(|(name, _)| name != "xmlns" && !name.starts_with("xmlns:"));
        if self.space != space {
            self.attributes.insert(0, ("xmlns".to_owned(), quick_xml::escape::escape(&self.space).into_owned()));
        }
        let space = self.space.clone();
        self.children = self.children.into_iter().map(|child| child.adopted(&space)).collect();
        self
    }

    fn write(&self, out: &mut String) {
        out.extend(["<", &self.name]);
        for (name, value) in &self.attributes {
            out.extend([" ", name, "=\"", &value.replace('"', "&quot;"), "\""]);
        }
        if self.children.is_empty() {
            out.push_str("/>");
            return;
        }
        out.push('>');
        self.children.iter().for_each(|child| child.write(out));
        out.extend(["</", &self.name, ">"]);
    }
}

impl Node {
    /// See [`Element::adopted`].
    pub(super) fn adopted(self, space: &str) -> Self {
        match self {
            Self::Element(element) => Self::Element(element.adopted(space)),
            other => other,
        }
    }

    fn write(&self, out: &mut String) {
        match self {
            Self::Element(element) => element.write(out),
            Self::Text(text) => out.push_str(text),
            Self::Comment(text) => out.extend(["<!--", text, "-->"]),
            Self::Instruction(text) => out.extend(["<?", text, "?>"]),
        }
    }
}

/// The root element of `xml`.
///
/// # Errors
/// Why it is no XML that is read here.
pub(super) fn read(xml: &str) -> Result<Element, &'static str> {
    let mut reader = Reader::from_str(xml);
    let (mut open, mut scope): (Vec<Element>, Scope) = (vec![Element::default()], Scope::new());
    let mut marks = Vec::new();
    loop {
        match reader.read_event().map_err(|_| "it is no well-formed XML")? {
            Event::Start(tag) => {
                marks.push(scope.len());
                open.push(element(&tag, &mut scope)?);
                if open.len() > MAX_DEPTH {
                    return Err("its elements are nested too deeply");
                }
            }
            Event::Empty(tag) => {
                let mark = scope.len();
                let element = element(&tag, &mut scope)?;
                scope.truncate(mark);
                push(&mut open, Node::Element(element));
            }
            Event::End(_) => {
                let done = open.pop().ok_or("it is no well-formed XML")?;
                scope.truncate(marks.pop().unwrap_or_default());
                push(&mut open, Node::Element(done));
            }
            Event::Text(text) => push_text(&mut open, str_of(&text)?),
            Event::CData(text) => push_text(&mut open, &quick_xml::escape::escape(str_of(&text)?)),
            Event::GeneralRef(name) => push_text(&mut open, &reference(str_of(&name)?)?),
            Event::Comment(text) => push(&mut open, Node::Comment(str_of(&text)?.to_owned())),
            Event::PI(text) => push(&mut open, Node::Instruction(str_of(&text)?.to_owned())),
            Event::DocType(_) => return Err("a document type is not read"),
            Event::Decl(_) => {}
            Event::Eof => break,
        }
    }
    let document = open.pop().filter(|_| open.is_empty()).ok_or("an element is not closed")?;
    let mut elements = document.children.into_iter().filter_map(|child| match child {
        Node::Element(element) => Some(element),
        _ => None,
    });
    match (elements.next(), elements.next()) {
        (Some(root), None) => Ok(root),
        _ => Err("it has not one root element"),
    }
}

/// `root` as text.
pub(super) fn written(root: &Element) -> String {
    let mut out = String::new();
    root.write(&mut out);
    out
}

fn str_of(bytes: &[u8]) -> Result<&str, &'static str> {
    std::str::from_utf8(bytes).map_err(|_| "it is not UTF-8")
}

/// A character reference, or one of the five that XML defines.
fn reference(name: &str) -> Result<String, &'static str> {
    let text = format!("&{name};");
    unescape(&text).map_err(|_| "an entity that is not defined")?;
    Ok(text)
}

fn element(tag: &BytesStart<'_>, scope: &mut Scope) -> Result<Element, &'static str> {
    let name = str_of(tag.name().into_inner())?.to_owned();
    let mut element = Element { name, ..Element::default() };
    for attribute in tag.attributes() {
        let attribute = attribute.map_err(|_| "an attribute is not well formed")?;
        element.attributes.push((str_of(attribute.key.into_inner())?.to_owned(), str_of(&attribute.value)?.to_owned()));
    }
    scope.extend(element.declared());
    let prefix = element.name.split_once(':').map_or("", |(prefix, _)| prefix);
    element.space = resolved(scope, prefix).ok_or("a prefix that is not declared")?.to_owned();
    Ok(element)
}

fn push(open: &mut [Element], node: Node) {
    if let Some(holder) = open.last_mut() {
        holder.children.push(node);
    }
}

fn push_text(open: &mut [Element], more: &str) {
    let Some(holder) = open.last_mut() else { return };
    match holder.children.last_mut() {
        Some(Node::Text(text)) => text.push_str(more),
        _ => holder.children.push(Node::Text(more.to_owned())),
    }
}
