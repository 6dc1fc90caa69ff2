//! A statement in the making: text and bound values grow together, so no value can get into the text.

use crate::store::statement::{Statement, Value};

/// Text with its values.
#[derive(Clone, Debug, Default)]
pub(super) struct Sql<'a> {
    text: String,
    values: Vec<Value<'a>>,
}

impl<'a> Sql<'a> {
    pub(super) fn new(text: &str) -> Self {
        Self { text: text.to_owned(), values: Vec::new() }
    }

    /// The same with text of this program appended.
    #[must_use]
    pub(super) fn push(mut self, text: &str) -> Self {
        self.text.push_str(text);
        self
    }

    /// The same with a `?` appended, and its value.
    #[must_use]
    pub(super) fn bind(self, value: impl Into<Value<'a>>) -> Self {
        self.push("?").with(value)
    }

    /// The same with the value of a `?` that the text has already.
    #[must_use]
    pub(super) fn with(mut self, value: impl Into<Value<'a>>) -> Self {
        self.values.push(value.into());
        self
    }

    /// The same with other text and its values appended.
    #[must_use]
    pub(super) fn append(mut self, other: Self) -> Self {
        self.text.push_str(&other.text);
        self.values.extend(other.values);
        self
    }

    /// `left IN (?, …)`; `left = ?` for one value. Nothing is in an empty list.
    pub(super) fn is_one_of<V: Into<Value<'a>>>(left: &str, values: impl ExactSizeIterator<Item = V>) -> Self {
        match values.len() {
            0 => Self::new(NEVER),
            1 => values.fold(Self::new(left).push(" = "), Self::bind),
            _ => {
                let separated = |(index, sql): (usize, Self), value| {
                    (index + 1, if index == 0 { sql.bind(value) } else { sql.push(", ").bind(value) })
                };
                values.fold((0, Self::new(left).push(" IN (")), separated).1.push(")")
            }
        }
    }

    /// The parts in parentheses with `operator` between them, nested evenly, so that many are not deep; `empty` without any.
    pub(super) fn joined(parts: Vec<Self>, operator: &str, empty: &str) -> Self {
        let mut level = parts;
        while level.len() > 1 {
            let mut pairs = level.into_iter();
            let mut above = Vec::with_capacity(pairs.len().div_ceil(2));
            while let Some(left) = pairs.next() {
                above.push(match pairs.next() {
                    Some(right) => Self::new("(").append(left).push(operator).append(right).push(")"),
                    None => left,
                });
            }
            level = above;
        }
        level.pop().unwrap_or_else(|| Self::new(empty))
    }

    pub(super) fn statement(self) -> Statement<'a> {
        Statement::composed(self.text, self.values)
    }
}

/// What is always so.
pub(super) const ALWAYS: &str = "1 = 1";
/// What is never so.
pub(super) const NEVER: &str = "1 = 0";
