//! What `sel` says: the part of XPath that RFC 5261 §3 and its schema leave of it, and comparisons with an attribute further in,
//! since that is where FHIR has its values.

use super::document::{Element, Node, Scope, resolved};

/// A path, read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Selector {
    steps: Vec<Step>,
    /// What of the last element is meant.
    pub(super) end: End,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Step {
    /// `None`: any.
    name: Option<Name>,
    predicates: Vec<Predicate>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Name {
    space: String,
    local: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Predicate {
    /// `[2]`
    Position(usize),
    /// `[a/b/@c = 'x']`, `[a = 'x']`, `[. = 'x']`
    Equal { way: Vec<Name>, attribute: Option<String>, value: String },
}

/// What of an element a path means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// The element itself.
    Element,
    /// `@name`
    Attribute(String),
    /// `text()[1]`
    Text(usize),
    /// `comment()[1]`
    Comment(usize),
    /// `processing-instruction('target')[1]`
    Instruction(Option<String>, usize),
    /// `namespace::prefix`
    Namespace(String),
}

/// The positions of the children on the way from the root.
pub(super) type Way = Vec<usize>;

const NO_PATH: &str = "sel is no path of RFC 5261";

impl Selector {
    /// Reads `text`; unprefixed names are of the default namespace of `scope`, as RFC 5261 §4.2.2 has it.
    pub(super) fn read(text: &str, scope: &Scope) -> Result<Self, &'static str> {
        let mut reader = PathReader { rest: text.trim(), scope };
        reader.take("/");
        let (mut steps, mut end) = (Vec::new(), End::Element);
        loop {
            match reader.end()? {
                Some(found) => {
                    end = found;
                    break;
                }
                None => steps.push(reader.step()?),
            }
            if !reader.take("/") {
                break;
            }
        }
        if !reader.rest.trim().is_empty() || steps.is_empty() {
            return Err(NO_PATH);
        }
        Ok(Self { steps, end })
    }

    /// The one element that the steps lead to.
    pub(super) fn locate(&self, root: &Element) -> Result<Way, &'static str> {
        let Some((first, others)) = self.steps.split_first() else { return Err(NO_PATH) };
        let mut ways: Vec<(Way, &Element)> = filtered(vec![(Way::new(), root)], first);
        for step in others {
            let next = ways.into_iter().flat_map(|(way, element)| {
                let children = element.elements().map(|(at, child)| ([&way[..], &[at]].concat(), child)).collect();
                filtered(children, step)
            });
            ways = next.collect();
        }
        let mut ways = ways.into_iter();
        match (ways.next(), ways.next()) {
            (Some((way, _)), None) => Ok(way),
            (None, _) => Err("sel locates nothing"),
            (Some(_), Some(_)) => Err("sel locates several nodes"),
        }
    }
}

/// Those of `candidates`, the children of one element, that `step` names.
fn filtered<'e>(candidates: Vec<(Way, &'e Element)>, step: &Step) -> Vec<(Way, &'e Element)> {
    let is_named = |element: &Element| step.name.as_ref().is_none_or(|name| name.is_of(element));
    let mut found: Vec<(Way, &Element)> = candidates.into_iter().filter(|(_, element)| is_named(element)).collect();
    for predicate in &step.predicates {
        found = match predicate {
            Predicate::Position(position) => found.into_iter().skip(position - 1).take(1).collect(),
            Predicate::Equal { way, attribute, value } => {
                found.into_iter().filter(|(_, element)| has(element, way, attribute.as_deref(), value)).collect()
            }
        };
    }
    found
}

fn has(element: &Element, way: &[Name], attribute: Option<&str>, value: &str) -> bool {
    match (way.split_first(), attribute) {
        (Some((name, rest)), _) => element.elements().any(|(_, child)| name.is_of(child) && has(child, rest, attribute, value)),
        (None, Some(attribute)) => element.attribute(attribute).as_deref() == Some(value),
        (None, None) => element.text() == value,
    }
}

impl Name {
    fn is_of(&self, element: &Element) -> bool {
        element.space == self.space && element.local() == self.local
    }
}

