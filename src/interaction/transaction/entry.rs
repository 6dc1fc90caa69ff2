//! One entry of a batch or transaction, read into the same [`Request`] that HTTP makes.

use std::borrow::Cow;

use bytes::Bytes;

use crate::fhir::json::{JsonKind, Node};
use crate::fhir::{InstanceId, ResourceType};
use crate::interaction::call::Call;
use crate::interaction::condition::IF_NONE_EXIST;
use crate::interaction::{
    Content, EntityTags, Format, Interaction, Operation, Place, Preconditions, Prefer, Request, Verb, read_parameters,
};
use crate::outcome::{Failure, Issue, IssueCode, Kind, Outcome};

/// One entry, read.
#[derive(Debug)]
pub(super) struct Entry<'t> {
    /// Its position in the Bundle.
    pub(super) at: usize,
    /// `fullUrl`
    pub(super) full_url: Option<Cow<'t, str>>,
    /// What it asks.
    pub(super) request: Request,
}

impl<'t> Entry<'t> {
    /// Reads the entry at position `at`; `bytes` are those of the Bundle.
    ///
    /// # Errors
    /// What is wrong with it, said of its place in the Bundle.
    pub(super) fn read(call: &Call<'_>, (at, node): (usize, Node<'t>), bytes: &Bytes) -> Outcome<Self> {
        let request = read_request(call, node, bytes).map_err(|failure| failure.relocated(|place| located(at, place)))?;
        Ok(Self { at, full_url: node.member("fullUrl").and_then(Node::string), request })
    }

    /// Whether it writes nothing.
    pub(super) fn reads(&self) -> bool {
        !self.stores() && !self.deletes()
    }

    /// Whether it deletes.
    pub(super) fn deletes(&self) -> bool {
        self.request.interaction == Interaction::Delete
    }

    /// Whether it stores a resource.
    pub(super) fn stores(&self) -> bool {
        matches!(self.request.interaction, Interaction::Create | Interaction::Update | Interaction::Patch)
    }

    /// The instance it writes under a name the client knows.
    pub(super) fn target(&self) -> Option<(ResourceType, &InstanceId)> {
        match self.request.interaction {
            Interaction::Update | Interaction::Patch | Interaction::Delete => self.request.kind.zip(self.request.id.as_ref()),
            _ => None,
        }
    }

    /// `failure`, which names places as the interaction does alone, as the Bundle names them.
    pub(super) fn located(&self, failure: Failure) -> Failure {
        failure.relocated(|place| located(self.at, place))
    }
}

/// A place within the entry at position `at`: that of its resource, whose paths begin with the type, or one of its `request`.
fn located(at: usize, place: Option<String>) -> String {
    let entry = format!("Bundle.entry[{at}]");
    let Some(place) = place else { return entry };
    let (head, rest) = place.split_at(place.find(['.', '[']).unwrap_or(place.len()));
    match head {
        "resourceType" => format!("{entry}.resource.resourceType"),
        "$this" => format!("{entry}.resource{rest}"),
        _ if place == IF_NONE_EXIST => format!("{entry}.request.ifNoneExist"),
        "http" => format!("{entry}.request.url"),
        head if head.parse::<ResourceType>().is_ok() => format!("{entry}.resource{rest}"),
        _ => format!("{entry}.{place}"),
    }
}

fn read_request(call: &Call<'_>, node: Node<'_>, bytes: &Bytes) -> Outcome<Request> {
    let asked =
        node.member("request").ok_or_else(|| required("an entry of a batch or transaction says what it requests", "request"))?;
    let verb = asked.member("method").and_then(Node::string).and_then(|name| Verb::read(&name));
    let verb = verb.ok_or_else(|| required("a method is GET, HEAD, POST, PUT, PATCH or DELETE", "request.method"))?;
    let url = asked.member("url").and_then(Node::string).ok_or_else(|| required("a url is missing", "request.url"))?;
    let (path, query) = url.split_once('?').unwrap_or((&url, ""));
    let local = path.strip_prefix(call.engine.base_url()).unwrap_or(path);
    let place = Place::read(local).map_err(|failure| failure.at("request.url"))?;
    let interaction = offered(&place, verb)?;
    let mut request = Request::new(interaction, call.request.request_id.clone());
    request.parameters = read_parameters(query.as_bytes()).map_err(|failure| failure.at("request.url"))?;
    request.parameters.retain(|(name, _)| !matches!(name.as_str(), "_format" | "_pretty"));
    place.tell(&mut request);
    check_operation(call, &request)?;
    request.prefer = Prefer { is_later: false, ..call.request.prefer };
    request.provenance = call.request.provenance.clone();
    request.preconditions = preconditions(asked, &request)?;
    request.body = resource(node, bytes);
    let needs_body = matches!(interaction, Interaction::Create | Interaction::Update | Interaction::Patch);
    if needs_body && request.body.is_none() {
        return Err(required("there is no resource to be stored, or none that is a patch", "resource"));
    }
    Ok(request)
}

