//! Navigation: members by name, choice elements, primitives with their siblings, positions, children and descendants.

use super::super::item::{Element, Item};
use super::super::model::TypeId;
use super::super::program::{Name, NameId, OpId};
use super::super::value::Value;
use super::{Attempt, Evaluator, Flow, Scope, Sink, Stop, ended};
use crate::fhir::json::{JsonKind, Node};

/// The member of a resource that says what it is and is no element.
const RESOURCE_TYPE: &str = "resourceType";

impl<'t> Evaluator<'t> {
    /// A leading name with a capital: the item itself if that is its type, otherwise a member.
    pub(super) fn root(&self, item: &Item<'t>, name: NameId, sink: Sink<'_, 't>) -> Flow {
        let Some(name) = self.program.name_of(name) else { return Ok(()) };
        let Item::Element(element) = item else { return Ok(()) };
        if self.is_named(element, name.plain()) {
            return sink(item.clone());
        }
        let Some(object) = element.object() else { return Ok(()) };
        let (value, sibling) = pair(object, name);
        self.hand_out(value, sibling, None, sink)
    }

    pub(super) fn members(&self, id: OpId, (base, name): (OpId, NameId), scope: Scope<'_, 't>, sink: Sink<'_, 't>) -> Flow {
        let Some(name) = self.program.name_of(name) else { return Ok(()) };
        self.each(base, scope, &mut |item| {
            self.charge(id, 1)?;
            match &item {
                Item::Element(element) => self.member(id, element, name, sink),
                Item::Value(Value::Type(kind)) => match name.plain() {
                    "namespace" => sink(Value::text(kind.namespace).into()),
                    "name" => sink(Value::String(kind.name.clone()).into()),
                    _ => Ok(()),
                },
                Item::Value(_) => Ok(()),
            }
        })
    }

    /// Every element that stands under `name` in `of`.
    pub(super) fn member(&self, id: OpId, of: &Element<'t>, name: &Name, sink: Sink<'_, 't>) -> Flow {
        if let Some(primitive) = of.primitive()
            && name.plain() == "value"
        {
            return match self.primitive_value(primitive, of.type_id()) {
                Some(value) => sink(value.into()),
                None => Ok(()),
            };
        }
        let Some(object) = of.object() else { return Ok(()) };
        let (value, sibling) = pair(object, name);
        if value.is_some() || sibling.is_some() {
            let type_id = of.type_id().and_then(|of| {
                let ask = || self.property_type(of, name.plain());
                self.program.property_type(id, self.environment.model_id, of, ask)
            });
            return self.hand_out(value, sibling, type_id, sink);
        }
        self.choice(of, object, name, sink)
    }

    fn property_type(&self, of: TypeId, name: &str) -> Option<TypeId> {
        self.environment.model.property(of, name).map(|property| property.type_id)
    }

    /// A choice element: `value` stands under `valueQuantity` or one of its other names.
    fn choice(&self, of: &Element<'t>, object: Node<'t>, name: &Name, sink: Sink<'_, 't>) -> Flow {
        let Some(type_id) = of.type_id() else { return Ok(()) };
        let choices = self.environment.model.choices(type_id, name.plain());
        if choices.is_empty() || !object.children().any(|child| begins_with(child, name.plain())) {
            return Ok(());
        }
        for choice in choices {
            let (value, sibling) = pair_named(object, &choice.property);
            if value.is_some() || sibling.is_some() {
                return self.hand_out(value, sibling, Some(choice.type_id), sink);
            }
        }
        Ok(())
    }

    /// Hands out the items of a member and of its sibling, place by place.
    fn hand_out(&self, value: Option<Node<'t>>, sibling: Option<Node<'t>>, type_id: Option<TypeId>, sink: Sink<'_, 't>) -> Flow {
        if let (Some(value), None) = (value, sibling) {
            return value.items().filter(|item| item.kind() != JsonKind::Null).try_for_each(|item| {
                let type_id = self.narrowed(item, type_id);
                sink(Item::Element(Element::new(Some(item), None, type_id)))
            });
        }
        let mut values = value.map(Node::items);
        let mut siblings = sibling.map(Node::items);
        loop {
            let value = values.as_mut().and_then(Iterator::next);
            let sibling = siblings.as_mut().and_then(Iterator::next);
            if value.is_none() && sibling.is_none() {
                return Ok(());
            }
            let (value, sibling) = (present(value), present(sibling));
            if value.is_some() || sibling.is_some() {
                sink(Item::Element(Element::new(value, sibling, type_id)))?;
            }
        }
    }

