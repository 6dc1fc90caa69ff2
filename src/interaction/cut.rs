//! Which strings of a resource are content that rests outside the database: every `data` that is too long for it, be it that of a
//! Binary, of an Attachment, of a Signature or of SampledData. Since a hole is filled with the very text that was cut out, its
//! element need not be known.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;

use crate::fhir::Part;
use crate::fhir::json::{JsonKind, Node, Tree};
use crate::store::{Form, Naming, Staged, Text};

/// The member whose string may be content.
const DATA: &str = "data";
/// What stands around a number in place of a content while the resource is written. No JSON string holds it unescaped.
const MARK: u8 = 1;
/// The length of the quotes around a string.
const QUOTES_LEN: usize = 2;

/// The contents of one resource that rest outside the database.
#[derive(Debug, Default)]
pub(super) struct Cuts {
    /// By the index of their node.
    pieces: BTreeMap<u32, (Staged, Form)>,
}

/// What is to be stored of a resource.
#[derive(Debug)]
pub(super) struct Cut {
    pub(super) text: Text,
    pub(super) content: Naming,
}

impl Cuts {
    /// Those of `tree` that are longer than `inline_bytes`. `staged` stands for the data of a Binary whose content is not in the
    /// tree.
    pub(super) fn of(tree: &Tree<'_>, inline_bytes: usize, staged: Option<&Staged>) -> Self {
        if let Some(staged) = staged {
            let data = tree.root().member(DATA).map(|node| (node.index(), (staged.clone(), Form::Base64)));
            return Self { pieces: data.into_iter().collect() };
        }
        let longest = inline_bytes.div_ceil(3) * 4 + QUOTES_LEN;
        if tree.source().len() <= longest {
            return Self::default();
        }
        let is_long = |node: &Node<'_>| node.kind() == JsonKind::String && node.span().len() > longest && node.is_named(DATA);
        Self { pieces: tree.nodes().filter(is_long).map(|node| (node.index(), piece(node.raw()))).collect() }
    }

    /// What is written in place of `node` for now.
    pub(super) fn mark(&self, node: Node<'_>) -> Option<String> {
        let mark = char::from(MARK);
        self.pieces.contains_key(&node.index()).then(|| format!("\"{mark}{}{mark}\"", node.index()))
    }

    /// The text that rests in the dossier `part`, once the resource was written as `marked`.
    pub(super) fn cut(self, marked: Vec<u8>, part: Part) -> Cut {
        if self.pieces.is_empty() {
            return Cut { text: Text::from(Bytes::from(marked)), content: Naming::default() };
        }
        let (mut json, mut holes) = (Vec::with_capacity(marked.len()), Vec::with_capacity(self.pieces.len()));
        for (turn, stretch) in marked.split(|byte| *byte == MARK).enumerate() {
            // Marks come in pairs, so every second stretch is the number between two of them.
            if turn % 2 == 0 {
                json.extend_from_slice(stretch);
                continue;
            }
            let index = std::str::from_utf8(stretch).ok().and_then(|number| number.parse().ok());
            if let Some((staged, form)) = index.and_then(|index: u32| self.pieces.get(&index)) {
                holes.push(staged.hole(json.len(), *form, part));
            }
        }
        let content = self.pieces.into_values().map(|(staged, _)| staged).collect::<Vec<_>>();
        Cut { text: Text::with_holes(json, holes), content: Naming::from(content) }
    }
}

/// The content of a string as written, with its quotes. Only what is base64 exactly as we write it is kept as the bytes it
/// stands for: what was cut out must come back as it was.
fn piece(raw: &str) -> (Staged, Form) {
    let text = raw.get(1..raw.len() - 1).unwrap_or_default();
    match STANDARD.decode(text) {
        Ok(bytes) => (Staged::of(Bytes::from(bytes)), Form::Base64),
        Err(_) => (Staged::of(Bytes::copy_from_slice(text.as_bytes())), Form::Verbatim),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fhir::json::{Stamp, stamped};
    use crate::fhir::{Instant, VersionId};

    const INLINE: usize = 30;

    fn cut(json: &str, staged: Option<&Staged>) -> Cut {
        let tree = Tree::parse(json.as_bytes()).unwrap();
        let cuts = Cuts::of(&tree, INLINE, staged);
        let id = "b".parse().unwrap();
        let stamp = Stamp { id: &id, version: VersionId(1), updated: Instant::from_micros(0) };
        let marked = stamped(tree.root(), &stamp, &|node| cuts.mark(node));
        cuts.cut(marked, Part(3))
    }

    fn shown(cut: &Cut) -> (String, Vec<(usize, u64, Form)>) {
        let json = String::from_utf8(cut.text.json().to_vec()).unwrap();
        (json, cut.text.holes().iter().map(|hole| (hole.at(), hole.size(), hole.form())).collect())
    }

    #[test]
    fn long_data_leaves_an_empty_string_behind_and_nothing_else_changes() {
        let long = STANDARD.encode([7; INLINE + 1]);
        let (json, holes) = shown(&cut(&format!(r#"{{"a":["{long}"],"b":[{{"data":"{long}","c":1}}],"data":"aGk="}}"#), None));
        let meta = r#""id":"b","meta":{"versionId":"1","lastUpdated":"1970-01-01T00:00:00.000000Z"}"#;
        assert_eq!(json, format!(r#"{{{meta},"a":["{long}"],"b":[{{"data":"","c":1}}],"data":"aGk="}}"#));
        assert_eq!(holes, [(json.find(r#"","c""#).unwrap(), INLINE as u64 + 1, Form::Base64)]);
    }

    #[test]
    fn data_as_long_as_the_database_takes_stays() {
        let fits = STANDARD.encode([7; INLINE]);
        assert!(cut(&format!(r#"{{"data":"{fits}"}}"#), None).text.holes().is_empty());
    }

    #[test]
    fn data_that_we_would_not_write_like_this_is_kept_as_it_is_written() {
        let long = STANDARD.encode([0xFF; INLINE + 1]);
        let escaped = long.replace('/', "\\/");
        for text in [escaped, format!("{long} "), format!("{}\\n{}", &long[..4], &long[4..])] {
            let (_, holes) = shown(&cut(&format!(r#"{{"data":"{text}"}}"#), None));
            assert_eq!(holes.len(), 1);
            assert_eq!((holes[0].1, holes[0].2), (text.len() as u64, Form::Verbatim));
        }
    }

    #[test]
    fn holes_stand_in_the_order_of_what_is_stored_not_of_what_was_sent() {
        let (one, two) = (STANDARD.encode([1; INLINE + 1]), STANDARD.encode([2; INLINE + 4]));
        let sent = format!(r#"{{"x":{{"data":"{one}"}},"meta":{{"extension":[{{"data":"{two}"}}]}}}}"#);
        let sizes: Vec<u64> = cut(&sent, None).text.holes().iter().map(|hole| hole.size()).collect();
        assert_eq!(sizes, [INLINE as u64 + 4, INLINE as u64 + 1]);
    }

    #[test]
    fn content_that_came_on_its_own_takes_the_place_of_the_data() {
        let staged = Staged::of(Bytes::from_static(b"any"));
        let (json, holes) = shown(&cut(r#"{"contentType":"a/b","data":"AAAA"}"#, Some(&staged)));
        assert!(json.ends_with(r#""contentType":"a/b","data":""}"#), "{json}");
        assert_eq!(holes, [(json.len() - 2, 3, Form::Base64)]);
    }
}
