//! Values of a query, and which values of a resource each means.

use serde_json::Value;

use super::compared::{PREFIXES, covered, date_matches, folded, number_matches, numbers, text, time};
use super::world::*;

/// Whether one value is meant.
pub(super) type Test = Box<dyn Fn(&Value) -> bool>;
/// The text of a value, and what it means.
pub(super) type Sought = (String, Test);

fn escaped(code: &str) -> String {
    code.replace('|', "\\|").replace(',', "\\,")
}

/// System and code of every coding of a value.
fn codings(value: &Value) -> Vec<(Option<&str>, &str)> {
    fn of(coding: &Value) -> Option<(Option<&str>, &str)> {
        text(coding, "code").or_else(|| text(coding, "value")).map(|code| (text(coding, "system"), code))
    }
    match value.get("coding") {
        Some(codings) => codings.as_array().unwrap().iter().filter_map(of).collect(),
        None => of(value).into_iter().collect(),
    }
}

pub(super) fn token(chance: &mut Chance) -> Sought {
    let (system, code) = (chance.of(SYSTEMS), chance.of(CODES));
    let is_code = move |own: &str| own.eq_ignore_ascii_case(code);
    type Fits = Box<dyn Fn(Option<&str>, &str) -> bool>;
    let (text, fits): (String, Fits) = match chance.below(4) {
        0 => (escaped(code), Box::new(move |_, own| is_code(own))),
        1 => (format!("|{}", escaped(code)), Box::new(move |of, own| of.is_none() && is_code(own))),
        2 => (format!("{system}|"), Box::new(move |of, _| of == Some(system))),
        _ => (format!("{system}|{}", escaped(code)), Box::new(move |of, own| of == Some(system) && is_code(own))),
    };
    (text, Box::new(move |value| codings(value).iter().any(|(system, code)| fits(*system, code))))
}

/// `:text`
pub(super) fn displayed(chance: &mut Chance) -> Sought {
    let length = usize::try_from(1 + chance.below(6)).unwrap();
    let sought: String = chance.of(DISPLAYS).chars().take(length).collect();
    let begins = {
        let sought = folded(&sought);
        move |own: Option<&str>| own.is_some_and(|own| folded(own).starts_with(&sought))
    };
    let test = move |value: &Value| {
        let displays = value.get("coding").map_or_else(|| vec![value], |codings| codings.as_array().unwrap().iter().collect());
        begins(text(value, "text")) || displays.iter().any(|coding| begins(text(coding, "display")))
    };
    (sought, Box::new(test))
}

/// `:of-type`
pub(super) fn of_type(chance: &mut Chance) -> Sought {
    let (kind, value) = (chance.of(&["MR", "SS"]), chance.of(CODES));
    let test = move |own: &Value| {
        let is_type = own["type"]["coding"][0]["code"] == kind;
        is_type && text(own, "value").is_some_and(|own| own.eq_ignore_ascii_case(value))
    };
    (format!("urn:t|{kind}|{}", escaped(value)), Box::new(test))
}

/// A code without a system.
pub(super) fn code(code: &'static str) -> Sought {
    let is = move |value: &Value| match value {
        Value::Bool(own) => own.to_string() == code,
        other => other.as_str().is_some_and(|own| own.eq_ignore_ascii_case(code)),
    };
    (escaped(code), Box::new(is))
}

/// The modifier and a code of the hierarchy of encounters.
pub(super) fn class(chance: &mut Chance, modifier: &str) -> Sought {
    let code = chance.of(CLASSES);
    let over = |code: &str| match code {
        "ACUTE" | "NONAC" => vec![code.to_owned(), "IMP".to_owned()],
        other => vec![other.to_owned()],
    };
    let below = modifier == ":below";
    let is_exact = modifier.is_empty();
    let test = move |value: &Value| {
        let own = text(value, "code").unwrap();
        if is_exact {
            own == code
        } else if below {
            over(own).contains(&code.to_owned())
        } else {
            over(code).contains(&own.to_owned())
        }
    };
    (format!("{CLASS_SYSTEM}|{code}"), Box::new(test))
}

/// A code in the value set of categories.
pub(super) fn category() -> Sought {
    let test = |value: &Value| codings(value).iter().any(|(_, code)| ["vital-signs", "laboratory"].contains(code));
    ("http://hl7.org/fhir/ValueSet/observation-category".to_owned(), Box::new(test))
}

