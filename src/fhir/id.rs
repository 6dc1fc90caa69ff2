//! Logical ids and version ids (R4 `id`: `[A-Za-z0-9\-\.]{1,64}`, case-sensitive).

use std::fmt;
use std::str::FromStr;

/// The logical id of an instance.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct InstanceId(Box<str>);

/// A text that is not an R4 `id`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an id has 1 to 64 characters of A-Z, a-z, 0-9, '-' and '.'")]
pub struct InvalidId;

impl InstanceId {
    /// An id that this crate made itself and therefore knows to be well-formed.
    pub(super) fn trusted(text: String) -> Self {
        debug_assert!(is_id(&text));
        Self(text.into())
    }

    /// The id as written.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Whether `text` is a well-formed R4 `id`.
pub fn is_id(text: &str) -> bool {
    (1..=64).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.'))
}

impl FromStr for InstanceId {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if is_id(text) { Ok(Self(text.into())) } else { Err(InvalidId) }
    }
}

impl fmt::Display for InstanceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The version of an instance: 1 for the first, one more for each that follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct VersionId(pub i64);

impl VersionId {
    /// The version of a new instance.
    pub const FIRST: Self = Self(1);

    /// The version that follows this one.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0 + 1)
    }
}

impl fmt::Display for VersionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

impl FromStr for VersionId {
    type Err = InvalidId;

    /// Reads the canonical decimal form only: no sign, no leading zero.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let number: i64 = text.parse().map_err(|_| InvalidId)?;
        if number >= 1 && number.to_string() == text { Ok(Self(number)) } else { Err(InvalidId) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_has_1_to_64_characters_of_the_r4_alphabet() {
        assert!("a".parse::<InstanceId>().is_ok());
        assert!("A-9.z".parse::<InstanceId>().is_ok());
        assert!("x".repeat(64).parse::<InstanceId>().is_ok());
        for refused in ["", "a_b", "a/b", "é", "a b", &"x".repeat(65)] {
            assert_eq!(refused.parse::<InstanceId>(), Err(InvalidId), "{refused}");
        }
    }

    #[test]
    fn a_version_is_a_positive_number_without_ornament() {
        assert_eq!("7".parse(), Ok(VersionId(7)));
        for refused in ["0", "-1", "+1", "01", "", "x", "9223372036854775808"] {
            assert_eq!(refused.parse::<VersionId>(), Err(InvalidId), "{refused}");
        }
    }
}
