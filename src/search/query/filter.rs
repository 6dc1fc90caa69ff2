//! `_filter`: criteria put together by `and`, `or` and `not` (R4 search_filter.html). `and` and `or` bind alike, from the left.

use super::criterion::{self, Chain, Criterion, Filter};
use super::fault::Fault;
use super::read;
use super::value::{Ending, Test};
use crate::definition::{Parameter, ParameterKind, Registry};
use crate::fhir::ResourceType;
use crate::fhir::date::{Form, PartialDate};

/// How deep parentheses and filters inside paths are read.
const MAX_DEPTH: usize = 16;
/// The most comparisons of one filter.
const MAX_COMPARISONS: usize = 1_000;
/// The path that R4 defines besides the parameters: the target of a relation of one kind.
const RELATION: &str = "relatesTo";

/// What the filter `text` asks of instances of `kind`.
pub(super) fn read(registry: &Registry, kind: ResourceType, text: &str) -> Result<Criterion, Fault> {
    let mut reader = Reader { registry, rest: text, position: 1, depth: 0, comparisons: 0 };
    let criterion = reader.filter(kind)?;
    reader.skip_blanks();
    if reader.comparisons > MAX_COMPARISONS {
        return Err(Fault::too_many("comparisons of one filter, counted for each type they may be of", MAX_COMPARISONS));
    }
    if reader.rest.is_empty() { Ok(criterion) } else { Err(reader.expected("`and`, `or` or the end of the filter")) }
}

/// What is asked of each type a reference may point at.
type Targets = Vec<(ResourceType, Criterion)>;

struct Reader<'f> {
    registry: &'f Registry,
    rest: &'f str,
    /// The character at which the rest begins, from 1.
    position: usize,
    depth: usize,
    comparisons: usize,
}

