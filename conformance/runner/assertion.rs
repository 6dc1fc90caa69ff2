//! An assertion held against what was answered.

use crate::compare;
use crate::exchange::Exchange;
use crate::expression;
use crate::path;
use crate::report::Verdict;
use crate::script::{Assert, Direction, Operator};
use crate::state::State;

/// Judges one assertion; one that is `warningOnly` warns where it would fail.
pub(crate) fn judge(assert: &Assert, state: &State<'_>) -> Verdict {
    match check(assert, state) {
        Ok(None) => Verdict::Pass,
        Ok(Some(message)) if assert.warning_only => Verdict::Warning(message),
        Ok(Some(message)) => Verdict::Fail(message),
        Err(message) => Verdict::Error(message),
    }
}

/// `None` where it holds, what is wrong where it does not.
type Finding = Option<String>;

fn check(assert: &Assert, state: &State<'_>) -> Result<Finding, String> {
    single_subject(assert)?;
    let expected = expected(assert, state)?;
    if let Some(minimum) = &assert.minimum_id {
        return minimum_found(minimum, assert, state);
    }
    if let Some(expression) = &assert.expression {
        let json = state.json(assert.source_id.as_deref())?;
        let results = expression::evaluate(&json, &state.filled(expression)?)?;
        return results_hold(&results, assert.operator, expected.as_deref(), expression);
    }
    if let Some(path) = &assert.path {
        let json = state.json(assert.source_id.as_deref())?;
        let results: Vec<String> = path::select(&json, &state.filled(path)?)?.into_iter().map(path::text).collect();
        let operator = assert.operator.or(expected.is_none().then_some(Operator::NotEmpty));
        return results_hold(&results, operator, expected.as_deref(), path);
    }
    let exchange = state.answer(assert.source_id.as_deref())?;
    let (what, actual, wanted) = subject(assert, exchange, expected)?;
    let operator = assert.operator.unwrap_or(if wanted.is_none() { Operator::NotEmpty } else { Operator::Equals });
    finding(&what, actual.as_deref(), operator, wanted.as_deref())
}

/// tst-5, tst-6: an assertion is about one thing.
fn single_subject(assert: &Assert) -> Result<(), String> {
    let subjects = [
        assert.content_type.is_some(),
        assert.expression.is_some(),
        assert.header_field.is_some(),
        assert.minimum_id.is_some(),
        assert.path.is_some(),
        assert.request_method.is_some(),
        assert.request_url.is_some(),
        assert.resource.is_some(),
        assert.response.is_some(),
        assert.response_code.is_some(),
    ];
    match subjects.into_iter().filter(|is_there| *is_there).count() {
        1 => Ok(()),
        0 => Err(String::from("the assertion is about nothing")),
        _ => Err(String::from("the assertion is about several things")),
    }
}

/// The value to compare with: as written, or taken from another source.
fn expected(assert: &Assert, state: &State<'_>) -> Result<Option<String>, String> {
    let Some(source) = assert.compare_to_source_id.as_deref() else {
        return assert.value.as_deref().map(|value| state.filled(value)).transpose();
    };
    let json = state.json(Some(source))?;
    let results = match (&assert.compare_to_source_expression, &assert.compare_to_source_path) {
        (Some(expression), None) => expression::evaluate(&json, expression)?,
        (None, Some(path)) => path::select(&json, path)?.into_iter().map(path::text).collect(),
        _ => return Err(String::from("compareToSourceId wants an expression or a path")),
    };
    results.into_iter().next().map(Some).ok_or_else(|| format!("{source} has nothing to compare with"))
}

type Subject = (String, Option<String>, Option<String>);

/// What the assertion looks at, what is there, and what should be.
fn subject(assert: &Assert, exchange: &Exchange, value: Option<String>) -> Result<Subject, String> {
    if let Some(field) = &assert.header_field {
        let actual = match assert.direction {
            Direction::Response => exchange.header(field),
            Direction::Request => exchange.request_header(field),
        };
        return Ok((format!("header {field}"), actual, value));
    }
    if let Some(kind) = assert.response {
        return Ok((String::from("status"), Some(exchange.status.to_string()), Some(kind.status().to_string())));
    }
    if let Some(code) = &assert.response_code {
        return Ok((String::from("status"), Some(exchange.status.to_string()), Some(code.clone())));
    }
    if let Some(media_type) = &assert.content_type {
        let actual = exchange.header("Content-Type").map(|actual| essence_like(&actual, media_type));
        return Ok((String::from("content type"), actual, Some(media_type.clone())));
    }
    if let Some(kind) = &assert.resource {
        let json = exchange.json()?;
        let actual = json.get("resourceType").and_then(|kind| kind.as_str()).map(str::to_owned);
        return Ok((String::from("resource type"), actual, Some(kind.clone())));
    }
    if let Some(method) = assert.request_method {
        return Ok((String::from("method"), Some(exchange.request.method.to_owned()), Some(method.name().to_owned())));
    }
    match &assert.request_url {
        Some(url) => Ok((String::from("request URL"), Some(exchange.request.url.clone()), Some(url.clone()))),
        None => Err(String::from("the assertion is about nothing")),
    }
}

/// A media type without its parameters, unless they are asked about.
fn essence_like(actual: &str, wanted: &str) -> String {
    if wanted.contains(';') {
        return actual.to_owned();
    }
    actual.split(';').next().unwrap_or_default().trim().to_owned()
}

