//! Representations: which one is asked for, which one was sent (R4 http.html §mime-type, §parameters).

use crate::interaction::{Format, Wanted};
use crate::outcome::{Failure, Kind, Outcome};

/// A representation, under one of its names: the client reads the name it used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Media {
    /// `application/fhir+json`
    #[default]
    Fhir,
    /// `application/json`
    Generic,
    /// `text/json`
    Text,
    /// `application/json+fhir`, from before STU3.
    Old,
    /// `application/fhir+xml`
    FhirXml,
    /// `application/xml`
    GenericXml,
    /// `text/xml`
    TextXml,
    /// `application/xml+fhir`, from before STU3.
    OldXml,
}

impl Media {
    const ALL: [Self; 8] =
        [Self::Fhir, Self::Generic, Self::Text, Self::Old, Self::FhirXml, Self::GenericXml, Self::TextXml, Self::OldXml];

    /// The content type.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Fhir => "application/fhir+json",
            Self::Generic => "application/json",
            Self::Text => "text/json",
            Self::Old => "application/json+fhir",
            Self::FhirXml => "application/fhir+xml",
            Self::GenericXml => "application/xml",
            Self::TextXml => "text/xml",
            Self::OldXml => "application/xml+fhir",
        }
    }

    /// Whether it is XML.
    pub(super) const fn is_xml(self) -> bool {
        match self {
            Self::Fhir | Self::Generic | Self::Text | Self::Old => false,
            Self::FhirXml | Self::GenericXml | Self::TextXml | Self::OldXml => true,
        }
    }

    fn named(essence: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|media| essence.eq_ignore_ascii_case(media.name()))
    }
}

/// Resources, one a line.
pub(super) const LINES: &str = "application/fhir+ndjson";
/// Other names of it.
const LINES_TOO: [&str; 2] = ["application/ndjson", "ndjson"];

fn are_lines(essence: &str) -> bool {
    std::iter::once(LINES).chain(LINES_TOO).any(|name| essence.eq_ignore_ascii_case(name))
}

/// The versions of FHIR that `fhirVersion` may name here.
const VERSIONS: [&str; 3] = ["4.0", "4.0.0", "4.0.1"];
const SERVED: &str = "application/fhir+json, application/fhir+xml and their generic types are served, in FHIR 4.0";

/// One media range or type: `type/subtype;name=value;…`.
#[derive(Clone, Copy, Debug)]
struct Range<'a> {
    essence: &'a str,
    parameters: &'a str,
}

impl<'a> Range<'a> {
    fn read(text: &'a str) -> Self {
        let (essence, parameters) = text.split_once(';').unwrap_or((text, ""));
        Self { essence: essence.trim(), parameters }
    }

    fn parameter(&self, name: &str) -> Option<&'a str> {
        let pairs = self.parameters.split(';').filter_map(|pair| pair.split_once('='));
        let mut named = pairs.filter(|(key, _)| key.trim().eq_ignore_ascii_case(name));
        named.next().map(|(_, value)| value.trim().trim_matches('"'))
    }

    /// The weight in thousandths (RFC 9110 §12.4.2); what cannot be read counts as 1.
    fn weight(&self) -> u16 {
        let weight: f32 = self.parameter("q").and_then(|q| q.parse().ok()).unwrap_or(1.0);
        (weight.clamp(0.0, 1.0) * 1000.0) as u16
    }

    fn is_of_this_version(&self) -> bool {
        self.parameter("fhirVersion").is_none_or(|version| VERSIONS.contains(&version))
    }

    fn media(&self) -> Option<Media> {
        match self.essence {
            "*/*" | "application/*" | "*" => Some(Media::Fhir),
            "text/*" => Some(Media::Text),
            essence => Media::named(essence),
        }
    }
}

/// What the client will read: the representation of resources and errors, and which form of a Binary.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Accepted {
    pub(super) media: Media,
    pub(super) wanted: Wanted,
}

/// What `_format` or, without it, `Accept` asks for. `is_binary`: a Binary is read, which has content of its own.
///
/// # Errors
/// 406 where nothing that is asked for is served.
pub(super) fn accepted(format: Option<&str>, accept: Option<&str>, is_binary: bool) -> Outcome<Accepted> {
    if let Some(format) = format {
        return Ok(Accepted { media: of_format(format)?, wanted: Wanted::Resource });
    }
    match accept {
        None | Some("" | "*/*") if is_binary => Ok(Accepted { media: Media::Fhir, wanted: Wanted::Content }),
        None | Some("" | "*/*" | "application/fhir+json") => Ok(Accepted::default()),
        Some(accept) if is_binary => of_accept(accept, for_binary),
        Some(accept) => of_accept(accept, |range| range.media().map(|media| Accepted { media, wanted: Wanted::Resource })),
    }
}

