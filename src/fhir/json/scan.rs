//! The scanner: one pass over the bytes, one row a value (RFC 8259, as FHIR R4 json.html narrows it).

use std::borrow::Cow;

use super::fault::{Progress, Reason, SyntaxError};
use super::names::Names;
use super::node::{JsonKind, Row, Tree};
use super::text;

/// The deepest nesting of objects and arrays that is read.
pub const MAX_DEPTH: usize = 100;

/// The bytes of source that make room for one row.
const BYTES_PER_ROW: usize = 20;
/// The most rows that room is made for before they are met: a long text may be one long string.
const MAX_ROWS_AHEAD: usize = 0x8000;

pub(super) fn scan(source: &[u8]) -> Result<Tree<'_>, SyntaxError> {
    let (text, broken) = match std::str::from_utf8(source) {
        Ok(text) => (text, false),
        Err(error) => (valid_prefix(source, error.valid_up_to()), true),
    };
    let mut scanner = Scanner::new(text);
    let found = scanner.text();
    // A fault before the bytes that are not UTF-8 is the first one; a text that ends there is cut short by them.
    if broken && (found.is_ok() || scanner.at >= text.len()) {
        scanner.at = text.len();
        return Err(Reason::InvalidUtf8.at(&scanner.progress(source)));
    }
    match found {
        Ok(()) => Ok(Tree { source: text, rows: scanner.rows }),
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
}

/// Whether the scanner stands inside a value that has no row yet.
#[derive(Clone, Copy)]
pub(super) enum Begun {
    Nothing,
    Value(Key),
}

/// A member name: where it stands, with its quotes.
#[derive(Clone, Copy, Default)]
pub(super) struct Key {
    start: u32,
    len: u32,
    escaped: bool,
}

impl Key {
    /// A row of which nothing but the name is known.
    pub(super) fn row(self) -> Row {
        Row { key_start: self.start, key_len: self.len, key_escaped: self.escaped, ..Row::NOTHING }
    }
}

impl<'s> Scanner<'s> {
    fn new(text: &'s str) -> Self {
        let rows = Vec::with_capacity((text.len() / BYTES_PER_ROW + 4).min(MAX_ROWS_AHEAD));
        Self { text, bytes: text.as_bytes(), at: 0, rows, depth: 0, begun: Begun::Nothing }
    }

    fn progress<'p>(&'p self, source: &'p [u8]) -> Progress<'p> {
        Progress { source, offset: self.at, rows: &self.rows, begun: self.begun }
    }

    fn text(&mut self) -> Result<(), Reason> {
        if u32::try_from(self.bytes.len()).is_err() {
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
        self.rows.push(Row { key_start: key.start, key_len: key.len, start, len, next, kind, key_escaped: key.escaped, escaped });
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
            return Err(Reason::EmptyArray);
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

    fn members(&mut self, object: usize) -> Result<(), Reason> {
        if self.peek_token()? == b'}' {
            return Err(Reason::EmptyObject);
        }
        let mut names = Names::default();
        loop {
            let key = self.key(object, &mut names)?;
            if self.peek_token()? != b':' {
                return Err(Reason::Unexpected);
            }
            self.at += 1;
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

    fn key(&mut self, object: usize, names: &mut Names<'s>) -> Result<Key, Reason> {
        if self.peek_token()? != b'"' {
            return Err(Reason::Unexpected);
        }
        let start = self.at;
        let escaped = self.string()?;
        let key = Key { start: start as u32, len: (self.at - start) as u32, escaped };
        self.begun = Begun::Value(key);
        if names.is_repeated(self.name(key), || self.names_of(object)) {
            self.at = start;
            return Err(Reason::DuplicateKey);
        }
        Ok(key)
    }

    fn names_of(&self, object: usize) -> impl Iterator<Item = Cow<'s, str>> {
        let mut sibling = object + 1;
        std::iter::from_fn(move || {
            let row = self.rows.get(sibling)?;
            sibling = row.next as usize;
            Some(self.name(Key { start: row.key_start, len: row.key_len, escaped: row.key_escaped }))
        })
    }

    fn name(&self, key: Key) -> Cow<'s, str> {
        let inside = (key.start as usize + 1)..(key.start as usize + key.len as usize - 1);
        text::resolved(self.text.get(inside).unwrap_or_default(), key.escaped)
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
