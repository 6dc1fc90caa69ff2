//! FHIRPath N1 as R4 uses it: parsed once to a compact program, evaluated over the borrowed node table without cloning.
//!
//! An [`Expression`] is compiled by [`Expression::parse`], kept, and evaluated as often as wanted over [`Item`]s – typed
//! cursors into a `fhir::json::Tree` – in an [`Environment`]. Items stream from operator to operator, so `exists()`
//! looks no further than the first, and only operators that need a whole collection build one.
//!
//! The language is that of <http://hl7.org/fhirpath/N1/> with the functions of R4 fhirpath.html. Types come in through
//! [`model::Model`]; what a resource cannot tell – other resources, terminology, profiles, conversion of units – through
//! [`Host`]. Where the specification signals an error, so does this engine, with its place in the expression; whatever an
//! expression or a resource holds, an evaluation ends within the bounds of [`limit`].
//!
//! R4's own expressions decide where R4 and N1 disagree: `as` and `as()` filter a collection of several items
//! (invariant dom-3, most search parameters), and `hasExtension()` exists.

mod environment;
mod error;
mod evaluate;
mod function;
mod item;
mod lexer;
pub mod limit;
pub mod model;
mod parser;
mod program;
mod temporal;
#[cfg(test)]
mod tests;
mod value;
mod yields;

use std::fmt;

pub use environment::{Environment, Host, Limits};
pub use error::{EvaluationError, ParseError, Reason};
pub use item::{Collection, Element, Item};
pub use temporal::{CalendarUnit, Temporal};
pub use value::{Quantity, SystemType, TypeName, Unit, Value};
pub use yields::Yields;

/// A compiled expression.
pub struct Expression {
    source: Box<str>,
    program: program::Program,
}

impl Expression {
    /// Compiles `source`.
    ///
    /// # Errors
    /// The first place where the text is no FHIRPath: syntax, an unknown function, a wrong number of arguments, or a limit.
    pub fn parse(source: &str) -> Result<Self, ParseError> {
        Ok(Self { source: source.into(), program: parser::parse(source)? })
    }

    /// The text it was compiled from.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// What the expression can yield for a focus of the type `focus`, by the definitions of `model` alone.
    pub fn yields(&self, model: &dyn model::Model, focus: model::TypeId) -> Yields {
        let this = Yields { types: vec![focus], ..Yields::default() };
        yields::Look { program: &self.program, model }.at(self.program.root(), &this)
    }

    /// The items the expression yields for `focus`.
    ///
    /// # Errors
    /// Where the specification signals an error, and at a limit.
    pub fn evaluate<'t>(&'t self, focus: Item<'t>, environment: &'t Environment<'t>) -> Result<Collection<'t>, EvaluationError> {
        evaluate::collect(&self.program, focus, environment)
    }

    /// Hands each item the expression yields for `focus` to `visit`, in order, without building a collection.
    ///
    /// # Errors
    /// Where the specification signals an error, and at a limit; items may have been visited before.
    pub fn visit<'t>(
        &'t self,
        focus: Item<'t>,
        environment: &'t Environment<'t>,
        visit: &mut dyn FnMut(Item<'t>),
    ) -> Result<(), EvaluationError> {
        evaluate::visit(&self.program, focus, environment, visit)
    }

    /// The truth of the expression for `focus`: `None` if it yields nothing. A single item that is no boolean counts as true.
    ///
    /// # Errors
    /// Where the specification signals an error – several items are one – and at a limit.
    pub fn test<'t>(&'t self, focus: Item<'t>, environment: &'t Environment<'t>) -> Result<Option<bool>, EvaluationError> {
        evaluate::test(&self.program, focus, environment)
    }
}

impl fmt::Debug for Expression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Expression({})", self.source)
    }
}