impl<'f> Reader<'f> {
    /// `filter (("and" | "or") filter)*`
    fn filter(&mut self, kind: ResourceType) -> Result<Criterion, Fault> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(Fault::too_many("filters inside one another", MAX_DEPTH));
        }
        let mut left = self.part(kind)?;
        loop {
            if self.takes_word("and") {
                left = match left {
                    Criterion::All(mut parts) => {
                        parts.push(self.part(kind)?);
                        Criterion::All(parts)
                    }
                    other => Criterion::All(vec![other, self.part(kind)?]),
                };
            } else if self.takes_word("or") {
                left = match left {
                    Criterion::Any(mut parts) => {
                        parts.push(self.part(kind)?);
                        Criterion::Any(parts)
                    }
                    other => Criterion::Any(vec![other, self.part(kind)?]),
                };
            } else {
                self.depth -= 1;
                return Ok(left);
            }
        }
    }

    /// `(filter)`, `not (filter)` or a comparison.
    fn part(&mut self, kind: ResourceType) -> Result<Criterion, Fault> {
        self.skip_blanks();
        let is_negated = self.is_negation();
        if is_negated {
            self.advance("not".len());
            self.skip_blanks();
        }
        if !self.takes("(") {
            return self.comparison(kind);
        }
        // A whole in parentheses is one part, whatever follows it.
        let inner = Criterion::All(vec![self.filter(kind)?]);
        self.skip_blanks();
        if !self.takes(")") {
            return Err(self.expected("`)`"));
        }
        Ok(if is_negated { Criterion::Not(Box::new(inner)) } else { inner })
    }

    fn is_negation(&self) -> bool {
        self.rest.strip_prefix("not").is_some_and(|rest| rest.trim_start().starts_with('('))
    }

    /// `path operator value`
    fn comparison(&mut self, kind: ResourceType) -> Result<Criterion, Fault> {
        self.comparisons += 1;
        if self.comparisons > MAX_COMPARISONS {
            return Err(Fault::too_many("comparisons of one filter, counted for each type they may be of", MAX_COMPARISONS));
        }
        self.skip_blanks();
        let start = self.position;
        let code = self.taken(|c| c.is_alphanumeric() || matches!(c, '-' | '_'));
        if code.is_empty() {
            return Err(self.expected("a search parameter"));
        }
        if kind == ResourceType::DocumentReference && code == RELATION && self.rest.starts_with('[') {
            return self.relation(kind);
        }
        let parameter = criterion::find(self.registry, kind, code).map_err(|fault| fault.placed(start))?;
        let inside = self.inside(parameter)?;
        if self.takes(".") {
            return self.beyond(parameter, inside);
        }
        if inside.is_some() {
            return Err(self.expected("`.` and what is asked of the target"));
        }
        let (operator, value, position) = self.operator_and_value()?;
        compared(parameter, &operator, &value).map_err(|fault| fault.placed(position))
    }

    /// `[filter]` after a reference: for each type it may point at what is asked there.
    fn inside(&mut self, parameter: &Parameter) -> Result<Option<Targets>, Fault> {
        if !self.takes("[") {
            return Ok(None);
        }
        let found = self.of_targets(parameter, |reader, target| {
            let criterion = reader.filter(target)?;
            reader.skip_blanks();
            if reader.takes("]") { Ok(criterion) } else { Err(reader.expected("`]`")) }
        })?;
        Ok(Some(found))
    }

    /// What follows a reference and its dot.
    fn beyond(&mut self, parameter: &Parameter, inside: Option<Targets>) -> Result<Criterion, Fault> {
        let mut found = self.of_targets(parameter, Self::comparison)?;
        if let Some(inside) = inside {
            let both = |(target, criterion): (ResourceType, Criterion)| {
                let own = inside.iter().find(|(kind, _)| *kind == target)?;
                Some((target, Criterion::All(vec![own.1.clone(), criterion])))
            };
            found = found.into_iter().filter_map(both).collect();
        }
        Ok(Criterion::Chain(Chain { parameter: parameter.id, targets: found }))
    }

    /// Reads what comes for each type a reference may point at; a type it cannot be asked of is none, unless all are.
    fn of_targets(
        &mut self,
        parameter: &Parameter,
        read: impl Fn(&mut Self, ResourceType) -> Result<Criterion, Fault>,
    ) -> Result<Targets, Fault> {
        if parameter.kind != ParameterKind::Reference {
            return Err(
                Fault::wrong(format!("`{}` is no reference, so nothing follows it", parameter.code)).placed(self.position)
            );
        }
        let (start, mut end) = ((self.rest, self.position), None);
        let (mut found, mut first_fault) = (Vec::new(), None);
        for target in criterion::chain_targets(parameter, None)? {
            (self.rest, self.position) = start;
            let depth = self.depth;
            match read(self, target) {
                Ok(criterion) => {
                    found.push((target, criterion));
                    end = Some((self.rest, self.position));
                }
                Err(fault) => {
                    first_fault.get_or_insert(fault);
                }
            }
            self.depth = depth;
        }
        match (end, first_fault) {
            (Some(end), _) => {
                (self.rest, self.position) = end;
                Ok(found)
            }
            (None, Some(fault)) => Err(fault),
            (None, None) => Err(self.expected("a search parameter of the target")),
        }
    }

    /// `relatesTo[code eq x].target eq y`
    fn relation(&mut self, kind: ResourceType) -> Result<Criterion, Fault> {
        let known = self.takes("[")
            && {
                self.skip_blanks();
                self.takes_word("code")
            }
            && self.takes_word("eq");
        if !known {
            return Err(self.expected("`[code eq …].target`"));
        }
        let (code, _) = self.value()?;
        self.skip_blanks();
        if !self.takes("].target") {
            return Err(self.expected("`].target`"));
        }
        let (operator, target, position) = self.operator_and_value()?;
        let parameter = criterion::find(self.registry, kind, "relationship")?;
        match operator.as_str() {
            "eq" | "re" => {
                let value = format!("{}${}", escaped(&code), escaped(&target));
                own(parameter, None, &value).map_err(|fault| fault.placed(position))
            }
            _ => Err(Fault::wrong("the target of a relation is compared by eq or re").placed(position)),
        }
    }

    /// The operator, the value and where that begins.
    fn operator_and_value(&mut self) -> Result<(String, String, usize), Fault> {
        self.skip_blanks();
        let position = self.position;
        let operator = self.taken(|c| c.is_ascii_alphabetic()).to_owned();
        if !OPERATORS.contains(&operator.as_str()) {
            return Err(Fault::value(&operator, position, &format!("an operator: one of {}", OPERATORS.join(", "))));
        }
        let (value, position) = self.value()?;
        Ok((operator, value, position))
    }

    /// A quoted text, or anything up to a blank or the end of the part; and where it begins.
    fn value(&mut self) -> Result<(String, usize), Fault> {
        self.skip_blanks();
        let position = self.position;
        if !self.rest.starts_with('"') {
            let value = self.taken(|c| !c.is_whitespace() && !matches!(c, ')' | ']' | '"')).to_owned();
            return if value.is_empty() { Err(self.expected("a value")) } else { Ok((value, position)) };
        }
        let mut values = serde_json::Deserializer::from_str(self.rest).into_iter::<String>();
        match values.next() {
            Some(Ok(value)) => {
                let length = values.byte_offset();
                self.advance(length);
                Ok((value, position))
            }
            _ => Err(self.expected("a text that ends in a quotation mark")),
        }
    }

    fn takes(&mut self, text: &str) -> bool {
        let is_there = self.rest.starts_with(text);
        if is_there {
            self.advance(text.len());
        }
        is_there
    }

    /// Takes a word with a blank or a parenthesis after it.
    fn takes_word(&mut self, word: &str) -> bool {
        let trimmed = self.rest.trim_start();
        let follows = trimmed.strip_prefix(word).is_some_and(|rest| rest.starts_with(|c: char| c.is_whitespace() || c == '('));
        if follows {
            self.skip_blanks();
            self.advance(word.len());
        }
        follows
    }

    fn taken(&mut self, is_part: impl Fn(char) -> bool) -> &'f str {
        let length = self.rest.find(|c| !is_part(c)).unwrap_or(self.rest.len());
        let taken = self.rest.get(..length).unwrap_or_default();
        self.advance(length);
        taken
    }

    fn skip_blanks(&mut self) {
        let blanks = self.rest.len() - self.rest.trim_start().len();
        self.advance(blanks);
    }

    fn advance(&mut self, bytes: usize) {
        let (taken, rest) = self.rest.split_at_checked(bytes).unwrap_or((self.rest, ""));
        self.position += taken.chars().count();
        self.rest = rest;
    }

    fn expected(&self, what: &str) -> Fault {
        Fault::value(self.rest, self.position, what)
    }
}

