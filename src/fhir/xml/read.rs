//! From XML to JSON: elements become members in the order in which they stand, repetitions become arrays, and what a primitive has
//! beside its value stands under `_name`.

use std::borrow::Cow;

use quick_xml::NsReader;
use quick_xml::escape::unescape;
use quick_xml::events::{BytesStart, Event};
use quick_xml::name::{Namespace, ResolveResult};
use smallvec::SmallVec;

use super::write::{are_well_formed, is_character};
use super::{Element, Elements, FHIR, Fault, Form, MAX_DEPTH, RESOURCE_TYPE, SCHEMA_INSTANCE, XHTML};
use crate::fhir::json::push_string;

const DIV: &[u8] = b"div";
/// The attribute of a primitive.
const VALUE: &str = "value";
const MARK: char = '\u{feff}';

/// The resource that `source` holds, in JSON.
///
/// # Errors
/// The first fault.
pub fn to_json<E: Elements>(elements: &E, source: &[u8]) -> Result<Vec<u8>, Fault> {
    let nowhere = |rule: &str, offset| Fault::at(rule, String::from("$this"), (&String::from_utf8_lossy(source), offset));
    let text = std::str::from_utf8(source).map_err(|error| nowhere("the text is not UTF-8", error.valid_up_to()))?;
    let text = text.strip_prefix(MARK).unwrap_or(text);
    let mut reader = Reader { elements, xml: NsReader::from_str(text), source: text, began: 0, path: Vec::new() };
    let mut out = Vec::with_capacity(text.len());
    reader.document(&mut out)?;
    Ok(out)
}

/// Whether the first element of `source` is called `name`.
pub fn is_called(source: &[u8], name: &str) -> bool {
    let mut reader = quick_xml::Reader::from_reader(source);
    loop {
        match reader.read_event() {
            Ok(Event::Start(start) | Event::Empty(start)) => return start.local_name().as_ref() == name.as_bytes(),
            Ok(Event::Eof) | Err(_) => return false,
            Ok(_) => {}
        }
    }
}

struct Reader<'s, E> {
    elements: &'s E,
    xml: NsReader<&'s [u8]>,
    source: &'s str,
    /// Where the event at hand began.
    began: usize,
    /// The elements that have begun, each with its number where it repeats.
    path: Vec<(Cow<'static, str>, Option<usize>)>,
}

