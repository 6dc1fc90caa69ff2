//! The interpreter. Items stream: every operation hands what it yields to a sink, and a sink that has seen enough says so.
//!
//! Three ways to ask an operation: [`Evaluator::each`] for its items, [`Evaluator::truth`] for a truth value, which builds no
//! item, and [`Evaluator::one`] for a single item.

mod constant;
mod convert;
mod distinct;
mod equality;
mod html;
mod make;
mod math;
mod operator;
mod path;
mod resource;
mod subset;
mod test;
mod text;
mod types;

use std::cell::Cell;
use std::slice;

use super::environment::Environment;
use super::error::{EvaluationError, Reason};
use super::function::TypeTest;
use super::item::{Collection, Item};
use super::limit::TEXT_BYTES_PER_STEP;
use super::program::{Arguments, Op, OpId, Program};
use super::value::Value;
use crate::fhir::json::Node;

/// What an operation that may fail gives.
type Attempt<T> = Result<T, Box<EvaluationError>>;

/// Whether a stream of items goes on.
type Flow = Result<(), Stop>;

/// Where the items of an operation go.
type Sink<'x, 't> = &'x mut dyn FnMut(Item<'t>) -> Flow;

/// Why a stream of items ends early.
enum Stop {
    /// The one who asked has seen enough. Whoever raises it must catch it, with [`ended`], before calling any sink not its own.
    Enough,
    Failed(Box<EvaluationError>),
}

impl From<Box<EvaluationError>> for Stop {
    fn from(error: Box<EvaluationError>) -> Self {
        Self::Failed(error)
    }
}

/// The end of a stream that one's own sink may have cut short.
fn ended(flow: Flow) -> Attempt<()> {
    match flow {
        Ok(()) | Err(Stop::Enough) => Ok(()),
        Err(Stop::Failed(error)) => Err(error),
    }
}

/// What names without an owner are looked up in: `$this`, `$index`, `$total`.
#[derive(Clone, Copy)]
struct Scope<'s, 't> {
    this: &'s [Item<'t>],
    index: Option<i32>,
    total: Option<&'s [Item<'t>]>,
}

impl<'s, 't> Scope<'s, 't> {
    fn over(self, item: &'s Item<'t>, index: i32) -> Self {
        Self { this: slice::from_ref(item), index: Some(index), total: self.total }
    }
}

/// A call of a function: what it is applied to and its arguments, which are evaluated in the scope around it.
#[derive(Clone, Copy)]
struct Call<'s, 't> {
    at: OpId,
    base: OpId,
    arguments: Arguments,
    scope: Scope<'s, 't>,
}

struct Evaluator<'t> {
    program: &'t Program,
    environment: &'t Environment<'t>,
    context: Item<'t>,
    steps: Cell<u32>,
}

impl<'t> Evaluator<'t> {
    fn new(program: &'t Program, focus: Item<'t>, environment: &'t Environment<'t>) -> Self {
        Self { program, environment, context: focus, steps: Cell::new(0) }
    }

    fn run<T>(&self, ask: impl FnOnce(OpId, Scope<'_, 't>) -> Attempt<T>) -> Result<T, EvaluationError> {
        let scope = Scope { this: slice::from_ref(&self.context), index: None, total: None };
        ask(self.program.root(), scope).map_err(|error| *error)
    }

    fn error(&self, at: OpId, reason: Reason) -> Box<EvaluationError> {
        Box::new(EvaluationError { offset: self.program.offset(at), reason })
    }

    /// Counts steps, so that an evaluation ends.
    fn charge(&self, at: OpId, steps: usize) -> Attempt<()> {
        let taken = self.steps.get().saturating_add(u32::try_from(steps).unwrap_or(u32::MAX));
        self.steps.set(taken);
        if taken > self.environment.limits.steps { Err(self.error(at, Reason::TooManySteps)) } else { Ok(()) }
    }

    /// Counts the work on a text that a function reads or builds.
    fn charge_text(&self, at: OpId, bytes: usize) -> Attempt<()> {
        if bytes > self.environment.limits.text_bytes {
            return Err(self.error(at, Reason::TooMuchText));
        }
        self.charge(at, 1 + bytes / TEXT_BYTES_PER_STEP)
    }

    /// Adds to a collection, within its bound.
    fn push(&self, at: OpId, items: &mut Collection<'t>, item: Item<'t>) -> Attempt<()> {
        if items.len() >= self.environment.limits.items {
            return Err(self.error(at, Reason::TooManyItems));
        }
        items.push(item);
        Ok(())
    }

