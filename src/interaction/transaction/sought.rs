//! Which instances the entries of a transaction are about: those they name, and those that fulfil their criteria (B-03, B-05).
//! All criteria are asked in one state of the store, set by set.

use std::collections::{HashMap, HashSet};

use super::all;
use super::entry::Entry;
use crate::fhir::InstanceId;
use crate::interaction::call::Call;
use crate::interaction::condition::{self, Criteria};
use crate::interaction::update::{agreed, check_free};
use crate::interaction::{Interaction, body};
use crate::outcome::{Failure, Issue, IssueCode, Kind, Outcome};
use crate::search::Name;
use crate::store::Stored;
use crate::store::change::Premise;

/// The criteria of each entry that has some, by position.
pub(super) type Asked = HashMap<usize, Criteria>;

/// Reads the criteria of `entries`.
///
/// # Errors
/// 400 with every one that is none.
pub(super) fn asked(call: &Call<'_>, entries: &[Entry<'_>]) -> Outcome<Asked> {
    let writing = entries.iter().filter(|entry| !entry.reads());
    let criteria = writing.map(|entry| {
        let criteria = Criteria::of(call, &entry.request).map_err(|failure| entry.located(failure))?;
        Ok(criteria.map(|criteria| (entry.at, criteria)))
    });
    Ok(all(criteria)?.into_iter().flatten().collect())
}

/// What is there of what entries are about.
#[derive(Debug)]
pub(super) struct Sought {
    /// By position: the id of the one instance that an entry writes, where it is known before.
    ids: Vec<Option<InstanceId>>,
    /// By position: the last versions of what an entry is about.
    there: Vec<Vec<Stored>>,
}

