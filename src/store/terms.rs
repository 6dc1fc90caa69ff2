//! Terms as they rest: packed into one value on the instance's own row, so that a search inside a dossier needs no other table.
//!
//! A term is a run of bytes of seven bits, the first one alone with its high bit set: a search for those bytes can match nowhere
//! but at the beginning of a term. The bit after that one says whether the term leads, and so how long it is.
//!
//! The ways from a leading term to instances are the rows of `term` on SQLite, one for each term that qualifies it, so that a code in
//! a system is found, and counted, without a look at the instances. On PostgreSQL, where a row costs a hundred bytes and
//! more, they are an inverted index on an array on the instance's row; there the leading terms rest in the array and not among the
//! packed ones. Since the index knows no types, each is mixed with that of the instance.

use diesel::result::QueryResult;
use smallvec::SmallVec;

use super::dialect::Dialect;
use super::row::Columns;
use crate::fhir::ResourceType;
use crate::search::index::Term;

const LEADING_BYTES: usize = 9;
const JUDGING_BYTES: usize = 5;
const FIRST: u8 = 0x80;
const LEADS: u8 = 0x40;
const SEVEN_BITS: u64 = 0x7f;

/// A packed term.
pub(super) type Packed = SmallVec<[u8; LEADING_BYTES]>;

/// The form in which one term is packed.
pub(super) fn packed(term: Term) -> Packed {
    let (mark, length) = if term.leads() { (FIRST | LEADS, LEADING_BYTES) } else { (FIRST, JUDGING_BYTES) };
    let bits = term.0.cast_unsigned();
    let mut bytes: Packed = (0..length).rev().map(|place| (bits >> (7 * place) & SEVEN_BITS) as u8).collect();
    if let Some(first) = bytes.first_mut() {
        *first |= mark;
    }
    bytes
}

/// All of `terms`.
pub(super) fn pack(terms: impl IntoIterator<Item = Term>) -> Vec<u8> {
    terms.into_iter().flat_map(packed).collect()
}

/// The terms that [`pack`] packed.
pub(super) fn unpack(bytes: &[u8]) -> Vec<Term> {
    bytes.chunk_by(|_, next| next & FIRST == 0).map(unpacked).collect()
}

fn unpacked(bytes: &[u8]) -> Term {
    let bits = bytes.iter().fold(0_u64, |bits, byte| bits << 7 | u64::from(*byte) & SEVEN_BITS);
    match bytes.first() {
        Some(first) if first & LEADS != 0 => Term::leading(bits),
        _ => Term::judging_bits(bits),
    }
}

/// What is kept beside a leading term that nothing qualifies.
const UNQUALIFIED: u32 = 0;

/// What is kept beside a leading term that `term` qualifies.
pub(super) fn qualifier(term: Term) -> u32 {
    term.qualifier() + 1
}

/// The ways to an instance that carries `terms`: each leading one with what qualifies it, in order.
pub(super) fn ways(terms: &[Term]) -> Vec<(Term, u32)> {
    let mut ways = Vec::new();
    for leading in terms.iter().filter(|term| term.leads()) {
        let before = ways.len();
        ways.extend(terms.iter().filter(|term| term.qualifies(*leading)).map(|term| (*leading, qualifier(*term))));
        if ways.len() == before {
            ways.push((*leading, UNQUALIFIED));
        }
    }
    ways.sort_unstable();
    ways
}

/// The terms of an instance as they rest on its row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Resting {
    /// The packed ones.
    pub(super) packed: Vec<u8>,
    /// The leading ones, mixed with the type, in ascending order, where they are an array.
    pub(super) leading: Option<Vec<i64>>,
}

impl Resting {
    /// `terms`, which are in order, of an instance of the type numbered `kind`.
    pub(super) fn of(dialect: Dialect, kind: i16, terms: &[Term]) -> Self {
        match dialect {
            Dialect::Sqlite => Self { packed: pack(terms.iter().copied()), leading: None },
            Dialect::Postgres => {
                let (leading, judging): (Vec<Term>, Vec<Term>) = terms.iter().partition(|term| term.leads());
                let mut leading: Vec<i64> = leading.into_iter().map(|term| mixed(kind, term)).collect();
                leading.sort_unstable();
                Self { packed: pack(judging), leading: Some(leading) }
            }
        }
    }

