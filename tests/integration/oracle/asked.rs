//! Random criteria: as a query says them, and what they mean.

use serde_json::Value;

use super::chance::Chance;
use super::compared::{PREFIXES, at, folded, text, time};
use super::filter;
use super::parameter::{COMMON, Kind, Parameter, parameters, references, values};
use super::test::{self, How, Sought, escaped};
use super::vocabulary::WORDS;
use super::world::{KINDS, World};

/// Whether a resource is meant.
pub(super) type Holds = Box<dyn Fn(&World, &Value) -> bool>;

/// One parameter of a query.
pub(super) struct Asked {
    pub(super) name: String,
    pub(super) value: String,
    pub(super) holds: Holds,
}

fn asked(name: impl Into<String>, value: impl Into<String>, holds: impl Fn(&World, &Value) -> bool + 'static) -> Asked {
    Asked { name: name.into(), value: value.into(), holds: Box::new(holds) }
}

/// A maker of criteria.
pub(super) struct Asker<'a> {
    pub(super) chance: &'a mut Chance,
    pub(super) world: &'a World,
    /// Where the server is.
    pub(super) base_url: &'a str,
}

impl Asker<'_> {
    /// A criterion of resources of `kind`, through at most so many links.
    pub(super) fn criterion(&mut self, kind: &'static str, links: u32) -> Asked {
        match self.chance.below(14) {
            0 | 1 if links > 0 => self.chain(kind, links),
            2 | 3 if links > 0 => self.reverse(kind, links),
            4 | 5 => self.common(),
            6 => self.filter(kind),
            _ => self.own(kind),
        }
    }

    fn own(&mut self, kind: &'static str) -> Asked {
        let parameter = self.chance.of(parameters(kind));
        self.of_parameter(parameter)
    }

    fn filter(&mut self, kind: &'static str) -> Asked {
        let (text, holds) = filter::filter(self.chance, kind, 2);
        Asked { name: "_filter".to_owned(), value: text, holds }
    }

    fn chain(&mut self, kind: &'static str, links: u32) -> Asked {
        let references = references(kind);
        if references.is_empty() {
            return self.own(kind);
        }
        let (parameter, targets) = self.chance.of(&references);
        let (code, target) = (parameter.0, self.chance.of(targets));
        let inner = self.criterion(target, links - 1);
        let may_be_bare = targets.len() == 1 && !matches!(code, "subject" | "author" | "asserter" | "link" | "evidence-detail");
        let typed = if may_be_bare && self.chance.one_in(2) { String::new() } else { format!(":{target}") };
        asked(format!("{code}{typed}.{}", inner.name), inner.value.clone(), move |world, resource| {
            let pointed_at = values(resource, &parameter).into_iter().filter_map(|value| world.target(text(value, "reference")?));
            pointed_at.into_iter().any(|other| other["resourceType"] == target && (inner.holds)(world, other))
        })
    }

    fn reverse(&mut self, kind: &'static str, links: u32) -> Asked {
        let mut sources: Vec<(&'static str, Parameter)> = Vec::new();
        for source in KINDS {
            let points_here = references(source).into_iter().filter(|(_, targets)| targets.contains(&kind));
            sources.extend(points_here.map(|(parameter, _)| (*source, parameter)));
        }
        if sources.is_empty() {
            return self.own(kind);
        }
        let (source, parameter) = self.chance.of(&sources);
        let inner = self.criterion(source, links - 1);
        asked(format!("_has:{source}:{}:{}", parameter.0, inner.name), inner.value.clone(), move |world, resource| {
            let target = |value: &Value| text(value, "reference").and_then(|reference| world.target(reference));
            let points_here = |other| {
                values(other, &parameter)
                    .into_iter()
                    .any(|value| target(value).is_some_and(|there| std::ptr::eq(there, resource)))
            };
            world.of_kind(source).any(|other| points_here(other) && (inner.holds)(world, other))
        })
    }

    /// What is asked of every type.
    pub(super) fn common(&mut self) -> Asked {
        match self.chance.below(6) {
            0 => {
                let ids = [self.chance.id(), self.chance.id()];
                let negated = self.chance.one_in(3);
                asked(if negated { "_id:not" } else { "_id" }, ids.join(","), move |_, resource| {
                    negated != ids.iter().any(|id| resource["id"] == **id)
                })
            }
            1 => {
                let list = self.chance.id();
                asked("_list", list.clone(), move |world, resource| {
                    let items = world.target(&format!("List/{list}")).into_iter().flat_map(|list| at(list, "entry.item"));
                    let mut targets = items.filter_map(|item| world.target(text(item, "reference")?));
                    targets.any(|there| std::ptr::eq(there, resource))
                })
            }
            2 => {
                let sought = [self.chance.of(WORDS), self.chance.of(WORDS)];
                asked(self.chance.of(&["_text", "_content"]), sought.join(" "), move |_, resource| {
                    let narrative = text(&resource["text"], "div").unwrap_or_default();
                    sought.iter().all(|word| folded(narrative).split(' ').any(|own| own == folded(word)))
                })
            }
            3 => self.last_updated(),
            _ => {
                let parameter = self.chance.of(COMMON);
                self.of_parameter(parameter)
            }
        }
    }

    /// Around the moments at which something changed.
    fn last_updated(&mut self) -> Asked {
        let moments: Vec<&str> = self.world.all().map(|resource| text(&resource["meta"], "lastUpdated").unwrap()).collect();
        let Some(count) = u64::try_from(moments.len()).ok().filter(|count| *count > 0) else {
            return self.of_parameter(("_lastUpdated", Kind::Date, &["meta.lastUpdated"]));
        };
        let whole = moments[usize::try_from(self.chance.below(count)).unwrap()];
        let length = self.chance.of(&["2026-01-01T00:00".len(), "2026-01-01T00:00:00".len(), whole.len() - 1]);
        // What is approximately now is another question.
        let prefix = self.chance.of(&PREFIXES[..9]);
        let (text, test) = test::of_date(prefix, format!("{}Z", &whole[..length]));
        asked("_lastUpdated", text, move |_, resource| test(&resource["meta"]["lastUpdated"]))
    }

    fn of_parameter(&mut self, parameter: Parameter) -> Asked {
        let (code, kind, _) = parameter;
        if self.chance.one_in(10) {
            return self.missing(parameter);
        }
        let (modifier, one) = self.modified(kind, code);
        let sought: Vec<Sought> = (0..=self.chance.below(3)).map(|_| one(self.chance)).collect();
        let value = sought.iter().map(|(text, _)| text.as_str()).collect::<Vec<_>>().join(",");
        let negated = matches!(&*modifier, ":not" | ":not-in");
        asked(format!("{code}{modifier}"), value, move |_, resource| {
            negated != values(resource, &parameter).into_iter().any(|value| sought.iter().any(|(_, test)| test(value)))
        })
    }

    fn modified(&mut self, kind: Kind, code: &'static str) -> (String, Make) {
        let base_url = self.base_url.to_owned();
        let (modifier, make): (&str, Make) = match kind {
            Kind::Token => match self.chance.below(6) {
                0 => (":not", Box::new(test::token)),
                1 => (":text", Box::new(test::displayed)),
                2 if code == "identifier" => (":of-type", Box::new(test::of_type)),
                _ => ("", Box::new(test::token)),
            },
            Kind::Code(codes) => (self.chance.of(&["", ":not"]), Box::new(|chance| test::code(chance.of(codes)))),
            Kind::Deceased => ("", Box::new(test::deceased)),
            Kind::Class => {
                let modifier = self.chance.of(&["", ":above", ":below"]);
                (modifier, Box::new(move |chance| test::class(chance, modifier)))
            }
            Kind::Category => (self.chance.of(&[":in", ":not-in"]), Box::new(|_| test::category())),
            Kind::Text | Kind::Name => {
                let modifier = self.chance.of(&["", ":exact", ":contains"]);
                let by_word = matches!(kind, Kind::Name);
                let make = move |chance: &mut Chance| {
                    let (text, test) = test::string(chance, How::of(modifier), by_word);
                    (escaped(&text), test)
                };
                (modifier, Box::new(make))
            }
            Kind::Date => ("", Box::new(test::date)),
            Kind::Number => ("", Box::new(test::number)),
            Kind::Quantity(units) => ("", Box::new(move |chance| test::quantity(chance, units))),
            Kind::Money => ("", Box::new(test::money)),
            Kind::Uri => {
                let modifier = self.chance.of(&["", ":above", ":below"]);
                (modifier, Box::new(move |chance| test::uri(chance, modifier)))
            }
            Kind::Canonical if code == "_profile" && self.chance.one_in(3) => {
                let modifier = self.chance.of(&[":above", ":below"]);
                (modifier, Box::new(move |chance| test::uri(chance, modifier)))
            }
            Kind::Canonical => ("", Box::new(test::canonical)),
            Kind::ContentType => {
                let modifier = self.chance.of(&["", ":below"]);
                (modifier, Box::new(move |chance| test::content_type(chance, modifier)))
            }
            Kind::Reference(targets) => return self.pointing(targets),
            Kind::Patient => return self.pointing(&["Patient"]),
            Kind::Position => ("", Box::new(test::position)),
            Kind::CodeAndQuantity => ("", Box::new(test::code_and_quantity)),
            Kind::CodeAndText => ("", Box::new(test::code_and_text)),
            Kind::Relationship => ("", Box::new(move |chance| test::relationship(chance, &base_url))),
            Kind::Window => ("", Box::new(test::window)),
            Kind::Variant => ("", Box::new(test::variant)),
        };
        (modifier.to_owned(), make)
    }

    /// The ways in which a reference is asked for.
    fn pointing(&mut self, targets: &'static [&'static str]) -> (String, Make) {
        let base_url = self.base_url.to_owned();
        match self.chance.below(6) {
            0 => (":identifier".to_owned(), Box::new(test::identified)),
            1 => (String::new(), Box::new(|chance| test::id_alone(chance, None))),
            2 => {
                let kind = self.chance.of(targets);
                (format!(":{kind}"), Box::new(move |chance| test::id_alone(chance, Some(kind))))
            }
            _ => (String::new(), Box::new(move |chance| test::reference(chance, targets, &base_url))),
        }
    }

    fn missing(&mut self, parameter: Parameter) -> Asked {
        let wanted = self.chance.one_in(2);
        asked(format!("{}:missing", parameter.0), wanted.to_string(), move |_, resource| {
            wanted != values(resource, &parameter).into_iter().any(|value| is_there(parameter.1, value))
        })
    }
}

/// Whether a value is one by which the parameter finds something.
pub(super) fn is_there(kind: Kind, value: &Value) -> bool {
    let has = |value: &Value, members: &[&str]| members.iter().all(|member| value.get(member).is_some());
    match kind {
        Kind::CodeAndQuantity => has(value, &["code", "valueQuantity"]),
        Kind::CodeAndText => has(value, &["code", "valueString"]),
        Kind::Window => has(value, &["chromosome", "windowStart", "windowEnd"]),
        Kind::Variant => {
            let has_place = at(value, "variant").into_iter().any(|variant| has(variant, &["start", "end"]));
            has_place && !at(value, "referenceSeq.chromosome").is_empty()
        }
        Kind::Date => time(value).is_some(),
        _ => true,
    }
}

/// A maker of values.
type Make = Box<dyn Fn(&mut Chance) -> Sought>;