    /// Hands every item that the operation yields to `sink`.
    fn each(&self, id: OpId, scope: Scope<'_, 't>, sink: Sink<'_, 't>) -> Flow {
        self.charge(id, 1)?;
        match self.program.op(id) {
            Op::This => scope.this.iter().cloned().try_for_each(sink),
            Op::Index => scope.index.map_or(Ok(()), |index| sink(Value::Integer(index).into())),
            Op::Total => scope.total.unwrap_or_default().iter().cloned().try_for_each(sink),
            Op::Nothing => Ok(()),
            Op::Literal(literal) => match self.program.literal_of(literal) {
                Some(value) => sink(value.borrowed().into()),
                None => Ok(()),
            },
            Op::External(name) => self.external(id, name, sink),
            Op::Root(name) => scope.this.iter().try_for_each(|item| self.root(item, name, sink)),
            Op::Member { base, name } => self.members(id, (base, name), scope, sink),
            Op::At { base, index } => self.indexed(id, (base, index), scope, sink),
            Op::Make { base, make, arguments } => self.make(make, Call { at: id, base, arguments, scope }, sink),
            Op::Type { base, test: TypeTest::As | TypeTest::OfType, of } => {
                self.each(base, scope, &mut |item| if self.is_cast(&item, of) { sink(item) } else { Ok(()) })
            }
            Op::Negate(of) => self.negate(id, of, scope, sink),
            Op::Affirm(of) => self.each(of, scope, sink),
            Op::Arithmetic(arithmetic, left, right) => {
                self.arithmetic(id, arithmetic, (left, right), scope)?.map_or(Ok(()), |value| sink(value.into()))
            }
            Op::Union(left, right) => self.union(id, (left, right), scope, sink),
            Op::Test { .. }
            | Op::Type { test: TypeTest::Is, .. }
            | Op::ResolvesTo { .. }
            | Op::Equality(..)
            | Op::Order(..)
            | Op::Logic(..)
            | Op::In(..)
            | Op::Contains(..) => match self.truth(id, scope)? {
                Some(truth) => sink(truth.into()),
                None => Ok(()),
            },
        }
    }

    /// The truth value of an operation; a single item that is no boolean is true (N1 §Singleton Evaluation of Collections).
    fn truth(&self, id: OpId, scope: Scope<'_, 't>) -> Attempt<Option<bool>> {
        match self.program.op(id) {
            Op::Test { base, test, arguments } => {
                self.charge(id, 1)?;
                self.test(test, Call { at: id, base, arguments, scope })
            }
            Op::Type { base, test: TypeTest::Is, of } => Ok(self.one(base, scope)?.map(|item| self.is_of(&item, of))),
            Op::ResolvesTo { base, of } => self.resolves_to(base, of, scope),
            Op::Equality(equality, left, right) => self.equality(id, equality, (left, right), scope),
            Op::Order(order, left, right) => self.order(id, order, (left, right), scope),
            Op::Logic(logic, left, right) => self.logic(logic, (left, right), scope),
            Op::In(item, collection) => self.membership(id, item, collection, scope),
            Op::Contains(collection, item) => self.membership(id, item, collection, scope),
            Op::This
            | Op::Index
            | Op::Total
            | Op::Nothing
            | Op::Literal(_)
            | Op::External(_)
            | Op::Root(_)
            | Op::Member { .. }
            | Op::At { .. }
            | Op::Make { .. }
            | Op::Type { .. }
            | Op::Negate(_)
            | Op::Affirm(_)
            | Op::Arithmetic(..)
            | Op::Union(..) => Ok(self.one(id, scope)?.map(|item| is_true(&item))),
        }
    }

    /// The only item of an operation, if it yields one.
    fn one(&self, id: OpId, scope: Scope<'_, 't>) -> Attempt<Option<Item<'t>>> {
        let mut found = None;
        ended(self.each(id, scope, &mut |item| {
            if found.is_some() {
                return Err(self.error(id, Reason::Several).into());
            }
            found = Some(item);
            Ok(())
        }))?;
        Ok(found)
    }

    /// All items of an operation.
    fn collect(&self, id: OpId, scope: Scope<'_, 't>) -> Attempt<Collection<'t>> {
        let mut items = Collection::new();
        ended(self.each(id, scope, &mut |item| Ok(self.push(id, &mut items, item)?)))?;
        Ok(items)
    }

    fn argument(&self, call: Call<'_, 't>, position: usize) -> Option<OpId> {
        self.program.arguments(call.arguments).get(position).copied()
    }

    /// An argument that must be one item, or nothing.
    fn single_argument(&self, call: Call<'_, 't>, position: usize) -> Attempt<Option<Item<'t>>> {
        match self.argument(call, position) {
            Some(argument) => self.one(argument, call.scope),
            None => Ok(None),
        }
    }

    /// An argument that must be a whole number, or nothing.
    fn integer_argument(&self, call: Call<'_, 't>, position: usize) -> Attempt<Option<i32>> {
        let Some(item) = self.single_argument(call, position)? else { return Ok(None) };
        match self.value_of(&item) {
            Some(Value::Integer(value)) => Ok(Some(value)),
            _ => Err(self.error(call.at, Reason::WrongType("an integer"))),
        }
    }
}

fn is_true(item: &Item<'_>) -> bool {
    match item {
        Item::Value(Value::Boolean(value)) => *value,
        Item::Value(_) => true,
        Item::Element(element) => element.value().and_then(Node::boolean).unwrap_or(true),
    }
}

pub(super) fn collect<'t>(
    program: &'t Program,
    focus: Item<'t>,
    environment: &'t Environment<'t>,
) -> Result<Collection<'t>, EvaluationError> {
    let evaluator = Evaluator::new(program, focus, environment);
    evaluator.run(|root, scope| evaluator.collect(root, scope))
}

pub(super) fn visit<'t>(
    program: &'t Program,
    focus: Item<'t>,
    environment: &'t Environment<'t>,
    visit: &mut dyn FnMut(Item<'t>),
) -> Result<(), EvaluationError> {
    let evaluator = Evaluator::new(program, focus, environment);
    evaluator.run(|root, scope| {
        ended(evaluator.each(root, scope, &mut |item| {
            visit(item);
            Ok(())
        }))
    })
}

pub(super) fn test<'t>(
    program: &'t Program,
    focus: Item<'t>,
    environment: &'t Environment<'t>,
) -> Result<Option<bool>, EvaluationError> {
    let evaluator = Evaluator::new(program, focus, environment);
    evaluator.run(|root, scope| evaluator.truth(root, scope))
}
