//! Equality `=`, which may be undecided, and equivalence `~`, which never is (N1 §Equality).

use std::cmp::Ordering;

use super::super::item::{Element, Item};
use super::super::program::OpId;
use super::super::value::{Unit, Value};
use super::{Attempt, Evaluator};
use crate::fhir::json::{JsonKind, Node};

/// How strictly two nodes are compared.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Rigour {
    Equal,
    Equivalent,
}

impl<'t> Evaluator<'t> {
    /// Two collections, in order: nothing if either is empty or any pair is undecided.
    pub(super) fn are_equal(&self, at: OpId, left: &[Item<'t>], right: &[Item<'t>]) -> Attempt<Option<bool>> {
        if left.is_empty() || right.is_empty() {
            return Ok(None);
        }
        if left.len() != right.len() {
            return Ok(Some(false));
        }
        let mut undecided = false;
        for (left, right) in left.iter().zip(right) {
            match self.equal(at, left, right)? {
                Some(true) => {}
                Some(false) => return Ok(Some(false)),
                None => undecided = true,
            }
        }
        Ok(if undecided { None } else { Some(true) })
    }

    /// Two collections, in any order; two empty ones are equivalent.
    pub(super) fn are_equivalent(&self, at: OpId, left: &[Item<'t>], right: &[Item<'t>]) -> Attempt<bool> {
        if left.len() != right.len() {
            return Ok(false);
        }
        let mut open: Vec<&Item<'t>> = right.iter().collect();
        for item in left {
            let mut partner = None;
            for (position, other) in open.iter().enumerate() {
                if self.equivalent(at, item, other)? {
                    partner = Some(position);
                    break;
                }
            }
            match partner {
                Some(position) => open.swap_remove(position),
                None => return Ok(false),
            };
        }
        Ok(true)
    }

    /// Two items; nothing where precision or unit leave it open, or a primitive has no value.
    pub(super) fn equal(&self, at: OpId, left: &Item<'t>, right: &Item<'t>) -> Attempt<Option<bool>> {
        self.charge(at, 1)?;
        if let (Item::Element(left), Item::Element(right)) = (left, right) {
            if left.node() == right.node() {
                return Ok(Some(true));
            }
            if left.primitive().is_none() && right.primitive().is_none() {
                return self.equal_elements(at, left, right);
            }
        }
        match (self.value_of(left), self.value_of(right)) {
            (Some(left), Some(right)) => Ok(self.equal_values(&left, &right)),
            (left_value, right_value) => {
                if lacks_value(left) || lacks_value(right) {
                    return Ok(None);
                }
                let is_quantity =
                    |value: &Option<Value<'_>>| value.as_ref().is_none_or(|value| matches!(value, Value::Quantity(_)));
                if !is_quantity(&left_value) || !is_quantity(&right_value) {
                    return Ok(Some(false));
                }
                match (self.quantity_of(left), self.quantity_of(right)) {
                    (Some(left), Some(right)) => Ok(self.compare_quantities(&left, &right).map(Ordering::is_eq)),
                    _ => Ok(Some(false)),
                }
            }
        }
    }

    fn equal_elements(&self, at: OpId, left: &Element<'t>, right: &Element<'t>) -> Attempt<Option<bool>> {
        let (Some(first), Some(second)) = (left.node(), right.node()) else { return Ok(None) };
        if self.same(at, first, second, Rigour::Equal)? {
            return Ok(Some(true));
        }
        let quantities = self.quantity_of(&Item::Element(*left)).zip(self.quantity_of(&Item::Element(*right)));
        Ok(match quantities {
            Some((left, right)) => self.compare_quantities(&left, &right).map(Ordering::is_eq),
            None => Some(false),
        })
    }

    fn equal_values(&self, left: &Value<'_>, right: &Value<'_>) -> Option<bool> {
        match (left, right) {
            (Value::Boolean(left), Value::Boolean(right)) => Some(left == right),
            (Value::Integer(left), Value::Integer(right)) => Some(left == right),
            (Value::String(left), Value::String(right)) => Some(left == right),
            (Value::Temporal(left), Value::Temporal(right)) => {
                if left.date().is_some() != right.date().is_some() {
                    return Some(false);
                }
                left.compare(*right).map(Ordering::is_eq)
            }
            (Value::Quantity(left), Value::Quantity(right)) => self.compare_quantities(left, right).map(Ordering::is_eq),
            (Value::Type(left), Value::Type(right)) => Some(left == right),
            _ => Some(left.number().zip(right.number()).is_some_and(|(left, right)| left == right)),
        }
    }

