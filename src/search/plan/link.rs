//! Criteria across references: chains and `_has` (R4 search.html §chaining, §has). The index keeps references as hashes, which
//! lead from what is pointed at to what points and not back; the store therefore decides a link in steps, each an ordinary
//! search, beginning on the side where fewer instances come into question.

use super::{Condition, Plan, condition, dossier};
use crate::fhir::{Instant, ResourceType};
use crate::outcome::Outcome;
use crate::search::extract::{Indexer, Pointer};
use crate::search::query::{Chain, Criterion, ReverseChain};

/// A link between an instance and another one.
#[derive(Clone, Debug, PartialEq)]
pub struct Link {
    /// The reference.
    pub pointer: Pointer,
    /// Which of the two points at the other.
    pub direction: Direction,
    /// What the other one is: found by one of these plans. Each is of one type and says nothing of order and page.
    pub others: Vec<Plan>,
}

/// Which way a link is gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// The instance points at the other one.
    To,
    /// The other one points at the instance, which is of this type.
    From(ResourceType),
}

/// What a chain asks of an instance of `kind`.
pub(super) fn chain(kind: ResourceType, chain: &Chain, context: (&Indexer, Instant)) -> Outcome<Condition> {
    let others = chain.targets.iter().map(|(target, criterion)| other(*target, criterion, context));
    let link = Link {
        pointer: context.0.pointer(kind, chain.parameter)?,
        direction: Direction::To,
        others: others.collect::<Outcome<_>>()?,
    };
    Ok(Condition::Linked(Box::new(link)))
}

/// What `_has` asks of an instance of `kind`.
pub(super) fn reverse(kind: ResourceType, has: &ReverseChain, context: (&Indexer, Instant)) -> Outcome<Condition> {
    let link = Link {
        pointer: context.0.pointer(has.kind, has.parameter)?,
        direction: Direction::From(kind),
        others: vec![other(has.kind, &has.criterion, context)?],
    };
    Ok(Condition::Linked(Box::new(link)))
}

fn other(kind: ResourceType, criterion: &Criterion, context: (&Indexer, Instant)) -> Outcome<Plan> {
    Ok(Plan {
        kinds: vec![kind],
        dossiers: dossier::of_criterion(kind, criterion, context.0),
        condition: condition::of(kind, criterion, context)?,
        order: Vec::new(),
        count: 0,
        after: None,
        backward: false,
        total: false,
    })
}

impl Condition {
    /// Whether the store must take steps before it can judge an instance.
    pub fn takes_steps(&self) -> bool {
        match self {
            Self::All(parts) | Self::Any(parts) => parts.iter().any(Self::takes_steps),
            Self::Not(part) => part.takes_steps(),
            Self::Linked(_) | Self::Examined(_) => true,
            Self::Term(_)
            | Self::At(_)
            | Self::InDossier(_)
            | Self::Kind(_)
            | Self::Id(_)
            | Self::Date(..)
            | Self::Updated(_) => false,
            Self::StringPrefix(..) | Self::StringContains(..) | Self::Quantity(..) => false,
        }
    }
}
