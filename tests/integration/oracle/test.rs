//! Values of a query, and which values of a resource each means.

use serde_json::Value;

use super::chance::Chance;
use super::compared::{PREFIXES, Unit, at, covered, date_matches, distance, exact, folded, number_matches, numbers, text, time};
use super::vocabulary::*;

/// Whether one value is meant.
pub(super) type Test = Box<dyn Fn(&Value) -> bool>;
/// The text of a value, and what it means.
pub(super) type Sought = (String, Test);

/// What separates, made to stand for itself.
pub(super) fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace('|', "\\|").replace(',', "\\,").replace('$', "\\$")
}

/// System and code of every coding of a value.
pub(super) fn codings(value: &Value) -> Vec<(Option<&str>, &str)> {
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

/// `:identifier` of a reference.
pub(super) fn identified(chance: &mut Chance) -> Sought {
    let (sought, is_meant) = token(chance);
    (sought, Box::new(move |value| value.get("identifier").is_some_and(&is_meant)))
}

/// A code without a system.
pub(super) fn code(code: &'static str) -> Sought {
    let is = move |value: &Value| match value {
        Value::Bool(own) => own.to_string() == code,
        other => other.as_str().is_some_and(|own| own.eq_ignore_ascii_case(code)),
    };
    (escaped(code), Box::new(is))
}

/// Whether somebody has died, by the whole resource.
pub(super) fn deceased(chance: &mut Chance) -> Sought {
    let wanted = chance.one_in(2);
    let test = move |patient: &Value| wanted == (patient.get("deceasedDateTime").is_some() || patient["deceasedBoolean"] == true);
    (wanted.to_string(), Box::new(test))
}

/// The modifier and a code of the hierarchy of encounters.
pub(super) fn class(chance: &mut Chance, modifier: &str) -> Sought {
    let code = chance.of(CLASSES);
    let over = |code: &str| match code {
        "ACUTE" | "NONAC" => vec![code.to_owned(), "IMP".to_owned()],
        other => vec![other.to_owned()],
    };
    let below = modifier == ":below";
    let is_exact = !below && modifier != ":above";
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

/// The texts of a value, and whether each of their words may begin a match.
fn texts(value: &Value, by_word: bool) -> Vec<(&str, bool)> {
    if let Some(plain) = value.as_str() {
        return vec![(plain, by_word)];
    }
    let parts = ["text", "given", "prefix", "suffix", "line", "city", "district", "state", "postalCode", "country"];
    let plain = parts.iter().flat_map(|part| at(value, part)).map(|part| (part.as_str().unwrap(), false));
    let family = at(value, "family").into_iter().map(|family| (family.as_str().unwrap(), true));
    family.chain(plain).collect()
}

/// How a string is compared.
#[derive(Clone, Copy)]
pub(super) enum How {
    Begins,
    Contains,
    Exact,
    /// In a filter.
    Ends,
    /// In a filter, without case and accents.
    Equal,
    /// In a filter: there is another text.
    Unequal,
}

impl How {
    pub(super) fn of(modifier: &str) -> Self {
        match modifier {
            ":contains" => Self::Contains,
            ":exact" => Self::Exact,
            _ => Self::Begins,
        }
    }

    /// A piece of `whole` that may be compared so.
    fn piece(self, chance: &mut Chance, whole: &str) -> String {
        let from = usize::try_from(chance.below(3)).unwrap();
        let length = whole.chars().count();
        let piece: String = match self {
            Self::Begins => whole.chars().take(2 + from).collect(),
            Self::Contains => whole.chars().skip(from).take(2 + from).collect(),
            Self::Ends => whole.chars().skip(length - 2).collect(),
            Self::Exact | Self::Equal | Self::Unequal => whole.to_owned(),
        };
        // Nothing but punctuation is another question.
        if folded(&piece).is_empty() { whole.to_owned() } else { piece }
    }

    fn holds(self, (own, by_word): (&str, bool), sought: &str) -> bool {
        let (words, plain) = (folded(own), folded(sought));
        match self {
            Self::Exact => own == sought,
            Self::Contains => words.contains(&plain),
            Self::Ends => words.ends_with(&plain),
            Self::Equal => words == plain,
            Self::Unequal => words != plain,
            Self::Begins => {
                let mut later = words.match_indices(' ').map(|(at, _)| &words[at + 1..]);
                words.starts_with(&plain) || by_word && later.any(|rest| rest.starts_with(&plain))
            }
        }
    }
}

/// Not escaped.
pub(super) fn string(chance: &mut Chance, how: How, by_word: bool) -> Sought {
    let whole = chance.of(NAMES);
    let sought = how.piece(chance, whole);
    let meant = sought.clone();
    (sought, Box::new(move |value| texts(value, by_word).into_iter().any(|own| how.holds(own, &meant))))
}

/// Any value a date is compared with.
pub(super) fn sought_date(chance: &mut Chance) -> &'static str {
    let list = chance.of(&[DATES, INSTANTS, SOUGHT_DATES]);
    chance.of(list)
}

pub(super) fn date(chance: &mut Chance) -> Sought {
    let (prefix, sought) = (chance.of(PREFIXES), sought_date(chance));
    of_date(prefix, sought.to_owned())
}

pub(super) fn of_date(prefix: &'static str, sought: String) -> Sought {
    let range = covered(&sought);
    (format!("{prefix}{sought}"), Box::new(move |value| time(value).is_some_and(|own| date_matches(prefix, range, own))))
}

fn sought_number(chance: &mut Chance) -> &'static str {
    let list = chance.of(&[NUMBERS, NUMBERS, SOUGHT_NUMBERS]);
    chance.of(list)
}

