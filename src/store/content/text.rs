//! The JSON of a version with holes: the places of its long contents, which rest outside the database.
//!
//! At rest, a text without holes is its JSON, which begins with `{`. One with holes begins with a mark that JSON cannot begin
//! with, then says how many holes it has and each of them, then comes the JSON with an empty string for each.

use std::fmt;
use std::ops::Range;

use bytes::Bytes;

use crate::fhir::Part;
use crate::outcome::{Failure, Outcome};

/// How many bytes a [`Digest`] has.
const DIGEST_LEN: usize = 32;
/// What a text with holes begins with.
const MARK: u8 = 1;
/// The mark and the number of holes.
const HEAD_LEN: usize = 1 + 2;
/// One hole: its place, its form, the size of its object, the digest.
const HOLE_LEN: usize = 4 + 1 + 8 + DIGEST_LEN;
/// The length of a group of base64, and of what it stands for.
const GROUP: (u64, u64) = (4, 3);

/// SHA-256 of a content.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest(pub(super) [u8; DIGEST_LEN]);

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// What the object of a hole holds of the text between the quotes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// The bytes whose base64 it is.
    Base64,
    /// The text itself, escapes and all, because it is not the base64 that we would write.
    Verbatim,
}

impl Form {
    const fn code(self) -> u8 {
        match self {
            Self::Base64 => 0,
            Self::Verbatim => 1,
        }
    }

    const fn from_code(code: u8) -> Option<Self> {
        match code {
            0 => Some(Self::Base64),
            1 => Some(Self::Verbatim),
            _ => None,
        }
    }
}

/// A place in a JSON text that a content fills. Whoever holds one was granted access to the version it is part of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hole {
    pub(super) at: usize,
    pub(super) part: Part,
    pub(super) digest: Digest,
    pub(super) size: u64,
    pub(super) form: Form,
}

impl Hole {
    /// Where it is, in bytes of the JSON: between the quotes of an empty string.
    pub fn at(&self) -> usize {
        self.at
    }

    /// The same hole elsewhere, in another representation of what it is in.
    #[must_use]
    pub fn moved(&self, at: usize) -> Self {
        Self { at, ..*self }
    }

    /// What its object holds.
    pub fn form(&self) -> Form {
        self.form
    }

    /// How many bytes its object has.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// How many bytes of JSON fill it.
    pub fn text_len(&self) -> u64 {
        match self.form {
            Form::Base64 => self.size.div_ceil(GROUP.1) * GROUP.0,
            Form::Verbatim => self.size,
        }
    }
}

/// JSON, and the holes in it in the order of their places.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Text {
    json: Bytes,
    holes: Vec<Hole>,
}

impl From<Bytes> for Text {
    /// A text without holes.
    fn from(json: Bytes) -> Self {
        Self { json, holes: Vec::new() }
    }
}

impl Text {
    /// A text with holes.
    pub fn with_holes(json: impl Into<Bytes>, holes: Vec<Hole>) -> Self {
        Self { json: json.into(), holes }
    }

    /// The text that rests as `stored` in the dossier `part`.
    ///
    /// # Errors
    /// Bytes that are none: a damaged store.
    pub(in crate::store) fn at_rest(stored: &Bytes, part: Part) -> Outcome<Self> {
        if stored.first() != Some(&MARK) {
            return Ok(Self::from(stored.clone()));
        }
        read(stored, part).ok_or_else(|| Failure::fault("the head of a version with content outside the database is damaged"))
    }

    /// The bytes under which it rests.
    pub fn into_stored(self) -> Bytes {
        if self.holes.is_empty() {
            return self.json;
        }
        let mut stored = Vec::with_capacity(HEAD_LEN + self.holes.len() * HOLE_LEN + self.json.len());
        stored.push(MARK);
        stored.extend((self.holes.len() as u16).to_le_bytes());
        for hole in &self.holes {
            stored.extend((hole.at as u32).to_le_bytes());
            stored.push(hole.form.code());
            stored.extend(hole.size.to_le_bytes());
            stored.extend(hole.digest.0);
        }
        stored.extend_from_slice(&self.json);
        Bytes::from(stored)
    }

    /// The JSON, its holes empty strings.
    pub fn json(&self) -> &Bytes {
        &self.json
    }

    /// The holes, in the order of their places.
    pub fn holes(&self) -> &[Hole] {
        &self.holes
    }

    /// How many bytes it has once its holes are filled.
    pub fn filled_len(&self) -> u64 {
        self.holes.iter().map(Hole::text_len).sum::<u64>() + self.json.len() as u64
    }

