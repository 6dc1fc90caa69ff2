//! FHIR XML as a small tree: the element name, its `value` (or `url`, `id`) attribute, its children.

use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};

use crate::Fallible;

/// An element.
#[derive(Debug, Default)]
pub struct Element {
    /// Its local name.
    pub name: String,
    /// Its `value` attribute.
    pub value: Option<String>,
    /// Its `url` attribute, which extensions have.
    pub url: Option<String>,
    /// Its `id` attribute.
    pub id: Option<String>,
    /// Its children, in order.
    pub children: Vec<Element>,
}

impl Element {
    /// The children called `name`.
    pub fn all<'e>(&'e self, name: &'e str) -> impl Iterator<Item = &'e Element> {
        self.children.iter().filter(move |child| child.name == name)
    }

    /// The first child called `name`.
    pub fn first(&self, name: &str) -> Option<&Element> {
        self.children.iter().find(|child| child.name == name)
    }

    /// The value of the first child called `name`.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.first(name)?.value.as_deref()
    }

    /// The values of the children called `name`.
    pub fn texts(&self, name: &str) -> Vec<String> {
        self.all(name).filter_map(|child| child.value.clone()).collect()
    }

    /// Whether the child called `name` says `true`.
    pub fn is_true(&self, name: &str) -> bool {
        self.text(name) == Some("true")
    }
}

/// Gives every resource of a Bundle to `visit`, one after the other, so that no more than one is held at a time.
pub fn for_each_resource(xml: &str, mut visit: impl FnMut(Element)) -> Fallible<()> {
    let mut reader = Reader::from_str(xml);
    let mut open: Vec<Element> = Vec::new();
    loop {
        match reader.read_event()? {
            Event::Start(tag) => open.push(element(&tag)?),
            Event::Empty(tag) => close(element(&tag)?, &mut open, &mut visit),
            Event::End(_) => {
                if let Some(done) = open.pop() {
                    close(done, &mut open, &mut visit);
                }
            }
            Event::Eof => return Ok(()),
            Event::Text(_)
            | Event::CData(_)
            | Event::Comment(_)
            | Event::Decl(_)
            | Event::PI(_)
            | Event::DocType(_)
            | Event::GeneralRef(_) => {}
        }
    }
}

/// How deep a resource of a Bundle stands: `Bundle`, `entry`, `resource`.
const RESOURCE_DEPTH: usize = 3;

fn close(done: Element, open: &mut [Element], visit: &mut impl FnMut(Element)) {
    if open.len() == RESOURCE_DEPTH && open.last().is_some_and(|parent| parent.name == "resource") {
        visit(done);
    } else if let Some(parent) = open.last_mut()
        && done.name != "div"
    {
        parent.children.push(done);
    }
}

fn element(tag: &BytesStart<'_>) -> Fallible<Element> {
    let mut element = Element { name: String::from_utf8(tag.local_name().as_ref().to_vec())?, ..Element::default() };
    for attribute in tag.attributes() {
        let attribute = attribute?;
        let value = Some(attribute.unescape_value()?.into_owned());
        match attribute.key.as_ref() {
            b"value" => element.value = value,
            b"url" => element.url = value,
            b"id" => element.id = value,
            _ => {}
        }
    }
    Ok(element)
}
