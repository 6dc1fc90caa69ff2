//! What is sent to an operation, held against its definition (R4 operations.html §request): in the query, in a Parameters resource,
//! or both.

use super::definition::{Definition, Parameter};
use crate::definition::Primitive;
use crate::fhir::ResourceType;
use crate::fhir::date::PartialDate;
use crate::fhir::json::Node;
use crate::interaction::{Call, Handling, body};
use crate::outcome::{Failure, Issue, IssueCode, Kind, Outcome};
use crate::search::query::PAGE_PARAMETER;
use crate::validation::is_primitive;

/// What was sent.
#[derive(Debug, Default)]
pub(in crate::interaction) struct Input {
    /// Name and text of each that is a primitive, in order; of a CodeableConcept, each of its codings as a token.
    values: Vec<(String, String)>,
    /// Those that the operation does not declare: parameters of a search.
    pub(super) search: Vec<(String, String)>,
}

impl Input {
    /// Reads what the request of `call` sends.
    ///
    /// # Errors
    /// 400 where a parameter is not declared, is of another type, comes too often or not at all; it is named.
    pub(in crate::interaction) fn read(call: &Call<'_>, definition: &Definition) -> Outcome<Self> {
        let mut input = Self::default();
        for (name, value) in &call.request.parameters {
            if matches!(name.as_str(), "_format" | "_pretty" | PAGE_PARAMETER) {
                continue;
            }
            match declared(definition, name) {
                Some(parameter) => {
                    input.take_text((name, value), parameter).map_err(|failure| failure.at(format!("http.{name}")))?
                }
                None if definition.searches => input.search.push((name.clone(), value.clone())),
                None if call.request.prefer.handling() == Handling::Lenient => {}
                None => return Err(unknown(definition).at(format!("http.{name}"))),
            }
        }
        input.read_body(call, definition)?;
        input.check_occurrences(definition)?;
        Ok(input)
    }

    /// The value of a parameter that comes once.
    pub(in crate::interaction) fn one(&self, name: &str) -> Option<&str> {
        self.values.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// The values of a parameter.
    pub(super) fn all<'i>(&'i self, name: &'i str) -> impl Iterator<Item = &'i str> {
        self.values.iter().filter(move |(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// Everything that was sent and is declared, as the query of a URL.
    pub(super) fn parameters(&self) -> Vec<(String, String)> {
        self.values.clone()
    }

    fn take_text(&mut self, (name, value): (&str, &str), parameter: &Parameter) -> Outcome<()> {
        let pieces: Vec<&str> = if parameter.repeats { value.split(',').collect() } else { vec![value] };
        for piece in pieces.into_iter().filter(|piece| !piece.trim().is_empty()) {
            let is_fit = match Primitive::named(parameter.type_name) {
                // A moment may be said as far as it is known.
                Some(Primitive::Date | Primitive::DateTime | Primitive::Instant) => PartialDate::parse(piece).is_ok(),
                Some(primitive) => is_primitive(primitive, piece),
                // In a query a concept is a token.
                None => parameter.type_name == "CodeableConcept",
            };
            if !is_fit {
                return Err(wrong_type(parameter));
            }
            self.values.push((name.to_owned(), piece.to_owned()));
        }
        Ok(())
    }

    fn read_body(&mut self, call: &Call<'_>, definition: &Definition) -> Outcome<()> {
        let Some(content) = call.request.body.as_ref().filter(|content| !content.is_empty()) else { return Ok(()) };
        let tree = body::parse(body::json_only(content)?)?;
        body::check_type(&tree, ResourceType::Parameters)?;
        body::check_form(call.engine, &tree, ResourceType::Parameters)?;
        for node in tree.root().member("parameter").into_iter().flat_map(Node::items) {
            let place = node.expression();
            self.take_node(node, definition).map_err(|failure: Failure| failure.at(place))?;
        }
        Ok(())
    }

    fn take_node(&mut self, node: Node<'_>, definition: &Definition) -> Outcome<()> {
        let name = node.member("name").and_then(Node::string).unwrap_or_default();
        let value = node.children().find(|member| member.key().is_some_and(|key| key.starts_with("value")));
        let Some(parameter) = declared(definition, &name) else {
            let text = value.and_then(Node::string).filter(|_| definition.searches);
            let text = text.ok_or_else(|| unknown(definition))?;
            self.search.push((name.into_owned(), text.into_owned()));
            return Ok(());
        };
        let value = value.filter(|value| value.key().is_some_and(|key| is_of_type(&key, parameter.type_name)));
        let value = value.ok_or_else(|| wrong_type(parameter))?;
        if parameter.type_name == "CodeableConcept" {
            for coding in value.member("coding").into_iter().flat_map(Node::items) {
                let text = |name| coding.member(name).and_then(Node::string).unwrap_or_default();
                self.values.push((name.clone().into_owned(), format!("{}|{}", text("system"), text("code"))));
            }
            return Ok(());
        }
        let text = value.string().map_or_else(|| value.raw().to_owned(), |text| text.into_owned());
        self.values.push((name.into_owned(), text));
        Ok(())
    }

    fn check_occurrences(&self, definition: &Definition) -> Outcome<()> {
        for parameter in definition.input {
            let count = self.all(parameter.name).count();
            let text = match (count, parameter.is_required, parameter.repeats) {
                (0, true, _) => "it must be sent",
                (2.., _, false) => "it is sent more than once",
                _ => continue,
            };
            let code = if count == 0 { IssueCode::Required } else { IssueCode::Structure };
            let issue = Issue::error(code, format!("{}: {text}", parameter.name)).at(format!("http.{}", parameter.name));
            return Err(Failure::with_issues(Kind::InvalidParameter, vec![issue]));
        }
        Ok(())
    }
}

fn declared(definition: &Definition, name: &str) -> Option<&'static Parameter> {
    definition.input.iter().find(|parameter| parameter.name == name)
}

/// Whether the member `key` holds a value of `type_name`; texts may come as `valueString`.
fn is_of_type(key: &str, type_name: &str) -> bool {
    let said = key.strip_prefix("value").unwrap_or_default();
    let is_named = said.len() == type_name.len()
        && said.chars().zip(type_name.chars()).all(|(said, name)| said == name || said.eq_ignore_ascii_case(&name));
    let is_text = matches!(type_name, "id" | "uri" | "code" | "canonical") && said == "String";
    let is_date = matches!((type_name, said), ("date" | "instant", "DateTime") | ("dateTime", "Date" | "Instant"));
    let is_number = matches!((type_name, said), ("integer", "PositiveInt" | "UnsignedInt") | ("positiveInt", "Integer"));
    is_named || is_text || is_date || is_number
}

fn unknown(definition: &Definition) -> Failure {
    let known: Vec<&str> = definition.input.iter().map(|parameter| parameter.name).collect();
    let text = match known.as_slice() {
        [] => format!("${} takes no parameters", definition.code),
        known => format!("${} knows no such parameter; it knows {}", definition.code, known.join(", ")),
    };
    Failure::with_issues(Kind::InvalidParameter, vec![Issue::error(IssueCode::NotSupported, text)])
}

fn wrong_type(parameter: &Parameter) -> Failure {
    let text = format!("{} is a {}", parameter.name, parameter.type_name);
    Failure::with_issues(Kind::InvalidParameter, vec![Issue::error(IssueCode::Value, text)])
}
