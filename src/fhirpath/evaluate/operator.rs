//! Operators: logic of three values, order, membership, union, arithmetic.

use std::borrow::Cow;
use std::cmp::Ordering;

use super::super::error::Reason;
use super::super::item::Item;
use super::super::program::{Arithmetic, Equality, Logic, OpId, Order};
use super::super::temporal::Temporal;
use super::super::value::{Quantity, Unit, Value};
use super::distinct::Distinct;
use super::{Attempt, Evaluator, Flow, Scope, Sink, Stop, ended};
use crate::fhir::decimal::Decimal;

impl<'t> Evaluator<'t> {
    /// The truth tables of N1 §Boolean logic; the right side is not asked where the left decides.
    pub(super) fn logic(&self, logic: Logic, (left, right): (OpId, OpId), scope: Scope<'_, 't>) -> Attempt<Option<bool>> {
        let first = self.truth(left, scope)?;
        match (logic, first) {
            (Logic::And, Some(false)) => return Ok(Some(false)),
            (Logic::Or, Some(true)) | (Logic::Implies, Some(false)) => return Ok(Some(true)),
            (Logic::Xor, None) => return Ok(None),
            (Logic::And | Logic::Or | Logic::Xor | Logic::Implies, _) => {}
        }
        let second = self.truth(right, scope)?;
        Ok(match logic {
            Logic::And if second == Some(false) => Some(false),
            Logic::And => first.and(second),
            Logic::Or | Logic::Implies if second == Some(true) => Some(true),
            Logic::Or => first.and(second),
            Logic::Implies => first.and(second),
            Logic::Xor => second.zip(first).map(|(second, first)| first != second),
        })
    }

    pub(super) fn equality(
        &self,
        at: OpId,
        equality: Equality,
        (left, right): (OpId, OpId),
        scope: Scope<'_, 't>,
    ) -> Attempt<Option<bool>> {
        let (left, right) = (self.collect(left, scope)?, self.collect(right, scope)?);
        Ok(match equality {
            Equality::Equal => self.are_equal(at, &left, &right)?,
            Equality::NotEqual => self.are_equal(at, &left, &right)?.map(|equal| !equal),
            Equality::Equivalent => Some(self.are_equivalent(at, &left, &right)?),
            Equality::NotEquivalent => Some(!self.are_equivalent(at, &left, &right)?),
        })
    }

    pub(super) fn order(
        &self,
        at: OpId,
        order: Order,
        (left, right): (OpId, OpId),
        scope: Scope<'_, 't>,
    ) -> Attempt<Option<bool>> {
        let (Some(left), Some(right)) = (self.one(left, scope)?, self.one(right, scope)?) else { return Ok(None) };
        let Some(found) = self.compared(at, &left, &right)? else { return Ok(None) };
        Ok(Some(match order {
            Order::Less => found == Ordering::Less,
            Order::LessOrEqual => found != Ordering::Greater,
            Order::Greater => found == Ordering::Greater,
            Order::GreaterOrEqual => found != Ordering::Less,
        }))
    }

    /// The order of two items; `None` where precision or unit leave it open.
    fn compared(&self, at: OpId, left: &Item<'t>, right: &Item<'t>) -> Attempt<Option<Ordering>> {
        if let (Some(left), Some(right)) = (self.value_of(left), self.value_of(right)) {
            match (&left, &right) {
                (Value::Integer(left), Value::Integer(right)) => return Ok(Some(left.cmp(right))),
                (Value::String(left), Value::String(right)) => return Ok(Some(left.cmp(right))),
                (Value::Temporal(left), Value::Temporal(right)) => {
                    return Ok(left.compare(*right));
                }
                _ => {}
            }
            if let (Some(left), Some(right)) = (left.number(), right.number()) {
                return Ok(Some(left.cmp(&right)));
            }
        }
        if lacks_value(left) || lacks_value(right) {
            return Ok(None);
        }
        match (self.quantity_of(left), self.quantity_of(right)) {
            (Some(left), Some(right)) => Ok(self.compare_quantities(&left, &right)),
            _ => Err(self.error(at, Reason::Incompatible)),
        }
    }

    /// The order of two quantities, if their units can be brought together.
    pub(super) fn compare_quantities(&self, left: &Quantity<'_>, right: &Quantity<'_>) -> Option<Ordering> {
        if left.unit == right.unit {
            return Some(left.value.cmp(&right.value));
        }
        if let (Some(first), Some(second)) = (left.unit.calendar(), right.unit.calendar()) {
            let both_words = matches!((&left.unit, &right.unit), (Unit::Calendar(_), Unit::Calendar(_)));
            let lengths = first.milliseconds().zip(second.milliseconds());
            let lengths = lengths.or_else(|| first.months().zip(second.months()).filter(|_| both_words));
            let (first, second) = lengths?;
            let (left, right) =
                (left.value.checked_mul(&Decimal::from(first))?, right.value.checked_mul(&Decimal::from(second))?);
            return Some(left.cmp(&right));
        }
        let host = self.environment.host?;
        let (left, left_unit) = host.canonical_quantity(&left.value, left.unit.code())?;
        let (right, right_unit) = host.canonical_quantity(&right.value, right.unit.code())?;
        (left_unit == right_unit).then(|| left.cmp(&right))
    }

