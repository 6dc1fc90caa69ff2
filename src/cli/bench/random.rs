//! Numbers that look random and are the same in every run.

/// A linear congruential generator (Knuth's MMIX constants).
#[derive(Clone, Debug)]
pub(super) struct Sequence(u64);

impl Sequence {
    /// The sequence with this number.
    pub(super) fn new(number: u64) -> Self {
        let mut sequence = Self(number.wrapping_mul(0x9e37_79b9_7f4a_7c15).wrapping_add(1));
        sequence.next();
        sequence
    }

    /// The next number.
    pub(super) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        self.0 >> 33
    }

    /// One of `items`, which are not empty.
    pub(super) fn one_of<'i, T>(&mut self, items: &'i [T]) -> Option<&'i T> {
        let index = self.next().checked_rem(items.len() as u64)?;
        items.get(index as usize)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sequence_is_the_same_every_time_and_reaches_everything() {
        let items: Vec<u32> = (0..50).collect();
        let draw = |number| {
            let mut sequence = Sequence::new(number);
            (0..1_000).map(|_| *sequence.one_of(&items).unwrap()).collect::<Vec<_>>()
        };
        assert_eq!(draw(1), draw(1));
        assert_ne!(draw(1), draw(2));
        assert_eq!(draw(3).into_iter().collect::<std::collections::BTreeSet<_>>().len(), 50);
        assert_eq!(Sequence::new(1).one_of::<u8>(&[]), None);
    }
}
