//! The scanner: one pass over the bytes, one row a value (RFC 8259, as FHIR R4 json.html narrows it).

use super::node::{JsonKind, Row, Tree};

/// The deepest nesting of objects and arrays that is read.
pub const MAX_DEPTH: usize = 100;

/// Why a text is not FHIR JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[allow(missing_docs, reason = "the message of each variant says it")]
pub enum Reason {
    #[error("the text is not UTF-8")]
    InvalidUtf8,
    #[error("the text is longer than 4 GiB")]
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
    /// The FHIRPath of the innermost element that had begun, such as `Patient.name[0]`.
    pub expression: String,
}

pub(super) fn scan(source: &[u8]) -> Result<Tree<'_>, SyntaxError> {
    let text = match std::str::from_utf8(source) {
        Ok(text) => text,
        Err(error) => return Err(locate(source, error.valid_up_to(), Reason::InvalidUtf8, &[])),
    };
    if u32::try_from(text.len()).is_err() {
        return Err(locate(source, 0, Reason::TooLong, &[]));
    }
    let mut scanner = Scanner { bytes: source, at: 0, rows: Vec::with_capacity(source.len() / 24 + 4), depth: 0 };
    match scanner.document() {
        Ok(()) => Ok(Tree { source: text, rows: scanner.rows }),
        Err(reason) => Err(locate(source, scanner.at, reason, &scanner.rows)),
    }
}

struct Scanner<'s> {
    bytes: &'s [u8],
    at: usize,
    rows: Vec<Row>,
    depth: usize,
}

/// A member name: where it stands, with its quotes.
#[derive(Clone, Copy, Default)]
struct Key {
    start: u32,
    len: u32,
    escaped: bool,
}

