//! What a run found: TestReport resources (R4 testreport.html), a table for people, JUnit for build servers.

use serde_json::{Value, json};

/// `http://hl7.org/fhir/report-action-result-codes`
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    Pass,
    Skip,
    Warning(String),
    Fail(String),
    Error(String),
}

impl Verdict {
    const fn code(&self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Skip => "skip",
            Self::Warning(_) => "warning",
            Self::Fail(_) => "fail",
            Self::Error(_) => "error",
        }
    }

    pub(crate) fn message(&self) -> Option<&str> {
        match self {
            Self::Pass | Self::Skip => None,
            Self::Warning(message) | Self::Fail(message) | Self::Error(message) => Some(message),
        }
    }

    /// Whether what follows in the same test has no ground any more.
    pub(crate) const fn stops(&self) -> bool {
        match self {
            Self::Pass | Self::Skip | Self::Warning(_) => false,
            Self::Fail(_) | Self::Error(_) => true,
        }
    }
}

/// An action that was run, or skipped.
#[derive(Debug)]
pub(crate) struct Step {
    pub(crate) is_operation: bool,
    pub(crate) label: String,
    pub(crate) verdict: Verdict,
}

/// A test, or the setup or teardown, with its actions.
#[derive(Debug, Default)]
pub(crate) struct Part {
    pub(crate) name: String,
    pub(crate) description: Option<String>,
    pub(crate) steps: Vec<Step>,
}

impl Part {
    /// The first step that went wrong.
    pub(crate) fn fault(&self) -> Option<&Step> {
        self.steps.iter().find(|step| step.verdict.stops())
    }

    /// Whether something was asserted and everything held.
    pub(crate) fn is_passed(&self) -> bool {
        self.steps.iter().all(|step| matches!(step.verdict, Verdict::Pass | Verdict::Warning(_)))
    }
}

/// What one script found.
#[derive(Debug)]
pub(crate) struct ScriptReport {
    /// `area/name`, as the file is called.
    pub(crate) script: String,
    pub(crate) url: String,
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) setup: Part,
    pub(crate) tests: Vec<Part>,
    pub(crate) teardown: Part,
}

impl ScriptReport {
    /// A script that could not be run.
    pub(crate) fn refused(script: String, message: String) -> Self {
        let step = Step { is_operation: false, label: String::from("read the script"), verdict: Verdict::Error(message) };
        let setup = Part { name: String::from("setup"), description: None, steps: vec![step] };
        let url = format!("urn:script:{script}");
        let id = script.replace('/', "-");
        Self { name: script.clone(), script, url, id, setup, tests: Vec::new(), teardown: Part::default() }
    }

    /// Setup, tests and teardown, those that have anything.
    pub(crate) fn parts(&self) -> impl Iterator<Item = &Part> {
        let all = std::iter::once(&self.setup).chain(&self.tests).chain(std::iter::once(&self.teardown));
        all.filter(|part| !part.steps.is_empty())
    }

    /// Whether it was run and everything in it held.
    pub(crate) fn is_passed(&self) -> bool {
        !self.tests.is_empty() && self.parts().all(Part::is_passed)
    }

    /// The result as a TestReport.
    pub(crate) fn resource(&self, base: &str, issued: &str) -> Value {
        let passed = self.tests.iter().filter(|test| test.is_passed()).count();
        // Per cent, as TestReport.score wants it.
        let score = (passed * 100).checked_div(self.tests.len()).unwrap_or(0);
        let mut report = json!({
            "resourceType": "TestReport",
            "id": self.id,
            "name": self.name,
            "status": "completed",
            "testScript": {"identifier": {"system": "urn:ietf:rfc:3986", "value": self.url}, "display": self.script},
            "result": if self.is_passed() { "pass" } else { "fail" },
            "score": score,
            "issued": issued,
            "participant": [
                {"type": "test-engine", "uri": concat!("urn:carnet-conformance:", env!("CARGO_PKG_VERSION"))},
                {"type": "server", "uri": base},
            ],
        });
        let Some(members) = report.as_object_mut() else { return report };
        if !self.setup.steps.is_empty() {
            members.insert(String::from("setup"), json!({"action": actions(&self.setup)}));
        }
        if !self.tests.is_empty() {
            members.insert(String::from("test"), self.tests.iter().map(test).collect());
        }
        if !self.teardown.steps.is_empty() {
            members.insert(String::from("teardown"), json!({"action": actions(&self.teardown)}));
        }
        report
    }
}

fn test(part: &Part) -> Value {
    let mut test = json!({"name": part.name, "action": actions(part)});
    if let (Some(description), Some(members)) = (&part.description, test.as_object_mut()) {
        members.insert(String::from("description"), json!(description));
    }
    test
}

fn actions(part: &Part) -> Vec<Value> {
    part.steps.iter().map(action).collect()
}

fn action(step: &Step) -> Value {
    let mut result = json!({"result": step.verdict.code()});
    if let (Some(message), Some(members)) = (step.verdict.message(), result.as_object_mut()) {
        members.insert(String::from("message"), json!(format!("{}: {message}", step.label)));
    }
    let kind = if step.is_operation { "operation" } else { "assert" };
    json!({kind: result})
}