    /// `item in collection`: nothing if there is no item, false if there is no collection.
    pub(super) fn membership(&self, at: OpId, item: OpId, collection: OpId, scope: Scope<'_, 't>) -> Attempt<Option<bool>> {
        let Some(item) = self.one(item, scope)? else { return Ok(None) };
        let mut found = false;
        ended(self.each(collection, scope, &mut |other| {
            found = self.equal(at, &item, &other)? == Some(true);
            if found { Err(Stop::Enough) } else { Ok(()) }
        }))?;
        Ok(Some(found))
    }

    /// Both sides without duplicates.
    pub(super) fn union(&self, at: OpId, (left, right): (OpId, OpId), scope: Scope<'_, 't>, sink: Sink<'_, 't>) -> Flow {
        let mut seen = Distinct::new(at);
        for side in [left, right] {
            self.each(side, scope, &mut |item| if seen.insert(self, &item)? { sink(item) } else { Ok(()) })?;
        }
        Ok(())
    }

    pub(super) fn negate(&self, at: OpId, of: OpId, scope: Scope<'_, 't>, sink: Sink<'_, 't>) -> Flow {
        let Some(item) = self.one(of, scope)? else { return Ok(()) };
        let negated = match self.value_of(&item) {
            Some(Value::Integer(value)) => value.checked_neg().map(Value::Integer),
            Some(Value::Decimal(value)) => Some(Value::Decimal(value.negated())),
            _ => match self.quantity_of(&item) {
                Some(quantity) => Some(Value::quantity(quantity.value.negated(), quantity.unit)),
                None => return Err(self.error(at, Reason::WrongType("a number")).into()),
            },
        };
        negated.map_or(Ok(()), |value| sink(value.into()))
    }

    pub(super) fn arithmetic(
        &self,
        at: OpId,
        arithmetic: Arithmetic,
        (left, right): (OpId, OpId),
        scope: Scope<'_, 't>,
    ) -> Attempt<Option<Value<'t>>> {
        let (left, right) = (self.one(left, scope)?, self.one(right, scope)?);
        match (arithmetic, left, right) {
            (Arithmetic::Concatenate, left, right) => self.concatenated(at, left.as_ref(), right.as_ref()).map(Some),
            (_, Some(left), Some(right)) => self.calculated(at, arithmetic, &left, &right),
            (_, None, _) | (_, _, None) => Ok(None),
        }
    }

    /// `&`: an operand that is not there is the empty text.
    fn concatenated(&self, at: OpId, left: Option<&Item<'t>>, right: Option<&Item<'t>>) -> Attempt<Value<'t>> {
        let mut text = String::new();
        for side in [left, right].into_iter().flatten() {
            let Some(part) = self.text_of(side) else { return Err(self.error(at, Reason::WrongType("a text"))) };
            self.charge_text(at, text.len() + part.len())?;
            text.push_str(&part);
        }
        Ok(Value::String(Cow::Owned(text)))
    }

    fn calculated(&self, at: OpId, arithmetic: Arithmetic, left: &Item<'t>, right: &Item<'t>) -> Attempt<Option<Value<'t>>> {
        let values = self.value_of(left).zip(self.value_of(right));
        if let Some((Value::Integer(left), Value::Integer(right))) = values {
            return Ok(integers(arithmetic, left, right));
        }
        if let Some((left, right)) = values.as_ref().and_then(|(left, right)| left.number().zip(right.number())) {
            return Ok(decimals(arithmetic, &left, &right));
        }
        if let Some(Value::Temporal(moment)) = self.value_of(left) {
            return self.moved(at, arithmetic, moment, right);
        }
        if let (Arithmetic::Add, Some(_), Some(_)) = (arithmetic, self.text_of(left), self.text_of(right)) {
            return self.concatenated(at, Some(left), Some(right)).map(Some);
        }
        if lacks_value(left) || lacks_value(right) {
            return Ok(None);
        }
        match (self.quantity_of(left), self.quantity_of(right)) {
            (Some(left), Some(right)) => Ok(quantities(arithmetic, left, right)),
            _ => Err(self.error(at, Reason::Incompatible)),
        }
    }

    /// A date plus or minus a length of time.
    fn moved(&self, at: OpId, arithmetic: Arithmetic, moment: Temporal, by: &Item<'t>) -> Attempt<Option<Value<'t>>> {
        let incompatible = || self.error(at, Reason::Incompatible);
        let by = self.quantity_of(by).ok_or_else(incompatible)?;
        let unit = by.unit.calendar().ok_or_else(incompatible)?;
        // A year or month of UCUM has a fixed length, which no calendar date has.
        if matches!(by.unit, Unit::Coded(_)) && unit.milliseconds().is_none() {
            return Err(incompatible());
        }
        let amount = match arithmetic {
            Arithmetic::Add => by.value,
            Arithmetic::Subtract => by.value.negated(),
            Arithmetic::Multiply | Arithmetic::Divide | Arithmetic::Div | Arithmetic::Mod | Arithmetic::Concatenate => {
                return Err(incompatible());
            }
        };
        Ok(moment.plus(&amount, unit).map(Value::Temporal))
    }
}

