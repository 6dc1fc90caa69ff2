//! A TestScript (R4 testscript.html) as far as this runner understands it.
//!
//! Reading refuses every element that is not named here, so that a script never passes for a check that was not made.

use serde::Deserialize;
use serde_json::Value;

/// The whole script.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct TestScript {
    #[serde(rename = "resourceType")]
    _resource_type: ResourceType,
    #[serde(flatten)]
    pub(crate) about: About,
    #[serde(default)]
    pub(crate) fixture: Vec<Fixture>,
    #[serde(default)]
    pub(crate) variable: Vec<Variable>,
    #[serde(default)]
    pub(crate) setup: Option<Steps>,
    #[serde(default)]
    pub(crate) test: Vec<Test>,
    #[serde(default)]
    pub(crate) teardown: Option<Steps>,
}

#[derive(Debug, Deserialize)]
enum ResourceType {
    TestScript,
}

/// What the script says about itself; none of it changes what is run.
#[derive(Debug, Deserialize)]
pub(crate) struct About {
    pub(crate) id: Option<String>,
    pub(crate) url: String,
    pub(crate) name: String,
}

/// A resource, or any bytes, that the script sends or compares with.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Fixture {
    pub(crate) id: String,
    pub(crate) autocreate: bool,
    pub(crate) autodelete: bool,
    pub(crate) resource: Reference,
}

/// Where a fixture stands: a path relative to the script.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Reference {
    pub(crate) reference: String,
}

/// A value taken from a response or a fixture, written `${name}` where it is used.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Variable {
    pub(crate) name: String,
    pub(crate) default_value: Option<String>,
    #[serde(rename = "description")]
    _description: Option<String>,
    pub(crate) expression: Option<String>,
    pub(crate) header_field: Option<String>,
    #[serde(rename = "hint")]
    _hint: Option<String>,
    pub(crate) path: Option<String>,
    pub(crate) source_id: Option<String>,
}

/// What is done before the tests, or after.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Steps {
    pub(crate) action: Vec<Action>,
}

/// One test: it passes when all of its assertions hold.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Test {
    pub(crate) name: Option<String>,
    pub(crate) description: Option<String>,
    pub(crate) action: Vec<Action>,
}

/// A request to make, or something to hold of what was answered (tst-1, tst-2).
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Action {
    Operation(Box<Operation>),
    Assert(Box<Assert>),
}

/// A request.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Operation {
    #[serde(rename = "type")]
    pub(crate) kind: Option<Coding>,
    pub(crate) resource: Option<String>,
    pub(crate) label: Option<String>,
    pub(crate) description: Option<String>,
    pub(crate) accept: Option<String>,
    pub(crate) content_type: Option<String>,
    pub(crate) encode_request_url: bool,
    pub(crate) method: Option<Method>,
    pub(crate) params: Option<String>,
    #[serde(default)]
    pub(crate) request_header: Vec<Header>,
    pub(crate) response_id: Option<String>,
    pub(crate) source_id: Option<String>,
    pub(crate) target_id: Option<String>,
    pub(crate) url: Option<String>,
}

/// A code of `http://terminology.hl7.org/CodeSystem/testscript-operation-codes`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Coding {
    #[serde(rename = "system")]
    _system: Option<String>,
    pub(crate) code: Interaction,
}

/// The interactions this runner can ask for.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Interaction {
    Read,
    Vread,
    Update,
    UpdateCreate,
    Delete,
    History,
    Create,
    Search,
    Batch,
    Transaction,
    Capabilities,
}

/// `http://hl7.org/fhir/http-operations`
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Method {
    Delete,
    Get,
    Options,
    Patch,
    Post,
    Put,
    Head,
}

impl Method {
    /// As it stands on the request line.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Delete => "DELETE",
            Self::Get => "GET",
            Self::Options => "OPTIONS",
            Self::Patch => "PATCH",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Head => "HEAD",
        }
    }
}

/// A header of a request.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Header {
    pub(crate) field: String,
    pub(crate) value: String,
}

/// Something to hold.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Assert {
    pub(crate) label: Option<String>,
    pub(crate) description: Option<String>,
    #[serde(default)]
    pub(crate) direction: Direction,
    pub(crate) compare_to_source_id: Option<String>,
    pub(crate) compare_to_source_expression: Option<String>,
    pub(crate) compare_to_source_path: Option<String>,
    pub(crate) content_type: Option<String>,
    pub(crate) expression: Option<String>,
    pub(crate) header_field: Option<String>,
    pub(crate) minimum_id: Option<String>,
    pub(crate) operator: Option<Operator>,
    pub(crate) path: Option<String>,
    pub(crate) request_method: Option<Method>,
    #[serde(rename = "requestURL")]
    pub(crate) request_url: Option<String>,
    pub(crate) resource: Option<String>,
    pub(crate) response: Option<ResponseKind>,
    pub(crate) response_code: Option<String>,
    pub(crate) source_id: Option<String>,
    pub(crate) value: Option<String>,
    pub(crate) warning_only: bool,
}

