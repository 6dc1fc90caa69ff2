//! What a running script knows: fixtures, answers by name, variables.

use std::collections::HashMap;
use std::path::Path;

use serde_json::Value;

use crate::exchange::Exchange;
use crate::expression;
use crate::path;
use crate::script::{TestScript, Variable};

/// How deep variables may name one another.
const VARIABLE_DEPTH: u8 = 8;

/// The memory of one run of one script.
#[derive(Debug)]
pub(crate) struct State<'s> {
    variables: &'s [Variable],
    fixtures: HashMap<&'s str, Vec<u8>>,
    answers: HashMap<String, Exchange>,
    last: Option<Exchange>,
}

impl<'s> State<'s> {
    /// Reads the fixtures of a script that stands in `folder`.
    pub(crate) fn new(script: &'s TestScript, folder: &Path) -> Result<Self, String> {
        let mut fixtures = HashMap::new();
        for fixture in &script.fixture {
            let file = folder.join(&fixture.resource.reference);
            let content = std::fs::read(&file).map_err(|error| format!("the fixture {}: {error}", file.display()))?;
            fixtures.insert(fixture.id.as_str(), content);
        }
        Ok(Self { variables: &script.variable, fixtures, answers: HashMap::new(), last: None })
    }

    /// Remembers an answer, under a name where it has one.
    pub(crate) fn remember(&mut self, name: Option<&str>, exchange: Exchange) {
        if let Some(name) = name {
            self.answers.insert(name.to_owned(), exchange.clone());
        }
        self.last = Some(exchange);
    }

    /// The answer called `name`, or the last one.
    pub(crate) fn answer(&self, name: Option<&str>) -> Result<&Exchange, String> {
        match name {
            Some(name) => self.answers.get(name).ok_or_else(|| format!("nothing was answered under the name {name}")),
            None => self.last.as_ref().ok_or_else(|| String::from("nothing was asked yet")),
        }
    }

    /// The answer called `name`, if there is one.
    pub(crate) fn named_answer(&self, name: &str) -> Option<&Exchange> {
        self.answers.get(name)
    }

    /// The bytes called `name`: of an answer, or of a fixture with its variables filled in.
    pub(crate) fn bytes(&self, name: &str) -> Result<Vec<u8>, String> {
        if let Some(exchange) = self.answers.get(name) {
            return Ok(exchange.body.clone());
        }
        let content = self.fixtures.get(name).ok_or_else(|| format!("neither fixture nor answer is called {name}"))?;
        match std::str::from_utf8(content) {
            Ok(text) if text.contains("${") => self.filled(text).map(String::into_bytes),
            _ => Ok(content.clone()),
        }
    }

    /// What is called `name`, or the last answer, read as JSON.
    pub(crate) fn json(&self, name: Option<&str>) -> Result<Value, String> {
        match name {
            Some(name) => serde_json::from_slice(&self.bytes(name)?).map_err(|error| format!("{name} is not JSON: {error}")),
            None => self.answer(None)?.json(),
        }
    }

    /// `text` with every `${name}` replaced by the value of the variable.
    pub(crate) fn filled(&self, text: &str) -> Result<String, String> {
        self.filled_to(text, VARIABLE_DEPTH)
    }

    fn filled_to(&self, text: &str, depth: u8) -> Result<String, String> {
        let mut out = String::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once("${") {
            let (name, after) = after.split_once('}').ok_or_else(|| format!("a variable is not closed in {text}"))?;
            out.push_str(before);
            out.push_str(&self.value(name, depth)?);
            rest = after;
        }
        out.push_str(rest);
        Ok(out)
    }

    fn value(&self, name: &str, depth: u8) -> Result<String, String> {
        let depth = depth.checked_sub(1).ok_or_else(|| format!("the variable {name} leads back to itself"))?;
        let variable = self
            .variables
            .iter()
            .find(|variable| variable.name == name)
            .ok_or_else(|| format!("no variable is called {name}"))?;
        let found = match &variable.source_id {
            Some(source) => self.taken(variable, source)?,
            None => None,
        };
        let value = found.or_else(|| variable.default_value.clone());
        let value = value.ok_or_else(|| format!("the variable {name} has no value"))?;
        self.filled_to(&value, depth)
    }

    fn taken(&self, variable: &Variable, source: &str) -> Result<Option<String>, String> {
        if let Some(field) = &variable.header_field {
            return Ok(self.answer(Some(source))?.header(field));
        }
        let json = self.json(Some(source))?;
        if let Some(path) = &variable.path {
            return Ok(path::select(&json, path)?.first().map(|value| path::text(value)));
        }
        match &variable.expression {
            Some(expression) => Ok(expression::evaluate(&json, expression)?.into_iter().next()),
            None => Err(format!("the variable {} does not say what to take from {source}", variable.name)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn variables(list: &Value) -> Vec<Variable> {
        serde_json::from_value(list.clone()).unwrap()
    }

    fn state(variables: &[Variable]) -> State<'_> {
        State { variables, fixtures: HashMap::new(), answers: HashMap::new(), last: None }
    }

    #[test]
    fn variables_are_taken_from_headers_paths_and_defaults() {
        let list = variables(&json!([
            {"name": "etag", "headerField": "ETag", "sourceId": "created"},
            {"name": "id", "path": "$.id", "sourceId": "created"},
            {"name": "missing", "path": "$.nothing", "sourceId": "created", "defaultValue": "d"},
            {"name": "both", "defaultValue": "${id}-2"},
        ]));
        let mut state = state(&list);
        state.remember(Some("created"), Exchange::answered(201, &[("etag", "W/\"1\"")], "{\"id\":\"p\"}"));
        assert_eq!(state.filled("${etag} ${id} ${missing} ${both} $").as_deref(), Ok("W/\"1\" p d p-2 $"));
    }

    #[test]
    fn a_variable_without_a_value_is_an_error() {
        let list = variables(&json!([
            {"name": "id", "path": "$.id", "sourceId": "created"},
            {"name": "loop", "defaultValue": "${loop}"},
            {"name": "empty"},
        ]));
        let mut state = state(&list);
        assert!(state.filled("${id}").is_err());
        state.remember(Some("created"), Exchange::answered(201, &[], "{}"));
        for text in ["${id}", "${loop}", "${empty}", "${unknown}", "${id"] {
            assert!(state.filled(text).is_err(), "{text}");
        }
    }
}
