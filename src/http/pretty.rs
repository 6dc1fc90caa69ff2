//! `_pretty=true`: the same JSON with line breaks (R4 http.html §pretty).

const INDENT: &[u8] = b"  ";

/// `compact`, JSON without blanks, with a line for every member and item.
pub(super) fn pretty(compact: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(compact.len() * 2);
    let mut depth = 0usize;
    let mut bytes = compact.iter().copied();
    while let Some(byte) = bytes.next() {
        match byte {
            b'"' => copy_string(&mut bytes, &mut out),
            b'{' | b'[' => {
                depth += 1;
                out.push(byte);
                new_line(depth, &mut out);
            }
            b'}' | b']' => {
                depth = depth.saturating_sub(1);
                new_line(depth, &mut out);
                out.push(byte);
            }
            b',' => {
                out.push(byte);
                new_line(depth, &mut out);
            }
            b':' => out.extend(b": "),
            _ => out.push(byte),
        }
    }
    out.push(b'\n');
    out
}

fn new_line(depth: usize, out: &mut Vec<u8>) {
    out.push(b'\n');
    for _ in 0..depth {
        out.extend(INDENT);
    }
}

/// Copies a string whose first quote has been read, quotes included.
fn copy_string(bytes: &mut impl Iterator<Item = u8>, out: &mut Vec<u8>) {
    out.push(b'"');
    let mut is_escaped = false;
    for byte in bytes {
        out.push(byte);
        match byte {
            b'"' if !is_escaped => return,
            b'\\' => is_escaped = !is_escaped,
            _ => is_escaped = false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pretty_json_means_the_same_and_has_lines() {
        let compact = br#"{"a":[{"b":"x,{\"}:\\"},1.50],"c":true}"#;
        let text = String::from_utf8(pretty(compact)).unwrap();
        assert_eq!(text, "{\n  \"a\": [\n    {\n      \"b\": \"x,{\\\"}:\\\\\"\n    },\n    1.50\n  ],\n  \"c\": true\n}\n");
    }
}
