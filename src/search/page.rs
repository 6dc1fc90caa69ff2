//! Page tokens: the place after which the next page begins, or before which the previous one ends, or that it is the last, sealed so that it serves this
//! query of this asker in this store, for a while, and no other.
//!
//! A token is base64url of a version, the seal, which page is meant, the moment at which it expires, and the place. Pages are cut by key
//! and not by number: what is written or deleted in between moves no other match from one page to another.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::extract::Indexer;
use super::plan::{Position, SortValue, Turn};
use super::query::PAGE_PARAMETER;
use super::term::Terms;
use crate::fhir::{InstanceKey, Instant, Part};
use crate::outcome::{Failure, Kind, Outcome};

/// The first byte of every token.
const VERSION: u8 = 2;

const AFTER: u8 = 0;
const BEFORE: u8 = 1;
const LAST: u8 = 2;

const MISSING: u8 = 0;
const TIME: u8 = 1;
const TEXT: u8 = 2;
const NUMBER: u8 = 3;

/// Why a token leads nowhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Refusal {
    /// It was not written here for this query and this asker.
    Foreign,
    /// It was, some time ago.
    Expired,
}

impl Indexer {
    /// The token of another page of what `identity` stands for; it leads there until `expires`.
    pub fn token(&self, identity: &[u8], turn: &Turn, expires: Instant) -> String {
        write(self.terms(), identity, turn, expires)
    }

    /// The page that `token` leads to.
    ///
    /// # Errors
    /// `InvalidParameter` where it is not one of what `identity` stands for; `Expired` where it was.
    pub fn turn(&self, identity: &[u8], token: &str, now: Instant) -> Outcome<Turn> {
        let refused = |kind, text: &str| Err(Failure::new(kind, text).at(format!("http.{PAGE_PARAMETER}")));
        match read(self.terms(), identity, token, now) {
            Ok(turn) => Ok(turn),
            Err(Refusal::Foreign) => refused(Kind::InvalidParameter, FOREIGN),
            Err(Refusal::Expired) => refused(Kind::Expired, "this page has expired; begin anew"),
        }
    }
}

/// What is said of a token that was made for something else.
pub(super) const FOREIGN: &str = "this page, from character 1 on, belongs to another search or another asker";

/// The token of a page of what `identity` stands for; it serves until `expires`.
fn write(terms: &Terms, identity: &[u8], turn: &Turn, expires: Instant) -> String {
    let mut place = Vec::with_capacity(64);
    let (which, position) = match turn {
        Turn::After(position) => (AFTER, Some(position)),
        Turn::Before(position) => (BEFORE, Some(position)),
        Turn::Last => (LAST, None),
    };
    place.push(which);
    place.extend_from_slice(&expires.micros().to_le_bytes());
    if let Some(Position { values, key }) = position {
        place.extend_from_slice(&key.part.0.to_le_bytes());
        place.extend_from_slice(&key.rid.to_le_bytes());
        values.iter().for_each(|value| push_value(&mut place, value));
    }
    let mut token = vec![VERSION];
    token.extend_from_slice(&terms.page(identity, &place).to_le_bytes());
    token.extend_from_slice(&place);
    URL_SAFE_NO_PAD.encode(token)
}

/// The page a token names at the moment `now`.
///
/// # Errors
/// One that was not written here for this very query, or too long ago.
fn read(terms: &Terms, identity: &[u8], token: &str, now: Instant) -> Result<Turn, Refusal> {
    let (expires, turn) = opened(terms, identity, token).ok_or(Refusal::Foreign)?;
    if expires < now { Err(Refusal::Expired) } else { Ok(turn) }
}

fn opened(terms: &Terms, identity: &[u8], token: &str) -> Option<(Instant, Turn)> {
    let token = URL_SAFE_NO_PAD.decode(token).ok()?;
    let mut reader = Reader { rest: &token };
    if reader.bytes::<1>()? != [VERSION] {
        return None;
    }
    let seal = u128::from_le_bytes(reader.bytes()?);
    if terms.page(identity, reader.rest) != seal {
        return None;
    }
    let [which] = reader.bytes::<1>()?;
    let expires = Instant::from_micros(i64::from_le_bytes(reader.bytes()?));
    let turn = match which {
        AFTER => Turn::After(reader.position()?),
        BEFORE => Turn::Before(reader.position()?),
        LAST => Turn::Last,
        _ => return None,
    };
    reader.rest.is_empty().then_some((expires, turn))
}