/// What is found inside an element.
enum Found<'s> {
    /// An element in the namespace of resources.
    Element(BytesStart<'s>, bool),
    /// An element in the namespace of narratives.
    Narrative(BytesStart<'s>, bool),
    /// The end of the element.
    End,
    /// The end of the text.
    Eof,
}

/// The repetitions of an element that have been read, in JSON.
struct Group<T> {
    element: Element<T>,
    name: String,
    count: usize,
    values: Vec<u8>,
    has_values: bool,
    beside: Vec<u8>,
    has_beside: bool,
}

/// The names and values of attributes.
type Attributes<'b> = SmallVec<[(&'b str, Cow<'b, str>); 2]>;

/// A primitive: its value in JSON, and what stands beside it.
type Primitive = (Option<Vec<u8>>, Option<Vec<u8>>);

impl<'s, E: Elements> Reader<'s, E> {
    fn document(&mut self, out: &mut Vec<u8>) -> Result<(), Fault> {
        match self.next()? {
            Found::Element(start, is_empty) => self.resource(&start, is_empty, out)?,
            Found::Narrative(..) => return Err(self.fault("a resource is in the namespace http://hl7.org/fhir")),
            Found::End | Found::Eof => return Err(self.fault("there is no element")),
        }
        match self.next()? {
            Found::Eof => Ok(()),
            Found::Element(..) | Found::Narrative(..) | Found::End => Err(self.fault("a text holds one resource")),
        }
    }

    /// What comes next: an element, or an end.
    fn next(&mut self) -> Result<Found<'s>, Fault> {
        loop {
            self.began = self.xml.buffer_position() as usize;
            let (namespace, event) = match self.xml.read_resolved_event() {
                Ok((namespace, event)) => (Name::of(&namespace), event),
                Err(error) => return Err(self.fault(format!("this is no well-formed XML: {error}"))),
            };
            let (start, is_empty) = match event {
                Event::Start(start) => (start, false),
                Event::Empty(start) => (start, true),
                Event::End(_) => return Ok(Found::End),
                Event::Eof => return Ok(Found::Eof),
                Event::Text(text) if text.iter().all(u8::is_ascii_whitespace) => continue,
                Event::Comment(_) | Event::PI(_) => continue,
                Event::Decl(declaration) => match declaration.encoding() {
                    Some(Ok(encoding)) if !encoding.eq_ignore_ascii_case(b"utf-8") => {
                        return Err(self.fault("a resource is encoded in UTF-8"));
                    }
                    _ => continue,
                },
                Event::Text(_) | Event::CData(_) => return Err(self.fault("no text stands between elements")),
                Event::GeneralRef(_) => return Err(self.fault("no reference stands between elements")),
                Event::DocType(_) => return Err(self.fault("a resource has no document type")),
            };
            return match namespace {
                Name::Fhir => Ok(Found::Element(start, is_empty)),
                Name::Xhtml => Ok(Found::Narrative(start, is_empty)),
                Name::Other => Err(self.fault("an element is in the namespace http://hl7.org/fhir")),
            };
        }
    }

    fn resource(&mut self, start: &BytesStart<'s>, is_empty: bool, out: &mut Vec<u8>) -> Result<(), Fault> {
        let name = self.local_name(start)?;
        let Some(of) = self.elements.resource(&name) else {
            return Err(self.fault("the name of the element is not that of a resource type of R4"));
        };
        if self.path.is_empty() {
            self.path.push((Cow::Owned(name.clone()), None));
        }
        out.extend_from_slice(b"{\"");
        out.extend_from_slice(RESOURCE_TYPE.as_bytes());
        out.extend_from_slice(b"\":");
        push_string(&name, out);
        self.attributes(start, None, false)?;
        if !is_empty {
            self.children(of, false, out)?;
        }
        out.push(b'}');
        Ok(())
    }

    /// The attributes of an element that holds what `of` says; `has_value`: it is a primitive.
    fn attributes<'b>(&self, start: &'b BytesStart<'s>, of: Option<E::Type>, has_value: bool) -> Result<Attributes<'b>, Fault> {
        let mut attributes = Attributes::new();
        for attribute in start.attributes() {
            let attribute = attribute.map_err(|error| self.fault(format!("this is no well-formed XML: {error}")))?;
            let (namespace, name) = self.xml.resolve_attribute(attribute.key);
            let is_hint = matches!(namespace, ResolveResult::Bound(Namespace(space)) if space == SCHEMA_INSTANCE.as_bytes());
            if is_hint || attribute.key.as_namespace_binding().is_some() {
                continue;
            }
            let name = std::str::from_utf8(name.into_inner()).unwrap_or_default();
            let found = of.and_then(|of| self.elements.element(of, name));
            let is_known = found.is_some_and(|found| found.form == Form::Attribute) || (has_value && name == VALUE);
            let value = match attribute.value {
                Cow::Borrowed(value) if is_known && namespace == ResolveResult::Unbound => self.attribute_value(value)?,
                _ => return Err(self.fault("there is no such attribute here")),
            };
            attributes.push((name, value));
        }
        Ok(attributes)
    }

    /// The value of an attribute: line breaks and tabs that are no references are blanks (XML 1.0 §3.3.3).
    fn attribute_value<'a>(&self, raw: &'a [u8]) -> Result<Cow<'a, str>, Fault> {
        let text = std::str::from_utf8(raw).unwrap_or_default();
        let refused = |_| self.fault("a reference stands for a character or for one of lt, gt, amp, quot and apos");
        if text.contains(['\n', '\t', '\r']) {
            let plain = text.replace("\r\n", " ").replace(['\n', '\t', '\r'], " ");
            return unescape(&plain).map(|text| Cow::Owned(text.into_owned())).map_err(refused);
        }
        unescape(text).map_err(refused)
    }

    /// The elements up to the end of the one they stand in, as members; `is_first`: none stands before them.
    fn children(&mut self, of: E::Type, mut is_first: bool, out: &mut Vec<u8>) -> Result<(), Fault> {
        let mut group: Option<Group<E::Type>> = None;
        loop {
            let (start, is_empty, is_narrative) = match self.next()? {
                Found::Element(start, is_empty) => (start, is_empty, false),
                Found::Narrative(start, is_empty) => (start, is_empty, true),
                Found::End => break,
                Found::Eof => return Err(self.fault("the text ends inside an element")),
            };
            let name = self.local_name(&start)?;
            let element = self.elements.element(of, &name).filter(|element| element.form != Form::Attribute);
            let Some(element) = element.filter(|element| (element.form == Form::Narrative) == is_narrative) else {
                return Err(self.fault(unknown(&name)));
            };
            let previous = group.take();
            let mut current = match previous {
                Some(previous) if previous.name == name && element.repeats => previous,
                previous => {
                    if let Some(previous) = previous {
                        self.check_order(&previous, &element, &name)?;
                        previous.write(&mut is_first, out);
                    }
                    Group::new(element, name)
                }
            };
            self.begin(&current)?;
            self.one(&mut current, (&start, is_empty))?;
            self.path.pop();
            group = Some(current);
        }
        if let Some(last) = group {
            last.write(&mut is_first, out);
        }
        Ok(())
    }

    fn check_order(&self, previous: &Group<E::Type>, element: &Element<E::Type>, name: &str) -> Result<(), Fault> {
        if previous.element.order < element.order {
            return Ok(());
        }
        let name = if name.len() <= 64 { name } else { "an element" };
        let rule = match (previous.element.order == element.order, element.repeats) {
            (true, _) => format!("{name} stands here already, and does not repeat"),
            (false, _) => format!("{name} stands before {} (elements have an order)", previous.name),
        };
        Err(self.fault(rule))
    }

    fn begin(&mut self, group: &Group<E::Type>) -> Result<(), Fault> {
        if self.path.len() >= MAX_DEPTH {
            return Err(self.fault(format!("the nesting is deeper than {MAX_DEPTH}")));
        }
        self.path.push((Cow::Borrowed(group.element.name), group.element.repeats.then_some(group.count)));
        Ok(())
    }

    /// One repetition of an element.
    fn one(&mut self, group: &mut Group<E::Type>, (start, is_empty): (&BytesStart<'s>, bool)) -> Result<(), Fault> {
        match group.element.form {
            Form::Text | Form::Number | Form::Boolean => {
                let (value, beside) = self.primitive(&group.element, start, is_empty)?;
                group.push(value.as_deref(), beside.as_deref());
            }
            Form::Object => {
                group.begin_value();
                self.object(group.element.holds, (start, is_empty), &mut group.values)?;
                group.end_value();
            }
            Form::Resource => {
                group.begin_value();
                self.inner(start, is_empty, &mut group.values)?;
                group.end_value();
            }
            Form::Narrative => {
                let text = self.narrative(start, is_empty)?;
                group.begin_value();
                push_string(text, &mut group.values);
                group.end_value();
            }
            Form::Attribute => return Err(self.fault("this is an attribute")),
        }
        Ok(())
    }

    /// An element with elements of its own.
    fn object(&mut self, of: E::Type, (start, is_empty): (&BytesStart<'s>, bool), out: &mut Vec<u8>) -> Result<(), Fault> {
        out.push(b'{');
        let begun = out.len();
        for (name, value) in self.attributes(start, Some(of), false)? {
            push_member(name, &value, begun, out);
        }
        if !is_empty {
            self.children(of, out.len() == begun, out)?;
        }
        if out.len() == begun {
            return Err(self.fault("an element must not be empty"));
        }
        out.push(b'}');
        Ok(())
    }

    /// A resource inside an element.
    fn inner(&mut self, start: &BytesStart<'s>, is_empty: bool, out: &mut Vec<u8>) -> Result<(), Fault> {
        self.attributes(start, None, false)?;
        match if is_empty { Found::End } else { self.next()? } {
            Found::Element(start, is_empty) => self.resource(&start, is_empty, out)?,
            Found::Narrative(..) | Found::End | Found::Eof => return Err(self.fault("a resource stands in this element")),
        }
        match self.next()? {
            Found::End => Ok(()),
            Found::Element(..) | Found::Narrative(..) | Found::Eof => Err(self.fault("one resource stands in this element")),
        }
    }

    fn primitive(&mut self, element: &Element<E::Type>, start: &BytesStart<'s>, is_empty: bool) -> Result<Primitive, Fault> {
        let (mut value, mut beside) = (None, vec![b'{']);
        for (name, text) in self.attributes(start, Some(element.holds), true)? {
            if name == VALUE {
                value = Some(self.value(element.form, &text)?);
            } else {
                push_member(name, &text, 1, &mut beside);
            }
        }
        if !is_empty {
            self.children(element.holds, beside.len() == 1, &mut beside)?;
        }
        let beside = (beside.len() > 1).then(|| {
            beside.push(b'}');
            beside
        });
        if value.is_none() && beside.is_none() {
            return Err(self.fault("an element has a value or an extension"));
        }
        Ok((value, beside))
    }

    /// The JSON of a value.
    fn value(&self, form: Form, text: &str) -> Result<Vec<u8>, Fault> {
        match form {
            Form::Number if is_number(text) => Ok(text.as_bytes().to_vec()),
            Form::Number => Err(self.fault("the value must be a number")),
            Form::Boolean if matches!(text, "true" | "false") => Ok(text.as_bytes().to_vec()),
            Form::Boolean => Err(self.fault("the value must be true or false")),
            Form::Text | Form::Attribute | Form::Narrative | Form::Object | Form::Resource => {
                let mut json = Vec::with_capacity(text.len() + 2);
                push_string(text, &mut json);
                Ok(json)
            }
        }
    }

    /// A narrative, as it is written.
    fn narrative(&mut self, start: &BytesStart<'s>, is_empty: bool) -> Result<&'s str, Fault> {
        let from = self.began;
        if start.name().as_ref() != DIV {
            return Err(self.fault("a narrative is written without a prefix"));
        }
        let mut depth = usize::from(!is_empty);
        self.narrative_element(start)?;
        while depth > 0 {
            self.began = self.xml.buffer_position() as usize;
            let (namespace, event) = match self.xml.read_resolved_event() {
                Ok((namespace, event)) => (Name::of(&namespace), event),
                Err(error) => return Err(self.fault(format!("this is no well-formed XML: {error}"))),
            };
            match event {
                Event::Start(start) if namespace == Name::Xhtml => {
                    self.narrative_element(&start)?;
                    depth += 1;
                }
                Event::Empty(start) if namespace == Name::Xhtml => self.narrative_element(&start)?,
                Event::Start(_) | Event::Empty(_) => {
                    return Err(self.fault("elements of a narrative are in the namespace http://www.w3.org/1999/xhtml"));
                }
                Event::End(_) => depth -= 1,
                Event::GeneralRef(reference) if !is_character(&reference) => {
                    return Err(self.fault("a reference stands for a character or for one of lt, gt, amp, quot and apos"));
                }
                Event::Text(_) | Event::CData(_) | Event::Comment(_) | Event::GeneralRef(_) => {}
                Event::PI(_) | Event::Decl(_) | Event::DocType(_) => {
                    return Err(self.fault("a narrative holds elements and text only"));
                }
                Event::Eof => return Err(self.fault("the text ends inside a narrative")),
            }
            if depth > 4 * MAX_DEPTH {
                return Err(self.fault("the nesting of the narrative is too deep"));
            }
        }
        Ok(self.source.get(from..self.xml.buffer_position() as usize).unwrap_or_default())
    }

    fn narrative_element(&self, start: &BytesStart<'s>) -> Result<(), Fault> {
        if are_well_formed(start) { Ok(()) } else { Err(self.fault("the attributes of an element of the narrative are no XML")) }
    }

    fn local_name(&self, start: &BytesStart<'s>) -> Result<String, Fault> {
        let local = start.local_name();
        std::str::from_utf8(local.as_ref()).map(str::to_owned).map_err(|_| self.fault("the name is not UTF-8"))
    }

    fn fault(&self, rule: impl Into<String>) -> Fault {
        let mut expression = String::new();
        for (name, index) in &self.path {
            if !expression.is_empty() {
                expression.push('.');
            }
            expression.push_str(name);
            if let Some(index) = index {
                expression.push_str(&format!("[{index}]"));
            }
        }
        if expression.is_empty() {
            expression.push_str("$this");
        }
        Fault::at(rule, expression, (self.source, self.began))
    }
}

/// The namespaces that are told apart.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Name {
    Fhir,
    Xhtml,
    Other,
}

impl Name {
    fn of(resolved: &ResolveResult<'_>) -> Self {
        match resolved {
            ResolveResult::Bound(Namespace(name)) if *name == FHIR.as_bytes() => Self::Fhir,
            ResolveResult::Bound(Namespace(name)) if *name == XHTML.as_bytes() => Self::Xhtml,
            ResolveResult::Bound(_) | ResolveResult::Unbound | ResolveResult::Unknown(_) => Self::Other,
        }
    }
}

fn unknown(name: &str) -> String {
    let is_presentable = name.len() <= 64 && name.bytes().all(|byte| byte.is_ascii_alphanumeric());
    if is_presentable { format!("there is no element {name} here") } else { String::from("no element has a name like that") }
}

/// Whether `text` is a JSON number (RFC 8259 §6).
fn is_number(text: &str) -> bool {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let (mantissa, exponent) =
        text.split_once(['e', 'E']).map_or((text, None), |(mantissa, exponent)| (mantissa, Some(exponent)));
    let mantissa = mantissa.strip_prefix('-').unwrap_or(mantissa);
    let (whole, fraction) = mantissa.split_once('.').map_or((mantissa, None), |(whole, fraction)| (whole, Some(fraction)));
    let exponent = exponent.map(|exponent| exponent.strip_prefix(['+', '-']).unwrap_or(exponent));
    digits(whole) && (whole == "0" || !whole.starts_with('0')) && fraction.is_none_or(digits) && exponent.is_none_or(digits)
}

/// Appends `"name":"value"`, after a comma where something stands there already.
fn push_member(name: &str, value: &str, begun: usize, out: &mut Vec<u8>) {
    if out.len() > begun {
        out.push(b',');
    }
    push_string(name, out);
    out.push(b':');
    push_string(value, out);
}

impl<T> Group<T> {
    fn new(element: Element<T>, name: String) -> Self {
        Self { element, name, count: 0, values: Vec::new(), has_values: false, beside: Vec::new(), has_beside: false }
    }

    /// Before the JSON of the next value is appended to `values`.
    fn begin_value(&mut self) {
        if self.count > 0 {
            self.values.push(b',');
        }
    }

    fn end_value(&mut self) {
        self.count += 1;
        self.has_values = true;
    }

    /// Appends a primitive.
    fn push(&mut self, value: Option<&[u8]>, beside: Option<&[u8]>) {
        for (all, one) in [(&mut self.values, value), (&mut self.beside, beside)] {
            if self.count > 0 {
                all.push(b',');
            }
            all.extend_from_slice(one.unwrap_or(b"null"));
        }
        self.count += 1;
        self.has_values |= value.is_some();
        self.has_beside |= beside.is_some();
    }

    /// Appends the members: the values, and what stands beside them.
    fn write(self, is_first: &mut bool, out: &mut Vec<u8>) {
        let members = [("", self.has_values, &self.values), ("_", self.has_beside, &self.beside)];
        for (prefix, _, json) in members.into_iter().filter(|(_, is_there, _)| *is_there) {
            if !std::mem::replace(is_first, false) {
                out.push(b',');
            }
            out.push(b'"');
            out.extend_from_slice(prefix.as_bytes());
            out.extend_from_slice(self.name.as_bytes());
            out.extend_from_slice(b"\":");
            if self.element.repeats {
                out.push(b'[');
            }
            out.extend_from_slice(json);
            if self.element.repeats {
                out.push(b']');
            }
        }
    }
}