    /// The same text, its JSON rewritten by a function that copies what stands within strings.
    #[must_use]
    pub fn rewritten(&self, rewrite: impl FnOnce(&[u8]) -> Vec<u8>) -> Self {
        if self.holes.is_empty() {
            return Self::from(Bytes::from(rewrite(&self.json)));
        }
        let mut marked = Vec::with_capacity(self.json.len() + self.holes.len());
        let mut from = 0;
        for hole in &self.holes {
            marked.extend_from_slice(self.json.get(from..hole.at).unwrap_or_default());
            marked.push(MARK);
            from = hole.at;
        }
        marked.extend_from_slice(self.json.get(from..).unwrap_or_default());
        let mut json = Vec::new();
        let mut holes = Vec::with_capacity(self.holes.len());
        for (turn, stretch) in rewrite(&marked).split(|byte| *byte == MARK).enumerate() {
            if let Some(hole) = turn.checked_sub(1).and_then(|turn| self.holes.get(turn)) {
                holes.push(Hole { at: json.len(), ..*hole });
            }
            json.extend_from_slice(stretch);
        }
        Self { json: Bytes::from(json), holes }
    }

    /// What stands in `range`, as a text of its own.
    #[must_use]
    pub fn piece(&self, range: Range<usize>) -> Self {
        let range = range.start.min(self.json.len())..range.end.clamp(range.start, self.json.len());
        let inside = self.holes.iter().filter(|hole| range.contains(&hole.at));
        let holes = inside.map(|hole| Hole { at: hole.at - range.start, ..*hole }).collect();
        Self { json: self.json.slice(range), holes }
    }

    /// The hole at `place`, if one is there.
    pub fn hole_at(&self, place: usize) -> Option<&Hole> {
        self.holes.iter().find(|hole| hole.at == place)
    }

    /// The holes, as many bytes further on: those of a text that was put into another at `place`.
    pub fn holes_from(&self, place: usize) -> impl Iterator<Item = Hole> + '_ {
        self.holes.iter().map(move |hole| Hole { at: hole.at + place, ..*hole })
    }
}

fn read(stored: &Bytes, part: Part) -> Option<Text> {
    let (_, rest) = stored.split_at_checked(1)?;
    let (count, mut rest) = number::<2>(rest)?;
    let mut holes = Vec::with_capacity(usize::from(u16::from_le_bytes(count)));
    for _ in 0..u16::from_le_bytes(count) {
        let (at, after) = number::<4>(rest)?;
        let (form, after) = number::<1>(after)?;
        let (size, after) = number::<8>(after)?;
        let (digest, after) = number::<DIGEST_LEN>(after)?;
        let at = usize::try_from(u32::from_le_bytes(at)).ok()?;
        let form = Form::from_code(u8::from_le_bytes(form))?;
        holes.push(Hole { at, part, digest: Digest(digest), size: u64::from_le_bytes(size), form });
        rest = after;
    }
    let json = stored.slice(stored.len() - rest.len()..);
    let are_in_order = holes.is_sorted_by_key(|hole| hole.at) && holes.last().is_none_or(|last| last.at <= json.len());
    are_in_order.then_some(Text { json, holes })
}

fn number<const LEN: usize>(bytes: &[u8]) -> Option<([u8; LEN], &[u8])> {
    bytes.split_first_chunk().map(|(number, rest)| (*number, rest))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn hole(at: usize, size: u64, form: Form) -> Hole {
        Hole { at, part: Part(7), digest: Digest([at as u8; DIGEST_LEN]), size, form }
    }

    #[test]
    fn a_text_without_holes_rests_as_its_json() {
        let text = Text::from(Bytes::from_static(b"{\"a\":1}"));
        assert_eq!(text.clone().into_stored(), "{\"a\":1}");
        assert_eq!(Text::at_rest(&text.clone().into_stored(), Part(7)).unwrap(), text);
    }

    #[test]
    fn a_piece_keeps_the_holes_that_are_in_it() {
        let text = Text::with_holes("{\"a\":\"\",\"b\":\"\"}", vec![hole(6, 1, Form::Base64), hole(13, 2, Form::Base64)]);
        let piece = text.piece(12..14);
        assert_eq!((piece.json().as_ref(), piece.holes()), (b"\"\"".as_slice(), [Hole { at: 1, ..text.holes()[1] }].as_slice()));
        assert_eq!(text.piece(0..40), text);
        assert_eq!(text.piece(1..4).holes(), []);
    }

    #[test]
    fn a_head_that_is_damaged_is_no_text() {
        let stored = Text::with_holes("{\"a\":\"\"}", vec![hole(6, 1, Form::Base64)]).into_stored();
        for len in 1..HEAD_LEN + HOLE_LEN {
            assert!(Text::at_rest(&stored.slice(..len), Part(7)).is_err(), "{len}");
        }
        let beyond = Text::with_holes("{}", vec![hole(3, 1, Form::Base64)]).into_stored();
        assert!(Text::at_rest(&beyond, Part(7)).is_err());
    }

    proptest! {
        #[test]
        fn a_text_comes_back_as_it_rests(places in proptest::collection::vec((0..40usize, any::<u64>(), any::<bool>()), 0..5)) {
            let form = |verbatim| if verbatim { Form::Verbatim } else { Form::Base64 };
            let mut holes: Vec<Hole> = places.into_iter().map(|(at, size, verbatim)| hole(at, size, form(verbatim))).collect();
            holes.sort_by_key(|hole| hole.at);
            let text = Text::with_holes(format!("{{{}}}", " ".repeat(38)), holes);
            prop_assert_eq!(Text::at_rest(&text.clone().into_stored(), Part(7)).unwrap(), text);
        }
    }
}
