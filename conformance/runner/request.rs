//! An operation of a script made into an HTTP request.

use crate::exchange::Request;
use crate::script::{Interaction, Operation};
use crate::state::State;

/// What a script that does not say otherwise sends and accepts.
const FHIR_JSON: &str = "application/fhir+json";

/// Characters that `encodeRequestUrl` encodes: those that may not stand in a URL as they are.
const ENCODED: &percent_encoding::AsciiSet = &percent_encoding::CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'<')
    .add(b'>')
    .add(b'|')
    .add(b'\\')
    .add(b'^')
    .add(b'`')
    .add(b'{')
    .add(b'}');

/// The request that `operation` asks for, sent to the server at `base`.
///
/// # Errors
/// What the operation leaves open.
pub(crate) fn build(operation: &Operation, state: &State<'_>, base: &str) -> Result<Request, String> {
    let interaction = operation.kind.as_ref().map(|kind| kind.code);
    let method = method(operation, interaction)?;
    let mut url = target(operation, interaction, state, base)?;
    if operation.encode_request_url {
        url = percent_encoding::utf8_percent_encode(&url, ENCODED).to_string();
    }
    let body = operation.source_id.as_deref().map(|name| state.bytes(name)).transpose()?;
    let mut headers = vec![(String::from("Accept"), media_type(operation.accept.as_deref()))];
    if body.is_some() {
        headers.push((String::from("Content-Type"), media_type(operation.content_type.as_deref())));
    }
    for header in &operation.request_header {
        headers.retain(|(field, _)| !field.eq_ignore_ascii_case(&header.field));
        headers.push((header.field.clone(), state.filled(&header.value)?));
    }
    Ok(Request { method, url, headers, body })
}

/// The short forms of the FHIR formats, or the media type as written.
fn media_type(code: Option<&str>) -> String {
    match code {
        None | Some("json") => String::from(FHIR_JSON),
        Some("xml") => String::from("application/fhir+xml"),
        Some(other) => other.to_owned(),
    }
}

fn method(operation: &Operation, interaction: Option<Interaction>) -> Result<&'static str, String> {
    if let Some(method) = operation.method {
        return Ok(method.name());
    }
    Ok(match interaction.ok_or("the operation has neither type nor method")? {
        Interaction::Read | Interaction::Vread | Interaction::History | Interaction::Search | Interaction::Capabilities => "GET",
        Interaction::Create | Interaction::Batch | Interaction::Transaction => "POST",
        Interaction::Update | Interaction::UpdateCreate => "PUT",
        Interaction::Delete => "DELETE",
    })
}

fn target(operation: &Operation, interaction: Option<Interaction>, state: &State<'_>, base: &str) -> Result<String, String> {
    if let Some(url) = &operation.url {
        let url = state.filled(url)?;
        let is_absolute = url.starts_with("http://") || url.starts_with("https://");
        return Ok(if is_absolute { url } else { joined(base, &url) });
    }
    let params = operation.params.as_deref().map(|params| state.filled(params)).transpose()?.unwrap_or_default();
    if let Some(name) = &operation.target_id {
        return Ok(format!("{base}/{}{params}", of_instance(name, interaction, state)?));
    }
    match interaction {
        Some(Interaction::Capabilities) => Ok(format!("{base}/metadata{params}")),
        Some(Interaction::Batch | Interaction::Transaction) => Ok(format!("{base}{params}")),
        Some(Interaction::Update | Interaction::UpdateCreate) if params.is_empty() => {
            let source = operation.source_id.as_deref().ok_or("an update without a source")?;
            Ok(format!("{base}/{}", of_instance(source, interaction, state)?))
        }
        _ => Ok(format!("{base}/{}{params}", resource_type(operation, state)?)),
    }
}

/// A URL below the base; an empty one, or only a query, is the base itself.
fn joined(base: &str, relative: &str) -> String {
    let relative = relative.trim_start_matches('/');
    if relative.is_empty() || relative.starts_with('?') { format!("{base}{relative}") } else { format!("{base}/{relative}") }
}

/// The type the operation works on: as said, or as its source is.
fn resource_type(operation: &Operation, state: &State<'_>) -> Result<String, String> {
    if let Some(resource) = &operation.resource {
        return Ok(resource.clone());
    }
    let source = operation.source_id.as_deref().ok_or("the operation names no resource type")?;
    let json = state.json(Some(source))?;
    json.get("resourceType")
        .and_then(|kind| kind.as_str())
        .map(str::to_owned)
        .ok_or_else(|| format!("{source} has no resourceType"))
}

/// `Type/id`, with history where the interaction wants it, of the instance that a fixture or an answer is about.
fn of_instance(name: &str, interaction: Option<Interaction>, state: &State<'_>) -> Result<String, String> {
    let (kind, id, version) = match state.named_answer(name).and_then(|answer| answer.header("Location")) {
        Some(location) => of_location(&location).ok_or_else(|| format!("no instance in the Location of {name}"))?,
        None => of_body(name, state)?,
    };
    Ok(match interaction {
        Some(Interaction::History) => format!("{kind}/{id}/_history"),
        Some(Interaction::Vread) => {
            format!("{kind}/{id}/_history/{}", version.ok_or_else(|| format!("{name} has no version"))?)
        }
        _ => format!("{kind}/{id}"),
    })
}

