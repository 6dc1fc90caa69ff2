//! patch: `PATCH [base]/[type]/[id]` (R4 http.html §patch), by JSON Patch, XML Patch or FHIRPath Patch.
//!
//! [`Patch::applied`] is a function from a resource to a resource. What it gives is judged, indexed and written as an update is, so
//! that a patch can do nothing that an update cannot.

mod draft;
mod element;
mod fhirpath;
mod json;
mod narrative;
mod pointer;
mod value;
mod xml;
#[cfg(test)]
mod tests;

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;

use super::call::{Call, MAX_ATTEMPTS, contended};
use super::condition::{Aim, Aimed};
use super::update::kept;
use super::write::Target;
use super::{Content, Engine, Format, Response, body, fill, precondition};
use crate::fhir::json::Node;
use crate::fhir::{InstanceId, ResourceType};
use crate::outcome::{Failure, Kind, Outcome};
use crate::store::Stored;
use crate::store::change::Method;
use draft::Draft;
use fhirpath::Ground;

/// The content types of patches, as `Accept-Patch` lists them.
pub const FORMATS: [&str; 4] = [JSON_PATCH, XML_PATCH, "application/fhir+json", FHIR_XML];

const JSON_PATCH: &str = "application/json-patch+json";
const XML_PATCH: &str = "application/xml-patch+xml";
const FHIR_XML: &str = "application/fhir+xml";

/// A patch as it was sent: what is to be done to a resource.
#[derive(Clone, Debug)]
pub(super) enum Patch {
    /// JSON Patch (RFC 6902).
    Json(Bytes),
    /// XML Patch (RFC 5261).
    Xml(Bytes),
    /// FHIRPath Patch: a Parameters resource.
    FhirPath(Bytes),
}

pub(super) async fn patch(call: &Call<'_>) -> Outcome<Response> {
    let (kind, aim) = (call.request.kind()?, Aim::of(call)?);
    let patch = Patch::read(call.request.body.as_ref())?;
    for attempt in 0..MAX_ATTEMPTS {
        let _turn = aim.turn(call, attempt).await;
        let Aimed { latest, premises } = aim.ground(call).await?;
        precondition::check_write(&call.request.preconditions, latest.as_ref())?;
        let stored = latest.as_ref().ok_or_else(|| Failure::new(Kind::Absent, "there is no such instance"))?;
        let json = patch.applied(call.engine, (kind, &stored.id), &whole(call.engine, stored).await?)?;
        let tree = body::parse(&json)?;
        let part = Target::part(call.engine, (kind, &stored.id), &tree, Some(stored));
        let target = Target::named(call.engine, (kind, stored.id.clone()), part, Some(stored));
        let (status, write) = (target.status(), target.filled(call.engine, &tree, Method::Patch, None)?);
        if let Some(response) = kept(call, (write, status), Some(stored), premises).await? {
            return Ok(response);
        }
    }
    Err(contended())
}

/// The JSON of a version, long contents included.
///
/// # Errors
/// 410 for a deletion; a content that cannot be read.
pub(super) async fn whole(engine: &Engine, stored: &Stored) -> Outcome<Bytes> {
    let text = stored.text()?.ok_or_else(|| Failure::new(Kind::Deleted, "the instance was deleted").due_to(stored.version))?;
    fill::whole(engine, &text).await
}

impl Patch {
    /// The patch that `content` is, by its type; within a Bundle a Parameters resource, or a Binary that holds another patch.
    ///
    /// # Errors
    /// 400 where there is none, 415 where it is of another type.
    pub(super) fn read(content: Option<&Content>) -> Outcome<Self> {
        let content = content.filter(|content| !content.is_empty());
        let content = content.ok_or_else(|| Failure::new(Kind::Malformed, "the body that should hold a patch is empty"))?;
        match &content.format {
            Format::Json { .. } => Ok(Self::FhirPath(content.bytes.clone())),
            Format::Entry => Self::of_entry(&content.bytes),
            Format::Raw { content_type, .. } => Self::typed(content_type, content.bytes.clone()).ok_or_else(|| {
                let diagnostics = format!("a patch is read in {}", FORMATS.join(", "));
                Failure::new(Kind::UnsupportedFormat, diagnostics).at("http.Content-Type")
            }),
        }
    }

    fn typed(content_type: &str, bytes: Bytes) -> Option<Self> {
        match essence(content_type).as_str() {
            JSON_PATCH => Some(Self::Json(bytes)),
            XML_PATCH => Some(Self::Xml(bytes)),
            _ => None,
        }
    }

    fn of_entry(bytes: &Bytes) -> Outcome<Self> {
        let tree = body::parse(bytes)?;
        let text = |name: &str| tree.root().member(name).and_then(Node::string);
        if text("resourceType").as_deref() != Some(ResourceType::Binary.name()) {
            return Ok(Self::FhirPath(bytes.clone()));
        }
        let data = text("data").and_then(|data| STANDARD.decode(data.as_bytes()).ok());
        let patch = data.and_then(|data| Self::typed(&text("contentType")?, Bytes::from(data)));
        patch.ok_or_else(|| {
            Failure::new(Kind::UnsupportedFormat, format!("a Binary that is a patch holds {JSON_PATCH} or {XML_PATCH}"))
                .at("Binary.contentType")
        })
    }

    /// `json`, the resource of that name as it is, with everything done that the patch says, and judged as an update of it.
    ///
    /// # Errors
    /// 400 where the patch is none, 422 where an operation cannot be done or makes what is no such resource: then nothing is done.
    pub(super) fn applied(&self, engine: &Engine, (kind, id): (ResourceType, &InstanceId), json: &[u8]) -> Outcome<Vec<u8>> {
        let ground = Ground { registry: engine.registry, kind };
        let mut draft = Draft::new(json, engine.limits.body_bytes)?;
        match self {
            Self::Json(patch) => json::apply(&mut draft, patch)?,
            Self::Xml(patch) => draft.take(&xml::apply(engine.registry, json, patch, engine.limits.body_bytes)?)?,
            Self::FhirPath(parameters) => {
                let parameters = body::parse(parameters)?;
                body::check_type(&parameters, ResourceType::Parameters)?;
                body::check_form(engine, &parameters, ResourceType::Parameters)?;
                fhirpath::apply(ground, &mut draft, &parameters)?;
            }
        }
        draft.prune()?;
        let patched = draft.into_json();
        let patched = told_safely(json, &patched)?;
        let tree = body::parse(patched.as_bytes())?;
        body::check_type(&tree, kind)?;
        body::check_id(&tree, kind, id)?;
        body::check_form(engine, &tree, kind)?;
        drop(tree);
        Ok(patched.into_owned().into_bytes())
    }
}

/// A content type without its parameters.
fn essence(content_type: &str) -> String {
    content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

/// `after` with a narrative that is safe.
fn told_safely<'j>(before: &[u8], after: &'j str) -> Outcome<Cow<'j, str>> {
    let (before, tree) = (body::parse(before)?, body::parse(after.as_bytes())?);
    Ok(narrative::safe(&before, &tree)?.map_or(Cow::Borrowed(after), Cow::Owned))
}
