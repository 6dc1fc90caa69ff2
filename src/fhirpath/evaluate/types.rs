//! Types of items: tests, conversion of elements to System values, and references answered by their text.

use std::borrow::Cow;

use super::super::item::{Element, Item};
use super::super::model::TypeId;
use super::super::program::{Name, OpId, TypeReference};
use super::super::temporal::{CalendarUnit, Temporal};
use super::super::value::{Quantity, SystemType, TypeName, Unit, Value};
use super::{Attempt, Evaluator, Scope};
use crate::fhir::decimal::Decimal;
use crate::fhir::json::{JsonKind, Node};

const UCUM: &str = "http://unitsofmeasure.org";

impl<'t> Evaluator<'t> {
    /// Whether the item is of the type or of one that specialises it.
    pub(super) fn is_of(&self, item: &Item<'t>, of: TypeReference) -> bool {
        match (item, of) {
            (Item::Value(value), TypeReference::System(system)) => system == SystemType::Any || value.system_type() == system,
            (Item::Value(value), TypeReference::Fhir(name)) => {
                value.system_type() == SystemType::Quantity
                    && self.program.name_of(name).is_some_and(|name| name.plain() == "Quantity")
            }
            (Item::Element(_), TypeReference::System(system)) => system == SystemType::Any,
            (Item::Element(element), TypeReference::Fhir(name)) => {
                self.program.name_of(name).is_some_and(|name| self.is_named(element, name.plain()))
            }
        }
    }

    /// Whether `as` and `ofType` keep the item: as [`Evaluator::is_of`], but a primitive must be of that very type, so that
    /// `source as uri` is not a `sourceCanonical`.
    pub(super) fn is_cast(&self, item: &Item<'t>, of: TypeReference) -> bool {
        let (Item::Element(element), TypeReference::Fhir(name)) = (item, of) else { return self.is_of(item, of) };
        if element.value().is_some_and(|node| node.kind() == JsonKind::Object) {
            return self.is_of(item, of);
        }
        let own = element.type_id().map(|type_id| self.environment.model.type_name(type_id));
        own.is_some() && own == self.program.name_of(name).map(Name::plain)
    }

    /// Whether the element's type, or one it specialises, has this name.
    pub(super) fn is_named(&self, element: &Element<'t>, name: &str) -> bool {
        match element.type_id() {
            Some(type_id) => self.specialises(type_id, name),
            None => {
                let kind = element.value().and_then(|node| node.member("resourceType")).and_then(Node::string);
                kind.is_some_and(|kind| kind == name)
            }
        }
    }

    fn specialises(&self, type_id: TypeId, name: &str) -> bool {
        let model = self.environment.model;
        let mut at = Some(type_id);
        while let Some(current) = at {
            if model.type_name(current) == name {
                return true;
            }
            at = model.base(current);
        }
        false
    }

    /// `resolve() is T` without resolving, where the text of the reference names a type.
    pub(super) fn resolves_to(&self, base: OpId, of: TypeReference, scope: Scope<'_, 't>) -> Attempt<Option<bool>> {
        let Some(item) = self.one(base, scope)? else { return Ok(None) };
        let TypeReference::Fhir(name) = of else { return Ok(Some(false)) };
        let Some(name) = self.program.name_of(name) else { return Ok(None) };
        let Some(reference) = reference_text(&item) else { return Ok(None) };
        if let Some(kind) = type_segment(&reference) {
            return Ok(Some(self.is_kind(kind, name.plain())));
        }
        if let Some(resolved) = self.resolved(&item, &reference) {
            return Ok(Some(self.is_named(&resolved, name.plain())));
        }
        let stated = item.element().and_then(Element::value).and_then(|node| node.member("type")).and_then(Node::string);
        Ok(stated.map(|kind| self.is_kind(&kind, name.plain())))
    }

    fn is_kind(&self, kind: &str, name: &str) -> bool {
        kind == name || self.environment.model.type_named(kind).is_some_and(|type_id| self.specialises(type_id, name))
    }

