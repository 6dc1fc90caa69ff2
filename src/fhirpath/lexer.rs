//! Text to tokens (the lexical part of the N1 grammar).

use std::borrow::Cow;

use super::error::ParseError;

/// One token.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Token<'s> {
    /// A name or a word of the grammar; the parser tells which.
    Word(&'s str),
    /// A name between back quotes.
    Delimited(Cow<'s, str>),
    /// A text between single quotes.
    Text(Cow<'s, str>),
    /// Digits, perhaps with a point.
    Number(&'s str),
    /// A date or moment, without `@`.
    Date(&'s str),
    /// A time of day, without `@T`.
    Time(&'s str),
    /// `%name`, `` %`name` `` or `%'name'`.
    External(Cow<'s, str>),
    /// `$this`, `$index`, `$total`, without `$`.
    Special(&'s str),
    /// An operator or bracket.
    Mark(&'static str),
    End,
}

/// Longer marks before the shorter ones they begin with.
const MARKS: &[&str] =
    &["<=", ">=", "!=", "!~", "(", ")", "[", "]", "{", "}", ".", ",", "+", "-", "*", "/", "|", "&", "=", "~", "<", ">"];

/// Reads tokens one after another.
pub(super) struct Lexer<'s> {
    source: &'s str,
    at: usize,
}

impl<'s> Lexer<'s> {
    pub(super) fn new(source: &'s str) -> Self {
        Self { source, at: 0 }
    }

    /// The next token and where it begins.
    pub(super) fn next(&mut self) -> Result<(Token<'s>, usize), ParseError> {
        self.skip_blanks()?;
        let start = self.at;
        let Some(first) = self.rest().chars().next() else { return Ok((Token::End, start)) };
        let token = match first {
            'a'..='z' | 'A'..='Z' | '_' => Token::Word(self.word()),
            '0'..='9' => Token::Number(self.number()),
            '\'' => Token::Text(self.quoted('\'')?),
            '`' => Token::Delimited(self.quoted('`')?),
            '@' => self.date()?,
            '%' => self.external()?,
            '$' => {
                self.at += 1;
                Token::Special(self.word())
            }
            _ => self.mark(start)?,
        };
        Ok((token, start))
    }

    fn rest(&self) -> &'s str {
        self.source.get(self.at..).unwrap_or_default()
    }

    fn taken(&mut self, belongs: impl Fn(char) -> bool) -> &'s str {
        let rest = self.rest();
        let end = rest.find(|character| !belongs(character)).unwrap_or(rest.len());
        self.at += end;
        rest.get(..end).unwrap_or_default()
    }

    fn skip_blanks(&mut self) -> Result<(), ParseError> {
        loop {
            self.taken(|character| matches!(character, ' ' | '\t' | '\r' | '\n'));
            let start = self.at;
            if self.rest().starts_with("//") {
                self.taken(|character| character != '\n');
            } else if self.rest().starts_with("/*") {
                let Some(end) = self.rest().find("*/") else { return Err(error(start, "the comment does not end")) };
                self.at += end + 2;
            } else {
                return Ok(());
            }
        }
    }

    fn word(&mut self) -> &'s str {
        self.taken(|character| character.is_ascii_alphanumeric() || character == '_')
    }

    fn number(&mut self) -> &'s str {
        let start = self.at;
        self.taken(|character| character.is_ascii_digit());
        let mut ahead = self.rest().chars();
        if ahead.next() == Some('.') && ahead.next().is_some_and(|character| character.is_ascii_digit()) {
            self.at += 1;
            self.taken(|character| character.is_ascii_digit());
        }
        self.source.get(start..self.at).unwrap_or_default()
    }

    fn mark(&mut self, start: usize) -> Result<Token<'s>, ParseError> {
        let found = MARKS.iter().find(|mark| self.rest().starts_with(**mark));
        let Some(mark) = found else { return Err(error(start, "a character that cannot stand here")) };
        self.at += mark.len();
        Ok(Token::Mark(mark))
    }

    fn date(&mut self) -> Result<Token<'s>, ParseError> {
        let start = self.at;
        self.at += 1;
        let is_time = self.rest().starts_with('T');
        if is_time {
            self.at += 1;
            return Ok(Token::Time(self.clock()));
        }
        let begin = self.at;
        self.taken(|character| character.is_ascii_digit() || character == '-');
        if self.rest().starts_with('T') {
            self.at += 1;
            self.clock();
            self.offset();
        }
        let text = self.source.get(begin..self.at).unwrap_or_default();
        if text.is_empty() { Err(error(start, "a date must follow @")) } else { Ok(Token::Date(text)) }
    }

    fn clock(&mut self) -> &'s str {
        let start = self.at;
        self.taken(|character| character.is_ascii_digit() || character == ':');
        let mut ahead = self.rest().chars();
        if ahead.next() == Some('.') && ahead.next().is_some_and(|character| character.is_ascii_digit()) {
            self.at += 1;
            self.taken(|character| character.is_ascii_digit());
        }
        self.source.get(start..self.at).unwrap_or_default()
    }

    /// `Z`, or a sign with hours and minutes; a sign with anything else is an operator.
    fn offset(&mut self) {
        let rest = self.rest().as_bytes();
        if rest.first() == Some(&b'Z') {
            self.at += 1;
        } else if let Some([b'+' | b'-', a, b, b':', c, d]) = rest.get(..6)
            && [a, b, c, d].iter().all(|digit| digit.is_ascii_digit())
        {
            self.at += 6;
        }
    }

    fn external(&mut self) -> Result<Token<'s>, ParseError> {
        let start = self.at;
        self.at += 1;
        let name = match self.rest().chars().next() {
            Some(quote @ ('\'' | '`' | '"')) => self.quoted(quote)?,
            // `%vs-name` is written without quotes too.
            _ => Cow::Borrowed(self.taken(|character| character.is_ascii_alphanumeric() || matches!(character, '_' | '-'))),
        };
        if name.is_empty() { Err(error(start, "a name must follow %")) } else { Ok(Token::External(name)) }
    }

    fn quoted(&mut self, quote: char) -> Result<Cow<'s, str>, ParseError> {
        let start = self.at;
        self.at += 1;
        let mut text = Cow::Borrowed("");
        loop {
            let plain = self.taken(|character| character != quote && character != '\\');
            if text.is_empty() {
                text = Cow::Borrowed(plain);
            } else {
                text.to_mut().push_str(plain);
            }
            if self.rest().starts_with(quote) {
                self.at += 1;
                return Ok(text);
            }
            if self.rest().is_empty() {
                return Err(error(start, "the quoted text does not end"));
            }
            let character = self.escape()?;
            text.to_mut().push(character);
        }
    }

    fn escape(&mut self) -> Result<char, ParseError> {
        let start = self.at;
        self.at += 1;
        let escaped = self.rest().chars().next();
        self.at += escaped.map_or(0, char::len_utf8);
        Ok(match escaped {
            Some(plain @ ('\'' | '"' | '`' | '\\' | '/')) => plain,
            Some('n') => '\n',
            Some('r') => '\r',
            Some('t') => '\t',
            Some('f') => '\u{c}',
            Some('u') => {
                let digits = self.rest().get(..4).filter(|digits| digits.bytes().all(|digit| digit.is_ascii_hexdigit()));
                let code = digits.and_then(|digits| u32::from_str_radix(digits, 16).ok()).and_then(char::from_u32);
                self.at += 4;
                return code.ok_or_else(|| error(start, "an escape that is none"));
            }
            _ => return Err(error(start, "an escape that is none")),
        })
    }
}

fn error(offset: usize, message: &str) -> ParseError {
    ParseError { offset, message: message.to_owned() }
}
