//! Profiles: constraints on a type, extension definitions among them.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

/// A StructureDefinition that constrains a type, with the elements of its snapshot.
#[derive(Debug, Deserialize)]
pub struct Profile {
    /// Its canonical URL.
    pub url: &'static str,
    /// The type it constrains.
    #[serde(rename = "type")]
    pub of: &'static str,
    /// The canonical URL of what it is derived from.
    pub base: &'static str,
    /// Where an extension may stand: `element`, `extension` or `fhirpath`, and the expression.
    #[serde(default, borrow)]
    pub context: Vec<(&'static str, &'static str)>,
    /// The elements of its snapshot, in order.
    pub element: Vec<ProfileElement>,
}

/// An element of a profile.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ProfileElement {
    /// Its id: the path, with the names of slices.
    pub id: &'static str,
    /// Its path.
    pub path: &'static str,
    /// How often it must occur.
    pub min: u32,
    /// How often it may occur, `*` for no limit.
    pub max: &'static str,
    /// The slice it describes.
    pub slice: Option<&'static str>,
    /// How its values are told apart.
    pub slicing: Option<Slicing>,
    /// The types it may have.
    #[serde(default, rename = "type")]
    pub types: Vec<ProfileType>,
    /// The element it repeats, after `#`.
    #[serde(rename = "ref")]
    pub content_reference: Option<&'static str>,
    /// The strength of its binding and the value set.
    #[serde(borrow)]
    pub binding: Option<(&'static str, &'static str)>,
    /// The keys of its invariants.
    #[serde(default, borrow)]
    pub constraint: Vec<&'static str>,
    /// Whether it must be supported.
    #[serde(default)]
    pub must_support: bool,
    /// `fixed[x]`, `pattern[x]`, `minValue[x]`, `maxValue[x]`, `maxLength`, by their JSON name; and the flags of the base element.
    #[serde(flatten)]
    pub limits: BTreeMap<String, Value>,
}

/// How the values of an element are told apart into slices.
#[derive(Debug, Deserialize)]
pub struct Slicing {
    /// What they are told apart by.
    #[serde(default)]
    pub discriminator: Vec<Discriminator>,
    /// `closed`, `open` or `openAtEnd`.
    pub rules: &'static str,
    /// Whether the slices must stand in the order of the profile.
    #[serde(default)]
    pub ordered: bool,
}

/// One criterion by which slices are told apart.
#[derive(Debug, Deserialize)]
pub struct Discriminator {
    /// `value`, `exists`, `pattern`, `type` or `profile`.
    #[serde(rename = "type")]
    pub by: &'static str,
    /// The element looked at.
    pub path: &'static str,
}

/// A type an element of a profile may have.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ProfileType {
    /// Its name, or the URL of a FHIRPath system type.
    pub code: &'static str,
    /// Profiles its value must fulfil one of.
    #[serde(default, borrow)]
    pub profile: Vec<&'static str>,
    /// Profiles what it points at must fulfil one of.
    #[serde(default, borrow)]
    pub target_profile: Vec<&'static str>,
}