    /// The System value that an item is or stands for; nothing for an element with members.
    pub(super) fn value_of(&self, item: &Item<'t>) -> Option<Value<'t>> {
        match item {
            Item::Value(value) => Some(value.clone()),
            Item::Element(element) => self.primitive_value(element.primitive()?, element.type_id()),
        }
    }

    pub(super) fn primitive_value(&self, node: Node<'t>, type_id: Option<TypeId>) -> Option<Value<'t>> {
        let type_name = type_id.map_or("", |type_id| self.environment.model.type_name(type_id));
        match node.kind() {
            JsonKind::Boolean => node.boolean().map(Value::Boolean),
            JsonKind::Number => {
                let digits = node.number()?;
                let integer = if type_name == "decimal" { None } else { digits.parse().ok() };
                integer.map(Value::Integer).or_else(|| Decimal::parse(digits).ok().map(Value::Decimal))
            }
            JsonKind::String => {
                let text = node.string()?;
                let temporal = match type_name {
                    "date" | "dateTime" | "instant" => Temporal::parse(&text),
                    "time" => Temporal::parse_time(&text),
                    _ => None,
                };
                let moment = if type_name == "date" { temporal } else { temporal.and_then(|at| at.date_time().or(Some(at))) };
                Some(moment.map_or(Value::String(text), Value::Temporal))
            }
            JsonKind::Object | JsonKind::Array | JsonKind::Null => None,
        }
    }

    /// The text of an item that is one: a String, or a primitive that JSON writes as one.
    pub(super) fn text_of<'i>(&self, item: &'i Item<'t>) -> Option<Cow<'i, str>> {
        match item {
            Item::Value(Value::String(text)) => Some(Cow::Borrowed(text)),
            Item::Value(_) => None,
            Item::Element(element) => element.primitive()?.string(),
        }
    }

    /// The quantity that an item is or stands for.
    pub(super) fn quantity_of(&self, item: &Item<'t>) -> Option<Quantity<'t>> {
        match item {
            Item::Value(Value::Quantity(quantity)) => Some((**quantity).clone()),
            Item::Value(value) => Some(Quantity { value: value.number()?, unit: Unit::Coded(Cow::Borrowed("1")) }),
            Item::Element(element) if element.primitive().is_some() => {
                let value = self.value_of(item)?.number()?;
                Some(Quantity { value, unit: Unit::Coded(Cow::Borrowed("1")) })
            }
            Item::Element(element) => {
                if !self.is_named(element, "Quantity") {
                    return None;
                }
                quantity_of_fhir(element.value()?)
            }
        }
    }

    /// What `type()` tells of an item.
    pub(super) fn type_of(&self, item: &Item<'t>) -> TypeName<'t> {
        match item {
            Item::Value(value) => TypeName { namespace: "System", name: Cow::Borrowed(value.system_type().name()) },
            Item::Element(element) => {
                let model = self.environment.model;
                let name = match element.type_id() {
                    Some(type_id) => Cow::Borrowed(model.type_name(type_id)),
                    None => {
                        element.value().and_then(|node| node.member("resourceType")).and_then(Node::string).unwrap_or_default()
                    }
                };
                TypeName { namespace: "FHIR", name }
            }
        }
    }
}

/// A FHIR Quantity as a System one: the UCUM code, otherwise the unit as it is written; not where a comparator makes it a range.
fn quantity_of_fhir(node: Node<'_>) -> Option<Quantity<'_>> {
    if node.member("comparator").is_some() {
        return None;
    }
    let value = Decimal::parse(node.member("value")?.number()?).ok()?;
    let is_ucum = node.member("system").and_then(Node::string).is_some_and(|system| system == UCUM);
    let code = node.member("code").and_then(Node::string);
    let unit = match code.filter(|_| is_ucum) {
        Some(code) => match CalendarUnit::of_ucum(&code) {
            Some(unit) => Unit::Calendar(unit),
            None => Unit::Coded(code),
        },
        None => Unit::Coded(node.member("unit").and_then(Node::string).unwrap_or(Cow::Borrowed("1"))),
    };
    Some(Quantity { value, unit })
}

/// The text of a reference: `Reference.reference`, or a canonical, uri or url itself.
pub(super) fn reference_text<'t>(item: &Item<'t>) -> Option<Cow<'t, str>> {
    match item {
        Item::Element(element) => {
            let node = element.value()?;
            node.string().or_else(|| node.member("reference").and_then(Node::string))
        }
        Item::Value(Value::String(text)) => Some(text.clone()),
        Item::Value(_) => None,
    }
}

/// The type a reference names: the segment before the id, `Patient` of `http://a/fhir/Patient/p1/_history/2`.
fn type_segment(reference: &str) -> Option<&str> {
    if reference.starts_with('#') || reference.starts_with("urn:") {
        return None;
    }
    let path = reference.split(['?', '#', '|']).next()?;
    let path = path.split_once("/_history/").map_or(path, |(before, _)| before);
    let mut segments = path.rsplit('/');
    let last = segments.next()?;
    let kind =
        if reference.len() > path.len() && reference.get(path.len()..)?.starts_with('?') { last } else { segments.next()? };
    kind.starts_with(|first: char| first.is_ascii_uppercase()).then_some(kind)
}

#[cfg(test)]
mod tests {
    use super::type_segment;

    #[test]
    fn the_type_is_read_from_the_text_of_a_reference() {
        let table = [
            ("Patient/p1", Some("Patient")),
            ("http://a.example/fhir/Patient/p1", Some("Patient")),
            ("Patient/p1/_history/2", Some("Patient")),
            ("Patient?identifier=a|b", Some("Patient")),
            ("http://a.example/Questionnaire/q|2.0", Some("Questionnaire")),
            ("#p1", None),
            ("urn:uuid:5f1a", None),
            ("p1", None),
            ("", None),
        ];
        for (reference, expected) in table {
            assert_eq!(type_segment(reference), expected, "{reference}");
        }
    }
}
