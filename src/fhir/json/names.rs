//! Whether a member name occurs twice in an object: without a set while the object is small, in linear time however large it is.

use std::borrow::Cow;
use std::collections::HashSet;

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
    pub(super) fn is_repeated<E: Iterator<Item = Cow<'s, str>>>(
        &mut self,
        name: Cow<'s, str>,
        earlier: impl FnOnce() -> E,
    ) -> bool {
        self.count += 1;
        if let Some(all) = &mut self.all {
            return !all.insert(name);
        }
        if self.count > FEW_MEMBERS {
            let mut all: HashSet<_> = earlier().collect();
            let repeated = !all.insert(name);
            self.all = Some(all);
            return repeated;
        }
        let bit = 1 << fingerprint(name.as_bytes());
        let alike = self.fingerprints & bit != 0;
        self.fingerprints |= bit;
        alike && earlier().any(|other| other == name)
    }
}

/// Six bits of a name, different for most names that stand in one object.
fn fingerprint(name: &[u8]) -> u32 {
    let byte = |at: usize| name.get(at).map_or(0, |byte| u64::from(*byte));
    let ends = byte(0) | byte(name.len() / 2) << 8 | byte(name.len().wrapping_sub(1)) << 16 | (name.len() as u64) << 24;
    (ends.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 58) as u32
}
