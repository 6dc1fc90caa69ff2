//! Where a text is no resource in XML, and why.

/// The first fault of a text.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{rule} (line {line}, column {column})")]
pub struct Fault {
    /// What is wrong.
    pub rule: String,
    /// The FHIRPath of the innermost element that had begun; `$this` before the first one.
    pub expression: String,
    /// The line, from 1.
    pub line: usize,
    /// The column in characters, from 1.
    pub column: usize,
}

impl Fault {
    /// That `rule` is broken at `offset` bytes of `source`.
    pub(super) fn at(rule: impl Into<String>, expression: String, (source, offset): (&str, usize)) -> Self {
        let before = source.as_bytes().get(..offset).unwrap_or(source.as_bytes());
        let line_start = memchr::memrchr(b'\n', before).map_or(0, |newline| newline + 1);
        let is_character_start = |byte: &&u8| **byte & 0xC0 != 0x80;
        Self {
            rule: rule.into(),
            expression,
            line: memchr::memchr_iter(b'\n', before).count() + 1,
            column: before.iter().skip(line_start).filter(is_character_start).count() + 1,
        }
    }
}
