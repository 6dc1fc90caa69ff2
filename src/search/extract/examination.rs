//! What the index does not say and a resource itself does: which values of a composite stand together, the words that go with a
//! code, the type of an identifier, how far away a place is. The store examines the stored bodies of the instances that fulfil
//! everything else.

use std::fmt;
use std::sync::Arc;

use chrono_tz::Tz;

use super::Indexer;
use super::collect::{Collector, text_of};
use super::facet::Facet;
use super::focus::focused;
use super::shape::Shape;
use crate::definition::Registry;
use crate::fhir::ResourceType;
use crate::fhir::json::{Node, Tree};
use crate::fhirpath::{Environment, Expression, Item};
use crate::outcome::{Failure, Outcome};
use crate::search::fold::{fold, fold_whole};
use crate::search::index::IndexEntries;
use crate::search::plan::Condition;
use crate::search::query::{Ending, Near, Place, TypedIdentifier};
use crate::search::term::Terms;

/// The mean radius of the earth.
const EARTH_RADIUS_KM: f64 = 6_371.008_8;

/// A question to stored bodies.
#[derive(Clone)]
pub struct Examination {
    /// What every instance fulfils of which the answer is yes.
    pub necessary: Condition,
    question: Arc<Question>,
}

/// A question, and what it takes to read a resource.
struct Question {
    registry: Registry,
    base: Arc<str>,
    terms: Terms,
    zone: Tz,
    shapes: Arc<[Shape]>,
    kind: ResourceType,
    asked: Asked,
}

/// What is asked of a resource.
#[derive(Debug)]
pub(in crate::search) enum Asked {
    /// A text that goes with a code begins with one of these, folded.
    Text(Arc<Expression>, Vec<String>),
    /// It has one of these identifiers.
    OfType(Arc<Expression>, Vec<TypedIdentifier>),
    /// A URI is one of these or stands below one.
    UriBelow(Arc<Expression>, Vec<Box<str>>),
    /// A position lies so near.
    Near(Arc<Expression>, Vec<Near>),
    /// A value stands there.
    Present(Arc<Expression>),
    /// One repetition fulfils one of these in each component.
    Composite(Repetitions, Vec<Vec<Condition>>),
    /// One repetition has a value of each component.
    Complete(Repetitions),
    /// A text of one value is this one, another one, or ends so.
    Ending(Repetitions, Ending, String),
    /// One of these groups of words stands there, folded.
    Words(Place, Vec<Vec<String>>),
}

/// The repetitions of a composite and its components in each.
#[derive(Debug)]
pub(in crate::search) struct Repetitions {
    pub(super) whole: Expression,
    pub(super) components: Vec<Facet>,
}

impl Examination {
    pub(super) fn new(indexer: &Indexer, kind: ResourceType, necessary: Condition, asked: Asked) -> Self {
        let question = Question {
            registry: indexer.registry.clone(),
            base: Arc::clone(&indexer.base),
            terms: indexer.terms.clone(),
            zone: indexer.zone,
            shapes: Arc::clone(&indexer.shapes),
            kind,
            asked,
        };
        Self { necessary, question: Arc::new(question) }
    }

    /// The type asked.
    pub fn kind(&self) -> ResourceType {
        self.question.kind
    }

    /// Whether the answer of `json`, an instance of the type asked, is yes.
    ///
    /// # Errors
    /// `Fault` where `json` is no resource: what is stored is one.
    pub fn passes(&self, json: &[u8]) -> Outcome<bool> {
        let tree = Tree::parse(json).map_err(Failure::fault)?;
        Ok(self.question.passes(&tree))
    }
}

impl PartialEq for Examination {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.question, &other.question)
    }
}

impl fmt::Debug for Examination {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {:?}, {:?}", self.question.kind, self.question.asked, self.necessary)
    }
}