/// The same where a search is answered, which may be as resources, one a line.
///
/// # Errors
/// As [`accepted`].
pub(super) fn accepted_of_search(format: Option<&str>, accept: Option<&str>) -> Outcome<Accepted> {
    const IN_LINES: Accepted = Accepted { media: Media::Fhir, wanted: Wanted::Lines };
    match (format, accept) {
        (Some(format), _) if are_lines(&format.trim().replace(' ', "+")) => Ok(IN_LINES),
        (None, Some(accept)) => of_accept(accept, |range| match range.media() {
            Some(media) => Some(Accepted { media, wanted: Wanted::Resource }),
            None => are_lines(range.essence).then_some(IN_LINES),
        }),
        (format, accept) => accepted(format, accept, false),
    }
}

/// A short word or a media type; `+` may have become a blank on its way through the query.
fn of_format(format: &str) -> Outcome<Media> {
    let format = format.trim().replace(' ', "+");
    let range = Range::read(&format);
    let media = match range.essence {
        word if word.eq_ignore_ascii_case("json") => Some(Media::Fhir),
        word if word.eq_ignore_ascii_case("xml") => Some(Media::FhirXml),
        essence => Media::named(essence).map(|media| if media.is_xml() { Media::FhirXml } else { Media::Fhir }),
    };
    media.filter(|_| range.is_of_this_version()).ok_or_else(|| not_acceptable().at("http._format"))
}

fn of_accept(accept: &str, read: impl Fn(&Range<'_>) -> Option<Accepted>) -> Outcome<Accepted> {
    let mut ranges: Vec<Range<'_>> = accept.split(',').map(Range::read).filter(|range| range.weight() > 0).collect();
    ranges.sort_by_key(|range| std::cmp::Reverse(range.weight()));
    let chosen = ranges.iter().filter(|range| range.is_of_this_version()).find_map(read);
    chosen.ok_or_else(|| not_acceptable().at("http.Accept"))
}

/// FHIR's own types mean the resource, a generic one the content that is of it, any other the content (BIN-01, BIN-02).
fn for_binary(range: &Range<'_>) -> Option<Accepted> {
    let wanted = match Media::named(range.essence) {
        Some(Media::Fhir | Media::Old | Media::FhirXml | Media::OldXml) => Wanted::Resource,
        Some(Media::Generic | Media::Text | Media::GenericXml | Media::TextXml) => Wanted::ContentOfType(range.essence.into()),
        None => Wanted::Content,
    };
    Some(Accepted { media: Media::named(range.essence).unwrap_or_default(), wanted })
}

fn not_acceptable() -> Failure {
    Failure::new(Kind::NotAcceptable, format!("no representation that is asked for is served: {SERVED}"))
}

/// What a request was sent as.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Sent {
    /// As it goes on.
    As(Format),
    /// As FHIR in XML, with this content type.
    Xml(Box<str>),
}

/// What the body of a request is, by its `Content-Type`.
///
/// # Errors
/// 415 for FHIR of another version or character set.
pub(super) fn sent(content_type: Option<&str>, security_context: Option<&str>) -> Outcome<Sent> {
    let text = content_type.unwrap_or("application/octet-stream");
    let range = Range::read(text);
    let Some(media) = Media::named(range.essence) else {
        return Ok(Sent::As(Format::Raw { content_type: text.into(), security_context: security_context.map(Into::into) }));
    };
    let is_utf8 = range.parameter("charset").is_none_or(|charset| charset.eq_ignore_ascii_case("utf-8"));
    if is_utf8 && range.is_of_this_version() {
        return Ok(if media.is_xml() { Sent::Xml(text.into()) } else { Sent::As(Format::Json { content_type: text.into() }) });
    }
    Err(Failure::new(Kind::UnsupportedFormat, "FHIR is read in UTF-8 and in version 4.0 only").at("http.Content-Type"))
}

