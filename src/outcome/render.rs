//! Issues as an OperationOutcome in JSON.

use serde_json::{Value, json};

use super::Issue;

/// The OperationOutcome that carries `issues` (R4 operationoutcome.html).
pub fn operation_outcome(issues: &[Issue]) -> Value {
    json!({ "resourceType": "OperationOutcome", "issue": issues.iter().map(render).collect::<Vec<_>>() })
}

fn render(issue: &Issue) -> Value {
    let mut value = json!({
        "severity": issue.severity.code(),
        "code": issue.code.code(),
        "diagnostics": issue.diagnostics,
    });
    if let (Some(expression), Some(object)) = (&issue.expression, value.as_object_mut()) {
        object.insert(String::from("expression"), json!([expression]));
    }
    value
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::outcome::IssueCode;

    #[test]
    fn an_issue_says_where_only_when_it_knows() {
        let issues =
            [Issue::error(IssueCode::Value, "not a date").at("Patient.birthDate"), Issue::warning(IssueCode::Invalid, "odd")];
        let expected = json!({"resourceType": "OperationOutcome", "issue": [
            {"severity": "error", "code": "value", "diagnostics": "not a date", "expression": ["Patient.birthDate"]},
            {"severity": "warning", "code": "invalid", "diagnostics": "odd"},
        ]});
        assert_eq!(operation_outcome(&issues), expected);
    }
}
