//! Rust source as far as the rules need it: comments, literals and test modules blanked out, tokens with their lines.

/// The same text with every comment and every string or character literal replaced by blanks, lines kept.
pub(super) fn without_literals(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = bytes.to_vec();
    let mut at = 0;
    while at < bytes.len() {
        let end = end_of_blank(bytes, at);
        if end > at {
            out[at..end].iter_mut().filter(|byte| **byte != b'\n').for_each(|byte| *byte = b' ');
            at = end;
        } else {
            at += 1;
            // An identifier is stepped over whole, so that the `r` of `for"` is not taken for a raw string.
            while is_word(bytes[at - 1]) && at < bytes.len() && is_word(bytes[at]) && end_of_blank(bytes, at) == at {
                at += 1;
            }
        }
    }
    String::from_utf8(out).unwrap()
}

/// Where the comment or literal that starts at `at` ends; `at` where none starts there.
fn end_of_blank(bytes: &[u8], at: usize) -> usize {
    let rest = &bytes[at..];
    let after_word = at > 0 && is_word(bytes[at - 1]);
    if rest.starts_with(b"//") {
        return at + rest.iter().position(|byte| *byte == b'\n').unwrap_or(rest.len());
    }
    if rest.starts_with(b"/*") {
        return at + end_of_block_comment(rest);
    }
    if rest.starts_with(b"\"") || (!after_word && rest.starts_with(b"b\"")) {
        return at + end_of_quoted(rest, b'"');
    }
    if !after_word && (rest.starts_with(b"r") || rest.starts_with(b"br")) {
        return at + end_of_raw(rest);
    }
    if rest.starts_with(b"'") {
        return at + end_of_character(rest);
    }
    at
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte >= 0x80
}

fn end_of_block_comment(rest: &[u8]) -> usize {
    let mut depth = 0;
    let mut at = 0;
    while at < rest.len() {
        if rest[at..].starts_with(b"/*") {
            depth += 1;
            at += 2;
        } else if rest[at..].starts_with(b"*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return at;
            }
        } else {
            at += 1;
        }
    }
    rest.len()
}

fn end_of_quoted(rest: &[u8], quote: u8) -> usize {
    let mut at = rest.iter().position(|byte| *byte == quote).unwrap() + 1;
    while at < rest.len() && rest[at] != quote {
        at += if rest[at] == b'\\' { 2 } else { 1 };
    }
    (at + 1).min(rest.len())
}

fn end_of_raw(rest: &[u8]) -> usize {
    let mark = rest.iter().position(|byte| *byte == b'r').unwrap() + 1;
    let hashes = rest[mark..].iter().take_while(|byte| **byte == b'#').count();
    if rest.get(mark + hashes) != Some(&b'"') {
        return 0;
    }
    let close: Vec<u8> = std::iter::once(b'"').chain(std::iter::repeat_n(b'#', hashes)).collect();
    let body = mark + hashes + 1;
    rest[body..].windows(close.len()).position(|window| window == close).map_or(rest.len(), |end| body + end + close.len())
}

/// A lifetime is no literal.
fn end_of_character(rest: &[u8]) -> usize {
    let text = String::from_utf8_lossy(rest);
    let mut characters = text.char_indices().skip(1);
    match characters.next() {
        Some((_, '\\')) => end_of_quoted(rest, b'\''),
        Some(_) => match characters.next() {
            Some((at, '\'')) => at + 1,
            _ => 0,
        },
        None => 0,
    }
}

/// The same text, already without literals, with every item under `#[cfg(test)]` blanked out, lines kept.
pub(super) fn without_tests(text: &str) -> String {
    let mut out = text.to_owned();
    while let Some(start) = out.find("#[cfg(test)]") {
        let end = end_of_item(&out, start + "#[cfg(test)]".len());
        let blank: String = out[start..end].chars().filter(|c| *c == '\n').collect();
        out.replace_range(start..end, &blank);
    }
    out
}

/// Where the item that starts at `from` ends: at its `;` or at the brace that closes it.
fn end_of_item(text: &str, from: usize) -> usize {
    let mut depth = 0;
    for (at, character) in text[from..].char_indices() {
        match character {
            ';' if depth == 0 => return from + at + 1,
            '{' => depth += 1,
            '}' => {
                depth -= 1;
                if depth == 0 {
                    return from + at + 1;
                }
            }
            _ => {}
        }
    }
    text.len()
}

/// A word or a sign of the source, with the line it stands on, from 1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Token<'s> {
    pub(super) text: &'s str,
    pub(super) line: usize,
}

/// The tokens of a text without literals: words, `::`, and single signs.
pub(super) fn tokens(text: &str) -> Vec<Token<'_>> {
    let mut found = Vec::new();
    for (number, line) in text.lines().enumerate() {
        let mut rest = line.trim_start();
        while let Some(first) = rest.chars().next() {
            let length = if first.is_alphanumeric() || first == '_' {
                rest.find(|c: char| !(c.is_alphanumeric() || c == '_')).unwrap_or(rest.len())
            } else if rest.starts_with("::") {
                2
            } else {
                first.len_utf8()
            };
            found.push(Token { text: &rest[..length], line: number + 1 });
            rest = rest[length..].trim_start();
        }
    }
    found
}

#[test]
fn comments_and_literals_are_not_source() {
    let text = "let a = \"crate::x\"; // crate::y\n/* crate::z /* nested */ */ let b = r#\"crate::\"w\"#; let c = b\"//\"; 'a' '\\'' &'s";
    let blanked = without_literals(text);
    assert_eq!(blanked.split_whitespace().collect::<Vec<_>>().join(" "), "let a = ; let b = ; let c = ; &'s");
    assert_eq!(blanked.lines().count(), 2);
}

#[test]
fn an_identifier_that_ends_in_r_does_not_start_a_raw_string() {
    assert_eq!(without_literals("for r in rows { br.x }"), "for r in rows { br.x }");
}

#[test]
fn test_modules_are_blanked_and_what_follows_is_kept() {
    let text = "fn a() {}\n#[cfg(test)]\nmod tests {\n    fn b() { if x {} }\n}\nfn c() {}\n#[cfg(test)]\nmod more;\nfn d() {}";
    let kept = without_tests(text);
    assert!(kept.contains("fn a") && kept.contains("fn c") && kept.contains("fn d"));
    assert!(!kept.contains("fn b") && !kept.contains("more"));
    assert_eq!(kept.lines().count(), text.lines().count());
}

#[test]
fn tokens_know_their_line() {
    let found = tokens("use crate::a;\n{b}");
    let texts: Vec<_> = found.iter().map(|token| token.text).collect();
    assert_eq!(texts, ["use", "crate", "::", "a", ";", "{", "b", "}"]);
    assert_eq!(found[6].line, 2);
}