/// Whether `content_type` is that of a submitted form.
pub(super) fn is_form(content_type: Option<&str>) -> bool {
    content_type.is_some_and(|text| Range::read(text).essence.eq_ignore_ascii_case("application/x-www-form-urlencoded"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn media(accept: &str) -> Option<Media> {
        accepted(None, Some(accept), false).ok().map(|accepted| accepted.media)
    }

    #[test]
    fn the_answer_has_the_type_that_was_asked_for() {
        let table = [
            ("application/fhir+json", Some(Media::Fhir)),
            ("application/json", Some(Media::Generic)),
            ("text/json;charset=utf-8", Some(Media::Text)),
            ("application/json+fhir", Some(Media::Old)),
            ("text/html, application/xhtml+xml, */*;q=0.8", Some(Media::Fhir)),
            ("application/json;q=0.5, application/fhir+json", Some(Media::Fhir)),
            ("application/fhir+json;fhirVersion=4.0", Some(Media::Fhir)),
            ("application/fhir+json;fhirVersion=3.0", None),
            ("application/fhir+xml", Some(Media::FhirXml)),
            ("text/xml, application/fhir+json;q=0.9", Some(Media::TextXml)),
            ("application/xml;q=0.5, application/xml+fhir", Some(Media::OldXml)),
            ("application/foobar", None),
            ("application/json;q=0", None),
        ];
        for (accept, expected) in table {
            assert_eq!(media(accept), expected, "{accept}");
        }
    }

    #[test]
    fn a_search_is_answered_in_lines_where_they_are_asked_for_first() {
        let wanted = |format, accept| accepted_of_search(format, accept).unwrap().wanted;
        for format in ["ndjson", "application/fhir+ndjson", "application/fhir ndjson", "application/ndjson"] {
            assert_eq!(wanted(Some(format), Some("application/fhir+json")), Wanted::Lines, "{format}");
        }
        assert_eq!(wanted(None, Some("application/fhir+ndjson")), Wanted::Lines);
        assert_eq!(wanted(None, Some("application/fhir+ndjson;q=0.5, application/fhir+json")), Wanted::Resource);
        assert_eq!(wanted(Some("json"), Some("application/fhir+ndjson")), Wanted::Resource);
        assert_eq!(wanted(None, None), Wanted::Resource);
        assert!(accepted(None, Some("application/fhir+ndjson"), false).is_err());
        assert_eq!(wanted(None, Some("application/fhir+xml")), Wanted::Resource);
    }

    #[test]
    fn format_overrides_accept_by_any_of_its_names() {
        for format in ["json", "application/json", "application/fhir+json", "application/fhir json", "text/json"] {
            assert_eq!(accepted(Some(format), Some("application/fhir+xml"), false).unwrap().media, Media::Fhir, "{format}");
        }
        for format in ["xml", "application/xml", "application/fhir+xml", "application/fhir xml", "text/xml"] {
            assert_eq!(accepted(Some(format), Some("application/fhir+json"), false).unwrap().media, Media::FhirXml, "{format}");
        }
        for format in ["html", "application/foobar"] {
            assert_eq!(accepted(Some(format), None, false).unwrap_err().kind(), Kind::NotAcceptable, "{format}");
        }
    }

    #[test]
    fn a_binary_is_read_as_content_unless_fhir_is_asked_for() {
        let wanted = |format, accept| accepted(format, accept, true).unwrap().wanted;
        assert_eq!(wanted(None, None), Wanted::Content);
        assert_eq!(wanted(None, Some("*/*")), Wanted::Content);
        assert_eq!(wanted(None, Some("application/pdf")), Wanted::Content);
        assert_eq!(wanted(None, Some("application/fhir+json")), Wanted::Resource);
        assert_eq!(wanted(None, Some("application/json")), Wanted::ContentOfType("application/json".into()));
        assert_eq!(wanted(Some("json"), Some("application/pdf")), Wanted::Resource);
        assert_eq!(wanted(None, Some("application/fhir+xml")), Wanted::Resource);
        assert_eq!(wanted(None, Some("text/xml")), Wanted::ContentOfType("text/xml".into()));
    }

    #[test]
    fn fhir_is_read_in_utf8_and_in_this_version_only() {
        assert!(matches!(sent(Some("application/fhir+json; charset=UTF-8"), None), Ok(Sent::As(Format::Json { .. }))));
        assert!(matches!(sent(Some("text/xml; charset=UTF-8"), None), Ok(Sent::Xml(_))));
        assert!(matches!(sent(Some("application/pdf"), Some("Patient/p1")), Ok(Sent::As(Format::Raw { .. }))));
        assert!(matches!(sent(None, None), Ok(Sent::As(Format::Raw { .. }))));
        for refused in [
            "application/fhir+json; charset=latin1",
            "application/fhir+xml; charset=latin1",
            "application/fhir+json;fhirVersion=3.0",
        ] {
            assert_eq!(sent(Some(refused), None).unwrap_err().kind(), Kind::UnsupportedFormat, "{refused}");
        }
    }
}
