//! What comes along with the matches of a page: `_include` and `_revinclude` (R4 search.html §include). Each is read against
//! the access of whoever asks, so that what is concealed is absent; each stands once, however often it is pointed at.

use std::collections::HashSet;

use super::{Call, body};
use crate::fhir::{InstanceId, ResourceType, VersionId};
use crate::outcome::Outcome;
use crate::search::follow::Target;
use crate::search::query::{Direction, Inclusion};
use crate::store::{Match, Stored, VersionName};

/// How often references are followed from what was included (S-53). Cycles end before that, long chains do here.
pub(super) const MAX_ROUNDS: usize = 16;
/// After so many resources other requests of the same thread get their turn.
const RESOURCES_PER_TURN: usize = 8;

/// What comes along.
#[derive(Debug, Default)]
pub(super) struct Included {
    /// In the order in which it was found.
    pub(super) resources: Vec<Stored>,
    /// Whether there is more that was left out.
    pub(super) is_cut: bool,
}

/// What comes along with `matches` by `inclusions`.
pub(super) async fn included(call: &Call<'_>, inclusions: &[Inclusion], matches: &[Match]) -> Outcome<Included> {
    let mut gathering = Gathering::new(call, matches);
    if inclusions.is_empty() || matches.is_empty() {
        return Ok(gathering.included);
    }
    let mut round: Vec<Stored> = matches.iter().map(|found| found.stored.clone()).collect();
    let mut rules: Vec<&Inclusion> = inclusions.iter().collect();
    for _ in 0..MAX_ROUNDS {
        round = gathering.round(&rules, &round).await?;
        rules.retain(|rule| rule.iterates);
        if round.is_empty() || rules.is_empty() || gathering.included.is_cut {
            return Ok(gathering.included);
        }
    }
    gathering.included.is_cut = true;
    Ok(gathering.included)
}

type Version = (ResourceType, InstanceId, VersionId);

struct Gathering<'c> {
    call: &'c Call<'c>,
    included: Included,
    /// What stands on the page already.
    seen: HashSet<Version>,
    /// What was asked for, found or not.
    asked: HashSet<Target>,
}

impl<'c> Gathering<'c> {
    fn new(call: &'c Call<'c>, matches: &[Match]) -> Self {
        let seen = matches.iter().map(|found| version_of(&found.stored)).collect();
        Self { call, included: Included::default(), seen, asked: HashSet::new() }
    }

    /// Follows `rules` from `sources`; what is new.
    async fn round(&mut self, rules: &[&Inclusion], sources: &[Stored]) -> Outcome<Vec<Stored>> {
        let begin = self.included.resources.len();
        let names = self.pointed_at(rules, sources).await?;
        let found = self.call.engine.store.several(self.call.access, names).await?;
        self.take(found);
        for rule in rules.iter().filter(|rule| rule.direction == Direction::Against) {
            self.follow_back(rule, sources).await?;
        }
        Ok(self.included.resources.get(begin..).unwrap_or_default().to_vec())
    }

    async fn pointed_at(&mut self, rules: &[&Inclusion], sources: &[Stored]) -> Outcome<Vec<VersionName>> {
        let mut names = Vec::new();
        let along = || rules.iter().filter(|rule| rule.direction == Direction::Along);
        if along().next().is_none() {
            return Ok(names);
        }
        for (turn, source) in sources.iter().enumerate() {
            if turn % RESOURCES_PER_TURN == RESOURCES_PER_TURN - 1 {
                tokio::task::yield_now().await;
            }
            let Some(text) = source.text()? else { continue };
            let tree = body::parse(text.json())?;
            for rule in along() {
                let pointers = rule.pointed_at(&self.call.engine.indexer(), source.kind, &tree)?;
                names.extend(pointers.into_iter().filter(|pointer| self.asked.insert(pointer.clone())).map(name));
            }
        }
        // What cannot be shown is not looked for either, beyond one that tells that there is more.
        let room = self.room() + self.seen.len() + 1;
        self.included.is_cut |= names.len() > room;
        names.truncate(room);
        Ok(names)
    }

    async fn follow_back(&mut self, rule: &Inclusion, sources: &[Stored]) -> Outcome<()> {
        let targets: Vec<(ResourceType, InstanceId)> = sources.iter().map(|source| (source.kind, source.id.clone())).collect();
        let count = u32::try_from(self.room() + self.seen.len() + 1).unwrap_or(u32::MAX);
        let Some(plans) = rule.pointing(&self.call.engine.indexer(), &targets, count) else {
            self.included.is_cut = true;
            return Ok(());
        };
        for plan in plans {
            let page = self.call.engine.store.search(self.call.access, plan).await?;
            self.take(page.matches.into_iter().map(|found| found.stored).collect());
            self.included.is_cut |= page.more;
        }
        Ok(())
    }

    /// Keeps what is new and no deletion, as far as there is room.
    fn take(&mut self, found: Vec<Stored>) {
        for stored in found.into_iter().filter(|stored| stored.body.is_some()) {
            if self.seen.contains(&version_of(&stored)) {
                continue;
            }
            if self.room() == 0 {
                self.included.is_cut = true;
                return;
            }
            self.seen.insert(version_of(&stored));
            self.included.resources.push(stored);
        }
    }

    fn room(&self) -> usize {
        self.call.engine.limits.include_resources.saturating_sub(self.included.resources.len())
    }
}

fn version_of(stored: &Stored) -> Version {
    (stored.kind, stored.id.clone(), stored.version)
}

fn name(pointer: Target) -> VersionName {
    VersionName { kind: pointer.kind, id: pointer.id, version: pointer.version }
}