/// A number in one unit.
fn measured(chance: &mut Chance, unit: Unit) -> Sought {
    let (prefix, sought) = (chance.of(PREFIXES), sought_number(chance));
    let (value, half) = exact(sought);
    let asked = (value * unit.factor(), half * unit.factor());
    let test = move |value: &Value| numbers(value, unit).is_some_and(|own| number_matches(prefix, asked, own));
    (format!("{prefix}{sought}"), Box::new(test))
}

pub(super) fn number(chance: &mut Chance) -> Sought {
    measured(chance, Unit::Any)
}

pub(super) fn quantity(chance: &mut Chance, units: &'static [&'static str]) -> Sought {
    let unit = chance.of(units);
    match chance.below(3) {
        0 => number(chance),
        1 => {
            let word = if chance.one_in(3) { chance.of(UNIT_WORDS) } else { unit };
            let (sought, test) = measured(chance, Unit::Plain(word));
            (format!("{sought}||{word}"), test)
        }
        _ => {
            let (sought, test) = measured(chance, Unit::Coded(UCUM, unit));
            (format!("{sought}|{UCUM}|{unit}"), test)
        }
    }
}

pub(super) fn money(chance: &mut Chance) -> Sought {
    let currency = chance.of(CURRENCIES);
    let (unit, of) = match chance.below(3) {
        0 => (Unit::Any, String::new()),
        1 => (Unit::Plain(currency), format!("||{currency}")),
        _ => (Unit::Coded(CURRENCY_SYSTEM, currency), format!("|{CURRENCY_SYSTEM}|{currency}")),
    };
    let (sought, test) = measured(chance, unit);
    (sought + &of, test)
}

pub(super) fn uri(chance: &mut Chance, modifier: &str) -> Sought {
    let sought = chance.of(URLS);
    let is_at = |uri: &str, above: &str| uri.strip_prefix(above).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
    let modifier = modifier.to_owned();
    let test = move |value: &Value| {
        let own = value.as_str().unwrap().split('|').next().unwrap();
        match modifier.as_str() {
            ":below" => is_at(own, sought),
            ":above" => is_at(sought, own),
            _ => own == sought,
        }
    };
    (sought.to_owned(), Box::new(test))
}

