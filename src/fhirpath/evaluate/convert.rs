//! Conversion to System types (N1 §Conversion).

use std::borrow::Cow;

use super::super::item::Item;
use super::super::temporal::{CalendarUnit, Temporal};
use super::super::value::{Quantity, SystemType, Unit, Value};
use super::{Attempt, Call, Evaluator};
use crate::fhir::decimal::Decimal;

impl<'t> Evaluator<'t> {
    /// `toX()`: nothing where the item cannot be converted.
    pub(super) fn convert(&self, target: SystemType, call: Call<'_, 't>) -> Attempt<Option<Value<'t>>> {
        let Some(item) = self.one(call.base, call.scope)? else { return Ok(None) };
        let Some(converted) = self.converted(target, &item) else { return Ok(None) };
        self.in_unit(converted, call)
    }

    /// `convertsToX()`
    pub(super) fn converts_to(&self, target: SystemType, call: Call<'_, 't>) -> Attempt<Option<bool>> {
        let Some(item) = self.one(call.base, call.scope)? else { return Ok(None) };
        let Some(converted) = self.converted(target, &item) else { return Ok(Some(false)) };
        Ok(Some(self.in_unit(converted, call)?.is_some()))
    }

    /// `toQuantity(unit)` keeps only what is in that unit or can be brought to it.
    fn in_unit(&self, value: Value<'t>, call: Call<'_, 't>) -> Attempt<Option<Value<'t>>> {
        let Some(unit) = self.single_argument(call, 0)? else { return Ok(Some(value)) };
        let Value::Quantity(quantity) = &value else { return Ok(Some(value)) };
        let unit = self.text(call, &unit)?.into_owned();
        if quantity.unit.code() == unit {
            return Ok(Some(value));
        }
        let Some(host) = self.environment.host else { return Ok(None) };
        let from = host.canonical_quantity(&quantity.value, quantity.unit.code());
        let to = host.canonical_quantity(&Decimal::from(1), &unit);
        let (Some((value, base)), Some((one, other))) = (from, to) else { return Ok(None) };
        let amount = if base == other { value.checked_div(&one) } else { None };
        Ok(amount.map(|amount| Value::quantity(amount, Unit::Coded(Cow::Owned(unit)))))
    }

    fn converted(&self, target: SystemType, item: &Item<'t>) -> Option<Value<'t>> {
        if target == SystemType::Quantity {
            return self.to_quantity(item);
        }
        let value = match self.value_of(item) {
            Some(value) => value,
            None => Value::Quantity(Box::new(self.quantity_of(item)?)),
        };
        match target {
            SystemType::Boolean => to_boolean(&value).map(Value::Boolean),
            SystemType::Integer => to_integer(&value).map(Value::Integer),
            SystemType::Decimal => to_decimal(&value).map(Value::Decimal),
            SystemType::String => Some(to_string(value)),
            SystemType::Date => to_temporal(&value)?.date().map(Value::Temporal),
            SystemType::DateTime => to_temporal(&value)?.date_time().map(Value::Temporal),
            SystemType::Time => to_time(&value).map(Value::Temporal),
            SystemType::Any | SystemType::Quantity => None,
        }
    }

    fn to_quantity(&self, item: &Item<'t>) -> Option<Value<'t>> {
        match self.value_of(item) {
            Some(Value::String(text)) => read_quantity(&text).map(|quantity| Value::Quantity(Box::new(quantity))),
            Some(Value::Boolean(value)) => {
                Some(Value::quantity(Decimal::from(i64::from(value)), Unit::Coded(Cow::Borrowed("1"))))
            }
            _ => self.quantity_of(item).map(|quantity| Value::Quantity(Box::new(quantity))),
        }
    }
}

fn to_boolean(value: &Value<'_>) -> Option<bool> {
    match value {
        Value::Boolean(value) => Some(*value),
        Value::String(text) => match text.to_ascii_lowercase().as_str() {
            "true" | "t" | "yes" | "y" | "1" | "1.0" => Some(true),
            "false" | "f" | "no" | "n" | "0" | "0.0" => Some(false),
            _ => None,
        },
        Value::Integer(_) | Value::Decimal(_) => {
            let number = value.number()?;
            let is = |whole| number == Decimal::from(whole);
            if is(1) { Some(true) } else { is(0).then_some(false) }
        }
        Value::Temporal(_) | Value::Quantity(_) | Value::Type(_) => None,
    }
}

fn to_integer(value: &Value<'_>) -> Option<i32> {
    match value {
        Value::Integer(value) => Some(*value),
        Value::Boolean(value) => Some(i32::from(*value)),
        Value::String(text) => text.parse().ok(),
        Value::Decimal(_) | Value::Temporal(_) | Value::Quantity(_) | Value::Type(_) => None,
    }
}

fn to_decimal(value: &Value<'_>) -> Option<Decimal> {
    match value {
        Value::Boolean(value) => Some(Decimal::from(i64::from(*value))),
        Value::String(text) if !text.contains(['e', 'E']) => Decimal::parse(text.strip_prefix('+').unwrap_or(text)).ok(),
        _ => value.number(),
    }
}

pub(super) fn to_string(value: Value<'_>) -> Value<'_> {
    match value {
        Value::String(_) => value,
        other => Value::String(Cow::Owned(other.to_string())),
    }
}

fn to_temporal(value: &Value<'_>) -> Option<Temporal> {
    match value {
        Value::Temporal(at) => Some(*at),
        Value::String(text) => Temporal::parse(text),
        _ => None,
    }
}

fn to_time(value: &Value<'_>) -> Option<Temporal> {
    match value {
        Value::Temporal(at @ Temporal::Time(_)) => Some(*at),
        Value::String(text) => Temporal::parse_time(text.strip_prefix('T').unwrap_or(text)),
        _ => None,
    }
}

/// `4 days`, `1.5 'mg'`, `7`
fn read_quantity<'t>(text: &str) -> Option<Quantity<'t>> {
    let text = text.trim();
    let (number, unit) = match text.find(|character: char| character.is_whitespace() || character == '\'') {
        Some(at) => (text.get(..at)?, text.get(at..)?.trim()),
        None => (text, "'1'"),
    };
    let value = Decimal::parse(number.strip_prefix('+').unwrap_or(number)).ok()?;
    let unit = match unit.strip_prefix('\'').and_then(|rest| rest.strip_suffix('\'')) {
        Some(code) if !code.is_empty() => Unit::Coded(Cow::Owned(code.to_owned())),
        Some(_) => return None,
        None => Unit::Calendar(CalendarUnit::parse(unit)?),
    };
    Some(Quantity { value, unit })
}
