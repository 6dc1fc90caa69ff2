//! FHIRPath Patch (R4 fhirpatch.html): a Parameters resource whose operations name elements by FHIRPath. Each operation sees what
//! the one before made (FP-06).

use super::draft::{Draft, Edited, Step, UNTOUCHABLE, is_fixed};
use super::element::{Slot, Spot, narrowed};
use super::json::MAX_OPERATIONS;
use super::value::{Seat, Supplied, supplied, with_added};
use crate::definition::{Registry, Structure};
use crate::fhir::ResourceType;
use crate::fhir::json::{JsonKind, Node, Tree};
use crate::fhirpath::{Element, Expression, Item, Limits};
use crate::interaction::text::replaced;
use crate::outcome::{Failure, Kind, Outcome};
use crate::search::focused;

/// How many steps the path of one operation may take.
const MAX_PATH_STEPS: u32 = 200_000;

const NOTHING_THERE: &str = "its path leads nowhere";

/// One operation.
struct Operation<'p> {
    act: Act<'p>,
    path: Expression,
}

enum Act<'p> {
    Add { name: String, value: Supplied<'p> },
    Insert { index: usize, value: Supplied<'p> },
    Delete,
    Replace { value: Supplied<'p> },
    Move { source: usize, destination: usize },
}

/// What operations are applied to: resources of a type.
#[derive(Clone, Copy)]
pub(super) struct Ground<'r> {
    pub(super) registry: &'r Registry,
    pub(super) kind: ResourceType,
}

const NAMES: [&str; 5] = ["add", "insert", "delete", "replace", "move"];

/// Applies the operations of `parameters`, a Parameters resource that is well formed, to `draft`.
///
/// # Errors
/// 400 where an operation is none, 422 where it cannot be done; each names the operation.
pub(super) fn apply(ground: Ground<'_>, draft: &mut Draft, parameters: &Tree<'_>) -> Outcome<()> {
    let operations: Vec<Node<'_>> = parameters.root().member("parameter").map(|list| list.items().collect()).unwrap_or_default();
    if operations.len() > MAX_OPERATIONS {
        let failure = Failure::new(Kind::TooLarge, format!("a patch may have at most {MAX_OPERATIONS} operations"));
        return Err(failure.at("Parameters.parameter"));
    }
    for (position, node) in operations.into_iter().enumerate() {
        let word = part(node, "type").ok().flatten().and_then(text);
        let name = word.as_deref().and_then(|word| NAMES.into_iter().find(|known| *known == word));
        let place = format!("Parameters.parameter[{position}]");
        let step = Step { position, name: name.unwrap_or("?"), place };
        let operation = Operation::read(ground.registry, node, name).map_err(|reason| step.malformed(reason))?;
        draft.apply(&step, |tree| operation.done(ground, tree))?;
        draft.prune()?;
    }
    Ok(())
}

impl<'p> Operation<'p> {
    fn read(registry: &Registry, node: Node<'p>, name: Option<&str>) -> Result<Self, &'static str> {
        if node.member("name").and_then(Node::string).as_deref() != Some("operation") {
            return Err("a parameter of a patch is called operation");
        }
        check_parts(node)?;
        let path = part(node, "path")?.and_then(text).ok_or("it has no path")?;
        let path = Expression::parse(&path).map_err(|_| "its path is no FHIRPath")?;
        let value = || part(node, "value")?.and_then(|part| supplied(registry, part)).ok_or("it has no value");
        let number = |name, missing| part(node, name)?.and_then(whole).ok_or(missing);
        let act = match name {
            Some("add") => {
                let name = part(node, "name")?.and_then(text).ok_or("it does not say the name of what is added")?;
                Act::Add { name, value: value()? }
            }
            Some("insert") => Act::Insert { index: number("index", "it has no index")?, value: value()? },
            Some("delete") => Act::Delete,
            Some("replace") => Act::Replace { value: value()? },
            Some("move") => Act::Move {
                source: number("source", "it has no source")?,
                destination: number("destination", "it has no destination")?,
            },
            Some(_) | None => return Err("type is add, insert, delete, replace or move"),
        };
        Ok(Self { act, path })
    }

    fn done(&self, ground: Ground<'_>, tree: &Tree<'_>) -> Edited {
        let (focus, environment) = focused(ground.registry, ground.kind, tree);
        let environment = environment.with_limits(Limits { steps: MAX_PATH_STEPS, ..Limits::default() });
        let found = self.path.evaluate(focus, &environment).map_err(|_| "its path cannot be evaluated here")?;
        let elements = found.iter().map(|item| match item {
            Item::Element(element) => Ok(*element),
            Item::Value(_) => Err("its path gives a value, not an element of the resource"),
        });
        let elements: Vec<Element<'_>> = elements.collect::<Result<_, _>>()?;
        let aim = Aim { ground, tree, elements: &elements };
        match &self.act {
            Act::Add { name, value } => aim.add(name, value).map(Some),
            Act::Insert { index, value } => aim.insert(self.path.source(), *index, value).map(Some),
            Act::Delete => aim.delete(),
            Act::Replace { value } => aim.replace(value).map(Some),
            Act::Move { source, destination } => aim.moved(*source, *destination).map(Some),
        }
    }
}

/// What the path of an operation found.
struct Aim<'t> {
    ground: Ground<'t>,
    tree: &'t Tree<'t>,
    elements: &'t [Element<'t>],
}

