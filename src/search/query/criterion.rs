//! One parameter of a query, understood: a test of the resource itself, of what it points at, or of what points at it.

use std::cell::Cell;

use super::fault::Fault;
use super::filter;
use super::name::Name;
use super::read;
use super::value::{Place, Test};
use super::{MAX_BRANCHES, MAX_LINKS};
use crate::definition::{Parameter, ParameterId, ParameterKind, Registry};
use crate::fhir::ResourceType;

/// What an instance must fulfil for one parameter.
#[derive(Clone, Debug, PartialEq)]
pub enum Criterion {
    /// Of its own values.
    Own(Filter),
    /// Of an instance one of its references points at: `subject.name=…`
    Chain(Chain),
    /// Of an instance that points at it: `_has:Observation:patient:code=…`
    Has(ReverseChain),
    /// All of these.
    All(Vec<Criterion>),
    /// One of these.
    Any(Vec<Criterion>),
    /// Not this.
    Not(Box<Criterion>),
}

/// A test of the values of one search parameter.
#[derive(Clone, Debug, PartialEq)]
pub struct Filter {
    /// Which parameter, in the index.
    pub parameter: ParameterId,
    /// Its name in the query.
    pub code: Box<str>,
    /// How its values are compared.
    pub kind: ParameterKind,
    /// What is asked of it.
    pub test: Test,
}

/// A test of what a reference parameter points at.
#[derive(Clone, Debug, PartialEq)]
pub struct Chain {
    /// The reference.
    pub parameter: ParameterId,
    /// For each type that it may point at and that has the rest of the chain, what is asked there. Never empty.
    pub targets: Vec<(ResourceType, Criterion)>,
}

/// A test of what points here.
#[derive(Clone, Debug, PartialEq)]
pub struct ReverseChain {
    /// The type that points here.
    pub kind: ResourceType,
    /// Its reference parameter.
    pub parameter: ParameterId,
    /// What is asked of it.
    pub criterion: Box<Criterion>,
}

/// What `name=value` asks of instances of `kind`; `None` where it asks nothing.
pub(super) fn read(registry: &Registry, kind: ResourceType, (name, value): (&str, &str)) -> Result<Option<Criterion>, Fault> {
    read_link(registry, kind, (name, value), Way { links: 0, criteria: &Cell::new(0) })
}

/// How far a chain has been read.
#[derive(Clone, Copy)]
struct Way<'c> {
    /// The links passed.
    links: usize,
    /// What was read along all branches.
    criteria: &'c Cell<usize>,
}

impl Way<'_> {
    /// A chain that may go on with any type branches at each link.
    fn passed(self) -> Result<Self, Fault> {
        let (links, criteria) = (self.links + 1, self.criteria.get() + 1);
        self.criteria.set(criteria);
        if links > MAX_LINKS {
            return Err(Fault::too_many("links of one chain", MAX_LINKS));
        }
        if criteria > MAX_BRANCHES {
            return Err(Fault::too_many("branches of one chain; name the types it goes through", MAX_BRANCHES));
        }
        Ok(Self { links, ..self })
    }
}

fn read_link(
    registry: &Registry,
    kind: ResourceType,
    (name, value): (&str, &str),
    way: Way<'_>,
) -> Result<Option<Criterion>, Fault> {
    match Name::read(name).ok_or_else(|| Fault::wrong("`_has` needs a type, a reference parameter and a parameter"))? {
        Name::Plain { code, modifier } => {
            if let Some(special) = special(registry, kind, (code, modifier), value)? {
                return Ok(Some(special));
            }
            let parameter = find(registry, kind, code)?;
            let test = read::test(parameter, modifier, value)?;
            Ok(test.map(|test| Criterion::Own(Filter { parameter: parameter.id, code: code.into(), kind: parameter.kind, test })))
        }
        Name::Chain { code, kind: target, rest } => {
            let parameter = find_reference(registry, kind, code)?;
            let targets = chain_targets(parameter, target)?;
            chain(registry, parameter, (targets, rest, value), way)
        }
        Name::Has { kind: source, reference, rest } => {
            let source: ResourceType = source.parse().map_err(|_| Fault::wrong("`_has` names no resource type"))?;
            let parameter = find_reference(registry, source, reference)?;
            let asked = read_link(registry, source, (rest, value), way.passed()?)?;
            let has = |criterion| ReverseChain { kind: source, parameter: parameter.id, criterion: Box::new(criterion) };
            Ok(asked.map(|criterion| Criterion::Has(has(criterion))))
        }
    }
}

