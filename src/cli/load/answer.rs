//! What the server made of a request: how much is stored, and what was refused, in its own words.

use serde_json::Value;

/// An answer, from HTTP or from within.
#[derive(Clone, Debug)]
pub(in crate::cli) struct Answer {
    pub(in crate::cli) status: u16,
    pub(in crate::cli) body: Vec<u8>,
}

/// What became of one text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Verdict {
    /// How many resources are stored.
    pub(super) stored: u64,
    /// What was refused, each in a sentence.
    pub(super) refusals: Vec<String>,
}

impl Verdict {
    /// Nothing stored, for this reason.
    pub(super) fn refused(reason: String) -> Self {
        Self { stored: 0, refusals: vec![reason] }
    }
}

impl Answer {
    /// What the answer says of the text that was sent.
    pub(super) fn verdict(&self, is_bundle: bool) -> Verdict {
        let body = || serde_json::from_slice::<Value>(&self.body).unwrap_or(Value::Null);
        if !(200..300).contains(&self.status) {
            return Verdict::refused(format!("{}{}", self.status, issues(&body())));
        }
        if !is_bundle {
            return Verdict { stored: 1, refusals: Vec::new() };
        }
        let body = body();
        match body.get("entry").and_then(Value::as_array) {
            Some(entries) => of_entries(entries),
            None => Verdict::refused("the server did not answer a Bundle with a Bundle".to_owned()),
        }
    }
}

fn of_entries(entries: &[Value]) -> Verdict {
    let mut verdict = Verdict::default();
    for (index, entry) in entries.iter().enumerate() {
        let status = entry.pointer("/response/status").and_then(Value::as_str).unwrap_or("no status");
        if status.starts_with('2') {
            verdict.stored += 1;
        } else {
            let outcome = entry.pointer("/response/outcome").unwrap_or(&Value::Null);
            verdict.refusals.push(format!("entry {index}: {status}{}", issues(outcome)));
        }
    }
    verdict
}

/// The issues of an OperationOutcome as the rest of a sentence.
fn issues(outcome: &Value) -> String {
    let issues = outcome.get("issue").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    issues.iter().map(|found| format!(": {}", issue(found))).collect()
}

fn issue(issue: &Value) -> String {
    let text = |path: &str| issue.pointer(path).and_then(Value::as_str);
    let what = text("/diagnostics").or_else(|| text("/details/text")).or_else(|| text("/code")).unwrap_or("no reason given");
    match text("/expression/0") {
        Some(place) => format!("{what} ({place})"),
        None => what.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn answer(status: u16, body: Value) -> Answer {
        Answer { status, body: body.to_string().into_bytes() }
    }

    #[test]
    fn a_refusal_carries_the_words_of_the_operation_outcome() {
        let outcome = json!({"resourceType": "OperationOutcome", "issue": [
            {"severity": "error", "code": "value", "diagnostics": "not a date", "expression": ["Patient.birthDate"]},
            {"severity": "error", "code": "required", "details": {"text": "one is needed"}}]});
        let verdict = answer(422, outcome).verdict(false);
        assert_eq!(verdict, Verdict::refused("422: not a date (Patient.birthDate): one is needed".to_owned()));
        assert_eq!(Answer { status: 502, body: b"<html>".to_vec() }.verdict(false), Verdict::refused("502".to_owned()));
    }

    #[test]
    fn each_entry_of_a_batch_is_counted_or_named() {
        let body = json!({"resourceType": "Bundle", "type": "batch-response", "entry": [
            {"response": {"status": "201 Created"}},
            {"response": {"status": "404 Not Found", "outcome": {"issue": [{"code": "not-found"}]}}},
            {"response": {"status": "200"}}]});
        let verdict = answer(200, body).verdict(true);
        assert_eq!(verdict, Verdict { stored: 2, refusals: vec!["entry 1: 404 Not Found: not-found".to_owned()] });
    }

    #[test]
    fn a_stored_resource_counts_one() {
        assert_eq!(answer(201, Value::Null).verdict(false), Verdict { stored: 1, refusals: Vec::new() });
        assert_eq!(answer(200, json!({"resourceType": "Patient"})).verdict(true).refusals.len(), 1);
    }
}
