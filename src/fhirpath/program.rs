//! The compiled form: one flat table of small operations that name each other by index, an operand always before the
//! operation that uses it.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

use regex::Regex;

use super::error::ParseError;
use super::function::{Make, Test, TypeTest};
use super::limit::MAX_DEPTH;
use super::model::{ModelId, TypeId};
use super::value::{SystemType, Value};

/// An operation of a program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct OpId(u32);

/// A name, an external constant or the name of a type in the program's table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct NameId(u32);

/// A literal in the program's table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct LiteralId(u32);

/// A compiled pattern in the program's table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct PatternId(u32);

/// The arguments of a call, a slice of the program's table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Arguments {
    start: u32,
    count: u8,
    /// Where `matches` keeps its pattern, if the pattern is a literal.
    pattern: Option<PatternId>,
}

/// The type a test names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TypeReference {
    System(SystemType),
    Fhir(NameId),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Equality {
    Equal,
    NotEqual,
    Equivalent,
    NotEquivalent,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Order {
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Logic {
    And,
    Or,
    Xor,
    Implies,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Arithmetic {
    Add,
    Subtract,
    Multiply,
    Divide,
    Div,
    Mod,
    Concatenate,
}

/// One operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Op {
    /// `$this`, also where an invocation has nothing before it.
    This,
    Index,
    Total,
    /// `{}`
    Nothing,
    Literal(LiteralId),
    /// `%name`
    External(NameId),
    /// A leading name that begins with a capital: the type of the focus, or a member.
    Root(NameId),
    Member {
        base: OpId,
        name: NameId,
    },
    At {
        base: OpId,
        index: OpId,
    },
    Test {
        base: OpId,
        test: Test,
        arguments: Arguments,
    },
    Make {
        base: OpId,
        make: Make,
        arguments: Arguments,
    },
    Type {
        base: OpId,
        test: TypeTest,
        of: TypeReference,
    },
    /// `base.resolve() is T`, answered from the text of the reference wherever that suffices.
    ResolvesTo {
        base: OpId,
        of: TypeReference,
    },
    Negate(OpId),
    Affirm(OpId),
    Equality(Equality, OpId, OpId),
    Order(Order, OpId, OpId),
    Logic(Logic, OpId, OpId),
    Arithmetic(Arithmetic, OpId, OpId),
    In(OpId, OpId),
    Contains(OpId, OpId),
    Union(OpId, OpId),
}

/// A name as the expression writes it, and as the sibling member that carries a primitive's id and extensions.
#[derive(Debug)]
pub(super) struct Name {
    underscored: Box<str>,
}

impl Name {
    pub(super) fn plain(&self) -> &str {
        self.underscored.get(1..).unwrap_or_default()
    }

    pub(super) fn underscored(&self) -> &str {
        &self.underscored
    }
}

/// An operation, how deep it stands and where it was written.
#[derive(Debug)]
struct Placed {
    op: Op,
    depth: u16,
    offset: u32,
    known: KnownProperty,
}

/// What a step was last told about its property: the model's number, the owner's type and the property's type, packed.
/// A step of a stored expression meets the same type again and again.
#[derive(Debug, Default)]
struct KnownProperty(AtomicU64);

impl KnownProperty {
    fn key(model: ModelId, of: TypeId) -> u64 {
        u64::from(model.number()) << 32 | u64::from(of.0) << 16
    }

    fn get(&self, model: ModelId, of: TypeId) -> Option<TypeId> {
        let known = self.0.load(Ordering::Relaxed);
        (known & !0xFFFF == Self::key(model, of)).then_some(TypeId((known & 0xFFFF) as u16))
    }

    fn set(&self, model: ModelId, of: TypeId, found: TypeId) {
        self.0.store(Self::key(model, of) | u64::from(found.0), Ordering::Relaxed);
    }
}

/// A compiled expression.
#[derive(Debug, Default)]
pub(super) struct Program {
    ops: Vec<Placed>,
    arguments: Vec<OpId>,
    names: Vec<Name>,
    literals: Vec<Value<'static>>,
    patterns: Vec<OnceLock<Option<Regex>>>,
    root: u32,
}

impl Program {
    pub(super) fn push(&mut self, op: Op, offset: usize) -> Result<OpId, ParseError> {
        let depth = 1 + self.operands(op).map(|operand| self.depth(operand)).max().unwrap_or(0);
        if depth > MAX_DEPTH {
            return Err(ParseError { offset, message: format!("the expression is nested deeper than {MAX_DEPTH}") });
        }
        let id = OpId(self.ops.len() as u32);
        self.ops.push(Placed { op, depth, offset: offset as u32, known: KnownProperty::default() });
        Ok(id)
    }

    fn operands(&self, op: Op) -> impl Iterator<Item = OpId> {
        let (fixed, arguments): ([Option<OpId>; 2], &[OpId]) = match op {
            Op::This | Op::Index | Op::Total | Op::Nothing | Op::Literal(_) | Op::External(_) | Op::Root(_) => {
                ([None, None], &[])
            }
            Op::Member { base, .. } | Op::Type { base, .. } | Op::ResolvesTo { base, .. } => ([Some(base), None], &[]),
            Op::Negate(of) | Op::Affirm(of) => ([Some(of), None], &[]),
            Op::At { base, index } => ([Some(base), Some(index)], &[]),
            Op::Test { base, arguments, .. } | Op::Make { base, arguments, .. } => {
                ([Some(base), None], self.arguments(arguments))
            }
            Op::Equality(_, left, right) | Op::Order(_, left, right) | Op::Logic(_, left, right) => {
                ([Some(left), Some(right)], &[])
            }
            Op::Arithmetic(_, left, right) | Op::In(left, right) | Op::Contains(left, right) | Op::Union(left, right) => {
                ([Some(left), Some(right)], &[])
            }
        };
        fixed.into_iter().flatten().chain(arguments.iter().copied())
    }

    fn depth(&self, id: OpId) -> u16 {
        self.ops.get(id.0 as usize).map_or(0, |placed| placed.depth)
    }

    pub(super) fn finish(&mut self, root: OpId) {
        self.root = root.0;
    }

    pub(super) fn root(&self) -> OpId {
        OpId(self.root)
    }

    pub(super) fn op(&self, id: OpId) -> Op {
        self.ops.get(id.0 as usize).map_or(Op::Nothing, |placed| placed.op)
    }

    /// The type of the property that the step `id` names on `of`: remembered, or asked for and then remembered.
    pub(super) fn property_type(
        &self,
        id: OpId,
        model: Option<ModelId>,
        of: TypeId,
        ask: impl FnOnce() -> Option<TypeId>,
    ) -> Option<TypeId> {
        let (Some(model), Some(placed)) = (model, self.ops.get(id.0 as usize)) else { return ask() };
        if let Some(known) = placed.known.get(model, of) {
            return Some(known);
        }
        let found = ask()?;
        placed.known.set(model, of, found);
        Some(found)
    }

    pub(super) fn offset(&self, id: OpId) -> usize {
        self.ops.get(id.0 as usize).map_or(0, |placed| placed.offset as usize)
    }

    pub(super) fn name(&mut self, name: &str) -> NameId {
        let known = self.names.iter().position(|known| known.plain() == name);
        let at = known.unwrap_or_else(|| {
            self.names.push(Name { underscored: format!("_{name}").into() });
            self.names.len() - 1
        });
        NameId(at as u32)
    }

    pub(super) fn name_of(&self, id: NameId) -> Option<&Name> {
        self.names.get(id.0 as usize)
    }

    pub(super) fn literal(&mut self, value: Value<'static>) -> LiteralId {
        self.literals.push(value);
        LiteralId(self.literals.len() as u32 - 1)
    }

    pub(super) fn literal_of(&self, id: LiteralId) -> Option<&Value<'static>> {
        self.literals.get(id.0 as usize)
    }

    pub(super) fn call(&mut self, arguments: &[OpId]) -> Option<Arguments> {
        let start = self.arguments.len() as u32;
        self.arguments.extend_from_slice(arguments);
        Some(Arguments { start, count: u8::try_from(arguments.len()).ok()?, pattern: None })
    }

    /// The same call with a place for its compiled pattern.
    pub(super) fn with_pattern(&mut self, arguments: Arguments) -> Arguments {
        self.patterns.push(OnceLock::new());
        Arguments { pattern: Some(PatternId(self.patterns.len() as u32 - 1)), ..arguments }
    }

    pub(super) fn pattern(&self, arguments: Arguments) -> Option<&OnceLock<Option<Regex>>> {
        self.patterns.get(arguments.pattern?.0 as usize)
    }

    pub(super) fn arguments(&self, arguments: Arguments) -> &[OpId] {
        let start = arguments.start as usize;
        self.arguments.get(start..start + usize::from(arguments.count)).unwrap_or_default()
    }
}