/// Which side of the exchange is looked at.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Direction {
    #[default]
    Response,
    Request,
}

/// `http://hl7.org/fhir/assert-operator-codes`
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Operator {
    Equals,
    NotEquals,
    In,
    NotIn,
    GreaterThan,
    LessThan,
    Empty,
    NotEmpty,
    Contains,
    NotContains,
    Eval,
}

/// `http://hl7.org/fhir/assert-response-code-types`
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub(crate) enum ResponseKind {
    Okay,
    Created,
    NoContent,
    NotModified,
    Bad,
    Forbidden,
    NotFound,
    MethodNotAllowed,
    Conflict,
    Gone,
    PreconditionFailed,
    Unprocessable,
}

impl ResponseKind {
    /// The HTTP status it stands for.
    pub(crate) const fn status(self) -> u16 {
        match self {
            Self::Okay => 200,
            Self::Created => 201,
            Self::NoContent => 204,
            Self::NotModified => 304,
            Self::Bad => 400,
            Self::Forbidden => 403,
            Self::NotFound => 404,
            Self::MethodNotAllowed => 405,
            Self::Conflict => 409,
            Self::Gone => 410,
            Self::PreconditionFailed => 412,
            Self::Unprocessable => 422,
        }
    }
}

/// Members of a script that describe it and are read over.
const DESCRIPTION: &[&str] = &[
    "meta",
    "language",
    "text",
    "identifier",
    "version",
    "title",
    "status",
    "experimental",
    "date",
    "publisher",
    "contact",
    "description",
    "useContext",
    "jurisdiction",
    "purpose",
    "copyright",
];

/// Reads a script.
///
/// # Errors
/// What in it this runner does not understand, as a sentence.
pub(crate) fn read(text: &str) -> Result<TestScript, String> {
    let mut value: Value = serde_json::from_str(text).map_err(|error| format!("not JSON: {error}"))?;
    if let Some(members) = value.as_object_mut() {
        members.retain(|name, _| !DESCRIPTION.contains(&name.as_str()));
    }
    let script: TestScript = serde_json::from_value(value).map_err(|error| format!("not supported: {error}"))?;
    if script.fixture.iter().any(|fixture| fixture.autocreate || fixture.autodelete) {
        return Err(String::from("not supported: autocreate and autodelete"));
    }
    if script.test.is_empty() {
        return Err(String::from("there is no test in it"));
    }
    let asserts = |test: &Test| test.action.iter().any(|action| matches!(action, Action::Assert(_)));
    if let Some(test) = script.test.iter().find(|test| !asserts(test)) {
        return Err(format!("the test {} asserts nothing", test.name.as_deref().unwrap_or("without a name")));
    }
    Ok(script)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn script() -> Value {
        json!({"resourceType": "TestScript", "url": "urn:x", "name": "X", "status": "active",
            "test": [{"action": [{"assert": {"response": "okay", "warningOnly": false}}]}]})
    }

    #[test]
    fn a_script_of_known_elements_is_read() {
        assert_eq!(read(&script().to_string()).map(|script| script.about.name), Ok(String::from("X")));
    }

    #[test]
    fn an_element_that_is_not_understood_refuses_the_script() {
        let mut whole = script();
        whole["profile"] = json!([{"reference": "urn:p"}]);
        assert!(read(&whole.to_string()).unwrap_err().contains("profile"));
        for (name, value) in
            [("validateProfileId", json!("p")), ("navigationLinks", json!(true)), ("stopTestOnFail", json!(true))]
        {
            let mut changed = script();
            changed["test"][0]["action"][0]["assert"][name] = value;
            assert!(read(&changed.to_string()).unwrap_err().contains(name), "{name}");
        }
        let mut operation = script();
        operation["setup"] = json!({"action": [{"operation": {"type": {"code": "match"}, "encodeRequestUrl": true}}]});
        assert!(read(&operation.to_string()).unwrap_err().contains("match"));
    }

    #[test]
    fn a_script_that_could_not_fail_is_refused() {
        let mut none = script();
        none["test"] = json!([]);
        assert!(read(&none.to_string()).is_err());
        let mut silent = script();
        silent["test"][0]["action"] = json!([{"operation": {"type": {"code": "capabilities"}, "encodeRequestUrl": true}}]);
        assert!(read(&silent.to_string()).unwrap_err().contains("asserts nothing"));
    }
}