fn push_value(place: &mut Vec<u8>, value: &SortValue) {
    match value {
        SortValue::Missing => place.push(MISSING),
        SortValue::Time(micros) => {
            place.push(TIME);
            place.extend_from_slice(&micros.to_le_bytes());
        }
        SortValue::Number(number) => {
            place.push(NUMBER);
            place.extend_from_slice(&number.to_le_bytes());
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

    /// All that is left.
    fn position(&mut self) -> Option<Position> {
        let part = Part(i64::from_le_bytes(self.bytes()?));
        let key = InstanceKey { part, rid: i64::from_le_bytes(self.bytes()?) };
        let mut values = Vec::new();
        while !self.rest.is_empty() {
            values.push(self.value()?);
        }
        Some(Position { values, key })
    }

    fn value(&mut self) -> Option<SortValue> {
        match self.bytes::<1>()? {
            [MISSING] => Some(SortValue::Missing),
            [TIME] => Some(SortValue::Time(i64::from_le_bytes(self.bytes()?))),
            [NUMBER] => Some(SortValue::Number(f64::from_le_bytes(self.bytes()?))),
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

    const EXPIRES: Instant = Instant::from_micros(1_000);
    const IN_TIME: Instant = Instant::from_micros(1_000);
    const TOO_LATE: Instant = Instant::from_micros(1_001);

    fn sort_value() -> impl Strategy<Value = SortValue> {
        prop_oneof![
            Just(SortValue::Missing),
            any::<i64>().prop_map(SortValue::Time),
            (-1e300..1e300_f64).prop_map(SortValue::Number),
            ".{0,20}".prop_map(|text| SortValue::Text(text.into())),
        ]
    }

    fn turn() -> impl Strategy<Value = Turn> {
        let key = (any::<i64>(), any::<i64>()).prop_map(|(part, rid)| InstanceKey { part: Part(part), rid });
        let position =
            (prop::collection::vec(sort_value(), 0..4), key).prop_map(|(values, key)| Position { values, key }).boxed();
        prop_oneof![position.clone().prop_map(Turn::After), position.prop_map(Turn::Before), Just(Turn::Last)]
    }

    fn terms(key: u8) -> Terms {
        Terms::new([key; 16])
    }

    proptest! {
        #[test]
        fn a_token_brings_its_position_back_until_it_expires(turn in turn(), identity in any::<Vec<u8>>()) {
            let token = write(&terms(3), &identity, &turn, EXPIRES);
            prop_assert!(token.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_'));
            prop_assert_eq!(read(&terms(3), &identity, &token, TOO_LATE), Err(Refusal::Expired));
            prop_assert_eq!(read(&terms(3), &identity, &token, IN_TIME), Ok(turn));
        }

        #[test]
        fn a_token_serves_no_other_query_and_no_other_store(turn in turn(), identity in any::<Vec<u8>>()) {
            let token = write(&terms(3), &identity, &turn, EXPIRES);
            let other = [identity.as_slice(), b"x"].concat();
            prop_assert_eq!(read(&terms(3), &other, &token, IN_TIME), Err(Refusal::Foreign));
            prop_assert_eq!(read(&terms(4), &identity, &token, IN_TIME), Err(Refusal::Foreign));
        }

        #[test]
        fn a_token_that_was_altered_is_refused(turn in turn(), at in any::<prop::sample::Index>(), to in "[A-Za-z0-9_-]") {
            let token = write(&terms(3), b"q", &turn, EXPIRES);
            let at = at.index(token.len());
            let altered = format!("{}{to}{}", &token[..at], &token[at + 1..]);
            prop_assume!(altered != token);
            prop_assert_eq!(read(&terms(3), b"q", &altered, IN_TIME), Err(Refusal::Foreign));
        }

        #[test]
        fn any_text_is_read_or_refused(text in ".{0,80}") {
            let _ = read(&terms(3), b"q", &text, IN_TIME);
        }
    }
}
