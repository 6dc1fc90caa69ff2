//! The System types: what literals are and functions compute.

use std::borrow::Cow;
use std::fmt;

use super::temporal::{CalendarUnit, Temporal};
use crate::fhir::decimal::Decimal;

/// A value of a System type.
#[derive(Clone, Debug)]
pub enum Value<'t> {
    /// `System.Boolean`
    Boolean(bool),
    /// `System.Integer`, 32 bits
    Integer(i32),
    /// `System.Decimal`
    Decimal(Decimal),
    /// `System.String`
    String(Cow<'t, str>),
    /// `System.Date`, `System.DateTime`, `System.Time`
    Temporal(Temporal),
    /// `System.Quantity`
    Quantity(Box<Quantity<'t>>),
    /// What `type()` tells.
    Type(Box<TypeName<'t>>),
}

/// The name of a type, of either namespace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TypeName<'t> {
    /// `System` or `FHIR`.
    pub namespace: &'static str,
    /// The name without its namespace.
    pub name: Cow<'t, str>,
}

/// A number and its unit.
#[derive(Clone, Debug)]
pub struct Quantity<'t> {
    /// How much.
    pub value: Decimal,
    /// Of what.
    pub unit: Unit<'t>,
}

/// The unit of a quantity.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unit<'t> {
    /// A word of the calendar, `4 days`.
    Calendar(CalendarUnit),
    /// A UCUM code, `4 'd'`; `1` for a plain number.
    Coded(Cow<'t, str>),
}

impl Unit<'_> {
    /// The UCUM code, or for a word of the calendar the one of about the same length.
    pub fn code(&self) -> &str {
        match self {
            Self::Calendar(unit) => unit.ucum(),
            Self::Coded(code) => code,
        }
    }

    /// The unit of the calendar this is or stands for.
    pub fn calendar(&self) -> Option<CalendarUnit> {
        match self {
            Self::Calendar(unit) => Some(*unit),
            Self::Coded(code) => CalendarUnit::of_ucum(code),
        }
    }
}

/// The System types a value may be asked to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "each variant is a type of the System namespace")]
pub enum SystemType {
    Any,
    Boolean,
    Integer,
    Decimal,
    String,
    Date,
    DateTime,
    Time,
    Quantity,
}

impl SystemType {
    /// The type called `name`, without its namespace.
    pub fn named(name: &str) -> Option<Self> {
        Some(match name {
            "Any" => Self::Any,
            "Boolean" => Self::Boolean,
            "Integer" => Self::Integer,
            "Decimal" => Self::Decimal,
            "String" => Self::String,
            "Date" => Self::Date,
            "DateTime" => Self::DateTime,
            "Time" => Self::Time,
            "Quantity" => Self::Quantity,
            _ => return None,
        })
    }

    /// Its name without the namespace.
    pub fn name(self) -> &'static str {
        match self {
            Self::Any => "Any",
            Self::Boolean => "Boolean",
            Self::Integer => "Integer",
            Self::Decimal => "Decimal",
            Self::String => "String",
            Self::Date => "Date",
            Self::DateTime => "DateTime",
            Self::Time => "Time",
            Self::Quantity => "Quantity",
        }
    }
}

impl<'t> Value<'t> {
    /// A text that the expression or the resource holds.
    pub fn text(text: &'t str) -> Self {
        Self::String(Cow::Borrowed(text))
    }

    /// A quantity with a UCUM code.
    pub fn quantity(value: Decimal, unit: Unit<'t>) -> Self {
        Self::Quantity(Box::new(Quantity { value, unit }))
    }

    /// Its type.
    pub fn system_type(&self) -> SystemType {
        match self {
            Self::Boolean(_) => SystemType::Boolean,
            Self::Integer(_) => SystemType::Integer,
            Self::Decimal(_) => SystemType::Decimal,
            Self::String(_) => SystemType::String,
            Self::Temporal(at) => at.system_type(),
            Self::Quantity(_) => SystemType::Quantity,
            Self::Type(_) => SystemType::Any,
        }
    }

    /// The number this is, an integer being one (N1 §Conversion, implicit).
    pub fn number(&self) -> Option<Decimal> {
        match self {
            Self::Integer(value) => Some(Decimal::from(i64::from(*value))),
            Self::Decimal(value) => Some(value.clone()),
            Self::Boolean(_) | Self::String(_) | Self::Temporal(_) | Self::Quantity(_) | Self::Type(_) => None,
        }
    }

    /// The same value, its texts borrowed from this one.
    pub(super) fn borrowed(&'t self) -> Value<'t> {
        match self {
            Self::Boolean(value) => Value::Boolean(*value),
            Self::Integer(value) => Value::Integer(*value),
            Self::String(text) => Value::text(text),
            Self::Temporal(value) => Value::Temporal(*value),
            Self::Decimal(_) | Self::Quantity(_) | Self::Type(_) => self.clone(),
        }
    }
}

impl fmt::Display for Value<'_> {
    /// The text that `toString()` gives.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Boolean(value) => value.fmt(f),
            Self::Integer(value) => value.fmt(f),
            Self::Decimal(value) => value.fmt(f),
            Self::String(text) => f.write_str(text),
            Self::Temporal(value) => value.fmt(f),
            Self::Quantity(quantity) => quantity.fmt(f),
            Self::Type(name) => write!(f, "{}.{}", name.namespace, name.name),
        }
    }
}

impl fmt::Display for Quantity<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.unit {
            Unit::Calendar(unit) => {
                let plural = if self.value == Decimal::from(1) { "" } else { "s" };
                write!(f, "{} {}{plural}", self.value, unit.word())
            }
            Unit::Coded(code) => write!(f, "{} '{code}'", self.value),
        }
    }
}
