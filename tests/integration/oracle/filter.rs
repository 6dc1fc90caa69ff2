//! Random values of `_filter` (R4 search_filter.html), and what they mean.

use serde_json::Value;

use super::asked::{Holds, is_there};
use super::chance::Chance;
use super::compared::{PREFIXES, covered, overlap, text, time};
use super::parameter::{Kind, Parameter, parameters, references, values};
use super::test::{self, How, Sought, Test};

/// The text of a filter, and what it means.
type Filter = (String, Holds);

/// A filter with so many more inside one another. `and` and `or` bind alike, from the left.
pub(super) fn filter(chance: &mut Chance, kind: &'static str, depth: u32) -> Filter {
    let mut whole = part(chance, kind, depth);
    for _ in 0..chance.below(3) {
        let (both, (text, holds)) = (chance.one_in(2), part(chance, kind, depth));
        let (left, before) = whole;
        let joined: Holds = match both {
            true => Box::new(move |world, resource| before(world, resource) && holds(world, resource)),
            false => Box::new(move |world, resource| before(world, resource) || holds(world, resource)),
        };
        whole = (format!("{left} {} {text}", if both { "and" } else { "or" }), joined);
    }
    whole
}

fn part(chance: &mut Chance, kind: &'static str, depth: u32) -> Filter {
    if depth == 0 || !chance.one_in(3) {
        return comparison(chance, kind, depth);
    }
    let (inner, holds) = filter(chance, kind, depth - 1);
    match chance.one_in(2) {
        true => (format!("not ({inner})"), Box::new(move |world, resource| !holds(world, resource))),
        false => (format!("({inner})"), holds),
    }
}

fn comparison(chance: &mut Chance, kind: &'static str, depth: u32) -> Filter {
    if depth > 0 && chance.one_in(4) {
        let one_target: Vec<_> = references(kind).into_iter().filter(|(_, targets)| targets.len() == 1).collect();
        let unambiguous: Vec<_> = one_target.into_iter().filter(|(parameter, _)| !is_ambiguous(parameter.0)).collect();
        if !unambiguous.is_empty() {
            return beyond(chance, &unambiguous, depth);
        }
    }
    let parameter = chance.of(parameters(kind));
    if chance.one_in(8) && !matches!(parameter.1, Kind::Deceased) {
        return present(chance, parameter);
    }
    let Some((operator, (text, test))) = compared(chance, parameter.1) else { return comparison(chance, kind, depth) };
    let holds = move |_: &_, resource: &Value| values(resource, &parameter).into_iter().any(&test);
    (format!("{} {operator} {}", parameter.0, said(chance, &text)), Box::new(holds))
}

/// Whether it may point at types that have the same parameters.
fn is_ambiguous(code: &str) -> bool {
    matches!(code, "subject" | "author" | "asserter" | "link" | "performer" | "evidence-detail")
}

/// `reference.comparison`, and with a filter in brackets.
fn beyond(chance: &mut Chance, references: &[(Parameter, &'static [&'static str])], depth: u32) -> Filter {
    let (parameter, targets) = chance.of(references);
    let target = targets[0];
    let bracket = chance.one_in(2).then(|| filter(chance, target, depth - 1));
    let (further, holds) = comparison(chance, target, depth - 1);
    let (inside, other): (String, Holds) = match bracket {
        Some((text, holds)) => (format!("[{text}]"), holds),
        None => (String::new(), Box::new(|_, _| true)),
    };
    let reached: Holds = Box::new(move |world, resource| {
        let pointed_at = values(resource, &parameter).into_iter().filter_map(|value| world.target(text(value, "reference")?));
        pointed_at.into_iter().any(|there| there["resourceType"] == target && other(world, there) && holds(world, there))
    });
    (format!("{}{inside}.{further}", parameter.0), reached)
}

fn present(chance: &mut Chance, parameter: Parameter) -> Filter {
    let wanted = chance.one_in(2);
    let holds = move |_: &_, resource: &Value| {
        wanted == values(resource, &parameter).into_iter().any(|value| is_there(parameter.1, value))
    };
    (format!("{} pr {wanted}", parameter.0), Box::new(holds))
}

/// A text in quotation marks, where it must have them and sometimes where not.
fn said(chance: &mut Chance, text: &str) -> String {
    let is_plain = text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | ':' | '/' | '|' | '.'));
    if is_plain && chance.one_in(2) { text.to_owned() } else { Value::from(text).to_string() }
}

fn differs(test: Test) -> Test {
    Box::new(move |value| !test(value))
}

/// An operator and what it is followed by; `None` where filters do not compare such values.
fn compared(chance: &mut Chance, kind: Kind) -> Option<(&'static str, Sought)> {
    let equality = chance.of(&["eq", "ne"]);
    let either = |(text, test): Sought| (equality, (text, if equality == "eq" { test } else { differs(test) }));
    Some(match kind {
        Kind::Token => {
            let (text, test) = test::token(chance);
            // Nothing makes a bar stand for itself here but one before it.
            let has_bar = text.replace("\\|", "").contains('|');
            let text = text.replace("\\,", ",").replace("\\$", "$");
            if !has_bar && text.contains('|') {
                return None;
            }
            either((text.replace("\\|", "|"), test))
        }
        Kind::Code(codes) => {
            let code = chance.of(codes);
            if code.contains('|') {
                return None;
            }
            either((code.to_owned(), test::code(code).1))
        }
        Kind::Deceased => either(test::deceased(chance)),
        Kind::Uri => either(test::uri(chance, "")),
        Kind::Reference(targets) => {
            let (text, test) = test::reference(chance, targets, "");
            let operator = chance.of(&["eq", "re"]);
            (operator, (text.trim_start_matches('/').to_owned(), test))
        }
        Kind::Text | Kind::Name => string(chance, matches!(kind, Kind::Name)),
        Kind::Date if chance.one_in(5) => {
            let sought = test::sought_date(chance);
            let range = covered(sought);
            ("po", (sought.to_owned(), Box::new(move |value| time(value).is_some_and(|own| overlap(own, range)))))
        }
        Kind::Date => prefixed(test::date(chance)),
        Kind::Number => prefixed(test::number(chance)),
        Kind::Quantity(units) => prefixed(test::quantity(chance, units)),
        Kind::Money => prefixed(test::money(chance)),
        Kind::Patient | Kind::Class | Kind::Category | Kind::Canonical | Kind::ContentType | Kind::Position => return None,
        Kind::CodeAndQuantity | Kind::CodeAndText | Kind::Relationship | Kind::Window | Kind::Variant => return None,
    })
}

/// The prefix of a value as an operator.
fn prefixed((text, test): Sought) -> (&'static str, Sought) {
    let prefix = PREFIXES[1..].iter().find(|prefix| text.starts_with(**prefix));
    (prefix.copied().unwrap_or("eq"), (text.trim_start_matches(|c: char| c.is_ascii_alphabetic()).to_owned(), test))
}

fn string(chance: &mut Chance, by_word: bool) -> (&'static str, Sought) {
    let (operator, how) =
        chance.of(&[("co", How::Contains), ("sw", How::Begins), ("ew", How::Ends), ("eq", How::Equal), ("ne", How::Unequal)]);
    (operator, test::string(chance, how, by_word))
}