/// The element at `way`.
pub(super) fn at<'e>(root: &'e mut Element, way: &[usize]) -> Option<&'e mut Element> {
    way.iter().try_fold(root, |element, at| match element.children.get_mut(*at)? {
        Node::Element(child) => Some(child),
        _ => None,
    })
}

struct PathReader<'p> {
    rest: &'p str,
    scope: &'p Scope,
}

impl<'p> PathReader<'p> {
    fn take(&mut self, token: &str) -> bool {
        match self.rest.trim_start().strip_prefix(token) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    fn expect(&mut self, token: &str) -> Result<(), &'static str> {
        if self.take(token) { Ok(()) } else { Err(NO_PATH) }
    }

    /// The end of a path that is no element; `None`: a step follows.
    fn end(&mut self) -> Result<Option<End>, &'static str> {
        Ok(Some(if self.take("@") {
            End::Attribute(self.word()?.to_owned())
        } else if self.take("text()") {
            End::Text(self.position()?)
        } else if self.take("comment()") {
            End::Comment(self.position()?)
        } else if self.take("processing-instruction(") {
            let target = if self.rest.trim_start().starts_with(')') { None } else { Some(self.literal()?) };
            self.expect(")")?;
            End::Instruction(target, self.position()?)
        } else if self.take("namespace::") {
            End::Namespace(self.word()?.to_owned())
        } else {
            return Ok(None);
        }))
    }

    fn step(&mut self) -> Result<Step, &'static str> {
        let name = if self.take("*") { None } else { Some(self.name()?) };
        let mut predicates = Vec::new();
        while self.take("[") {
            predicates.push(self.predicate()?);
            self.expect("]")?;
        }
        Ok(Step { name, predicates })
    }

    fn predicate(&mut self) -> Result<Predicate, &'static str> {
        if self.rest.trim_start().starts_with(|c: char| c.is_ascii_digit()) {
            return Ok(Predicate::Position(self.number()?));
        }
        let (mut way, mut attribute) = (Vec::new(), None);
        if !self.take(".") && !self.take("text()") {
            loop {
                if self.take("@") {
                    attribute = Some(self.word()?.to_owned());
                    break;
                }
                way.push(self.name()?);
                if !self.take("/") {
                    break;
                }
            }
        }
        self.expect("=")?;
        Ok(Predicate::Equal { way, attribute, value: self.literal()? })
    }

    /// The position after a node test, the first where none is given.
    fn position(&mut self) -> Result<usize, &'static str> {
        if !self.take("[") {
            return Ok(1);
        }
        let position = self.number()?;
        self.expect("]")?;
        Ok(position)
    }

    fn number(&mut self) -> Result<usize, &'static str> {
        self.rest = self.rest.trim_start();
        let end = self.rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(self.rest.len());
        let (digits, rest) = self.rest.split_at(end);
        self.rest = rest;
        digits.parse().ok().filter(|number| *number > 0).ok_or(NO_PATH)
    }

    fn literal(&mut self) -> Result<String, &'static str> {
        let text = self.rest.trim_start();
        let quote = text.chars().next().filter(|c| matches!(c, '\'' | '"')).ok_or(NO_PATH)?;
        let (literal, rest) = text.get(1..).and_then(|text| text.split_once(quote)).ok_or(NO_PATH)?;
        self.rest = rest;
        Ok(literal.to_owned())
    }

    fn name(&mut self) -> Result<Name, &'static str> {
        let name = self.word()?;
        let (prefix, local) = name.split_once(':').unwrap_or(("", name));
        let space = resolved(self.scope, prefix).ok_or("sel has a prefix that is not declared")?;
        Ok(Name { space: space.to_owned(), local: local.to_owned() })
    }

    fn word(&mut self) -> Result<&'p str, &'static str> {
        self.rest = self.rest.trim_start();
        let is_part = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | ':');
        let end = self.rest.find(|c: char| !is_part(c)).unwrap_or(self.rest.len());
        let (word, rest) = self.rest.split_at(end);
        self.rest = rest;
        if word.starts_with(|c: char| c.is_alphabetic() || c == '_') { Ok(word) } else { Err(NO_PATH) }
    }
}