    /// Those in the columns from `column` on: `terms`, and where it is one, `leads`.
    pub(super) fn read(dialect: Dialect, row: &dyn Columns, column: usize) -> QueryResult<Self> {
        let packed = row.optional_binary(column)?.unwrap_or_default();
        let leading = match dialect {
            Dialect::Sqlite => None,
            Dialect::Postgres => Some(row.bigints(column + 1)?),
        };
        Ok(Self { packed, leading })
    }

    /// The terms in order.
    pub(super) fn terms(&self, kind: i16) -> Vec<Term> {
        let leading = self.leading.iter().flatten().map(|mixed| unmixed(kind, *mixed));
        let mut terms: Vec<Term> = leading.chain(unpack(&self.packed)).collect();
        terms.sort_unstable();
        terms
    }
}

/// The leading terms of types are kept apart by numbers far from each other.
fn spread(kind: i16) -> u64 {
    u64::from(kind.cast_unsigned()).wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

/// A leading term of an instance of that type, as it rests in an array.
pub(super) fn mixed(kind: i16, term: Term) -> i64 {
    Term::leading(term.0.cast_unsigned() ^ spread(kind)).0
}

fn unmixed(kind: i16, mixed: i64) -> Term {
    Term::leading(mixed.cast_unsigned() ^ spread(kind))
}

/// The same of each of `terms` and of each of `kinds`.
pub(super) fn mixed_all(kinds: &[ResourceType], terms: &[Term]) -> Vec<i64> {
    kinds.iter().flat_map(|kind| terms.iter().map(|term| mixed(kind.code(), *term))).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    fn positions(haystack: &[u8], needle: &[u8]) -> Vec<usize> {
        haystack.windows(needle.len()).enumerate().filter(|(_, window)| *window == needle).map(|(at, _)| at).collect()
    }

    fn a_term() -> impl Strategy<Value = Term> {
        let hash = || prop_oneof![any::<u64>(), 0..4_u64, Just(u64::MAX)];
        let qualifying = (0..4_u64, 0..4_u64).prop_map(|(leading, hash)| Term::qualifying(Term::leading(leading), hash));
        prop_oneof![hash().prop_map(Term::leading), hash().prop_map(Term::judging), qualifying]
    }

    proptest! {
        #[test]
        fn terms_come_back_as_they_were(terms in prop::collection::btree_set(a_term(), 0..40), kind in any::<i16>()) {
            let terms: Vec<Term> = terms.into_iter().collect();
            prop_assert_eq!(&unpack(&pack(terms.iter().copied())), &terms);
            for dialect in [Dialect::Sqlite, Dialect::Postgres] {
                prop_assert_eq!(&Resting::of(dialect, kind, &terms).terms(kind), &terms);
            }
        }

        #[test]
        fn a_term_is_found_at_a_term_only(terms in prop::collection::vec(a_term(), 0..40), sought in a_term()) {
            let beginnings: BTreeSet<usize> = terms.iter().scan(0, |at, term| Some(std::mem::replace(at, *at + packed(*term).len()))).collect();
            let found = positions(&pack(terms.iter().copied()), &packed(sought));
            prop_assert_eq!(found.len(), terms.iter().filter(|term| **term == sought).count());
            prop_assert!(found.iter().all(|at| beginnings.contains(at)));
        }

        #[test]
        fn a_way_is_qualified_exactly_where_an_instance_carries_both_terms(
            terms in prop::collection::btree_set(a_term(), 0..40), sought in a_term(), hash in 0..4_u64,
        ) {
            let terms: Vec<Term> = terms.into_iter().collect();
            let ways = ways(&terms);
            for leading in terms.iter().filter(|term| term.leads()) {
                let qualifying = Term::qualifying(*leading, hash);
                prop_assert_eq!(ways.contains(&(*leading, qualifier(qualifying))), terms.contains(&qualifying));
                prop_assert!(ways.iter().any(|(term, _)| term == leading));
            }
            prop_assert_eq!(ways.iter().any(|(term, _)| *term == sought), sought.leads() && terms.contains(&sought));
        }

        #[test]
        fn types_are_told_apart_in_an_array(term in a_term().prop_map(|term| Term::leading(term.0.cast_unsigned()))) {
            let all: BTreeSet<i64> = mixed_all(ResourceType::ALL, &[term]).into_iter().collect();
            prop_assert_eq!(all.len(), ResourceType::ALL.len());
            prop_assert!(all.iter().all(|mixed| *mixed >= 0));
        }
    }
}
