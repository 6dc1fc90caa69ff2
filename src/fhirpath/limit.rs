//! Every bound of the engine, so that no expression and no resource can hold a thread.

/// The longest expression that is read, in bytes. The longest of R4 has about 4 KB.
pub const MAX_EXPRESSION_BYTES: usize = 64 * 1024;

/// The deepest nesting of operators, invocations and arguments. The deepest of R4 has about 40.
pub const MAX_DEPTH: u16 = 128;

/// How many steps one evaluation may take: one for each item that any operator looks at.
pub const MAX_STEPS: u32 = 4_000_000;

/// How many items a collection may hold.
pub const MAX_ITEMS: usize = 250_000;

/// The longest text that a function or operator may build, in bytes.
pub const MAX_TEXT_BYTES: usize = 1024 * 1024;

/// How many bytes of text count as one step.
pub(super) const TEXT_BYTES_PER_STEP: usize = 64;

/// The largest compiled regular expression, in bytes.
pub(super) const MAX_PATTERN_BYTES: usize = 256 * 1024;
