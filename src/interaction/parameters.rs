//! The text of a query as pairs (R4 http.html: `application/x-www-form-urlencoded`), whether it stands in a URL, in a form, or
//! in the `request.url` of an entry.

use std::borrow::Cow;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode, utf8_percent_encode};

use crate::outcome::{Failure, Kind, Outcome};

/// What stays as it is in a query that we write: what RFC 3986 leaves unreserved, and what FHIR's own values are made of.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~')
    .remove(b':')
    .remove(b'/')
    .remove(b',')
    .remove(b'$')
    .remove(b'*');

/// Reads the pairs of `query`, in order.
///
/// # Errors
/// 400 where it is not UTF-8 once decoded.
pub fn read_parameters(query: &[u8]) -> Outcome<Vec<(String, String)>> {
    query.split(|byte| *byte == b'&').filter(|pair| !pair.is_empty()).map(read_pair).collect()
}

fn read_pair(pair: &[u8]) -> Outcome<(String, String)> {
    let mut halves = pair.splitn(2, |byte| *byte == b'=');
    Ok((decoded(halves.next().unwrap_or_default())?, decoded(halves.next().unwrap_or_default())?))
}

fn decoded(text: &[u8]) -> Outcome<String> {
    let plain: Cow<'_, [u8]> = if text.contains(&b'+') {
        Cow::Owned(text.iter().map(|byte| if *byte == b'+' { b' ' } else { *byte }).collect())
    } else {
        Cow::Borrowed(text)
    };
    let decoded = percent_decode(&plain).decode_utf8().map(Cow::into_owned);
    decoded.map_err(|_| Failure::new(Kind::InvalidParameter, "the query is not UTF-8"))
}

/// Appends `parameters` to `url` as its query.
pub(super) fn push_query(url: &mut String, parameters: &[(String, String)]) {
    for (position, (name, value)) in parameters.iter().enumerate() {
        url.push(if position == 0 { '?' } else { '&' });
        url.extend(utf8_percent_encode(name, ENCODED));
        url.push('=');
        url.extend(utf8_percent_encode(value, ENCODED));
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_query_is_read_in_order_with_escapes_and_blanks_resolved() {
        let read = read_parameters(b"name=a%2Cb+c&&empty=&bare&x=1=2").unwrap();
        let expected = [("name", "a,b c"), ("empty", ""), ("bare", ""), ("x", "1=2")];
        assert_eq!(read, expected.map(|(name, value)| (name.to_owned(), value.to_owned())));
    }

    #[test]
    fn a_query_that_is_not_utf8_is_refused() {
        assert_eq!(read_parameters(b"name=%ff").unwrap_err().kind(), Kind::InvalidParameter);
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_again(pairs in proptest::collection::vec(("[a-z_:]{1,8}", "\\PC{0,12}"), 0..5)) {
            let mut url = String::new();
            push_query(&mut url, &pairs);
            prop_assert_eq!(read_parameters(url.trim_start_matches('?').as_bytes()).unwrap(), pairs);
        }
    }
}
