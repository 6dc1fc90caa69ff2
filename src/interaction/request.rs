//! What is asked, without a word of the protocol it was asked in.

use bytes::Bytes;

use super::parameters::push_query;
use super::{Interaction, Operation};
use crate::fhir::{InstanceId, ResourceType, VersionId};
use crate::outcome::{Failure, Outcome};
pub use crate::search::Handling;
use crate::search::Within;
use crate::store::Staged;

/// One interaction as somebody asked for it: an HTTP request, or an entry of a batch.
#[derive(Clone, Debug)]
pub struct Request {
    /// Which interaction.
    pub interaction: Interaction,
    /// The type it is about, where the interaction has one.
    pub kind: Option<ResourceType>,
    /// The compartment that is searched, where it is one.
    pub within: Option<Within>,
    /// The logical id, where the interaction has one.
    pub id: Option<InstanceId>,
    /// The version, of a vread and of an operation on a version.
    pub version: Option<VersionId>,
    /// Which operation, of one.
    pub operation: Option<Operation>,
    /// The parameters of the query, decoded, in order; those of the representation (`_format`, `_pretty`) taken out.
    pub parameters: Vec<(String, String)>,
    /// What was sent.
    pub body: Option<Content>,
    /// The conditions under which it is to be done.
    pub preconditions: Preconditions,
    /// What the client would rather have.
    pub prefer: Prefer,
    /// `X-Provenance`: what is to be stored about what is written, as sent.
    pub provenance: Option<Bytes>,
    /// Which form of a Binary is wanted.
    pub wanted: Wanted,
    /// The id under which it is logged and journaled.
    pub request_id: Box<str>,
}

/// A body and what it is.
#[derive(Clone, Debug)]
pub struct Content {
    /// The bytes as sent.
    pub bytes: Bytes,
    /// What stands for them where they are too many to be held: the content of a Binary.
    pub staged: Option<Staged>,
    /// What they are.
    pub format: Format,
}

impl Content {
    /// Bytes that are all there.
    pub fn of(bytes: Bytes, format: Format) -> Self {
        Self { bytes, staged: None, format }
    }

    /// Whether nothing was sent.
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty() && self.staged.is_none()
    }
}

/// What the bytes of a body are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Format {
    /// FHIR in JSON and nothing else: a resource out of a Bundle.
    Entry,
    /// FHIR in JSON, as its content type says.
    Json {
        /// The content type as written.
        content_type: Box<str>,
    },
    /// Something else: the content of a Binary.
    Raw {
        /// The content type as written.
        content_type: Box<str>,
        /// `X-Security-Context`: the reference of `Binary.securityContext`.
        security_context: Option<Box<str>>,
    },
}

/// Conditions of a request (R4 http.html §concurrency, §cread; RFC 9110 §13.1).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Preconditions {
    /// `If-Match`
    pub if_match: Option<EntityTags>,
    /// `If-None-Match`
    pub if_none_match: Option<EntityTags>,
    /// `If-Modified-Since`, in seconds since the Unix epoch.
    pub if_modified_since: Option<i64>,
    /// `If-None-Exist`: the criteria of a conditional create, as the query of a URL.
    pub if_none_exist: Option<Box<str>>,
}

/// What `If-Match` and `If-None-Match` hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EntityTags {
    /// `*`: any version.
    Any,
    /// These, without quotes and without `W/`: FHIR compares weakly.
    These(Vec<Box<str>>),
}

impl EntityTags {
    /// Reads the value of a header or of a Bundle entry; `None`: it is not a list of entity tags.
    pub fn read(text: &str) -> Option<Self> {
        let text = text.trim();
        if text == "*" {
            return Some(Self::Any);
        }
        let tags: Option<Vec<Box<str>>> = text.split(',').map(|tag| read_tag(tag.trim())).collect();
        tags.map(Self::These)
    }

    /// Whether the version `current` is one of these.
    pub fn name(&self, current: VersionId) -> bool {
        match self {
            Self::Any => true,
            Self::These(tags) => tags.iter().any(|tag| tag.parse() == Ok(current)),
        }
    }

    /// Whether the body with this digest is one of these.
    pub(super) fn name_digest(&self, digest: u64) -> bool {
        match self {
            Self::Any => true,
            Self::These(tags) => tags.iter().any(|tag| **tag == *format!("{digest:016x}")),
        }
    }
}

fn read_tag(tag: &str) -> Option<Box<str>> {
    let opaque = tag.strip_prefix("W/").unwrap_or(tag).strip_prefix('"')?.strip_suffix('"')?;
    (!opaque.contains('"')).then(|| opaque.into())
}

/// `Prefer` (R4 http.html §ops; RFC 7240).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Prefer {
    /// What a write answers with; `None`: the server's choice.
    pub returns: Option<Return>,
    /// What becomes of parameters that are not understood; `None`: they are refused.
    pub handling: Option<Handling>,
    /// `respond-async`: whether the answer may come later.
    pub is_later: bool,
}

impl Prefer {
    /// What becomes of parameters that are not understood.
    pub(super) fn handling(self) -> Handling {
        self.handling.unwrap_or_default()
    }
}

