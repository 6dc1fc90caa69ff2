//! The search parameters that a store defines itself, by its SearchParameter resources: what they are, and what becomes of
//! them where such a resource is written.

use super::extract::Indexer;
use super::index::Epoch;
use crate::definition::{CustomParameter, ParameterId, Registry};
use crate::fhir::ResourceType;
use crate::fhir::json::Tree;
use crate::outcome::Issue;

/// What the store knows of a search parameter of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ParameterState {
    /// It is used, but instances that are older than it may not be found by it.
    Pending,
    /// It is used, and every instance is found by it.
    Settled,
    /// It is not used any more, but its entries may still be there.
    Retired,
}

impl ParameterState {
    const ALL: [Self; 3] = [Self::Pending, Self::Settled, Self::Retired];

    /// The number the store keeps for this state.
    pub const fn code(self) -> i16 {
        self as i16
    }

    /// The state whose number is `code`, if there is one.
    pub fn from_code(code: i16) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.code() == code)
    }
}

/// A search parameter of the store itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnParameter {
    definition: CustomParameter,
    /// What became of it.
    pub state: ParameterState,
    /// Since when it has its present meaning.
    pub since: Epoch,
}

impl OwnParameter {
    /// Reads what the store keeps of it; `None` where that is damaged.
    pub fn read(definition: &str, state: i16, since: Epoch) -> Option<Self> {
        Some(Self { definition: serde_json::from_str(definition).ok()?, state: ParameterState::from_code(state)?, since })
    }

    /// What the store keeps of it, beside its state.
    pub fn definition(&self) -> String {
        serde_json::to_string(&self.definition).unwrap_or_default()
    }

    /// Its number in the index.
    pub fn number(&self) -> ParameterId {
        self.definition.id()
    }

    /// The types it is defined on.
    pub fn kinds(&self) -> impl Iterator<Item = ResourceType> + '_ {
        self.definition.kinds()
    }

    /// The logical id of the SearchParameter that defines it.
    pub fn source(&self) -> &str {
        &self.definition.source
    }

    fn is_used(&self) -> bool {
        match self.state {
            ParameterState::Pending | ParameterState::Settled => true,
            ParameterState::Retired => false,
        }
    }
}

/// The search parameters that a store defines itself, at one moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Vocabulary {
    /// Their state: one more with each change.
    pub epoch: Epoch,
    /// Every one of them, those not used any more too.
    pub parameters: Vec<OwnParameter>,
}

/// What a write of SearchParameter resources changes in a [`Vocabulary`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct VocabularyChange {
    /// The state it was made from, and holds for.
    pub from: Epoch,
    /// Those that are new, or say something else.
    pub put: Vec<OwnParameter>,
    /// The numbers of those that are not used any more.
    pub retired: Vec<ParameterId>,
}

/// What the index of a store must and may hold: less than everything, while instances are still to be indexed by parameters that
/// are new; more, while they still have entries of those that are gone.
#[derive(Debug)]
pub struct Bounds {
    /// By the parameters by which everything is indexed.
    pub must: Indexer,
    /// By all others too, where there are any.
    pub may: Option<Indexer>,
}

impl Vocabulary {
    /// An indexer by the standard's parameters, which `registry` has, and those in use here, for the store of `indexer`.
    pub fn indexer(&self, registry: &Registry, indexer: &Indexer) -> Indexer {
        self.of(registry, indexer, OwnParameter::is_used)
    }

    /// What every instance must have in the index, and what it may have there.
    pub fn bounds(&self, registry: &Registry, indexer: &Indexer) -> Bounds {
        let is_settled = |parameter: &OwnParameter| parameter.state == ParameterState::Settled;
        let must = self.of(registry, indexer, is_settled);
        let may = (!self.parameters.iter().all(is_settled)).then(|| self.of(registry, indexer, |_| true));
        Bounds { must, may }
    }

    fn of(&self, registry: &Registry, indexer: &Indexer, is_meant: impl Fn(&OwnParameter) -> bool) -> Indexer {
        let meant = || self.parameters.iter().filter(|parameter| is_meant(parameter));
        let pending = meant().filter(|parameter| parameter.state == ParameterState::Pending).map(OwnParameter::number);
        indexer.by(registry.with(meant().map(|parameter| &parameter.definition)), self.epoch, pending.collect())
    }

