//! The scanner: one pass over the bytes, one row a value (RFC 8259, as FHIR R4 json.html narrows it).

use super::fault::{Progress, Reason, SyntaxError};
use super::names::{Name, Names};
use super::node::{JsonKind, Row, Tree};
use super::text;

/// The deepest nesting of objects and arrays that is read.
pub const MAX_DEPTH: usize = 100;

/// The longest text that is read, in bytes: what 31 bits count.
const MAX_LEN: usize = 0x7FFF_FFFF;
/// The bytes of source that make room for one row.
const BYTES_PER_ROW: usize = 20;
/// The most rows that room is made for before they are met: a long text may be one long string.
const MAX_ROWS_AHEAD: usize = 0x8000;

/// Whether arrays and objects may be empty: JSON lets them, FHIR does not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Empties {
    Refused,
    Read,
}

pub(super) fn scan(source: &[u8], empties: Empties) -> Result<Tree<'_>, SyntaxError> {
    let (text, broken) = match std::str::from_utf8(source) {
        Ok(text) => (text, false),
        Err(error) => (valid_prefix(source, error.valid_up_to()), true),
    };
    let mut scanner = Scanner::new(text, empties);
    let found = scanner.text();
    // A fault before the bytes that are not UTF-8 is the first one; a text that ends there is cut short by them.
    if broken && (found.is_ok() || scanner.at >= text.len()) {
        scanner.at = text.len();
        return Err(Reason::InvalidUtf8.at(&scanner.progress(source)));
    }
    match found {
        Ok(()) => Ok(Tree { source: text, rows: scanner.rows, is_spaced: scanner.is_spaced }),
        Err(reason) => Err(reason.at(&scanner.progress(source))),
    }
}

fn valid_prefix(source: &[u8], len: usize) -> &str {
    source.get(..len).and_then(|prefix| std::str::from_utf8(prefix).ok()).unwrap_or_default()
}

struct Scanner<'s> {
    text: &'s str,
    bytes: &'s [u8],
    at: usize,
    rows: Vec<Row>,
    depth: usize,
    begun: Begun,
    is_spaced: bool,
    empties: Empties,
}

/// Whether the scanner stands inside a value that has no row yet.
#[derive(Clone, Copy)]
pub(super) enum Begun {
    Nothing,
    Value(Key),
}

/// A member name: where it stands, with its quotes. It is one number because it passes through every call: from the highest
/// bit, 32 of the start, 31 of the length, 1 for escapes. Zero stands for no name.
#[derive(Clone, Copy, Default)]
pub(super) struct Key(u64);

impl Key {
    fn new(start: usize, end: usize, escaped: bool) -> Self {
        Self((start as u64) << 32 | ((end - start) as u64) << 1 | u64::from(escaped))
    }

    fn start(self) -> u32 {
        (self.0 >> 32) as u32
    }

    fn len(self) -> u32 {
        self.0 as u32 >> 1
    }

    fn is_escaped(self) -> bool {
        self.0 & 1 == 1
    }

    /// A row of which nothing but the name is known.
    pub(super) fn row(self) -> Row {
        Row { key_start: self.start(), key_len: self.len(), key_escaped: self.is_escaped(), ..Row::NOTHING }
    }
}

impl<'s> Scanner<'s> {
    fn new(text: &'s str, empties: Empties) -> Self {
        let rows = Vec::with_capacity((text.len() / BYTES_PER_ROW + 4).min(MAX_ROWS_AHEAD));
        Self { text, bytes: text.as_bytes(), at: 0, rows, depth: 0, begun: Begun::Nothing, is_spaced: false, empties }
    }

    fn progress<'p>(&'p self, source: &'p [u8]) -> Progress<'p> {
        Progress { source, offset: self.at, rows: &self.rows, begun: self.begun }
    }

    fn text(&mut self) -> Result<(), Reason> {
        if self.bytes.len() > MAX_LEN {
            return Err(Reason::TooLong);
        }
        if self.text.starts_with('\u{feff}') {
            return Err(Reason::ByteOrderMark);
        }
        self.skip_blanks();
        self.value(Key::default())?;
        self.skip_blanks();
        if self.at < self.bytes.len() { Err(Reason::TrailingBytes) } else { Ok(()) }
    }

