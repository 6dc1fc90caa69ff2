//! What an expression can yield, found from the definitions alone, before any resource is seen.
//!
//! It errs on the side of "anything": whatever depends on more than the types of elements is not followed.

use super::function::{Make, Test, TypeTest};
use super::model::{Model, TypeId};
use super::program::{NameId, Op, OpId, Program, TypeReference};
use super::value::{SystemType, Value};

/// What an expression can yield.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Yields {
    /// Elements of these types.
    pub types: Vec<TypeId>,
    /// Computed values of these types.
    pub values: Vec<SystemType>,
    /// And whatever else.
    pub anything: bool,
    /// A step that leads nowhere, whatever the resource: the name of a member or a type, as written.
    pub nowhere: Option<Box<str>>,
}

impl Yields {
    fn elements(types: Vec<TypeId>) -> Self {
        Self { types, ..Self::default() }
    }

    fn value(of: SystemType) -> Self {
        Self { values: vec![of], ..Self::default() }
    }

    fn anything() -> Self {
        Self { anything: true, ..Self::default() }
    }

    fn nothing() -> Self {
        Self::default()
    }

    fn nowhere(name: &str) -> Self {
        Self { nowhere: Some(name.into()), ..Self::default() }
    }

    /// Either.
    fn or(mut self, other: Self) -> Self {
        for found in other.types {
            if !self.types.contains(&found) {
                self.types.push(found);
            }
        }
        for found in other.values {
            if !self.values.contains(&found) {
                self.values.push(found);
            }
        }
        self.anything |= other.anything;
        self.nowhere = self.nowhere.or(other.nowhere);
        self
    }

    /// The same, also where one of its steps leads nowhere.
    fn after(mut self, base: &Self) -> Self {
        if self.nowhere.is_none() {
            self.nowhere.clone_from(&base.nowhere);
        }
        self
    }
}

/// Looks at a program.
pub(super) struct Look<'p> {
    pub(super) program: &'p Program,
    pub(super) model: &'p dyn Model,
}