    /// What it changes here that the SearchParameters with these logical ids become what their trees say; without one, they are
    /// deleted. `None`: nothing.
    ///
    /// # Errors
    /// Every reason why one of them cannot be used, each with its place.
    pub fn change(
        &self,
        registry: &Registry,
        written: &[(&str, Option<Tree<'_>>)],
    ) -> Result<Option<VocabularyChange>, Vec<Issue>> {
        let is_written = |source: &str| written.iter().any(|(id, _)| *id == source);
        let before = || self.parameters.iter().filter(|parameter| parameter.is_used());
        let mut after: Vec<CustomParameter> =
            before().filter(|known| !is_written(known.source())).map(|known| known.definition.clone()).collect();
        let mut change = VocabularyChange { from: self.epoch, ..VocabularyChange::default() };
        for (source, tree) in written.iter().filter_map(|(source, tree)| Some((source, tree.as_ref()?))) {
            let Some(definition) = CustomParameter::read(registry, source, tree, &after)? else { continue };
            change.put.extend(self.news(&definition));
            after.push(definition);
        }
        let is_gone = |known: &&OwnParameter| !after.iter().any(|other| other.id() == known.number());
        change.retired = before().filter(is_gone).map(OwnParameter::number).collect();
        Ok((!change.put.is_empty() || !change.retired.is_empty()).then_some(change))
    }

    /// What is to be written of `definition`: nothing where it says what it said. On types that it was not defined on before, old
    /// instances are to be indexed by it.
    fn news(&self, definition: &CustomParameter) -> Option<OwnParameter> {
        let known = self.parameters.iter().find(|known| known.number() == definition.id() && known.is_used());
        match known {
            Some(known) if known.definition == *definition => None,
            Some(known) if definition.kinds().all(|kind| known.kinds().any(|other| other == kind)) => {
                Some(OwnParameter { definition: definition.clone(), ..known.clone() })
            }
            Some(_) | None => {
                Some(OwnParameter { definition: definition.clone(), state: ParameterState::Pending, since: self.epoch })
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn registry() -> &'static Registry {
        Registry::shared().unwrap()
    }

    fn resource(code: &str, base: &str, status: &str) -> String {
        format!(
            r#"{{"resourceType":"SearchParameter","url":"http://example.org/{code}","status":"{status}","code":"{code}",
                "base":["{base}"],"type":"token","expression":"{base}.meta.tag"}}"#
        )
    }

    fn change(vocabulary: &Vocabulary, written: &[(&str, Option<&str>)]) -> Result<Option<VocabularyChange>, Vec<Issue>> {
        let trees: Vec<_> =
            written.iter().map(|(id, json)| (*id, json.map(|json| Tree::parse(json.as_bytes()).unwrap()))).collect();
        vocabulary.change(registry(), &trees)
    }

    /// What the store makes of a change.
    fn changed(vocabulary: &Vocabulary, written: &[(&str, Option<&str>)]) -> Vocabulary {
        let change = change(vocabulary, written).unwrap().unwrap();
        assert_eq!(change.from, vocabulary.epoch);
        let mut after = Vocabulary { epoch: Epoch(vocabulary.epoch.0 + 1), ..vocabulary.clone() };
        after.parameters.retain(|known| !change.put.iter().any(|put| put.number() == known.number()));
        after.parameters.extend(change.put);
        for known in after.parameters.iter_mut().filter(|known| change.retired.contains(&known.number())) {
            known.state = ParameterState::Retired;
        }
        after
    }

    fn states(vocabulary: &Vocabulary) -> Vec<(&str, ParameterState)> {
        vocabulary.parameters.iter().map(|known| (&*known.definition.code, known.state)).collect()
    }

    #[test]
    fn a_parameter_is_pending_until_it_is_settled_and_retired_when_its_resource_goes() {
        let defined = changed(&Vocabulary::default(), &[("a", Some(&resource("one", "Patient", "active")))]);
        assert_eq!(states(&defined), [("one", ParameterState::Pending)]);
        for end in [None, Some(resource("one", "Patient", "retired"))] {
            assert_eq!(states(&changed(&defined, &[("a", end.as_deref())])), [("one", ParameterState::Retired)]);
        }
        assert_eq!(change(&defined, &[("a", Some(&resource("one", "Patient", "active")))]), Ok(None));
        assert_eq!(change(&defined, &[("b", None), ("c", Some(&resource("two", "Patient", "draft")))]), Ok(None));
    }

    #[test]
    fn another_meaning_retires_the_former_and_is_pending_itself() {
        let mut settled = changed(&Vocabulary::default(), &[("a", Some(&resource("one", "Patient", "active")))]);
        settled.parameters[0].state = ParameterState::Settled;
        let other = resource("one", "Patient", "active").replace("meta.tag", "meta.security");
        let renewed = changed(&settled, &[("a", Some(&other))]);
        assert_eq!(states(&renewed), [("one", ParameterState::Retired), ("one", ParameterState::Pending)]);
        let renamed = resource("one", "Patient", "active").replace(r#""code":"one""#, r#""code":"uno""#);
        assert_eq!(states(&changed(&settled, &[("a", Some(&renamed))])), [("uno", ParameterState::Settled)]);
    }

    #[test]
    fn what_is_written_together_is_judged_together() {
        let (one, same) = (resource("one", "Patient", "active"), resource("one", "Patient", "active"));
        let issues = change(&Vocabulary::default(), &[("a", Some(&one)), ("b", Some(&same))]).unwrap_err();
        assert_eq!(issues[0].expression.as_deref(), Some("SearchParameter.url"));
        let defined = changed(&Vocabulary::default(), &[("a", Some(&one))]);
        let moved = changed(&defined, &[("a", None), ("b", Some(&same))]);
        assert_eq!(states(&moved), [("one", ParameterState::Pending)]);
    }

    #[test]
    fn what_the_store_keeps_is_read_again() {
        let defined = changed(&Vocabulary::default(), &[("a", Some(&resource("one", "Patient", "active")))]);
        let own = &defined.parameters[0];
        assert_eq!(OwnParameter::read(&own.definition(), own.state.code(), own.since).as_ref(), Some(own));
        assert_eq!(OwnParameter::read("{}", 0, own.since), None);
        assert_eq!(OwnParameter::read(&own.definition(), 9, own.since), None);
    }
}
