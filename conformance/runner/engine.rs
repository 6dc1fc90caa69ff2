//! Runs a script: setup, tests in order, teardown.

use std::path::Path;

use crate::assertion;
use crate::exchange::Client;
use crate::report::{Part, ScriptReport, Step, Verdict};
use crate::request;
use crate::script::{self, Action, Assert, Operation};
use crate::state::State;

/// Runs the script in `file`, called `name`, against the server at `base`.
pub(crate) async fn run(client: &Client, base: &str, name: String, file: &Path) -> ScriptReport {
    let text = match std::fs::read_to_string(file) {
        Ok(text) => text,
        Err(error) => return ScriptReport::refused(name, error.to_string()),
    };
    let script = match script::read(&text) {
        Ok(script) => script,
        Err(message) => return ScriptReport::refused(name, message),
    };
    let mut state = match State::new(&script, file.parent().unwrap_or(Path::new("."))) {
        Ok(state) => state,
        Err(message) => return ScriptReport::refused(name, message),
    };
    let mut runner = Runner { client, base, state: &mut state };
    let mut report = ScriptReport {
        id: script.about.id.clone().unwrap_or_else(|| name.replace('/', "-")),
        script: name,
        url: script.about.url.clone(),
        name: script.about.name.clone(),
        setup: Part::default(),
        tests: Vec::new(),
        teardown: Part::default(),
    };
    if let Some(setup) = &script.setup {
        report.setup = Part { name: String::from("setup"), description: None, steps: runner.all(&setup.action, false).await };
    }
    let is_unprepared = report.setup.fault().is_some();
    for (number, test) in script.test.iter().enumerate() {
        let name = test.name.clone().unwrap_or_else(|| format!("test {}", number + 1));
        let steps = runner.all(&test.action, is_unprepared).await;
        report.tests.push(Part { name, description: test.description.clone(), steps });
    }
    if let Some(teardown) = &script.teardown {
        let steps = runner.all(&teardown.action, false).await;
        report.teardown = Part { name: String::from("teardown"), description: None, steps };
    }
    report
}

struct Runner<'r, 's> {
    client: &'r Client,
    base: &'r str,
    state: &'r mut State<'s>,
}

impl Runner<'_, '_> {
    /// Runs actions in order; after one that failed, or from the start where `is_stopped`, the rest is skipped.
    async fn all(&mut self, actions: &[Action], mut is_stopped: bool) -> Vec<Step> {
        let mut steps = Vec::new();
        for action in actions {
            let step = match (action, is_stopped) {
                (_, true) => skipped(action),
                (Action::Operation(operation), false) => self.operation(operation).await,
                (Action::Assert(assert), false) => {
                    Step { is_operation: false, label: label_of_assert(assert), verdict: assertion::judge(assert, self.state) }
                }
            };
            is_stopped |= step.verdict.stops();
            steps.push(step);
        }
        steps
    }

    async fn operation(&mut self, operation: &Operation) -> Step {
        let verdict = match self.exchange(operation).await {
            Ok(()) => Verdict::Pass,
            Err(message) => Verdict::Error(message),
        };
        Step { is_operation: true, label: label_of_operation(operation), verdict }
    }

    async fn exchange(&mut self, operation: &Operation) -> Result<(), String> {
        let request = request::build(operation, self.state, self.base)?;
        let exchange = self.client.send(request).await?;
        self.state.remember(operation.response_id.as_deref(), exchange);
        Ok(())
    }
}

fn skipped(action: &Action) -> Step {
    let (is_operation, label) = match action {
        Action::Operation(operation) => (true, label_of_operation(operation)),
        Action::Assert(assert) => (false, label_of_assert(assert)),
    };
    Step { is_operation, label, verdict: Verdict::Skip }
}

fn label_of_operation(operation: &Operation) -> String {
    let said = operation.description.as_ref().or(operation.label.as_ref()).cloned();
    said.unwrap_or_else(|| operation.kind.as_ref().map_or_else(|| String::from("request"), |kind| format!("{:?}", kind.code)))
}

fn label_of_assert(assert: &Assert) -> String {
    assert.description.as_ref().or(assert.label.as_ref()).cloned().unwrap_or_else(|| String::from("assertion"))
}
