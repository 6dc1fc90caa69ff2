//! Faults of a text, and where they are.

use super::node::{JsonKind, Row};
use super::scan::{Begun, MAX_DEPTH};
use super::text;
use crate::fhir::ResourceType;

/// Why a text is not FHIR JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[allow(missing_docs, reason = "the message of each variant says it")]
pub enum Reason {
    #[error("the text is not UTF-8")]
    InvalidUtf8,
    #[error("the text begins with a byte order mark, which JSON must not have")]
    ByteOrderMark,
    #[error("the text is longer than 2 GiB")]
    TooLong,
    #[error("the text ends inside a value")]
    Unfinished,
    #[error("a character that cannot stand here")]
    Unexpected,
    #[error("something follows the end of the value")]
    TrailingBytes,
    #[error("the nesting is deeper than {MAX_DEPTH}")]
    TooDeep,
    #[error("an array must not be empty")]
    EmptyArray,
    #[error("an object must not be empty")]
    EmptyObject,
    #[error("a member name occurs twice")]
    DuplicateKey,
    #[error("an escape that is none")]
    BadEscape,
    #[error("a surrogate without its other half")]
    UnpairedSurrogate,
    #[error("a control character must be escaped")]
    ControlCharacter,
    #[error("not a JSON number")]
    BadNumber,
}

/// The first fault of a text.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{reason} (line {line}, column {column})")]
pub struct SyntaxError {
    /// What is wrong.
    pub reason: Reason,
    /// Where, in bytes from the start.
    pub offset: usize,
    /// The line, from 1.
    pub line: usize,
    /// The column in characters, from 1.
    pub column: usize,
    /// The FHIRPath of the innermost element that had begun, such as `Patient.name[0]`; `$this` for the root of a text that
    /// names no resource type.
    pub expression: String,
}

/// How far a scan came before its fault.
pub(super) struct Progress<'p> {
    pub(super) source: &'p [u8],
    pub(super) offset: usize,
    pub(super) rows: &'p [Row],
    pub(super) begun: Begun,
}

impl Reason {
    pub(super) fn at(self, progress: &Progress<'_>) -> SyntaxError {
        let before = progress.source.get(..progress.offset).unwrap_or(progress.source);
        let line_start = memchr::memrchr(b'\n', before).map_or(0, |newline| newline + 1);
        let is_character_start = |byte: &&u8| **byte & 0xC0 != 0x80;
        SyntaxError {
            reason: self,
            offset: progress.offset,
            line: memchr::memchr_iter(b'\n', before).count() + 1,
            column: before.iter().skip(line_start).filter(is_character_start).count() + 1,
            expression: progress.expression(self),
        }
    }

    fn is_inside_a_string(self) -> bool {
        matches!(self, Self::BadEscape | Self::UnpairedSurrogate | Self::ControlCharacter)
    }
}

impl Progress<'_> {
    fn expression(&self, reason: Reason) -> String {
        let (path, depth) = self.open_path();
        let kind = self.kind_read().or_else(|| self.kind_ahead(depth, reason.is_inside_a_string()));
        let mut expression = String::from(kind.map_or("$this", ResourceType::name));
        expression.push_str(&path);
        expression
    }

    /// The path from the root to the element that had begun, and how many objects and arrays were open.
    fn open_path(&self) -> (String, usize) {
        let (mut path, mut depth) = (String::new(), 0);
        let (mut index, mut position, mut in_array) = (0, 0, false);
        while let Some(row) = self.rows.get(index) {
            if row.is_open() {
                if depth > 0 {
                    self.push_step(&mut path, in_array, position, row);
                }
                (depth, in_array, position) = (depth + 1, row.kind == JsonKind::Array, 0);
                index += 1;
            } else {
                (index, position) = (row.next as usize, position + 1);
            }
        }
        match self.begun {
            Begun::Value(key) if depth > 0 => self.push_step(&mut path, in_array, position, &key.row()),
            Begun::Value(_) | Begun::Nothing => {}
        }
        (path, depth)
    }

    fn push_step(&self, path: &mut String, in_array: bool, position: usize, row: &Row) {
        if in_array {
            push_position(path, position);
        } else {
            push_name(path, &text::resolved(self.slice(row.key_start, row.key_len), row.key_escaped));
        }
    }

    /// The type, where the root's `resourceType` was read before the fault.
    fn kind_read(&self) -> Option<ResourceType> {
        let mut index = 1;
        while let Some(row) = self.rows.get(index) {
            if self.slice(row.key_start, row.key_len) == "resourceType" && row.kind == JsonKind::String {
                return self.slice(row.start, row.len).parse().ok();
            }
            index = if row.is_open() { self.rows.len() } else { row.next as usize };
        }
        None
    }

    /// The type, where what follows the fault still looks as though it held the root's `resourceType`.
    fn kind_ahead(&self, mut depth: usize, mut in_string: bool) -> Option<ResourceType> {
        let mut rest = self.source.get(self.offset..)?;
        while let Some((byte, after)) = rest.split_first() {
            rest = after;
            match byte {
                b'"' if !in_string && depth == 1 && after.starts_with(b"resourceType\"") => return read_kind(after),
                b'"' => in_string = !in_string,
                b'\\' if in_string => rest = rest.get(1..)?,
                b'{' | b'[' if !in_string => depth += 1,
                b'}' | b']' if !in_string => depth = depth.checked_sub(1)?,
                _ => {}
            }
        }
        None
    }

    /// What stands between two quotes.
    fn slice(&self, start: u32, len: u32) -> &str {
        let inside = (start as usize + 1)..(start as usize + len as usize).saturating_sub(1);
        self.source.get(inside).and_then(|bytes| std::str::from_utf8(bytes).ok()).unwrap_or_default()
    }
}

/// The type in `resourceType":"Patient"…`.
fn read_kind(member: &[u8]) -> Option<ResourceType> {
    let mut quoted = member.split(|byte| *byte == b'"').skip(1);
    let between = quoted.next()?.trim_ascii();
    let kind = std::str::from_utf8(quoted.next()?).ok()?;
    if between == b":" { kind.parse().ok() } else { None }
}

/// The longest member name an expression shows, in characters.
const MAX_NAME_CHARS: usize = 64;

/// Appends the step to the member `name`. The sibling `_name` is the element `name` itself; a name that is no FHIRPath identifier
/// stands between backticks, cut where it is long.
pub(super) fn push_name(path: &mut String, name: &str) {
    let element = name.strip_prefix('_').unwrap_or(name);
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    path.push('.');
    if (1..=MAX_NAME_CHARS).contains(&element.len()) && element.bytes().all(is_plain) {
        path.push_str(element);
        return;
    }
    let shown = |character: char| if character.is_control() || character == '`' { '?' } else { character };
    path.push('`');
    path.extend(name.chars().take(MAX_NAME_CHARS).map(shown));
    path.push('`');
}

/// Appends the step to the item at `position`.
pub(super) fn push_position(path: &mut String, position: usize) {
    path.push_str(&format!("[{position}]"));
}
