//! Random criteria: as a query says them, and what they mean.

use serde_json::Value;

use super::compared::{at, folded, text, time};
use super::parameter::{Kind, Parameter, TAG, parameters, references, values};
use super::test::{self, Sought};
use super::world::{Chance, KINDS, WORDS, World, id};

/// Whether a resource is meant.
type Holds = Box<dyn Fn(&World, &Value) -> bool>;

/// One parameter of a query.
pub(super) struct Asked {
    pub(super) name: String,
    pub(super) value: String,
    pub(super) holds: Holds,
}

fn asked(name: impl Into<String>, value: impl Into<String>, holds: impl Fn(&World, &Value) -> bool + 'static) -> Asked {
    Asked { name: name.into(), value: value.into(), holds: Box::new(holds) }
}

/// A criterion of resources of `kind`, through at most so many links.
pub(super) fn criterion(chance: &mut Chance, kind: &'static str, links: u32) -> Asked {
    match chance.below(12) {
        0 | 1 if links > 0 => chain(chance, kind, links),
        2 | 3 if links > 0 => reverse(chance, kind, links),
        4 => common(chance),
        _ => own(chance, kind),
    }
}

fn own(chance: &mut Chance, kind: &'static str) -> Asked {
    let parameter = chance.of(parameters(kind));
    of_parameter(chance, parameter)
}

fn chain(chance: &mut Chance, kind: &'static str, links: u32) -> Asked {
    let references = references(kind);
    if references.is_empty() {
        return own(chance, kind);
    }
    let ((code, _, paths), targets) = chance.of(&references);
    let target = chance.of(targets);
    let inner = criterion(chance, target, links - 1);
    let may_be_bare = targets.len() == 1 && !matches!(code, "subject" | "author");
    let typed = if may_be_bare && chance.one_in(2) { String::new() } else { format!(":{target}") };
    asked(format!("{code}{typed}.{}", inner.name), inner.value.clone(), move |world, resource| {
        let pointed_at = values(resource, paths).into_iter().filter_map(|value| world.target(text(value, "reference")?));
        pointed_at.into_iter().any(|other| other["resourceType"] == target && (inner.holds)(world, other))
    })
}

fn reverse(chance: &mut Chance, kind: &'static str, links: u32) -> Asked {
    let mut sources: Vec<(&'static str, Parameter)> = Vec::new();
    for source in KINDS {
        let points_here = references(source).into_iter().filter(|(_, targets)| targets.contains(&kind));
        sources.extend(points_here.map(|(parameter, _)| (*source, parameter)));
    }
    if sources.is_empty() {
        return own(chance, kind);
    }
    let (source, (code, _, paths)) = chance.of(&sources);
    let inner = criterion(chance, source, links - 1);
    asked(format!("_has:{source}:{code}:{}", inner.name), inner.value.clone(), move |world, resource| {
        let target = |value: &Value| text(value, "reference").and_then(|reference| world.target(reference));
        let points_here = |other| {
            values(other, paths).into_iter().any(|value| target(value).is_some_and(|there| std::ptr::eq(there, resource)))
        };
        world.of_kind(source).any(|other| points_here(other) && (inner.holds)(world, other))
    })
}

/// What is asked of every type.
fn common(chance: &mut Chance) -> Asked {
    match chance.below(4) {
        0 => {
            let ids = [id(chance), id(chance)];
            asked("_id", ids.join(","), move |_, resource| ids.iter().any(|id| resource["id"] == **id))
        }
        1 => {
            let list = id(chance);
            asked("_list", list.clone(), move |world, resource| {
                let items = world.target(&format!("List/{list}")).into_iter().flat_map(|list| at(list, "entry.item"));
                let mut targets = items.filter_map(|item| world.target(text(item, "reference")?));
                targets.any(|there| std::ptr::eq(there, resource))
            })
        }
        2 => {
            let sought = [chance.of(WORDS), chance.of(WORDS)];
            asked(chance.of(&["_text", "_content"]), sought.join(" "), move |_, resource| {
                let narrative = text(&resource["text"], "div").unwrap_or_default();
                sought.iter().all(|word| folded(narrative).split(' ').any(|own| own == folded(word)))
            })
        }
        _ => of_parameter(chance, TAG),
    }
}

fn of_parameter(chance: &mut Chance, (code, kind, paths): Parameter) -> Asked {
    if chance.one_in(10) {
        return missing(chance, (code, kind, paths));
    }
    let (modifier, one) = modified(chance, kind, code);
    let sought: Vec<Sought> = (0..=chance.below(3)).map(|_| one(chance)).collect();
    let value = sought.iter().map(|(text, _)| text.as_str()).collect::<Vec<_>>().join(",");
    let negated = matches!(modifier, ":not" | ":not-in");
    asked(format!("{code}{modifier}"), value, move |_, resource| {
        negated != values(resource, paths).into_iter().any(|value| sought.iter().any(|(_, test)| test(value)))
    })
}

/// A maker of values.
type Make = Box<dyn Fn(&mut Chance) -> Sought>;

fn modified(chance: &mut Chance, kind: Kind, code: &str) -> (&'static str, Make) {
    match kind {
        Kind::Token => match chance.below(6) {
            0 => (":not", Box::new(test::token)),
            1 => (":text", Box::new(test::displayed)),
            2 if code == "identifier" => (":of-type", Box::new(test::of_type)),
            _ => ("", Box::new(test::token)),
        },
        Kind::Code(codes) => (chance.of(&["", ":not"]), Box::new(|chance| test::code(chance.of(codes)))),
        Kind::Class => {
            let modifier = chance.of(&["", ":above", ":below"]);
            (modifier, Box::new(move |chance| test::class(chance, modifier)))
        }
        Kind::Category => (chance.of(&[":in", ":not-in"]), Box::new(|_| test::category())),
        Kind::Text | Kind::Name => {
            let modifier = chance.of(&["", ":exact", ":contains"]);
            (modifier, Box::new(move |chance| test::string(chance, modifier, matches!(kind, Kind::Name))))
        }
        Kind::Date => ("", Box::new(test::date)),
        Kind::Number => ("", Box::new(test::number)),
        Kind::Quantity => ("", Box::new(test::quantity)),
        Kind::Uri => {
            let modifier = chance.of(&["", ":above", ":below"]);
            (modifier, Box::new(move |chance| test::uri(chance, modifier)))
        }
        Kind::ContentType => {
            let modifier = chance.of(&["", ":below"]);
            (modifier, Box::new(move |chance| test::content_type(chance, modifier)))
        }
        Kind::Reference(targets) => ("", Box::new(|chance| test::reference(chance, targets))),
        Kind::CodeAndQuantity => ("", Box::new(test::code_and_quantity)),
        Kind::Relationship => ("", Box::new(test::relationship)),
    }
}

fn missing(chance: &mut Chance, (code, kind, paths): Parameter) -> Asked {
    let wanted = chance.one_in(2);
    asked(format!("{code}:missing"), wanted.to_string(), move |_, resource| {
        let is_there = |value: &Value| match kind {
            Kind::CodeAndQuantity => value.get("code").is_some() && value.get("valueQuantity").is_some(),
            Kind::Date => time(value).is_some(),
            _ => true,
        };
        wanted != values(resource, paths).into_iter().any(is_there)
    })
}