/// A URL alone means it in whatever version.
pub(super) fn canonical(chance: &mut Chance) -> Sought {
    let sought = format!("{}{}", chance.of(URLS), chance.of(VERSIONS));
    let meant = sought.clone();
    let test = move |value: &Value| {
        let own = value.as_str().unwrap();
        own == meant || own.split('|').next() == Some(&*meant)
    };
    (sought, Box::new(test))
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

/// `Type/id`, sometimes with a version or where this server is.
pub(super) fn reference(chance: &mut Chance, targets: &[&'static str], base_url: &str) -> Sought {
    let name = format!("{}/{}", chance.of(targets), chance.id());
    let sought = if chance.one_in(5) { format!("{name}/_history/1") } else { name };
    let asked = if chance.one_in(4) { format!("{base_url}/{sought}") } else { sought.clone() };
    let test = move |value: &Value| {
        let Some(own) = text(value, "reference") else { return false };
        own == sought || own.split("/_history/").next() == Some(&*sought)
    };
    (asked, Box::new(test))
}

/// An id of whatever type, or of one.
pub(super) fn id_alone(chance: &mut Chance, kind: Option<&'static str>) -> Sought {
    let id = chance.id();
    let meant = id.clone();
    let test = move |value: &Value| {
        let mut parts = text(value, "reference").unwrap_or_default().split('/');
        let (own_kind, own_id) = (parts.next(), parts.next());
        own_id == Some(&*meant) && kind.is_none_or(|kind| own_kind == Some(kind))
    };
    (id, Box::new(test))
}

/// Around a place.
pub(super) fn position(chance: &mut Chance) -> Sought {
    let (north, east) = chance.of(PLACES);
    let (distance_text, kilometres) =
        chance.of(&[("", 50.0), ("|5", 5.0), ("|20|km", 20.0), ("|25000|m", 25.0), ("|300|mi", 482.8)]);
    let degrees = |text: &str| text.parse::<f64>().unwrap();
    let here = (degrees(north), degrees(east));
    let test = move |value: &Value| {
        let there = (value["latitude"].as_f64().unwrap(), value["longitude"].as_f64().unwrap());
        distance(here, there) <= kilometres
    };
    (format!("{north}|{east}{distance_text}"), Box::new(test))
}

/// Each part of one repetition is meant.
fn together(parts: Vec<(&'static str, Sought)>) -> Sought {
    let text = parts.iter().map(|(_, (text, _))| text.as_str()).collect::<Vec<_>>().join("$");
    (text, Box::new(move |value| parts.iter().all(|(path, (_, test))| at(value, path).into_iter().any(test))))
}

pub(super) fn code_and_quantity(chance: &mut Chance) -> Sought {
    together(vec![("code", token(chance)), ("valueQuantity", quantity(chance, UNITS))])
}

pub(super) fn code_and_text(chance: &mut Chance) -> Sought {
    let (text, test) = string(chance, How::Begins, false);
    together(vec![("code", token(chance)), ("valueString", (escaped(&text), test))])
}

pub(super) fn relationship(chance: &mut Chance, base_url: &str) -> Sought {
    together(vec![("code", code(chance.of(RELATIONS))), ("target", reference(chance, &["DocumentReference"], base_url))])
}

fn chromosome(chance: &mut Chance) -> Sought {
    let sought = chance.of(CHROMOSOMES);
    (sought.to_owned(), Box::new(move |value| codings(value).iter().any(|(_, code)| *code == sought)))
}

fn place(chance: &mut Chance) -> Sought {
    let (prefix, sought) = (chance.of(PREFIXES), chance.of(&["0", "1", "2", "3"]));
    let asked = exact(sought);
    let test = move |value: &Value| numbers(value, Unit::Any).is_some_and(|own| number_matches(prefix, asked, own));
    (format!("{prefix}{sought}"), Box::new(test))
}

pub(super) fn window(chance: &mut Chance) -> Sought {
    together(vec![("chromosome", chromosome(chance)), ("windowStart", place(chance)), ("windowEnd", place(chance))])
}

/// The chromosome is that of the resource, the places are those of one variant.
pub(super) fn variant(chance: &mut Chance) -> Sought {
    let ((code, is_code), (places, are_there)) =
        (chromosome(chance), together(vec![("start", place(chance)), ("end", place(chance))]));
    let test = move |resource: &Value| {
        at(resource, "referenceSeq.chromosome").into_iter().any(&is_code) && at(resource, "variant").into_iter().any(&are_there)
    };
    (format!("{code}${places}"), Box::new(test))
}