impl Scanner<'_> {
    fn document(&mut self) -> Result<(), Reason> {
        self.skip_blanks();
        self.value(Key::default())?;
        self.skip_blanks();
        if self.at < self.bytes.len() { Err(Reason::TrailingBytes) } else { Ok(()) }
    }

    fn peek(&self) -> Result<u8, Reason> {
        self.bytes.get(self.at).copied().ok_or(Reason::Unfinished)
    }

    fn skip_blanks(&mut self) {
        while let Some(b' ' | b'\n' | b'\r' | b'\t') = self.bytes.get(self.at) {
            self.at += 1;
        }
    }

    fn value(&mut self, key: Key) -> Result<(), Reason> {
        match self.peek()? {
            b'{' => self.container(key, JsonKind::Object),
            b'[' => self.container(key, JsonKind::Array),
            b'"' => {
                let start = self.at;
                let escaped = self.string()?;
                self.push(key, JsonKind::String, start, escaped);
                Ok(())
            }
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
            self.members(index)?
        } else {
            self.items()?
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
        self.skip_blanks();
        if self.peek()? == b']' {
            return Err(Reason::EmptyArray);
        }
        loop {
            self.skip_blanks();
            self.value(Key::default())?;
            self.skip_blanks();
            match self.peek()? {
                b',' => self.at += 1,
                b']' => break,
                _ => return Err(Reason::Unexpected),
            }
        }
        self.at += 1;
        Ok(())
    }

    fn members(&mut self, object: usize) -> Result<(), Reason> {
        self.skip_blanks();
        if self.peek()? == b'}' {
            return Err(Reason::EmptyObject);
        }
        loop {
            self.skip_blanks();
            let key = self.key(object)?;
            self.skip_blanks();
            if self.peek()? != b':' {
                return Err(Reason::Unexpected);
            }
            self.at += 1;
            self.skip_blanks();
            self.value(key)?;
            self.skip_blanks();
            match self.peek()? {
                b',' => self.at += 1,
                b'}' => break,
                _ => return Err(Reason::Unexpected),
            }
        }
        self.at += 1;
        Ok(())
    }

    fn key(&mut self, object: usize) -> Result<Key, Reason> {
        if self.peek()? != b'"' {
            return Err(Reason::Unexpected);
        }
        let start = self.at;
        let escaped = self.string()?;
        let key = Key { start: start as u32, len: (self.at - start) as u32, escaped };
        if self.is_repeated(object, key) {
            self.at = start;
            return Err(Reason::DuplicateKey);
        }
        Ok(key)
    }

    fn is_repeated(&self, object: usize, key: Key) -> bool {
        let name = self.name(key.start, key.len, key.escaped);
        let mut sibling = object + 1;
        while let Some(row) = self.rows.get(sibling) {
            if (row.key_len == key.len || row.key_escaped || key.escaped)
                && self.name(row.key_start, row.key_len, row.key_escaped) == name
            {
                return true;
            }
            sibling = row.next as usize;
        }
        false
    }

    fn name(&self, start: u32, len: u32, escaped: bool) -> std::borrow::Cow<'_, str> {
        let raw = self.bytes.get(start as usize + 1..(start + len) as usize - 1).unwrap_or_default();
        let raw = std::str::from_utf8(raw).unwrap_or_default();
        if escaped { unescape(raw).into() } else { raw.into() }
    }

    /// Passes over a string, quotes included; tells whether it holds escapes.
    fn string(&mut self) -> Result<bool, Reason> {
        self.at += 1;
        let mut escaped = false;
        loop {
            match self.peek()? {
                b'"' => break,
                b'\\' => {
                    escaped = true;
                    self.escape()?;
                }
                0..0x20 => return Err(Reason::ControlCharacter),
                _ => self.at += 1,
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
        let digits = self.bytes.get(self.at + 1..self.at + 5).ok_or(Reason::Unfinished)?;
        let mut code = 0;
        for digit in digits {
            code = code * 16 + char::from(*digit).to_digit(16).ok_or(Reason::BadEscape)?;
        }
        self.at += 5;
        Ok(code)
    }

    fn literal(&mut self, key: Key, word: &[u8], kind: JsonKind) -> Result<(), Reason> {
        if !self.bytes.get(self.at..).is_some_and(|rest| rest.starts_with(word)) {
            return Err(Reason::Unexpected);
        }
        let start = self.at;
        self.at += word.len();
        self.push(key, kind, start, false);
        Ok(())
    }

    fn number(&mut self, key: Key) -> Result<(), Reason> {
        let start = self.at;
        if self.peek()? == b'-' {
            self.at += 1;
        }
        let leading_zero = self.bytes.get(self.at) == Some(&b'0');
        if self.digits() > 1 && leading_zero {
            return Err(Reason::BadNumber);
        }
        if self.at == start || self.bytes.get(self.at - 1) == Some(&b'-') {
            return Err(Reason::BadNumber);
        }
        if self.bytes.get(self.at) == Some(&b'.') {
            self.at += 1;
            if self.digits() == 0 {
                return Err(Reason::BadNumber);
            }
        }
        if let Some(b'e' | b'E') = self.bytes.get(self.at) {
            self.at += 1;
            if let Some(b'+' | b'-') = self.bytes.get(self.at) {
                self.at += 1;
            }
            if self.digits() == 0 {
                return Err(Reason::BadNumber);
            }
        }
        self.push(key, JsonKind::Number, start, false);
        Ok(())
    }

    fn digits(&mut self) -> usize {
        let start = self.at;
        while let Some(b'0'..=b'9') = self.bytes.get(self.at) {
            self.at += 1;
        }
        self.at - start
    }
}

fn locate(source: &[u8], offset: usize, reason: Reason, rows: &[Row]) -> SyntaxError {
    let before = String::from_utf8_lossy(source.get(..offset).unwrap_or(source));
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    let _ = rows;
    SyntaxError { reason, offset, line, column, expression: String::from("$this") }
}

/// Resolves the escapes of a string that was scanned.
pub(super) fn unescape(raw: &str) -> String {
    let mut text = String::with_capacity(raw.len());
    let mut rest = raw;
    while let Some((plain, escape)) = rest.split_once('\\') {
        text.push_str(plain);
        rest = unescape_one(escape, &mut text);
    }
    text.push_str(rest);
    text
}

fn unescape_one<'r>(escape: &'r str, text: &mut String) -> &'r str {
    let (character, used) = match escape.as_bytes().first() {
        Some(b'n') => ('\n', 1),
        Some(b't') => ('\t', 1),
        Some(b'r') => ('\r', 1),
        Some(b'b') => ('\u{8}', 1),
        Some(b'f') => ('\u{c}', 1),
        Some(b'u') => unescape_unicode(escape),
        Some(other) => (char::from(*other), 1),
        None => return escape,
    };
    text.push(character);
    escape.get(used..).unwrap_or_default()
}

fn unescape_unicode(escape: &str) -> (char, usize) {
    let unit = |from: usize| escape.get(from..from + 4).and_then(|digits| u32::from_str_radix(digits, 16).ok()).unwrap_or(0);
    let first = unit(1);
    if (0xD800..0xDC00).contains(&first) {
        let code = 0x1_0000 + ((first - 0xD800) << 10) + (unit(7).wrapping_sub(0xDC00) & 0x3FF);
        return (char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER), 11);
    }
    (char::from_u32(first).unwrap_or(char::REPLACEMENT_CHARACTER), 5)
}
