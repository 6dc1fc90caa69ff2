//! `htmlChecks()`: the rules for a narrative that its text alone decides (R4 narrative.html, txt-1 and txt-2): one XHTML
//! `div`, well nested, formatting elements and attributes only, and something to see in it.

use super::{Attempt, Call, Evaluator};

const XHTML: &str = "http://www.w3.org/1999/xhtml";

/// The formatting elements of HTML 4.0 chapters 7 to 11 and 15, links by name or href, and images.
const ELEMENTS: &[&str] = &[
    "a",
    "abbr",
    "acronym",
    "address",
    "area",
    "b",
    "bdo",
    "big",
    "blockquote",
    "br",
    "caption",
    "cite",
    "code",
    "col",
    "colgroup",
    "dd",
    "del",
    "dfn",
    "div",
    "dl",
    "dt",
    "em",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "hr",
    "i",
    "img",
    "ins",
    "kbd",
    "li",
    "map",
    "ol",
    "p",
    "pre",
    "q",
    "s",
    "samp",
    "small",
    "span",
    "strike",
    "strong",
    "sub",
    "sup",
    "table",
    "tbody",
    "td",
    "tfoot",
    "th",
    "thead",
    "tr",
    "tt",
    "u",
    "ul",
    "var",
];

const ATTRIBUTES: &[&str] = &[
    "abbr",
    "accesskey",
    "align",
    "alt",
    "axis",
    "bgcolor",
    "border",
    "cellhalign",
    "cellpadding",
    "cellspacing",
    "cellvalign",
    "char",
    "charoff",
    "charset",
    "cite",
    "class",
    "color",
    "colspan",
    "compact",
    "coords",
    "dir",
    "frame",
    "headers",
    "height",
    "href",
    "hreflang",
    "hspace",
    "id",
    "idref",
    "lang",
    "longdesc",
    "name",
    "nohref",
    "noshade",
    "nowrap",
    "rel",
    "rev",
    "rowspan",
    "rules",
    "scope",
    "shape",
    "size",
    "span",
    "src",
    "start",
    "style",
    "summary",
    "tabindex",
    "title",
    "type",
    "usemap",
    "valign",
    "value",
    "vspace",
    "width",
    "xml:lang",
    "xml:space",
    "xmlns",
];

impl<'t> Evaluator<'t> {
    pub(super) fn html_checks(&self, call: Call<'_, 't>) -> Attempt<Option<bool>> {
        let Some(item) = self.one(call.base, call.scope)? else { return Ok(None) };
        let text = self.text_of(&item);
        // The invariants stand on Narrative.div; asked of a Narrative, its div is meant.
        let text = match &text {
            Some(text) => text.clone(),
            None => {
                let div = item.element().and_then(|element| element.value()).and_then(|node| node.member("div"));
                match div.and_then(|div| div.string()) {
                    Some(text) => text,
                    None => return Ok(None),
                }
            }
        };
        self.charge(call.at, 1 + text.len() / 8)?;
        Ok(Some(is_narrative(&text)))
    }
}

fn is_narrative(text: &str) -> bool {
    let mut reader = Reader { rest: text.trim(), open: Vec::new(), has_content: false };
    reader.read().is_some() && reader.open.is_empty() && reader.has_content
}

struct Reader<'s> {
    rest: &'s str,
    open: Vec<&'s str>,
    has_content: bool,
}

impl<'s> Reader<'s> {
    /// `None` at the first thing that must not be.
    fn read(&mut self) -> Option<()> {
        let root = self.tag()?;
        if root != "div" {
            return None;
        }
        while !self.open.is_empty() {
            let (content, _) = self.rest.split_once('<')?;
            self.has_content |= has_visible_text(content)?;
            self.rest = self.rest.get(content.len()..)?;
            if let Some(comment) = self.rest.strip_prefix("<!--") {
                self.rest = comment.split_once("-->")?.1;
            } else if let Some(closing) = self.rest.strip_prefix("</") {
                let (name, rest) = closing.split_once('>')?;
                (self.open.pop()? == name.trim_end()).then_some(())?;
                self.rest = rest;
            } else {
                self.has_content |= self.tag()? == "img";
            }
        }
        self.rest.trim().is_empty().then_some(())
    }

