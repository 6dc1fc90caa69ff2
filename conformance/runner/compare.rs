//! What was found held against what was expected.

use serde_json::Value;

use crate::script::Operator;

/// Whether `actual` stands in the relation `operator` to `expected`.
///
/// # Errors
/// An operator that cannot be applied to what it is given.
pub(crate) fn holds(actual: Option<&str>, operator: Operator, expected: Option<&str>) -> Result<bool, String> {
    let needed = || expected.ok_or_else(|| format!("the operator {operator:?} needs a value"));
    let listed = |list: &str| actual.is_some_and(|actual| list.split(',').any(|item| item.trim() == actual));
    Ok(match operator {
        Operator::Equals => actual == Some(needed()?),
        Operator::NotEquals => actual != Some(needed()?),
        Operator::In => listed(needed()?),
        Operator::NotIn => !listed(needed()?),
        Operator::GreaterThan => is_ordered(actual, needed()?, std::cmp::Ordering::Greater),
        Operator::LessThan => is_ordered(actual, needed()?, std::cmp::Ordering::Less),
        Operator::Empty => actual.is_none_or(str::is_empty),
        Operator::NotEmpty => actual.is_some_and(|actual| !actual.is_empty()),
        Operator::Contains => {
            let expected = needed()?;
            actual.is_some_and(|actual| actual.contains(expected))
        }
        Operator::NotContains => {
            let expected = needed()?;
            actual.is_none_or(|actual| !actual.contains(expected))
        }
        Operator::Eval => return Err(String::from("the operator eval belongs to an expression without a value")),
    })
}

/// Numbers compare as numbers, everything else as text (instants of one zone order so).
fn is_ordered(actual: Option<&str>, expected: &str, order: std::cmp::Ordering) -> bool {
    let Some(actual) = actual else { return false };
    match (actual.parse::<f64>(), expected.parse::<f64>()) {
        (Ok(actual), Ok(expected)) => actual.partial_cmp(&expected) == Some(order),
        _ => actual.cmp(expected) == order,
    }
}

/// Whether `actual` has everything that `minimum` has: the members of objects, and for every item of an array one that has it.
pub(crate) fn contains(actual: &Value, minimum: &Value) -> bool {
    match (actual, minimum) {
        (Value::Object(actual), Value::Object(minimum)) => {
            minimum.iter().all(|(name, value)| actual.get(name).is_some_and(|found| contains(found, value)))
        }
        (Value::Array(actual), Value::Array(minimum)) => {
            minimum.iter().all(|item| actual.iter().any(|found| contains(found, item)))
        }
        _ => actual == minimum,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn each_operator_holds_and_fails() {
        let table: &[(Option<&str>, Operator, Option<&str>, bool)] = &[
            (Some("a"), Operator::Equals, Some("a"), true),
            (Some("a"), Operator::Equals, Some("b"), false),
            (None, Operator::Equals, Some("b"), false),
            (Some("a"), Operator::NotEquals, Some("b"), true),
            (Some("a"), Operator::NotEquals, Some("a"), false),
            (Some("200"), Operator::In, Some("200, 204"), true),
            (Some("20"), Operator::In, Some("200,204"), false),
            (Some("20"), Operator::NotIn, Some("200,204"), true),
            (Some("204"), Operator::NotIn, Some("200,204"), false),
            (Some("10"), Operator::GreaterThan, Some("9"), true),
            (Some("9"), Operator::GreaterThan, Some("10"), false),
            (None, Operator::GreaterThan, Some("0"), false),
            (Some("9"), Operator::LessThan, Some("10"), true),
            (Some("2026-02"), Operator::LessThan, Some("2026-01"), false),
            (None, Operator::Empty, None, true),
            (Some("x"), Operator::Empty, None, false),
            (Some("x"), Operator::NotEmpty, None, true),
            (None, Operator::NotEmpty, None, false),
            (Some("W/\"1\""), Operator::Contains, Some("1"), true),
            (Some("W/\"1\""), Operator::Contains, Some("2"), false),
            (None, Operator::Contains, Some(""), false),
            (Some("abc"), Operator::NotContains, Some("d"), true),
            (Some("abc"), Operator::NotContains, Some("b"), false),
        ];
        for (actual, operator, expected, result) in table {
            assert_eq!(holds(*actual, *operator, *expected), Ok(*result), "{actual:?} {operator:?} {expected:?}");
        }
    }

    #[test]
    fn an_operator_without_what_it_needs_is_an_error() {
        assert!(holds(Some("a"), Operator::Equals, None).is_err());
        assert!(holds(Some("true"), Operator::Eval, Some("true")).is_err());
    }

    #[test]
    fn a_minimum_may_say_less_and_not_other() {
        let actual = json!({"id": "1", "name": [{"family": "A", "given": ["B", "C"]}, {"family": "D"}]});
        assert!(contains(&actual, &json!({"name": [{"family": "D"}]})));
        assert!(contains(&actual, &json!({"name": [{"given": ["C"]}]})));
        assert!(!contains(&actual, &json!({"name": [{"family": "D", "given": ["B"]}]})));
        assert!(!contains(&actual, &json!({"name": {"family": "A"}})));
        assert!(!contains(&json!({}), &actual));
    }
}