type Instance = (String, String, Option<String>);

fn of_location(location: &str) -> Option<Instance> {
    let (instance, version) = match location.split_once("/_history/") {
        Some((instance, version)) => (instance, Some(version.to_owned())),
        None => (location, None),
    };
    let mut parts = instance.rsplit('/');
    let id = parts.next()?.to_owned();
    Some((parts.next()?.to_owned(), id, version))
}

fn of_body(name: &str, state: &State<'_>) -> Result<Instance, String> {
    let json = state.json(Some(name))?;
    let text = |pointer: &str| json.pointer(pointer).and_then(|value| value.as_str()).map(str::to_owned);
    let kind = text("/resourceType").ok_or_else(|| format!("{name} has no resourceType"))?;
    let id = text("/id").ok_or_else(|| format!("{name} has no id"))?;
    Ok((kind, id, text("/meta/versionId")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exchange::Exchange;
    use serde_json::{Value, json};

    fn built(operation: &Value) -> Result<Request, String> {
        let script = crate::script::read(
            &json!({"resourceType": "TestScript", "url": "urn:x", "name": "X",
                "variable": [{"name": "v", "defaultValue": "a|b"}],
                "test": [{"action": [{"operation": operation}, {"assert": {"response": "okay", "warningOnly": false}}]}]})
            .to_string(),
        )?;
        let mut state = State::new(&script, std::path::Path::new("."))?;
        let location = [("Location", "http://a/fhir/Patient/p/_history/3")];
        state.remember(Some("created"), Exchange::answered(201, &location, ""));
        let body = "{\"resourceType\":\"Patient\",\"id\":\"q\",\"meta\":{\"versionId\":\"2\"}}";
        state.remember(Some("read"), Exchange::answered(200, &[], body));
        match &script.test[0].action[0] {
            crate::script::Action::Operation(operation) => build(operation, &state, "http://a/fhir"),
            crate::script::Action::Assert(_) => Err(String::from("not an operation")),
        }
    }

    fn line(operation: &Value) -> String {
        built(operation).map_or_else(|error| error, |request| format!("{} {}", request.method, request.url))
    }

    #[test]
    fn each_interaction_has_its_method_and_its_url() {
        let op = |code: &str, rest: Value| {
            let mut value = json!({"type": {"code": code}, "encodeRequestUrl": true});
            value.as_object_mut().unwrap().extend(rest.as_object().unwrap().clone());
            line(&value)
        };
        assert_eq!(op("read", json!({"targetId": "created"})), "GET http://a/fhir/Patient/p");
        assert_eq!(op("vread", json!({"targetId": "created"})), "GET http://a/fhir/Patient/p/_history/3");
        assert_eq!(op("vread", json!({"targetId": "read"})), "GET http://a/fhir/Patient/q/_history/2");
        assert_eq!(op("history", json!({"targetId": "read"})), "GET http://a/fhir/Patient/q/_history");
        assert_eq!(op("delete", json!({"targetId": "read"})), "DELETE http://a/fhir/Patient/q");
        assert_eq!(op("create", json!({"sourceId": "read"})), "POST http://a/fhir/Patient");
        assert_eq!(op("update", json!({"sourceId": "read"})), "PUT http://a/fhir/Patient/q");
        assert_eq!(op("search", json!({"resource": "Patient", "params": "?x=${v}"})), "GET http://a/fhir/Patient?x=a%7Cb");
        assert_eq!(op("transaction", json!({"sourceId": "read"})), "POST http://a/fhir");
        assert_eq!(op("capabilities", json!({})), "GET http://a/fhir/metadata");
        assert_eq!(op("read", json!({"url": "Patient/1", "method": "head"})), "HEAD http://a/fhir/Patient/1");
        assert_eq!(op("read", json!({"url": "https://b/x"})), "GET https://b/x");
    }

    #[test]
    fn what_is_left_open_is_an_error() {
        for operation in [
            json!({"encodeRequestUrl": true, "url": "Patient"}),
            json!({"encodeRequestUrl": true, "type": {"code": "read"}, "targetId": "nothing"}),
            json!({"encodeRequestUrl": true, "type": {"code": "search"}, "params": "?a=b"}),
            json!({"encodeRequestUrl": true, "type": {"code": "vread"}, "params": "/${w}", "resource": "Patient"}),
        ] {
            assert!(built(&operation).is_err(), "{operation}");
        }
    }

    #[test]
    fn a_header_of_the_script_replaces_the_default() {
        let request = built(&json!({"encodeRequestUrl": false, "type": {"code": "create"}, "sourceId": "read",
            "requestHeader": [{"field": "accept", "value": "text/plain"}]}))
        .unwrap();
        assert_eq!(request.headers.len(), 2, "{:?}", request.headers);
        assert!(request.headers.contains(&(String::from("accept"), String::from("text/plain"))));
        assert!(request.headers.contains(&(String::from("Content-Type"), String::from(FHIR_JSON))));
    }
}
