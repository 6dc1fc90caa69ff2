//! The two ways an expression can fail, each with its place in the text.

/// A text that is not a FHIRPath expression, or one over the limits of [`super::limit`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message} (at {offset})")]
pub struct ParseError {
    /// Where, in bytes from the start of the expression.
    pub offset: usize,
    /// What is wrong, in a sentence; it may quote the expression, never a resource.
    pub message: String,
}

/// An expression that cannot be answered for this focus: the specification's "signal an error", or a limit.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{reason} (at {offset})")]
pub struct EvaluationError {
    /// The operator or function that failed, in bytes from the start of the expression.
    pub offset: usize,
    /// Why.
    pub reason: Reason,
}

/// Why an evaluation was given up. Nothing here quotes a resource.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[allow(missing_docs, reason = "the message of each variant says it")]
pub enum Reason {
    #[error("one item was expected, there are more")]
    Several,
    #[error("{0} was expected, the item is something else")]
    WrongType(&'static str),
    #[error("the operands cannot be combined")]
    Incompatible,
    #[error("an external constant that is not defined: %{0}")]
    UnknownConstant(String),
    #[error("a regular expression that cannot be read or is too large")]
    BadPattern,
    #[error("{0}() needs something that was not given to this evaluation")]
    Unsupported(&'static str),
    #[error("the evaluation takes too many steps")]
    TooManySteps,
    #[error("the result has too many items")]
    TooManyItems,
    #[error("the result has too much text")]
    TooMuchText,
}