impl Question {
    fn passes(&self, tree: &Tree<'_>) -> bool {
        let any = |expression, test: &dyn Fn(Shape, Node<'_>) -> bool| {
            self.any(expression, tree, &mut |item| self.value(item).is_some_and(|(shape, node)| test(shape, node)))
        };
        match &self.asked {
            Asked::Text(expression, sought) => any(expression, &|shape, node| says(shape, node, sought)),
            Asked::OfType(expression, sought) => any(expression, &|_, node| is_typed(node, sought)),
            Asked::UriBelow(expression, sought) => any(expression, &|shape, node| is_below(shape, node, sought)),
            Asked::Near(expression, sought) => any(expression, &|_, node| is_near(node, sought)),
            Asked::Present(expression) => any(expression, &|_, _| true),
            Asked::Composite(repetitions, sought) => self.any(&repetitions.whole, tree, &mut |repetition| {
                let values = self.components(repetitions, repetition, tree);
                sought
                    .iter()
                    .any(|alternative| alternative.iter().zip(&values).all(|(condition, (_, entries))| condition.holds(entries)))
            }),
            Asked::Complete(repetitions) => self.any(&repetitions.whole, tree, &mut |repetition| {
                self.components(repetitions, repetition, tree).iter().all(|(is_present, _)| *is_present)
            }),
            Asked::Ending(values, how, sought) => self.any(&values.whole, tree, &mut |value| {
                let components = self.components(values, value, tree);
                components.iter().flat_map(|(_, entries)| &entries.strings).any(|own| match how {
                    Ending::Is => *own.folded == **sought,
                    Ending::IsNot => *own.folded != **sought,
                    Ending::Ends => own.folded.ends_with(&**sought),
                })
            }),
            Asked::Words(place, sought) => {
                let words = words(*place, tree);
                sought.iter().any(|group| group.iter().all(|word| words.binary_search(word).is_ok()))
            }
        }
    }

    /// Whether one of the items that `expression` yields passes `test`.
    fn any(&self, expression: &Expression, tree: &Tree<'_>, test: &mut dyn FnMut(&Item<'_>) -> bool) -> bool {
        let (focus, environment) = self.focus(tree);
        let mut passes = false;
        // Where an expression stops at a fault of the resource, what it had found counts, as it does in the index.
        let _ = expression.visit(focus, &environment, &mut |item| passes = passes || test(&item));
        passes
    }

    /// The entries of each component in one repetition, and whether there is a value at all.
    fn components(&self, repetitions: &Repetitions, repetition: &Item<'_>, tree: &Tree<'_>) -> Vec<(bool, IndexEntries)> {
        let entries_of = |facet: &Facet| {
            let (_, environment) = self.focus(tree);
            let mut collector =
                Collector { terms: &self.terms, base: &self.base, zone: self.zone, entries: IndexEntries::default() };
            let mut found = false;
            let _ = facet.expression.visit(repetition.clone(), &environment, &mut |item| {
                match &item {
                    Item::Value(value) => collector.computed(facet, &value.to_string()),
                    Item::Element(_) => {
                        let Some((shape, node)) = self.value(&item) else { return };
                        collector.element(facet, shape, node);
                    }
                }
                found = true;
            });
            if found {
                collector.present(facet);
            }
            (found, collector.finish())
        };
        repetitions.components.iter().map(entries_of).collect()
    }

    fn focus<'t>(&'t self, tree: &'t Tree<'_>) -> (Item<'t>, Environment<'t>) {
        focused(&self.registry, self.kind, tree)
    }

    fn value<'t>(&self, item: &Item<'t>) -> Option<(Shape, Node<'t>)> {
        let element = item.element()?;
        Some((Shape::of_element(&self.shapes, element), element.value()?))
    }
}

/// The texts that go with a code: that of the concept, the displays of its codings, the type of an identifier.
fn says(shape: Shape, node: Node<'_>, sought: &[String]) -> bool {
    let begins = |text: Option<std::borrow::Cow<'_, str>>| {
        text.is_some_and(|text| {
            let text = fold(&text);
            sought.iter().any(|sought| text.starts_with(&**sought))
        })
    };
    match shape {
        Shape::CodeableConcept => {
            let displays = node.member("coding").into_iter().flat_map(Node::items);
            begins(text_of(node, "text")) || displays.into_iter().any(|coding| begins(text_of(coding, "display")))
        }
        Shape::Coding => begins(text_of(node, "display")),
        Shape::Identifier => node.member("type").is_some_and(|concept| begins(text_of(concept, "text"))),
        Shape::Text => begins(node.string()),
        _ => false,
    }
}