    /// An opening tag: its name.
    fn tag(&mut self) -> Option<&'s str> {
        let rest = self.rest.strip_prefix('<')?;
        let end = rest.find(|character: char| !character.is_ascii_alphanumeric() && character != ':')?;
        let (name, mut rest) = (rest.get(..end)?, rest.get(end..)?);
        ELEMENTS.contains(&name).then_some(())?;
        let mut has_namespace = !self.open.is_empty();
        loop {
            rest = rest.trim_start();
            if let Some(after) = rest.strip_prefix("/>") {
                self.rest = after;
                return has_namespace.then_some(name);
            }
            if let Some(after) = rest.strip_prefix('>') {
                self.rest = after;
                self.open.push(name);
                return has_namespace.then_some(name);
            }
            let (attribute, value, after) = attribute(rest)?;
            has_namespace |= attribute == "xmlns" && value == XHTML;
            rest = after;
        }
    }
}

/// `name="value"` and what follows it.
fn attribute(text: &str) -> Option<(&str, &str, &str)> {
    let (name, rest) = text.split_once('=')?;
    let name = name.trim_end();
    (ATTRIBUTES.contains(&name) || name.starts_with("xmlns:")).then_some(())?;
    let rest = rest.trim_start();
    let quote = rest.chars().next().filter(|quote| matches!(quote, '"' | '\''))?;
    let (value, rest) = rest.get(1..)?.split_once(quote)?;
    let is_script = value.trim_start().get(..11).is_some_and(|scheme| scheme.eq_ignore_ascii_case("javascript:"));
    (!value.contains('<') && !is_script).then_some((name, value, rest))
}

/// Whether there is more than blanks; `None` where an ampersand begins no entity.
fn has_visible_text(content: &str) -> Option<bool> {
    for entity in content.split('&').skip(1) {
        let (name, _) = entity.split_once(';')?;
        let name = name.strip_prefix('#').unwrap_or(name);
        (!name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric())).then_some(())?;
    }
    Some(!content.trim().is_empty())
}

#[cfg(test)]
mod tests {
    use super::is_narrative;

    #[test]
    fn a_narrative_is_one_xhtml_div_with_formatting_and_content() {
        let table = [
            (r#"<div xmlns="http://www.w3.org/1999/xhtml"><p>Text &amp; <b>more</b><br/></p></div>"#, true),
            (r#"<div xmlns='http://www.w3.org/1999/xhtml'><!-- note --><img src="a.png" alt="a"/></div>"#, true),
            (r#"<div xmlns="http://www.w3.org/1999/xhtml"> <p> </p></div>"#, false),
            (r#"<div><p>Text</p></div>"#, false),
            (r#"<p xmlns="http://www.w3.org/1999/xhtml">Text</p>"#, false),
            (r#"<div xmlns="http://www.w3.org/1999/xhtml"><script>x</script></div>"#, false),
            (r#"<div xmlns="http://www.w3.org/1999/xhtml"><p onclick="x">Text</p></div>"#, false),
            (r#"<div xmlns="http://www.w3.org/1999/xhtml"><a href="JavaScript:x()">Text</a></div>"#, false),
            (r#"<div xmlns="http://www.w3.org/1999/xhtml"><p>Text</div>"#, false),
            (r#"<div xmlns="http://www.w3.org/1999/xhtml">Text</div><div>more</div>"#, false),
            (r#"<div xmlns="http://www.w3.org/1999/xhtml">A & B</div>"#, false),
            ("", false),
            ("Text", false),
        ];
        for (text, expected) in table {
            assert_eq!(is_narrative(text), expected, "{text}");
        }
    }
}
