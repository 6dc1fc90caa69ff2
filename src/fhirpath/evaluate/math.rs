//! Functions of one number (N1 §Math). What has no result – the root of a negative number, an overflow – is nothing.

use super::super::error::Reason;
use super::super::function::Math;
use super::super::item::Item;
use super::super::number::Number;
use super::super::value::Value;
use super::{Attempt, Call, Evaluator};

impl<'t> Evaluator<'t> {
    pub(super) fn math(&self, function: Math, call: Call<'_, 't>) -> Attempt<Option<Value<'t>>> {
        let Some(item) = self.one(call.base, call.scope)? else { return Ok(None) };
        let value = self.value_of(&item);
        if function == Math::Abs {
            return self.absolute(call, &item, value.as_ref());
        }
        let Some(number) = value.as_ref().and_then(Value::number) else { return Err(self.no_number(call)) };
        let through = |apply: fn(f64) -> f64| Number::from_f64(apply(number.to_f64())).map(Value::Decimal);
        Ok(match function {
            Math::Abs => None,
            Math::Ceiling => whole(number.ceiling()),
            Math::Floor => whole(number.floor()),
            Math::Truncate => whole(number.truncated()),
            Math::Exp => through(f64::exp),
            Math::Ln => through(f64::ln),
            Math::Sqrt => through(f64::sqrt),
            Math::Log => {
                let base = self.number_argument(call)?;
                base.and_then(|base| Number::from_f64(number.to_f64().log(base.to_f64()))).map(Value::Decimal)
            }
            Math::Round => self.rounded(call, number)?,
            Math::Power => {
                let is_integer = matches!(value, Some(Value::Integer(_)));
                self.number_argument(call)?.and_then(|exponent| power(number, exponent, is_integer))
            }
        })
    }

    fn absolute(&self, call: Call<'_, 't>, item: &Item<'t>, value: Option<&Value<'t>>) -> Attempt<Option<Value<'t>>> {
        let without_sign = |number: Number| if number.is_negative() { number.negated() } else { number };
        Ok(match value {
            Some(Value::Integer(value)) => value.checked_abs().map(Value::Integer),
            Some(Value::Decimal(value)) => Some(Value::Decimal(without_sign(*value))),
            _ => {
                let quantity = self.quantity_of(item).ok_or_else(|| self.no_number(call))?;
                Some(Value::quantity(without_sign(quantity.value), quantity.unit))
            }
        })
    }

    fn rounded(&self, call: Call<'_, 't>, number: Number) -> Attempt<Option<Value<'t>>> {
        let digits = match self.argument(call, 0) {
            Some(_) => self.integer_argument(call, 0)?,
            None => Some(0),
        };
        let Some(digits) = digits else { return Ok(None) };
        let digits = u32::try_from(digits).map_err(|_| self.error(call.at, Reason::WrongType("a number of at least 0")))?;
        Ok(Some(Value::Decimal(number.rounded_to(digits))))
    }

    fn number_argument(&self, call: Call<'_, 't>) -> Attempt<Option<Number>> {
        let Some(item) = self.single_argument(call, 0)? else { return Ok(None) };
        let number = self.value_of(&item).as_ref().and_then(Value::number);
        number.map(Some).ok_or_else(|| self.no_number(call))
    }

    fn no_number(&self, call: Call<'_, 't>) -> Box<super::EvaluationError> {
        self.error(call.at, Reason::WrongType("a number"))
    }
}

fn whole<'t>(number: Number) -> Option<Value<'t>> {
    number.to_integer().map(Value::Integer)
}

fn power<'t>(base: Number, exponent: Number, is_integer: bool) -> Option<Value<'t>> {
    let exact =
        exponent.to_integer().and_then(|exponent| u32::try_from(exponent).ok()).and_then(|exponent| base.raised(exponent));
    let result = match exact {
        Some(exact) => exact,
        None => Number::from_f64(base.to_f64().powf(exponent.to_f64()))?,
    };
    match result.to_integer() {
        Some(integer) if is_integer && exponent.to_integer().is_some() => Some(Value::Integer(integer)),
        _ => Some(Value::Decimal(result)),
    }
}
