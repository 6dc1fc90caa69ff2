//! The table: kind of failure → HTTP status and issue code.

use std::fmt;

macro_rules! codes {
    ($(#[$doc:meta])* $name:ident { $($variant:ident = $code:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[allow(missing_docs, reason = "each variant is a code of the standard")]
        pub enum $name { $($variant,)+ }

        impl $name {
            /// The code as the standard writes it.
            pub const fn code(self) -> &'static str {
                match self { $(Self::$variant => $code,)+ }
            }
        }
    };
}

codes! {
    /// `http://hl7.org/fhir/issue-severity`
    Severity { Fatal = "fatal", Error = "error", Warning = "warning", Information = "information", }
}

codes! {
    /// `http://hl7.org/fhir/issue-type`, as far as this server says it.
    IssueCode {
        Invalid = "invalid",
        Structure = "structure",
        Required = "required",
        Value = "value",
        Invariant = "invariant",
        Login = "login",
        Forbidden = "forbidden",
        NotSupported = "not-supported",
        NotFound = "not-found",
        Deleted = "deleted",
        MultipleMatches = "multiple-matches",
        TooLong = "too-long",
        TooCostly = "too-costly",
        Incomplete = "incomplete",
        CodeInvalid = "code-invalid",
        Extension = "extension",
        BusinessRule = "business-rule",
        Conflict = "conflict",
        Duplicate = "duplicate",
        Exception = "exception",
        Transient = "transient",
        Timeout = "timeout",
        Throttled = "throttled",
        Informational = "informational",
        Processing = "processing",
    }
}

/// What went wrong, in the words of the protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// A body or parameter that cannot be read.
    Malformed,
    /// A search or header value without meaning.
    InvalidParameter,
    /// No credentials, or none that hold.
    Unauthenticated,
    /// Known to exist, not allowed.
    Forbidden,
    /// Nothing there.
    Absent,
    /// Not to be revealed: answered exactly as [`Kind::Absent`].
    Concealed,
    /// Not a type this server keeps.
    UnknownType,
    /// An interaction not offered here.
    NotAllowed,
    /// No representation the client accepts.
    NotAcceptable,
    /// A concurrent change, or referential integrity.
    Conflict,
    /// The last version is a deletion.
    Deleted,
    /// A page of a search that was left lying too long.
    Expired,
    /// `If-Match` names another version.
    VersionMismatch,
    /// A condition that matches several instances.
    MultipleMatches,
    /// A client that sends its request more slowly than it may.
    TooSlow,
    /// Over a limit of size.
    TooLarge,
    /// A search that would look at more instances than it may.
    TooCostly,
    /// A URL that is longer than is read.
    UrlTooLong,
    /// Headers that are longer than is read.
    HeadersTooLong,
    /// A content type that is not read.
    UnsupportedFormat,
    /// A part of a content that is not there.
    NoSuchRange,
    /// Against a profile or an invariant.
    Invalid,
    /// Against a rule of the dossier.
    RuleRefused,
    /// Too many requests.
    Throttled,
    /// A bug of ours.
    Fault,
    /// A database or key source that is away.
    Unavailable,
    /// A deadline that passed.
    TimedOut,
}

impl Kind {
    /// The HTTP status.
    pub const fn status(self) -> u16 {
        self.row().0
    }

    /// The issue code said where an issue brings none of its own.
    pub const fn code(self) -> IssueCode {
        self.row().1
    }

    const fn row(self) -> (u16, IssueCode) {
        match self {
            Self::Malformed => (400, IssueCode::Structure),
            Self::InvalidParameter => (400, IssueCode::Invalid),
            Self::TooCostly => (400, IssueCode::TooCostly),
            Self::Unauthenticated => (401, IssueCode::Login),
            Self::Forbidden => (403, IssueCode::Forbidden),
            Self::Absent | Self::Concealed => (404, IssueCode::NotFound),
            Self::UnknownType => (404, IssueCode::NotSupported),
            Self::NotAllowed => (405, IssueCode::NotSupported),
            Self::NotAcceptable => (406, IssueCode::NotSupported),
            Self::TooSlow => (408, IssueCode::Timeout),
            Self::Conflict => (409, IssueCode::Conflict),
            Self::Deleted => (410, IssueCode::Deleted),
            Self::Expired => (410, IssueCode::NotFound),
            Self::VersionMismatch => (412, IssueCode::Conflict),
            Self::MultipleMatches => (412, IssueCode::MultipleMatches),
            Self::TooLarge => (413, IssueCode::TooLong),
            Self::UrlTooLong => (414, IssueCode::TooLong),
            Self::UnsupportedFormat => (415, IssueCode::NotSupported),
            Self::NoSuchRange => (416, IssueCode::Value),
            Self::Invalid => (422, IssueCode::Invalid),
            Self::RuleRefused => (422, IssueCode::BusinessRule),
            Self::Throttled => (429, IssueCode::Throttled),
            Self::HeadersTooLong => (431, IssueCode::TooLong),
            Self::Fault => (500, IssueCode::Exception),
            Self::Unavailable => (503, IssueCode::Transient),
            Self::TimedOut => (504, IssueCode::Timeout),
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.code().code(), self.status())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_concealed_instance_answers_as_an_absent_one() {
        assert_eq!(Kind::Concealed.status(), Kind::Absent.status());
        assert_eq!(Kind::Concealed.code(), Kind::Absent.code());
        assert_eq!(Kind::Concealed.to_string(), Kind::Absent.to_string());
    }
}
