//! Numbers and quantities compared (R4 search.html §number, §quantity): equality by the precision written in the query, order by
//! the number itself.

use super::{Condition, QuantityBound};
use crate::definition::ParameterId;
use crate::search::extract::in_base_units;
use crate::search::index::Term;
use crate::search::query::{Compared, NumberValue, Prefix, QuantityValue, UnitValue};
use crate::search::term::{Terms, UCUM};
use crate::search::unit::BaseUnit;

/// How far `ap` reaches to each side, as a part of the value.
const APPROXIMATION: f64 = 0.1;

/// The condition that a stored number, in `unit` where one is given, stands so to the value.
pub(super) fn number(parameter: ParameterId, unit: Option<Term>, value: &Compared<NumberValue>) -> Condition {
    use QuantityBound::{HighAbove, HighAtMost, LowAtLeast, LowBelow};
    let place = |bounds| Condition::Quantity(parameter, unit, bounds);
    let NumberValue { value: number, low, high } = value.value;
    match value.prefix {
        // The precision of the query covers [low, high): a stored point at its high end lies outside.
        Prefix::Eq => place(vec![LowAtLeast(low), HighAtMost(high.next_down())]),
        Prefix::Ne => Condition::Any(vec![place(vec![LowBelow(low)]), place(vec![HighAbove(high.next_down())])]),
        Prefix::Gt => place(vec![HighAbove(number)]),
        Prefix::Lt => place(vec![LowBelow(number)]),
        Prefix::Ge => place(vec![HighAbove(number.next_down())]),
        Prefix::Le => place(vec![LowBelow(number.next_up())]),
        Prefix::Sa => place(vec![LowAtLeast(number.next_up())]),
        Prefix::Eb => place(vec![HighAtMost(number.next_down())]),
        Prefix::Ap => {
            let margin = number.abs() * APPROXIMATION;
            place(vec![LowBelow((number + margin).next_up()), HighAbove((number - margin).next_down())])
        }
    }
}

/// The same with the unit as the query names it. A code without a system is meant in UCUM or in none that is said.
pub(super) fn measured(terms: &Terms, parameter: ParameterId, value: &QuantityValue) -> Condition {
    let of_unit = |system, code: &str| number(parameter, Some(terms.unit(parameter, system, code)), &value.number);
    match &value.unit {
        None => number(parameter, None, &value.number),
        Some(UnitValue::Coded(system, code)) => match BaseUnit::read(code).filter(|_| **system == *UCUM) {
            Some(base) => {
                let (parameter, number) = (in_base_units(parameter), value.number);
                let NumberValue { value, low, high } = number.value;
                let value = NumberValue { value: base.amount(value), low: base.amount(low), high: base.amount(high) };
                self::number(parameter, Some(terms.unit(parameter, Some(UCUM), &base.code)), &Compared { value, ..number })
            }
            None => of_unit(Some(system), code),
        },
        Some(UnitValue::Plain(code)) => Condition::Any(vec![of_unit(Some(UCUM), code), of_unit(None, code)]),
    }
}
