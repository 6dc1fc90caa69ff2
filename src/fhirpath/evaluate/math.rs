//! Functions of one number (N1 §Math). What has no result – the root of a negative number, an overflow – is nothing.

use super::super::error::{EvaluationError, Reason};
use super::super::function::Math;
use super::super::item::Item;
use super::super::value::Value;
use super::operator::to_integer;
use super::{Attempt, Call, Evaluator};
use crate::fhir::decimal::Decimal;

/// Digits behind the point that a quotient of two logarithms can be trusted in.
const LOGARITHM_DIGITS: u32 = 16;

impl<'t> Evaluator<'t> {
    pub(super) fn math(&self, function: Math, call: Call<'_, 't>) -> Attempt<Option<Value<'t>>> {
        let Some(item) = self.one(call.base, call.scope)? else { return Ok(None) };
        let value = self.value_of(&item);
        if function == Math::Abs {
            return self.absolute(call, &item, value.as_ref());
        }
        let Some(number) = value.as_ref().and_then(Value::number) else { return Err(self.no_number(call)) };
        Ok(match function {
            Math::Abs => None,
            Math::Ceiling => whole(number.ceiling()),
            Math::Floor => whole(number.floor()),
            Math::Truncate => whole(number.truncated()),
            Math::Exp => number.exponential().map(Value::Decimal),
            Math::Ln => number.logarithm().map(Value::Decimal),
            Math::Sqrt => number.square_root().map(Value::Decimal),
            Math::Log => self.number_argument(call)?.and_then(|base| logarithm(&number, &base)).map(Value::Decimal),
            Math::Round => self.rounded(call, &number)?,
            Math::Power => {
                let is_integer = matches!(value, Some(Value::Integer(_)));
                self.number_argument(call)?.and_then(|exponent| power(&number, &exponent, is_integer))
            }
        })
    }

    fn absolute(&self, call: Call<'_, 't>, item: &Item<'t>, value: Option<&Value<'t>>) -> Attempt<Option<Value<'t>>> {
        Ok(match value {
            Some(Value::Integer(value)) => value.checked_abs().map(Value::Integer),
            Some(Value::Decimal(value)) => Some(Value::Decimal(value.absolute())),
            _ => {
                let quantity = self.quantity_of(item).ok_or_else(|| self.no_number(call))?;
                Some(Value::quantity(quantity.value.absolute(), quantity.unit))
            }
        })
    }

    fn rounded(&self, call: Call<'_, 't>, number: &Decimal) -> Attempt<Option<Value<'t>>> {
        let digits = match self.argument(call, 0) {
            Some(_) => self.integer_argument(call, 0)?,
            None => Some(0),
        };
        let Some(digits) = digits else { return Ok(None) };
        let digits = u32::try_from(digits).map_err(|_| self.error(call.at, Reason::WrongType("a number of at least 0")))?;
        Ok(number.rounded(digits).map(Value::Decimal))
    }

    fn number_argument(&self, call: Call<'_, 't>) -> Attempt<Option<Decimal>> {
        let Some(item) = self.single_argument(call, 0)? else { return Ok(None) };
        let number = self.value_of(&item).as_ref().and_then(Value::number);
        number.map(Some).ok_or_else(|| self.no_number(call))
    }

    fn no_number(&self, call: Call<'_, 't>) -> Box<EvaluationError> {
        self.error(call.at, Reason::WrongType("a number"))
    }
}

fn whole<'t>(number: Option<Decimal>) -> Option<Value<'t>> {
    to_integer(&number?).map(Value::Integer)
}

fn logarithm(number: &Decimal, base: &Decimal) -> Option<Decimal> {
    let quotient = number.logarithm()?.checked_div(&base.logarithm()?)?.rounded(LOGARITHM_DIGITS)?;
    // Dividing by one takes the zeros off the end.
    quotient.checked_div(&Decimal::from(1))
}

/// A whole power of an integer is an integer.
fn power<'t>(base: &Decimal, exponent: &Decimal, is_integer: bool) -> Option<Value<'t>> {
    let result = base.power(exponent)?;
    match to_integer(&result) {
        Some(integer) if is_integer && result == Decimal::from(i64::from(integer)) => Some(Value::Integer(integer)),
        _ => Some(Value::Decimal(result)),
    }
}
