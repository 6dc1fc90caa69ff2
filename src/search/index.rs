//! What the store keeps of a resource so that it is found again (the entries), in the store's own plain terms.

pub(crate) use super::extract::in_base_units;
use crate::definition::ParameterId;

/// A value compared for equality only: a keyed hash of a parameter and a normalised value. A token leaves several (its code, its
/// system, both), so that each form of the query is one look-up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Term(pub i64);

/// How many bits of a hash a leading term keeps: enough to tell all values of a country apart.
const LEADING_BITS: u32 = 62;
/// The same of a judging term: enough for an instance that was found by something else.
const JUDGING_BITS: u32 = 34;
/// The first of these says whether the term qualifies another one. Of the rest so many are its own; the others are those of the
/// leading term it qualifies.
const QUALIFIER_BITS: u32 = 22;
const QUALIFIER: u64 = (1 << QUALIFIER_BITS) - 1;
const QUALIFIES: u64 = 1 << (JUDGING_BITS - 1);
const FAMILY: u64 = (QUALIFIES >> QUALIFIER_BITS) - 1;

impl Term {
    /// A term that leads to instances.
    pub const fn leading(hash: u64) -> Self {
        Self((hash & ((1 << LEADING_BITS) - 1)).cast_signed())
    }

    /// A term that only judges them.
    pub const fn judging(hash: u64) -> Self {
        Self::judging_bits(hash & (QUALIFIES - 1))
    }

    /// A term that judges what `leading` led to, such as that a code is in a certain system. Whatever carries it carries `leading`.
    pub const fn qualifying(leading: Self, hash: u64) -> Self {
        Self::judging_bits(QUALIFIES | leading.family() << QUALIFIER_BITS | hash & QUALIFIER)
    }

    /// The judging term of these bits, as it rests.
    pub const fn judging_bits(bits: u64) -> Self {
        Self((bits & ((1 << JUDGING_BITS) - 1)).cast_signed() | i64::MIN)
    }

    /// Whether this is a qualifying term of the family of `leading`. It may qualify another one of that family: who keeps what
    /// qualifies a term, and who asks for it, both go by this.
    pub const fn qualifies(self, leading: Self) -> bool {
        let bits = self.0.cast_unsigned();
        !self.leads() && leading.leads() && bits & QUALIFIES != 0 && (bits >> QUALIFIER_BITS) & FAMILY == leading.family()
    }

    /// What a term that qualifies another one adds to it.
    pub const fn qualifier(self) -> u32 {
        (self.0.cast_unsigned() & QUALIFIER) as u32
    }

    const fn family(self) -> u64 {
        self.0.cast_unsigned() & FAMILY
    }

    /// Whether a search begins with the instances that carry this term, so that the store must keep a way from it to them. A term
    /// that most instances of a type carry, or that never stands alone in a search across dossiers, only judges an instance
    /// already found; it is negative.
    pub const fn leads(self) -> bool {
        self.0 >= 0
    }
}

/// A range of time, in microseconds since the Unix epoch: `low` inclusive, `high` exclusive. Open ends are `i64::MIN` and `i64::MAX`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DateRange {
    /// The first microsecond covered.
    pub low: i64,
    /// The first microsecond no longer covered.
    pub high: i64,
}

/// One value of a date parameter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct DateEntry {
    /// Which parameter.
    pub parameter: ParameterId,
    /// The time it covers.
    pub range: DateRange,
}

/// One value of a string parameter, folded (case, accents, punctuation) for prefix search. Of a family name of several words, the
/// later words leave an entry each.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct StringEntry {
    /// Which parameter.
    pub parameter: ParameterId,
    /// The folded text, cut to [`super::fold::MAX_FOLDED_CHARS`].
    pub folded: Box<str>,
    /// Whether it is a value only from one of its later words on: found by its beginning, and no value to sort by.
    pub is_later_word: bool,
}

/// One value of a number or quantity parameter: a point, or the range that a `Range` or a comparator says; open ends are
/// infinite. A quantity whose unit has a code outside UCUM leaves a second entry, its unit without the system.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct QuantityEntry {
    /// Which parameter.
    pub parameter: ParameterId,
    /// The unit as a term; `None` for a plain number.
    pub unit: Option<Term>,
    /// The low end.
    pub low: f64,
    /// The high end, inclusive.
    pub high: f64,
}

/// A state of the search parameters that the store defines itself: one more with each change of them. Entries that were made in
/// another state than the present one may lack some.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Epoch(pub i64);

/// Everything the index keeps of one version of one resource.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct IndexEntries {
    /// Sorted and without repetition.
    pub terms: Vec<Term>,
    /// The value of the type's main date parameter, kept on the instance's own row.
    pub main_date: Option<DateRange>,
    /// Values of every other date parameter.
    pub dates: Vec<DateEntry>,
    /// Values of string parameters.
    pub strings: Vec<StringEntry>,
    /// Values of number and quantity parameters.
    pub quantities: Vec<QuantityEntry>,
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_qualifying_term_is_known_by_its_family_and_told_from_others_by_its_qualifier(
            leading in any::<u64>(), other in any::<u64>(), hash in any::<u64>(),
        ) {
            let (leading, other) = (Term::leading(leading), Term::leading(other));
            let term = Term::qualifying(leading, hash);
            prop_assert!(!term.leads() && term.qualifies(leading));
            prop_assert_eq!(term.qualifies(other), other.0 & 0x7ff == leading.0 & 0x7ff);
            prop_assert!(!Term::judging(hash).qualifies(leading));
            prop_assert!(!leading.qualifies(leading));
            prop_assert_eq!(u64::from(term.qualifier()), hash & 0x3f_ffff);
            prop_assert_eq!(Term::qualifying(other, u64::from(term.qualifier())) == term, term.qualifies(other));
        }
    }
}
