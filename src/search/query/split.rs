//! Values taken apart: commas, bars and dollars separate, a backslash takes that from them (R4 search.html §escaping).

/// A part of a value as it was written, with where it began.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Piece<'v> {
    /// Still escaped.
    pub(super) raw: &'v str,
    /// The character of the whole value at which it begins, from 1.
    pub(super) position: usize,
}

impl<'v> Piece<'v> {
    pub(super) fn whole(value: &'v str) -> Self {
        Self { raw: value, position: 1 }
    }

    /// The parts between unescaped `separator`s, empty ones too.
    pub(super) fn split(self, separator: u8) -> impl Iterator<Item = Piece<'v>> {
        let mut rest = Some(self);
        std::iter::from_fn(move || {
            let piece = rest.take()?;
            let Some(at) = find_unescaped(piece.raw, separator) else { return Some(piece) };
            let (head, tail) = (piece.raw.get(..at)?, piece.raw.get(at + 1..)?);
            rest = Some(Piece { raw: tail, position: piece.position + head.chars().count() + 1 });
            Some(Piece { raw: head, position: piece.position })
        })
    }

    /// The parts before and after the first unescaped `separator`.
    pub(super) fn split_once(self, separator: u8) -> Option<(Piece<'v>, Piece<'v>)> {
        let at = find_unescaped(self.raw, separator)?;
        let (head, tail) = (self.raw.get(..at)?, self.raw.get(at + 1..)?);
        let position = self.position + head.chars().count() + 1;
        Some((Piece { raw: head, ..self }, Piece { raw: tail, position }))
    }

    /// The same piece from its byte `at` on, which stands after ASCII only.
    pub(super) fn skip(self, at: usize) -> Self {
        Self { raw: self.raw.get(at..).unwrap_or_default(), position: self.position + at }
    }

    /// The text meant: `\,` `\|` `\$` and `\\` without their backslash; a backslash before anything else means itself.
    pub(super) fn text(self) -> String {
        if memchr::memchr(b'\\', self.raw.as_bytes()).is_none() {
            return self.raw.to_owned();
        }
        let mut text = String::with_capacity(self.raw.len());
        let mut chars = self.raw.chars().peekable();
        while let Some(c) = chars.next() {
            match (c, chars.peek()) {
                ('\\', Some(',' | '|' | '$' | '\\')) => text.extend(chars.next()),
                _ => text.push(c),
            }
        }
        text
    }
}

fn find_unescaped(raw: &str, separator: u8) -> Option<usize> {
    let mut escaped = false;
    for (at, byte) in raw.bytes().enumerate() {
        match byte {
            b'\\' => escaped = !escaped,
            other if other == separator && !escaped => return Some(at),
            _ => escaped = false,
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn texts(value: &str, separator: u8) -> Vec<(String, usize)> {
        Piece::whole(value).split(separator).map(|piece| (piece.text(), piece.position)).collect()
    }

    #[test]
    fn a_backslash_takes_its_meaning_from_a_separator() {
        assert_eq!(texts("a\\,b,c", b','), [("a,b".into(), 1), ("c".into(), 6)]);
        assert_eq!(texts("é\\\\,b,", b','), [("é\\".into(), 1), ("b".into(), 5), (String::new(), 7)]);
        assert_eq!(texts("a\\|b|c\\$d", b'|'), [("a|b".into(), 1), ("c$d".into(), 6)]);
        assert_eq!(texts("\\x\\", b','), [("\\x\\".into(), 1)]);
    }

    #[test]
    fn a_part_says_where_it_began() {
        let (head, tail) = Piece::whole("sys|code").split_once(b'|').unwrap();
        assert_eq!((head.raw, head.position, tail.raw, tail.position), ("sys", 1, "code", 5));
        assert_eq!(Piece::whole("code").split_once(b'|'), None);
        assert_eq!(tail.skip(2), Piece { raw: "de", position: 7 });
    }

    proptest! {
        #[test]
        fn what_is_escaped_comes_back(parts in prop::collection::vec("[a,|$é\\\\]{0,6}", 1..5)) {
            let escape = |part: &String| {
                part.chars().flat_map(|c| matches!(c, ',' | '|' | '$' | '\\').then_some('\\').into_iter().chain([c])).collect::<String>()
            };
            let value = parts.iter().map(escape).collect::<Vec<_>>().join(",");
            prop_assert_eq!(texts(&value, b',').into_iter().map(|(text, _)| text).collect::<Vec<_>>(), parts);
        }
    }
}