    /// Two items as people would call them the same: case, blanks, order and the last digits do not matter.
    pub(super) fn equivalent(&self, at: OpId, left: &Item<'t>, right: &Item<'t>) -> Attempt<bool> {
        self.charge(at, 1)?;
        if let (Some(left), Some(right)) = (self.value_of(left), self.value_of(right)) {
            return Ok(self.equivalent_values(&left, &right));
        }
        let quantities = self.quantity_of(left).zip(self.quantity_of(right));
        if let Some((left, right)) = quantities {
            return Ok(self.equivalent_values(&Value::Quantity(Box::new(left)), &Value::Quantity(Box::new(right))));
        }
        match (left, right) {
            (Item::Element(left), Item::Element(right)) => match (left.node(), right.node()) {
                (Some(left), Some(right)) => self.same(at, left, right, Rigour::Equivalent),
                _ => Ok(false),
            },
            _ => Ok(false),
        }
    }

    fn equivalent_values(&self, left: &Value<'_>, right: &Value<'_>) -> bool {
        match (left, right) {
            (Value::String(left), Value::String(right)) => is_same_text(left, right),
            (Value::Temporal(_), Value::Temporal(_)) => self.equal_values(left, right) == Some(true),
            (Value::Quantity(left), Value::Quantity(right)) => {
                let alike = left.unit.calendar().is_some() && left.unit.calendar() == right.unit.calendar();
                if alike || left.unit == right.unit {
                    return left.value.is_equivalent(&right.value);
                }
                let words = |unit: &Unit<'_>| unit.calendar().is_some();
                words(&left.unit) == words(&right.unit) && self.compare_quantities(left, right) == Some(Ordering::Equal)
            }
            _ => match left.number().zip(right.number()) {
                Some((left, right)) => left.is_equivalent(&right),
                None => self.equal_values(left, right) == Some(true),
            },
        }
    }

    /// Two nodes compared member by member; the order of members never matters, that of items only for equality.
    fn same(&self, at: OpId, left: Node<'t>, right: Node<'t>, rigour: Rigour) -> Attempt<bool> {
        self.charge(at, 1)?;
        match (left.kind(), right.kind()) {
            (JsonKind::Object, JsonKind::Object) => {
                if left.children().count() != right.children().count() {
                    return Ok(false);
                }
                for member in left.children() {
                    let other = member.key().and_then(|key| right.member(&key));
                    if !other.map_or(Ok(false), |other| self.same(at, member, other, rigour))? {
                        return Ok(false);
                    }
                }
                Ok(true)
            }
            (JsonKind::Array, JsonKind::Array) => self.same_items(at, left, right, rigour),
            _ if rigour == Rigour::Equal && left.raw() == right.raw() => Ok(true),
            _ => match (self.primitive_value(left, None), self.primitive_value(right, None)) {
                (Some(left), Some(right)) => Ok(match rigour {
                    Rigour::Equal => self.equal_values(&left, &right) == Some(true),
                    Rigour::Equivalent => self.equivalent_values(&left, &right),
                }),
                _ => Ok(left.kind() == JsonKind::Null && right.kind() == JsonKind::Null),
            },
        }
    }

    fn same_items(&self, at: OpId, left: Node<'t>, right: Node<'t>, rigour: Rigour) -> Attempt<bool> {
        let mut open: Vec<Node<'t>> = right.children().collect();
        if left.children().count() != open.len() {
            return Ok(false);
        }
        for item in left.children() {
            let reach = if rigour == Rigour::Equal { 1 } else { open.len() };
            let mut partner = None;
            for (position, other) in open.iter().take(reach).enumerate() {
                if self.same(at, item, *other, rigour)? {
                    partner = Some(position);
                    break;
                }
            }
            match partner {
                Some(position) => open.remove(position),
                None => return Ok(false),
            };
        }
        Ok(true)
    }
}

fn lacks_value(item: &Item<'_>) -> bool {
    item.element().is_some_and(|element| element.value().is_none())
}

/// Equal but for case and the number of blanks.
fn is_same_text(left: &str, right: &str) -> bool {
    let words = |text: &str| text.split_whitespace().map(str::to_lowercase).collect::<Vec<_>>();
    left == right || words(left) == words(right)
}