/// What is asked by the parameters for which the standard names no elements.
fn special(
    registry: &Registry,
    kind: ResourceType,
    (code, modifier): (&str, Option<&str>),
    value: &str,
) -> Result<Option<Criterion>, Fault> {
    let place = match code {
        "_text" => Place::Narrative,
        "_content" => Place::Resource,
        "_list" if modifier.is_none() => return list(registry, value),
        "_filter" if modifier.is_none() => return filter::read(registry, kind, value).map(Some),
        _ => return Ok(None),
    };
    let Some(parameter) = registry.parameter(kind, code) else { return Ok(None) };
    if let Some(modifier) = modifier {
        return Err(Fault::modifier(modifier, code, "none"));
    }
    let values = read::texts(value)?;
    let filter = Filter { parameter: parameter.id, code: code.into(), kind: parameter.kind, test: Test::Words(place, values) };
    Ok(Some(Criterion::Own(filter)))
}

/// `_list=x`: the instances that the List `x` has as items.
fn list(registry: &Registry, value: &str) -> Result<Option<Criterion>, Fault> {
    if value.starts_with('$') {
        return Err(Fault::unsupported("a functional list").firmly());
    }
    let value = value.replace("List/", "");
    let item = find_reference(registry, ResourceType::List, "item")?;
    let id = find(registry, ResourceType::List, "_id")?;
    let Some(test) = read::test(id, None, &value)? else { return Ok(None) };
    let own = Filter { parameter: id.id, code: "_id".into(), kind: id.kind, test };
    let criterion = Box::new(Criterion::Own(own));
    Ok(Some(Criterion::Has(ReverseChain { kind: ResourceType::List, parameter: item.id, criterion })))
}

pub(super) fn find<'r>(registry: &'r Registry, kind: ResourceType, code: &str) -> Result<&'r Parameter, Fault> {
    let known = || registry.parameters(kind).iter().map(|parameter| &*parameter.code);
    let unknown = || Fault::unknown(code, kind.name(), known().chain(super::result::NAMES.iter().copied()));
    let parameter = registry.parameter(kind, code).ok_or_else(unknown)?;
    if parameter.expression.is_none() && parameter.kind != ParameterKind::Composite {
        return Err(Fault::unsupported(&format!("`{code}`, for which the standard says no elements,")));
    }
    Ok(parameter)
}

fn find_reference<'r>(registry: &'r Registry, kind: ResourceType, code: &str) -> Result<&'r Parameter, Fault> {
    let parameter = find(registry, kind, code)?;
    if parameter.kind == ParameterKind::Reference {
        return Ok(parameter);
    }
    Err(Fault::wrong(format!("`{code}` is no reference, so nothing follows it")))
}

/// The types a chain goes on with.
pub(super) fn chain_targets(parameter: &Parameter, named: Option<&str>) -> Result<Vec<ResourceType>, Fault> {
    let Some(named) = named else {
        return Ok(if parameter.targets.is_empty() { ResourceType::ALL.to_vec() } else { parameter.targets.clone() });
    };
    let refused = || Fault::modifier(named, &parameter.code, "the types it points at");
    let kind = named.parse().map_err(|_| refused())?;
    if parameter.targets.is_empty() || parameter.targets.contains(&kind) { Ok(vec![kind]) } else { Err(refused()) }
}

/// A type that has not the rest of the chain is no target; where none has it, the first one's fault is told.
fn chain(
    registry: &Registry,
    parameter: &Parameter,
    (targets, rest, value): (Vec<ResourceType>, &str, &str),
    way: Way<'_>,
) -> Result<Option<Criterion>, Fault> {
    let mut found = Vec::new();
    let mut first_fault = None;
    for target in targets {
        match read_link(registry, target, (rest, value), way.passed()?) {
            Ok(Some(criterion)) => found.push((target, criterion)),
            Ok(None) => return Ok(None),
            Err(fault) => {
                first_fault.get_or_insert(fault);
            }
        }
    }
    match first_fault {
        Some(fault) if found.is_empty() => Err(fault),
        _ => Ok(Some(Criterion::Chain(Chain { parameter: parameter.id, targets: found }))),
    }
}

impl Criterion {
    /// What of it this server cannot search yet.
    pub(super) fn unsupported(&self) -> Option<Fault> {
        match self {
            // A parameter may be left out, its modifiers may not (R4 search.html §modifiers).
            Self::Own(filter) => filter.test.unsupported().map(|what| Fault::unsupported(what).firmly()),
            Self::Chain(chain) => chain.targets.iter().find_map(|(_, criterion)| criterion.unsupported()),
            Self::Has(has) => has.criterion.unsupported(),
            Self::All(parts) | Self::Any(parts) => parts.iter().find_map(Self::unsupported),
            Self::Not(part) => part.unsupported(),
        }
    }
}