/// Whether it is a primitive that only has an id or extensions.
fn lacks_value(item: &Item<'_>) -> bool {
    item.element().is_some_and(|element| element.value().is_none())
}

/// Overflow and division by zero yield nothing.
fn integers<'t>(arithmetic: Arithmetic, left: i32, right: i32) -> Option<Value<'t>> {
    match arithmetic {
        Arithmetic::Add => left.checked_add(right).map(Value::Integer),
        Arithmetic::Subtract => left.checked_sub(right).map(Value::Integer),
        Arithmetic::Multiply => left.checked_mul(right).map(Value::Integer),
        Arithmetic::Div => left.checked_div(right).map(Value::Integer),
        Arithmetic::Mod => left.checked_rem(right).map(Value::Integer),
        Arithmetic::Divide => Decimal::from(i64::from(left)).checked_div(&Decimal::from(i64::from(right))).map(Value::Decimal),
        Arithmetic::Concatenate => None,
    }
}

fn decimals<'t>(arithmetic: Arithmetic, left: &Decimal, right: &Decimal) -> Option<Value<'t>> {
    match arithmetic {
        Arithmetic::Add => left.checked_add(right).map(Value::Decimal),
        Arithmetic::Subtract => left.checked_sub(right).map(Value::Decimal),
        Arithmetic::Multiply => left.checked_mul(right).map(Value::Decimal),
        Arithmetic::Divide => left.checked_div(right).map(Value::Decimal),
        Arithmetic::Div => to_integer(&left.whole_quotient(right)?).map(Value::Integer),
        Arithmetic::Mod => left.remainder(right).map(Value::Decimal),
        Arithmetic::Concatenate => None,
    }
}

/// The whole number before the point, if 32 bits hold it.
pub(super) fn to_integer(number: &Decimal) -> Option<i32> {
    i32::try_from(number.to_integer()?).ok()
}

/// Sums of one unit; products and quotients where one side has none, or the units cancel out.
fn quantities<'t>(arithmetic: Arithmetic, left: Quantity<'t>, right: Quantity<'t>) -> Option<Value<'t>> {
    let same = left.unit == right.unit;
    let plain = |unit: &Unit<'_>| unit.code() == "1";
    match arithmetic {
        Arithmetic::Add if same => Some(Value::quantity(left.value.checked_add(&right.value)?, left.unit)),
        Arithmetic::Subtract if same => Some(Value::quantity(left.value.checked_sub(&right.value)?, left.unit)),
        Arithmetic::Multiply if plain(&right.unit) => Some(Value::quantity(left.value.checked_mul(&right.value)?, left.unit)),
        Arithmetic::Multiply if plain(&left.unit) => Some(Value::quantity(left.value.checked_mul(&right.value)?, right.unit)),
        Arithmetic::Multiply => {
            let unit = Unit::Coded(Cow::Owned(format!("{}.{}", left.unit.code(), right.unit.code())));
            Some(Value::quantity(left.value.checked_mul(&right.value)?, unit))
        }
        Arithmetic::Divide if plain(&right.unit) => Some(Value::quantity(left.value.checked_div(&right.value)?, left.unit)),
        Arithmetic::Divide if same => {
            Some(Value::quantity(left.value.checked_div(&right.value)?, Unit::Coded(Cow::Borrowed("1"))))
        }
        Arithmetic::Divide => {
            let unit = Unit::Coded(Cow::Owned(format!("{}/{}", left.unit.code(), right.unit.code())));
            Some(Value::quantity(left.value.checked_div(&right.value)?, unit))
        }
        Arithmetic::Add | Arithmetic::Subtract | Arithmetic::Div | Arithmetic::Mod | Arithmetic::Concatenate => None,
    }
}
