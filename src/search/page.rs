//! Page tokens: the place after which the next page begins, sealed so that it serves this query in this store and no other.
//!
//! A token is base64url of a version, the seal and the place. Pages are cut by key and not by number: what is written or
//! deleted in between moves no other match from one page to another.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::plan::{Position, SortValue};
use super::term::Terms;
use crate::fhir::{InstanceKey, Part};

/// The first byte of every token.
const VERSION: u8 = 1;

const MISSING: u8 = 0;
const TIME: u8 = 1;
const TEXT: u8 = 2;

/// The token of `position` in the matches of the query that `identity` stands for.
pub(super) fn write(terms: &Terms, identity: &[u8], position: &Position) -> String {
    let mut place = Vec::with_capacity(64);
    place.extend_from_slice(&position.key.part.0.to_le_bytes());
    place.extend_from_slice(&position.key.rid.to_le_bytes());
    for value in &position.values {
        push_value(&mut place, value);
    }
    let mut token = vec![VERSION];
    token.extend_from_slice(&terms.page(identity, &place).to_le_bytes());
    token.extend_from_slice(&place);
    URL_SAFE_NO_PAD.encode(token)
}

/// The position a token names; `None` for one that was not written here for this very query.
pub(super) fn read(terms: &Terms, identity: &[u8], token: &str) -> Option<Position> {
    let token = URL_SAFE_NO_PAD.decode(token).ok()?;
    let mut reader = Reader { rest: &token };
    if reader.bytes::<1>()? != [VERSION] {
        return None;
    }
    let seal = i64::from_le_bytes(reader.bytes()?);
    if terms.page(identity, reader.rest) != seal {
        return None;
    }
    let part = Part(i64::from_le_bytes(reader.bytes()?));
    let key = InstanceKey { part, rid: i64::from_le_bytes(reader.bytes()?) };
    let mut values = Vec::new();
    while !reader.rest.is_empty() {
        values.push(reader.value()?);
    }
    Some(Position { values, key })
}

fn push_value(place: &mut Vec<u8>, value: &SortValue) {
    match value {
        SortValue::Missing => place.push(MISSING),
        SortValue::Time(micros) => {
            place.push(TIME);
            place.extend_from_slice(&micros.to_le_bytes());
        }
        SortValue::Text(text) => {
            place.push(TEXT);
            place.extend_from_slice(&(text.len() as u32).to_le_bytes());
            place.extend_from_slice(text.as_bytes());
        }
    }
}

struct Reader<'t> {
    rest: &'t [u8],
}

impl Reader<'_> {
    fn bytes<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (head, rest) = self.rest.split_first_chunk::<N>()?;
        self.rest = rest;
        Some(*head)
    }

    fn value(&mut self) -> Option<SortValue> {
        match self.bytes::<1>()? {
            [MISSING] => Some(SortValue::Missing),
            [TIME] => Some(SortValue::Time(i64::from_le_bytes(self.bytes()?))),
            [TEXT] => {
                let length = u32::from_le_bytes(self.bytes()?) as usize;
                let (text, rest) = self.rest.split_at_checked(length)?;
                self.rest = rest;
                Some(SortValue::Text(std::str::from_utf8(text).ok()?.into()))
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn sort_value() -> impl Strategy<Value = SortValue> {
        prop_oneof![
            Just(SortValue::Missing),
            any::<i64>().prop_map(SortValue::Time),
            ".{0,20}".prop_map(|text| SortValue::Text(text.into())),
        ]
    }

    fn position() -> impl Strategy<Value = Position> {
        let key = (any::<i64>(), any::<i64>()).prop_map(|(part, rid)| InstanceKey { part: Part(part), rid });
        (prop::collection::vec(sort_value(), 0..4), key).prop_map(|(values, key)| Position { values, key })
    }

    proptest! {
        #[test]
        fn a_token_brings_its_position_back(position in position(), identity in any::<Vec<u8>>()) {
            let terms = Terms::new([3; 16]);
            let token = write(&terms, &identity, &position);
            prop_assert!(token.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_'));
            prop_assert_eq!(read(&terms, &identity, &token), Some(position));
        }

        #[test]
        fn a_token_serves_no_other_query_and_no_other_store(position in position(), identity in any::<Vec<u8>>()) {
            let token = write(&Terms::new([3; 16]), &identity, &position);
            let other = [identity.as_slice(), b"x"].concat();
            prop_assert_eq!(read(&Terms::new([3; 16]), &other, &token), None);
            prop_assert_eq!(read(&Terms::new([4; 16]), &identity, &token), None);
        }

        #[test]
        fn a_token_that_was_altered_is_refused(position in position(), at in any::<prop::sample::Index>(), to in "[A-Za-z0-9_-]") {
            let terms = Terms::new([3; 16]);
            let token = write(&terms, b"q", &position);
            let at = at.index(token.len());
            let altered = format!("{}{to}{}", &token[..at], &token[at + 1..]);
            prop_assume!(altered != token);
            prop_assert_eq!(read(&terms, b"q", &altered), None);
        }

        #[test]
        fn any_text_is_read_or_refused(text in ".{0,80}") {
            let _ = read(&Terms::new([3; 16]), b"q", &text);
        }
    }
}
