//! The operations R4 defines (operations.html).

use serde::Deserialize;

/// An OperationDefinition.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Operation {
    /// Its canonical URL.
    pub url: &'static str,
    /// Its name, without the `$`.
    pub code: &'static str,
    /// The types it is defined for; `Resource` for all.
    #[serde(borrow)]
    pub resource: Vec<&'static str>,
    /// Whether it may be called on the whole server.
    #[serde(rename = "system")]
    pub on_system: bool,
    /// Whether it may be called on a type.
    #[serde(rename = "type")]
    pub on_type: bool,
    /// Whether it may be called on an instance.
    #[serde(rename = "instance")]
    pub on_instance: bool,
    /// Whether it changes anything; `None` where the standard does not say.
    pub affects_state: Option<bool>,
    /// Its parameters.
    pub parameter: Vec<OperationParameter>,
}

/// A parameter of an operation: name, `in` or `out`, least and most occurrences, type.
#[derive(Debug, Deserialize)]
pub struct OperationParameter(
    /// Its name.
    pub &'static str,
    /// `in` or `out`.
    pub &'static str,
    /// The least number of occurrences.
    pub u8,
    /// The most, `*` for no limit.
    pub &'static str,
    /// Its type; `None` where it consists of parts.
    pub Option<&'static str>,
);