impl Look<'_> {
    /// What the operation `id` yields for `this`.
    pub(super) fn at(&self, id: OpId, this: &Yields) -> Yields {
        match self.program.op(id) {
            Op::This => this.clone(),
            Op::Nothing => Yields::nothing(),
            Op::Literal(literal) => self.program.literal_of(literal).map_or_else(Yields::nothing, literal_type),
            Op::Root(name) => self.root(this, name),
            Op::Member { base, name } => self.member(&self.at(base, this), name),
            Op::At { base, .. } => self.at(base, this),
            Op::Test { base, test, .. } => self.test(test).after(&self.at(base, this)),
            Op::Make { base, make, arguments } => {
                let base = self.at(base, this);
                self.make(make, &base, self.program.arguments(arguments), this)
            }
            Op::Type { base, test, of } => self.typed(&self.at(base, this), test, of),
            Op::ResolvesTo { base, .. } => Yields::value(SystemType::Boolean).after(&self.at(base, this)),
            Op::Equality(..) | Op::Order(..) | Op::Logic(..) | Op::In(..) | Op::Contains(..) => {
                Yields::value(SystemType::Boolean)
            }
            Op::Union(left, right) => self.at(left, this).or(self.at(right, this)),
            Op::Index | Op::Total | Op::External(_) | Op::Negate(_) | Op::Affirm(_) | Op::Arithmetic(..) => Yields::anything(),
        }
    }

    fn name(&self, name: NameId) -> &str {
        self.program.name_of(name).map_or("", |name| name.plain())
    }

    /// A leading name with a capital: the focus, if that is its type, otherwise a member.
    fn root(&self, this: &Yields, name: NameId) -> Yields {
        let named = self.model.type_named(self.name(name));
        let is_meant = |of: &TypeId| named.is_some_and(|named| self.model.is_a(*of, named));
        if this.types.iter().any(is_meant) {
            return Yields::elements(this.types.iter().copied().filter(is_meant).collect());
        }
        self.member(this, name)
    }

    fn member(&self, base: &Yields, name: NameId) -> Yields {
        let name = self.name(name);
        let mut found = Yields { anything: base.anything, ..Yields::nothing() };
        for of in &base.types {
            let property = self.model.property(*of, name).map(|property| property.type_id);
            let choices = self.model.choices(*of, name).iter().map(|choice| choice.type_id);
            found = found.or(Yields::elements(property.into_iter().chain(choices).collect()));
            // The value of a primitive, and what only an instance says: the type of a resource inside another.
            found.anything |= name == "value" && found.types.is_empty() || self.is_open(*of);
        }
        let leads_nowhere = found.types.is_empty() && !found.anything && !base.types.is_empty();
        if leads_nowhere { Yields::nowhere(name).after(base) } else { found.after(base) }
    }

    /// Whether an instance may have members that the type has not: it is any resource.
    fn is_open(&self, of: TypeId) -> bool {
        matches!(self.model.type_name(of), "Resource" | "DomainResource")
    }

    fn test(&self, test: Test) -> Yields {
        match test {
            Test::Empty | Test::Exists | Test::All | Test::AllTrue | Test::AnyTrue | Test::AllFalse | Test::AnyFalse => {}
            Test::SubsetOf | Test::SupersetOf | Test::IsDistinct | Test::Not | Test::StartsWith | Test::EndsWith => {}
            Test::Contains | Test::Matches | Test::MatchesFull | Test::ConvertsTo(_) | Test::HasValue => {}
            Test::HasExtension | Test::ConformsTo | Test::MemberOf | Test::Subsumes | Test::SubsumedBy | Test::HtmlChecks => {}
        }
        Yields::value(SystemType::Boolean)
    }

    fn make(&self, make: Make, base: &Yields, arguments: &[OpId], this: &Yields) -> Yields {
        match make {
            Make::Where | Make::Single | Make::First | Make::Last | Make::Tail | Make::Skip | Make::Take => base.clone(),
            Make::Intersect | Make::Exclude | Make::Distinct | Make::Trace => base.clone(),
            Make::Select => match arguments {
                [projection] => self.at(*projection, base).after(base),
                _ => Yields::anything(),
            },
            Make::Union | Make::Combine => match arguments {
                [other] => base.clone().or(self.at(*other, this)),
                _ => Yields::anything(),
            },
            Make::Extension => match self.model.type_named("Extension") {
                Some(extension) => Yields::elements(vec![extension]).after(base),
                None => Yields::anything(),
            },
            Make::To(of) => Yields::value(of).after(base),
            Make::Repeat | Make::Count | Make::Iif | Make::Aggregate | Make::Children | Make::Descendants => Yields::anything(),
            Make::Now | Make::Today | Make::TimeOfDay | Make::Type | Make::Text(_) | Make::Math(_) => Yields::anything(),
            Make::Resolve | Make::GetValue | Make::ElementDefinition | Make::Slice | Make::CheckModifiers => Yields::anything(),
        }
    }

    fn typed(&self, base: &Yields, test: TypeTest, of: TypeReference) -> Yields {
        match (test, of) {
            (TypeTest::Is, _) => Yields::value(SystemType::Boolean).after(base),
            (TypeTest::As | TypeTest::OfType, TypeReference::System(of)) => Yields::value(of).after(base),
            (TypeTest::As | TypeTest::OfType, TypeReference::Fhir(name)) => {
                let Some(named) = self.model.type_named(self.name(name)) else { return Yields::nowhere(self.name(name)) };
                let can_be = |of: &TypeId| self.model.is_a(*of, named) || self.model.is_a(named, *of);
                if base.anything || base.types.iter().any(can_be) {
                    Yields::elements(vec![named]).after(base)
                } else {
                    Yields::nowhere(self.name(name)).after(base)
                }
            }
        }
    }
}

fn literal_type(value: &Value<'static>) -> Yields {
    match value {
        Value::Boolean(_) => Yields::value(SystemType::Boolean),
        Value::Integer(_) => Yields::value(SystemType::Integer),
        Value::Decimal(_) => Yields::value(SystemType::Decimal),
        Value::String(_) => Yields::value(SystemType::String),
        Value::Temporal(_) | Value::Quantity(_) | Value::Type(_) => Yields::anything(),
    }
}