    /// The type of an item declared as `type_id`: where any resource may stand, the resource says itself what it is.
    fn narrowed(&self, item: Node<'t>, type_id: Option<TypeId>) -> Option<TypeId> {
        if type_id.is_some() && type_id != self.environment.any_resource {
            return type_id;
        }
        if item.kind() != JsonKind::Object {
            return type_id;
        }
        match item.member(RESOURCE_TYPE).and_then(Node::string) {
            Some(kind) => self.environment.model.type_named(&kind).or(type_id),
            None => type_id,
        }
    }

    pub(super) fn indexed(&self, id: OpId, (base, index): (OpId, OpId), scope: Scope<'_, 't>, sink: Sink<'_, 't>) -> Flow {
        let Some(index) = self.one(index, scope)? else { return Ok(()) };
        let Some(Value::Integer(index)) = self.value_of(&index) else {
            return Err(self.error(id, super::Reason::WrongType("an integer")).into());
        };
        match self.nth(base, index, scope)? {
            Some(item) => sink(item),
            None => Ok(()),
        }
    }

    /// The item at a position, counted from 0.
    pub(super) fn nth(&self, base: OpId, position: i32, scope: Scope<'_, 't>) -> Attempt<Option<Item<'t>>> {
        let (mut found, mut at) = (None, 0);
        ended(self.each(base, scope, &mut |item| {
            if at == position {
                found = Some(item);
                return Err(Stop::Enough);
            }
            at += 1;
            Ok(())
        }))?;
        Ok(found)
    }

    /// Every element directly within `item`.
    pub(super) fn children(&self, at: OpId, item: &Item<'t>, sink: Sink<'_, 't>) -> Flow {
        let Item::Element(element) = item else { return Ok(()) };
        let Some(object) = element.object() else { return Ok(()) };
        let has_siblings = object.children().any(|child| begins_with(child, "_"));
        for child in object.children() {
            self.charge(at, 1)?;
            let Some(key) = child.key() else { continue };
            if key == RESOURCE_TYPE {
                continue;
            }
            let (name, value, sibling) = match key.strip_prefix('_') {
                Some(name) if object.member(name).is_some() => continue,
                Some(name) => (name, None, Some(child)),
                None if has_siblings => (&*key, Some(child), object.children().find(|other| is_sibling(*other, &key))),
                None => (&*key, Some(child), None),
            };
            let type_id = element.type_id().and_then(|of| self.property_type(of, name));
            self.hand_out(value, sibling, type_id, sink)?;
        }
        Ok(())
    }

    /// Every element within `item`, however deep, parents before their children.
    pub(super) fn descendants(&self, at: OpId, item: &Item<'t>, sink: Sink<'_, 't>) -> Flow {
        self.children(at, item, &mut |child| {
            sink(child.clone())?;
            self.descendants(at, &child, sink)
        })
    }
}

/// A member and the sibling that carries its ids and extensions, in one pass. Only primitives have such siblings.
fn pair<'t>(object: Node<'t>, name: &Name) -> (Option<Node<'t>>, Option<Node<'t>>) {
    let (mut value, mut sibling) = (None, None);
    for child in object.children() {
        if child.is_named(name.plain()) {
            value = Some(child);
            if sibling.is_some() || child.items().next().is_some_and(|item| item.kind() == JsonKind::Object) {
                break;
            }
        } else if child.is_named(name.underscored()) {
            sibling = Some(child);
            if value.is_some() {
                break;
            }
        }
    }
    (value, sibling)
}

fn pair_named<'t>(object: Node<'t>, name: &str) -> (Option<Node<'t>>, Option<Node<'t>>) {
    (object.member(name), object.children().find(|child| is_sibling(*child, name)))
}

fn is_sibling(node: Node<'_>, name: &str) -> bool {
    node.key().is_some_and(|key| key.strip_prefix('_') == Some(name))
}

/// Whether a member's name, or the name it is the sibling of, begins so.
fn begins_with(node: Node<'_>, stem: &str) -> bool {
    node.key().is_some_and(|key| key.starts_with(stem) || key.strip_prefix('_').is_some_and(|name| name.starts_with(stem)))
}

fn present(node: Option<Node<'_>>) -> Option<Node<'_>> {
    node.filter(|node| node.kind() != JsonKind::Null)
}