    fn peek(&self) -> Result<u8, Reason> {
        self.bytes.get(self.at).copied().ok_or(Reason::Unfinished)
    }

    /// The byte after any blanks.
    fn peek_token(&mut self) -> Result<u8, Reason> {
        let byte = self.peek()?;
        if byte > b' ' {
            return Ok(byte);
        }
        self.is_spaced = true;
        self.skip_blanks();
        self.peek()
    }

    fn skip_blanks(&mut self) {
        while let Some(b' ' | b'\n' | b'\r' | b'\t') = self.bytes.get(self.at) {
            self.at += 1;
        }
    }

    fn value(&mut self, key: Key) -> Result<(), Reason> {
        self.begun = Begun::Value(key);
        match self.peek_token()? {
            b'"' => {
                let start = self.at;
                let escaped = self.string()?;
                self.push(key, JsonKind::String, start, escaped);
                Ok(())
            }
            b'{' => self.container(key, JsonKind::Object),
            b'[' => self.container(key, JsonKind::Array),
            b't' => self.literal(key, b"true", JsonKind::Boolean),
            b'f' => self.literal(key, b"false", JsonKind::Boolean),
            b'n' => self.literal(key, b"null", JsonKind::Null),
            b'-' | b'0'..=b'9' => self.number(key),
            _ => Err(Reason::Unexpected),
        }
    }

    fn push(&mut self, key: Key, kind: JsonKind, start: usize, escaped: bool) {
        let next = self.rows.len() as u32 + 1;
        let (len, start) = ((self.at - start) as u32, start as u32);
        self.rows.push(Row { start, len, next, kind, escaped, ..key.row() });
        self.begun = Begun::Nothing;
    }

    fn container(&mut self, key: Key, kind: JsonKind) -> Result<(), Reason> {
        if self.depth == MAX_DEPTH {
            return Err(Reason::TooDeep);
        }
        self.depth += 1;
        let (start, index) = (self.at, self.rows.len());
        self.at += 1;
        self.push(key, kind, start, false);
        if kind == JsonKind::Object {
            self.members(index)?;
        } else {
            self.items()?;
        }
        self.depth -= 1;
        let next = self.rows.len() as u32;
        let len = (self.at - start) as u32;
        if let Some(row) = self.rows.get_mut(index) {
            row.len = len;
            row.next = next;
        }
        Ok(())
    }

    fn items(&mut self) -> Result<(), Reason> {
        if self.peek_token()? == b']' {
            return self.empty(Reason::EmptyArray);
        }
        loop {
            self.value(Key::default())?;
            match self.peek_token()? {
                b',' => self.at += 1,
                b']' => break,
                _ => return Err(Reason::Unexpected),
            }
        }
        self.at += 1;
        Ok(())
    }

    /// Passes over the end of an array or object that holds nothing, where it may.
    fn empty(&mut self, fault: Reason) -> Result<(), Reason> {
        if self.empties == Empties::Refused {
            return Err(fault);
        }
        self.at += 1;
        Ok(())
    }

    fn members(&mut self, object: usize) -> Result<(), Reason> {
        if self.peek_token()? == b'}' {
            return self.empty(Reason::EmptyObject);
        }
        let mut names = Names::default();
        loop {
            let key = self.key(object, &mut names)?;
            self.colon(key)?;
            self.value(key)?;
            match self.peek_token()? {
                b',' => self.at += 1,
                b'}' => break,
                _ => return Err(Reason::Unexpected),
            }
        }
        self.at += 1;
        Ok(())
    }

    fn colon(&mut self, key: Key) -> Result<(), Reason> {
        match self.peek_token() {
            Ok(b':') => {
                self.at += 1;
                Ok(())
            }
            found => {
                self.begun = Begun::Value(key);
                found.and(Err(Reason::Unexpected))
            }
        }
    }

