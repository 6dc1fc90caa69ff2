//! Parts of a content (RFC 9110 §14): one range at a time; whoever asks for several gets the whole, as they may.

use std::ops::Range;

use crate::interaction::Tag;

/// What is asked for of a content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Asked {
    /// All of it.
    Whole,
    /// These bytes; never none.
    Part(Range<u64>),
    /// Bytes that it has not.
    Nothing,
}

/// What `Range` asks of a content of `len` bytes; a value that cannot be read asks for all of it.
pub(super) fn asked(range: Option<&str>, len: u64) -> Asked {
    let Some((first, last)) = range.and_then(read) else { return Asked::Whole };
    let part = match (first, last) {
        (Some(first), Some(last)) if first > last => return Asked::Whole,
        (Some(first), Some(last)) => first..last.saturating_add(1).min(len),
        (Some(first), None) => first..len,
        (None, Some(suffix)) => len.saturating_sub(suffix)..len,
        (None, None) => return Asked::Whole,
    };
    if part.is_empty() { Asked::Nothing } else { Asked::Part(part) }
}

/// The numbers on both sides of the dash.
fn read(range: &str) -> Option<(Option<u64>, Option<u64>)> {
    let (unit, set) = range.split_once('=')?;
    let (first, last) = set.trim().split_once('-')?;
    if !unit.trim().eq_ignore_ascii_case("bytes") {
        return None;
    }
    Some((number(first.trim())?, number(last.trim())?))
}

/// A number, or none; `None` for what is neither.
fn number(text: &str) -> Option<Option<u64>> {
    if text.is_empty() {
        return Some(None);
    }
    let is_number = text.bytes().all(|byte| byte.is_ascii_digit());
    // More than can be counted is more than there is.
    is_number.then(|| Some(text.parse().unwrap_or(u64::MAX)))
}

/// Whether `If-Range` lets a part be sent: it names the version that is there. HTTP compares strongly and our tags are weak, since FHIR
/// writes them so; but a version never changes, so its tag is as good as a strong one. A date is no promise at all.
pub(super) fn is_same(if_range: Option<&str>, tag: Option<Tag>) -> bool {
    match (if_range.map(|text| text.trim().trim_start_matches("W/")), tag) {
        (None, _) => true,
        (Some(text), Some(Tag::Version(version))) => text == format!("\"{version}\""),
        (Some(_), Some(Tag::Digest(_)) | None) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fhir::VersionId;

    #[test]
    fn a_range_is_read_as_rfc_9110_writes_it() {
        let table = [
            (None, Asked::Whole),
            (Some("bytes=0-0"), Asked::Part(0..1)),
            (Some("bytes=2-4"), Asked::Part(2..5)),
            (Some("Bytes = 2 - 4"), Asked::Part(2..5)),
            (Some("bytes=2-"), Asked::Part(2..10)),
            (Some("bytes=-3"), Asked::Part(7..10)),
            (Some("bytes=-30"), Asked::Part(0..10)),
            (Some("bytes=8-99999999999999999999999"), Asked::Part(8..10)),
            (Some("bytes=10-"), Asked::Nothing),
            (Some("bytes=10-12"), Asked::Nothing),
            (Some("bytes=-0"), Asked::Nothing),
            (Some("bytes=4-2"), Asked::Whole),
            (Some("bytes=0-1,3-4"), Asked::Whole),
            (Some("bytes=-"), Asked::Whole),
            (Some("bytes=+1-2"), Asked::Whole),
            (Some("items=0-1"), Asked::Whole),
            (Some("bytes"), Asked::Whole),
        ];
        for (range, expected) in table {
            assert_eq!(asked(range, 10), expected, "{range:?}");
        }
        assert_eq!(asked(Some("bytes=0-"), 0), Asked::Nothing);
    }

    #[test]
    fn a_part_is_sent_of_the_version_the_client_has_begun_with() {
        let tag = Some(Tag::Version(VersionId(3)));
        assert!(is_same(None, tag) && is_same(Some("W/\"3\""), tag) && is_same(Some("\"3\""), tag));
        for other in ["W/\"2\"", "\"33\"", "3", "Wed, 21 Oct 2015 07:28:00 GMT", ""] {
            assert!(!is_same(Some(other), tag), "{other}");
        }
    }
}