/// `Prefer: return=…`
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "each variant is a code of the standard")]
pub enum Return {
    Minimal,
    Representation,
    OperationOutcome,
}

impl Return {
    /// The preference called `name`.
    pub fn named(name: &str) -> Option<Self> {
        [Self::Minimal, Self::Representation, Self::OperationOutcome].into_iter().find(|returns| returns.code() == name)
    }

    /// The preference as its header writes it.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Minimal => "minimal",
            Self::Representation => "representation",
            Self::OperationOutcome => "OperationOutcome",
        }
    }
}

/// Which form of a Binary a read wants (R4 binary.html §rest), or of the answer to a search.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Wanted {
    /// The resource, in FHIR.
    #[default]
    Resource,
    /// The resources that a search finds, one a line.
    Lines,
    /// The content itself, whatever its type.
    Content,
    /// The content itself if it is of this type, the resource otherwise: what a generic `application/json` means.
    ContentOfType(Box<str>),
}

impl Request {
    /// A request for `interaction` that says nothing more.
    pub fn new(interaction: Interaction, request_id: impl Into<Box<str>>) -> Self {
        Self {
            interaction,
            kind: None,
            within: None,
            id: None,
            version: None,
            operation: None,
            parameters: Vec::new(),
            body: None,
            preconditions: Preconditions::default(),
            prefer: Prefer::default(),
            provenance: None,
            wanted: Wanted::default(),
            request_id: request_id.into(),
        }
    }

    /// The value of the parameter called `name`, the first one where it is given several times.
    pub(super) fn parameter(&self, name: &str) -> Option<&str> {
        self.parameters.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// The URL under `base` that asks the same with `parameters`: of a search, a history or an operation.
    pub(super) fn url(&self, base: &str, parameters: &[(String, String)]) -> String {
        let mut url = base.to_owned();
        url.extend(self.within.as_ref().map(|Within { compartment, id }| format!("/{}/{id}", compartment.focus())));
        match self.kind {
            Some(kind) => url.push_str(&format!("/{kind}")),
            None if self.within.is_some() => url.push_str("/*"),
            None => {}
        }
        url.extend(self.id.as_ref().map(|id| format!("/{id}")));
        match (self.interaction, self.operation) {
            (Interaction::HistoryInstance | Interaction::HistoryType | Interaction::HistorySystem, _) => {
                url.push_str("/_history")
            }
            (_, Some(operation)) => url.push_str(&format!("/${}", operation.definition().code)),
            (_, None) => {}
        }
        push_query(&mut url, parameters);
        url
    }

    /// What stands for the content of a Binary that is too long to be held.
    pub(super) fn staged(&self) -> Option<&Staged> {
        self.body.as_ref().and_then(|content| content.staged.as_ref())
    }

    /// The type, of an interaction that has one.
    pub(super) fn kind(&self) -> Outcome<ResourceType> {
        self.kind.ok_or_else(|| Failure::fault("a request came without the type its interaction has"))
    }

    /// The instance, of an interaction that has one.
    pub(super) fn instance(&self) -> Outcome<(ResourceType, &InstanceId)> {
        let id = self.id.as_ref().ok_or_else(|| Failure::fault("a request came without the id its interaction has"))?;
        Ok((self.kind()?, id))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entity_tags_are_compared_weakly() {
        for text in ["W/\"3\"", "\"3\"", "W/\"1\", W/\"3\"", "*"] {
            assert!(EntityTags::read(text).unwrap().name(VersionId(3)), "{text}");
            assert_eq!(EntityTags::read(text).unwrap().name(VersionId(2)), text == "*", "{text}");
        }
        assert!(!EntityTags::read("W/\"abc\"").unwrap().name(VersionId(3)));
    }

    #[test]
    fn what_is_no_entity_tag_is_told_apart() {
        for text in ["", "3", "W/3", "W/\"3", "W/\"3\",", "\"3\"\""] {
            assert_eq!(EntityTags::read(text), None, "{text}");
        }
    }

    #[test]
    fn the_same_is_asked_again_under_one_url_whatever_it_is() {
        let of = |path: &str, interaction| {
            let mut request = Request::new(interaction, "");
            super::super::Place::read(path).unwrap().tell(&mut request);
            request.url("b", &[("_count".to_owned(), "1".to_owned())])
        };
        let table = [
            ("", Interaction::SearchSystem),
            ("Patient", Interaction::SearchType),
            ("Patient/p/*", Interaction::SearchSystem),
            ("Patient/p/Observation", Interaction::SearchType),
            ("_history", Interaction::HistorySystem),
            ("Patient/_history", Interaction::HistoryType),
            ("Patient/p/_history", Interaction::HistoryInstance),
            ("Patient/p/$everything", Interaction::Operation),
            ("Observation/$lastn", Interaction::Operation),
        ];
        for (path, interaction) in table {
            let slash = if path.is_empty() { "" } else { "/" };
            assert_eq!(of(path, interaction), format!("b{slash}{path}?_count=1"));
        }
    }
}
