//! Search parameters that SearchParameter resources of the store define, beside the standard's (R4 searchparameter.html).

mod judge;

use serde::{Deserialize, Serialize};

use super::expression;
use super::parameter::{self, Parameter, ParameterId, ParameterKind};
use super::registry::Registry;
use crate::fhir::ResourceType;
use crate::fhir::json::{Node, Tree};
use crate::outcome::Issue;

/// A search parameter as a SearchParameter of the store defines it. What it says rests in the store in this form.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CustomParameter {
    /// The logical id of the SearchParameter.
    pub source: Box<str>,
    /// Its canonical URL.
    pub url: Box<str>,
    /// The name used in a query.
    pub code: Box<str>,
    /// How its values are compared: the code of a [`ParameterKind`].
    #[serde(rename = "type")]
    pub kind: Box<str>,
    /// The types it is defined on, as it names them.
    pub base: Vec<Box<str>>,
    /// Where its values are, for all of those types.
    pub expression: Box<str>,
    /// The types a reference may point at; empty: any.
    #[serde(default)]
    pub target: Vec<Box<str>>,
}

impl CustomParameter {
    /// What a SearchParameter with the logical id `source` defines; `None` where its status says that it is not to be used.
    /// `others` are those that are in use already.
    ///
    /// # Errors
    /// Everything because of which it cannot be used, each with its place.
    pub fn read(registry: &Registry, source: &str, tree: &Tree<'_>, others: &[Self]) -> Result<Option<Self>, Vec<Issue>> {
        let root = tree.root();
        if text(root, "status").as_deref() != Some("active") {
            return Ok(None);
        }
        let own = Self {
            source: source.into(),
            url: text(root, "url").unwrap_or_default(),
            code: text(root, "code").unwrap_or_default(),
            kind: text(root, "type").unwrap_or_default(),
            base: texts(root, "base"),
            expression: text(root, "expression").unwrap_or_default(),
            target: texts(root, "target"),
        };
        judge::judge(registry, &own, others).map(|is_new| is_new.then_some(own))
    }

    /// Its number in an index: of what it means, not of its URL alone, so that entries made before its meaning was changed
    /// are not taken for its own.
    pub fn id(&self) -> ParameterId {
        ParameterId::of_url(&format!("{}\n{}\n{}", self.url, self.kind, self.expression))
    }

    /// The concrete types it is defined on.
    pub fn kinds(&self) -> impl Iterator<Item = ResourceType> + '_ {
        parameter::kinds(|name| self.base.iter().any(|base| **base == *name))
    }

    /// The parameter as each of those types sees it.
    pub(super) fn parameters(&self) -> impl Iterator<Item = (ResourceType, Parameter)> + '_ {
        let kind = ParameterKind::from_code(&self.kind);
        self.kinds().filter_map(move |of| Some((of, self.parameter(of, kind?))))
    }

    fn parameter(&self, of: ResourceType, kind: ParameterKind) -> Parameter {
        Parameter {
            id: self.id(),
            url: String::from(&*self.url).into(),
            code: String::from(&*self.code).into(),
            kind,
            expression: expression::narrowed(&self.expression, of),
            targets: self.target.iter().filter_map(|name| name.parse().ok()).collect(),
            components: Vec::new(),
            is_custom: true,
        }
    }
}

fn text(root: Node<'_>, name: &str) -> Option<Box<str>> {
    Some(root.member(name)?.string()?.into())
}

fn texts(root: Node<'_>, name: &str) -> Vec<Box<str>> {
    let items = root.member(name).into_iter().flat_map(Node::items);
    items.filter_map(|item| Some(item.string()?.into())).collect()
}

#[cfg(test)]
mod tests;
