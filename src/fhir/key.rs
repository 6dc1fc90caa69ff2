//! Where an instance rests: its dossier's part and its number inside the part; and the logical ids that say so themselves.
//!
//! A server-assigned id is 30 characters of `[a-z0-9]`: 13 for the part, 13 for the number, 4 that check them. Reading such
//! an id needs no look-up, and a mistyped one names no place at all. Any other id was chosen by a client; the store keeps an
//! alias for it.

use std::hash::Hasher as _;

use siphasher::sip::SipHasher24;

use super::{InstanceId, ResourceType};

/// The part of the store that holds one dossier; 0 holds what belongs to no patient.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Part(pub i64);

/// Where one instance rests.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct InstanceKey {
    /// The dossier's part.
    pub part: Part,
    /// The number of the instance inside the part, growing with time.
    pub rid: i64,
}

const DIGITS: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
/// A fixed key: the hashes are stable names, not secrets.
const CARNET: u64 = 0x6361_726e_6574;
const NUMBER_LEN: usize = 13;
const CHECK_LEN: usize = 4;

impl Part {
    /// The directory: practitioners, organisations, conformance resources, whatever is about no patient.
    pub const DIRECTORY: Self = Self(0);

    /// The part a new dossier gets from 64 random bits.
    pub const fn from_random(bits: u64) -> Self {
        let part = (bits >> 1) as i64;
        Self(if part == 0 { 1 } else { part })
    }

    /// The part of the dossier of `Patient/{id}`, whether or not that patient is here yet: read from a server-assigned id,
    /// derived from any other, so that what refers to a patient finds its part without a look-up.
    pub fn of_patient(id: &InstanceId) -> Self {
        match InstanceKey::read(id) {
            Some(key) if key.part != Self::DIRECTORY => key.part,
            _ => Self::from_random(name_hash(ResourceType::Patient, id)),
        }
    }
}

/// The hash under which a client-chosen id is kept as an alias.
pub fn name_hash(kind: ResourceType, id: &InstanceId) -> u64 {
    let mut hasher = SipHasher24::new_with_keys(CARNET, 0x6e61_6d65);
    hasher.write_i16(kind.code());
    hasher.write(id.as_str().as_bytes());
    hasher.finish()
}

impl InstanceKey {
    /// The server-assigned id of this place.
    pub fn id(self) -> InstanceId {
        let mut text = String::with_capacity(NUMBER_LEN * 2 + CHECK_LEN);
        push_number(&mut text, self.part.0 as u64, NUMBER_LEN);
        push_number(&mut text, self.rid as u64, NUMBER_LEN);
        push_number(&mut text, self.check(), CHECK_LEN);
        InstanceId::trusted(text)
    }

    /// The place a server-assigned id names; `None` for an id a client chose, and for one whose check fails.
    pub fn read(id: &InstanceId) -> Option<Self> {
        let text = id.as_str();
        if text.len() != NUMBER_LEN * 2 + CHECK_LEN {
            return None;
        }
        let part = read_number(text.get(..NUMBER_LEN)?)?;
        let rid = read_number(text.get(NUMBER_LEN..NUMBER_LEN * 2)?)?;
        let key = Self { part: Part(i64::try_from(part).ok()?), rid: i64::try_from(rid).ok()? };
        (read_number(text.get(NUMBER_LEN * 2..)?)? == key.check()).then_some(key)
    }

    fn check(self) -> u64 {
        let mut hasher = SipHasher24::new_with_keys(CARNET, 0x0063_6865_636b);
        hasher.write_i64(self.part.0);
        hasher.write_i64(self.rid);
        hasher.finish() & 0xF_FFFF
    }
}

fn push_number(text: &mut String, number: u64, len: usize) {
    for position in (0..len).rev() {
        let digit = (u128::from(number) >> (position * 5)) as usize & 31;
        text.push(DIGITS.get(digit).map_or('0', |byte| char::from(*byte)));
    }
}

fn read_number(text: &str) -> Option<u64> {
    let mut number: u128 = 0;
    for byte in text.bytes() {
        let digit = DIGITS.iter().position(|candidate| *candidate == byte)?;
        number = number << 5 | digit as u128;
    }
    u64::try_from(number).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_server_assigned_id_names_its_place(part in 0..=i64::MAX, rid in 0..=i64::MAX) {
            let key = InstanceKey { part: Part(part), rid };
            let id = key.id();
            prop_assert_eq!(id.as_str().len(), 30);
            prop_assert_eq!(InstanceKey::read(&id), Some(key));
        }

        #[test]
        fn a_mistyped_id_names_no_place(part in 0..=i64::MAX, rid in 0..=i64::MAX, at in 0..26usize, to in 0..32usize) {
            let id = InstanceKey { part: Part(part), rid }.id();
            let mut bytes = id.as_str().as_bytes().to_vec();
            prop_assume!(bytes[at] != DIGITS[to]);
            bytes[at] = DIGITS[to];
            let read = InstanceKey::read(&String::from_utf8(bytes).unwrap().parse().unwrap());
            // One chance in a million that the check agrees all the same; then it names another place, never this one.
            prop_assert_ne!(read, Some(InstanceKey { part: Part(part), rid }));
        }
    }

    #[test]
    fn a_patients_part_follows_from_its_id_alone() {
        let key = InstanceKey { part: Part(42), rid: 7 };
        assert_eq!(Part::of_patient(&key.id()), Part(42));
        let chosen: InstanceId = "p1".parse().unwrap();
        assert_eq!(Part::of_patient(&chosen), Part::of_patient(&chosen));
        assert_ne!(Part::of_patient(&chosen), Part::DIRECTORY);
        assert_eq!(InstanceKey::read(&chosen), None);
    }
}
