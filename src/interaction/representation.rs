//! The representations of a resource: it rests as JSON, and may come and go as XML.

use std::borrow::Cow;

use bytes::Bytes;

use super::{Content, Format, Text};
use crate::definition::Registry;
use crate::fhir::ResourceType;
use crate::fhir::json::Tree;
use crate::fhir::xml::{self, Fault, Layout};
use crate::outcome::{Failure, Issue, IssueCode, Kind, Outcome};

/// The content type under which what came in another representation goes on.
const FHIR_JSON: &str = "application/fhir+json";

/// A resource or several as XML; what fills its holes has its place there too.
///
/// # Errors
/// What is no resource of R4: a bug.
pub fn in_xml(text: &Text, layout: Layout) -> Outcome<Text> {
    let registry = Registry::shared().map_err(Failure::fault)?;
    let tree = Tree::parse(text.json()).map_err(Failure::fault)?;
    let places: Vec<usize> = text.holes().iter().map(crate::store::Hole::at).collect();
    let written = xml::to_xml(registry, tree.root(), &places, layout).map_err(Failure::fault)?;
    let moved = written.holes.into_iter().filter_map(|(index, at)| text.holes().get(index).map(|hole| hole.moved(at)));
    Ok(Text::with_holes(written.xml, moved.collect()))
}

/// A body that came as XML, as JSON. What is sent to Binary is content unless it is a Binary (R4 binary.html §rest).
///
/// # Errors
/// 400 with the place of the first fault.
pub fn from_xml(bytes: Bytes, content_type: &str, kind: Option<ResourceType>) -> Outcome<Content> {
    if kind == Some(ResourceType::Binary) && !xml::is_called(&bytes, ResourceType::Binary.name()) {
        let format = Format::Raw { content_type: content_type.into(), security_context: None };
        return Ok(Content::of(bytes, format));
    }
    if bytes.is_empty() {
        return Ok(Content::of(bytes, Format::Json { content_type: FHIR_JSON.into() }));
    }
    let registry = Registry::shared().map_err(Failure::fault)?;
    let json = xml::to_json(registry, &bytes).map_err(|fault| unreadable(&fault))?;
    Ok(Content::of(json.into(), Format::Json { content_type: FHIR_JSON.into() }))
}

fn unreadable(fault: &Fault) -> Failure {
    let issue = Issue::error(IssueCode::Structure, Cow::from(fault.to_string())).at(fault.expression.clone());
    Failure::with_issues(Kind::Malformed, vec![issue])
}