    fn key(&mut self, object: usize, names: &mut Names<'s>) -> Result<Key, Reason> {
        if self.peek_token()? != b'"' {
            return Err(Reason::Unexpected);
        }
        let start = self.at;
        let escaped = self.string()?;
        let key = Key::new(start, self.at, escaped);
        if names.is_repeated(self.name(start, self.at, escaped), || self.names_of(object)) {
            (self.at, self.begun) = (start, Begun::Value(key));
            return Err(Reason::DuplicateKey);
        }
        Ok(key)
    }

    fn names_of(&self, object: usize) -> impl Iterator<Item = Name<'s>> {
        let mut sibling = object + 1;
        std::iter::from_fn(move || {
            let row = self.rows.get(sibling)?;
            sibling = row.next as usize;
            let start = row.key_start as usize;
            Some(self.name(start, start + row.key_len as usize, row.key_escaped))
        })
    }

    /// The name that stands in quotes from `start` to `end`.
    fn name(&self, start: usize, end: usize, escaped: bool) -> Name<'s> {
        Name { raw: self.text.get(start + 1..end - 1).unwrap_or_default(), escaped }
    }

    /// Passes over a string, quotes included; tells whether it holds escapes.
    fn string(&mut self) -> Result<bool, Reason> {
        self.at += 1;
        let mut escaped = false;
        loop {
            self.at += text::plain_len(self.bytes.get(self.at..).unwrap_or_default());
            match self.peek()? {
                b'"' => break,
                b'\\' => {
                    escaped = true;
                    self.escape()?;
                }
                _ => return Err(Reason::ControlCharacter),
            }
        }
        self.at += 1;
        Ok(escaped)
    }

    fn escape(&mut self) -> Result<(), Reason> {
        self.at += 1;
        match self.peek()? {
            b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => self.at += 1,
            b'u' => match self.hex()? {
                0xD800..0xDC00 => {
                    if self.bytes.get(self.at..self.at + 2) != Some(b"\\u".as_slice()) {
                        return Err(Reason::UnpairedSurrogate);
                    }
                    self.at += 1;
                    if !(0xDC00..0xE000).contains(&self.hex()?) {
                        return Err(Reason::UnpairedSurrogate);
                    }
                }
                0xDC00..0xE000 => return Err(Reason::UnpairedSurrogate),
                _ => {}
            },
            _ => return Err(Reason::BadEscape),
        }
        Ok(())
    }

    /// Reads `uXXXX`, standing on the `u`.
    fn hex(&mut self) -> Result<u32, Reason> {
        let mut code = 0;
        for _ in 0..4 {
            self.at += 1;
            code = code * 16 + char::from(self.peek()?).to_digit(16).ok_or(Reason::BadEscape)?;
        }
        self.at += 1;
        Ok(code)
    }

    fn literal(&mut self, key: Key, word: &[u8], kind: JsonKind) -> Result<(), Reason> {
        let start = self.at;
        for expected in word {
            if self.peek()? != *expected {
                return Err(Reason::Unexpected);
            }
            self.at += 1;
        }
        self.push(key, kind, start, false);
        Ok(())
    }

    fn number(&mut self, key: Key) -> Result<(), Reason> {
        let start = self.at;
        if self.peek()? == b'-' {
            self.at += 1;
        }
        let leading_zero = self.bytes.get(self.at) == Some(&b'0');
        if self.digits()? > 1 && leading_zero {
            return Err(Reason::BadNumber);
        }
        if self.bytes.get(self.at) == Some(&b'.') {
            self.at += 1;
            self.digits()?;
        }
        if let Some(b'e' | b'E') = self.bytes.get(self.at) {
            self.at += 1;
            if let Some(b'+' | b'-') = self.bytes.get(self.at) {
                self.at += 1;
            }
            self.digits()?;
        }
        self.push(key, JsonKind::Number, start, false);
        Ok(())
    }

    /// Passes over one digit or more; tells how many.
    fn digits(&mut self) -> Result<usize, Reason> {
        let start = self.at;
        while let Some(b'0'..=b'9') = self.bytes.get(self.at) {
            self.at += 1;
        }
        match self.at - start {
            0 if self.at == self.bytes.len() => Err(Reason::Unfinished),
            0 => Err(Reason::BadNumber),
            count => Ok(count),
        }
    }
}