/// The table for people: a line a script, and below it what went wrong.
pub(crate) fn table(reports: &[ScriptReport]) -> String {
    let width = reports.iter().map(|report| report.script.len()).max().unwrap_or(0);
    let mut out = String::new();
    for report in reports {
        let passed = report.tests.iter().filter(|test| test.is_passed()).count();
        let result = if report.is_passed() { "pass" } else { "FAIL" };
        out.push_str(&format!("{result}  {:<width$}  {passed}/{} tests\n", report.script, report.tests.len()));
        for part in report.parts() {
            if let Some(step) = part.fault() {
                out.push_str(&format!(
                    "      {}: {}: {} ({})\n",
                    part.name,
                    step.label,
                    step.verdict.message().unwrap_or_default(),
                    step.verdict.code()
                ));
            }
        }
    }
    let passed = reports.iter().filter(|report| report.is_passed()).count();
    out.push_str(&format!("{passed} passed, {} failed\n", reports.len() - passed));
    out
}

/// The same as JUnit XML: a suite a script, a case a test.
pub(crate) fn junit(reports: &[ScriptReport]) -> String {
    let mut out = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n");
    for report in reports {
        let parts: Vec<&Part> = report.parts().collect();
        let failures = parts.iter().filter(|part| !part.is_passed()).count();
        let name = escaped(&report.script);
        out.push_str(&format!("  <testsuite name=\"{name}\" tests=\"{}\" failures=\"{failures}\">\n", parts.len()));
        for part in parts {
            out.push_str(&case(&name, part));
        }
        out.push_str("  </testsuite>\n");
    }
    out.push_str("</testsuites>\n");
    out
}

fn case(suite: &str, part: &Part) -> String {
    let head = format!("    <testcase classname=\"{suite}\" name=\"{}\"", escaped(&part.name));
    match part.fault() {
        Some(step) => {
            let message = escaped(&format!("{}: {}", step.label, step.verdict.message().unwrap_or_default()));
            format!("{head}><failure message=\"{message}\"/></testcase>\n")
        }
        None if part.is_passed() => format!("{head}/>\n"),
        None => format!("{head}><skipped/></testcase>\n"),
    }
}

/// Text as it may stand in an attribute; what XML cannot carry becomes a blank.
fn escaped(text: &str) -> String {
    let carried: String = text.chars().map(|c| if c < ' ' { ' ' } else { c }).collect();
    quick_xml::escape::escape(&carried).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(verdict: Verdict) -> Step {
        Step { is_operation: false, label: String::from("status"), verdict }
    }

    fn report(verdicts: Vec<Verdict>) -> ScriptReport {
        let test = Part { name: String::from("a <test>"), description: None, steps: verdicts.into_iter().map(step).collect() };
        let mut report = ScriptReport::refused(String::from("read/x"), String::new());
        report.setup = Part::default();
        report.tests = vec![test];
        report
    }

    #[test]
    fn a_script_passes_only_when_everything_was_run_and_held() {
        assert!(report(vec![Verdict::Pass, Verdict::Warning(String::from("w"))]).is_passed());
        assert!(!report(vec![Verdict::Pass, Verdict::Fail(String::from("f"))]).is_passed());
        assert!(!report(vec![Verdict::Pass, Verdict::Error(String::from("e"))]).is_passed());
        assert!(!report(vec![Verdict::Pass, Verdict::Skip]).is_passed());
        assert!(!ScriptReport::refused(String::from("read/x"), String::from("unknown")).is_passed());
    }

    #[test]
    fn a_report_says_which_action_failed_and_why() {
        let resource = report(vec![Verdict::Pass, Verdict::Fail(String::from("404"))]).resource("http://a", "2026-01-01");
        assert_eq!(resource["result"], "fail");
        assert_eq!(resource["score"], 0);
        assert_eq!(resource["test"][0]["action"][0]["assert"]["result"], "pass");
        assert_eq!(resource["test"][0]["action"][1]["assert"], json!({"result": "fail", "message": "status: 404"}));
        assert!(resource.get("setup").is_none());
    }

    #[test]
    fn junit_carries_failures_and_escapes_names() {
        let xml = junit(&[report(vec![Verdict::Fail(String::from("\u{1}\"404\""))])]);
        assert!(xml.contains("name=\"a &lt;test&gt;\""), "{xml}");
        assert!(xml.contains("failure message=\"status:  &quot;404&quot;\""), "{xml}");
        assert!(xml.contains("failures=\"1\""));
        assert!(junit(&[report(vec![Verdict::Skip])]).contains("<skipped/>"));
    }

    #[test]
    fn the_table_ends_in_the_count() {
        let reports = [report(vec![Verdict::Pass]), report(vec![Verdict::Fail(String::from("404"))])];
        let text = table(&reports);
        assert!(text.ends_with("1 passed, 1 failed\n"), "{text}");
        assert!(text.contains("a <test>: status: 404 (fail)"), "{text}");
    }
}
