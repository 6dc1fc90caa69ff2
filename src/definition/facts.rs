//! The lines of `fhir-profiles/core` as they are written.

use std::borrow::Cow;

use serde::Deserialize;

/// A text that may hold escapes; borrowed where it holds none.
#[derive(Deserialize)]
#[serde(transparent)]
pub(super) struct Text(#[serde(borrow)] pub(super) Cow<'static, str>);

#[derive(Deserialize)]
pub(super) struct StructureFacts {
    pub(super) url: &'static str,
    pub(super) kind: &'static str,
    #[serde(rename = "type")]
    pub(super) name: &'static str,
    pub(super) base: Option<&'static str>,
    #[serde(rename = "abstract")]
    pub(super) is_abstract: bool,
    pub(super) element: Vec<ElementFacts>,
    pub(super) regex: Option<Text>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ElementFacts {
    pub(super) path: &'static str,
    pub(super) min: u8,
    pub(super) max: &'static str,
    #[serde(default, rename = "type")]
    pub(super) types: Vec<TypeFacts>,
    #[serde(rename = "ref")]
    pub(super) reference: Option<&'static str>,
    pub(super) binding: Option<(&'static str, &'static str)>,
    #[serde(default, borrow)]
    pub(super) constraint: Vec<&'static str>,
    #[serde(default)]
    pub(super) is_modifier: bool,
    #[serde(default)]
    pub(super) is_summary: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct TypeFacts {
    pub(super) code: &'static str,
    #[serde(default, borrow)]
    pub(super) profile: Vec<&'static str>,
    #[serde(default, borrow)]
    pub(super) target_profile: Vec<&'static str>,
}

#[derive(Deserialize)]
pub(super) struct InvariantFacts {
    pub(super) key: &'static str,
    #[serde(borrow)]
    pub(super) variants: Vec<(&'static str, Text)>,
}

#[derive(Deserialize)]
pub(super) struct CompartmentFacts {
    pub(super) code: &'static str,
    #[serde(borrow)]
    pub(super) resource: Vec<(&'static str, Vec<&'static str>)>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ParameterFacts {
    pub(super) url: &'static str,
    pub(super) code: &'static str,
    #[serde(default, borrow)]
    pub(super) base: Vec<&'static str>,
    #[serde(rename = "type")]
    pub(super) kind: &'static str,
    pub(super) expression: Option<Text>,
    #[serde(default, borrow)]
    pub(super) target: Vec<&'static str>,
    #[serde(default, borrow)]
    pub(super) component: Vec<(&'static str, Text)>,
}