pub(super) fn string(chance: &mut Chance, modifier: &str, by_word: bool) -> Sought {
    let whole = chance.of(NAMES);
    let from = usize::try_from(chance.below(3)).unwrap();
    let part: String = whole.chars().skip(if modifier == ":contains" { from } else { 0 }).take(2 + from).collect();
    let sought = if modifier == ":exact" { whole.to_owned() } else { part };
    let plain = folded(&sought);
    let (modifier, wanted) = (modifier.to_owned(), sought.clone());
    let test = move |value: &Value| {
        let own = value.as_str().unwrap();
        let words = folded(own);
        match modifier.as_str() {
            ":exact" => own == wanted,
            ":contains" => words.contains(&plain),
            _ => {
                let later = words.match_indices(' ').map(|(at, _)| &words[at + 1..]);
                words.starts_with(&plain) || by_word && later.into_iter().any(|rest| rest.starts_with(&plain))
            }
        }
    };
    (escaped(&sought), Box::new(test))
}

pub(super) fn date(chance: &mut Chance) -> Sought {
    let (prefix, sought) = (chance.of(PREFIXES), chance.of(DATES));
    let test = move |value: &Value| time(value).is_some_and(|own| date_matches(prefix, covered(sought), own));
    (format!("{prefix}{sought}"), Box::new(test))
}

pub(super) fn number(chance: &mut Chance) -> Sought {
    let (prefix, sought) = (chance.of(PREFIXES), chance.of(NUMBERS));
    let test = move |value: &Value| numbers(value, None).is_some_and(|own| number_matches(prefix, sought, own));
    (format!("{prefix}{sought}"), Box::new(test))
}

pub(super) fn quantity(chance: &mut Chance) -> Sought {
    let (prefix, sought, unit) = (chance.of(PREFIXES), chance.of(NUMBERS), chance.of(UNITS));
    match chance.below(3) {
        0 => number(chance),
        1 => {
            let fits = move |value: &Value| text(value, "code") == Some(unit);
            let test =
                move |value: &Value| fits(value) && numbers(value, None).is_some_and(|own| number_matches(prefix, sought, own));
            (format!("{prefix}{sought}||{unit}"), Box::new(test))
        }
        _ => {
            let test = move |value: &Value| numbers(value, Some(unit)).is_some_and(|own| number_matches(prefix, sought, own));
            (format!("{prefix}{sought}|http://unitsofmeasure.org|{unit}"), Box::new(test))
        }
    }
}

pub(super) fn uri(chance: &mut Chance, modifier: &str) -> Sought {
    let sought = chance.of(URLS);
    let is_at = |uri: &str, above: &str| uri.strip_prefix(above).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
    let modifier = modifier.to_owned();
    let test = move |value: &Value| {
        let own = value.as_str().unwrap();
        match modifier.as_str() {
            ":below" => is_at(own, sought),
            ":above" => is_at(sought, own),
            _ => own == sought,
        }
    };
    (sought.to_owned(), Box::new(test))
}

pub(super) fn content_type(chance: &mut Chance, modifier: &str) -> Sought {
    let sought = chance.of(CONTENT_TYPES);
    let below = !modifier.is_empty();
    let test = move |value: &Value| {
        let own = value.as_str().unwrap();
        own == sought || below && own.split(';').next() == Some(sought)
    };
    (sought.to_owned(), Box::new(test))
}

pub(super) fn reference(chance: &mut Chance, targets: &[&'static str]) -> Sought {
    let name = format!("{}/{}", chance.of(targets), id(chance));
    let with_version = if chance.one_in(5) { format!("{name}/_history/1") } else { name };
    let sought = with_version.clone();
    let test = move |value: &Value| {
        let own = text(value, "reference").unwrap();
        own == sought || own.split("/_history/").next() == Some(&*sought)
    };
    (with_version, Box::new(test))
}

pub(super) fn code_and_quantity(chance: &mut Chance) -> Sought {
    let ((code, is_code), (amount, is_amount)) = (token(chance), quantity(chance));
    let test = move |value: &Value| value.get("code").is_some_and(&is_code) && value.get("valueQuantity").is_some_and(&is_amount);
    (format!("{code}${amount}"), Box::new(test))
}

pub(super) fn relationship(chance: &mut Chance) -> Sought {
    let (relation, (target, is_target)) = (chance.of(RELATIONS), reference(chance, &["DocumentReference"]));
    (format!("{relation}${target}"), Box::new(move |value| value["code"] == relation && is_target(&value["target"])))
}