impl<'t> Aim<'t> {
    /// The only element found.
    fn one(&self) -> Result<Element<'t>, &'static str> {
        match self.elements {
            [one] => Ok(*one),
            [] => Err(NOTHING_THERE),
            [_, _, ..] => Err("its path leads to several elements"),
        }
    }

    /// Where `element` stands, if it is an element that a patch may change.
    fn spot(&self, element: &Element<'t>) -> Result<Spot<'t>, &'static str> {
        let node = element.node().ok_or(NOTHING_THERE)?;
        let spot = Spot::of(self.ground.registry, self.ground.kind, self.tree, node);
        let spot = spot.ok_or("its path leads to the resource itself, or to what has no definition")?;
        if is_fixed(&spot.path()) { Err(UNTOUCHABLE) } else { Ok(spot) }
    }

    /// FP-01: to what the path finds, under a name.
    fn add(&self, name: &str, value: &Supplied<'_>) -> Result<String, &'static str> {
        let registry = self.ground.registry;
        let element = self.one()?;
        let type_id = element.type_id().ok_or("the type there is not known")?;
        let structure = registry.structure(type_id);
        let added = |object: &str, structure: &Structure| with_added(registry, structure, object, (name, value));
        if structure.primitive().is_none() {
            let object = element.node().ok_or(NOTHING_THERE)?;
            return Ok(replaced(self.tree, object, &added(object.raw(), narrowed(registry, structure, object))?));
        }
        // What a primitive has beside its value stands in an object of its own.
        let spot = self.spot(&element)?;
        let mut slots = spot.slots();
        let slot = slots.get_mut(spot.index).ok_or(NOTHING_THERE)?;
        slot.sibling = Some(added(slot.sibling.as_deref().unwrap_or("{}"), structure)?);
        Ok(spot.set(self.tree, &slots))
    }

    /// FP-02: into the list that the path finds, or into one that holds nothing yet.
    fn insert(&self, path: &str, index: usize, value: &Supplied<'_>) -> Result<String, &'static str> {
        if self.elements.is_empty() {
            return self.begin(path, index, value);
        }
        let (spot, mut slots) = self.list()?;
        let seat = Seat::named(self.ground.registry, spot.structure, &spot.property, value)?;
        if index > slots.len() {
            return Err("its index is beyond the end of the list");
        }
        slots.insert(index, seat.slot(self.ground.registry, value)?);
        Ok(spot.set(self.tree, &slots))
    }

    /// The first item of a list is added under its name to what the path before the name finds.
    fn begin(&self, path: &str, index: usize, value: &Supplied<'_>) -> Result<String, &'static str> {
        if index > 0 {
            return Err("its index is beyond the end of the list");
        }
        let (holder, name) = path.trim().rsplit_once('.').unwrap_or(("$this", path.trim()));
        let registry = self.ground.registry;
        let holder = Expression::parse(holder).map_err(|_| NOTHING_THERE)?;
        let (focus, environment) = focused(registry, self.ground.kind, self.tree);
        let environment = environment.with_limits(Limits { steps: MAX_PATH_STEPS, ..Limits::default() });
        let found = holder.evaluate(focus, &environment).map_err(|_| NOTHING_THERE)?;
        let elements: Vec<Element<'_>> = found.iter().filter_map(Item::element).copied().collect();
        let aim = Aim { ground: self.ground, tree: self.tree, elements: &elements };
        let structure = aim.one()?.type_id().map(|type_id| registry.structure(type_id)).ok_or(NOTHING_THERE)?;
        if !structure.property(name).is_some_and(|found| found.element.repeats()) {
            return Err("its path leads to no list");
        }
        aim.add(name, value)
    }

    /// FP-03: one element, or nothing where there is none.
    fn delete(&self) -> Edited {
        if self.elements.is_empty() {
            return Ok(None);
        }
        let spot = self.spot(&self.one()?)?;
        let mut slots = spot.slots();
        if spot.index < slots.len() {
            slots.remove(spot.index);
        }
        Ok(Some(spot.set(self.tree, &slots)))
    }

    /// FP-04: exactly one element; a choice may take another type.
    fn replace(&self, value: &Supplied<'_>) -> Result<String, &'static str> {
        let registry = self.ground.registry;
        let spot = self.spot(&self.one()?)?;
        let found = spot.structure.property(&spot.property).ok_or("what its path leads to has no definition")?;
        let seat = Seat::named(registry, spot.structure, found.element.name, value)?;
        let slot = seat.slot(registry, value)?;
        if seat.property != spot.property {
            return Ok(spot.exchanged(self.tree, &seat.property, slot));
        }
        let mut slots = spot.slots();
        if let Some(place) = slots.get_mut(spot.index) {
            *place = slot;
        }
        Ok(spot.set(self.tree, &slots))
    }

    /// FP-05: within a list; `destination` counts without the item that moves.
    fn moved(&self, source: usize, destination: usize) -> Result<String, &'static str> {
        if self.elements.is_empty() {
            return Err(NOTHING_THERE);
        }
        let (spot, mut slots) = self.list()?;
        if source >= slots.len() || destination >= slots.len() {
            return Err("its source or destination is beyond the end of the list");
        }
        let item = slots.remove(source);
        slots.insert(destination, item);
        Ok(spot.set(self.tree, &slots))
    }

    /// The list that the path finds: every repetition of one element in one place.
    fn list(&self) -> Result<(Spot<'t>, Vec<Slot>), &'static str> {
        let spots = self.elements.iter().map(|element| self.spot(element)).collect::<Result<Vec<_>, _>>()?;
        let first = spots.first().ok_or(NOTHING_THERE)?;
        let slots = first.slots();
        if !first.repeats() || spots.len() != slots.len() || !spots.iter().all(|spot| spot.is_beside(first)) {
            return Err("its path leads to no list, or not to the whole of one");
        }
        Ok((first.clone(), slots))
    }
}

/// The parts an operation may have.
const PARTS: [&str; 7] = ["type", "path", "name", "value", "index", "source", "destination"];

fn check_parts(operation: Node<'_>) -> Result<(), &'static str> {
    let parts = operation.member("part").map(Node::items).into_iter().flatten();
    let is_known = |part: Node<'_>| part.member("name").and_then(Node::string).is_some_and(|name| PARTS.contains(&&*name));
    if parts.into_iter().all(is_known) { Ok(()) } else { Err("it has a part that no operation has") }
}

/// The part of an operation called `name`.
fn part<'p>(operation: Node<'p>, name: &str) -> Result<Option<Node<'p>>, &'static str> {
    let parts = operation.member("part").map(Node::items).into_iter().flatten();
    let mut named = parts.filter(|part| part.member("name").and_then(Node::string).is_some_and(|own| own == name));
    let first = named.next();
    if named.next().is_some() { Err("it has a part twice") } else { Ok(first) }
}

/// The primitive value of a part.
fn primitive(part: Node<'_>) -> Option<Node<'_>> {
    part.children().find(|member| member.key().is_some_and(|key| key.starts_with("value")))
}

fn text(part: Node<'_>) -> Option<String> {
    primitive(part)?.string().map(Into::into)
}

fn whole(part: Node<'_>) -> Option<usize> {
    primitive(part).filter(|node| node.kind() == JsonKind::Number)?.raw().parse().ok()
}
