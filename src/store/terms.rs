//! Terms packed into one value on the instance's own row, so that a search inside a dossier needs no other table.
//!
//! A term takes ten bytes of seven bits, the first one alone with its high bit set: a search for those ten bytes can match
//! nowhere but at the beginning of a term.

use crate::search::index::Term;

const PACKED_BYTES: usize = 10;
const FIRST: u8 = 0x80;
const SEVEN_BITS: u64 = 0x7f;

/// The form in which one term is packed.
pub(super) fn packed(term: Term) -> [u8; PACKED_BYTES] {
    let mut bits = term.0.cast_unsigned();
    let mut bytes = [0; PACKED_BYTES];
    for byte in bytes.iter_mut().rev() {
        *byte = (bits & SEVEN_BITS) as u8;
        bits >>= 7;
    }
    if let Some(first) = bytes.first_mut() {
        *first |= FIRST;
    }
    bytes
}

/// All terms of an instance.
pub(super) fn pack(terms: &[Term]) -> Vec<u8> {
    terms.iter().copied().flat_map(packed).collect()
}

/// The terms that [`pack`] packed.
pub(super) fn unpack(bytes: &[u8]) -> Vec<Term> {
    let term = |chunk: &[u8]| {
        let bits = chunk.iter().fold(0_u64, |bits, byte| bits << 7 | u64::from(byte & !FIRST));
        Term(bits.cast_signed())
    };
    bytes.chunks_exact(PACKED_BYTES).map(term).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn positions(haystack: &[u8], needle: &[u8]) -> Vec<usize> {
        haystack.windows(needle.len()).enumerate().filter(|(_, window)| *window == needle).map(|(at, _)| at).collect()
    }

    proptest! {
        #[test]
        fn terms_come_back_as_they_were(terms in prop::collection::vec(any::<i64>().prop_map(Term), 0..40)) {
            prop_assert_eq!(unpack(&pack(&terms)), terms);
        }

        #[test]
        fn a_term_is_found_at_a_term_only(terms in prop::collection::vec(prop_oneof![any::<i64>(), -3..3_i64, Just(i64::MIN)].prop_map(Term), 0..40), sought in -3..3_i64) {
            for at in positions(&pack(&terms), &packed(Term(sought))) {
                prop_assert_eq!(at % PACKED_BYTES, 0);
                prop_assert_eq!(terms[at / PACKED_BYTES], Term(sought));
            }
        }
    }
}