/// Bundles do not nest, and what a Bundle may not ask alone it may not ask here.
fn offered(place: &Place, verb: Verb) -> Outcome<Interaction> {
    let interaction = place.interaction(verb).map_err(|failure| failure.at("request.method"))?;
    match interaction {
        Interaction::Transaction | Interaction::Batch => {
            Err(Failure::new(Kind::Malformed, "a Bundle is not sent within another").at("request.url"))
        }
        _ => Ok(interaction),
    }
}

/// An operation that changes something would not be part of what a transaction writes together.
fn check_operation(call: &Call<'_>, request: &Request) -> Outcome<()> {
    let is_apart = call.request.interaction == Interaction::Transaction
        && request.operation.is_some_and(|operation| operation.definition().affects_state);
    if !is_apart || request.body.is_none() && request.operation == Some(Operation::Reindex) {
        return Ok(());
    }
    let issue = Issue::error(IssueCode::NotSupported, "this operation is not offered within a transaction").at("request.url");
    Err(Failure::with_issues(Kind::InvalidParameter, vec![issue]))
}

fn resource(node: Node<'_>, bytes: &Bytes) -> Option<Content> {
    let resource = node.member("resource").filter(|resource| resource.kind() == JsonKind::Object)?;
    Some(Content::of(bytes.slice(resource.span()), Format::Entry))
}

fn preconditions(asked: Node<'_>, request: &Request) -> Outcome<Preconditions> {
    Ok(Preconditions {
        if_match: entity_tags(asked, "ifMatch")?,
        if_none_match: entity_tags(asked, "ifNoneMatch")?,
        if_modified_since: if_modified_since(asked)?,
        if_none_exist: if_none_exist(asked, request)?,
    })
}

fn entity_tags(asked: Node<'_>, name: &str) -> Outcome<Option<EntityTags>> {
    let Some(node) = asked.member(name) else { return Ok(None) };
    let refused = || Failure::new(Kind::InvalidParameter, "entity tags look like W/\"3\"").at(format!("request.{name}"));
    node.string().and_then(|text| EntityTags::read(&text)).map(Some).ok_or_else(refused)
}

/// The query of a search, what stands before its question mark left out.
fn if_none_exist(asked: Node<'_>, request: &Request) -> Outcome<Option<Box<str>>> {
    let Some(node) = asked.member("ifNoneExist") else { return Ok(None) };
    let refused = |text| Failure::new(Kind::InvalidParameter, text).at("request.ifNoneExist");
    if request.interaction != Interaction::Create {
        return Err(refused("ifNoneExist is a condition of a create and of nothing else"));
    }
    let text = node.string().ok_or_else(|| refused("this is not the query of a search"))?;
    let kind = request.kind.map_or("", ResourceType::name);
    let query = text.strip_prefix(kind).and_then(|rest| rest.strip_prefix('?')).or_else(|| text.strip_prefix('?'));
    Ok(Some(query.unwrap_or(&text).into()))
}

/// An instant here, where HTTP has a date.
fn if_modified_since(asked: Node<'_>) -> Outcome<Option<i64>> {
    let Some(node) = asked.member("ifModifiedSince") else { return Ok(None) };
    let refused = || Failure::new(Kind::InvalidParameter, "this is not an instant").at("request.ifModifiedSince");
    let moment = node.string().and_then(|text| chrono::DateTime::parse_from_rfc3339(&text).ok()).ok_or_else(refused)?;
    Ok(Some(moment.timestamp()))
}

fn required(diagnostics: &str, place: &str) -> Failure {
    Failure::with_issues(Kind::Malformed, vec![Issue::error(IssueCode::Required, diagnostics).at(place)])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_named_from_the_bundle_down() {
        let table = [
            (None, "Bundle.entry[2]"),
            (Some("Patient.name[0].family"), "Bundle.entry[2].resource.name[0].family"),
            (Some("Patient"), "Bundle.entry[2].resource"),
            (Some("resourceType"), "Bundle.entry[2].resource.resourceType"),
            (Some("request.url"), "Bundle.entry[2].request.url"),
            (Some("http.date"), "Bundle.entry[2].request.url"),
            (Some("http.If-None-Exist"), "Bundle.entry[2].request.ifNoneExist"),
        ];
        for (place, expected) in table {
            assert_eq!(located(2, place.map(str::to_owned)), expected);
        }
    }
}