impl Sought {
    /// Finds what `entries`, some of which have criteria `asked`, are about, and what is thereby taken for granted.
    ///
    /// # Errors
    /// 412 where criteria mean too many; 400 where a resource has another id than the instance it is to be, or where two entries
    /// write one instance; 409 where the id of a new one is taken.
    pub(super) async fn of(call: &Call<'_>, entries: &[Entry<'_>], asked: &Asked) -> Outcome<(Self, Vec<Premise>)> {
        let there = found(call, entries, asked).await?;
        let premises = premises(call, entries, asked, &there);
        let id =
            |(entry, there): (&Entry<'_>, &Vec<Stored>)| id_of(entry, there.first()).map_err(|failure| entry.located(failure));
        let ids = all(entries.iter().zip(&there).map(id))?;
        let mut sought = Self { ids, there };
        sought.read_named(call, entries).await?;
        let unmet = |entry: &&Entry<'_>| premises.is_unmet(entry.at);
        all(entries
            .iter()
            .filter(unmet)
            .map(|entry| check_free(entry.request.kind()?, sought.latest(entry.at)).map_err(|failure| entry.located(failure))))?;
        sought.check_targets(entries)?;
        sought.forget_deleted(entries);
        Ok((sought, premises.all))
    }

    /// The id of the one instance that an entry writes, where it is known before.
    pub(super) fn id(&self, at: usize) -> Option<&InstanceId> {
        self.ids.get(at).and_then(Option::as_ref)
    }

    /// The last version of the instance that an entry is about.
    pub(super) fn latest(&self, at: usize) -> Option<&Stored> {
        self.there(at).first()
    }

    /// The last versions of all instances that an entry is about.
    pub(super) fn there(&self, at: usize) -> &[Stored] {
        self.there.get(at).map(Vec::as_slice).unwrap_or_default()
    }

    /// The instances that `entries` write and that are known before, those deleted included.
    pub(super) fn written<'s>(&'s self, entries: &'s [Entry<'_>]) -> impl Iterator<Item = (&'s Entry<'s>, Name)> {
        entries.iter().filter(|entry| !entry.reads()).flat_map(|entry| {
            let named = entry.request.kind.zip(self.id(entry.at).cloned());
            let sought = self.there(entry.at).iter().filter(|_| entry.deletes()).map(|stored| (stored.kind, stored.id.clone()));
            let sought: Vec<Name> = sought.filter(|name| Some(name) != named.as_ref()).collect();
            named.into_iter().chain(sought).map(move |name| (entry, name))
        })
    }

    async fn read_named(&mut self, call: &Call<'_>, entries: &[Entry<'_>]) -> Outcome<()> {
        let missing = |entry: &&Entry<'_>| self.there(entry.at).is_empty();
        let named = |entry: &Entry<'_>| Some((entry.at, (entry.request.kind?, self.id(entry.at)?.clone())));
        let (places, names): (Vec<usize>, Vec<Name>) = entries.iter().filter(missing).filter_map(named).unzip();
        if names.is_empty() {
            return Ok(());
        }
        let found = call.engine.store.read_many(call.access, names).await?;
        for (at, stored) in places.into_iter().zip(found) {
            if let Some(place) = self.there.get_mut(at) {
                place.extend(stored);
            }
        }
        Ok(())
    }

    /// No instance may be written by two entries, however they mean it (B-05).
    fn check_targets(&self, entries: &[Entry<'_>]) -> Outcome<()> {
        let mut seen: HashSet<Name> = HashSet::new();
        let mut twice = self.written(entries).filter(|(_, name)| !seen.insert(name.clone()));
        twice.next().map_or(Ok(()), |(entry, _)| Err(entry.located(duplicate("another entry writes the same instance"))))
    }

    /// Deletions come first: a create finds nothing that this very transaction deletes (B-04).
    fn forget_deleted(&mut self, entries: &[Entry<'_>]) {
        let deleted = entries.iter().filter(|entry| entry.deletes()).flat_map(|entry| self.there(entry.at));
        let deleted: HashSet<Name> = deleted.map(|stored| (stored.kind, stored.id.clone())).collect();
        for entry in entries.iter().filter(|entry| entry.request.interaction == Interaction::Create) {
            if let Some(there) = self.there.get_mut(entry.at) {
                there.retain(|stored| !deleted.contains(&(stored.kind, stored.id.clone())));
            }
        }
    }
}

/// Two entries that are about one instance.
pub(super) fn duplicate(text: &str) -> Failure {
    Failure::with_issues(Kind::Malformed, vec![Issue::error(IssueCode::Duplicate, text).at("request.url")])
}

/// By position: what criteria mean, which is not more than it may be.
async fn found(call: &Call<'_>, entries: &[Entry<'_>], asked: &Asked) -> Outcome<Vec<Vec<Stored>>> {
    let mut there = vec![Vec::new(); entries.len()];
    let seeking: Vec<(&Entry<'_>, &Criteria)> = entries.iter().filter_map(|entry| Some((entry, asked.get(&entry.at)?))).collect();
    let most = call.engine.limits.conditional_delete_resources;
    let plans = seeking.iter().map(|(_, criteria)| criteria.plan().clone()).collect();
    let found = call.engine.store.matching(call.access, plans, most + 1).await?;
    all(seeking.into_iter().zip(found).map(|((entry, _), found)| {
        let most = if entry.deletes() { most } else { 1 };
        if found.len() > most {
            return Err(entry.located(condition::several(most).at("request.url")));
        }
        if let Some(place) = there.get_mut(entry.at) {
            *place = found;
        }
        Ok(())
    }))?;
    Ok(there)
}

/// The id of the instance that an entry writes, whose criteria, if it has some, mean `found`.
fn id_of(entry: &Entry<'_>, found: Option<&Stored>) -> Outcome<Option<InstanceId>> {
    let request = &entry.request;
    match (request.interaction, &request.id) {
        (Interaction::Update | Interaction::Patch | Interaction::Delete, Some(id)) => Ok(Some(id.clone())),
        (Interaction::Update, None) => {
            let kind = request.kind()?;
            let json = body::json_of(request, kind)?;
            agreed(kind, body::own_id(&body::parse(&json)?).as_ref(), found).map(Option::<&InstanceId>::cloned)
        }
        (Interaction::Patch, None) => Ok(found.map(|stored| stored.id.clone())),
        _ => Ok(None),
    }
}

/// What is taken for granted, and where nothing was found.
struct Premises {
    all: Vec<Premise>,
    unmet: HashSet<usize>,
}

impl Premises {
    fn is_unmet(&self, at: usize) -> bool {
        self.unmet.contains(&at)
    }
}

/// A create that finds its instance changes nothing and so takes nothing for granted.
fn premises(call: &Call<'_>, entries: &[Entry<'_>], asked: &Asked, there: &[Vec<Stored>]) -> Premises {
    let mut premises = Premises { all: Vec::new(), unmet: HashSet::new() };
    for (entry, found) in entries.iter().zip(there) {
        let Some(criteria) = asked.get(&entry.at) else { continue };
        if found.is_empty() {
            premises.unmet.insert(entry.at);
        }
        if found.is_empty() || entry.request.interaction != Interaction::Create {
            premises.all.push(criteria.premise(call, found));
        }
    }
    premises
}
