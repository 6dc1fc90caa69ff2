//! Whether a member name occurs twice in an object: without a set while the object is small, in linear time however large it is.

use std::borrow::Cow;
use std::collections::HashSet;

use super::text;

/// Up to this many members, names that look alike are compared one by one.
const FEW_MEMBERS: u32 = 32;

/// What is known of the names of one object while it is read.
#[derive(Default)]
pub(super) struct Names<'s> {
    count: u32,
    /// One bit for each [`fingerprint`] seen.
    fingerprints: u64,
    all: Option<HashSet<Cow<'s, str>>>,
}

impl<'s> Names<'s> {
    /// Notes `name`; tells whether it stood there before. `earlier` gives the names noted until now.
    pub(super) fn is_repeated<E: Iterator<Item = Name<'s>>>(&mut self, name: Name<'s>, earlier: impl FnOnce() -> E) -> bool {
        self.count += 1;
        if self.count > FEW_MEMBERS {
            let all = self.all.get_or_insert_with(|| earlier().map(Name::resolved).collect());
            return !all.insert(name.resolved());
        }
        let bit = 1 << name.fingerprint();
        let alike = self.fingerprints & bit != 0;
        self.fingerprints |= bit;
        alike && earlier().any(|other| other.is(name))
    }
}

/// A member name as it stands between its quotes.
#[derive(Clone, Copy)]
pub(super) struct Name<'s> {
    pub(super) raw: &'s str,
    pub(super) escaped: bool,
}

impl<'s> Name<'s> {
    fn resolved(self) -> Cow<'s, str> {
        text::resolved(self.raw, self.escaped)
    }

    fn is(self, other: Self) -> bool {
        if self.escaped || other.escaped { self.resolved() == other.resolved() } else { self.raw == other.raw }
    }

    fn fingerprint(self) -> u32 {
        if self.escaped { fingerprint(self.resolved().as_bytes()) } else { fingerprint(self.raw.as_bytes()) }
    }
}

/// Six bits of a name, different for most names that stand in one object.
fn fingerprint(name: &[u8]) -> u32 {
    let byte = |at: usize| name.get(at).map_or(0, |byte| u64::from(*byte));
    let ends = byte(0) | byte(name.len() / 2) << 8 | byte(name.len().wrapping_sub(1)) << 16 | (name.len() as u64) << 24;
    (ends.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 58) as u32
}
