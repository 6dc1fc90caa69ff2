//! What is answered, without a word of the protocol it is answered in.

use bytes::Bytes;

use super::{Handling, Return};
use crate::fhir::{InstanceId, Instant, Part, ResourceType, VersionId};
use crate::store::{Hole, Text};

/// The answer to a [`Request`](super::Request) that was not refused.
#[derive(Clone, Debug)]
pub struct Response {
    /// What became of it.
    pub status: Status,
    /// What is sent back.
    pub body: Body,
    /// What the body is a version of.
    pub tag: Option<Tag>,
    /// When that version was made.
    pub updated: Option<Instant>,
    /// The version a write made.
    pub location: Option<Location>,
    /// Of what is answered later: where, or how far it is.
    pub later: Option<Later>,
    /// The preferences that were honoured.
    pub applied: Applied,
    /// The dossier concerned, where one is known.
    pub(super) part: Option<Part>,
    /// Whether the change itself carried its journal record.
    pub(super) is_journaled: bool,
}

/// The preferences that were honoured (`Preference-Applied`, RFC 7240 §3).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Applied {
    /// `return=…`
    pub returns: Option<Return>,
    /// `handling=…`
    pub handling: Option<Handling>,
    /// `respond-async`
    pub is_later: bool,
}

impl Applied {
    /// As their header lists them; `None`: there are none.
    pub fn listed(&self) -> Option<String> {
        let returns = self.returns.map(|returns| format!("return={}", returns.code()));
        let handling = self.handling.map(|handling| format!("handling={}", handling.code()));
        let later = self.is_later.then(|| "respond-async".to_owned());
        let all: Vec<String> = returns.into_iter().chain(handling).chain(later).collect();
        (!all.is_empty()).then(|| all.join(", "))
    }
}

/// What is said of something that is answered later (R4 async.html).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Later {
    /// Where it is told how far it is.
    At(String),
    /// How far it is, in words.
    Progress(String),
    /// Until when the answer is kept.
    Until(Instant),
}

/// The statuses of success, as HTTP numbers them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "each variant is the reason phrase")]
pub enum Status {
    Ok,
    Created,
    Accepted,
    NoContent,
    NotModified,
}

impl Status {
    /// The number.
    pub const fn code(self) -> u16 {
        match self {
            Self::Ok => 200,
            Self::Created => 201,
            Self::Accepted => 202,
            Self::NoContent => 204,
            Self::NotModified => 304,
        }
    }

    /// Number and reason, as `Bundle.entry.response.status` shows them.
    pub const fn line(self) -> &'static str {
        match self {
            Self::Ok => "200 OK",
            Self::Created => "201 Created",
            Self::Accepted => "202 Accepted",
            Self::NoContent => "204 No Content",
            Self::NotModified => "304 Not Modified",
        }
    }
}

/// What is sent back.
#[derive(Clone, Debug)]
pub enum Body {
    /// Nothing.
    Empty,
    /// A resource in JSON.
    Resource(Text),
    /// Resources in JSON, one a line.
    Lines {
        /// The lines.
        text: Text,
        /// Where this page and others are: relation and URL.
        links: Vec<(&'static str, String)>,
    },
    /// The content of a Binary.
    Content {
        /// Its type, as stored.
        content_type: Box<str>,
        /// `X-Security-Context`
        security_context: Option<Box<str>>,
        /// Its bytes.
        data: Data,
    },
}

/// The bytes of a Binary.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Data {
    /// All of them.
    Whole(Bytes),
    /// They rest outside the database.
    Resting(Hole),
}

impl Data {
    /// How many there are.
    pub fn size(&self) -> u64 {
        match self {
            Self::Whole(bytes) => bytes.len() as u64,
            Self::Resting(hole) => hole.size(),
        }
    }
}

/// What an `ETag` shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tag {
    /// The version of an instance.
    Version(VersionId),
    /// A digest of a body that has no version.
    Digest(u64),
}

/// `[base]/[type]/[id]/_history/[vid]`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Location {
    /// The type.
    pub kind: ResourceType,
    /// The logical id.
    pub id: InstanceId,
    /// The version.
    pub version: VersionId,
}

impl Location {
    /// The URL under `base`.
    pub fn url(&self, base: &str) -> String {
        format!("{base}/{}/{}/_history/{}", self.kind, self.id, self.version)
    }
}

impl Response {
    /// An answer with a body that is no version of an instance.
    pub fn of(text: impl Into<Text>) -> Self {
        Self { body: Body::Resource(text.into()), ..Self::empty(Status::Ok) }
    }

    /// An answer without a body.
    pub fn empty(status: Status) -> Self {
        Self {
            status,
            body: Body::Empty,
            tag: None,
            updated: None,
            location: None,
            later: None,
            applied: Applied::default(),
            part: None,
            is_journaled: false,
        }
    }

    /// The same answer, said of a version of an instance.
    #[must_use]
    pub fn about(self, version: VersionId, updated: Instant) -> Self {
        Self { tag: Some(Tag::Version(version)), updated: Some(updated), ..self }
    }
}
