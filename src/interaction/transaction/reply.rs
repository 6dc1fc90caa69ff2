//! What each entry is answered, and the Bundle of the answers (B-06).

use bytes::Bytes;

use super::entry::Entry;
use crate::fhir::{Instant, VersionId};
use crate::interaction::bundle::{Bundle, EntryResponse};
use crate::interaction::call::Call;
use crate::interaction::{Body, Response, Return, Status, Tag};
use crate::outcome::{Failure, Outcome, operation_outcome};
use crate::store::Text;

/// The answer to one entry.
#[derive(Clone, Debug, Default)]
pub(super) struct Reply {
    pub(super) status: Box<str>,
    pub(super) full_url: Option<String>,
    pub(super) location: Option<String>,
    pub(super) version: Option<VersionId>,
    pub(super) updated: Option<Instant>,
    pub(super) resource: Option<Text>,
    pub(super) outcome: Option<Text>,
}

impl Reply {
    /// What `entry` is answered.
    pub(super) fn to(outcome: Outcome<Response>, entry: &Entry<'_>, base_url: &str) -> Self {
        match outcome {
            Ok(response) => Self::done(response, base_url),
            Err(failure) => Self::refusal(&entry.located(failure)),
        }
    }

    /// What an entry is answered that was done.
    pub(super) fn done(response: Response, base_url: &str) -> Self {
        let is_outcome = response.applied.returns == Some(Return::OperationOutcome);
        let body = match response.body {
            Body::Resource(text) => Some(text),
            Body::Empty | Body::Lines { .. } | Body::Content { .. } => None,
        };
        let (outcome, resource) = if is_outcome { (body, None) } else { (None, body) };
        let instance = response.location.as_ref().filter(|_| resource.is_some());
        Self {
            status: response.status.line().into(),
            full_url: instance.map(|location| format!("{base_url}/{}/{}", location.kind, location.id)),
            location: response.location.map(|location| location.url(base_url)),
            version: match response.tag {
                Some(Tag::Version(version)) => Some(version),
                Some(Tag::Digest(_)) | None => None,
            },
            updated: response.updated,
            resource,
            outcome,
        }
    }

    /// What an entry is answered for which this one makes the instance.
    pub(super) fn again(&self) -> Self {
        Self { status: Status::Ok.line().into(), ..self.clone() }
    }

    /// What an entry is answered that was refused.
    pub(super) fn refusal(failure: &Failure) -> Self {
        Self {
            status: failure.kind().status().to_string().into(),
            version: failure.version(),
            outcome: Some(Bytes::from(operation_outcome(failure.issues()).to_string()).into()),
            ..Self::default()
        }
    }
}

/// The Bundle of all answers, in the order of the entries.
pub(super) fn bundle(call: &Call<'_>, kind: &str, replies: &[Reply]) -> Response {
    let mut bundle = Bundle::new(kind, call.engine.context.now());
    for reply in replies {
        let resource = reply.resource.as_ref();
        let mut entry = bundle.entry(resource.map_or(0, |text| text.json().len()));
        if let Some(full_url) = &reply.full_url {
            entry = entry.full_url(full_url);
        }
        if let Some(resource) = resource {
            entry = entry.resource(resource);
        }
        let response = EntryResponse {
            status: &reply.status,
            location: reply.location.as_deref(),
            version: reply.version,
            updated: reply.updated,
            outcome: reply.outcome.as_ref().map(|outcome| &**outcome.json()),
        };
        entry.response(&response).end();
    }
    Response::of(bundle.finish())
}