const OPERATORS: &[&str] =
    &["eq", "ne", "co", "sw", "ew", "gt", "lt", "ge", "le", "ap", "sa", "eb", "pr", "po", "ss", "sb", "in", "ni", "re"];

/// What `parameter operator value` asks.
fn compared(parameter: &Parameter, operator: &str, value: &str) -> Result<Criterion, Fault> {
    let plain = escaped(value);
    if operator == "pr" {
        let missing = match value {
            "true" => "false",
            "false" => "true",
            _ => return Err(Fault::wrong("`pr` is followed by true or false")),
        };
        return own(parameter, Some("missing"), missing);
    }
    match (parameter.kind, operator) {
        (ParameterKind::String, "co") => own(parameter, Some("contains"), &plain),
        (ParameterKind::String, "sw") => own(parameter, None, &plain),
        (ParameterKind::String, "ew") => Ok(ending(parameter, Ending::Ends, value)),
        (ParameterKind::String, "eq") => Ok(ending(parameter, Ending::Is, value)),
        (ParameterKind::String, "ne") => Ok(ending(parameter, Ending::IsNot, value)),
        (ParameterKind::Token, "in") => own(parameter, Some("in"), &plain),
        (ParameterKind::Token, "ni") => own(parameter, Some("not-in"), &plain),
        (ParameterKind::Token, "ss") => own(parameter, Some("above"), &plain),
        (ParameterKind::Token, "sb") => own(parameter, Some("below"), &plain),
        (ParameterKind::Token | ParameterKind::Uri, "eq") | (ParameterKind::Reference, "eq" | "re") => {
            own(parameter, None, &plain)
        }
        (ParameterKind::Token | ParameterKind::Uri | ParameterKind::Reference, "ne") => match own(parameter, None, &plain)? {
            Criterion::Own(filter) => Ok(of(parameter, Test::Unequal(Box::new(filter.test)))),
            other => Ok(Criterion::Not(Box::new(other))),
        },
        (ParameterKind::Date, "po") => {
            let date =
                PartialDate::parse_as(value, Form::Search).map_err(|_| Fault::wrong("a date such as 2013-01-14 is wanted"))?;
            Ok(of(parameter, Test::Overlaps(date)))
        }
        (ParameterKind::Date | ParameterKind::Number | ParameterKind::Quantity, prefix) if PREFIXES.contains(&prefix) => {
            own(parameter, None, &format!("{prefix}{plain}"))
        }
        _ => Err(Fault::wrong(format!("`{}` is not compared by `{operator}`", parameter.code))),
    }
}

const PREFIXES: &[&str] = &["eq", "ne", "gt", "lt", "ge", "le", "ap", "sa", "eb"];

fn own(parameter: &Parameter, modifier: Option<&str>, value: &str) -> Result<Criterion, Fault> {
    let test = read::test(parameter, modifier, value)?.ok_or_else(|| Fault::wrong("a value is wanted"))?;
    match test.unsupported() {
        Some(what) => Err(Fault::unsupported(what).firmly()),
        None => Ok(of(parameter, test)),
    }
}

fn ending(parameter: &Parameter, how: Ending, value: &str) -> Criterion {
    of(parameter, Test::Ending(how, value.into()))
}

fn of(parameter: &Parameter, test: Test) -> Criterion {
    Criterion::Own(Filter { parameter: parameter.id, code: (&*parameter.code).into(), kind: parameter.kind, test })
}

/// A value in which nothing but the bar separates.
fn escaped(value: &str) -> String {
    value.replace('\\', "\\\\").replace(',', "\\,").replace('$', "\\$")
}