fn is_typed(node: Node<'_>, sought: &[TypedIdentifier]) -> bool {
    let value = text_of(node, "value");
    let codings = || node.member("type").and_then(|concept| concept.member("coding")).into_iter().flat_map(Node::items);
    sought.iter().any(|sought| {
        let is_type = |coding: Node<'_>| {
            text_of(coding, "system").as_deref() == Some(&*sought.system)
                && text_of(coding, "code").is_some_and(|code| code.to_lowercase() == sought.code.to_lowercase())
        };
        value.as_deref().is_some_and(|value| value.to_lowercase() == sought.value.to_lowercase()) && codings().any(is_type)
    })
}

/// The version of a canonical URL is no part of its path.
fn is_below(shape: Shape, node: Node<'_>, sought: &[Box<str>]) -> bool {
    let is_at = |uri: &str, above: &str| {
        uri.strip_prefix(above).is_some_and(|rest| rest.is_empty() || above.ends_with(['/', ':']) || rest.starts_with(['/', ':']))
    };
    node.string().is_some_and(|uri| {
        let path = if shape == Shape::Canonical { uri.split(['|', '#']).next().unwrap_or_default() } else { &uri };
        sought.iter().any(|above| is_at(path, above))
    })
}

fn is_near(node: Node<'_>, sought: &[Near]) -> bool {
    let degrees = |name: &str| node.member(name).and_then(Node::number).and_then(|text| text.parse::<f64>().ok());
    let Some((latitude, longitude)) = degrees("latitude").zip(degrees("longitude")) else { return false };
    sought.iter().any(|near| great_circle(near, latitude, longitude) <= near.distance)
}

/// The way over the surface of the earth, in kilometres (haversine).
fn great_circle(from: &Near, latitude: f64, longitude: f64) -> f64 {
    let half_sine = |from: f64, to: f64| ((to - from).to_radians() / 2.0).sin().powi(2);
    let across = from.latitude.to_radians().cos() * latitude.to_radians().cos() * half_sine(from.longitude, longitude);
    let square = half_sine(from.latitude, latitude) + across;
    2.0 * EARTH_RADIUS_KM * square.sqrt().min(1.0).asin()
}

/// The words of a text.
pub(in crate::search) fn words_of(text: &str) -> Vec<String> {
    fold_whole(text).split(' ').filter(|word| !word.is_empty()).map(str::to_owned).collect()
}

/// The words there, in order and each once.
fn words(place: Place, tree: &Tree<'_>) -> Vec<String> {
    let mut words = Vec::new();
    match place {
        Place::Narrative => {
            let narrative = tree.root().member("text").and_then(|text| text_of(text, "div"));
            words.extend(narrative.iter().flat_map(|narrative| words_of(&without_tags(narrative))));
        }
        Place::Resource => push_words(tree.root(), &mut words),
    }
    words.sort_unstable();
    words.dedup();
    words
}

fn push_words(node: Node<'_>, words: &mut Vec<String>) {
    if let Some(text) = node.string() {
        words.extend(words_of(&if node.is_named("div") { without_tags(&text).into() } else { text }));
    }
    node.children().for_each(|child| push_words(child, words));
}

/// The text of a narrative: its tags are blanks, the entities of XML what they stand for.
fn without_tags(html: &str) -> String {
    let mut text = String::with_capacity(html.len());
    let mut in_tag = false;
    for c in html.chars() {
        match c {
            '<' => in_tag = true,
            '>' => {
                in_tag = false;
                text.push(' ');
            }
            _ if in_tag => {}
            other => text.push(other),
        }
    }
    let entities =
        [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&apos;", "'"), ("&nbsp;", " "), ("&#160;", " "), ("&amp;", "&")];
    entities.iter().fold(text, |text, (entity, meant)| text.replace(entity, meant))
}
