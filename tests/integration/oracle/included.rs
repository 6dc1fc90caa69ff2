//! Random `_include` and `_revinclude`, and what they bring (R4 search.html §include).

use std::collections::BTreeSet;

use serde_json::Value;

use super::chance::Chance;
use super::compared::text;
use super::parameter::{Parameter, references, values};
use super::world::{KINDS, World};

/// One rule of what comes along.
pub(super) struct Rule {
    source: &'static str,
    parameter: Parameter,
    target: Option<&'static str>,
    against: bool,
    iterates: bool,
}

/// Type, id and version.
pub(super) type Version = (String, String, String);

pub(super) fn version(resource: &Value) -> Version {
    let of = |value: &Value| value.as_str().unwrap().to_owned();
    (of(&resource["resourceType"]), of(&resource["id"]), of(&resource["meta"]["versionId"]))
}

/// Up to four rules, beginning with one that fits resources of `kind`.
pub(super) fn rules(chance: &mut Chance, kind: &'static str) -> Vec<Rule> {
    let every: Vec<(&'static str, Parameter, &'static [&'static str])> = KINDS
        .iter()
        .flat_map(|source| references(source).into_iter().map(|(parameter, targets)| (*source, parameter, targets)))
        .collect();
    let mut rules = Vec::new();
    for turn in 0..=chance.below(4) {
        let against = chance.one_in(3);
        let fits = |(source, _, targets): &&(&str, _, &'static [&'static str])| match (turn, against) {
            (0, true) => targets.contains(&kind),
            (0, false) => *source == kind,
            _ => true,
        };
        let fitting: Vec<_> = every.iter().filter(fits).copied().collect();
        if fitting.is_empty() {
            continue;
        }
        let (source, parameter, targets) = chance.of(&fitting);
        let target = chance.one_in(3).then(|| chance.of(targets));
        rules.push(Rule { source, parameter, target, against, iterates: chance.one_in(2) });
    }
    rules
}

impl Rule {
    /// As a query says it.
    pub(super) fn parameter(&self) -> String {
        let name = if self.against { "_revinclude" } else { "_include" };
        let target = self.target.map_or_else(String::new, |target| format!(":{target}"));
        format!("{name}{}={}:{}{target}", if self.iterates { ":iterate" } else { "" }, self.source, self.parameter.0)
    }

    /// What it brings beside `resource`. A reference to a version brings that version; what points at one is what names its id.
    fn brings<'w>(&self, world: &'w World, resource: &Value) -> Vec<&'w Value> {
        let pointers = |resource: &Value| -> Vec<String> {
            let found = values(resource, &self.parameter).into_iter().filter_map(|value| text(value, "reference"));
            let fits = |to: &&str| self.target.is_none_or(|target| to.split('/').next() == Some(target));
            found.filter(fits).map(str::to_owned).collect()
        };
        if self.against {
            let name = format!("{}/{}", text(resource, "resourceType").unwrap(), text(resource, "id").unwrap());
            let points_here = |other: &&Value| pointers(other).iter().any(|to| to.split("/_history/").next() == Some(&*name));
            return world.of_kind(self.source).filter(points_here).collect();
        }
        if resource["resourceType"] != self.source {
            return Vec::new();
        }
        pointers(resource).iter().filter_map(|to| world.exact_target(to)).collect()
    }
}

/// What comes along with `matches`.
pub(super) fn included(world: &World, rules: &[Rule], matches: &[&Value]) -> BTreeSet<Version> {
    let own: BTreeSet<Version> = matches.iter().copied().map(version).collect();
    let mut seen = own.clone();
    let mut sources: Vec<&Value> = matches.to_vec();
    let mut is_first = true;
    while !sources.is_empty() {
        let valid = rules.iter().filter(|rule| is_first || rule.iterates);
        let found: Vec<&Value> = valid.flat_map(|rule| sources.iter().flat_map(|source| rule.brings(world, source))).collect();
        sources = found.into_iter().filter(|found| seen.insert(version(found))).collect();
        is_first = false;
    }
    seen.difference(&own).cloned().collect()
}