fn finding(what: &str, actual: Option<&str>, operator: Operator, expected: Option<&str>) -> Result<Finding, String> {
    if compare::holds(actual, operator, expected)? {
        return Ok(None);
    }
    let actual = actual.unwrap_or("nothing");
    Ok(Some(format!("{what}: {actual}, expected {operator:?} {}", expected.unwrap_or_default())))
}

/// Results of an expression or a path: one true, or one value that compares.
fn results_hold(results: &[String], operator: Option<Operator>, expected: Option<&str>, what: &str) -> Result<Finding, String> {
    let is_evaluated = operator == Some(Operator::Eval) || (operator.is_none() && expected.is_none());
    if is_evaluated {
        return Ok((results != ["true"]).then(|| format!("{what}: {}, expected true", results.join(", "))));
    }
    if results.len() > 1 && !matches!(operator, Some(Operator::Empty | Operator::NotEmpty)) {
        return Ok(Some(format!("{what}: {} values, expected one", results.len())));
    }
    finding(what, results.first().map(String::as_str), operator.unwrap_or(Operator::Equals), expected)
}

/// A minimum in JSON must be contained in the answer; of anything else the answer must be exactly the bytes.
fn minimum_found(minimum: &str, assert: &Assert, state: &State<'_>) -> Result<Finding, String> {
    let wanted = state.bytes(minimum)?;
    let Ok(wanted_json) = serde_json::from_slice(&wanted) else {
        let actual = &state.answer(assert.source_id.as_deref())?.body;
        return Ok((*actual != wanted).then(|| format!("the body is not the {} bytes of {minimum}", wanted.len())));
    };
    let actual = state.json(assert.source_id.as_deref())?;
    Ok((!compare::contains(&actual, &wanted_json)).then(|| format!("the answer does not have all that {minimum} has")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn verdict(assert: Value) -> Verdict {
        let mut assert = assert;
        assert["warningOnly"] = json!(assert["warningOnly"] == true);
        let assert: Assert = serde_json::from_value(assert).unwrap();
        let text = json!({"resourceType": "TestScript", "url": "urn:x", "name": "X",
            "test": [{"action": [{"assert": {"response": "okay", "warningOnly": false}}]}]});
        let script = crate::script::read(&text.to_string()).unwrap();
        let mut state = State::new(&script, std::path::Path::new(".")).unwrap();
        let headers = [("ETag", "W/\"1\""), ("Content-Type", "application/fhir+json; charset=utf-8")];
        let body = "{\"resourceType\":\"Patient\",\"id\":\"p\",\"active\":true,\"name\":[{\"family\":\"A\"},{\"family\":\"B\"}]}";
        state.remember(Some("answer"), Exchange::answered(200, &headers, body));
        judge(&assert, &state)
    }

    #[test]
    fn each_assertion_passes_where_it_holds_and_fails_where_it_does_not() {
        let table = [
            (json!({"response": "okay"}), json!({"response": "created"})),
            (json!({"responseCode": "200,201", "operator": "in"}), json!({"responseCode": "404"})),
            (json!({"headerField": "etag", "operator": "notEmpty"}), json!({"headerField": "Location"})),
            (json!({"headerField": "ETag", "value": "W/\"1\""}), json!({"headerField": "ETag", "value": "W/\"2\""})),
            (json!({"contentType": "application/fhir+json"}), json!({"contentType": "application/json"})),
            (json!({"resource": "Patient"}), json!({"resource": "Bundle"})),
            (json!({"path": "$.id", "value": "p"}), json!({"path": "$.id", "value": "q"})),
            (json!({"path": "$.name[1].family"}), json!({"path": "$.name[2].family"})),
            (json!({"path": "$.name[*].family", "operator": "notEmpty"}), json!({"path": "$.name[*].family", "value": "A"})),
            (json!({"path": "$.deceased", "operator": "empty"}), json!({"path": "$.id", "operator": "empty"})),
            (json!({"requestMethod": "get", "direction": "request"}), json!({"requestMethod": "put", "direction": "request"})),
            (json!({"requestURL": "http://a/fhir/Patient"}), json!({"requestURL": "http://a"})),
            (
                json!({"path": "$.id", "compareToSourceId": "answer", "compareToSourcePath": "$.id"}),
                json!({"path": "$.id", "compareToSourceId": "answer", "compareToSourcePath": "$.name[0].family"}),
            ),
            (json!({"minimumId": "answer"}), json!({"minimumId": "answer", "response": "gone"})),
        ];
        for (holds, fails) in table {
            assert_eq!(verdict(holds.clone()), Verdict::Pass, "{holds}");
            assert!(matches!(verdict(fails.clone()), Verdict::Fail(_) | Verdict::Error(_)), "{fails}");
        }
    }

    #[test]
    fn a_warning_does_not_fail_and_an_error_is_never_a_warning() {
        assert!(matches!(verdict(json!({"response": "gone", "warningOnly": true})), Verdict::Warning(_)));
        assert!(matches!(verdict(json!({"path": "$..x", "warningOnly": true})), Verdict::Error(_)));
        assert!(matches!(verdict(json!({})), Verdict::Error(_)));
        assert!(matches!(verdict(json!({"response": "okay", "resource": "Patient"})), Verdict::Error(_)));
        assert!(matches!(verdict(json!({"response": "okay", "sourceId": "nothing"})), Verdict::Error(_)));
    }
}
